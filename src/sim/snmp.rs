//! The SNMP agent of one device, read only. What there is to read is said by the modules below.
//!
//! The agent proper listens on an inner loopback socket and is made anew when the communities change or the
//! device restarts; a relay owns the address that the world sees. So the address stays taken while the device
//! is silent, and silence is silence, not "port unreachable".

mod alarms;
mod ghn_config;
mod ghn_statistics;
mod ghn_status;
mod mib;
mod ports;
mod standard;
mod subject;
mod system;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_snmp::Oid;
use async_snmp::agent::Agent;
use async_snmp::handler::{BoxFuture, GetNextResult, GetResult, HandlerResult, MibHandler, RequestContext};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::device::SimDevice;
use mib::View;

/// How long the relay waits for the agent, which does not answer a wrong community.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until told to stop.
pub(super) async fn serve(device: Arc<SimDevice>, socket: UdpSocket, stop: CancellationToken) {
    let (agent_tx, agent) = watch::channel(None);
    let agents = tokio::spawn(agents(Arc::clone(&device), agent_tx, stop.clone()));
    let socket = Arc::new(socket);
    let mut buffer = vec![0; 65_535];
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => break,
            // Cancel safe: a datagram that is not taken stays in the queue.
            received = socket.recv_from(&mut buffer) => received,
        };
        // An error here is an answer of ours that a client no longer waited for.
        let Ok((length, peer)) = received else { continue };
        if device.is_snmp_silent() {
            continue;
        }
        let mut agent = agent.clone();
        let request = buffer[..length].to_vec();
        let socket = Arc::clone(&socket);
        tokio::spawn(async move {
            let answer = async {
                let address = (*agent.wait_for(Option::is_some).await.ok()?)?;
                exchange(&request, address).await.ok()
            };
            if let Ok(Some(answer)) = tokio::time::timeout(PATIENCE, answer).await {
                let _ = socket.send_to(&answer, peer).await;
            }
        });
    }
    let _ = agents.await;
}

async fn exchange(request: &[u8], agent: SocketAddr) -> std::io::Result<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    socket.connect(agent).await?;
    socket.send(request).await?;
    let mut buffer = vec![0; 65_535];
    let length = socket.recv(&mut buffer).await?;
    buffer.truncate(length);
    Ok(buffer)
}

/// Keeps one agent alive for the communities and the boot at hand.
async fn agents(device: Arc<SimDevice>, address: watch::Sender<Option<SocketAddr>>, stop: CancellationToken) {
    let mut life = device.life();
    while !stop.is_cancelled() {
        let communities = life.borrow_and_update().communities.clone();
        let token = CancellationToken::new();
        // An agent without any community is one that answers nobody.
        if !communities.is_empty() {
            let table: Arc<dyn MibHandler> = Arc::new(Handler(Arc::clone(&device)));
            let built = Agent::builder()
                .bind("127.0.0.1:0")
                .communities(communities)
                .handler(Oid::from_slice(&[1, 3, 6, 1]), table)
                .without_builtin_handlers()
                .allow_all_access()
                .cancellation_token(token.clone())
                .build()
                .await;
            match built {
                Ok(agent) => {
                    address.send_replace(Some(agent.local_addr()));
                    tokio::spawn(async move { agent.run().await });
                }
                Err(error) => {
                    tracing::warn!(device = %device.spec().name, %error, "could not start the SNMP agent");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            // The device outlives this task, which holds it: a change is all that can come.
            _ = life.changed() => {}
        }
        address.send_replace(None);
        token.cancel();
    }
}

struct Handler(Arc<SimDevice>);

impl MibHandler for Handler {
    fn get<'a>(&'a self, _context: &'a RequestContext, oid: &'a Oid) -> BoxFuture<'a, HandlerResult<GetResult>> {
        let found = self
            .0
            .with_state(|state, uptime| View { state, uptime }.get(oid.arcs()));
        Box::pin(std::future::ready(Ok(found)))
    }

    fn get_next<'a>(
        &'a self,
        _context: &'a RequestContext,
        oid: &'a Oid,
    ) -> BoxFuture<'a, HandlerResult<GetNextResult>> {
        let found = self
            .0
            .with_state(|state, uptime| View { state, uptime }.get_next(oid.arcs()));
        Box::pin(std::future::ready(Ok(found)))
    }
}

#[cfg(test)]
mod tests;
