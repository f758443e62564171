//! The identifiers that a DHCP or RADIUS server sees.

use serde::{Deserialize, Serialize};

use crate::domain::{PortBinding, SubscriberId};

use super::DeviceConfig;

/// DHCP option 82 (and PPPoE) identifiers of one subscriber. They change what the servers behind the GAM
/// hand out, so a plan shows them whenever it would change them.
///
/// Source: JSON-RPC guide. The remote id is the subscriber's name; the circuit id reads
/// `"<node id>" eth <slot>/<port>.<endpoint>:<vlan>`. That the slot is 1 and that `.endpoint` is the
/// endpoint's configured id is assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Option82 {
    /// The subscriber's name.
    pub remote_id: String,
    /// Node, port, endpoint and VLAN; on a port-aware device with `<endpoint>` for the number that the device
    /// gives the endpoint which appears there. `None` while no endpoint on a port serves the subscriber, or the node
    /// id is unknown because the device has no host name.
    pub circuit_id: Option<String>,
}

impl Option82 {
    /// The identifiers of a subscriber in a configuration. `None` where it holds no such subscriber.
    #[must_use]
    pub fn of(config: &DeviceConfig, id: SubscriberId) -> Option<Self> {
        let subscriber = config.subscribers.get(&id)?;
        let bound = match (subscriber.port, subscriber.endpoint) {
            // Which endpoint serves a port there is up to the device, so its number is not ours to say.
            (Some(port), _) => Some((port, "<endpoint>".to_owned())),
            (None, Some(endpoint)) => match config.endpoints.get(&endpoint).map(|found| found.port) {
                Some(PortBinding::Port(port)) => Some((port, endpoint.to_string())),
                _ => None,
            },
            (None, None) => None,
        };
        let circuit_id = bound
            .filter(|_| !config.hostname.is_empty())
            .map(|(port, endpoint)| format!("\"{}\" eth 1/{port}.{endpoint}:{}", config.hostname, subscriber.vlan));
        Some(Self {
            remote_id: subscriber.name.clone(),
            circuit_id,
        })
    }
}
