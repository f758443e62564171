//! Which inventory is in force: the newest one that is valid, or as much of it as is.

use std::sync::Arc;

use jiff::Timestamp;

use crate::diagnostic::{Colour, SourceFile};
use crate::inventory::model::Inventory;
use crate::inventory::partial::{Stale, partial};
use crate::inventory::{Cache, load_cached};
use crate::plan::guard::{Allow, TRAILER, allowed_by};
use crate::reconcile::chain;
use crate::repo::remote::Moved;

use super::source::Found;

/// Columns to which source lines are cut in findings.
const WIDTH: usize = 120;

/// An inventory that is applied.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    pub(super) inventory: Arc<Inventory>,
    /// The texts that it was read from.
    pub(super) texts: Arc<[SourceFile]>,
    /// Those of its files that are not valid and count as they were; mostly none.
    pub(super) stale: Stale,
    /// What tells it from others; see [`Found::id`].
    pub(super) id: String,
    /// The commit, short; none for a folder.
    pub(super) commit: Option<String>,
    /// Who signed it, where only signed commits count.
    pub(super) signed_by: Option<String>,
    /// What its message allows.
    pub(super) allowed: Vec<Allow>,
    /// Since when.
    pub(super) since: Timestamp,
}

impl InForce {
    /// What people know it by.
    pub(super) fn name(&self) -> &str {
        self.commit.as_deref().unwrap_or("the folder as it is")
    }
}

/// A state of the repository that is not applied.
#[derive(Debug, Clone)]
pub(super) struct Rejected {
    /// The commit, short; none for a folder.
    pub(super) commit: Option<String>,
    /// Why, as a page for people.
    pub(super) reason: String,
    /// When that was found.
    pub(super) at: Timestamp,
}

/// What becomes of what was found.
pub(super) enum Verdict {
    /// It is in force from now on; what there is to say about it.
    Valid(InForce, Vec<String>),
    /// As [`Self::Valid`] but for some files, which are not valid: they count as they were.
    Partly(InForce, Vec<String>, Rejected),
    /// It changes nothing.
    Rejected(Rejected),
}

/// Judges what was found, where `before` is in force.
pub(super) fn judge(found: Found, cache: &mut Cache, before: Option<&InForce>, now: Timestamp) -> Verdict {
    let commit = found.commit.clone();
    let rejected = |reason| Rejected {
        commit: commit.clone(),
        reason,
        at: now,
    };
    let signer = match found.signer.transpose() {
        Ok(signer) => signer,
        Err(refusal) => {
            return Verdict::Rejected(rejected(format!(
                "{refusal}; only commits signed by the keys of `repository.signed_by` count"
            )));
        }
    };
    let files = match found.files {
        Ok(files) => files,
        Err(error) => return Verdict::Rejected(rejected(chain(&error))),
    };
    let loaded = load_cached(&files, cache);
    let findings = loaded.report.render_text(&files, Colour::Off, WIDTH);
    let (inventory, texts, stale) = match (loaded.inventory, found.stale) {
        (Some(inventory), _) => (inventory, files, Stale::default()),
        (None, Some(stale)) => {
            let texts = stale.over(&files);
            match load_cached(&texts, cache).inventory {
                Some(inventory) => (inventory, texts, stale),
                None => return Verdict::Rejected(rejected(findings)),
            }
        }
        (None, None) => {
            let partial =
                before.and_then(|before| partial(&files, &loaded.report, &before.inventory, &before.texts, cache));
            match partial {
                Some(partial) => (partial.inventory, partial.files, partial.stale),
                None => return Verdict::Rejected(rejected(findings)),
            }
        }
    };
    let known = before.map(|before| &before.inventory.id);
    if let Some(known) = known.filter(|known| **known != inventory.id) {
        return Verdict::Rejected(rejected(format!(
            "its `inventory:` is `{}`, and this daemon looks after `{known}`: start another one for it",
            inventory.id
        )));
    }
    let mut notes = Vec::new();
    if found.moved == Moved::Rewritten {
        notes.push("the branch was rewritten: this commit does not follow from the one before".to_owned());
    }
    let is_whole = stale.texts.is_empty();
    notes.extend((is_whole && !findings.trim().is_empty()).then(|| findings.trim_end().to_owned()));
    let (allowed, invalid) = allowed_by(&found.allowed);
    notes.extend((invalid.iter()).map(|invalid| format!("`{TRAILER}` in the commit's message: {invalid}")));
    let force = InForce {
        inventory: Arc::new(inventory),
        texts: texts.into(),
        stale,
        id: found.id,
        commit: found.commit,
        signed_by: signer.map(|signer| format!("{} ({})", signer.name, signer.key)),
        allowed,
        since: now,
    };
    match is_whole {
        true => Verdict::Valid(force, notes),
        false => Verdict::Partly(force, notes, rejected(findings)),
    }
}
