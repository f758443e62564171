//! What an import starts from: devices that are met, those of ranges, saved sessions; and which of them are known already.

use std::num::NonZeroU16;
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::{discover, say};
use crate::device::Observation;
use crate::domain::AddressRange;
use crate::inventory::model::Inventory;
use crate::onboard::Found;
use crate::plan::count;
use crate::plan::model::Unread;
use crate::reconcile::discover::Search;
use crate::reconcile::{Context, Reading, Stranger};

use super::Args;
use super::address::{Address, Capture};
use super::source;

/// Most questions a second in ranges; as `gamops discover` without `--rate`.
const RATE: NonZeroU16 = NonZeroU16::new(100).expect("a hundred is not zero");

/// What was found at one source.
pub(super) struct Source {
    /// Address or path.
    pub(super) called: String,
    /// The key that the device has in the inventory or is to have.
    pub(super) key: Option<String>,
    /// The device, or why there is none.
    pub(super) device: Result<Device, Unread>,
    /// What a device was when it was met; `None` for a file.
    pub(super) met: Option<Observation>,
}

/// A device by what is known of it.
pub(super) enum Device {
    /// The inventory does not have it.
    New(Box<Found>),
    /// The inventory has it, and it is yet to be read.
    Known,
    /// The inventory has it, and it was read.
    Read(Box<Reading>),
    /// The inventory has it, and this was saved of it.
    Saved(Box<Found>),
}

/// Adds the devices of the ranges to the addresses. `false` where it was broken off.
pub(super) async fn search(args: &mut Args) -> anyhow::Result<bool> {
    let search = Search {
        addresses: args.cidr.iter().flat_map(AddressRange::addresses).collect(),
        snmp_port: args.snmp_port,
        ssh_port: None,
        communities: discover::communities(std::slice::from_ref(&args.credentials), None)?,
        patience: Duration::from_secs(1),
        rate: RATE,
    };
    let (found, stopped) = discover::watched(&search).await;
    say(&format!("{} answer SNMP there", count(found.gams.len(), "GAM")));
    for gam in found.gams {
        let address = Address {
            key: None,
            host: gam.address.to_string(),
            ssh_port: args.ssh_port,
            snmp_port: args.snmp_port,
        };
        let is_same = |other: &Address| other.host == address.host && other.ssh_port == address.ssh_port;
        if !args.addresses.iter().any(is_same) {
            args.addresses.push(address);
        }
    }
    Ok(!stopped)
}

/// Reads every source, devices side by side.
pub(super) async fn sources(args: &Args, context: &Context) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut strangers: Vec<(&Address, Stranger)> = Vec::new();
    for address in &args.addresses {
        let stranger = source::stranger(address, &args.credentials, args.legacy_algorithms);
        // A device of the inventory is no stranger: nobody logs in there without asking what it was pinned as.
        match context.reached_as(&stranger.address, stranger.transport.ssh_port) {
            Some(key) => sources.push(Source {
                called: stranger.called,
                key: Some(key),
                device: Ok(Device::Known),
                met: None,
            }),
            None => strangers.push((address, stranger)),
        }
    }
    let met = context.meet(strangers.iter().map(|(_, stranger)| stranger.clone()).collect());
    for ((address, stranger), met) in strangers.iter().zip(met.await) {
        let mut source = Source {
            called: stranger.called.clone(),
            key: address.key.clone(),
            device: Ok(Device::Known),
            met: None,
        };
        match met {
            Err(unread) => source.device = Err(unread),
            Ok(met) => match context.pinned_as(met.identity.mac).await {
                Err(unread) => source.device = Err(unread),
                Ok(Some(key)) => source.key = Some(key),
                Ok(None) => {
                    let found = source::met(address.key.clone(), stranger, &met, args.model);
                    let found = found.and_then(|found| key_is_free(found, &context.inventory));
                    source.device = found.map(|found| Device::New(Box::new(found)));
                    source.met = Some(met);
                }
            },
        }
        refuse_twin(&mut source, &sources);
        sources.push(source);
    }
    read_known(context, &mut sources).await;
    for capture in &args.from_file {
        let mut source = read_capture(args, context, capture).await?;
        refuse_twin(&mut source, &sources);
        sources.push(source);
    }
    Ok(sources)
}

/// Two sources that are one device would be two devices of the inventory.
fn refuse_twin(source: &mut Source, before: &[Source]) {
    let mac = |source: &Source| match &source.device {
        Ok(Device::New(found)) => Some(found.identity.as_ref()?.mac),
        _ => None,
    };
    let is_known = |source: &Source| !matches!(source.device, Err(_) | Ok(Device::New(_)));
    let own = mac(source);
    let is_same = |other: &&Source| {
        own.is_some_and(|own| mac(other) == Some(own))
            || (is_known(source) && is_known(other) && other.key == source.key)
    };
    if let Some(first) = before.iter().find(is_same) {
        source.device = Err(Unread {
            reason: format!("it is the same device as {}", first.called),
            help: None,
            lasting: true,
        });
    }
}

/// Reads the devices that the inventory has already, with all the care of a plan: whether each is the one that it was pinned as.
async fn read_known(context: &Context, sources: &mut [Source]) {
    let known = |source: &&mut Source| matches!(source.device, Ok(Device::Known));
    let devices = |source: &Source| context.inventory.devices.get(source.key.as_ref()?).cloned();
    let (known, devices): (Vec<&mut Source>, Vec<_>) = (sources.iter_mut().filter(known))
        .filter_map(|source| devices(source).map(|device| (source, device)))
        .unzip();
    for (source, read) in known.into_iter().zip(context.read_all(devices).await) {
        source.device = read.map(|reading| Device::Read(Box::new(reading)));
    }
}

/// Reads a saved session.
async fn read_capture(args: &Args, context: &Context, capture: &Capture) -> anyhow::Result<Source> {
    let text = std::fs::read(&capture.path).with_context(|| format!("reading {}", capture.path.display()))?;
    let text = String::from_utf8_lossy(&text);
    let found = source::captured(capture, &text, args.address.as_ref(), &args.credentials, args.model);
    let mut source = Source {
        called: capture.path.display().to_string(),
        key: capture.key.clone(),
        device: Ok(Device::Known),
        met: None,
    };
    let found = match found {
        Ok(found) => Box::new(found),
        Err(unread) => {
            source.device = Err(unread);
            return Ok(source);
        }
    };
    let reached = (args.address.as_ref()).and_then(|address| context.reached_as(&address.host, address.ssh_port));
    let pinned = match found.identity.as_ref().filter(|_| reached.is_none()) {
        Some(identity) => context.pinned_as(identity.mac).await,
        None => Ok(reached),
    };
    match pinned {
        Err(unread) => source.device = Err(unread),
        Ok(known) => match known.or_else(|| source::same_name(&found, &context.inventory)) {
            Some(key) => {
                source.device = Ok(Device::Saved(found));
                source.key = Some(key);
            }
            None => source.device = Ok(Device::New(found)),
        },
    }
    Ok(source)
}

/// A key that the operator asked for is his to give only once.
fn key_is_free(found: Found, inventory: &Inventory) -> Result<Found, Unread> {
    match found.key.as_ref().and_then(|key| inventory.devices.get(key)) {
        None => Ok(found),
        Some(other) => Err(Unread {
            reason: format!("the inventory has another device `{}`, at {}", other.key, other.address),
            help: Some("choose another key".to_owned()),
            lasting: true,
        }),
    }
}
