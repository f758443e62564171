//! What a device's configuration becomes, as a diff for people: `+` for what is made, `-` for what goes away, `!` for what is
//! changed in place, each line as the device would print it.

use std::collections::BTreeSet;
use std::sync::Arc;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::observed::{DeviceConfig, ObjectId, RunningConfig};

use super::super::model::{DeviceChanges, ObjectChange, Waiting};
use super::super::text::fields_text;
use super::super::unsaved::Write;
use super::Parts;

/// The lines of a device that differ, in the order in which it prints them; then what waits, and what is no longer done. With
/// `parts`, lines that are not of the change say so.
pub(super) fn diff(changes: &DeviceChanges, parts: Option<&Parts>) -> Vec<String> {
    let write = changes.basis.write;
    let mut objects: Vec<&ObjectChange> = changes.changes.iter().collect();
    objects.sort_by_key(|change| change.object);
    let whose = Whose::of(parts);
    let mut lines: Vec<String> = objects
        .into_iter()
        .filter_map(|change| {
            let before = line(&changes.observed, change.object, write);
            let after = line(&changes.target, change.object, write);
            let text = match (before, after) {
                (Some(before), Some(after)) => format!("! {}", marked(&before, &after)),
                (None, Some(after)) => format!("+ {after}"),
                (Some(before), None) => format!("- {before}"),
                (None, None) => return None,
            };
            Some(format!("{text}{}", whose.words(change)))
        })
        .collect();
    if let Some(Waiting {
        when,
        window,
        changes: waiting,
        ..
    }) = &changes.waiting
    {
        lines.push(format!("# waits until {when} (window {window}):"));
        lines.extend(
            waiting
                .iter()
                .map(|change| format!("{}{}", in_words(change), whose.words(change))),
        );
    }
    if let Some(dropped) = parts.map(|parts| &parts.dropped).filter(|dropped| !dropped.is_empty()) {
        lines.push("# no longer done, because of this change:".to_owned());
        lines.extend(dropped.iter().map(|change| format!("# {}", in_words(change))));
    }
    lines
}

/// Whose each change is.
struct Whose<'a> {
    mine: BTreeSet<&'a str>,
    also: BTreeSet<&'a str>,
}

impl<'a> Whose<'a> {
    fn of(parts: Option<&'a Parts>) -> Self {
        let addresses = |lists: [&'a [ObjectChange]; 2]| lists.into_iter().flatten().map(|one| one.address.as_str());
        let Some(parts) = parts else {
            return Self {
                mine: BTreeSet::new(),
                also: BTreeSet::new(),
            };
        };
        Self {
            mine: addresses([&parts.mine, &parts.waiting[0]]).collect(),
            also: addresses([&parts.also, &parts.waiting[1]]).collect(),
        }
    }

    fn words(&self, change: &ObjectChange) -> &'static str {
        let is_in = |side: &BTreeSet<&str>| side.contains(change.address.as_str());
        match (is_in(&self.mine), is_in(&self.also)) {
            (true, true) => "   (partly of this change)",
            (false, true) => "   (not of this change)",
            _ => "",
        }
    }
}

/// A change in words, with the sign that a diff has for it.
fn in_words(change: &ObjectChange) -> String {
    use super::super::model::Action;
    let sign = match change.action {
        Action::Create => '+',
        Action::Update => '!',
        Action::Destroy => '-',
    };
    format!("{sign} {}/{}  {}", change.kind, change.key, fields_text(change))
}

/// The line that a device prints for one object. `None` where it prints none.
fn line(config: &DeviceConfig, id: ObjectId, write: Write) -> Option<String> {
    let managed = Arc::new(only(config, id));
    let text = write(&RunningConfig {
        managed,
        ..RunningConfig::default()
    });
    text.lines().next().map(str::to_owned)
}

/// A configuration that holds one object of another, and nothing else.
fn only(config: &DeviceConfig, id: ObjectId) -> DeviceConfig {
    let mut one = DeviceConfig::default();
    match id {
        ObjectId::System => one.hostname.clone_from(&config.hostname),
        ObjectId::Port(id) => one.ports.extend(config.ports.get_key_value(&id).map(owned)),
        ObjectId::Profile(id) => one.profiles.extend(config.profiles.get_key_value(&id).map(owned)),
        ObjectId::Endpoint(id) => one.endpoints.extend(config.endpoints.get_key_value(&id).map(owned)),
        ObjectId::Subscriber(id) => one.subscribers.extend(config.subscribers.get_key_value(&id).map(owned)),
    }
    one
}

fn owned<K: Copy, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (*key, value.clone())
}

/// A line with what changes in it in braces: `ghn subscriber 1 vid {101 -> 111} {+description "Apt 3"}`.
fn marked(before: &str, after: &str) -> String {
    let (old, new) = (words(before), words(after));
    let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    let words: Vec<String> = ops
        .iter()
        .map(|op| {
            let (gone, come) = (old[op.old_range()].join(" "), new[op.new_range()].join(" "));
            match op.tag() {
                DiffTag::Equal => come,
                DiffTag::Delete => format!("{{-{gone}}}"),
                DiffTag::Insert => format!("{{+{come}}}"),
                DiffTag::Replace => format!("{{{gone} -> {come}}}"),
            }
        })
        .collect();
    words.join(" ")
}

/// The words of a line; what stands in quotes is one.
fn words(line: &str) -> Vec<&str> {
    let mut quoted = false;
    line.split(|c| {
        quoted ^= c == '"';
        c == ' ' && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_in_a_line_is_marked_word_by_word() {
        for (before, after, shown) in [
            (
                "ghn subscriber 1 vid 101",
                "ghn subscriber 1 vid 111",
                "ghn subscriber 1 vid {101 -> 111}",
            ),
            ("a poe enable", "a", "a {-poe enable}"),
            (
                "a vid 1",
                "a vid 1 description \"x y\"",
                "a vid 1 {+description \"x y\"}",
            ),
            ("name \"a b\" x", "name \"a c\" x", "name {\"a b\" -> \"a c\"} x"),
        ] {
            assert_eq!(marked(before, after), shown);
        }
    }
}
