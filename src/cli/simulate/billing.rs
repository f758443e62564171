//! `gamops simulate --billing`: billing systems beside the devices.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, anyhow, bail};

use crate::diagnostic::SourceFile;
use crate::domain::BillingKind;
use crate::inventory::model::Inventory;
use crate::plan::count;
use crate::sim::billing::{HOOK_SECRET, Opening, Systems};
use crate::sim::{sonar, splynx};

use super::customers::customers_of;
use super::seed;

/// Billing systems beside the devices.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct BillingArgs {
    /// Simulate a billing system as well: `splynx`, at 127.0.0.1:18001, or `sonar`, at 127.0.0.1:18002; or one at another address,
    /// such as `splynx=127.0.0.1:8080`. Customers that agree with the inventory are in it: one for each subscriber with
    /// `external`. Several with commas in between.
    #[arg(long, value_name = "SYSTEM[=ADDRESS]", value_delimiter = ',')]
    pub billing: Vec<Beside>,
    /// Have these customers in each of them instead: a file like inventory-billing/seed.yaml.
    #[arg(long, value_name = "FILE", requires = "billing")]
    pub billing_seed: Option<PathBuf>,
    /// Call the webhooks of the daemon that serves its pages here, such as `http://127.0.0.1:9105`, whenever something changes.
    #[arg(long, value_name = "URL", requires = "billing", value_parser = daemon)]
    pub billing_webhook: Option<String>,
}

/// A billing system, and where it is to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    kind: BillingKind,
    address: SocketAddr,
}

impl FromStr for Beside {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, address) = match text.split_once('=') {
            Some((name, address)) => (name, Some(address)),
            None => (text, None),
        };
        let kind = BillingKind::ALL.into_iter().find(|kind| kind.key() == name);
        let kind = kind.ok_or_else(|| format!("`{name}` is no billing system: it is `splynx` or `sonar`"))?;
        let port = match kind {
            BillingKind::Splynx => 18001,
            BillingKind::Sonar => 18002,
        };
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let address = address.map_or(Ok(usual), |address| {
            let wrong = |_| format!("`{address}` is no address and port, such as 127.0.0.1:{port}");
            address.parse().map_err(wrong)
        })?;
        Ok(Self { kind, address })
    }
}

/// The address of a daemon's pages. Simulated systems speak plain HTTP.
fn daemon(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    match host {
        Some(host) if !host.is_empty() && !host.contains('/') => Ok(format!("http://{host}")),
        _ => Err("it is the address of the daemon's pages without a path, such as http://127.0.0.1:9105".to_owned()),
    }
}

/// The systems that are asked for, running, and what an operator should know of them.
///
/// # Errors
///
/// A seed that cannot be used, and an address that is taken. The operator's fault.
pub(super) async fn start(args: &BillingArgs, inventory: &Inventory) -> anyhow::Result<(Systems, Vec<String>)> {
    let seed = args.billing_seed.as_deref().map(read).transpose()?;
    let (mut systems, mut notes) = (Systems::default(), Vec::new());
    for Beside { kind, address } in &args.billing {
        if systems.running().any(|(running, _)| running == *kind) {
            bail!("`--billing` names {} twice; one of each is simulated", kind.key());
        }
        let opening = match &seed {
            Some(seed) => seed.clone(),
            None => {
                let (opening, odd) = customers_of(inventory, *kind);
                notes.extend(odd);
                opening
            }
        };
        (systems.start(*kind, &opening, *address).await).with_context(|| {
            let another = format!("`--billing {}=127.0.0.1:PORT` takes another", kind.key());
            format!("could not listen on {address} for a simulated {kind}; {another}")
        })?;
    }
    if let Some(daemon) = &args.billing_webhook {
        systems.knock(daemon);
    }
    Ok((systems, notes))
}

fn read(path: &Path) -> anyhow::Result<Opening> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading the seed {}", path.display()))?;
    let source = SourceFile {
        path: path.display().to_string(),
        text,
    };
    seed::read(&source).map_err(|wrong| anyhow!(wrong))
}

