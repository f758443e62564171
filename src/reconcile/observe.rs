//! Looking at one device: reach it, be sure which one it is, read it.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use crate::device::{self, DeviceError, Observation, Retry, Session};
use crate::domain::{MacAddr, SubscriberModel};
use crate::inventory::model::{Device, Transport};
use crate::observed::{Answer, AssumedWord, RunningConfig};
use crate::plan::model::Unread;
use crate::store::{Pin, StoreError};
use crate::transport::credentials::Credentials;
use crate::transport::snmp::{Agent, Version};
use crate::transport::ssh::{Connect, HostKey, HostKeyCheck, HostKeyPolicy, Login};

use super::{Context, chain};

/// How long a device may take to let us in.
const LOGIN_WITHIN: Duration = Duration::from_secs(20);

/// How long one SNMP question waits for its answer. SNMP is a bonus: silence costs twice this, once.
const SNMP_TIMEOUT: Duration = Duration::from_secs(1);

/// How often an SNMP question is asked.
const SNMP_ATTEMPTS: NonZeroU8 = NonZeroU8::new(2).expect("two is not zero");

/// A device that was reached, identified and read, its session still open.
#[derive(Debug)]
pub struct Contact {
    pub(super) session: Session,
    model: SubscriberModel,
    learned: Vec<(AssumedWord, Answer)>,
    /// What was read.
    pub observation: Observation,
}

/// What a device is, beside what it was pinned as.
#[derive(Debug, Clone)]
pub struct Identified {
    /// What it is now.
    pub now: Pin,
    /// What it was pinned as, if it ever was.
    pub pinned: Option<Pin>,
}

impl Contact {
    /// The device's base MAC.
    #[must_use]
    pub fn mac(&self) -> MacAddr {
        self.observation.identity.mac
    }

    pub(super) async fn read_running(&mut self) -> Result<RunningConfig, DeviceError> {
        let mut running = device::read_running(&mut self.session, &self.observation.capabilities).await?;
        running.managed.assume_model(self.model);
        let is_open = running.managed.subscribers.values().any(|one| one.profile.is_none());
        if !is_open {
            return Ok(running);
        }
        // What the device means by saying nothing could not be learned before it held a subscriber of which it
        // says nothing: ask now.
        let mut again = device::gather(&mut self.session, None).await?;
        again.assume_model(self.model);
        self.observation.capabilities = again.capabilities.having_learned(&self.learned);
        Ok(Arc::unwrap_or_clone(again.running))
    }

    pub(super) async fn read_startup(&mut self) -> Result<Option<RunningConfig>, DeviceError> {
        let mut startup = device::read_startup(&mut self.session, &self.observation.capabilities).await?;
        if let Some(startup) = &mut startup {
            startup.managed.assume_model(self.model);
        }
        Ok(startup)
    }

    /// What it holds now as a person would read it, secrets masked.
    pub(super) async fn running_text(&mut self) -> Result<String, DeviceError> {
        device::read_running_text(&mut self.session).await
    }

    /// Ends the session politely.
    pub async fn close(self) {
        self.session.close().await;
    }
}

/// Reaches, identifies and reads a device; pins it where it is met for the first time.
///
/// # Errors
///
/// [`Unread`], in one line with its causes: no route, a rejected login, a changed host key, another device
/// behind the address, a reading that broke off.
pub async fn observe(context: &Context, device: &Device) -> Result<Contact, Unread> {
    look(context, device).await.map_err(|unseen| Unread {
        lasting: unseen.retry != Retry::Soon,
        ..unseen.unread
    })
}

/// How to come to a device, in the inventory or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'a> {
    /// What help texts call it.
    pub(super) key: &'a str,
    pub(super) address: &'a str,
    pub(super) transport: &'a Transport,
    /// Name of the credentials.
    pub(super) credentials: &'a str,
    /// The host key that the inventory names.
    pub(super) host_key: Option<&'a str>,
    /// What its subscribers are tied to where it does not show that.
    pub(super) model: SubscriberModel,
}

