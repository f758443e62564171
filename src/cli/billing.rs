//! `gamops billing`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use serde::Serialize;

use crate::billing::report::Report;
use crate::billing::{Allowance, Allowed, Scope, Why};
use crate::clerk::{Clerk, Commit, Desk, Order, Outcome, Proposed, inventory_at};
use crate::daemon::Places;
use crate::daemon::billing::{Billed, desk, mirror_beside};
use crate::daemon::settings::Settings;
use crate::domain::BillingKind;
use crate::plan::count;
use crate::repo::remote::Mirror;
use crate::repo::shortened;
use crate::store::Store;
use crate::transport::credentials::Keyring;

use super::exit::Exit;
use super::settings::state_folder;
use super::{answer, say};

/// What billing systems ask of the inventory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops billing status --settings daemon.yaml
  gamops billing sync --settings daemon.yaml --system splynx --account 1001
  gamops billing sync --settings daemon.yaml --allow suspend=37")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Sync(SyncArgs),
    Status(StatusArgs),
}

/// Show where billing and the inventory are not of one mind: the daily reconciliation.
///
/// Asks billing systems anew; nothing is written and no device is reached. Ends with 4 where a limit holds something back or a system
/// is not believed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops billing status --settings daemon.yaml
  gamops billing status --settings daemon.yaml --format csv > billing.csv")]
struct StatusArgs {
    #[command(flatten)]
    at: AtArgs,

    /// How to print it.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    format: TableFormat,
}

/// Look at billing systems now, and commit what they ask of the inventory.
///
/// Does what the daemon does from time to time and when it is told to; both can be done side by side. No device is reached: what
/// is committed comes into force as anybody's commit does.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops billing sync --settings daemon.yaml --dry-run
  gamops billing sync --settings daemon.yaml --allow suspend=37")]
struct SyncArgs {
    #[command(flatten)]
    at: AtArgs,

    /// Say what would be committed, and commit nothing.
    #[arg(long)]
    dry_run: bool,

    /// Only these accounts, by their ids in billing; everything unless said.
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,

    /// Let a limit be exceeded this time, up to the number that it named: `suspend=37`.
    #[arg(long = "allow", value_name = "WHAT=NUMBER")]
    allow: Vec<Allowance>,

    /// How to print it.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    format: Format,
}

/// Which systems, and how they are reached.
#[derive(Debug, clap::Args)]
struct AtArgs {
    /// The daemon's settings, which say how systems and the repository are reached.
    #[arg(long, value_name = "FILE", env = "GAMOPS_DAEMON_SETTINGS")]
    settings: PathBuf,

    /// Only this system.
    #[arg(long, value_name = "SYSTEM", value_parser = system)]
    system: Option<BillingKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum TableFormat {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
    /// For spreadsheets.
    Csv,
}

fn system(text: &str) -> Result<BillingKind, String> {
    let mut known = BillingKind::ALL.into_iter();
    (known.find(|kind| kind.key() == text)).ok_or_else(|| "it is `splynx` or `sonar`".to_owned())
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    match args.what {
        What::Sync(args) => sync(args).await,
        What::Status(args) => status(args).await,
    }
}

/// A clerk, and where it works.
struct Office {
    clerk: Clerk,
    desk: Desk,
}

/// The clerks of the systems that are meant.
async fn offices(args: &AtArgs) -> anyhow::Result<Option<Vec<(BillingKind, Office)>>> {
    let Some(settings) = super::daemon::read(&args.settings)? else {
        return Ok(None);
    };
    let Some(billing) = &settings.billing else {
        return Err(anyhow!("{} has no `billing`", args.settings.display()));
    };
    if let Some(system) = args.system
        && billing.system(system).is_none()
    {
        return Err(anyhow!("{} has no `billing.{}`", args.settings.display(), system.key()));
    }
    let places = Places(state_folder()?);
    let path = mirror_beside(&places.mirror(&settings));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let mirror = Mirror::open(&path)?;
    let keyring = Keyring::from_environment()?;
    let mut offices = Vec::new();
    let kinds = billing.systems().map(|(kind, _)| kind);
    for kind in kinds.filter(|kind| args.system.is_none_or(|system| system == *kind)) {
        let desk = desk(&settings, &mirror, kind, &keyring).map_err(|what| anyhow!("{kind}: {what}"))?;
        let store = store(&settings, &places, &desk).await?;
        let clerk = Clerk::new(kind, store, usize::from(billing.one_by_one));
        offices.push((kind, Office { clerk, desk }));
    }
    Ok(Some(offices))
}

/// The state database of the inventory that is written to.
async fn store(settings: &Settings, places: &Places, desk: &Desk) -> anyhow::Result<Store> {
    let inventory = inventory_at(desk).await?;
    Ok(Store::open(&places.state(settings, &inventory))?)
}

async fn sync(args: SyncArgs) -> anyhow::Result<Exit> {
    let accounts: BTreeSet<String> = args.accounts.iter().cloned().collect();
    let order = Order {
        scope: if accounts.is_empty() {
            Scope::Everything
        } else {
            Scope::Accounts(accounts)
        },
        event: format!("sync by {}", super::actor()),
        allowed: args.allow.iter().copied().collect(),
        is_dry: args.dry_run,
        seen: Vec::new(),
    };
    let Some((done, exit)) = carry_out(&args.at, &order).await? else {
        return Ok(Exit::Invalid);
    };
    match args.format {
        Format::Text => answer(&done.iter().map(text).collect::<String>()),
        Format::Json => answer(&json(&done.iter().map(Document::of).collect::<Vec<_>>())?),
    }
    Ok(exit)
}

async fn status(args: StatusArgs) -> anyhow::Result<Exit> {
    let order = Order {
        scope: Scope::Everything,
        event: "status".to_owned(),
        allowed: Allowed::default(),
        is_dry: true,
        seen: Vec::new(),
    };
    let Some((done, exit)) = carry_out(&args.at, &order).await? else {
        return Ok(Exit::Invalid);
    };
    let reports: Vec<&Report> = done.iter().filter_map(|outcome| outcome.report.as_ref()).collect();
    match args.format {
        TableFormat::Text => answer(
            &reports
                .iter()
                .map(|report| report.text())
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        TableFormat::Json => answer(&json(&reports)?),
        TableFormat::Csv => answer(&reports.iter().map(|report| report.csv()).collect::<String>()),
    }
    Ok(exit)
}

fn json<T: Serialize>(documents: &T) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(documents)? + "\n")
}

