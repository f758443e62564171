//! What a forge is told of commits: of the one in force how its devices stand, of one that is not valid why.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::forge::{self, Forge, ForgeError, ForgeKind};
use crate::plan::count;
use crate::reconcile::chain;
use crate::store::{Batch, Gathering};
use crate::transport::Retry;
use crate::transport::credentials::LoginParts;

use super::super::standing::State;
use super::super::status::Status;
use super::deliver::{NotTaken, login, password, read};
use super::worker::Outlet;

/// The name of the queue; no channel can be called that.
pub(super) const QUEUE: &str = "forge:status";

/// The forge that is told how its commits fare.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgeSettings {
    /// `github`, `gitlab`, or `gitea` for Gitea and Forgejo.
    pub kind: ForgeKind,
    /// Where its API is; needed unless it is github.com or gitlab.com: `https://git.example.org/api/v1` for Gitea and Forgejo,
    /// `https://git.example.org/api/v4` for GitLab, `https://git.example.org/api/v3` for GitHub on a server of yours.
    #[serde(default)]
    pub base: Option<String>,
    /// `owner/name`.
    pub repository: String,
    /// Name of the credentials whose password is a token that may set statuses of commits.
    pub credentials: String,
    /// By what name the status is shown.
    #[serde(default = "context")]
    pub context: String,
    /// A page for people who want to know more: it is linked from the status.
    #[serde(default)]
    pub link: Option<String>,
    /// File of certificates in PEM form that are trusted as well.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
}

fn context() -> String {
    "gamops/applied".to_owned()
}

impl ForgeSettings {
    /// In a few words, for `gamops settings check`.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{} as `{}`", self.repository, self.context)
    }

    /// The forge, with the token that these parts of a login have.
    pub(in crate::daemon) fn open(&self, login: &LoginParts) -> Result<Forge, NotTaken> {
        let token = password(&self.credentials, login)?;
        let authorities = self.authorities.as_ref().map(read).transpose()?;
        let (base, authorities) = (self.base.as_deref(), authorities.as_deref());
        let forge = Forge::new(self.kind, base, &self.repository, token, authorities);
        forge.map_err(|error| not_taken(&error))
    }

    /// Says what is wrong with it, if anything is.
    pub(in crate::daemon) fn settle(&mut self, beside: &std::path::Path) -> Result<(), String> {
        self.kind.check(self.base.as_deref(), &self.repository)?;
        if self.context.is_empty() {
            return Err("`context` is empty".to_owned());
        }
        self.authorities = self.authorities.take().map(|path| beside.join(path));
        Ok(())
    }
}

/// The commits that there is something to say of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::daemon) struct Commits {
    /// The full id of the one in force, if it is one.
    pub(in crate::daemon) in_force: Option<String>,
    /// Whether a round over the fleet was made with it.
    pub(in crate::daemon) is_applied: bool,
    /// The full id of the newest one, where it is not in force.
    pub(in crate::daemon) rejected: Option<String>,
}

/// What there is to say of commits.
pub(super) fn statuses(settings: &ForgeSettings, status: &Status, commits: &Commits) -> Vec<forge::Status> {
    let of = |commit: &str, (state, description): (forge::State, String)| forge::Status {
        commit: commit.to_owned(),
        context: settings.context.clone(),
        state,
        description,
        target: settings.link.clone(),
    };
    // Of a commit that is in force but for some files, its faults come first: whoever merged it is to mend them.
    let in_force = commits
        .in_force
        .as_ref()
        .filter(|commit| commits.rejected.as_ref() != Some(*commit))
        .map(|commit| of(commit, applied(status, commits.is_applied)));
    let rejected = commits.rejected.as_ref().zip(status.rejected.as_ref());
    let rejected = rejected.map(|(commit, refused)| {
        // Findings are in the order of the files; a warning is no reason to refuse.
        let lines = || refused.reason.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines()
            .find(|line| line.starts_with("error"))
            .or_else(|| lines().next());
        of(commit, (forge::State::Failure, first.unwrap_or("not valid").to_owned()))
    });
    in_force.into_iter().chain(rejected).collect()
}

/// How the commit in force fares on its devices.
fn applied(status: &Status, is_applied: bool) -> (forge::State, String) {
    use forge::State::{Failure, Pending, Success};
    if !is_applied {
        return (
            Pending,
            format!("being applied to {}", count(status.devices.len(), "device")),
        );
    }
    if let Some(refusal) = status.guarded.first() {
        return (Failure, format!("refused: {refusal}"));
    }
    let mut words: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut verdict = Success;
    for standing in status.devices.values() {
        *words.entry(standing.state.word()).or_default() += 1;
        verdict = match (&standing.state, verdict) {
            // It is tried again by itself.
            (State::Failed { .. }, Success | Pending) if standing.again.is_some() => Pending,
            (
                State::Failed { .. }
                | State::Refused { .. }
                | State::Invalid { .. }
                | State::Unreachable { lasting: true, .. },
                _,
            )
            | (_, Failure) => Failure,
            (State::New | State::Waiting { .. } | State::Unreachable { .. }, _) | (_, Pending) => Pending,
            // That somebody else has changed a device since is not the commit's matter.
            _ => Success,
        };
    }
    let in_sync = words.remove("in sync").unwrap_or_default();
    if words.is_empty() {
        return (verdict, format!("{} in sync", count(in_sync, "device")));
    }
    let others = words.iter().map(|(word, number)| format!(", {number} {word}"));
    (verdict, format!("{in_sync} in sync{}", others.collect::<String>()))
}

