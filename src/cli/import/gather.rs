//! What an import starts from: devices that are met, those of ranges, saved sessions; and which of them are known already.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::{discover, say};
use crate::device::Observation;
use crate::domain::AddressRange;
use crate::inventory::model::Inventory;
use crate::onboard::{self, Found};
use crate::plan::model::Unread;
use crate::plan::{self, Target, count};
use crate::reconcile::discover::Search;
use crate::reconcile::{Context, Stranger};

use super::Args;
use super::address::{Address, Capture};
use super::report::{Compared, Outcome};
use super::source;

/// Most questions a second in ranges; as `gamops discover` without `--rate`.
const RATE: NonZeroU16 = NonZeroU16::new(100).expect("a hundred is not zero");

/// What was found at one source.
pub(super) struct Source {
    /// Address or path.
    pub(super) called: String,
    /// The key that the device has in the inventory or is to have.
    pub(super) key: Option<String>,
    /// The device, or what became of it already.
    pub(super) found: Result<Found, Outcome>,
    /// What a device was when it was met; `None` for a file.
    pub(super) met: Option<Observation>,
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
                found: Err(Outcome::Known(Compared::default())),
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
            found: Err(Outcome::Known(Compared::default())),
            met: None,
        };
        match met {
            Err(unread) => source.found = Err(Outcome::failed(unread)),
            Ok(met) => match context.pinned_as(met.identity.mac).await {
                Err(unread) => source.found = Err(Outcome::failed(unread)),
                Ok(Some(key)) => source.key = Some(key),
                Ok(None) => {
                    let found = source::met(address.key.clone(), stranger, &met, args.model);
                    let found = found.and_then(|found| key_is_free(found, &context.inventory));
                    source.found = found.map_err(Outcome::failed);
                    source.met = Some(met);
                }
            },
        }
        refuse_twin(&mut source, &sources);
        sources.push(source);
    }
    compare(context, &mut sources).await?;
    for capture in &args.from_file {
        let mut source = read_capture(args, context, capture).await?;
        refuse_twin(&mut source, &sources);
        sources.push(source);
    }
    Ok(sources)
}

/// Two sources that are one device would be two devices of the inventory.
fn refuse_twin(source: &mut Source, before: &[Source]) {
    let mac = |source: &Source| Some(source.found.as_ref().ok()?.identity.as_ref()?.mac);
    let Some(own) = mac(source) else {
        return;
    };
    if let Some(first) = before.iter().find(|other| mac(other) == Some(own)) {
        source.found = Err(Outcome::failed(Unread {
            reason: format!("it is the same device as {}", first.called),
            help: None,
            lasting: true,
        }));
    }
}

/// Plans the devices that the inventory has already, with all the care of a plan: whether each is the one that it was pinned
/// as, and what gamops owns there.
async fn compare(context: &Context, sources: &mut [Source]) -> anyhow::Result<()> {
    let known = |source: &&mut Source| matches!(source.found, Err(Outcome::Known(_)));
    let keys: BTreeSet<String> = sources
        .iter_mut()
        .filter(known)
        .filter_map(|source| source.key.clone())
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    let targets: Vec<Target> = keys.into_iter().map(|device| Target { device, object: None }).collect();
    let plan = context.plan(&targets).await?.close().await;
    for source in sources.iter_mut().filter(known) {
        let device = plan
            .devices
            .iter()
            .find(|device| Some(&device.device) == source.key.as_ref());
        source.found = Err(match device.map(|device| &device.outcome) {
            Some(plan::model::Outcome::Read(changes)) => Outcome::Known(Compared::of(changes)),
            Some(plan::model::Outcome::Unread(unread)) => Outcome::failed(unread.clone()),
            None => continue,
        });
    }
    Ok(())
}

/// Reads a saved session.
async fn read_capture(args: &Args, context: &Context, capture: &Capture) -> anyhow::Result<Source> {
    let text = std::fs::read(&capture.path).with_context(|| format!("reading {}", capture.path.display()))?;
    let text = String::from_utf8_lossy(&text);
    let found = source::captured(capture, &text, args.address.as_ref(), &args.credentials, args.model);
    let mut source = Source {
        called: capture.path.display().to_string(),
        key: capture.key.clone(),
        found: Err(Outcome::Known(Compared::default())),
        met: None,
    };
    let found = match found {
        Ok(found) => found,
        Err(unread) => {
            source.found = Err(Outcome::failed(unread));
            return Ok(source);
        }
    };
    let reached = (args.address.as_ref()).and_then(|address| context.reached_as(&address.host, address.ssh_port));
    let pinned = match found.identity.as_ref().filter(|_| reached.is_none()) {
        Some(identity) => context.pinned_as(identity.mac).await,
        None => Ok(reached),
    };
    match pinned {
        Err(unread) => source.found = Err(Outcome::failed(unread)),
        Ok(known) => match known.or_else(|| source::same_name(&found, &context.inventory)) {
            Some(key) => {
                let changes = onboard::compare(&found, &context.inventory, &key);
                source.found = Err(Outcome::Known(changes.as_ref().map(Compared::of).unwrap_or_default()));
                source.key = Some(key);
            }
            None => source.found = Ok(found),
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
