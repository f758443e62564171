//! `gamops import`: from a running fleet to an inventory.

mod address;
mod gather;
mod place;
mod report;
mod source;

use clap::ValueEnum;

use crate::domain::{AddressRange, Model};
use crate::onboard::{self, Imported, NotImported};
use crate::reconcile::Context;
use crate::repo;
use crate::transport::credentials::FACTORY;

use super::context;
use super::exit::Exit;
use super::progress::Progress;
use super::settings::{InventoryArgs, ReachArgs};
use super::{answer, discover, say};

use address::{Address, Capture};
use gather::{Source, search, sources};
use place::{Place, place};
use report::{Compared, Device, Outcome};

/// Write the inventory of devices that are in service already.
///
/// Reads devices, or configurations that were saved to files, and writes the YAML that stands for them: plans that devices
/// share, subscribers, ports, endpoints. The names on the devices stay as they are. No device is changed; all of them enter
/// as `mode: observe`. Before anything is written it is planned against what was read: what would not come out as "no
/// changes" is left alone, and named with the reason. No file that is there is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops import -i my-isp 10.20.0.11 10.20.0.12 --credentials field
  gamops import -i my-isp maple-a=10.20.0.11:2222         # with a key and a port
  gamops import -i my-isp --cidr 10.20.0.0/24
  gamops import -i my-isp --from-file maple-a.txt --model GAM-12-C
  gamops import -i my-isp 10.20.0.11 --layout per-site --format json")]
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
    let exit = finish(&args, &place, sources, &context).await;
    drop(context);
    progress.finish().await;
    exit
}

/// Makes the new files of what was found, writes them, pins the devices and says what came of each.
async fn finish(args: &Args, place: &Place, sources: Vec<Source>, context: &Context) -> anyhow::Result<Exit> {
    let mut devices = Vec::new();
    let mut found = Vec::new();
    let mut origins = Vec::new();
    for source in sources {
        let outcome = match source.found {
            Ok(one) => {
                found.push(one);
                origins.push((devices.len(), source.met));
                // Until it is known better.
                Outcome::Known(Compared::default())
            }
            Err(outcome) => outcome,
        };
        devices.push(Device {
            key: source.key,
            source: source.called,
            outcome,
        });
    }
    let id = &place.inventory.id;
    let mut imported = match onboard::import(&found, place.existing(), args.layout.into(), id) {
        Ok(imported) => imported,
        Err(error) => return Ok(not_imported(&error)),
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
    print(args, place, &devices, &imported)?;
    Ok(exit_of(&devices))
}

fn print(args: &Args, place: &Place, devices: &[Device], imported: &Imported) -> anyhow::Result<()> {
    answer(&match args.format {
        Format::Text => report::text(devices, imported, &place.folder.display().to_string()),
        Format::Json => report::json(devices, imported)?,
    });
    Ok(())
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