/// The queue to the forge.
pub(super) struct ToForge(pub(super) ForgeSettings);

impl Outlet for ToForge {
    fn name(&self) -> &str {
        QUEUE
    }

    fn gathering(&self) -> Gathering {
        // Forges show what is said at once; of each commit only the newest is kept.
        Gathering {
            seconds: 0,
            at_most: 10,
        }
    }

    async fn send(&self, batch: &Batch) -> Result<(), NotTaken> {
        let forge = self.0.open(&login(&self.0.credentials)?)?;
        // What another version wrote and this one cannot read is nothing to send.
        let queued = batch.bodies.iter().filter_map(|body| serde_json::from_str(body).ok());
        for status in queued {
            forge.set_status(&status).await.map_err(|error| not_taken(&error))?;
        }
        Ok(())
    }
}

fn not_taken(error: &ForgeError) -> NotTaken {
    NotTaken {
        reason: chain(error),
        is_unwanted: error.retry() == Retry::Never,
        after: error.after(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::daemon::standing::Standing;
    use crate::daemon::status::Refused;

    fn settings() -> ForgeSettings {
        serde_yaml::from_str("{kind: github, repository: isp/network, credentials: forge}").unwrap()
    }

    fn status(states: Vec<State>) -> Status {
        let standing = |state| Standing {
            state,
            ..Standing::new(Timestamp::UNIX_EPOCH)
        };
        let devices = states.into_iter().enumerate();
        Status {
            devices: devices
                .map(|(place, state)| (format!("d{place}"), standing(state)))
                .collect(),
            ..Status::default()
        }
    }

    fn away(lasting: bool) -> State {
        State::Unreachable {
            reason: "no route".to_owned(),
            lasting,
        }
    }

    fn said(status: &Status) -> (forge::State, String) {
        let commits = Commits {
            in_force: Some("c1".to_owned()),
            is_applied: true,
            rejected: None,
        };
        let status = statuses(&settings(), status, &commits).remove(0);
        assert_eq!(
            (status.commit.as_str(), status.context.as_str()),
            ("c1", "gamops/applied")
        );
        (status.state, status.description)
    }

    #[test]
    fn a_commit_is_well_when_every_device_has_it() {
        use forge::State::{Failure, Pending, Success};
        let failed = State::Failed {
            reason: "x".to_owned(),
            lost: false,
        };
        let drifted = State::Drifted { objects: vec![] };
        for (states, state, words) in [
            (vec![State::InSync, State::InSync], Success, "2 devices in sync"),
            (vec![State::InSync, away(false)], Pending, "1 in sync, 1 unreachable"),
            (
                vec![State::InSync, away(true), away(false)],
                Failure,
                "1 in sync, 2 unreachable",
            ),
            (
                vec![failed, away(false), State::InSync],
                Failure,
                "1 in sync, 1 failed, 1 unreachable",
            ),
            (vec![State::InSync, drifted], Success, "1 in sync, 1 drifted"),
        ] {
            assert_eq!(said(&status(states)), (state, words.to_owned()));
        }
    }

    #[test]
    fn what_is_refused_is_said_with_its_first_reason() {
        let mut now = status(vec![State::InSync]);
        now.guarded = vec!["guard destroy: 37 of 10".to_owned(), "allow it".to_owned()];
        assert_eq!(
            said(&now),
            (forge::State::Failure, "refused: guard destroy: 37 of 10".to_owned())
        );
        now.rejected = Some(Refused {
            commit: Some("c2".to_owned()),
            reason: "\nwarning[unused-plan]: nobody has the plan `gold`\n\nerror[unknown-plan]: there is no plan `glod`\n --> services.yaml:5\n".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        });
        let commits = Commits {
            in_force: Some("c1".to_owned()),
            is_applied: false,
            rejected: Some("c2".to_owned()),
        };
        let said = statuses(&settings(), &now, &commits);
        assert_eq!(
            (said[0].state, said[0].description.as_str()),
            (forge::State::Pending, "being applied to 1 device")
        );
        assert_eq!(said[1].commit, "c2");
        assert_eq!(said[1].description, "error[unknown-plan]: there is no plan `glod`");
    }
}
