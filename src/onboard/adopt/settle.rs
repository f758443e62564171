//! Whether an adoption holds: its edits are made, the inventory is loaded, and the devices are planned again from the same readings. What
//! would still change, or would not be valid, is taken out with its reason, until the rest holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Finding, Place, Severity, SourceFile};
use crate::inventory::edit::{Edit, EditError, Edited, KeyPath, edit, path_at};
use crate::inventory::model::Inventory;
use crate::observed::{DeviceConfig, Kind, ObjectId, ProfileRef};
use crate::plan::model::{Action, DeviceChanges, ObjectChange};

use super::super::found::Existing;
use super::{Adopted, Adoption, Compared, How, NotAdopted, Wanted, in_words, propose};

/// What came of an adoption.
#[derive(Debug, Default)]
pub struct Settled {
    /// The inventory with it. `None` where there is nothing to edit.
    pub edited: Option<Edited>,
    /// What was adopted and what was not, by device. All that was adopted has been proven: with the edited inventory, no plan changes
    /// it.
    pub adoptions: BTreeMap<String, Adoption>,
}

/// Takes what devices hold into an inventory. `devices` are those that are compared, by key; `plan` plans one of them again, for the
/// inventory as it would be.
///
/// # Errors
///
/// Those of `plan`. Nothing else fails: what cannot be adopted is named.
pub fn settle<E>(
    existing: Existing<'_>,
    mut devices: BTreeMap<String, Compared>,
    wanted: Wanted<'_>,
    plan: &dyn Fn(&Inventory, &str) -> Result<DeviceChanges, E>,
) -> Result<Settled, E> {
    let mut settled = Settled::default();
    // With some of it in, more may be: what stood in each other's way, or comes up only then. Each round takes in something that none
    // before it has, so there is an end.
    loop {
        let now = settled.edited.as_ref().map_or(existing, |edited| Existing {
            files: &edited.files,
            inventory: &edited.inventory,
        });
        let mut round = propose(now, &devices, wanted);
        settled.forget_adopted(&mut round);
        let proven = prove(now.files, &devices, &mut round, plan)?;
        settled.add(round);
        let Some((edited, after)) = proven else {
            return Ok(settled);
        };
        settled.edited = Some(edited);
        for (key, changes) in after {
            if let Some(compared) = devices.get_mut(&key) {
                compared.changes = changes;
            }
        }
    }
}

impl Settled {
    /// Takes what an earlier round has adopted out of a round.
    fn forget_adopted(&self, round: &mut BTreeMap<String, Adoption>) {
        for (key, adoption) in round {
            let before = self.adoptions.get(key).map_or(&[][..], |before| &before.adopted);
            (adoption.adopted).retain(|one| before.iter().all(|before| before.address != one.address));
        }
    }

    /// What was left before was tried again: the last word on it counts.
    fn add(&mut self, round: BTreeMap<String, Adoption>) {
        for (key, adoption) in round {
            let all = self.adoptions.entry(key).or_default();
            all.adopted.extend(adoption.adopted);
            all.left = adoption.left;
        }
    }
}

/// What a round comes to: the edited inventory, and the plans of the devices that it is about.
type Proven = (Edited, BTreeMap<String, DeviceChanges>);

/// Takes out of a round what does not hold. `None` where nothing is left of it.
fn prove<E>(
    files: &[SourceFile],
    before: &BTreeMap<String, Compared>,
    round: &mut BTreeMap<String, Adoption>,
    plan: &dyn Fn(&Inventory, &str) -> Result<DeviceChanges, E>,
) -> Result<Option<Proven>, E> {
    loop {
        if round.values().all(|adoption| adoption.adopted.is_empty()) {
            return Ok(None);
        }
        let edited = match edit(files, &edits(round)) {
            Ok(edited) => edited,
            Err(error) => {
                if !lighten(round, &error) {
                    let refused = refused(round, &error, files);
                    leave(round, refused);
                }
                continue;
            }
        };
        let mut after = BTreeMap::new();
        let mut wrong: BTreeMap<String, String> = BTreeMap::new();
        for (key, adoption) in round.iter().filter(|(_, adoption)| !adoption.adopted.is_empty()) {
            let changes = plan(&edited.inventory, key)?;
            if let Some(Compared { changes: before, .. }) = before.get(key) {
                let disproved = disproved(&adoption.adopted, before, &changes);
                wrong.extend(disproved.into_iter().map(|(one, reason)| (one.address.clone(), reason)));
            }
            after.insert(key.clone(), changes);
        }
        if wrong.is_empty() {
            return Ok(Some((edited, after)));
        }
        leave(round, wrong);
    }
}