/// Has every clerk do the same. Whom that failed with is said, and the others are done all the same.
async fn carry_out(at: &AtArgs, order: &Order) -> anyhow::Result<Option<(Vec<Outcome>, Exit)>> {
    let Some(offices) = offices(at).await? else {
        return Ok(None);
    };
    let (mut exit, mut failed) = (Exit::Done, false);
    let mut done = Vec::new();
    for (kind, office) in &offices {
        match office.clerk.sync(&office.desk, order).await {
            Ok(outcome) => {
                let is_distrusted = outcome.report.as_ref().is_some_and(|report| report.distrust.is_some());
                if is_distrusted || outcome.open.iter().any(|open| open.why == Why::Refused) {
                    exit = exit.max(Exit::Refused);
                }
                done.push(outcome);
            }
            Err(error) => {
                say(&format!("error: {kind}: {:#}", anyhow::Error::new(error)));
                failed = true;
            }
        }
    }
    // What failed goes first: nobody knows what it would have been.
    Ok(Some((done, if failed { Exit::Failed } else { exit })))
}

/// How it stands with a billing system, for `gamops status`.
pub(super) fn lines(kind: BillingKind, billed: &Billed) -> Vec<String> {
    let mut first = match billed.swept {
        None => format!("{kind}: not looked at yet"),
        Some(swept) => format!(
            "{kind}: {}, {}, looked at {swept:.0}",
            count(billed.accounts, "account"),
            count(billed.services, "service")
        ),
    };
    let open: Vec<String> = (billed.open.iter())
        .map(|(why, number)| format!("{number} {}", why.words()))
        .collect();
    if !open.is_empty() {
        let _ = write!(first, "; {} (`gamops billing status` names them)", open.join(", "));
    }
    let mut lines = vec![first];
    let name = kind.to_string().to_uppercase();
    let troubles = [
        ("NOT ASKED", &billed.failing),
        ("NOT WRITTEN", &billed.unwritten),
        ("NOT BELIEVED", &billed.distrusted),
        ("CLOCK NOT SURE", &billed.clock),
    ];
    for (what, trouble) in troubles {
        lines.extend(
            trouble
                .iter()
                .map(|trouble| format!("{name} {what} since {:.0}: {}", trouble.since, trouble.reason)),
        );
    }
    lines.extend(billed.refused.iter().map(|limit| format!("{name} REFUSED by {limit}")));
    if billed.waiting > 0 {
        lines.push(format!("{kind}: {} to be looked at", count(billed.waiting, "webhook")));
    }
    lines.extend(billed.proposals.iter().map(|proposed| {
        let more = more(proposed);
        format!("{kind}: proposed as {}: {}{more}", proposed.branch, proposed.subject)
    }));
    lines.extend(billed.last.iter().map(|last| {
        let commits = usize::try_from(billed.commits).unwrap_or(usize::MAX);
        let commits = count(commits, "commit");
        format!(
            "{kind}: {commits} since the daemon began, the last {}: {}",
            shortened(&last.id),
            last.subject
        )
    }));
    lines
}

