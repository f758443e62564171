//! `gamops simulate`: the devices of an inventory, simulated at the addresses that it names, and billing systems beside them.

mod billing;
mod customers;
pub(super) mod seed;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::builder::TypedValueParser;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::domain::{Firmware, MacAddr, Medium, Model, PortBinding, PortNumber};
use crate::inventory::model::{Device, Inventory};
use crate::sim::{DeviceSpec, Fleet, FleetOptions, Likeness, Simulation};

pub use billing::{Beside, BillingArgs};

/// Simulates the devices of an inventory.
///
/// Every device listens for SSH and SNMP at the address and ports that the inventory gives it, and takes
/// `admin` with an empty password and the SNMP community `public`. Endpoints that the inventory knows are
/// plugged in. Ends on Ctrl-C.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  gamops simulate -i inventory-example --blank
  gamops simulate -i inventory-billing --billing splynx,sonar --control /tmp/sim.sock
  gamops simulate -i inventory-billing --billing splynx --billing-webhook http://127.0.0.1:9105
  gamops simulate -i inventory-billing --billing sonar=127.0.0.1:8080 --billing-seed seed.yaml")]
pub struct SimulateArgs {
    /// Folder of the inventory, or its `gamops.yaml`.
    #[arg(short, long, value_name = "PATH", default_value = ".")]
    pub inventory: PathBuf,
    /// Start the devices factory-fresh instead of configured as the inventory says.
    #[arg(long, conflicts_with = "state")]
    pub blank: bool,
    /// Keep each device's startup configuration in this folder, across runs.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Listen on this Unix socket for orders to misbehave (see `gamops simulate-control`).
    #[arg(long, value_name = "SOCKET")]
    pub control: Option<PathBuf>,
    /// Firmware version that the devices run, such as `1.5.4`; without it that of `--like`, else 1.8.2.
    #[arg(long, value_name = "VERSION")]
    pub firmware: Option<String>,
    /// Make the devices like one that was seen or described: gam-1.2.0, gam-1.5.4, gam-1.8.2, or hostile for
    /// everything that a driver has to put up with at once.
    #[arg(long, value_name = "NAME", value_parser = likeness())]
    pub like: Option<Likeness>,
    /// Billing systems beside the devices.
    #[command(flatten)]
    pub beside: BillingArgs,
}

fn likeness() -> impl TypedValueParser<Value = Likeness> {
    clap::builder::PossibleValuesParser::new(Likeness::ALL.map(Likeness::name)).try_map(|name| name.parse::<Likeness>())
}

/// The simulated devices that stand for an inventory's.
///
/// `initial` gives each device's startup configuration; `None` leaves it factory-fresh. Endpoints of
/// subscribers and spare ones are plugged into their port; those on `auto` into the first port with room.
///
/// # Errors
///
/// A device whose address is not an IP address, or a firmware version that is none. The operator's fault.
pub fn specs(
    inventory: &Inventory,
    firmware: &str,
    initial: impl Fn(&Device) -> Option<String>,
) -> anyhow::Result<Vec<DeviceSpec>> {
    inventory
        .devices
        .values()
        .map(|device| {
            let ip: IpAddr = device.address.parse().with_context(|| {
                format!(
                    "could not simulate {}: its address {} is not an IP address",
                    device.key, device.address
                )
            })?;
            let firmware = firmware_of(device.model, firmware)?;
            let mut spec = DeviceSpec::new(&device.key, device.model, firmware);
            spec.ssh = SocketAddr::new(ip, device.transport.ssh_port);
            // A device that is never asked over SNMP needs no fixed port for it.
            let snmp_port = if device.transport.snmp {
                device.transport.snmp_port
            } else {
                0
            };
            spec.snmp = SocketAddr::new(ip, snmp_port);
            spec.knobs.old_algorithms = device.transport.legacy_algorithms;
            spec.startup_config = initial(device);
            spec.plugged = plugged(inventory, device);
            Ok(spec)
        })
        .collect()
}

/// The firmware of a model's family (families as the vendor's upgrade procedure names them).
fn firmware_of(model: &Model, version: &str) -> anyhow::Result<Firmware> {
    let size = if model.ports <= 8 { "4/8" } else { "12/24" };
    let letter = match model.medium {
        Medium::Coax => "C",
        Medium::Copper => "M",
    };
    format!("GAM-{size}-{letter}_v{version}")
        .parse()
        .with_context(|| format!("could not simulate firmware {version}; give three numbers such as 1.8.2"))
}