/// All edits of a round. What several objects need, such as a new plan, is made once. What goes goes first: it may stand in the way of
/// the others.
fn edits(round: &BTreeMap<String, Adoption>) -> Vec<Edit> {
    let all = || {
        round
            .values()
            .flat_map(|adoption| &adoption.adopted)
            .flat_map(|one| &one.edits)
    };
    // The whole of an entry; a setting of one goes in its turn.
    let goes = |edit: &&Edit| matches!(edit, Edit::Remove { path } if is_entry(path));
    let mut made: BTreeSet<&KeyPath> = BTreeSet::new();
    let mut edits = Vec::new();
    for edit in all().filter(goes).chain(all().filter(|edit| !goes(edit))) {
        if !matches!(edit, Edit::Insert { path, .. } if !made.insert(path)) {
            edits.push(edit.clone());
        }
    }
    edits
}

/// Whether a place is that of a whole subscriber or endpoint.
fn is_entry(path: &KeyPath) -> bool {
    match path.keys() {
        [section, _] => section == "subscribers",
        [_, _, section, _] => section == "endpoints",
        _ => false,
    }
}

/// Takes objects out of a round, by their addresses, each for its reason.
fn leave(round: &mut BTreeMap<String, Adoption>, mut wrong: BTreeMap<String, String>) {
    for adoption in round.values_mut() {
        let adopted = std::mem::take(&mut adoption.adopted);
        for one in adopted {
            match wrong.remove(&one.address) {
                None => adoption.adopted.push(one),
                Some(reason) => adoption.left.push(NotAdopted {
                    address: one.address,
                    object: one.object,
                    called: one.called,
                    reason,
                    help: (one.how != How::Added).then(|| {
                        "write it into the inventory by hand; `gamops plan` shows what it comes to".to_owned()
                    }),
                }),
            }
        }
    }
}

/// The objects whose edits cannot be made, or would make the inventory invalid, with the reasons. At least one.
fn refused(round: &BTreeMap<String, Adoption>, error: &EditError, files: &[SourceFile]) -> BTreeMap<String, String> {
    let all: Vec<&Adopted> = round.values().flat_map(|adoption| &adoption.adopted).collect();
    let mut wrong = BTreeMap::new();
    match error {
        EditError::Refused { path, message, .. } => {
            for one in about(&all, path) {
                wrong.insert(one.address.clone(), message.clone());
            }
        }
        EditError::InvalidAfter { report, files } => {
            let errors = report.findings().iter().filter(|one| one.severity == Severity::Error);
            for finding in errors {
                for one in blamed(&all, finding, files) {
                    (wrong.entry(one.address.clone())).or_insert_with(|| finding.message.clone());
                }
            }
        }
        EditError::InvalidBefore(_) => {}
    }
    if wrong.is_empty() {
        // Nobody can tell from the places: those that cannot be made alone, else all.
        let alone = |one: &&Adopted| Some((one.address.clone(), reason(&edit(files, &one.edits).err()?)));
        wrong = all.iter().filter_map(alone).collect();
    }
    if wrong.is_empty() {
        let reason = reason(error);
        wrong = all.iter().map(|one| (one.address.clone(), reason.clone())).collect();
    }
    wrong
}

/// Why an edit came to nothing, in one sentence.
fn reason(error: &EditError) -> String {
    let first = match error {
        EditError::InvalidAfter { report, .. } => report.findings().iter().find(|one| one.severity == Severity::Error),
        EditError::InvalidBefore(_) | EditError::Refused { .. } => None,
    };
    first.map_or_else(|| error.to_string(), |finding| finding.message.clone())
}

/// Leaves descriptions and names to the device that make a new entry invalid, and that it can do without, as an import does. `false`
/// where none is to blame.
fn lighten(round: &mut BTreeMap<String, Adoption>, error: &EditError) -> bool {
    let EditError::InvalidAfter { report, files } = error else {
        return false;
    };
    let mut is_lighter = false;
    for finding in report.findings().iter().filter(|one| one.severity == Severity::Error) {
        let file = files.iter().find(|file| *file.path == *finding.primary.file);
        let path = file.and_then(|file| path_at(&file.text, finding.primary.span.start));
        let Some(path) = path.filter(can_be_left_out) else {
            continue;
        };
        for one in round.values_mut().flat_map(|adoption| &mut adoption.adopted) {
            let left_out = one.edits.iter_mut().any(|edit| leave_out(edit, &path));
            if left_out {
                let setting = path.keys().last().map_or("", String::as_str);
                let note = format!("without its {setting}, which stays as it is: {}", finding.message);
                one.what.push(note);
                is_lighter = true;
            }
        }
    }
    is_lighter
}

/// Whether a setting of an entry is left as it is on the device where it is not written.
fn can_be_left_out(path: &KeyPath) -> bool {
    let keys: Vec<&str> = path.keys().iter().map(String::as_str).collect();
    match keys.as_slice() {
        ["subscribers" | "plans", _, "description"]
        | ["subscribers", _, "endpoint", "name" | "description"]
        | ["devices", _, "endpoints", _, "name" | "description"] => true,
        // Of a port nothing else may be there.
        _ => false,
    }
}

