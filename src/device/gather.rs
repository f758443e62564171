//! Everything that planning needs to know of one device, over one login.

use std::time::Duration;

use crate::dialect::command::{
    DISCOVER, READ_DEFAULT, READ_RUNNING, READ_RUNNING_ALL_DEFAULTS, READ_STARTUP, SHOW_VERSION,
};
use crate::dialect::session::Reply;
use crate::dialect::snmp::{IDENTITY, SnmpIdentity};
use crate::dialect::version::VersionInfo;
use crate::dialect::{action, discover, running, snmp, version};
use crate::domain::EndpointId;
use crate::observed::{Capabilities, Identity, ProfileRef, RunningConfig, SeenEndpoint};
use crate::transport::snmp::{Agent, Answer, get};
use crate::transport::ssh::HostKey;

use super::{DeviceError, Session};

/// A device as it was found.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Which device it is.
    pub identity: Identity,
    /// What it does now.
    pub running: RunningConfig,
    /// What it will do after a restart. `None`: could not be read, or there is none, as on a factory device.
    pub startup: Option<RunningConfig>,
    /// What its firmware is known to understand, this reading included.
    pub capabilities: Capabilities,
    /// The key that it proved itself with.
    pub host_key: HostKey,
}

/// Reads a device: who it is, what it holds, what it would hold after a restart. SNMP is asked meanwhile;
/// its silence is no error, its contradiction is.
///
/// # Errors
///
/// [`DeviceError::Contradiction`] when SNMP answers for another device than the command line;
/// [`DeviceError::Unidentified`] and [`DeviceError::Incomplete`] when the device's text cannot be relied on;
/// [`DeviceError::LowPrivilege`] when this user may not see the configuration; and those of [`Session::ask`].
pub async fn gather(session: &mut Session, agent: Option<&Agent>) -> Result<Observation, DeviceError> {
    let (by_snmp, by_cli) = tokio::join!(ask_agent(agent), read_all(session));
    let (version, running, startup, capabilities) = by_cli?;
    let identity = identify(session.address(), &version, by_snmp)?;
    Ok(Observation {
        identity,
        running,
        startup,
        capabilities,
        host_key: session.host_key().clone(),
    })
}

/// Reads the running configuration. A subscriber line without `bw-profile` means what `capabilities` say it
/// means on this firmware.
///
/// # Errors
///
/// [`DeviceError::Incomplete`] when the text is not whole: nothing may be planned from half of it. Otherwise
/// those of [`Session::ask`].
pub async fn read_running(session: &mut Session, capabilities: &Capabilities) -> Result<RunningConfig, DeviceError> {
    let mut running = parse(session, READ_RUNNING).await?;
    fill_in(&mut running, capabilities.default_subscriber_profile);
    Ok(running)
}

/// Reads the running configuration as text for people: secrets masked, the terminal's traces taken off.
///
/// # Errors
///
/// As [`read_running`].
pub async fn read_running_text(session: &mut Session) -> Result<String, DeviceError> {
    read_with(session, READ_RUNNING, running::readable).await
}

/// Reads which endpoints are seen, and on which ports.
///
/// # Errors
///
/// Those of [`Session::ask`].
pub async fn discover(session: &mut Session) -> Result<Vec<SeenEndpoint>, DeviceError> {
    Ok(discover::parse(&session.ask(DISCOVER).await?))
}

/// Asks how long an endpoint has been up. `None` where the device does not see it, or does not say.
///
/// # Errors
///
/// Those of [`Session::run`].
pub async fn endpoint_uptime(session: &mut Session, endpoint: EndpointId) -> Result<Option<Duration>, DeviceError> {
    Ok(match session.run(&action::status_of(endpoint)).await? {
        Reply::Done(text) => action::uptime(&text),
        Reply::Notice(_) | Reply::Refused(_) => None,
    })
}

/// Reads what the device would load at boot: its startup configuration, else its default configuration. `None`
/// when it refuses to show either, or shows something that is no whole configuration: it is then unknown, which
/// is not the same as different.
///
/// # Errors
///
/// Those of [`Session::run`].
pub async fn read_startup(
    session: &mut Session,
    capabilities: &Capabilities,
) -> Result<Option<RunningConfig>, DeviceError> {
    for command in [READ_STARTUP, READ_DEFAULT] {
        let text = match session.run(command).await? {
            Reply::Done(text) => text,
            // There may well be one; only it cannot be read now.
            Reply::Refused(refusal) if refusal.is_transient() => return Ok(None),
            Reply::Notice(_) | Reply::Refused(_) => continue,
        };
        return Ok(match running::parse(&text) {
            Ok(mut startup) => {
                fill_in(&mut startup, capabilities.default_subscriber_profile);
                Some(startup)
            }
            Err(incomplete) => {
                tracing::warn!(device = session.address(), command, %incomplete, "what would be loaded at boot cannot be read");
                None
            }
        });
    }
    Ok(None)
}

