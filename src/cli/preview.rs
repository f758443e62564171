//! `gamops preview`: the plan of a change request, where it is reviewed.

mod ci;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;

use crate::domain::Secret;
use crate::forge::{Commented, Forge, ForgeError, ForgeKind, State, Status, seal};
use crate::plan::preview::{Preview, invalid_markdown, marker, preview_markdown, preview_text};
use crate::plan::reviewed::Review;
use crate::repo;
use crate::transport::Retry;

use super::exit::Exit;
use super::observed::{self, ComparisonArgs, Made, Manner, NotMade};
use super::settings::{InventoryArgs, WaveArgs, WindowArgs};
use super::{answer, say};

use ci::Job;

/// How often a forge is asked that may answer later, and how long is waited at most in between.
const ATTEMPTS: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of a comment may be taken by what only the daemon reads, in bytes: about two thousand devices.
const SEALED: usize = 24 * 1024;

/// Show a change request's plan where it is reviewed: one comment that is kept up to date, and two statuses of its commit.
///
/// Plans from what the daemon observed, as `gamops plan --observed` does: no device is reached. Run by GitHub Actions, GitLab CI,
/// Forgejo or Gitea Actions it finds out by itself which change request it is for; without a token, as in a job for a fork,
/// it only prints. Exits 4 where a guard or a rule would refuse the plan, and 3 where the inventory is not valid.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops preview                              # in a CI job
  gamops preview --base origin/main --head HEAD  # by hand: prints what the comment would say
  GAMOPS_FORGE_TOKEN=... gamops preview --forge gitea --api https://git.example.org/api/v1 \\
    --repository isp/network --number 7 --base origin/main --head HEAD")]
pub(super) struct Args {
    #[command(flatten)]
    inventory: InventoryArgs,

    /// What is planned and compared; in CI, the change request.
    #[command(flatten)]
    comparison: ComparisonArgs,

    #[command(flatten)]
    waves: WaveArgs,

    #[command(flatten)]
    windows: WindowArgs,

    /// Plan as if it were then. A time with its offset, such as 2026-12-24T03:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// Which API the forge speaks, where the job's variables do not say.
    #[arg(long, value_enum, value_name = "KIND")]
    forge: Option<Kind>,

    /// Where its API is.
    #[arg(long, value_name = "URL")]
    api: Option<String>,

    /// The repository there: `owner/name`.
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,

    /// Number of the change request.
    #[arg(long, value_name = "N")]
    number: Option<u64>,

    /// File with certificates in PEM form that are trusted as well.
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
}

/// Which API a forge speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// GitHub, its own or on a server of yours.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea and Forgejo.
    Gitea,
}