/// Takes a setting out of a new entry. `false` where the edit does not write it.
fn leave_out(edit: &mut Edit, path: &KeyPath) -> bool {
    let Edit::Insert { path: entry, value, .. } = edit else {
        return false;
    };
    match path.keys().strip_prefix(entry.keys()) {
        Some(below) => value.remove(below),
        None => false,
    }
}

/// Whose edits a finding is about: those at its place, else at the first of the places that explain it.
fn blamed<'a>(all: &[&'a Adopted], finding: &Finding, files: &[SourceFile]) -> Vec<&'a Adopted> {
    let related = finding.related.iter().map(|(place, _)| place);
    let places = std::iter::once(&finding.primary).chain(related);
    let at = |place: &Place| {
        let file = files.iter().find(|file| *file.path == *place.file)?;
        Some(about(all, &path_at(&file.text, place.span.start)?))
    };
    let found = places.filter_map(at).find(|found| !found.is_empty());
    found.unwrap_or_default()
}

/// The objects with an edit at a place, within it, or around it; without any, those with one in the same entry.
fn about<'a>(all: &[&'a Adopted], path: &KeyPath) -> Vec<&'a Adopted> {
    let of = |is_it: &dyn Fn(&KeyPath) -> bool| -> Vec<&'a Adopted> {
        let with = |one: &&&Adopted| one.edits.iter().any(|edit| is_it(edit.path()));
        all.iter().filter(with).copied().collect()
    };
    let exact = of(&|own| path.is_within(own) || own.is_within(path));
    if !exact.is_empty() {
        return exact;
    }
    let entry = KeyPath::new(path.keys().iter().take(2).cloned());
    of(&|own| own.is_within(&entry))
}

/// What of an adoption does not hold: objects that the plan with the edited inventory, `after`, would still change or not know, each with
/// the reason.
fn disproved<'a>(adopted: &'a [Adopted], before: &DeviceChanges, after: &DeviceChanges) -> Vec<(&'a Adopted, String)> {
    let own = |one: &'a Adopted| {
        let is_still = |change: &&ObjectChange| match one.how {
            // The number that it was to have may be another's now.
            How::Removed => change.address == one.address && change.action == Action::Create,
            How::Changed | How::Added => change.object == one.object && change.action != Action::Create,
        };
        let still = after.changes.iter().find(is_still);
        let changed = still.map(|change| format!("the plan would still say {}", in_words(change).join(", ")));
        let is_unknown = after.unmanaged.iter().any(|(id, _)| *id == one.object);
        let unknown = || is_unknown.then(|| "the entry would not be recognised as this object".to_owned());
        changed.or_else(unknown).map(|reason| (one, reason))
    };
    let wrong: Vec<(&Adopted, String)> = adopted.iter().filter_map(own).collect();
    if !wrong.is_empty() {
        return wrong;
    }
    let differed: BTreeSet<&str> = before.changes.iter().map(|change| change.address.as_str()).collect();
    // A profile that nobody has any more may go: nobody feels it.
    let goes = |change: &ObjectChange| change.kind == Kind::Profile && change.action == Action::Destroy;
    let elsewhere = (after.changes.iter()).filter(|change| !differed.contains(&*change.address) && !goes(change));
    let elsewhere: Vec<(&ObjectChange, String)> = elsewhere
        .map(|change| {
            let what = in_words(change).join(", ");
            (change, format!("the plan would then change {}: {what}", change.address))
        })
        .collect();
    let users = |(change, reason): &(&ObjectChange, String)| {
        let uses = |one: &&Adopted| is_used_by(&after.observed, change, one);
        let users: Vec<_> = adopted.iter().filter(uses).map(|one| (one, reason.clone())).collect();
        users
    };
    let wrong: Vec<(&Adopted, String)> = elsewhere.iter().flat_map(users).collect();
    if !wrong.is_empty() {
        return wrong;
    }
    // It is the doing of one of them, and nobody can tell of which.
    let is_new = |message: &str| !before.refusals.iter().any(|known| known.message == message);
    let refused = after.refusals.iter().find(|refusal| is_new(&refusal.message));
    let reason = refused
        .map(|refusal| refusal.message.clone())
        .or_else(|| elsewhere.first().map(|(_, reason)| reason.clone()));
    let all = |reason: String| adopted.iter().map(move |one| (one, reason.clone()));
    reason.into_iter().flat_map(all).collect()
}

/// Whether a change is about what an adopted object has: its entry's key, its profile, its endpoint.
fn is_used_by(observed: &DeviceConfig, change: &ObjectChange, one: &Adopted) -> bool {
    let has_its_key = one.address.rsplit('/').next() == Some(change.key.as_str()) && change.kind != Kind::Profile;
    let subscriber = match one.object {
        ObjectId::Subscriber(id) => observed.subscribers.get(&id),
        _ => None,
    };
    has_its_key
        || subscriber.is_some_and(|held| match change.object {
            ObjectId::Profile(id) => held.profile == Some(ProfileRef::Profile(id)),
            ObjectId::Endpoint(id) => held.endpoint == Some(id),
            _ => false,
        })
}
