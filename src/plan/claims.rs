//! What a run writes down as its own before it sends the first command.
//!
//! A run may be cut off anywhere, and the next one must recognise everything that this one touched: as it was,
//! as it was to become, and under a temporary name in between.

use crate::observed::{Object, ObjectId};

use super::drift::with_left;
use super::model::DeviceChanges;
use super::record::Record;

/// The records to put beside those that are there: one for each object that the plan makes, changes or takes
/// over, under its coming name, holding what is there now; and one for each object whose key gets another number
/// and that is to go away, under a key that no inventory can have.
#[must_use]
pub fn claims(changes: &DeviceChanges) -> Vec<Record> {
    let before = &changes.records_before;
    let is_known = |record: &Record| {
        let same = |before: &Record| replaces(record, before) && record.object == before.object;
        before.iter().any(same) || changes.adopted.iter().any(|(id, _)| *id == record.object)
    };
    let coming = changes
        .records
        .iter()
        .filter(|record| !before.contains(record))
        .map(|record| Record {
            applied: held(changes, record.object).filter(|_| is_known(record)),
            ..record.clone()
        });
    let renumbered = |before: &&Record| {
        changes
            .records
            .iter()
            .any(|record| replaces(record, before) && record.object != before.object)
    };
    let left_behind = before.iter().filter(renumbered).map(Record::left_behind);
    coming.chain(left_behind).collect()
}

/// What the device holds of an object, but for drift that is left as it is: of that, what was applied. The run does not
/// touch it, and whoever goes on after the run finds drift there as before.
fn held(changes: &DeviceChanges, id: ObjectId) -> Option<Object> {
    let held = changes.observed.object(id)?;
    let before = changes.records_before.iter().find(|before| before.object == id);
    let applied = before.and_then(|before| before.applied.as_ref());
    Some(match applied {
        Some(applied) => with_left(&changes.left, id, &held, applied).into_owned(),
        None => held,
    })
}

fn replaces(record: &Record, before: &Record) -> bool {
    record.kind() == before.kind() && record.key == before.key
}
