//! `gamops import`: from a running fleet to an inventory.

mod address;
mod gather;
mod known;
mod place;
mod report;
mod source;

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::domain::{AddressRange, Model};
use crate::onboard::{self, Imported, NotImported};
use crate::reconcile::Context;
use crate::repo;
use crate::transport::credentials::FACTORY;

use super::context;
use super::edits::Proposal;
use super::exit::Exit;
use super::progress::Progress;
use super::settings::{InventoryArgs, ReachArgs};
use super::{answer, ask, discover, say};

use address::{Address, Capture};
use gather::{Source, search, sources};
use known::Basis;
use place::{Place, place};
use report::{Compared, Device, Outcome};

/// Write the inventory of devices that are in service already.
///
/// Reads devices, or configurations that were saved to files, and writes the YAML that stands for them: plans that devices
/// share, subscribers, ports, endpoints. The names on the devices stay as they are. No device is changed; all of them enter
/// as `mode: observe`. Before anything is written it is planned against what was read: what would not come out as "no
/// changes" is left alone, and named with the reason. No file that is there is overwritten.
///
/// A device that the inventory has already is compared with it. What differs, and what only the device has, is proposed as an edit of
/// the inventory: shown as a diff, and written once that is approved. Comments, order and quotes stay as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops import -i my-isp 10.20.0.11 10.20.0.12 --credentials field
  gamops import -i my-isp maple-a=10.20.0.11:2222         # with a key and a port
  gamops import -i my-isp --cidr 10.20.0.0/24
  gamops import -i my-isp --from-file maple-a.txt --model GAM-12-C
  gamops import -i my-isp 10.20.0.11 --layout per-site --format json
  gamops import -i my-isp 10.20.0.11 --auto-approve       # once more: what was changed there since, as an edit")]
pub(super) struct Args {
    /// Devices to read: an address, with the ports of SSH and SNMP and the key that it is to have where they are not
    /// as usual: `[KEY=]HOST[:SSH-PORT][/SNMP-PORT]`.
    #[arg(value_name = "ADDRESS", required_unless_present_any = ["from_file", "cidr"])]
    addresses: Vec<Address>,

    /// Also the GAMs that answer SNMP in these ranges, such as 10.20.0.0/24; see `gamops discover`.
    #[arg(long, value_name = "RANGE", num_args = 1.., value_delimiter = ',')]
    cidr: Vec<AddressRange>,

    /// UDP port of SNMP in the ranges.
    #[arg(long, value_name = "PORT", default_value = "161", requires = "cidr")]
    snmp_port: u16,

    /// TCP port of SSH in the ranges.
    #[arg(long, value_name = "PORT", default_value = "22", requires = "cidr")]
    ssh_port: u16,

    /// A saved answer to `show running-config`, or a whole saved session: [KEY=]FILE. May be given more than once.
    #[arg(long, value_name = "FILE")]
    from_file: Vec<Capture>,

    /// Where the device of the one saved file is reached; otherwise what its configuration says.
    #[arg(long, value_name = "ADDRESS", requires = "from_file", conflicts_with_all = ["addresses", "cidr"])]
    address: Option<Address>,

    /// Name of the credentials that the devices are read with and that the inventory names.
    #[arg(long, value_name = "NAME", default_value = FACTORY)]
    credentials: String,

    /// The model of devices that do not say it themselves, such as GAM-24-C.
    #[arg(long, value_name = "MODEL", value_parser = model)]
    model: Option<&'static Model>,

    /// Also offer the algorithms of old SSH servers.
    #[arg(long)]
    legacy_algorithms: bool,

    /// How the inventory is divided into files.
    #[arg(long, value_name = "LAYOUT", default_value = "per-device")]
    layout: Layout,

    /// Also take out of the inventory what its devices do not have (any more). What waits for its first apply stays: on a device that is
    /// managed only what gamops once put there goes.
    #[arg(long)]
    remove_missing: bool,

    /// Write the edit of what is in the inventory already without asking.
    #[arg(long)]
    auto_approve: bool,

    /// How to print what was done.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    reach: ReachArgs,
}

/// How an inventory is divided into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// All in `fleet.yaml`.
    OneFile,
    /// `devices/KEY.yaml`, plans in `plans.yaml`.
    PerDevice,
    /// `sites/SITE.yaml`, the site being what device keys begin with; plans in `plans.yaml`.
    PerSite,
}

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl From<Layout> for onboard::Layout {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::OneFile => Self::OneFile,
            Layout::PerDevice => Self::PerDevice,
            Layout::PerSite => Self::PerSite,
        }
    }
}

fn model(name: &str) -> Result<&'static Model, String> {
    Model::by_name(name).ok_or_else(|| format!("there is no model `{name}`; one is `GAM-24-C`"))
}

pub(super) async fn run(mut args: Args) -> anyhow::Result<Exit> {
    if let Err(exit) = discover::too_many(&args.cidr) {
        return Ok(exit);
    }
    if args.address.is_some() && args.from_file.len() > 1 {
        say(
            "error: `--address` is for one saved file\n  help: import each file by itself, or correct the addresses in the inventory",
        );
        return Ok(Exit::Usage);
    }
    let place = match place(&args.inventory.inventory)? {
        Ok(place) => place,
        Err(exit) => return Ok(exit),
    };
    if !args.cidr.is_empty() && !search(&mut args).await? {
        say("Interrupted; nothing was written.");
        return Ok(Exit::Failed);
    }
    let (progress, events) = Progress::start(args.addresses.len());
    let context = context::reading(place.inventory.clone(), &args.reach, events)?;
    let sources = tokio::select! {
        sources = sources(&args, &context) => sources?,
        _ = tokio::signal::ctrl_c() => {
            drop(context);
            progress.finish().await;
            say("Interrupted; nothing was written.");
            return Ok(Exit::Failed);
        }
    };
    let finished = finish(&args, place, sources, &context).await;
    drop(context);
    progress.finish().await;
    match finished? {
        Ok(finished) => conclude(&args, finished).await,
        Err(exit) => Ok(exit),
    }
}

