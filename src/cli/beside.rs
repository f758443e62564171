//! `gamops apply` where a daemon looks after the inventory: through it, or in its place.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::TimeSpan;
use crate::reconcile::Context;
use crate::repo::work_tree;
use crate::store::{Errand, PauseOrder, Ran, RunningDaemon, Scope, Store, StoreError, Way};

use super::exit::Exit;
use super::{actor, answer, say};

/// How often it is looked how far the daemon is.
const GLANCE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, clap::Args)]
pub(super) struct TakeoverArgs {
    /// Where a daemon looks after the inventory: apply here and not through it, and have it leave the devices of this plan alone for
    /// so long, an hour unless said. `gamops resume DEVICE` gives one back earlier.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "1h")]
    takeover: Option<TimeSpan>,
}

/// Who changes the devices.
#[derive(Debug)]
pub(super) enum Beside {
    /// This command: no daemon looks after the inventory with this state database.
    Nobody,
    /// The daemon.
    Through(RunningDaemon),
    /// This command, and the daemon keeps its hands off for so long.
    InPlaceOf(RunningDaemon, TimeSpan),
}

impl Beside {
    /// Looks whether there is a daemon.
    pub(super) async fn find(context: &Context, args: &TakeoverArgs) -> Result<Self, StoreError> {
        let daemon = context.store.daemon(&context.inventory.id, Timestamp::now()).await?;
        Ok(match (daemon, args.takeover) {
            (None, None) => Self::Nobody,
            (None, Some(_)) => {
                say(
                    "note: no daemon looks after this inventory with this state database, so there is none to take over from",
                );
                Self::Nobody
            }
            (Some(daemon), None) => Self::Through(daemon),
            (Some(daemon), Some(span)) => Self::InPlaceOf(daemon, span),
        })
    }

    /// The daemon that it goes through.
    pub(super) const fn through(&self) -> Option<&RunningDaemon> {
        match self {
            Self::Through(daemon) => Some(daemon),
            Self::Nobody | Self::InPlaceOf(..) => None,
        }
    }

    /// Has the daemon leave devices alone, where they are taken over.
    pub(super) async fn take_over(&self, context: &Context, devices: &[String]) -> anyhow::Result<()> {
        let Self::InPlaceOf(daemon, span) = self else {
            return Ok(());
        };
        if devices.is_empty() {
            return Ok(());
        }
        let now = Timestamp::now();
        let until = now.checked_add(SignedDuration::from_secs(span.as_secs().into()))?;
        let order = PauseOrder {
            reason: "taken over with `gamops apply --takeover`".to_owned(),
            until: Some(until),
            by: actor(),
            since: now,
            of_daemon: true,
        };
        let scopes = devices.iter().cloned().map(Scope::Device).collect();
        context.store.pause(&context.inventory.id, scopes, order).await?;
        say(&format!(
            "{} leaves {} alone until {until:.0}; `gamops resume {}` ends that.",
            daemon.who,
            devices.join(", "),
            devices.join(" ")
        ));
        Ok(())
    }
}

/// What there is to order, once it is known that the daemon would apply the same. Otherwise why not, and the exit code is the answer.
/// `unheard`: options that it would not hear of.
pub(super) fn commit(
    path: &Path,
    daemon: &RunningDaemon,
    unheard: &[&str],
) -> anyhow::Result<Result<Option<String>, Exit>> {
    let follows = match &daemon.branch {
        Some(branch) => format!("branch {branch} of {}", daemon.follows),
        None => daemon.follows.clone(),
    };
    let refuse = |message: String, help: &str| {
        say(&format!(
            "error: {message}\n  {} (process {}) looks after this inventory and applies what {follows} says\n  help: {help}, or apply in its place with `--takeover`",
            daemon.who, daemon.pid
        ));
        Ok(Err(Exit::Refused))
    };
    if !unheard.is_empty() {
        return refuse(
            format!("the daemon cannot be told {}", unheard.join(", ")),
            "leave that out",
        );
    }
    let Some(branch) = &daemon.branch else {
        let same = path.canonicalize().ok().is_some_and(|path| {
            Path::new(&daemon.follows)
                .canonicalize()
                .is_ok_and(|folder| folder == path)
        });
        return match same {
            true => Ok(Ok(None)),
            false => refuse(
                format!("{} is another folder", path.display()),
                "name the folder that it follows",
            ),
        };
    };
    let Some(tree) = work_tree(path)? else {
        return refuse(
            format!("{} is in no Git repository", path.display()),
            "use a clone of that repository",
        );
    };
    if tree.is_changed {
        return refuse(
            format!("files of {} are changed and not committed", path.display()),
            "commit and push them",
        );
    }
    match &tree.branch {
        Some(other) if other != branch => refuse(
            format!("the work tree is on branch {other}"),
            &format!("merge it into {branch}"),
        ),
        _ => Ok(Ok(Some(tree.commit))),
    }
}

/// Has the daemon apply it, and says what came of it.
pub(super) async fn order(
    store: &Store,
    inventory: &str,
    daemon: &RunningDaemon,
    commit: Option<String>,
    devices: Vec<String>,
) -> anyhow::Result<Exit> {
    let errand = Errand {
        commit,
        devices,
        by: actor(),
    };
    let id = store.order(inventory, errand, Timestamp::now()).await?;
    say(&format!("{} (process {}) applies it.", daemon.who, daemon.pid));
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        if let Way::Done(ran) = store.errand(id).await? {
            answer(&page(&ran));
            return Ok(exit_of(&ran));
        }
        let is_gone = store.daemon(inventory, Timestamp::now()).await?.is_none();
        tokio::select! {
            () = tokio::time::sleep(GLANCE) => {}
            _ = &mut interrupted => {
                say(match store.take_back(id).await? {
                    true => "Interrupted before the daemon began: nothing was changed.",
                    false => "The daemon goes on with it; `gamops status` and `gamops history` show what comes of it.",
                });
                return Ok(Exit::Failed);
            }
        }
        if is_gone {
            say(match store.take_back(id).await? {
                true => "The daemon ended before it began: nothing was changed.",
                false => {
                    "The daemon ended while it applied it; `gamops history` shows how far it came, and the next daemon or apply goes on."
                }
            });
            return Ok(Exit::Failed);
        }
    }
}

fn page(ran: &Ran) -> String {
    let mut out = String::new();
    for refusal in &ran.refused {
        let _ = writeln!(out, "REFUSED: {refusal}");
    }
    if !ran.refused.is_empty() {
        out.push_str("Nothing was sent to any device.\n");
        return out;
    }
    for (device, (word, detail, _)) in &ran.devices {
        let detail = if detail.is_empty() {
            String::new()
        } else {
            format!(": {detail}")
        };
        let _ = writeln!(out, "  {device}  {word}{detail}");
    }
    if !ran.line.is_empty() {
        let _ = writeln!(out, "{}", ran.line);
    }
    out
}

fn exit_of(ran: &Ran) -> Exit {
    let fine = ran.devices.values().filter(|(.., is_fine)| *is_fine).count();
    match ran.devices.len() {
        _ if !ran.refused.is_empty() => Exit::Refused,
        all if fine == all && all > 0 => Exit::Done,
        _ if fine > 0 => Exit::Partial,
        _ => Exit::Failed,
    }
}
