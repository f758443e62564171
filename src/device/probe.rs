//! Whether there is a GAM at an address, asked by SNMP: what it takes to find devices that nobody has written down.

use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use super::Pace;
use crate::dialect::snmp::{self, PROFILE, SYS_DESCR, SYS_OBJECT_ID, SnmpIdentity};
use crate::domain::{Secret, SnmpValue};
use crate::transport::snmp::{Agent, Answer, SnmpError, Version, get};

/// How often each question is asked of a silent address.
const ATTEMPTS: usize = 2;

/// A community, and the name of the credentials that it belongs to.
#[derive(Debug, Clone)]
pub struct Community {
    /// Name of the credentials.
    pub credentials: String,
    /// The community.
    pub secret: Secret,
}

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probed {
    /// A GAM.
    Gam(Box<Answered>),
    /// Something that speaks SNMP and is none.
    Other,
    /// Nothing that answered: no device, no agent, another community, a firewall. Cannot be told apart.
    Silent,
    /// It could not be asked: this machine has no way there.
    NoWay(String),
}

/// A GAM that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What it says it is.
    pub identity: SnmpIdentity,
    /// The version that it answered in.
    pub version: Version,
    /// Name of the credentials whose community it took.
    pub credentials: String,
}

/// Asks an address for its identity: in version 2c with each community, once more where nothing answers, then the same
/// in version 1. Each question waits its turn.
pub async fn probe(at: IpAddr, port: u16, communities: &[Community], patience: Duration, pace: &Pace) -> Probed {
    for version in [Version::V2c, Version::V1] {
        for _ in 0..ATTEMPTS {
            for community in communities {
                let agent = Agent {
                    host: at.to_string(),
                    port,
                    version,
                    community: community.secret.clone(),
                    timeout: patience,
                    attempts: NonZeroU8::MIN,
                };
                match ask(&agent, pace).await {
                    Ok(Answer::Silent) => {}
                    Ok(Answer::Values(values)) => {
                        let identity = snmp::identity(&values);
                        if !identity.is_gam() {
                            return Probed::Other;
                        }
                        return Probed::Gam(Box::new(Answered {
                            identity,
                            version,
                            credentials: community.credentials.clone(),
                        }));
                    }
                    Err(SnmpError::Reach { source, .. }) => return Probed::NoWay(source.to_string()),
                    // Whatever answers like that is not the agent of a GAM.
                    Err(_) => return Probed::Other,
                }
            }
        }
    }
    Probed::Silent
}

/// One question, in version 1 as many as there are objects behind the first two: there an agent refuses a whole
/// question for one object that it does not have.
async fn ask(agent: &Agent, pace: &Pace) -> Result<Answer, SnmpError> {
    pace.turn().await;
    if agent.version == Version::V2c {
        return get(agent, PROFILE).await;
    }
    let Answer::Values(mut values) = get(agent, &[SYS_DESCR, SYS_OBJECT_ID]).await? else {
        return Ok(Answer::Silent);
    };
    if !snmp::identity(&values).is_gam() {
        return Ok(Answer::Values(values));
    }
    for oid in PROFILE.iter().filter(|oid| ![SYS_DESCR, SYS_OBJECT_ID].contains(oid)) {
        pace.turn().await;
        match get(agent, &[oid]).await {
            Ok(Answer::Values(more)) => values.extend(more),
            Ok(Answer::Silent) | Err(SnmpError::Refused { .. }) => values.push((oid.to_vec(), SnmpValue::Absent)),
            Err(error) => return Err(error),
        }
    }
    Ok(Answer::Values(values))
}
