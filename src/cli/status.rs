//! `gamops status` and `gamops reconcile`.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use comfy_table::{Table, presets};

use crate::daemon::standing::IgnoredDrift;
use crate::daemon::status::Status;
use crate::plan::count;
use crate::transport::http::{Http, Method, Request};

use super::exit::Exit;
use super::{answer, billing, say};

/// Empties a terminal and begins at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Where the daemon is.
#[derive(Debug, Clone, clap::Args)]
struct DaemonArgs {
    /// Where the daemon serves its pages: `http.listen` of its settings.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9105",
        env = "GAMOPS_DAEMON"
    )]
    daemon: String,
}

/// Show what the daemon does, and how each device stands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops status
  gamops status --watch
  gamops status --daemon http://noc1:9105 --format json")]
pub(super) struct StatusArgs {
    #[command(flatten)]
    daemon: DaemonArgs,

    /// Go on, and print it again whenever something is different. As JSON, one document a line.
    #[arg(long)]
    watch: bool,

    /// How to print it.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    format: Format,
}

/// Have the daemon look at the repository and at every device now, or at some devices.
///
/// Devices that were left to people, and those that are waited for, are tried again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops reconcile
  gamops reconcile maple-a maple-b --daemon http://127.0.0.1:9105")]
pub(super) struct ReconcileArgs {
    /// Devices, by their keys in the inventory; the repository and all devices where none is named.
    #[arg(value_name = "DEVICE")]
    devices: Vec<String>,

    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

pub(super) async fn status(args: StatusArgs) -> anyhow::Result<Exit> {
    if args.watch {
        return watch(&args).await;
    }
    let (text, status) = look(&args.daemon).await?;
    match args.format {
        Format::Json => answer(&text),
        Format::Text => answer(&page(&status)),
    }
    let fine = status.devices.values().all(|standing| standing.state.is_fine());
    let is_published = status
        .publishing
        .as_ref()
        .is_none_or(|publishing| publishing.failing.is_none());
    let is_well = fine
        && is_published
        && status.untold.is_empty()
        && status.rejected.is_none()
        && status.unreachable.is_none()
        && status.guarded.is_empty()
        && status.billing.values().all(billing::is_well);
    Ok(if is_well { Exit::Done } else { Exit::Failed })
}

async fn look(daemon: &DaemonArgs) -> anyhow::Result<(String, Status)> {
    let text = ask(&daemon.daemon, Method::Get, "status", String::new()).await?;
    let status = serde_json::from_str(&text).context("what answers is no gamops daemon of this version")?;
    Ok((text, status))
}

/// Prints the status whenever it differs, until it is ended. A daemon that does not answer may be starting again.
async fn watch(args: &StatusArgs) -> anyhow::Result<Exit> {
    let is_terminal = std::io::stdout().is_terminal();
    let mut shown = None;
    loop {
        let now = match (look(&args.daemon).await, args.format) {
            (Ok((_, mut status)), Format::Json) => {
                // It differs each time, and says nothing new.
                status.alive = status.started;
                status.looked = None;
                serde_json::to_string(&status)? + "\n"
            }
            (Ok((_, status)), Format::Text) => page(&status),
            (Err(error), Format::Text) => format!("{error:#}\n"),
            (Err(error), Format::Json) => serde_json::json!({ "error": format!("{error:#}") }).to_string() + "\n",
        };
        if shown.as_ref() != Some(&now) {
            match (args.format, is_terminal) {
                (Format::Text, true) => answer(&format!("{CLEAR}{now}")),
                (Format::Text, false) => answer(&format!("{now}\n")),
                (Format::Json, _) => answer(&now),
            }
            shown = Some(now);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
        }
    }
}

pub(super) async fn reconcile(args: ReconcileArgs) -> anyhow::Result<Exit> {
    ask(&args.daemon.daemon, Method::Post, "reconcile", args.devices.join("\n")).await?;
    match args.devices.as_slice() {
        [] => say("The daemon looks at the repository and at every device now; `gamops status` shows what it finds."),
        devices => say(&format!(
            "The daemon looks at {} now; `gamops status` shows what it finds.",
            devices.join(", ")
        )),
    }
    Ok(Exit::Done)
}

/// Asks a daemon for a page, by the address that it serves them at.
pub(super) async fn ask(daemon: &str, method: Method, page: &str, body: String) -> anyhow::Result<String> {
    let url = format!("{}/{page}", daemon.trim_end_matches('/'));
    let request = Request {
        method,
        url: url.clone(),
        called: None,
        headers: Vec::new(),
        token: None,
        basic: None,
        body: body.into_bytes(),
    };
    let no_daemon = "no daemon answers; is it running, with `http.listen` in its settings?";
    let mut reply = Http::new(None)?.send(request).await.context(no_daemon)?;
    let body = reply.body(usize::MAX).await?;
    let text = String::from_utf8(body).with_context(|| format!("{url} sent no text"))?;
    anyhow::ensure!(
        (200..300).contains(&reply.status()),
        "{url} answered with status {}: {}",
        reply.status(),
        text.trim()
    );
    Ok(text)
}

/// The status for people.
fn page(status: &Status) -> String {
    let mut lines = vec![format!("Follows {} (gamops {})", status.repository, status.version)];
    match &status.in_force {
        Some(force) => lines.push(format!(
            "In force: inventory `{}`{}, since {:.0}",
            force.inventory,
            force
                .commit
                .as_deref()
                .map(|commit| format!(" at commit {commit}"))
                .unwrap_or_default(),
            force.since
        )),
        None => lines.push("In force: nothing yet".to_owned()),
    }
    if let Some(rejected) = &status.rejected {
        let commit = rejected.commit.as_deref().unwrap_or("the folder as it is");
        let stale = status.in_force.as_ref().filter(|force| force.commit == rejected.commit);
        let what = match stale
            .map(|force| force.stale.join(", "))
            .filter(|stale| !stale.is_empty())
        {
            Some(stale) => format!("{commit} is in force but for {stale}; devices that this is about are left alone"),
            None => format!("{commit} changes nothing"),
        };
        lines.push(format!(
            "NOT VALID since {:.0}: {what}\n{}",
            rejected.since,
            rejected.reason.trim_end()
        ));
    }
    if let Some(unreachable) = &status.unreachable {
        lines.push(format!(
            "REPOSITORY NOT REACHED since {:.0}: {}",
            unreachable.since, unreachable.reason
        ));
    }
    let failing = status
        .publishing
        .as_ref()
        .and_then(|publishing| publishing.failing.as_ref());
    lines.extend(failing.map(|failing| {
        format!(
            "OBSERVED STATE NOT PUBLISHED since {:.0}: {}",
            failing.since, failing.reason
        )
    }));
    lines.extend(status.guarded.iter().map(|refusal| format!("REFUSED: {refusal}")));
    lines.extend((status.untold.iter()).map(|(channel, refused)| {
        format!(
            "NOT TOLD since {:.0}: channel `{channel}`: {}",
            refused.since, refused.reason
        )
    }));
    lines.extend(status.lapsed.iter().map(|rule| format!("RULE ENDED: {rule}")));
    lines.extend(
        status
            .billing
            .iter()
            .flat_map(|(kind, billed)| billing::lines(*kind, billed)),
    );
    if let Some(doing) = &status.doing {
        lines.push(format!("Now: {doing}"));
    }
    let mut out = lines.join("\n");
    out.push_str("\n\n");
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["DEVICE", "STATE", "SINCE (UTC)", "COMMIT", "WHAT"]);
    for (device, standing) in &status.devices {
        table.add_row([
            device.clone(),
            standing.doing.as_deref().unwrap_or(standing.state.word()).to_owned(),
            standing.since.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            standing.commit.clone().unwrap_or_default(),
            standing.detail(),
        ]);
    }
    out.extend(
        table
            .lines()
            .map(|line| format!("{}\n", line.trim_end().strip_prefix(' ').unwrap_or(&line))),
    );
    let ignored: Vec<String> = (status.devices.iter())
        .flat_map(|(device, standing)| standing.ignored.iter().map(move |ignored| (device, ignored)))
        .map(|(device, ignored)| {
            let IgnoredDrift { what, reason, ends, .. } = ignored;
            format!("  {device}/{what} until {ends}: {reason}\n")
        })
        .collect();
    if !ignored.is_empty() {
        out.push_str("\nDrift that is ignored, as the inventory says:\n");
        out.extend(ignored);
    }
    let fine = status
        .devices
        .values()
        .filter(|standing| standing.state.is_fine())
        .count();
    out.push_str(&format!("\n{fine} of {} fine\n", count(status.devices.len(), "device")));
    out
}
