//! What a run writes down as its own before it sends the first command.
//!
//! A run may be cut off anywhere, and the next one must recognise everything that this one touched: as it was,
//! as it was to become, and under a temporary name in between.

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
            applied: changes.observed.object(record.object).filter(|_| is_known(record)),
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

fn replaces(record: &Record, before: &Record) -> bool {
    record.kind() == before.kind() && record.key == before.key
}