/// Where the systems are, and all that is needed to have gamops ask them and to change something in them.
pub(super) fn described(args: &BillingArgs, systems: &Systems, control: Option<&Path>) -> String {
    let rows: Vec<[String; 3]> = (systems.running())
        .map(|(kind, url)| {
            let accounts = systems.overview(kind);
            let services = accounts.iter().map(|account| account.services.len()).sum();
            let holds = format!("{}, {}", count(accounts.len(), "account"), count(services, "service"));
            [kind.to_string(), url, holds]
        })
        .collect();
    let mut text = String::new();
    if rows.is_empty() {
        return text;
    }
    let url_width = rows.iter().map(|row| row[1].len()).max().unwrap_or_default();
    let _ = writeln!(text, "\nBILLING  {:url_width$}  HOLDS", "ADDRESS");
    for [kind, url, holds] in &rows {
        let _ = writeln!(text, "{kind:7}  {url:url_width$}  {holds}");
    }
    text.push_str("\nIn the daemon's settings:\n  billing:\n");
    for (kind, url) in systems.running() {
        let key = kind.key();
        let _ = writeln!(
            text,
            "    {key}: {{url: \"{url}\", credentials: {key}, webhook: {{credentials: {key}-hook}}}}"
        );
    }
    text.push_str("and in its environment:\n");
    for (kind, _) in systems.running() {
        for (name, value) in environment(kind) {
            let _ = writeln!(text, "  export {name}={value}");
        }
    }
    match &args.billing_webhook {
        Some(daemon) => {
            let _ = writeln!(text, "Webhooks go to the daemon at {daemon}.");
        }
        None => text.push_str("No webhooks are sent: `--billing-webhook http://127.0.0.1:9105` names a daemon.\n"),
    }
    text.push_str("To change something, for example to suspend an account:\n");
    for (kind, url) in systems.running() {
        let first = systems.overview(kind).first().map(|account| account.account);
        let account = first.unwrap_or(1001);
        if let Some(socket) = control {
            let (socket, key) = (socket.display(), kind.key());
            let _ = writeln!(text, "  gamops simulate-control {socket} {key} suspend {account}");
        }
        let _ = writeln!(text, "  {}", curl(kind, &url, account));
    }
    if control.is_none() {
        text.push_str("`--control SOCKET` lets `gamops simulate-control` do the same, and more.\n");
    }
    text
}

/// The secrets that let gamops in, as it takes them from its environment.
fn environment(kind: BillingKind) -> Vec<(&'static str, &'static str)> {
    match kind {
        BillingKind::Splynx => vec![
            ("GAMOPS_CRED_SPLYNX_USERNAME", splynx::KEY),
            ("GAMOPS_CRED_SPLYNX_PASSWORD", splynx::SECRET),
            ("GAMOPS_CRED_SPLYNX_HOOK_PASSWORD", HOOK_SECRET),
        ],
        BillingKind::Sonar => vec![
            ("GAMOPS_CRED_SONAR_PASSWORD", sonar::TOKEN),
            ("GAMOPS_CRED_SONAR_HOOK_PASSWORD", HOOK_SECRET),
        ],
    }
}

/// How an account is suspended through the API that the real system has as well.
fn curl(kind: BillingKind, url: &str, account: u64) -> String {
    match kind {
        BillingKind::Splynx => format!(
            "curl -u {}:{} -X PUT {url}/api/2.0/admin/customers/customer/{account} -d '{{\"status\": \"blocked\"}}'",
            splynx::KEY,
            splynx::SECRET
        ),
        BillingKind::Sonar => format!(
            "curl -H 'Authorization: Bearer {}' {url}/api/graphql \
             -d '{{\"query\": \"mutation {{ updateAccount(id: {account}, input: {{account_status_id: 5}}) {{ id }} }}\"}}'",
            sonar::TOKEN
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_named_with_or_without_an_address() {
        let beside = |text: &str| {
            text.parse::<Beside>()
                .map(|beside| (beside.kind, beside.address.to_string()))
        };
        assert_eq!(
            beside("splynx"),
            Ok((BillingKind::Splynx, "127.0.0.1:18001".to_owned()))
        );
        assert_eq!(
            beside("sonar=[::1]:80"),
            Ok((BillingKind::Sonar, "[::1]:80".to_owned()))
        );
        assert!(beside("sage").unwrap_err().contains("`splynx` or `sonar`"));
        assert!(beside("sonar=80").unwrap_err().contains("127.0.0.1:18002"));
    }

    #[test]
    fn a_daemon_is_an_address_without_a_path() {
        assert_eq!(daemon("http://127.0.0.1:9105/"), Ok("http://127.0.0.1:9105".to_owned()));
        for wrong in [
            "https://noc1",
            "http://noc1/billing/splynx",
            "127.0.0.1:9105",
            "http://",
        ] {
            assert!(daemon(wrong).is_err(), "{wrong}");
        }
    }
}
