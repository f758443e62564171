//! What SNMP says, in both versions.

use crate::checkup::{Agent, Spoken};
use crate::dialect::snmp::{self, PROFILE};
use crate::transport::snmp::{self as transport, Answer, Bindings, Version, get};

use super::super::chain;

/// Asks in both versions, side by side.
pub(super) async fn spoken(agent: Option<&transport::Agent>) -> (Agent, Vec<(Version, Bindings)>) {
    let Some(agent) = agent else {
        return (Agent::Off, Vec::new());
    };
    let (v2c, v1) = tokio::join!(
        speak(agent, Version::V2c, PROFILE),
        // In version 1 a question is void where one object is missing: only what every agent has is asked for.
        speak(agent, Version::V1, &PROFILE[..2])
    );
    let values = [(Version::V2c, v2c.1), (Version::V1, v1.1)];
    let values = values.into_iter().filter(|(_, values)| !values.is_empty()).collect();
    (Agent::Asked { v2c: v2c.0, v1: v1.0 }, values)
}

async fn speak(agent: &transport::Agent, version: Version, oids: &[&[u64]]) -> (Spoken, Bindings) {
    let agent = transport::Agent {
        version,
        ..agent.clone()
    };
    match get(&agent, oids).await {
        Ok(Answer::Silent) => (Spoken::Silence, Vec::new()),
        Ok(Answer::Values(values)) => {
            let identity = snmp::identity(&values);
            let spoken = Spoken::Identity {
                mac: identity.mac,
                model: identity.model,
                subscriber_model: identity.subscriber_model,
            };
            (spoken, values)
        }
        Err(error) => (Spoken::Nonsense(chain(&error)), Vec::new()),
    }
}
