//! From the shell to the first prompt that can be believed.

use tokio::time::{Instant, timeout_at};

use super::received::Received;
use super::{DeviceError, Limits};
use crate::dialect::session::{Greeting, Prompt, Showing};
use crate::transport::ssh::{Connection, Incoming};

/// How often an empty line is sent to see whether the same prompt comes back.
const NUDGES: usize = 4;

/// An empty line that has brought nothing back for this part of the time counts as lost: each may be waited for.
const PARTS: u32 = 5;

/// Waits for a prompt and makes sure of it: an empty line must bring the very same back. Any line of a
/// banner can end in `# `.
///
/// A slow device is given its time: the next empty line goes out only where the last one seems to be lost, and what it
/// brings is waited for as well, since it would otherwise be read as the answer to the first command.
pub(super) async fn learn_prompt(
    connection: &mut Connection,
    received: &mut Received,
    limits: &Limits,
) -> Result<Prompt, DeviceError> {
    let device = connection.address().to_owned();
    let deadline = Instant::now() + limits.prompt;
    let mut greeting = Greeting::new();
    let mut nudges = 0;
    loop {
        if let Some(said) = greeting.too_many_sessions() {
            return Err(DeviceError::TooManySessions { device, said });
        }
        let showing = greeting.showing();
        let quiet_until = match &showing {
            Showing::Output | Showing::TooMuch => deadline,
            Showing::Prompt(prompt) if nudges > greeting.confirmations(prompt) => {
                deadline.min(Instant::now() + limits.prompt / PARTS)
            }
            Showing::Prompt(_) | Showing::Pager => deadline.min(Instant::now() + limits.settle),
        };
        let event = timeout_at(quiet_until, connection.receive()).await;
        let closed = |received: &Received| DeviceError::ClosedAtStart {
            device: device.clone(),
            received: received.escaped(),
        };
        let key = match (event, showing) {
            (Ok(Incoming::Bytes(bytes)), _) => {
                received.push(&bytes);
                greeting.push(&bytes);
                continue;
            }
            (Ok(Incoming::Closed), _) => return Err(closed(received)),
            (Err(_), Showing::Pager) => {
                greeting.pager_answered();
                "g"
            }
            (Err(_), Showing::Prompt(prompt)) if greeting.confirmations(&prompt) > 0 => return Ok(prompt),
            (Err(_), Showing::Prompt(_)) if nudges < NUDGES && Instant::now() < deadline => {
                nudges += 1;
                "\r"
            }
            (Err(_), _) => {
                return Err(DeviceError::NoPrompt {
                    device,
                    after: limits.prompt,
                    received: received.escaped(),
                });
            }
        };
        if let Ok(Err(_)) = timeout_at(deadline, connection.send(key.as_bytes())).await {
            return Err(closed(received));
        }
    }
}
