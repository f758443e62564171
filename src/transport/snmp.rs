//! SNMP questions in version 2c or 1, with a timeout and bounded retries.
//!
//! Silence is an outcome, not an error: a wrong community, a firewall and an agent that is switched off all
//! look alike, and gamops works from the command line alone.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU8;
use std::time::Duration;

use snmp2::{AsyncSession, Oid};
use tokio::time::timeout;

use super::{Retry, host_and_port};
use crate::domain::{Secret, SnmpValue};

/// The version of SNMP that a question is put in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Version 1: one object that is not there voids the whole question.
    V1,
    /// Version 2c.
    #[default]
    V2c,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::V1 => "1",
            Self::V2c => "2c",
        })
    }
}

/// Whom to ask, and how patiently.
#[derive(Debug, Clone)]
pub struct Agent {
    /// IP address or DNS name.
    pub host: String,
    /// UDP port.
    pub port: u16,
    /// Which version to ask in.
    pub version: Version,
    /// Read community.
    pub community: Secret,
    /// How long to wait for each answer.
    pub timeout: Duration,
    /// How often to ask in all.
    pub attempts: NonZeroU8,
}

/// As many objects are walked at most: more than any table of a device has rows.
pub const MOST: usize = 4096;

/// As many are asked for in one message of a walk: a few hundred octets, which fit every network.
const AT_ONCE: u32 = 20;

/// Objects by their full names, each with what it holds, in the order of an answer.
pub type Bindings = Vec<(Vec<u64>, SnmpValue)>;

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The agent answered.
    Values(Bindings),
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
    let names = oids.iter().map(|oid| named(oid)).collect::<Result<Vec<_>, _>>()?;
    patiently(agent, Question::Get(&names.iter().collect::<Vec<_>>())).await
}

/// Asks for everything below a name, such as a column of a table, in its order; of what never ends the first [`MOST`] objects.
///
/// # Errors
///
/// See [`SnmpError`]; silence is not among them, and an agent that falls silent on the way is silent.
pub async fn walk(agent: &Agent, below: &[u64]) -> Result<Answer, SnmpError> {
    let mut found = Bindings::new();
    let mut last = below.to_vec();
    loop {
        let name = named(&last)?;
        let next = match patiently(agent, Question::Next(&name)).await {
            Ok(Answer::Values(next)) => next,
            Ok(Answer::Silent) => return Ok(Answer::Silent),
            // In version 1 an agent says so that nothing comes behind.
            Err(SnmpError::Refused { status: 2, .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let before = found.len();
        for (name, value) in next {
            // One that goes back, or stays where it is, would be asked for ever.
            let is_next = name > last && name.starts_with(below) && value != SnmpValue::Absent;
            if !is_next || found.len() >= MOST {
                return Ok(Answer::Values(found));
            }
            last.clone_from(&name);
            found.push((name, value));
        }
        if found.len() == before {
            return Ok(Answer::Values(found));
        }
    }
}

fn named(oid: &[u64]) -> Result<Oid<'_>, SnmpError> {
    Oid::from(oid).map_err(|_| SnmpError::BadOid { oid: dotted(oid) })
}

/// What is asked in one message.
#[derive(Clone, Copy)]
enum Question<'q> {
    /// For these.
    Get(&'q [&'q Oid<'q>]),
    /// For what comes behind: several at once in version 2c, one in version 1.
    Next(&'q Oid<'q>),
}

/// Asks until somebody answers, as often as the agent is to be asked.
async fn patiently(agent: &Agent, question: Question<'_>) -> Result<Answer, SnmpError> {
    let address = host_and_port(&agent.host, agent.port);
    for attempt in 1..=agent.attempts.get() {
        // Each question goes out from a socket of its own, so that a late answer to an earlier one finds
        // nobody. On one socket every further question would read the answer to the question before it.
        match timeout(agent.timeout, ask(agent, &address, question)).await {
            Ok(Ok(Some(values))) => return Ok(Answer::Values(values)),
            // The host said that nobody listens there, or there is no way: as good as no answer. Wait all the
            // same, or all attempts would be over within a millisecond of a restart.
            Ok(Ok(None)) if attempt < agent.attempts.get() => tokio::time::sleep(agent.timeout).await,
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => return Err(error),
        }
    }
    Ok(Answer::Silent)
}

/// Asks once. `None` when there is nobody to ask, or what came was the answer to something else.
async fn ask(agent: &Agent, address: &str, question: Question<'_>) -> Result<Option<Bindings>, SnmpError> {
    // The numbers of questions start anywhere, so that an answer meant for another is not taken for ours.
    let [a, b, c, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
    let number = i32::from_le_bytes([a, b, c, 0]);
    let target = (agent.host.as_str(), agent.port);
    let community = agent.community.expose().as_bytes();
    let opened = match agent.version {
        Version::V1 => AsyncSession::new_v1(target, community, number).await,
        Version::V2c => AsyncSession::new_v2c(target, community, number).await,
    };
    let mut session = opened.map_err(|source| SnmpError::Reach {
        address: address.to_owned(),
        source,
    })?;
    let answered = match (question, agent.version) {
        (Question::Get(names), _) => session.get_many(names).await,
        (Question::Next(name), Version::V1) => session.getnext(name).await,
        (Question::Next(name), Version::V2c) => session.getbulk(&[name], 0, AT_ONCE).await,
    };
    match answered {
        Ok(answer) if answer.error_status != 0 => Err(SnmpError::Refused {
            address: address.to_owned(),
            status: answer.error_status,
            index: answer.error_index,
        }),
        Ok(answer) => {
            let values = answer.varbinds.map(|(oid, value)| (numbers(&oid), convert(&value)));
            Ok(Some(values.collect()))
        }
        Err(snmp2::Error::Send | snmp2::Error::Receive | snmp2::Error::RequestIdMismatch) => Ok(None),
        Err(error) => Err(SnmpError::Garbled {
            address: address.to_owned(),
            source: error.into(),
        }),
    }
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
