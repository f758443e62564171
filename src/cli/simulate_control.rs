//! `gamops simulate-control`: gives orders to a running simulator.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::domain::{BillingKind, MacAddr, PortNumber};
use crate::sim::billing::{NewCustomer, Order, Trouble};
use crate::sim::{EndpointModel, Fault, Request};

/// Gives an order to a simulated device, or does something in a simulated billing system.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  gamops simulate-control /tmp/sim.sock maple-a execute 'ghn subscriber 3 vid 300'
  gamops simulate-control /tmp/sim.sock maple-a fault drop at=3 when=before of=configuration
  gamops simulate-control /tmp/sim.sock maple-a reboot

  gamops simulate-control /tmp/sim.sock splynx accounts
  gamops simulate-control /tmp/sim.sock splynx suspend 1001
  gamops simulate-control /tmp/sim.sock splynx add 'Grace Hopper' 2 --equipment 00:0e:d8:2b:00:04 --city 'Elm Park'
  gamops simulate-control /tmp/sim.sock splynx fault status=502 list=customers times=3
  gamops simulate-control /tmp/sim.sock sonar fault empty-book")]
pub struct SimulateControlArgs {
    /// The socket that `gamops simulate --control` listens on.
    #[arg(value_name = "SOCKET")]
    pub socket: PathBuf,
    /// Who: a device, by its key in the inventory, or a billing system, `splynx` or `sonar`.
    #[arg(value_name = "DEVICE|SYSTEM")]
    pub device: String,
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What a simulated device can be told to do, and what can be done in a simulated billing system.
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
    /// Misbehave. A device: slow, drop, reboot, refuse, ignore, alter, garbage, hang, hold, typing, pieces, snmp-silence,
    /// refuse-logins or sessions-taken. A billing system: empty-book, and what it names where there is no such fault.
    Fault {
        /// Kind of fault; of a billing system perhaps with a number, such as `status=502`.
        #[arg(value_name = "KIND")]
        kind: String,
        /// Its settings, such as `at=3`, `when=before` or `millis=200`; of a billing system `after=REQUESTS`, `times=REQUESTS`
        /// and, for Splynx, `list=customers`.
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
    /// Billing: print all accounts with their services and equipment.
    Accounts,
    /// Billing: the account does not pay (Splynx: blocked; Sonar: status Suspended).
    Suspend {
        /// The account.
        #[arg(value_name = "ACCOUNT")]
        account: u64,
    },
    /// Billing: the account works again.
    Restore {
        /// The account.
        #[arg(value_name = "ACCOUNT")]
        account: u64,
    },
    /// Billing: the account leaves for good (Splynx: inactive; Sonar: disconnected).
    Leave {
        /// The account.
        #[arg(value_name = "ACCOUNT")]
        account: u64,
    },
    /// Billing: a new customer, with a service; prints the ids.
    Add(AddArgs),
    /// Billing: another plan, which is another service; prints its id.
    ChangePlan {
        /// The service that there is.
        #[arg(value_name = "SERVICE")]
        service: u64,
        /// The id of what is bought from now on.
        #[arg(value_name = "OFFER")]
        offer: u64,
    },
    /// Billing: a service ends (Splynx: disabled; Sonar: removed, as if it had never been).
    EndService {
        /// The service.
        #[arg(value_name = "SERVICE")]
        service: u64,
    },
}

/// A customer who moves in.
#[derive(Debug, Clone, clap::Args)]
pub struct AddArgs {
    /// The customer's name.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The id of what is bought.
    #[arg(value_name = "OFFER")]
    pub offer: u64,
    /// The MAC of the box that is handed out, in any form.
    #[arg(long, value_name = "MAC")]
    pub equipment: Option<String>,
    /// The account's id; the next free one unless said.
    #[arg(long, value_name = "ID")]
    pub account: Option<u64>,
    /// Street and number.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub street: String,
    /// Town.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub city: String,
    /// Postal code.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub zip: String,
}

impl SimulateControlArgs {
    /// The request that the arguments stand for.
    ///
    /// # Errors
    ///
    /// Settings that are no fault's, a port out of range, or something that only a device or only a billing system does. The
    /// operator's fault.
    pub fn request(&self) -> anyhow::Result<Request> {
        if let Some(system) = BillingKind::ALL.into_iter().find(|kind| kind.key() == self.device) {
            let order = self.order()?;
            return Ok(Request::Billing { system, order });
        }
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
            Action::Accounts
            | Action::Suspend { .. }
            | Action::Restore { .. }
            | Action::Leave { .. }
            | Action::Add(_)
            | Action::ChangePlan { .. }
            | Action::EndService { .. } => {
                bail!("that is done in a billing system, and `{device}` is none: say `splynx` or `sonar`")
            }
        })
    }

    /// What is to be done in a billing system.
    fn order(&self) -> anyhow::Result<Order> {
        Ok(match &self.action {
            Action::Accounts => Order::Accounts,
            Action::Suspend { account } => Order::Suspend { account: *account },
            Action::Restore { account } => Order::Restore { account: *account },
            Action::Leave { account } => Order::Leave { account: *account },
            Action::Add(new) => Order::Add(NewCustomer {
                account: new.account,
                name: new.name.clone(),
                street: new.street.clone(),
                city: new.city.clone(),
                zip: new.zip.clone(),
                offer: new.offer,
                equipment: new.equipment.clone(),
            }),
            Action::ChangePlan { service, offer } => Order::ChangePlan {
                service: *service,
                offer: *offer,
            },
            Action::EndService { service } => Order::EndService { service: *service },
            Action::Fault { kind, settings } => Order::Fault(trouble(kind, settings)?),
            Action::ClearFaults => Order::ClearFaults,
            Action::RunningConfig
            | Action::StartupConfig
            | Action::Execute { .. }
            | Action::Plug { .. }
            | Action::Unplug { .. }
            | Action::Reboot
            | Action::Counters => bail!("a device does that, and `{}` is a billing system", self.device),
        })
    }
}

/// Reads a model of endpoint: the words of the JSON form.
fn endpoint_model(text: &str) -> Result<EndpointModel, serde_json::Error> {
    serde_json::from_value(Value::from(text))
}

/// Reads `drop at=3 when=before`: the words of the JSON form.
fn fault(kind: &str, settings: &[String]) -> anyhow::Result<Fault> {
    worded(kind.into(), settings).with_context(|| format!("could not read the fault `{kind}`"))
}

/// Reads `status=502 list=customers times=3`: the words of the JSON form. Which faults there are is known to each system.
fn trouble(kind: &str, settings: &[String]) -> anyhow::Result<Trouble> {
    let fault = match kind.split_once('=') {
        Some((name, number)) => Value::from_iter([(name, word(number))]),
        None => kind.into(),
    };
    worded(fault, settings).with_context(|| format!("could not read the fault `{kind}`"))
}

/// Puts a fault together from its kind and settings of the form `KEY=VALUE`.
fn worded<T: DeserializeOwned>(kind: Value, settings: &[String]) -> anyhow::Result<T> {
    let mut object = serde_json::Map::from_iter([("fault".to_owned(), kind)]);
    for setting in settings {
        let (key, value) = setting
            .split_once('=')
            .with_context(|| format!("`{setting}` is not of the form KEY=VALUE"))?;
        object.insert(key.replace('-', "_"), word(value));
    }
    Ok(serde_json::from_value(Value::Object(object))?)
}

/// A number where it is one, else a text.
fn word(text: &str) -> Value {
    match text.parse::<u64>() {
        Ok(number) => Value::from(number),
        Err(_) => Value::from(text),
    }
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