/// What an import came to, and what is left to be approved.
struct Finished {
    devices: Vec<Device>,
    imported: Imported,
    proposal: Option<Proposal>,
    folder: String,
}

/// Makes the new files of what was found, writes them, pins the devices, and works out what the others hold beside the inventory.
async fn finish(
    args: &Args,
    mut place: Place,
    sources: Vec<Source>,
    context: &Context,
) -> anyhow::Result<Result<Finished, Exit>> {
    let mut devices = Vec::new();
    let mut found = Vec::new();
    let mut origins = Vec::new();
    let mut known = BTreeMap::new();
    for source in sources {
        // Until it is known better.
        let mut outcome = Outcome::Known(Compared::default());
        let mut basis = None;
        match source.device {
            Ok(gather::Device::New(one)) => {
                found.push(*one);
                origins.push((devices.len(), source.met));
            }
            Ok(gather::Device::Known) => {}
            Ok(gather::Device::Read(reading)) => basis = Some(Basis::Read(reading)),
            Ok(gather::Device::Saved(saved)) => basis = Some(Basis::Saved(saved)),
            Err(unread) => outcome = Outcome::failed(unread),
        }
        if let (Some(key), Some(basis)) = (&source.key, basis) {
            known.insert(key.clone(), basis);
        }
        devices.push(Device {
            key: source.key,
            source: source.called,
            outcome,
        });
    }
    let id = place.inventory.id.clone();
    let mut imported = match onboard::import(&found, place.existing(), args.layout.into(), &id) {
        Ok(imported) => imported,
        Err(error) => return Ok(Err(not_imported(&error))),
    };
    if imported.devices.iter().all(|device| device.refused.is_some()) {
        // An inventory of nothing helps nobody.
        imported.files.clear();
    }
    let files: Vec<(&str, &str)> = (imported.files.iter())
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    repo::write_new(&place.folder, &files)?;
    for taken in &imported.devices {
        let Some((device, met)) = origins.get(taken.found) else {
            continue;
        };
        if let Some(device) = devices.get_mut(*device) {
            device.key = Some(taken.key.clone());
            device.outcome = Outcome::of(taken);
        }
        if let Some(met) = met.as_ref().filter(|_| taken.refused.is_none())
            && let Err(unread) = context.pin_met(&taken.key, met).await
        {
            // The files are right all the same; the next contact pins it.
            say(&format!("warning: {} was not pinned: {}", taken.key, unread.reason));
        }
    }
    if !known.is_empty() && !imported.files.is_empty() {
        // The new files are part of it now: their plans and keys.
        place = match self::place(&args.inventory.inventory)? {
            Ok(place) => place,
            Err(exit) => return Ok(Err(exit)),
        };
    }
    let (adoptions, proposal) = match known::compare(args, &place, context, known).await {
        Ok(compared) => compared,
        Err(unread) => anyhow::bail!("{}", unread.reason),
    };
    for device in &mut devices {
        if let (Outcome::Known(compared), Some(key)) = (&mut device.outcome, &device.key)
            && let Some(adoption) = adoptions.get(key)
        {
            *compared = Compared::of(adoption);
        }
    }
    Ok(Ok(Finished {
        devices,
        imported,
        proposal,
        folder: place.folder.display().to_string(),
    }))
}

/// Says what came of each device, and has the edit approved and written.
async fn conclude(args: &Args, finished: Finished) -> anyhow::Result<Exit> {
    let Finished {
        devices,
        imported,
        proposal,
        folder,
    } = finished;
    let diff = proposal.as_ref().map(Proposal::diff);
    if args.format == Format::Text {
        answer(&report::text(&devices, &imported, diff.as_deref(), &folder));
    }
    let mut is_written = false;
    let mut exit = exit_of(&devices);
    if let Some(proposal) = &proposal {
        let can_ask = args.format == Format::Text && std::io::IsTerminal::is_terminal(&std::io::stdin());
        if args.auto_approve || can_ask && ask("\nWrite this?").await? {
            proposal.write()?;
            is_written = true;
        } else if can_ask {
            say("Not approved: the inventory was not edited.");
            exit = Exit::Failed;
        }
    }
    match (args.format, &proposal) {
        (Format::Json, _) => answer(&report::json(&devices, &imported, diff.as_deref(), is_written)?),
        (Format::Text, Some(proposal)) if is_written => proposal.commit(None, "")?,
        (Format::Text, Some(_)) if exit != Exit::Failed => {
            say(
                "The inventory was not edited: there is no terminal to ask for approval\n  help: add `--auto-approve` to write this",
            );
        }
        (Format::Text, _) => {}
    }
    Ok(exit)
}

fn not_imported(error: &NotImported) -> Exit {
    say(&format!("error: {error}"));
    match error {
        NotImported::NoPlace(_) => {
            say("  help: add the folder to `include`, such as `devices/*.yaml`");
            Exit::Failed
        }
        NotImported::Invalid(_) => Exit::Invalid,
    }
}

/// One device that failed beside others that did not is not a failure of the run.
fn exit_of(devices: &[Device]) -> Exit {
    let failed = devices
        .iter()
        .filter(|device| matches!(device.outcome, Outcome::Failed { .. }))
        .count();
    match failed {
        0 => Exit::Done,
        all if all == devices.len() => Exit::Failed,
        _ => Exit::Partial,
    }
}
