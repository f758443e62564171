//! Whether an edited text says what was meant, and all else that it said before.

use std::collections::HashMap;

use super::super::decode::{Plain, classify};
use super::super::document::{Node, Value as Tree};
use super::{Edit, Value};

/// What is meant below some map: what is there afterwards, or nothing.
type Wanted<'e> = (&'e [String], Option<&'e Value>);

/// Whether `after` is `before` with the edits, of which no two are about the same, and nothing else.
pub(super) fn are_meant(before: Option<&Node<'_>>, after: Option<&Node<'_>>, edits: &[&Edit]) -> bool {
    let wanted: Vec<Wanted<'_>> = (edits.iter())
        .map(|edit| match edit {
            Edit::Set { path, value } | Edit::Insert { path, value, .. } => (path.keys(), Some(value)),
            Edit::Remove { path } => (path.keys(), None),
        })
        .collect();
    differ_only_at(&wanted, before, after)
}

/// Whether two nodes are the same but for what is at the paths.
fn differ_only_at(wanted: &[Wanted<'_>], before: Option<&Node<'_>>, after: Option<&Node<'_>>) -> bool {
    if let [(path, value)] = wanted
        && path.is_empty()
    {
        return match (after, value) {
            (Some(after), Some(value)) => says(after, value),
            (None, None) => true,
            _ => false,
        };
    }
    let mut by_key: HashMap<&str, Vec<Wanted<'_>>> = HashMap::new();
    for (path, value) in wanted {
        let Some((key, below)) = path.split_first() else {
            return false;
        };
        by_key.entry(key).or_default().push((below, *value));
    }
    let (Some(before), Some(after)) = (entries(before), entries(after)) else {
        return false;
    };
    let others = |all: &[(&'_ str, &'_ Node<'_>)]| all.iter().filter(|(key, _)| !by_key.contains_key(key)).count();
    let rest_before = before.iter().filter(|(key, _)| !by_key.contains_key(key));
    let rest_after = after.iter().filter(|(key, _)| !by_key.contains_key(key));
    let rest_is_same = others(&before) == others(&after)
        && rest_before
            .zip(rest_after)
            .all(|((one, left), (other, right))| one == other && same(left, right));
    if !rest_is_same {
        return false;
    }
    let (old, new): (HashMap<_, _>, HashMap<_, _>) =
        (before.iter().copied().collect(), after.iter().copied().collect());
    if old.len() != before.len() || new.len() != after.len() {
        return false;
    }
    // What stays does so in its order.
    let stays = before.iter().map(|(key, _)| *key).filter(|key| new.contains_key(key));
    let stayed = after.iter().map(|(key, _)| *key).filter(|key| old.contains_key(key));
    stays.eq(stayed)
        && (by_key.iter()).all(|(key, wanted)| differ_only_at(wanted, old.get(key).copied(), new.get(key).copied()))
}

/// The entries of a map, in the order of the text; nothing at all is an empty one.
fn entries<'n>(node: Option<&'n Node<'_>>) -> Option<Vec<(&'n str, &'n Node<'n>)>> {
    match node.filter(|node| !node.is_null()).map(|node| &node.value) {
        None => Some(Vec::new()),
        Some(Tree::Mapping(entries)) => Some(entries.iter().map(|entry| (&*entry.key, &entry.value)).collect()),
        Some(_) => None,
    }
}

fn same_entries(before: &[(&str, &Node<'_>)], after: &[(&str, &Node<'_>)]) -> bool {
    let same =
        |((one, left), (other, right)): (&(&str, &Node<'_>), &(&str, &Node<'_>))| one == other && same(left, right);
    before.len() == after.len() && before.iter().zip(after).all(same)
}

/// Whether two nodes say the same, with or without quotes alike.
fn same(one: &Node<'_>, other: &Node<'_>) -> bool {
    match (&one.value, &other.value) {
        (
            Tree::Scalar { text, plain },
            Tree::Scalar {
                text: again,
                plain: still,
            },
        ) => text == again && plain == still,
        (Tree::Sequence(left), Tree::Sequence(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(one, other)| same(one, other))
        }
        (Tree::Mapping(_), Tree::Mapping(_)) => {
            let (left, right) = (entries(Some(one)), entries(Some(other)));
            left.zip(right).is_some_and(|(left, right)| same_entries(&left, &right))
        }
        _ => false,
    }
}

/// Whether a node says a value, to every YAML reader.
fn says(node: &Node<'_>, value: &Value) -> bool {
    match (&node.value, value) {
        (Tree::Scalar { text, plain }, Value::Text(wanted)) => {
            text == wanted && (!plain || classify(text) == Plain::Text)
        }
        (Tree::Scalar { text, plain: true }, Value::Number(wanted)) => *text == wanted.to_string(),
        (Tree::Scalar { text, plain: true }, Value::Flag(wanted)) => *text == wanted.to_string(),
        (Tree::Sequence(items), Value::List(wanted)) => {
            items.len() == wanted.len() && items.iter().zip(wanted).all(|(item, wanted)| says(item, wanted))
        }
        (Tree::Mapping(entries), Value::Map(wanted)) => {
            entries.len() == wanted.len()
                && (entries.iter().zip(wanted))
                    .all(|(entry, (key, wanted))| entry.key == *key && says(&entry.value, wanted))
        }
        _ => false,
    }
}
