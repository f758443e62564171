//! `gamops import`: from a running fleet to an inventory.

mod address;
mod report;
mod source;

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::device::Observation;
use crate::diagnostic::SourceFile;
use crate::domain::{AddressRange, Model};
use crate::inventory::model::Inventory;
use crate::inventory::{self, Include, ROOT_FILE};
use crate::onboard::{self, Existing, Found, Imported, NotImported};
use crate::plan::count;
use crate::plan::model::Unread;
use crate::reconcile::discover::Search;
use crate::reconcile::{Context, Stranger};
use crate::repo::{self, RepoError};
use crate::transport::credentials::FACTORY;

use super::context;
use super::exit::Exit;
use super::progress::Progress;
use super::settings::{InventoryArgs, ReachArgs};
use super::{answer, discover, say};

use address::{Address, Capture};
use report::{Device, Outcome};

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
    /// as usual: [KEY=]HOST[:SSH-PORT][/SNMP-PORT].
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

/// Most questions a second in ranges; as `gamops discover` without `--rate`.
const RATE: NonZeroU16 = NonZeroU16::new(100).expect("a hundred is not zero");

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

/// The inventory that is added to, or the place of a new one.
struct Place {
    folder: PathBuf,
    /// Its texts; empty where it is new.
    files: Vec<SourceFile>,
    inventory: Inventory,
}

impl Place {
    fn existing(&self) -> Option<Existing<'_>> {
        (!self.files.is_empty()).then_some(Existing {
            files: &self.files,
            inventory: &self.inventory,
        })
    }
}

/// What was found at one source.
struct Source {
    /// Address or path.
    called: String,
    /// The key that the device has in the inventory or is to have.
    key: Option<String>,
    found: Result<Found, Outcome>,
    /// What a device was when it was met; `None` for a file.
    met: Option<Observation>,
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

/// The inventory at a path, or where one is to be begun.
fn place(path: &Path) -> anyhow::Result<Result<Place, Exit>> {
    let files = match repo::read_inventory(path) {
        Ok(files) => files,
        Err(RepoError::NotFound { .. } | RepoError::NoRoot { .. }) => return begin(path),
        Err(error) => return Err(error).with_context(|| format!("reading the inventory {}", path.display())),
    };
    let folder = match path.is_dir() {
        true => path.to_owned(),
        false => path.parent().map(Path::to_owned).unwrap_or_default(),
    };
    let inventory = context::load(path)?;
    Ok(inventory.map(|inventory| Place {
        folder,
        files,
        inventory,
    }))
}

fn begin(folder: &Path) -> anyhow::Result<Result<Place, Exit>> {
    if folder.extension().is_some_and(|extension| extension == "yaml") {
        say(&format!(
            "error: there is no {}\n  help: name the folder that the inventory is to be in",
            folder.display()
        ));
        return Ok(Err(Exit::Failed));
    }
    let id = id_of(folder);
    let root = format!("format: 1\ninventory: {}\n", inventory::quoted(&id, false));
    if folder.is_dir() {
        let there = repo::included_below(folder, &Include::from_root_file(&root))?;
        if let Some(first) = there.first() {
            say(&format!(
                "error: {} has no {ROOT_FILE}, but {first}, which would become part of a new inventory\n  help: name an empty folder, or one that does not exist",
                folder.display()
            ));
            return Ok(Err(Exit::Failed));
        }
    }
    let root = SourceFile {
        path: ROOT_FILE.to_owned(),
        text: root,
    };
    let inventory = inventory::load(&[root]).inventory;
    let inventory = inventory.with_context(|| format!("making an inventory called `{id}`"))?;
    Ok(Ok(Place {
        folder: folder.to_owned(),
        files: Vec::new(),
        inventory,
    }))
}

/// The id of a new inventory: the name of its folder, as far as an id can be that.
fn id_of(folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let good = |char: char| {
        if char.is_ascii_alphanumeric() {
            char.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let id: String = name.unwrap_or_default().chars().map(good).take(60).collect();
    match id.trim_matches('-') {
        "" => "gamops".to_owned(),
        id => id.to_owned(),
    }
}

/// Adds the devices of the ranges to the addresses. `false` where it was broken off.
async fn search(args: &mut Args) -> anyhow::Result<bool> {
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
async fn sources(args: &Args, context: &Context) -> anyhow::Result<Vec<Source>> {
    let strangers: Vec<Stranger> = args
        .addresses
        .iter()
        .map(|address| source::stranger(address, &args.credentials, args.legacy_algorithms))
        .collect();
    let met = context.meet(strangers.clone()).await;
    let mut sources = Vec::new();
    let macs = met.iter().map(|met| met.as_ref().ok().map(|met| met.identity.mac));
    let twins = source::twins(macs);
    for (place, ((address, stranger), met)) in args.addresses.iter().zip(&strangers).zip(met).enumerate() {
        let twin = twins.get(&place).and_then(|first| strangers.get(*first));
        let mut source = Source {
            called: stranger.called.clone(),
            key: address.key.clone(),
            found: Err(Outcome::Known),
            met: None,
        };
        match (met, twin) {
            (Err(unread), _) => source.found = Err(Outcome::failed(unread)),
            (Ok(_), Some(first)) => {
                source.found = Err(Outcome::failed(Unread {
                    reason: format!("the same device answers at {}", first.called),
                    help: None,
                    lasting: true,
                }));
            }
            (Ok(met), None) => {
                let reached = (stranger.address.as_str(), stranger.transport.ssh_port);
                match context.known_as(Some(reached), Some(met.identity.mac)).await {
                    Err(unread) => source.found = Err(Outcome::failed(unread)),
                    Ok(Some(key)) => source.key = Some(key),
                    Ok(None) => {
                        let found = source::met(address.key.clone(), stranger, &met, args.model);
                        let found = found.and_then(|found| key_is_free(found, &context.inventory));
                        source.found = found.map_err(Outcome::failed);
                        source.met = Some(met);
                    }
                }
            }
        }
        sources.push(source);
    }
    for capture in &args.from_file {
        sources.push(read_capture(args, context, capture).await?);
    }
    Ok(sources)
}

/// Reads a saved session.
async fn read_capture(args: &Args, context: &Context, capture: &Capture) -> anyhow::Result<Source> {
    let text = std::fs::read(&capture.path).with_context(|| format!("reading {}", capture.path.display()))?;
    let text = String::from_utf8_lossy(&text);
    let found = source::captured(capture, &text, args.address.as_ref(), &args.credentials, args.model);
    let mut source = Source {
        called: capture.path.display().to_string(),
        key: capture.key.clone(),
        found: Err(Outcome::Known),
        met: None,
    };
    let found = match found {
        Ok(found) => found,
        Err(unread) => {
            source.found = Err(Outcome::failed(unread));
            return Ok(source);
        }
    };
    let reached = args
        .address
        .as_ref()
        .map(|address| (address.host.as_str(), address.ssh_port));
    let mac = found.identity.as_ref().map(|identity| identity.mac);
    match context.known_as(reached, mac).await {
        Err(unread) => source.found = Err(Outcome::failed(unread)),
        Ok(known) => match known.or_else(|| source::same_name(&found, &context.inventory)) {
            Some(key) => source.key = Some(key),
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
                Outcome::Known
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
