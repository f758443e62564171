//! Everything that planning needs to know of one device, over one login.

use std::sync::Arc;
use std::time::Duration;

use crate::dialect::command::{
    DISCOVER, READ_DEFAULT, READ_RUNNING, READ_RUNNING_ALL_DEFAULTS, READ_STARTUP, SHOW_VERSION,
};
use crate::dialect::session::Reply;
use crate::dialect::snmp::{IDENTITY, SnmpIdentity};
use crate::dialect::version::VersionInfo;
use crate::dialect::{action, discover, running, snmp, version};
use crate::domain::{EndpointId, MacAddr, SubscriberModel};
use crate::observed::{Capabilities, Identity, ProfileRef, RunningConfig, SeenEndpoint};
use crate::transport::snmp::{Agent, Answer, get, walk};
use crate::transport::ssh::HostKey;

use super::{DeviceError, Session};

/// A device as it was found.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Which device it is.
    pub identity: Identity,
    /// What it does now.
    pub running: Arc<RunningConfig>,
    /// What it will do after a restart: where that is the same, held once. `None`: could not be read, or there is none, as
    /// on a factory device.
    pub startup: Option<Arc<RunningConfig>>,
    /// What its firmware is known to understand, this reading included.
    pub capabilities: Capabilities,
    /// The key that it proved itself with.
    pub host_key: HostKey,
}

impl Observation {
    /// Takes the operator's word for the subscriber model where the device shows none.
    pub fn assume_model(&mut self, model: SubscriberModel) {
        fn assume(config: &mut Arc<RunningConfig>, model: SubscriberModel) {
            let mut managed = Arc::clone(&config.managed);
            managed.assume_model(model);
            if !Arc::ptr_eq(&managed, &config.managed) {
                Arc::make_mut(config).managed = managed;
            }
        }
        let saved = |one: &Self| (one.startup.as_ref()).is_some_and(|startup| Arc::ptr_eq(startup, &one.running));
        let is_saved = saved(self);
        assume(&mut self.running, model);
        match &mut self.startup {
            Some(startup) if is_saved => *startup = Arc::clone(&self.running),
            Some(startup) => assume(startup, model),
            None => {}
        }
    }
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
    let shown = by_cli?;
    Ok(Observation {
        identity: identify(session.address(), &shown.version, by_snmp)?,
        running: shown.running,
        startup: shown.startup,
        capabilities: shown.capabilities,
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
    let (mut running, _) = read(session, READ_RUNNING).await?;
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

/// Asks over SNMP which endpoints are seen and in no configuration, and where. `None` where nobody answers, where the device is not the
/// one with this base MAC, or where it has no such table: only its command line knows then.
pub async fn unconfigured_by_snmp(agent: &Agent, mac: MacAddr) -> Option<Vec<SeenEndpoint>> {
    let Answer::Values(who) = get(agent, IDENTITY).await.ok()? else {
        return None;
    };
    // Whoever took its address may have endpoints of its own.
    if snmp::identity(&who).mac != Some(mac) {
        return None;
    }
    let Answer::Values(states) = walk(agent, snmp::STATE).await.ok()? else {
        return None;
    };
    let Answer::Values(ports) = walk(agent, snmp::DETECTED_PORT).await.ok()? else {
        return None;
    };
    snmp::unconfigured(&states, &ports)
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
    let shown = show_startup(session).await?;
    Ok(shown.and_then(|shown| parse_startup(session, &shown, capabilities)))
}

/// The text of what the device would load at boot, and the command that showed it.
async fn show_startup(session: &mut Session) -> Result<Option<(&'static str, String)>, DeviceError> {
    for command in [READ_STARTUP, READ_DEFAULT] {
        match session.run(command).await? {
            Reply::Done(text) => return Ok(Some((command, text))),
            // There may well be one; only it cannot be read now.
            Reply::Refused(refusal) if refusal.is_transient() => return Ok(None),
            Reply::Notice(_) | Reply::Refused(_) => {}
        }
    }
    Ok(None)
}

fn parse_startup(
    session: &Session,
    (command, text): &(&'static str, String),
    capabilities: &Capabilities,
) -> Option<RunningConfig> {
    match running::parse(text) {
        Ok(mut startup) => {
            fill_in(&mut startup, capabilities.default_subscriber_profile);
            Some(startup)
        }
        Err(incomplete) => {
            tracing::warn!(device = session.address(), command, %incomplete, "what would be loaded at boot cannot be read");
            None
        }
    }
}

/// What the command line shows of a device.
struct Shown {
    version: VersionInfo,
    running: Arc<RunningConfig>,
    startup: Option<Arc<RunningConfig>>,
    capabilities: Capabilities,
}

async fn read_all(session: &mut Session) -> Result<Shown, DeviceError> {
    let text = session.ask(SHOW_VERSION).await?;
    let version = version::parse(&text).map_err(|source| DeviceError::Unidentified {
        device: session.address().to_owned(),
        source,
    })?;
    let mut capabilities = Capabilities::of_firmware(&version.firmware);
    let (mut running, text) = read(session, READ_RUNNING).await?;
    if leaves_profiles_open(&running) {
        capabilities.default_subscriber_profile = learn_default_profile(session, &running).await?;
        fill_in(&mut running, capabilities.default_subscriber_profile);
    }
    let capabilities = capabilities.having_seen(&running);
    let running = Arc::new(running);
    let startup = match show_startup(session).await? {
        // As on most devices at most times: nothing to read twice, and nothing to hold twice.
        Some((_, startup)) if running::says_the_same(&startup, &text) => Some(Arc::clone(&running)),
        Some(shown) => parse_startup(session, &shown, &capabilities).map(Arc::new),
        None => None,
    };
    Ok(Shown {
        version,
        running,
        startup,
        capabilities,
    })
}

/// Asks for a configuration; also returns the text that it was read from.
async fn read(session: &mut Session, command: &'static str) -> Result<(RunningConfig, String), DeviceError> {
    read_with(session, command, |text| Ok((running::parse(text)?, text.to_owned()))).await
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
    match read(session, READ_RUNNING_ALL_DEFAULTS).await {
        Ok((all, _)) => Ok(running::default_subscriber_profile(plain, &all)),
        Err(DeviceError::Refused { .. } | DeviceError::LowPrivilege { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn fill_in(running: &mut RunningConfig, default: Option<ProfileRef>) {
    if default.is_none() || !leaves_profiles_open(running) {
        return;
    }
    for subscriber in Arc::make_mut(&mut running.managed).subscribers.values_mut() {
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