fn plugged(inventory: &Inventory, device: &Device) -> Vec<(MacAddr, PortNumber)> {
    let served = inventory.subscribers.on(&device.key).filter_map(|subscriber| {
        let endpoint = subscriber.endpoint.as_ref()?;
        Some((endpoint.mac, subscriber.port))
    });
    let spare = device.endpoints.values().map(|endpoint| (endpoint.mac, endpoint.port));
    let endpoints: Vec<(MacAddr, PortBinding)> = served.chain(spare).collect();
    let mut used: BTreeMap<PortNumber, usize> = BTreeMap::new();
    let mut plugged = Vec::new();
    for (mac, binding) in &endpoints {
        if let PortBinding::Port(port) = binding {
            *used.entry(*port).or_default() += 1;
            plugged.push((*mac, *port));
        }
    }
    let room = device.model.medium.endpoints_per_port();
    for (mac, _) in endpoints.iter().filter(|(_, binding)| *binding == PortBinding::Auto) {
        let free = device
            .model
            .port_numbers()
            .find(|port| used.get(port).copied().unwrap_or(0) < room);
        if let Some(port) = free {
            *used.entry(port).or_default() += 1;
            plugged.push((*mac, port));
        }
    }
    plugged
}

/// Runs the simulator until Ctrl-C or SIGTERM: [`run_until`] with that end.
///
/// # Errors
///
/// Those of [`run_until`].
pub async fn run(
    args: &SimulateArgs,
    inventory: &Inventory,
    initial: impl Fn(&Device) -> Option<String>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    run_until(args, inventory, initial, out, stopped()).await
}

/// Runs the simulator until `end`.
///
/// `initial` gives the startup configuration of devices that are not to start blank. Writes the table of
/// devices to `out`, and the line `N devices are up` when all of them answer; then where billing systems are.
///
/// # Errors
///
/// What [`specs`] and [`Fleet::start`] refuse, a billing system that cannot be had, and a control socket that cannot be made.
pub async fn run_until(
    args: &SimulateArgs,
    inventory: &Inventory,
    initial: impl Fn(&Device) -> Option<String>,
    out: &mut impl Write,
    end: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let likeness = args.like.unwrap_or(Likeness::Gam182);
    let firmware = args.firmware.as_deref().unwrap_or(likeness.firmware());
    let mut specs = specs(
        inventory,
        firmware,
        |device| {
            if args.blank { None } else { initial(device) }
        },
    )?;
    for spec in &mut specs {
        likeness.apply(spec);
    }
    let options = FleetOptions {
        state_dir: args.state.clone(),
    };
    let (systems, notes) = billing::start(&args.beside, inventory).await?;
    let fleet = Fleet::start(specs, options).await?;
    for fault in likeness.faults() {
        fleet.devices().for_each(|device| device.set_fault(fault.clone()));
    }
    let simulation = Arc::new(Simulation {
        fleet,
        billing: systems,
    });
    let control = match &args.control {
        Some(path) => Some(listen(path, Arc::clone(&simulation)).await?),
        None => None,
    };
    for note in notes {
        super::say(&format!("note: {note}"));
    }
    write_table(&simulation.fleet, out).context("could not write the table of devices")?;
    let described = billing::described(&args.beside, &simulation.billing, args.control.as_deref());
    (out.write_all(described.as_bytes()))
        .and_then(|()| out.flush())
        .context("could not write where billing systems are")?;
    let ended = end.await;
    if let (Some(task), Some(path)) = (control, &args.control) {
        task.abort();
        // Gone already is as good as removed.
        let _ = std::fs::remove_file(path);
    }
    ended
}

/// Prints names, models and addresses, and how many devices are up.
///
/// # Errors
///
/// Those of `out`.
pub fn write_table(fleet: &Fleet, out: &mut impl Write) -> std::io::Result<()> {
    let header = ["DEVICE", "MODEL", "SSH", "SNMP"].map(str::to_owned);
    let rows: Vec<[String; 4]> = fleet
        .devices()
        .map(|device| {
            let spec = device.spec();
            [
                spec.name.clone(),
                spec.model.name.to_owned(),
                device.ssh_addr().to_string(),
                device.snmp_addr().to_string(),
            ]
        })
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let [device, model, ssh] = [width(0), width(1), width(2)];
    for row in std::iter::once(&header).chain(&rows) {
        writeln!(
            out,
            "{:device$}  {:model$}  {:ssh$}  {}",
            row[0], row[1], row[2], row[3]
        )?;
    }
    match rows.len() {
        1 => writeln!(out, "1 device is up")?,
        count => writeln!(out, "{count} devices are up")?,
    }
    out.flush()
}

async fn stopped() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("could not wait for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("could not wait for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

/// Serves the control protocol on a Unix socket. A socket that nobody listens on any more is replaced.
///
/// # Errors
///
/// A path that is in use or cannot be made.
pub async fn listen(path: &Path, simulation: Arc<Simulation>) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    if UnixStream::connect(path).await.is_ok() {
        bail!("another simulator listens on {}", path.display());
    }
    if std::fs::symlink_metadata(path).is_ok_and(|found| is_socket(&found)) {
        std::fs::remove_file(path).with_context(|| format!("could not replace {}", path.display()))?;
    }
    let listener = UnixListener::bind(path).with_context(|| format!("could not listen on {}", path.display()))?;
    Ok(tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&simulation)));
        }
    }))
}

fn is_socket(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    found.file_type().is_socket()
}

async fn serve(stream: UnixStream, simulation: Arc<Simulation>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = simulation.control(&line).await;
        if write.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
