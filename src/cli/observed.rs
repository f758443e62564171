//! Planning from what was observed: nothing is read but repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;

use crate::diagnostic::{Colour, Finding, Place, Report, Severity, SourceFile};
use crate::inventory;
use crate::inventory::model::Inventory;
use crate::inventory::since::{differences, earlier, gone};
use crate::plan::guard::{Allowances, Baseline, Earlier, TRAILER, allowed_by};
use crate::plan::model::{DevicePlan, Outcome, Plan};
use crate::plan::preview::{Base, Parts, Preview, Without};
use crate::plan::{Target, named};
use crate::published::{self, Fleet, Handed, Heartbeat, Terms};
use crate::repo;
use crate::repo::Revision;
use crate::transport::http::Method;

use super::context::WIDTH;
use super::exit::Exit;
use super::settings::WaveArgs;
use super::{say, status};

/// What is planned, and from which observation.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ComparisonArgs {
    /// Tell what a change asks for apart from what an apply would do anyway: the commit without the change (an id,
    /// `origin/main`). Guards compare with it.
    #[arg(long, value_name = "REVISION")]
    pub(super) base: Option<String>,

    /// Plan this commit and not the files of the work tree; with `--base` as it will be once it is merged into that.
    #[arg(long, value_name = "REVISION")]
    pub(super) head: Option<String>,

    /// Repository on this machine that holds `refs/gamops/observed`, where it is not the inventory's own.
    #[arg(long, value_name = "FOLDER")]
    pub(super) observed_from: Option<PathBuf>,

    /// Ask a daemon what it observed, in the place of `refs/gamops/observed`: where it serves its pages, such as
    /// `http://noc1:9105`. It tells where its settings say `observed: {publish: true}`.
    #[arg(long, value_name = "URL", conflicts_with = "observed_from")]
    pub(super) daemon: Option<String>,
}

/// How a preview is made, beside what it is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) waves: &'a WaveArgs,
    pub(super) ignore_windows: bool,
    pub(super) now: Timestamp,
    /// What is planned; everything where nothing is named.
    pub(super) targets: &'a [Target],
}

/// A preview, with what it was made from.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) preview: Preview,
    /// The inventory that it is of, and the fleet as it was observed.
    pub(super) inventory: Inventory,
    pub(super) fleet: Fleet,
    /// Devices of which something was published that cannot be used.
    pub(super) unusable: BTreeSet<String>,
}

/// Why there is none. It was said.
#[derive(Debug)]
pub(super) enum NotMade {
    /// The inventory is not valid.
    Invalid {
        /// Its id without the change, where it is valid then.
        id: Option<String>,
        /// Its errors, a line each.
        findings: Vec<String>,
    },
    /// There is no observation.
    Unobserved,
}

impl NotMade {
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::Invalid { .. } => Exit::Invalid,
            Self::Unobserved => Exit::Failed,
        }
    }
}