/// What there is to say of a change request.
struct Word {
    /// The comment, and the line that it is found by. `None`: what was said before stays.
    comment: Option<(String, String)>,
    /// What the inventory is, and what the plan is.
    validate: (State, String),
    plan: (State, String),
    exit: Exit,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let event = variable("GITHUB_EVENT_PATH").and_then(|path| serde_json::from_slice(&std::fs::read(path).ok()?).ok());
    let job = ci::job(&variable, event.as_ref());
    let path = &args.inventory.inventory;
    let comparison = of_job(path, &args.comparison, job.as_ref());
    let manner = Manner {
        waves: &args.waves,
        ignore_windows: args.windows.ignore_windows,
        now: args.at.unwrap_or_else(Timestamp::now),
        targets: &[],
    };
    let of_request = job
        .as_ref()
        .filter(|job| job.number.is_some() && args.comparison.head.is_none());
    let commit = || match of_request.and_then(|job| job.head.clone()) {
        // Known to the forge, whether the clone has it or not.
        Some(commit) => Ok(commit),
        None => repo::commit_id(path, comparison.head.as_deref().unwrap_or("HEAD")),
    };
    let number = args.number.or_else(|| job.as_ref()?.number);
    let word = match observed::preview(path, &comparison, manner).await? {
        Ok(made) => {
            answer(&preview_text(&made.preview));
            let sealed = match (variable("GAMOPS_REVIEW_KEY"), number) {
                (Some(key), Some(number)) => sealed(&Secret::new(key), &made.preview, number, &commit()?)?,
                _ => String::new(),
            };
            of_plan(&made, &sealed)
        }
        Err(not_made) => of_none(&not_made),
    };
    if let (Some(file), Some((_, comment))) = (variable("GITHUB_STEP_SUMMARY"), &word.comment) {
        let summary = std::fs::OpenOptions::new().append(true).create(true).open(&file);
        let written = summary.and_then(|mut file| writeln!(file, "{comment}"));
        written.with_context(|| format!("writing the summary of the step to {file}"))?;
    }
    let commit = commit()?;
    let Some(place) = place(&args, job.as_ref(), &variable)? else {
        return Ok(word.exit);
    };
    match tell(&place, &commit, &word).await {
        Ok(()) => Ok(word.exit),
        // A job for a fork has a token that may only read: what there is to say was printed.
        Err(error) if place.is_fork && error.retry() == Retry::AfterChange => {
            say(&format!(
                "note: nothing was said on the forge, since a job for a fork may not write there: {error}"
            ));
            Ok(word.exit)
        }
        Err(error) => Err(error.into()),
    }
}

/// What is compared: as the command line says, else the change request that the job is for.
fn of_job(path: &Path, given: &ComparisonArgs, job: Option<&Job>) -> ComparisonArgs {
    let is_known = |revision: &&String| repo::commit_id(path, revision).is_ok();
    let number = job.and_then(|job| job.number);
    let job = job.filter(|_| number.is_some());
    // Where a shallow clone lacks them all, the first one's absence is what has to be mended.
    let base = job.and_then(|job| job.bases.iter().find(is_known).or(job.bases.first()));
    let head = job.and_then(|job| job.head.as_ref().filter(is_known));
    ComparisonArgs {
        base: given.base.clone().or_else(|| base.cloned()),
        head: given.head.clone().or_else(|| head.cloned()),
        ..given.clone()
    }
}

/// Where something is said.
struct Place {
    forge: Forge,
    number: Option<u64>,
    page: Option<String>,
    is_fork: bool,
}

