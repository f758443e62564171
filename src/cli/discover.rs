//! `gamops discover`: GAMs in ranges of addresses.

mod json;
mod text;

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

use crate::device::Community;
use crate::domain::{AddressRange, TimeSpan};
use crate::inventory::model::Inventory;
use crate::reconcile::discover::{Discovered, Known, Place, Search, discover};
use crate::store::Store;
use crate::transport::credentials::{FACTORY, Keyring};

use super::context::load;
use super::exit::Exit;
use super::progress::bar;
use super::settings::StateArgs;
use super::{answer, say};

/// The most addresses that are asked in one run: those of an IPv4 /16.
const MOST: u128 = 1 << 16;

/// Find GAMs in ranges of addresses, by SNMP: address, model, firmware, name, operating mode, base MAC, and whether the
/// inventory has them.
///
/// Only reads, and only what tells which device it is. Each address is asked in SNMP version 2c and, where it stays
/// silent, in version 1, each once more after a timeout. An address that stays silent may have another community, a
/// firewall before it, or no device at all: that cannot be told apart. An agent may log or report questions with a
/// community that it does not know.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops discover --cidr 10.20.0.0/24
  gamops discover --cidr 10.20.0.0/24 10.21.0.0/24 --credentials field --rate 200
  gamops discover --cidr 10.20.0.0/24 --format json | jq -r '.gams[] | select(.inventory == null) | .address'")]
pub(super) struct Args {
    /// Ranges such as 10.20.0.0/24 or fd00::/120, or single addresses; 65536 addresses at most in all.
    #[arg(long, value_name = "RANGE", required = true, num_args = 1.., value_delimiter = ',')]
    cidr: Vec<AddressRange>,

    /// Ask with the community of these credentials; may be given more than once. By default those that the inventory
    /// names, without one `factory`, whose community is `public`.
    #[arg(long, value_name = "NAME")]
    credentials: Vec<String>,

    /// Most questions a second.
    #[arg(long, value_name = "N", default_value = "100")]
    rate: NonZeroU16,

    /// How long to wait for each answer; a second at least.
    #[arg(long, value_name = "TIME", default_value = "1s")]
    timeout: TimeSpan,

    /// UDP port of SNMP.
    #[arg(long, value_name = "PORT", default_value = "161")]
    snmp_port: u16,

    /// Where SNMP stays silent, also open one SSH connection and read what the server says it is, without logging in.
    #[arg(long)]
    ssh: bool,

    /// TCP port of SSH, with `--ssh`.
    #[arg(long, value_name = "PORT", default_value = "22", requires = "ssh")]
    ssh_port: u16,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Inventory to compare with: folder that holds `gamops.yaml`, or that file itself. By default the one in this
    /// folder, if there is one.
    #[arg(short, long, value_name = "PATH", env = "GAMOPS_INVENTORY")]
    inventory: Option<PathBuf>,

    #[command(flatten)]
    state: StateArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What was found, and the place of each GAM in the inventory, in the same order; `None` without an inventory.
struct Answer {
    found: Discovered,
    places: Option<Vec<Place>>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    if let Err(exit) = too_many(&args.cidr) {
        return Ok(exit);
    }
    let inventory = match inventory(args.inventory.as_deref())? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let search = Search {
        addresses: args.cidr.iter().flat_map(AddressRange::addresses).collect(),
        snmp_port: args.snmp_port,
        ssh_port: args.ssh.then_some(args.ssh_port),
        communities: communities(&args.credentials, inventory.as_ref())?,
        patience: Duration::from_secs(u64::from(args.timeout.as_secs().max(1))),
        rate: args.rate,
    };
    let (found, stopped) = watched(&search).await;
    let places = match &inventory {
        Some(inventory) => {
            let path = args.state.path(inventory)?;
            // Looking for devices is no reason to make a database.
            let store = path.exists().then(|| Store::open(&path)).transpose()?;
            let known = Known::of(inventory, store.as_ref()).await?;
            Some(found.gams.iter().map(|gam| Place::of(gam, &known)).collect())
        }
        None => None,
    };
    let whole = Answer { found, places };
    match args.format {
        Format::Text => answer(&text::text(&whole)),
        Format::Json => answer(&json::json(&whole)?),
    }
    if whole.found.gams.is_empty() {
        say(
            "help: a GAM that stays silent may have another community (`--credentials NAME`), SNMP switched off or in version 3 only, which gamops does not speak, or a firewall before it; `--ssh` finds those that answer SSH",
        );
    }
    Ok(if stopped { Exit::Failed } else { Exit::Done })
}

/// Refuses ranges that would be asked for hours.
pub(super) fn too_many(ranges: &[AddressRange]) -> Result<(), Exit> {
    let wanted = ranges
        .iter()
        .fold(0, |sum: u128, range| sum.saturating_add(range.len()));
    if wanted > MOST {
        say(&format!(
            "error: these ranges have {wanted} addresses; {MOST} are asked in one run\n  help: name the networks in which \
             the devices are managed, or ask one /16 after the other"
        ));
        return Err(Exit::Usage);
    }
    Ok(())
}

/// The inventory that was named, or the one in this folder. `None`: there is none here, which is fine.
fn inventory(named: Option<&Path>) -> anyhow::Result<Result<Option<Inventory>, Exit>> {
    match named {
        Some(path) => Ok(load(path)?.map(Some)),
        None if Path::new("gamops.yaml").exists() => Ok(load(Path::new("."))?.map(Some)),
        None => Ok(Ok(None)),
    }
}

/// The communities to ask with, each once, in the order of the names.
pub(super) fn communities(named: &[String], inventory: Option<&Inventory>) -> anyhow::Result<Vec<Community>> {
    let mut names: Vec<&str> = named.iter().map(String::as_str).collect();
    if names.is_empty() {
        let devices = inventory.into_iter().flat_map(|inventory| inventory.devices.values());
        names.extend(devices.map(|device| device.credentials.as_str()));
        names.sort_unstable();
    }
    if names.is_empty() {
        names.push(FACTORY);
    }
    let keyring = Keyring::from_environment()?;
    let mut communities: Vec<Community> = Vec::new();
    for name in names {
        let secret = keyring.community(name)?;
        // Credentials that differ in the password alone need no question each.
        if communities.iter().all(|one| one.secret != secret) {
            communities.push(Community {
                credentials: name.to_owned(),
                secret,
            });
        }
    }
    Ok(communities)
}

/// Searches, showing how far it is. Ctrl-C ends it with what was found until then; whether it did is said.
pub(super) async fn watched(search: &Search) -> (Discovered, bool) {
    let stop = CancellationToken::new();
    let asked = search.addresses.len();
    let bar = bar(asked, "asking");
    if bar.is_hidden() {
        let rate = search.rate;
        say(&format!("asking {}, {rate} questions a second", addresses(asked)));
    }
    let searching = discover(search, &stop, |done| {
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX))
    });
    tokio::pin!(searching);
    let found = tokio::select! {
        found = &mut searching => found,
        _ = tokio::signal::ctrl_c() => {
            stop.cancel();
            searching.await
        }
    };
    bar.finish_and_clear();
    if stop.is_cancelled() {
        say(&format!("stopped after {} of {}", found.asked, addresses(asked)));
    }
    (found, stop.is_cancelled())
}

/// `1 address`, `254 addresses`.
fn addresses(number: usize) -> String {
    format!("{number} address{}", if number == 1 { "" } else { "es" })
}
