//! What became of a finished run's work since: a field that is no longer as the run left it is somebody else's by now.
//!
//! A run that stopped halfway may have left a field in any of its states, so its way back gives back each field that it
//! touched. A finished run left one state, and what differs from that was done later: it stays, and is named.

use serde_json::{Map, Value};

use crate::observed::{Change, DeviceConfig, Object, ObjectId};
use crate::plan::verify::filled_in;

use super::{Cut, merge, touched};

/// A later run on the same device.
#[derive(Debug, Clone)]
pub struct Later {
    /// Its number, as people name it.
    pub run: String,
    /// What it did.
    pub changes: Vec<Change>,
}

/// What there is to go back to: the state before the run, but with everything that was done since in it. And what that
/// is, one sentence for each object of the run.
///
/// `cut.now` is the device now, `left` what the run left it to hold.
pub(in crate::plan) fn with_what_came_since(
    cut: Cut<'_>,
    left: &DeviceConfig,
    later: &[Later],
) -> (DeviceConfig, Vec<String>) {
    let mut before = cut.before.clone();
    let mut others = Vec::new();
    for (id, object) in touched(cut.before, cut.attempted) {
        let was = cut.before.object(id);
        match (cut.now.object(id), left.object(id)) {
            // The run deleted it, and nothing has come in its place; or the way back says that it is another's now.
            (None, None) => {}
            (Some(found), _) if !object.is_it(&found) => {}
            (None, Some(gone)) => {
                if was.is_some() {
                    others.push(format!(
                        "{id} `{}` was deleted since, {}: it stays so",
                        gone.name(),
                        by(id, None, later)
                    ));
                }
                merge::put(&mut before, id, None);
            }
            (Some(found), None) => {
                let is_back = was.is_some_and(|was| differing(&found, &was).is_empty());
                if !is_back {
                    others.push(format!(
                        "{id} `{}` was made again since, {}: it stays",
                        found.name(),
                        by(id, None, later)
                    ));
                }
                merge::put(&mut before, id, Some(found));
            }
            (Some(found), Some(left)) => {
                let left = filled_in(left, &found);
                let theirs = differing(&found, &left);
                let Some(was) = was else {
                    if let Some(field) = theirs.first() {
                        others.push(format!(
                            "{id} `{}` was made by the run, and its {} was changed since, {}: it stays",
                            found.name(),
                            words(&theirs),
                            by(id, Some(field), later)
                        ));
                        merge::put(&mut before, id, Some(found));
                    }
                    continue;
                };
                let ours = differing(&was, &left);
                let moved_on = differing(&found, &was);
                let stays: Vec<String> = theirs
                    .iter()
                    .filter(|field| ours.contains(field) && moved_on.contains(field))
                    .cloned()
                    .collect();
                if let Some(field) = stays.first() {
                    others.push(format!(
                        "{id} `{}`: its {} was changed since, {}: that stays",
                        found.name(),
                        words(&stays),
                        by(id, Some(field), later)
                    ));
                }
                merge::put(&mut before, id, Some(with(was, &found, &theirs)));
            }
        }
    }
    (before, others)
}

/// Who did that to an object, and to this field of it: the latest run of ours that did, else nobody that we know.
fn by(id: ObjectId, field: Option<&String>, later: &[Later]) -> String {
    let did = |change: &Change| {
        change.object() == id
            && match (change.sides(), field) {
                ((Some(from), Some(to)), Some(field)) => differing(&from, &to).contains(field),
                _ => true,
            }
    };
    match later.iter().rev().find(|one| one.changes.iter().any(&did)) {
        Some(one) => format!("by run {}", one.run),
        None => "by no run of gamops".to_owned(),
    }
}

/// The fields by name; one of its own for an object that has none. Words that this version does not know are no field:
/// nobody can write them.
fn fields(object: &Object) -> Map<String, Value> {
    // Made of plain fields, it can always be written; were it not, nothing would be taken for somebody else's.
    let Ok(Value::Object(of_kind)) = serde_json::to_value(object) else {
        return Map::new();
    };
    let mut fields = Map::new();
    for (kind, value) in of_kind {
        match value {
            Value::Object(all) => fields.extend(all),
            lone => drop(fields.insert(kind, lone)),
        }
    }
    fields.remove("unknown");
    fields
}

/// The names of the fields in which two objects of one kind differ.
fn differing(one: &Object, other: &Object) -> Vec<String> {
    let other = fields(other);
    let differs = |(name, value): (String, Value)| (other.get(&name) != Some(&value)).then_some(name);
    fields(one).into_iter().filter_map(differs).collect()
}

/// An object with some of its fields as another one of its kind has them.
fn with(object: Object, from: &Object, names: &[String]) -> Object {
    let taken = fields(from);
    let Ok(Value::Object(mut of_kind)) = serde_json::to_value(&object) else {
        return object;
    };
    for value in of_kind.values_mut() {
        match value {
            Value::Object(all) => {
                let names = names.iter().filter_map(|name| taken.get_key_value(name));
                all.extend(names.map(|(name, value)| (name.clone(), value.clone())));
            }
            lone => {
                if let Some(value) = names.first().and_then(|name| taken.get(name)) {
                    *lone = value.clone();
                }
            }
        }
    }
    serde_json::from_value(Value::Object(of_kind)).unwrap_or(object)
}

fn words(fields: &[String]) -> String {
    let words: Vec<String> = fields.iter().map(|field| field.replace('_', " ")).collect();
    words.join(" and ")
}

#[cfg(test)]
mod tests;
