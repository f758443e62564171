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
    /// Node, port, endpoint and VLAN. `None` while no endpoint on a port serves the subscriber, or the node
    /// id is unknown because the device has no host name.
    pub circuit_id: Option<String>,
}

impl Option82 {
    /// The identifiers of a subscriber in a configuration. `None` where it holds no such subscriber.
    #[must_use]
    pub fn of(config: &DeviceConfig, id: SubscriberId) -> Option<Self> {
        let subscriber = config.subscribers.get(&id)?;
        let circuit_id = subscriber.endpoint.and_then(|endpoint| {
            let PortBinding::Port(port) = config.endpoints.get(&endpoint)?.port else {
                return None;
            };
            if config.hostname.is_empty() {
                return None;
            }
            Some(format!(
                "\"{}\" eth 1/{port}.{endpoint}:{}",
                config.hostname, subscriber.vlan
            ))
        });
        Some(Self {
            remote_id: subscriber.name.clone(),
            circuit_id,
        })
    }
}
