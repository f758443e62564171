//! `gamops status` and `gamops reconcile`.

use anyhow::Context as _;
use comfy_table::{Table, presets};

use crate::daemon::status::Status;
use crate::plan::count;
use crate::transport::http::{Http, Method, Request};

use super::exit::Exit;
use super::{answer, say};

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
  gamops status --daemon http://noc1:9105 --format json")]
pub(super) struct StatusArgs {
    #[command(flatten)]
    daemon: DaemonArgs,

    /// How to print it.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    format: Format,
}

/// Have the daemon look at the repository and at every device now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  gamops reconcile --daemon http://127.0.0.1:9105")]
pub(super) struct ReconcileArgs {
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
    let text = ask(&args.daemon, Method::Get, "status").await?;
    let status: Status = serde_json::from_str(&text).context("what answers is no gamops daemon of this version")?;
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
        && status.guarded.is_empty();
    Ok(if is_well { Exit::Done } else { Exit::Failed })
}

pub(super) async fn reconcile(args: ReconcileArgs) -> anyhow::Result<Exit> {
    ask(&args.daemon, Method::Post, "reconcile").await?;
    say("The daemon looks at the repository and at every device now; `gamops status` shows what it finds.");
    Ok(Exit::Done)
}

async fn ask(daemon: &DaemonArgs, method: Method, page: &str) -> anyhow::Result<String> {
    let url = format!("{}/{page}", daemon.daemon.trim_end_matches('/'));
    let request = Request {
        method,
        url: url.clone(),
        called: None,
        headers: Vec::new(),
        basic: None,
        body: Vec::new(),
    };
    let no_daemon = "no daemon answers; is it running, with `http.listen` in its settings?";
    let mut reply = Http::new(None)?.send(request).await.context(no_daemon)?;
    let mut body = Vec::new();
    while let Some(bytes) = reply.chunk().await? {
        body.extend(bytes);
    }
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
        lines.push(format!(
            "NOT VALID since {:.0}: {commit} changes nothing\n{}",
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
            standing.state.word().to_owned(),
            standing.since.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            standing.commit.clone().unwrap_or_default(),
            standing.state.detail(),
        ]);
    }
    out.extend(
        table
            .lines()
            .map(|line| format!("{}\n", line.trim_end().strip_prefix(' ').unwrap_or(&line))),
    );
    let fine = status
        .devices
        .values()
        .filter(|standing| standing.state.is_fine())
        .count();
    out.push_str(&format!("\n{fine} of {} fine\n", count(status.devices.len(), "device")));
    out
}