/// Plans by observation. What stands in the way of that is said.
pub(super) async fn preview(
    path: &Path,
    args: &ComparisonArgs,
    manner: Manner<'_>,
) -> anyhow::Result<Result<Made, NotMade>> {
    let mut sources = Sources::read(path, args)?;
    let loaded = inventory::load(&sources.files);
    // The edge strips the colours where they do not belong.
    let report = loaded.report.render_text(&sources.files, Colour::On, WIDTH);
    if !report.is_empty() {
        say(report.trim_end());
    }
    let Some(mut inventory) = loaded.inventory else {
        say("The inventory is invalid: nothing was planned.");
        return Ok(Err(NotMade::Invalid {
            id: sources.base_inventory().map(|(_, base)| base.id),
            findings: errors(&loaded.report),
        }));
    };
    let is_unknown = |target: &&Target| !inventory.devices.contains_key(&target.device);
    if let Some(target) = manner.targets.iter().find(is_unknown) {
        let hint = inventory.device_hint(&target.device);
        anyhow::bail!(
            "target `{target}`: the inventory has no device `{}`{hint}",
            target.device
        );
    }
    manner.waves.over(&mut inventory.policies.waves);
    let mut base = sources.base_inventory();
    if let Some((_, base)) = &mut base {
        manner.waves.over(&mut base.policies.waves);
    }
    let observed = match &args.daemon {
        Some(url) => of_daemon(url).await?,
        None => match of_repository(args.observed_from.as_deref().unwrap_or(path), &mut sources.notes)? {
            Some(observed) => observed,
            None => return Ok(Err(NotMade::Unobserved)),
        },
    };
    let fleet = Fleet::read(observed.files.iter().map(|(name, text)| (name.as_str(), text.as_str())));

    let last = base.as_ref().map(|(commit, base)| Baseline {
        earlier: Earlier::Base,
        ..Baseline::of(base, Some(commit))
    });
    let terms = Terms {
        commit: sources.commit.as_deref(),
        now: manner.now,
        ignore_windows: manner.ignore_windows,
        allowances: &sources.allowances,
        targets: manner.targets,
        last: last.as_ref(),
    };
    let plan = fleet.plan(&inventory, terms);
    let devices = inventory.devices.values();
    let seen = devices.clone().filter_map(|device| {
        let at = observed.read.get(fleet.key_of(device)?)?;
        Some((device.key.clone(), *at))
    });
    let never = devices.filter(|device| named(manner.targets, &device.key).is_some() && fleet.key_of(device).is_none());
    let preview = Preview {
        seen: seen.collect(),
        never_seen: never.map(|device| device.key.clone()).collect(),
        base: base.map(|(commit, base)| Base {
            parts: parts(&fleet, &plan, &base, &inventory, terms),
            gone: gone(&base, &inventory),
            commit,
            head: sources.head.clone(),
        }),
        observed: Some(observed.name),
        now: manner.now,
        notes: sources.notes,
        plan,
    };
    Ok(Ok(Made {
        unusable: fleet.unusable(&inventory),
        preview,
        inventory,
        fleet,
    }))
}

/// What was observed.
struct Observed {
    /// Where it was found, in words.
    name: String,
    /// Texts by their names.
    files: BTreeMap<String, String>,
    /// When each device was read last, by its key there.
    read: BTreeMap<String, Timestamp>,
}

/// As the daemon put it into a repository. That it is not there is said.
fn of_repository(from: &Path, notes: &mut Vec<String>) -> anyhow::Result<Option<Observed>> {
    let Some(observed) = files_of(from, published::OBSERVED)? else {
        say(&format!(
            "error: there is no `{}` in the repository of {}\n  help: fetch it with `git fetch origin '+refs/gamops/*:refs/gamops/*'`; the daemon puts it there where its settings say `observed: {{publish: true}}`",
            published::OBSERVED,
            from.display()
        ));
        return Ok(None);
    };
    Ok(Some(Observed {
        name: format!("{} at {}", published::OBSERVED, observed.commit),
        files: observed.files,
        read: heartbeat(from, notes)?,
    }))
}

/// As the daemon says itself.
async fn of_daemon(url: &str) -> anyhow::Result<Observed> {
    let url = url.trim_end_matches('/');
    let text = status::ask(url, Method::Get, Handed::PAGE, String::new()).await?;
    let handed = Handed::parse(&text).with_context(|| format!("what the daemon at {url} hands out cannot be used"))?;
    Ok(Observed {
        name: format!("by the daemon at {url}"),
        files: handed.files,
        read: handed.heartbeat.observed,
    })
}

/// The texts that are planned and those that they are compared with.
#[derive(Debug)]
struct Sources {
    files: Vec<SourceFile>,
    /// What the plan is of, in words.
    commit: Option<String>,
    /// The commit that holds the change, short, unless it is the work tree.
    head: Option<String>,
    base: Option<Revision>,
    allowances: Allowances,
    notes: Vec<String>,
}