/// Where something can be said. What is missing for that is said here.
fn place(args: &Args, job: Option<&Job>, variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Option<Place>> {
    let kind = match args.forge {
        Some(Kind::Github) => Some(ForgeKind::GitHub),
        Some(Kind::Gitlab) => Some(ForgeKind::GitLab),
        Some(Kind::Gitea) => Some(ForgeKind::Gitea),
        None => job.map(|job| job.kind),
    };
    let repository = args.repository.clone().or_else(|| job?.repository.clone());
    let (Some(kind), Some(repository)) = (kind, repository) else {
        say(
            "note: this is no job of a CI that gamops knows: it only prints; see `--forge`, `--repository` and `--number`",
        );
        return Ok(None);
    };
    let names = job.map_or(&["GAMOPS_FORGE_TOKEN"][..], |job| job.tokens);
    let Some(token) = names.iter().find_map(|name| variable(name)) else {
        say(&format!(
            "note: there is no token in {}: it only prints",
            names.join(" or ")
        ));
        return Ok(None);
    };
    let api = args.api.clone().or_else(|| job?.api.clone());
    let authorities = args.authorities.as_ref().map(|path| {
        std::fs::read_to_string(path).with_context(|| format!("reading the certificates in {}", path.display()))
    });
    let authorities = authorities.transpose()?;
    let forge = Forge::new(
        kind,
        api.as_deref(),
        &repository,
        Secret::new(token),
        authorities.as_deref(),
    )?;
    Ok(Some(Place {
        forge,
        number: args.number.or_else(|| job?.number),
        page: job.and_then(|job| job.page.clone()),
        is_fork: job.is_some_and(|job| job.is_fork),
    }))
}

/// What the daemon reads of a plan once the change is merged, sealed so that nobody else can have written it. Empty where a comment has
/// no room for it.
fn sealed(key: &Secret, preview: &Preview, number: u64, commit: &str) -> anyhow::Result<String> {
    let sealed = seal::seal(key, &serde_json::to_string(&Review::of(preview, number, commit))?);
    if sealed.len() > SEALED {
        say(
            "note: the plan is about so many devices that the comment has no room for what a daemon with `reviewed` compares",
        );
        return Ok(String::new());
    }
    Ok(sealed)
}

/// What there is to say of a plan.
fn of_plan(made: &Made, sealed: &str) -> Word {
    let Made { preview, unusable, .. } = made;
    let refusal = preview.refusal();
    let line = preview.line();
    let (plan, exit) = match (refusal, unusable.first()) {
        (Some(refusal), _) => ((State::Failure, format!("refused: {refusal}; {line}")), Exit::Refused),
        (None, Some(device)) => {
            let what = format!("what was published of `{device}` cannot be used; {line}");
            ((State::Failure, what), Exit::Failed)
        }
        (None, None) => ((State::Success, line), Exit::Done),
    };
    Word {
        comment: Some((marker(&preview.plan.inventory), preview_markdown(preview, sealed))),
        validate: (State::Success, "the inventory is valid".to_owned()),
        plan,
        exit,
    }
}

/// What there is to say where there is no plan.
fn of_none(not_made: &NotMade) -> Word {
    match not_made {
        NotMade::Invalid { id, findings } => {
            let first = findings.first().map(String::as_str).unwrap_or_default();
            let comment = |id: &String| (marker(id), invalid_markdown(id, findings));
            Word {
                comment: id.as_ref().map(comment),
                validate: (State::Failure, first.to_owned()),
                plan: (State::Failure, "not planned: the inventory is not valid".to_owned()),
                exit: Exit::Invalid,
            }
        }
        NotMade::Unobserved => Word {
            comment: None,
            validate: (State::Success, "the inventory is valid".to_owned()),
            plan: (State::Failure, "not planned: nothing was observed".to_owned()),
            exit: Exit::Failed,
        },
    }
}

/// Says it on the forge.
async fn tell(place: &Place, commit: &str, word: &Word) -> Result<(), ForgeError> {
    if let (Some(number), Some((marker, comment))) = (place.number, &word.comment) {
        let done = patiently(|| place.forge.keep_comment(number, marker, comment)).await?;
        say(&format!(
            "The comment on change request {number} {}.",
            match done {
                Commented::Written => "was written",
                Commented::Edited => "was brought up to date",
                Commented::Unchanged => "is up to date",
            }
        ));
    }
    for (context, (state, description)) in [("gamops/validate", &word.validate), ("gamops/plan", &word.plan)] {
        let status = Status {
            commit: commit.to_owned(),
            context: context.to_owned(),
            state: *state,
            description: description.clone(),
            target: place.page.clone(),
        };
        patiently(|| place.forge.set_status(&status)).await?;
    }
    Ok(())
}

/// Asks again where that may help.
async fn patiently<T, F: Future<Output = Result<T, ForgeError>>>(ask: impl Fn() -> F) -> Result<T, ForgeError> {
    let mut attempt = 1;
    loop {
        match ask().await {
            Err(error) if error.retry() == Retry::Soon && attempt < ATTEMPTS => {
                let wait = error
                    .after()
                    .unwrap_or(Duration::from_secs(attempt.into()))
                    .min(PATIENCE);
                say(&format!("note: {error}; asked again in {} s", wait.as_secs()));
                tokio::time::sleep(wait).await;
                attempt += 1;
            }
            answered => return answered,
        }
    }
}
