//! One reading of a device: who it is, what it runs, what it would load at boot.

use crate::dialect::command::{READ_DEFAULT, READ_RUNNING, READ_RUNNING_ALL_DEFAULTS, READ_STARTUP, SHOW_VERSION};
use crate::dialect::running::{self, Incomplete};
use crate::dialect::session::Reply;
use crate::dialect::snmp::{self, SnmpIdentity};
use crate::dialect::version::{self, DialectError};
use crate::observed::{Capabilities, Identity, RunningConfig};
use crate::transport::snmp::{Agent, Answer, get};
use crate::transport::ssh::HostKey;

use super::{Session, SessionError};

/// What one reading of a device came to.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Which device it is.
    pub identity: Identity,
    /// What it runs.
    pub running: RunningConfig,
    /// What it would load at boot. `None` where it does not show that.
    pub startup: Option<RunningConfig>,
    /// What its firmware can do, as far as that is known.
    pub capabilities: Capabilities,
    /// The host key that it showed.
    pub host_key: HostKey,
}

/// A device could not be read, or not be believed.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// The session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The device does not say who it is in words that we know. Device or dialect fault.
    #[error("identifying the device")]
    Version(#[source] DialectError),
    /// A configuration came that is not whole. Nothing is planned from half a reading.
    #[error("reading the answer to `{command}`")]
    Incomplete {
        /// The command.
        command: &'static str,
        /// What is missing.
        #[source]
        source: Incomplete,
    },
    /// Two devices answer, one on the command line and one over SNMP. Operator fault: addresses or ports.
    #[error("the command line says {what} {cli}, SNMP says {snmp}: two devices answer at this address")]
    Disagree {
        /// `base MAC` or `model`.
        what: &'static str,
        /// What the command line says.
        cli: String,
        /// What SNMP says.
        snmp: String,
    },
}

impl From<DialectError> for GatherError {
    fn from(source: DialectError) -> Self {
        Self::Version(source)
    }
}

/// Reads a device over one session, and asks its SNMP agent who it is meanwhile. SNMP is a bonus: silence is
/// no error, and neither is an answer that cannot be read; a contradiction is.
///
/// # Errors
///
/// See [`GatherError`]. Nothing of a failed reading is kept.
pub async fn gather(session: &mut Session, agent: Option<&Agent>) -> Result<Observation, GatherError> {
    let by_snmp = async {
        match agent {
            Some(agent) => match get(agent, snmp::IDENTITY).await {
                Ok(Answer::Values(bindings)) => snmp::identity(&bindings),
                Ok(Answer::Silent) => SnmpIdentity::default(),
                Err(error) => {
                    tracing::info!(error = &error as &dyn std::error::Error, "the SNMP agent was of no use");
                    SnmpIdentity::default()
                }
            },
            None => SnmpIdentity::default(),
        }
    };
    let by_cli = async {
        let version = version::parse(&session.ask(SHOW_VERSION).await?)?;
        let capabilities = Capabilities::of_firmware(&version.firmware);
        let (running, capabilities) = first_reading(session, capabilities).await?;
        let startup = read_startup(session, &capabilities).await?;
        Ok::<_, GatherError>((version, running, startup, capabilities))
    };
    let (by_cli, by_snmp) = tokio::join!(by_cli, by_snmp);
    let (version, running, startup, capabilities) = by_cli?;
    agree("base MAC", Some(version.mac), by_snmp.mac)?;
    let model = agree("model", version.model, by_snmp.model)?;
    let identity = Identity {
        mac: version.mac,
        model,
        firmware: version.firmware,
        serial: by_snmp.serial,
    };
    let host_key = session.host_key().clone();
    Ok(Observation {
        identity,
        running,
        startup,
        capabilities,
        host_key,
    })
}

/// The running configuration, and what it proves. Where a subscriber's line leaves out `bw-profile`, its
/// meaning is asked for once more with all defaults printed.
async fn first_reading(
    session: &mut Session,
    capabilities: Capabilities,
) -> Result<(RunningConfig, Capabilities), GatherError> {
    let mut running = read(session, READ_RUNNING).await?;
    let mut capabilities = capabilities.having_seen(&running);
    if running
        .managed
        .subscribers
        .values()
        .any(|subscriber| subscriber.profile.is_none())
    {
        match read(session, READ_RUNNING_ALL_DEFAULTS).await {
            Ok(all) => capabilities.default_subscriber_profile = running::default_subscriber_profile(&running, &all),
            // Old firmware may not know the word: then the default stays unknown, which is safe.
            Err(GatherError::Session(SessionError::Refused { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    fill_in(&mut running, &capabilities);
    Ok((running, capabilities))
}

/// Reads the running configuration once more, in the light of what is known of the device.
///
/// # Errors
///
/// See [`GatherError`].
pub async fn read_running(session: &mut Session, capabilities: &Capabilities) -> Result<RunningConfig, GatherError> {
    let mut running = read(session, READ_RUNNING).await?;
    fill_in(&mut running, capabilities);
    Ok(running)
}

/// Reads what the device would load at boot: its startup configuration, else its default configuration. `None`
/// where it shows neither.
///
/// # Errors
///
/// [`GatherError::Session`] where the session failed.
pub async fn read_startup(
    session: &mut Session,
    capabilities: &Capabilities,
) -> Result<Option<RunningConfig>, GatherError> {
    for command in [READ_STARTUP, READ_DEFAULT] {
        let text = match session.run(command).await? {
            Reply::Done(text) => text,
            // There may well be one; only it cannot be read now.
            Reply::Refused(refusal) if refusal.is_transient() => return Ok(None),
            Reply::Notice(_) | Reply::Refused(_) => continue,
        };
        // A file is no screen: that it is whole is seen by its own `end`, or it is not relied on.
        return match running::parse(&text) {
            Ok(mut startup) => {
                fill_in(&mut startup, capabilities);
                Ok(Some(startup))
            }
            Err(incomplete) => {
                tracing::warn!(device = session.address(), %incomplete, command, "no whole configuration came");
                Ok(None)
            }
        };
    }
    Ok(None)
}

async fn read(session: &mut Session, command: &'static str) -> Result<RunningConfig, GatherError> {
    let text = match session.ask(command).await {
        // A user of low privilege is told that the words are wrong; the prompt tells the truth.
        Err(SessionError::Refused { .. }) if !session.prompt().privileged => {
            return Err(SessionError::LowPrivilege {
                device: session.address().to_owned(),
            }
            .into());
        }
        answer => answer?,
    };
    running::parse(&text).map_err(|source| GatherError::Incomplete { command, source })
}

fn fill_in(config: &mut RunningConfig, capabilities: &Capabilities) {
    for subscriber in config.managed.subscribers.values_mut() {
        subscriber.profile = subscriber.profile.or(capabilities.default_subscriber_profile);
    }
}

/// What both say, or the one that speaks.
fn agree<T: PartialEq + std::fmt::Display>(
    what: &'static str,
    cli: Option<T>,
    snmp: Option<T>,
) -> Result<Option<T>, GatherError> {
    match (cli, snmp) {
        (Some(cli), Some(snmp)) if cli != snmp => Err(GatherError::Disagree {
            what,
            cli: cli.to_string(),
            snmp: snmp.to_string(),
        }),
        (cli, snmp) => Ok(cli.or(snmp)),
    }
}
