//! The SNMP agent of one device: identity and ports, read only.
//!
//! The agent proper listens on an inner loopback socket and is made anew when the communities change or the
//! device restarts; a relay owns the address that the world sees. So the address stays taken while the device
//! is silent, and silence is silence, not "port unreachable".

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_snmp::agent::Agent;
use async_snmp::handler::{BoxFuture, GetNextResult, GetResult, HandlerResult, MibHandler, RequestContext};
use async_snmp::{Oid, Value, VarBind};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::device::SimDevice;
use super::show;
use super::state::State;

/// How long the relay waits for the agent, which does not answer a wrong community.
const PATIENCE: Duration = Duration::from_secs(5);

/// The vendor's management subtree.
const MANAGEMENT: [u32; 8] = [1, 3, 6, 1, 4, 1, 20095, 2001];

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
            let table: Arc<dyn MibHandler> = Arc::new(Table(Arc::clone(&device)));
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

struct Table(Arc<SimDevice>);

impl MibHandler for Table {
    fn get<'a>(&'a self, _context: &'a RequestContext, oid: &'a Oid) -> BoxFuture<'a, HandlerResult<GetResult>> {
        Box::pin(async move {
            let mut objects = self.0.with_state(objects);
            let arcs = oid.arcs();
            if let Some(value) = objects.remove(arcs) {
                return Ok(GetResult::Value(value));
            }
            let object = arcs.split_last().map(|(_, object)| object).unwrap_or_default();
            let known = objects.keys().any(|held| held.starts_with(object));
            Ok(if known {
                GetResult::NoSuchInstance
            } else {
                GetResult::NoSuchObject
            })
        })
    }

    fn get_next<'a>(
        &'a self,
        _context: &'a RequestContext,
        oid: &'a Oid,
    ) -> BoxFuture<'a, HandlerResult<GetNextResult>> {
        Box::pin(async move {
            let objects = self.0.with_state(objects);
            let after = (
                std::ops::Bound::Excluded(oid.arcs().to_vec()),
                std::ops::Bound::Unbounded,
            );
            Ok(match objects.range(after).next() {
                Some((arcs, value)) => GetNextResult::Value(VarBind::new(Oid::from_slice(arcs), value.clone())),
                None => GetNextResult::EndOfMibView,
            })
        })
    }
}

fn text(text: impl Into<String>) -> Value {
    Value::OctetString(text.into().into_bytes().into())
}

/// Every object that the device shows.
fn objects(state: &State, uptime: Duration) -> BTreeMap<Vec<u32>, Value> {
    let mut objects = BTreeMap::new();
    let spec = &state.spec;
    let setting = |key: &str| {
        let line = state.running.settings.get(key);
        text(line.and_then(|line| line.strip_prefix(key)).unwrap_or_default().trim())
    };
    let ticks = u32::try_from(uptime.as_millis() / 10 % (1 << 32)).unwrap_or_default();
    let product = spec.model.product_ids.first().copied().unwrap_or_default();
    let mut system = |number: u32, value| objects.insert(vec![1, 3, 6, 1, 2, 1, 1, number, 0], value);
    system(1, text(show::system_description(state)));
    system(
        2,
        Value::ObjectIdentifier(Oid::from_slice(&[1, 3, 6, 1, 4, 1, 20095, 2000, 1, product])),
    );
    system(3, Value::TimeTicks(ticks));
    system(4, setting("snmp-server contact"));
    system(5, text(&*state.running.hostname));
    system(6, setting("snmp-server location"));
    // One row for every VLAN id and port.
    let ports = u32::from(spec.model.ports + spec.model.uplinks + 1);
    objects.insert(
        vec![1, 3, 6, 1, 2, 1, 2, 1, 0],
        Value::Integer(i32::try_from(4095 + ports).unwrap_or_default()),
    );
    let mut managed = |path: &[u32], value| objects.insert([&MANAGEMENT, path].concat(), value);
    for index in 1..=ports {
        for (column, value) in port_row(state, index) {
            managed(&[11, 1, 2, 1, 1, column, 1_000_000 + index], value);
        }
    }
    let board: [(u32, Value); 5] = [
        (1, Value::OctetString(spec.base_mac().octets().to_vec().into())),
        (2, Value::Gauge32(1)),
        (3, text(spec.serial())),
        (4, text("Jaguar2-cu8sfp16")),
        (5, text("ASY-2100-11,R07")),
    ];
    for (number, value) in board {
        managed(&[24, 1, 3, 5, number, 0], value);
    }
    let image: [(u32, Value); 5] = [
        (2, Value::Integer(1)),
        (3, text("linux (primary)")),
        (4, text(spec.firmware.to_string())),
        (5, text("2024-03-19T06:41:53-04:00")),
        (6, text(show::code_revision(state).to_string())),
    ];
    for (column, value) in image {
        managed(&[28, 1, 3, 1, 1, column, 1], value);
    }
    objects
}

/// One row of the port table with the values seen on hardware: G.hn ports, then uplinks, then MGMT.
fn port_row(state: &State, index: u32) -> [(u32, Value); 10] {
    let spec = &state.spec;
    let ghn = u32::from(spec.model.ports);
    let uplinks = u32::from(spec.model.uplinks);
    let heading = if index <= ghn {
        None
    } else if index <= ghn + uplinks {
        Some(format!("interface 10GigabitEthernet 1/{}", index - ghn))
    } else {
        Some("interface GigabitEthernet 1/1".to_owned())
    };
    let (speed, media, mtu, role) = match &heading {
        None => (6, 0, 2014, 0),
        Some(_) if index <= ghn + uplinks => (8, 1, 2048, 3),
        Some(_) => (5, 0, 2048, 1),
    };
    let shut = match &heading {
        None => u16::try_from(index)
            .ok()
            .and_then(|port| state.running.ports.get(&port))
            .is_some_and(|port| port.shutdown),
        Some(heading) => state
            .running
            .sections
            .get(heading)
            .is_some_and(|section| section.get("shutdown").is_some()),
    };
    let truth = |yes: bool| Value::Integer(if yes { 1 } else { 2 });
    [
        (2, truth(shut)),
        (3, Value::Integer(speed)),
        (4, Value::Gauge32(0)),
        (5, Value::Integer(media)),
        (6, Value::Integer(0)),
        (7, Value::Gauge32(mtu)),
        (8, truth(false)),
        (9, Value::Gauge32(0)),
        (10, truth(false)),
        (11, Value::Integer(role)),
    ]
}
