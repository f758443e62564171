//! What a device sent, byte for byte: for a report about a device that gamops does not get along with.

use crate::dialect::redact;
use crate::dialect::share::Sharing;

/// What came for one command, or before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The command, secrets masked. `None`: what the device said before its first prompt.
    pub command: Option<String>,
    /// The prompt at which it was sent.
    pub prompt: String,
    /// Everything that came until the next command. **As long as it is on the tape, secrets included.**
    pub bytes: Vec<u8>,
}

/// Everything that came in a session, where it is kept at all.
#[derive(Default)]
pub(super) struct Tape(Option<Vec<Heard>>);

impl Tape {
    /// One that keeps what comes.
    pub(super) fn running() -> Self {
        let greeting = Heard {
            command: None,
            prompt: String::new(),
            bytes: Vec::new(),
        };
        Self(Some(vec![greeting]))
    }

    /// Notes that what comes from now on is for this command.
    pub(super) fn next(&mut self, prompt: impl ToString, command: &str) {
        if let Some(heard) = &mut self.0 {
            heard.push(Heard {
                command: Some(redact::line(command)),
                prompt: prompt.to_string(),
                bytes: Vec::new(),
            });
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Some(last) = self.0.as_mut().and_then(|heard| heard.last_mut()) {
            last.bytes.extend_from_slice(bytes);
        }
    }

    /// All of it, masked for strangers. `prompt` is what the device shows as one; empty where that is not known.
    pub(super) fn shared(&self, prompt: &str, sharing: &mut Sharing) -> Vec<Heard> {
        let heard = self.0.iter().flatten();
        heard
            .map(|heard| Heard {
                command: heard.command.clone(),
                prompt: heard.prompt.clone(),
                bytes: sharing.bytes(heard.command.as_deref(), prompt, &heard.bytes),
            })
            .collect()
    }
}

/// Without what came: it may hold secrets.
impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tape").field(&self.0.as_ref().map(Vec::len)).finish()
    }
}
