//! SNMP v2c questions, with a timeout and bounded retries.
//!
//! Silence is an outcome, not an error: a wrong community, a firewall and an agent that is switched off all
//! look alike, and gamops works from the command line alone.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU8;
use std::time::Duration;

use snmp2::{AsyncSession, Oid};
use tokio::time::timeout;

use super::Retry;
use crate::domain::{Secret, SnmpValue};

/// Whom to ask, and how patiently.
#[derive(Debug, Clone)]
pub struct Agent {
    /// IP address or DNS name.
    pub host: String,
    /// UDP port.
    pub port: u16,
    /// Read community.
    pub community: Secret,
    /// How long to wait for each answer.
    pub timeout: Duration,
    /// How often to ask in all.
    pub attempts: NonZeroU8,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The agent answered: each object with what it holds, in the order of the answer.
    Values(Vec<(Vec<u64>, SnmpValue)>),
    /// Nobody answered: wrong community, no agent, no way there. Cannot be told apart.
    Silent,
}

/// Something answered, but not as an agent should; or the question could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnmpError {
    /// The name has no address, or no socket could be had. Operator or network fault.
    #[error("reaching the SNMP agent at {address}")]
    Reach {
        /// `host:port`.
        address: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The object's name is none. Our bug.
    #[error("{oid} is not an object identifier")]
    BadOid {
        /// As given.
        oid: String,
    },
    /// The answer could not be read. Device or network fault.
    #[error("reading the answer of the SNMP agent at {address}")]
    Garbled {
        /// `host:port`.
        address: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync + 'static>,
    },
    /// The agent answered with an error. Device fault, or ours for asking so.
    #[error("the SNMP agent at {address} answered with error status {status} for object {index}")]
    Refused {
        /// `host:port`.
        address: String,
        /// SNMP error status: 2 no such name, 5 general error.
        status: u32,
        /// Which of the objects asked for, from 1; 0 for none in particular.
        index: u32,
    },
}

impl SnmpError {
    /// Whether trying again may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Reach { .. } | Self::Garbled { .. } => Retry::Soon,
            Self::BadOid { .. } | Self::Refused { .. } => Retry::Never,
        }
    }
}

/// Asks for objects by their full names, all in one request.
///
/// # Errors
///
/// See [`SnmpError`]; silence is not among them.
pub async fn get(agent: &Agent, oids: &[&[u64]]) -> Result<Answer, SnmpError> {
    let address = format!("{}:{}", agent.host, agent.port);
    let names = oids
        .iter()
        .map(|oid| Oid::from(oid).map_err(|_| SnmpError::BadOid { oid: dotted(oid) }))
        .collect::<Result<Vec<Oid<'_>>, _>>()?;
    let names: Vec<&Oid<'_>> = names.iter().collect();
    let community = agent.community.expose().as_bytes();
    // A new session's numbers start anywhere, so that an answer meant for another is not taken for ours.
    let first_request = RandomState::new().build_hasher().finish().to_le_bytes();
    let first_request = i32::from_le_bytes([first_request[0], first_request[1], first_request[2], 0]);
    let target = (agent.host.as_str(), agent.port);
    let mut session = AsyncSession::new_v2c(target, community, first_request)
        .await
        .map_err(|source| SnmpError::Reach {
            address: address.clone(),
            source,
        })?;

    let mut asked = 0;
    // A late answer to an earlier question makes the library give up on the present one. Each such answer
    // is worth one question more; there cannot be more of them than questions.
    let mut late = 0;
    while asked < agent.attempts.get() + late {
        asked += 1;
        match timeout(agent.timeout, session.get_many(&names)).await {
            Err(_) => {}
            Ok(Ok(answer)) if answer.error_status != 0 => {
                return Err(SnmpError::Refused {
                    address,
                    status: answer.error_status,
                    index: answer.error_index,
                });
            }
            Ok(Ok(answer)) => {
                let values = answer.varbinds.map(|(oid, value)| (numbers(&oid), convert(&value)));
                return Ok(Answer::Values(values.collect()));
            }
            Ok(Err(snmp2::Error::RequestIdMismatch)) if late < agent.attempts.get() => late += 1,
            // The host said that nobody listens there, or there is no way: as good as no answer. Ask again
            // only after the usual time, or all attempts would be over within a millisecond of a reboot.
            Ok(Err(snmp2::Error::Send | snmp2::Error::Receive)) if asked < agent.attempts.get() + late => {
                tokio::time::sleep(agent.timeout).await;
            }
            Ok(Err(snmp2::Error::Send | snmp2::Error::Receive | snmp2::Error::RequestIdMismatch)) => {}
            Ok(Err(error)) => {
                return Err(SnmpError::Garbled {
                    address,
                    source: error.into(),
                });
            }
        }
    }
    Ok(Answer::Silent)
}

fn dotted(oid: &[u64]) -> String {
    let parts: Vec<String> = oid.iter().map(ToString::to_string).collect();
    parts.join(".")
}

/// An identifier's numbers. One that has a number beyond 64 bits is no name that we know: it comes out empty.
fn numbers(oid: &Oid<'_>) -> Vec<u64> {
    oid.iter().map(Iterator::collect).unwrap_or_default()
}

fn convert(value: &snmp2::Value<'_>) -> SnmpValue {
    match value {
        snmp2::Value::Integer(number) => SnmpValue::Integer(*number),
        snmp2::Value::Boolean(truth) => SnmpValue::Integer(i64::from(*truth)),
        snmp2::Value::OctetString(octets) | snmp2::Value::Opaque(octets) => SnmpValue::Bytes(octets.to_vec()),
        snmp2::Value::IpAddress(octets) => SnmpValue::Bytes(octets.to_vec()),
        snmp2::Value::ObjectIdentifier(oid) => SnmpValue::Oid(numbers(oid)),
        snmp2::Value::Counter32(number) | snmp2::Value::Unsigned32(number) => SnmpValue::Unsigned(u64::from(*number)),
        snmp2::Value::Counter64(number) => SnmpValue::Unsigned(*number),
        snmp2::Value::Timeticks(ticks) => SnmpValue::Ticks(*ticks),
        // The rest says "no such thing" in one way or another, or does not belong into an answer.
        _ => SnmpValue::Absent,
    }
}