impl Way<'_> {
    /// The way by SSH.
    pub(super) fn connect(&self, credentials: &Credentials, host_key: HostKeyCheck) -> Connect {
        Connect {
            host: self.address.to_owned(),
            port: self.transport.ssh_port,
            user: credentials.username.clone(),
            login: Login::Password(credentials.password.clone()),
            legacy_algorithms: self.transport.legacy_algorithms,
            host_key,
            within: LOGIN_WITHIN,
        }
    }

    /// The way by SNMP, unless the inventory says that there is none.
    pub(super) fn agent(&self, credentials: &Credentials) -> Option<Agent> {
        self.transport.snmp.then(|| Agent {
            host: self.address.to_owned(),
            port: self.transport.snmp_port,
            version: Version::default(),
            community: credentials.community.clone(),
            timeout: SNMP_TIMEOUT,
            attempts: SNMP_ATTEMPTS,
        })
    }
}

impl<'a> From<&'a Device> for Way<'a> {
    fn from(device: &'a Device) -> Self {
        Self {
            key: &device.key,
            address: &device.address,
            transport: &device.transport,
            credentials: &device.credentials,
            host_key: device.host_key.as_deref(),
            model: device.subscriber_model,
        }
    }
}

/// A device that could not be reached or read, and whether trying again may help.
pub(super) struct Unseen {
    pub(super) unread: Unread,
    pub(super) retry: Retry,
}

impl From<Unread> for Unseen {
    /// It is not the device, or not the one that is meant: a matter for people.
    fn from(unread: Unread) -> Self {
        Self {
            unread,
            retry: Retry::AfterChange,
        }
    }
}

/// As [`observe`], saying also whether the same may succeed a little later.
pub(super) async fn look(context: &Context, device: &Device) -> Result<Contact, Unseen> {
    let pin = pin_of(context, device).await?;
    let host_key = pin.as_ref().and_then(|pin| pin.host_key.clone());
    let contact = reach(context, device.into(), host_key, context.host_key_policy).await?;
    let now = pin_now(&contact.observation);
    if let Some(pinned) = &pin {
        same_device(device, pinned, &contact)?;
    }
    same_model(device, &contact)?;
    let others = is_another(context, device);
    let taken = if pin.as_ref() == Some(&now) {
        context.store.pinned_as(contact.mac(), others).await
    } else {
        context.store.set_pin(&device.key, now, others).await
    };
    match taken.map_err(|error| plain(&error))? {
        None => Ok(contact),
        Some(other) => {
            let mac = contact.mac();
            contact.close().await;
            Err(same_as(device, &other, mac).into())
        }
    }
}

/// Whether a key is of the rest of the inventory, and not the one that this device had before.
fn is_another(context: &Context, device: &Device) -> impl Fn(&str) -> bool + Send + 'static {
    let inventory = Arc::clone(&context.inventory);
    let (own, was) = (device.key.clone(), device.was.clone());
    move |key| key != own && Some(key) != was.as_deref() && inventory.devices.contains_key(key)
}

/// Two keys that lead to one device would each destroy what the other made.
fn same_as(device: &Device, other: &str, mac: MacAddr) -> Unread {
    Unread {
        reason: format!(
            "the device at {} has MAC {mac}, which `{other}` is pinned to: two keys lead to one device",
            device.address
        ),
        help: Some(format!("correct the address of `{}` or of `{other}`", device.key)),
        lasting: true,
    }
}

/// Reaches a device without believing its pins, and says what it is and what it was pinned as. Pins nothing.
///
/// # Errors
///
/// [`Unread`] where it cannot be reached or read.
pub async fn trust(context: &Context, device: &Device) -> Result<Identified, Unread> {
    let (contact, pinned) = meet(context, device).await?;
    let now = pin_now(&contact.observation);
    contact.close().await;
    Ok(Identified { now, pinned })
}

