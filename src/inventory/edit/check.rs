//! Whether an edited text says what was meant, and all else that it said before.

use super::super::decode::{Plain, classify};
use super::super::document::{Node, Value as Tree};
use super::{Edit, Value};

/// Whether `after` is `before` with the edit and nothing else.
pub(super) fn is_meant(before: Option<&Node<'_>>, after: Option<&Node<'_>>, edit: &Edit) -> bool {
    match edit {
        Edit::Set { path, value } | Edit::Insert { path, value, .. } => {
            differs_only_at(path.keys(), before, after, Some(value))
        }
        Edit::Remove { path } => differs_only_at(path.keys(), before, after, None),
    }
}

/// Whether two nodes are the same but for what is at the path: `value` afterwards, or nothing.
fn differs_only_at(
    path: &[String],
    before: Option<&Node<'_>>,
    after: Option<&Node<'_>>,
    value: Option<&Value>,
) -> bool {
    let Some((key, below)) = path.split_first() else {
        return match (after, value) {
            (Some(after), Some(value)) => says(after, value),
            (None, None) => true,
            _ => false,
        };
    };
    let (Some(mut before), Some(mut after)) = (entries(before), entries(after)) else {
        return false;
    };
    let place = |all: &[(&str, &Node<'_>)]| all.iter().position(|(other, _)| other == key);
    let (old, new) = (place(&before), place(&after));
    let old_node = old.map(|place| before.remove(place).1);
    let new_node = new.map(|place| after.remove(place).1);
    let stays_in_place = old.is_none() || new.is_none() || old == new;
    stays_in_place && same_entries(&before, &after) && differs_only_at(below, old_node, new_node, value)
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