/// Whether somebody should look at it.
pub(super) fn is_well(billed: &Billed) -> bool {
    let troubles = [&billed.failing, &billed.unwritten, &billed.distrusted, &billed.clock];
    let for_people = [Why::Question, Why::Conflict, Why::Refused];
    troubles.iter().all(|trouble| trouble.is_none()) && for_people.iter().all(|why| !billed.open.contains_key(why))
}

/// Where a proposal is looked at, and what is wrong with it, behind what else is said of it.
fn more(proposed: &Proposed) -> String {
    let more = [&proposed.page, &proposed.trouble].into_iter().flatten();
    more.map(|more| format!("; {more}")).collect()
}

/// What came of an order, for people.
fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    for Commit { id, subject, .. } in &outcome.commits {
        let _ = writeln!(text, "{}  {subject}", shortened(id));
    }
    for proposed in &outcome.proposals {
        let commit = proposed.commit.as_deref().unwrap_or("not there");
        let more = more(proposed);
        let _ = writeln!(
            text,
            "{commit}  proposed as {}: {}{more}",
            proposed.branch, proposed.subject
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.extend(outcome.report.iter().map(Report::text));
    text
}

/// The same for programs.
#[derive(Serialize)]
struct Document<'o> {
    run: &'o str,
    onto: Option<&'o str>,
    commits: &'o [Commit],
    proposals: &'o [Proposed],
    report: Option<&'o Report>,
}

impl<'o> Document<'o> {
    fn of(outcome: &'o Outcome) -> Self {
        Self {
            run: &outcome.run,
            onto: outcome.onto.as_deref(),
            commits: &outcome.commits,
            proposals: &outcome.proposals,
            report: outcome.report.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::status::Refused;

    #[test]
    fn how_it_stands_is_read_at_a_glance() {
        let mut billed = Billed::default();
        let mut pages = vec![lines(BillingKind::Sonar, &billed).join("\n")];
        assert!(is_well(&billed));
        let trouble = |reason: &str| {
            Some(Refused {
                commit: None,
                reason: reason.to_owned(),
                since: "2026-11-28T03:12:40Z".parse().unwrap(),
            })
        };
        billed.swept = Some("2026-11-28T03:10:00Z".parse().unwrap());
        (billed.accounts, billed.services) = (9_120, 9_518);
        billed.last = Some(Commit {
            id: "3f0c2d81aa4e7b6d5c4b3a2918f7e6d5c4b3a291".to_owned(),
            subject: "splynx: s-10442 suspended (customer blocked, service active)".to_owned(),
            accounts: BTreeSet::from(["1001".to_owned()]),
        });
        billed.commits = 12;
        billed.open = [(Why::NoSubscriber, 3)].into();
        pages.push(lines(BillingKind::Splynx, &billed).join("\n"));
        assert!(
            is_well(&billed),
            "a customer whose endpoint is not plugged in yet is no trouble"
        );
        billed.open.extend([(Why::Question, 2), (Why::Refused, 37)]);
        billed.refused =
            vec!["`limits.suspend`: 37 at once, and the limit is 20, or allow it with `--allow suspend=37`".to_owned()];
        billed.waiting = 4;
        billed.unwritten = trouble(
            "the inventory at 3f0c2d81aa4e is not valid (there is no plan `glod`); what billing says waits until it is",
        );
        billed.distrusted = trouble("Splynx tells of no service at all, and it told of 9518 the last time");
        billed.clock = trouble(
            "our clock says 2026-11-28T03:12:40Z and that of the billing system 2026-11-28T04:12:40Z: set the one that is wrong",
        );
        billed.proposals = vec![Proposed {
            branch: "gamops/billing/splynx/remove".to_owned(),
            commit: Some("0123456789ab".to_owned()),
            subject: "2 subscribers: 2 removed".to_owned(),
            page: Some("https://git.example.org/isp/network/pulls/7".to_owned()),
            trouble: None,
        }];
        pages.push(lines(BillingKind::Splynx, &billed).join("\n"));
        assert!(!is_well(&billed));
        billed = Billed::default();
        billed.failing = trouble(
            "https://isp.splynx.app/api/2.0/admin/tariffs/internet answered with status 503; it is asked again later",
        );
        pages.push(lines(BillingKind::Splynx, &billed).join("\n"));
        assert!(!is_well(&billed));
        insta::assert_snapshot!(pages.join("\n\n"));
    }
}
