//! `gamops simulate-control`: gives orders to a running simulator.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::domain::{MacAddr, PortNumber};
use crate::sim::{EndpointModel, Fault, Request};

/// Gives an order to a simulated device.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  gamops simulate-control /tmp/sim.sock maple-a execute 'ghn subscriber 3 vid 300'\n  \
                  gamops simulate-control /tmp/sim.sock maple-a fault drop at=3 when=before of=configuration\n  \
                  gamops simulate-control /tmp/sim.sock maple-a reboot"
)]
pub struct SimulateControlArgs {
    /// The socket that `gamops simulate --control` listens on.
    #[arg(value_name = "SOCKET")]
    pub socket: PathBuf,
    /// Name of the device: its key in the inventory.
    #[arg(value_name = "DEVICE")]
    pub device: String,
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What a simulated device can be told to do.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Action {
    /// Print the running configuration.
    RunningConfig,
    /// Print the startup configuration.
    StartupConfig,
    /// Run command lines as somebody else would from a session of their own.
    Execute {
        /// One line each.
        #[arg(required = true, value_name = "LINE")]
        lines: Vec<String>,
    },
    /// Misbehave: slow, drop, reboot, refuse, ignore, alter, garbage, hang, hold, typing, pieces, snmp-silence,
    /// refuse-logins or sessions-taken.
    Fault {
        /// Kind of fault.
        #[arg(value_name = "KIND")]
        kind: String,
        /// Its settings, such as `at=3`, `when=before` or `millis=200`.
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Behave again.
    ClearFaults,
    /// Connect an endpoint to a port.
    Plug {
        /// Endpoint.
        #[arg(value_name = "MAC")]
        mac: MacAddr,
        /// G.hn port.
        #[arg(value_name = "PORT")]
        port: u64,
        /// Its model, such as `G1002-C+`, or `unknown` for one that the device does not know.
        #[arg(long, value_name = "MODEL", value_parser = endpoint_model)]
        model: Option<EndpointModel>,
    },
    /// Disconnect an endpoint.
    Unplug {
        /// Endpoint.
        #[arg(value_name = "MAC")]
        mac: MacAddr,
    },
    /// Restart; what was not saved is gone.
    Reboot,
    /// Print what has happened so far, as JSON.
    Counters,
}

impl SimulateControlArgs {
    /// The request that the arguments stand for.
    ///
    /// # Errors
    ///
    /// Settings that are no fault's, or a port out of range. The operator's fault.
    pub fn request(&self) -> anyhow::Result<Request> {
        let device = self.device.clone();
        Ok(match &self.action {
            Action::RunningConfig => Request::RunningConfig { device },
            Action::StartupConfig => Request::StartupConfig { device },
            Action::Execute { lines } => Request::Execute {
                device,
                lines: lines.join("\n"),
            },
            Action::Fault { kind, settings } => Request::Fault {
                device,
                fault: fault(kind, settings)?,
            },
            Action::ClearFaults => Request::ClearFaults { device },
            Action::Plug { mac, port, model } => Request::Plug {
                device,
                mac: *mac,
                port: PortNumber::try_from(*port)?,
                model: *model,
            },
            Action::Unplug { mac } => Request::Unplug { device, mac: *mac },
            Action::Reboot => Request::Reboot { device },
            Action::Counters => Request::Counters { device },
        })
    }
}

/// Reads a model of endpoint: the words of the JSON form.
fn endpoint_model(text: &str) -> Result<EndpointModel, serde_json::Error> {
    serde_json::from_value(Value::from(text))
}

/// Reads `drop at=3 when=before`: the words of the JSON form.
fn fault(kind: &str, settings: &[String]) -> anyhow::Result<Fault> {
    let mut object = serde_json::Map::from_iter([("fault".to_owned(), kind.into())]);
    for setting in settings {
        let (key, value) = setting
            .split_once('=')
            .with_context(|| format!("`{setting}` is not of the form KEY=VALUE"))?;
        let value = match value.parse::<u64>() {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(value),
        };
        object.insert(key.replace('-', "_"), value);
    }
    serde_json::from_value(Value::Object(object)).with_context(|| format!("could not read the fault `{kind}`"))
}

/// Sends the order and prints what comes of it.
///
/// # Errors
///
/// A socket that nobody listens on, and whatever the simulator refuses.
pub async fn run(args: &SimulateControlArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let request = serde_json::to_string(&args.request()?).context("could not write the request")?;
    let path = args.socket.display();
    let stream = UnixStream::connect(&args.socket)
        .await
        .with_context(|| format!("could not reach a simulator at {path}"))?;
    let (read, mut write) = stream.into_split();
    write
        .write_all(format!("{request}\n").as_bytes())
        .await
        .with_context(|| format!("could not send to the simulator at {path}"))?;
    let answer = BufReader::new(read)
        .lines()
        .next_line()
        .await
        .with_context(|| format!("could not read the answer of the simulator at {path}"))?
        .with_context(|| format!("the simulator at {path} did not answer"))?;
    let answer: Value =
        serde_json::from_str(&answer).with_context(|| format!("the simulator at {path} did not answer in JSON"))?;
    if answer["ok"] != true {
        bail!("{}", answer["error"].as_str().unwrap_or("the simulator refused"));
    }
    match &answer["result"] {
        Value::Null => {}
        Value::String(text) => write!(out, "{text}")?,
        other => writeln!(out, "{other:#}")?,
    }
    Ok(out.flush()?)
}