impl Sources {
    fn read(path: &Path, args: &ComparisonArgs) -> anyhow::Result<Self> {
        let mut notes = Vec::new();
        let asking = || format!("asking Git about {}", path.display());
        let trailers = match &args.head {
            Some(head) => repo::trailers_at(path, head, TRAILER)?,
            None => repo::trailers_of(path, TRAILER).with_context(asking)?,
        };
        let (files, commit, head, base) = match (&args.base, &args.head) {
            (None, Some(head)) => {
                let Revision { commit, files } = repo::read_inventory_at(path, head)?;
                (files, Some(commit.clone()), Some(commit), None)
            }
            (Some(base), Some(head)) => {
                let merged = repo::read_merged(path, base, head)?;
                let Revision { commit, files } = merged.head;
                let said = match merged.is_merge {
                    true => format!("{commit} merged into {}", merged.base.commit),
                    false => commit.clone(),
                };
                (files, Some(said), Some(commit), Some(merged.base))
            }
            (base, None) => {
                let files =
                    repo::read_inventory(path).with_context(|| format!("reading the inventory {}", path.display()))?;
                let commit = repo::commit_of(path).with_context(asking)?;
                let base = match base {
                    None => None,
                    Some(base) => {
                        let (fork, is_behind) = repo::read_fork(path, base)?;
                        if is_behind {
                            notes.push(format!(
                                "`{base}` has commits that are not in the work tree, which is compared with {}, where the two part; \
                                 `--head HEAD` plans what a merge makes of it",
                                fork.commit
                            ));
                        }
                        Some(fork)
                    }
                };
                (files, commit, None, base)
            }
        };
        let (by_commit, invalid) = allowed_by(&trailers);
        for invalid in invalid {
            say(&format!("warning: `{TRAILER}` in the commit's message: {invalid}"));
        }
        if base.is_some() && !by_commit.is_empty() {
            notes.push(format!(
                "what the last commit's `{TRAILER}` allows counts here; after a merge it counts only if the message of the merge commit has it too"
            ));
        }
        Ok(Self {
            files,
            commit,
            head,
            base,
            allowances: Allowances {
                by_flag: Vec::new(),
                by_commit,
            },
            notes,
        })
    }

    /// The inventory without the change. Where it is not valid nothing is told apart: a change that mends it has to be seen too.
    fn base_inventory(&mut self) -> Option<(String, Inventory)> {
        let base = self.base.take()?;
        let loaded = inventory::load(&base.files).inventory;
        if loaded.is_none() {
            self.notes.push(format!(
                "the inventory is not valid at {}: what is of this change and what is not is not told apart",
                base.commit
            ));
        }
        Some((base.commit, loaded?))
    }
}

/// What makes an inventory invalid: `unknown-plan at services.yaml:5: ...`.
fn errors(report: &Report) -> Vec<String> {
    let errors = report
        .findings()
        .iter()
        .filter(|finding| finding.severity == Severity::Error);
    let line = |finding: &Finding| {
        let Place { file, line, .. } = &finding.primary;
        format!("{} at {file}:{line}: {}", finding.rule, finding.message)
    };
    errors.map(line).collect()
}

fn files_of(from: &Path, reference: &str) -> anyhow::Result<Option<repo::Files>> {
    // An inventory may be named by its root file.
    let folder = if from.is_dir() {
        from
    } else {
        from.parent().unwrap_or(from)
    };
    repo::files_of(folder, reference).with_context(|| format!("reading `{reference}` in {}", from.display()))
}

/// When each device was read last, by the keys of the observation.
fn heartbeat(from: &Path, notes: &mut Vec<String>) -> anyhow::Result<BTreeMap<String, Timestamp>> {
    let files = files_of(from, published::HEARTBEAT)?;
    let text = files.as_ref().and_then(|files| files.files.get(Heartbeat::FILE));
    match text.map(|text| Heartbeat::parse(text)) {
        Some(Ok(beat)) => return Ok(beat.observed),
        Some(Err(invalid)) => notes.push(format!(
            "how old it is cannot be told: `{}` cannot be used: {invalid}",
            published::HEARTBEAT
        )),
        None => notes.push(format!(
            "how old it is cannot be told: there is no `{}`",
            published::HEARTBEAT
        )),
    }
    Ok(BTreeMap::new())
}

/// What of each device's changes is of the change. Only devices of which the two inventories ask something else are planned twice.
fn parts(fleet: &Fleet, plan: &Plan, base: &Inventory, head: &Inventory, terms: Terms<'_>) -> BTreeMap<String, Parts> {
    let differing = differences(base, head);
    let of = |device: &DevicePlan| {
        let Outcome::Read(with) = &device.outcome else {
            return None;
        };
        let key = &device.device;
        let then = (differing.contains_key(key)).then(|| earlier(base, head.devices.get(key)?));
        let without = then.map(|then| Some(fleet.plan_one(base, then?, terms).outcome));
        let parts = match &without {
            None => Parts::of(with, Without::Same),
            Some(Some(Outcome::Read(without))) => Parts::of(with, Without::Plan(without)),
            Some(None | Some(Outcome::Unread(_))) => Parts::of(with, Without::Nothing),
        };
        Some((key.clone(), parts))
    };
    plan.devices.iter().filter_map(of).collect()
}