async fn read_all(
    session: &mut Session,
) -> Result<(VersionInfo, RunningConfig, Option<RunningConfig>, Capabilities), DeviceError> {
    let text = session.ask(SHOW_VERSION).await?;
    let version = version::parse(&text).map_err(|source| DeviceError::Unidentified {
        device: session.address().to_owned(),
        source,
    })?;
    let mut capabilities = Capabilities::of_firmware(&version.firmware);
    let mut running = parse(session, READ_RUNNING).await?;
    if leaves_profiles_open(&running) {
        capabilities.default_subscriber_profile = learn_default_profile(session, &running).await?;
        fill_in(&mut running, capabilities.default_subscriber_profile);
    }
    let capabilities = capabilities.having_seen(&running);
    let startup = read_startup(session, &capabilities).await?;
    Ok((version, running, startup, capabilities))
}

async fn parse(session: &mut Session, command: &'static str) -> Result<RunningConfig, DeviceError> {
    read_with(session, command, running::parse).await
}

/// Asks for a configuration and makes something of it, if it is whole.
async fn read_with<T>(
    session: &mut Session,
    command: &'static str,
    read: impl FnOnce(&str) -> Result<T, running::Incomplete>,
) -> Result<T, DeviceError> {
    let text = match session.ask(command).await {
        Err(DeviceError::Refused { .. }) if !session.prompt().privileged => {
            return Err(DeviceError::LowPrivilege {
                device: session.address().to_owned(),
            });
        }
        answer => answer?,
    };
    read(&text).map_err(|source| DeviceError::Incomplete {
        device: session.address().to_owned(),
        command,
        source,
    })
}

/// Whether some subscriber line says nothing of a profile.
fn leaves_profiles_open(running: &RunningConfig) -> bool {
    running
        .managed
        .subscribers
        .values()
        .any(|subscriber| subscriber.profile.is_none())
}

/// Asks the device once for what it leaves out. A firmware that does not know the words leaves it open.
async fn learn_default_profile(
    session: &mut Session,
    plain: &RunningConfig,
) -> Result<Option<ProfileRef>, DeviceError> {
    match parse(session, READ_RUNNING_ALL_DEFAULTS).await {
        Ok(all) => Ok(running::default_subscriber_profile(plain, &all)),
        Err(DeviceError::Refused { .. } | DeviceError::LowPrivilege { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn fill_in(running: &mut RunningConfig, default: Option<ProfileRef>) {
    for subscriber in running.managed.subscribers.values_mut() {
        subscriber.profile = subscriber.profile.or(default);
    }
}

/// What SNMP says of the device; nothing where it is silent, not asked, or not to be understood. gamops works
/// from the command line alone, so trouble with SNMP must not keep a device from being managed.
async fn ask_agent(agent: Option<&Agent>) -> SnmpIdentity {
    let Some(agent) = agent else {
        return SnmpIdentity::default();
    };
    match get(agent, IDENTITY).await {
        Ok(Answer::Values(values)) => snmp::identity(&values),
        Ok(Answer::Silent) => SnmpIdentity::default(),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(host = agent.host, error, "SNMP is left out of identifying the device");
            SnmpIdentity::default()
        }
    }
}

fn identify(device: &str, version: &VersionInfo, by_snmp: SnmpIdentity) -> Result<Identity, DeviceError> {
    let contradiction = |what, cli: String, snmp: String| DeviceError::Contradiction {
        device: device.to_owned(),
        what,
        cli,
        snmp,
    };
    if let Some(mac) = by_snmp.mac
        && mac != version.mac
    {
        return Err(contradiction("base MAC", version.mac.to_string(), mac.to_string()));
    }
    if let (Some(cli), Some(snmp)) = (version.model, by_snmp.model)
        && cli != snmp
    {
        return Err(contradiction("model", cli.to_string(), snmp.to_string()));
    }
    Ok(Identity {
        mac: version.mac,
        model: version.model.or(by_snmp.model),
        firmware: version.firmware.clone(),
        serial: by_snmp.serial,
    })
}
