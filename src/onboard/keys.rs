//! Keys for what devices call by other names: readable, unique, and the same for the same input.

use std::collections::{BTreeMap, BTreeSet};

/// The longest key that is made: room for a number behind it within the 63 characters of a key.
const LONGEST: usize = 58;

/// A text as a key: small letters, digits, dashes and underscores. Empty where nothing is left.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for char in text.chars() {
        match char {
            _ if char.is_ascii_alphanumeric() => slug.push(char.to_ascii_lowercase()),
            '_' if !slug.is_empty() && !slug.ends_with('-') => slug.push(char),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.truncate(LONGEST);
    slug.trim_end_matches(['-', '_']).to_owned()
}

/// The key of an object by its name: the name itself where it can be a key, else its slug.
pub(super) fn of_name(name: &str) -> String {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let is_key = name.len() <= LONGEST
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(good);
    if is_key { name.to_owned() } else { slug(name) }
}

/// Gives each thing its own key.
///
/// `wanted` are the keys that would be nice to have; what several want, or is in `taken`, nobody gets: each then has what
/// `longer` makes of it, so that the order of the input decides as little as possible. What is still not free gets a number.
pub(super) fn assign<Id: Ord + Copy>(
    wanted: &BTreeMap<Id, String>,
    taken: &BTreeSet<String>,
    longer: impl Fn(Id, &str) -> String,
) -> BTreeMap<Id, String> {
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    for key in wanted.values() {
        *asked.entry(key).or_default() += 1;
    }
    let is_free = |key: &str| asked.get(key) == Some(&1) && !taken.contains(key);
    let mut used = taken.clone();
    used.extend(wanted.values().filter(|key| is_free(key)).cloned());
    let mut given = BTreeMap::new();
    for (id, key) in wanted {
        if is_free(key) {
            given.insert(*id, key.clone());
            continue;
        }
        let mut longer = longer(*id, key);
        longer.truncate(LONGEST);
        let mut number = 1_u32;
        let mut candidate = longer.clone();
        while !used.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{longer}-{number}");
        }
        given.insert(*id, candidate);
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_can_be_a_key_is_one_and_others_become_readable() {
        for (name, key) in [
            ("s-10401", "s-10401"),
            ("John", "John"),
            ("101", "101"),
            ("Apt 101", "apt-101"),
            ("Dr. Lindqvist (ground floor)", "dr-lindqvist-ground-floor"),
            ("#7 / left", "7-left"),
            ("__", ""),
            ("()", ""),
        ] {
            assert_eq!(of_name(name), key, "{name}");
        }
    }

    #[test]
    fn what_two_want_neither_gets_and_what_is_taken_nobody_gets() {
        let wanted = BTreeMap::from([
            (("a", 1), "apt-1".to_owned()),
            (("a", 2), "apt-2".to_owned()),
            (("b", 1), "apt-1".to_owned()),
            (("b", 2), "apt-3".to_owned()),
            (("b", 3), "apt-3".to_owned()),
        ]);
        let taken = BTreeSet::from(["apt-2".to_owned()]);
        let given = assign(&wanted, &taken, |(device, _), key| format!("{device}-{key}"));
        let keys: Vec<&str> = given.values().map(String::as_str).collect();
        assert_eq!(keys, ["a-apt-1", "a-apt-2", "b-apt-1", "b-apt-3", "b-apt-3-2"]);
    }
}