/// The same with the session still open.
pub(super) async fn meet(context: &Context, device: &Device) -> Result<(Contact, Option<Pin>), Unread> {
    let pinned = pin_of(context, device).await?;
    let contact = reach(context, device.into(), None, HostKeyPolicy::AcceptNew)
        .await
        .map_err(|unseen| unseen.unread)?;
    same_model(device, &contact)?;
    let mac = contact.mac();
    let taken = context.store.pinned_as(mac, is_another(context, device)).await;
    match taken.map_err(|error| plain(&error))? {
        None => Ok((contact, pinned)),
        Some(other) => {
            contact.close().await;
            Err(same_as(device, &other, mac))
        }
    }
}

pub(super) async fn pin_of(context: &Context, device: &Device) -> Result<Option<Pin>, Unread> {
    context
        .store
        .pin(&device.key, device.was.as_deref())
        .await
        .map_err(|error| plain(&error))
}

/// An error as the reason why a device is left out, with what to do about it where the database knows that.
pub(super) fn plain(error: &(dyn std::error::Error + 'static)) -> Unread {
    Unread {
        reason: chain(error),
        help: error.downcast_ref::<StoreError>().and_then(StoreError::help),
        lasting: false,
    }
}

pub(super) async fn reach(
    context: &Context,
    way: Way<'_>,
    pinned: Option<String>,
    policy: HostKeyPolicy,
) -> Result<Contact, Unseen> {
    let credentials = context
        .keyring
        .credentials(way.credentials)
        .map_err(|error| plain(&error))?;
    // What the inventory says was reviewed; it goes before what was met by chance.
    let known = way.host_key.map(str::to_owned).or(pinned);
    let pinned: Option<HostKey> = known
        .map(|text| text.parse())
        .transpose()
        .map_err(|error: crate::transport::ssh::InvalidHostKey| plain(&error))?;
    let to = way.connect(&credentials, HostKeyCheck { pinned, policy });
    let agent = way.agent(&credentials);
    let failed = |error: DeviceError| Unseen {
        retry: error.retry(),
        unread: unread(way.key, &error),
    };
    let mut session = Session::open(&to).await.map_err(failed)?;
    match device::gather(&mut session, agent.as_ref()).await {
        Ok(mut observation) => {
            // On a device that shows none, the inventory's word counts: from then on endpoints that a port-aware
            // device adds by itself are no configuration.
            observation.assume_model(way.model);
            let firmware = &observation.identity.firmware;
            let learned = context.store.learned(firmware).await.map_err(|error| plain(&error))?;
            observation.capabilities = observation.capabilities.having_learned(&learned);
            Ok(Contact {
                session,
                model: way.model,
                learned,
                observation,
            })
        }
        Err(error) => {
            session.close().await;
            Err(failed(error))
        }
    }
}

/// What an error means for a device: why it could not be read, and what to do. `key` is what help texts call it.
pub(super) fn unread(key: &str, error: &DeviceError) -> Unread {
    Unread {
        help: error.help(key),
        reason: chain(error),
        lasting: error.retry() != Retry::Soon,
    }
}

/// What a device is pinned as.
pub(super) fn pin_now(observation: &Observation) -> Pin {
    let identity = &observation.identity;
    Pin {
        host_key: Some(observation.host_key.to_string()),
        model: identity.model.map(|model| model.name.to_owned()),
        mac: Some(identity.mac),
        firmware: Some(identity.firmware.to_string()),
    }
}

/// A device that is not the pinned one is not changed, nor planned for.
fn same_device(device: &Device, pinned: &Pin, contact: &Contact) -> Result<(), Unread> {
    match pinned.mac {
        Some(mac) if mac != contact.mac() => Err(Unread {
            reason: format!(
                "another device answers at {}: it has MAC {}, `{}` was pinned as {mac}",
                device.address,
                contact.mac(),
                device.key
            ),
            help: Some(format!(
                "correct the address; if the unit was exchanged, `gamops replace {0}` brings the new one to what the old one held, and \
                 `gamops trust {0}` only accepts it",
                device.key
            )),
            lasting: true,
        }),
        _ => Ok(()),
    }
}

fn same_model(device: &Device, contact: &Contact) -> Result<(), Unread> {
    match contact.observation.identity.model {
        Some(model) if model != device.model => Err(Unread::of_another_model(device, model)),
        _ => Ok(()),
    }
}
