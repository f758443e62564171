//! Drift that is to come into the inventory: as an edit of it, on a branch of its own, with a change request where there is a forge.
//!
//! Nothing is ever written to the branch that is followed: people merge, or do not. The edit is worked out and proven as `gamops adopt`
//! does it, from a reading of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::forge::Proposal;
use crate::inventory::model::Inventory;
use crate::observed::sha256;
use crate::onboard::Existing;
use crate::onboard::adopt::{Adoption, Compared, Settled, Wanted, settle};
use crate::plan::count;
use crate::plan::drift::{Leave, Left, Why};
use crate::plan::model::{Cause, DevicePlan, Outcome};
use crate::reconcile::{Context, chain};
use crate::repo::remote::{Edit, Mirror};
use crate::repo::{below_top, shortened};

use super::access::{Way, destination};
use super::force::InForce;
use super::settings::Settings;
use super::source::Source;
use super::tell::commit::ForgeSettings;

/// The trailer that says what drift an edit is made from.
const MARK: &str = "Gamops-Drift";

/// What became of drift that is to come into the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The branch with the edit.
    pub branch: String,
    /// The commit on it, short; none where there is none yet.
    pub commit: Option<String>,
    /// The page of the change request, as far as this process has opened it.
    pub page: Option<String>,
    /// Why it is not there, or not all of it.
    pub trouble: Option<String>,
}

impl Proposed {
    /// In words, after those on what drifted.
    #[must_use]
    pub fn in_words(&self) -> String {
        let where_to = match (&self.commit, &self.page) {
            (None, _) => format!("not proposed as {}", self.branch),
            (Some(_), None) => format!("proposed as {}", self.branch),
            (Some(_), Some(page)) => format!("proposed as {}, {page}", self.branch),
        };
        match &self.trouble {
            None => where_to,
            Some(trouble) => format!("{where_to}: {trouble}"),
        }
    }
}

/// The devices with drift that is to come into the inventory, each with what that drift is made of.
pub(super) fn wanted<'p>(devices: impl Iterator<Item = &'p DevicePlan>) -> BTreeMap<String, String> {
    devices
        .filter_map(|device| Some((device.device.clone(), mark(device)?)))
        .collect()
}

/// What the drift of a device that is to come into the inventory is made of. The same drift has the same mark.
fn mark(device: &DevicePlan) -> Option<String> {
    let Outcome::Read(changes) = &device.outcome else {
        return None;
    };
    let left: Vec<(&str, &[_])> = (changes.left.iter())
        .filter(|left| left.why == Why::ToAdopt)
        .map(|Left { address, fields, .. }| (address.as_str(), fields.as_slice()))
        .collect();
    (!left.is_empty()).then(|| sha256(&left))
}

/// Everything that a proposal is made with.
pub(super) struct Desk<'a> {
    pub(super) context: &'a Context,
    pub(super) settings: &'a Settings,
    pub(super) source: &'a Source,
    pub(super) force: &'a InForce,
}

impl Desk<'_> {
    /// Proposes the drift of devices, each by its mark. What is proposed already is not proposed again.
    pub(super) async fn propose(&self, wanted: BTreeMap<String, String>) -> BTreeMap<String, Proposed> {
        let mut proposed = BTreeMap::new();
        for (device, mark) in wanted {
            if self.context.cancel.is_cancelled() {
                break;
            }
            let branch = format!("gamops/adopt/{device}");
            let one = self.propose_one(&device, &branch, mark).await;
            let one = one.unwrap_or_else(|trouble| {
                tracing::warn!(device, "{device}: its drift is not proposed as {branch}: {trouble}");
                Proposed {
                    branch,
                    commit: None,
                    page: None,
                    trouble: Some(trouble),
                }
            });
            proposed.insert(device, one);
        }
        proposed
    }

    async fn propose_one(&self, device: &str, branch: &str, mark: String) -> Result<Proposed, String> {
        let Source::Branch { mirror, .. } = self.source else {
            return Err("the inventory is in a folder that is no Git repository, which has no branches".to_owned());
        };
        let (commit, trouble) = match mirror.proposed(branch, MARK) {
            Some((commit, before)) if before == mark => (commit, None),
            _ => self.push(mirror, device, branch, mark).await?,
        };
        let mut proposed = Proposed {
            branch: branch.to_owned(),
            commit: Some(shortened(&commit)),
            page: None,
            trouble,
        };
        if let Some(forge) = &self.settings.forge
            && !mirror.is_requested(branch, &commit)
        {
            match self.request(forge, device, branch).await {
                Ok(page) => {
                    proposed.page = page;
                    if let Err(error) = mirror.note_requested(branch, &commit) {
                        tracing::error!("that there is a change request for {branch} could not be noted: {error}");
                    }
                }
                Err(trouble) => proposed.trouble = Some(format!("no change request was opened: {trouble}")),
            }
        }
        Ok(proposed)
    }

    /// Works out the edit and puts it on its branch. Gives the commit, and what is not in it.
    async fn push(
        &self,
        mirror: &Mirror,
        device: &str,
        branch: &str,
        mark: String,
    ) -> Result<(String, Option<String>), String> {
        if !matches!(self.source, Source::Branch { .. }) {
            return Err("the inventory is in a folder that is no Git repository".to_owned());
        }
        if !self.force.stale.texts.is_empty() {
            return Err("some files of the commit in force are not valid; it is proposed once they are".to_owned());
        }
        let files = &self.force.texts;
        let existing = Existing {
            files,
            inventory: &self.force.inventory,
        };
        let (settled, adoption) = self.work_out(existing, device).await?;
        let left: Vec<String> = (adoption.left.iter())
            .map(|left| format!("{}: {}", left.address, left.reason))
            .collect();
        let Some(edited) = settled.edited else {
            return Err(match left.is_empty() {
                true => "the device was changed again meanwhile".to_owned(),
                false => left.join("; "),
            });
        };
        let changed = files
            .iter()
            .zip(edited.files)
            .filter(|(before, after)| before.text != after.text);
        let edit = Edit {
            onto: self.force.id.clone(),
            branch: branch.to_owned(),
            files: changed
                .map(|(_, after)| (below_top(&after.path).to_owned(), after.text))
                .collect(),
            message: message(device, &adoption, &left),
            marked_by: MARK,
            mark,
            at: Timestamp::now(),
        };
        let to = destination(self.settings, &Way::to_adopt(self.settings), &self.context.keyring);
        let to = to.map_err(|error| chain(&error))?;
        let (mirror, runtime) = (mirror.clone(), Handle::current());
        let pushed = spawn_blocking(move || mirror.propose(&edit, &to, &runtime));
        let pushed = pushed.await.map_err(|_| "interrupted".to_owned())?;
        let commit = pushed.map_err(|error| chain(&error))?;
        tracing::info!(device, "{device}: its drift is proposed as {branch}");
        Ok((commit, (!left.is_empty()).then(|| left.join("; "))))
    }

    /// The edit that takes in what is to be adopted, proven by the plan after it.
    async fn work_out(&self, existing: Existing<'_>, device: &str) -> Result<(Settled, Adoption), String> {
        let mut context = self.context.clone();
        context.leaving.leave = Leave::ButToAdopt(self.settings.drift.then);
        let key = device;
        let device = existing.inventory.devices.get(key).ok_or("it has left the inventory")?;
        let reading = context.read(device).await.map_err(|unread| unread.reason)?;
        let worked_out = {
            let plan = |inventory: &Inventory, device: &str| {
                let planned = reading.plan(&context, inventory, device);
                planned.map_err(|unread| unread.reason)
            };
            let propose = |changes: crate::plan::model::DeviceChanges| {
                // What a commit asks and nobody has done yet is no drift, and would be taken back by the edit.
                if changes.changes.iter().any(|change| change.cause != Cause::Drift) {
                    return Err(
                        "something that the inventory asks is still to be done there; it is proposed after that"
                            .to_owned(),
                    );
                }
                let compared = Compared {
                    changes,
                    unreadable: reading.unreadable(),
                };
                settle(existing, [(key.to_owned(), compared)].into(), Wanted::Drift, &plan)
            };
            plan(existing.inventory, key).and_then(propose)
        };
        reading.close().await;
        let mut settled = worked_out?;
        let adoption = settled.adoptions.remove(key).unwrap_or_default();
        Ok((settled, adoption))
    }

    /// Opens a change request for a branch; gives its page, none where there is one already.
    async fn request(&self, settings: &ForgeSettings, device: &str, branch: &str) -> Result<Option<String>, String> {
        let name = &settings.credentials;
        let login = self.context.keyring.login(name).map_err(|error| chain(&error))?;
        let forge = settings.open(&login).map_err(|not_taken| not_taken.reason)?;
        let proposal = Proposal {
            from: branch.to_owned(),
            into: self.settings.repository.branch.clone(),
            title: format!("{device}: adopt what was changed on the device"),
            body: format!(
                "`{device}` holds something else than the inventory says, and `drift` says to adopt that. The commit on `{branch}` has what \
                 changes; with it nothing is left to do on the device.\n\nClose this if the inventory is right, and have it taken back: \
                 with `gamops apply --target {device}`, or with `drift: {{ then: revert }}`.\n"
            ),
        };
        let opening = forge.ensure_proposed(&proposal).await.map_err(|error| chain(&error))?;
        Ok(opening.map(|opening| opening.page))
    }
}

fn message(device: &str, adoption: &Adoption, left: &[String]) -> String {
    let mut message = format!(
        "{device}: {} adopted\n\nBy gamops: what was changed on the device, as the inventory would say it. The device was not changed.\n",
        count(adoption.adopted.len(), "object")
    );
    for one in &adoption.adopted {
        message.push_str(&format!("\n- {}: {}", one.address, one.what.join(", ")));
    }
    for left in left {
        message.push_str(&format!("\n- not adopted: {left}"));
    }
    message
}
