//! What came of assumed words that were tried: applied, refused, or taken and ignored.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::SubscriberId;
use crate::observed::{Answer, AssumedWord, DeviceConfig};

/// A field that the device did not come to hold because of its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotApplied {
    /// Whose field.
    pub subscriber: SubscriberId,
    /// The word.
    pub word: AssumedWord,
    /// Whether the device refused it; else it took it and nothing changed.
    pub refused: bool,
}

/// What a run of trials came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trials {
    /// The target without the fields that could not be applied.
    pub target: DeviceConfig,
    /// Those fields.
    pub not_applied: Vec<NotApplied>,
    /// What this firmware answered, for the next plan.
    pub answers: Vec<(AssumedWord, Answer)>,
}

/// Compares what was tried with what the device holds afterwards.
///
/// `tried` are the words that the device let pass, `refused` those that it did not know. A field that became
/// something else than it was and than was asked for stays in the target: that is a failure, not an answer.
#[must_use]
pub fn judge(
    asked: &DeviceConfig,
    before: &DeviceConfig,
    found: &DeviceConfig,
    tried: &BTreeSet<(SubscriberId, AssumedWord)>,
    refused: &BTreeSet<(SubscriberId, AssumedWord)>,
) -> Trials {
    let mut target = asked.clone();
    let mut not_applied = Vec::new();
    let mut answers: BTreeMap<AssumedWord, Answer> = BTreeMap::new();
    for (id, word) in refused {
        answers.insert(*word, Answer::No);
        if let Some(wanted) = target.subscribers.get_mut(id) {
            word.put_back(wanted, &before.subscribers.get(id).cloned().unwrap_or_default());
            not_applied.push(NotApplied {
                subscriber: *id,
                word: *word,
                refused: true,
            });
        }
    }
    for (id, word) in tried {
        let (Some(asked), Some(held)) = (asked.subscribers.get(id), found.subscribers.get(id)) else {
            continue;
        };
        let is_new = !before.subscribers.contains_key(id);
        let was = before.subscribers.get(id).cloned().unwrap_or_default();
        let mut as_before = held.clone();
        word.put_back(&mut as_before, &was);
        let needed = |word: AssumedWord| word.is_needed(held, asked);
        if !needed(*word) {
            if word.is_needed(&was, asked) {
                answers.insert(*word, Answer::Yes);
            }
        } else if is_new || as_before == *held {
            // A new subscriber holds the device's default, whatever that is, where the word did nothing.
            if let Some(wanted) = target.subscribers.get_mut(id) {
                word.put_back(wanted, &was);
            }
            not_applied.push(NotApplied {
                subscriber: *id,
                word: *word,
                refused: false,
            });
            // What it would do on a device that had taken the one before it, nobody knows.
            if !word.rests_on().is_some_and(needed) {
                answers.entry(*word).or_insert(Answer::Ignored);
            }
        }
    }
    not_applied.sort_unstable();
    Trials {
        target,
        not_applied,
        answers: answers.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DoubleTag, PoeMode};
    use crate::observed::Subscriber;

    fn config(trunk: bool, poe: PoeMode) -> DeviceConfig {
        let subscriber = Subscriber {
            name: "s".to_owned(),
            trunk,
            poe: Some(poe),
            ..Subscriber::default()
        };
        DeviceConfig {
            subscribers: [(id(), subscriber)].into(),
            ..DeviceConfig::default()
        }
    }

    #[test]
    fn of_a_double_tag_that_is_ignored_both_words_are_told() {
        let tagged = |tag: Option<DoubleTag>| {
            let mut config = config(false, PoeMode::Disable);
            config.subscribers.get_mut(&id()).unwrap().double_tag = tag;
            config
        };
        let tag = DoubleTag {
            outer_vlan: 500.try_into().unwrap(),
            uplink: Some(2.try_into().unwrap()),
        };
        let on = [AssumedWord::OuterVlan, AssumedWord::Uplink];
        let off = [AssumedWord::NoOuterVlan, AssumedWord::NoUplink];
        for (before, asked, tried, learned) in [
            (None, Some(tag), on, AssumedWord::OuterVlan),
            (Some(tag), None, off, AssumedWord::NoUplink),
        ] {
            let (before, asked) = (tagged(before), tagged(asked));
            let trials = judge(&asked, &before, &before, &words(&tried), &BTreeSet::new());
            let told: Vec<AssumedWord> = trials.not_applied.iter().map(|field| field.word).collect();
            assert_eq!(told, tried);
            assert_eq!(trials.target, before);
            // The other one makes no sense without it, so nothing is learned of that.
            assert_eq!(trials.answers, [(learned, Answer::Ignored)]);
        }
    }

    fn id() -> SubscriberId {
        1.try_into().unwrap()
    }

    fn words(words: &[AssumedWord]) -> BTreeSet<(SubscriberId, AssumedWord)> {
        words.iter().map(|word| (id(), *word)).collect()
    }

    #[test]
    fn a_refused_word_leaves_its_field_as_it_was() {
        let (before, target) = (config(false, PoeMode::Disable), config(true, PoeMode::Force));
        let found = config(false, PoeMode::Force);
        let trials = judge(
            &target,
            &before,
            &found,
            &words(&[AssumedWord::PoeEnableForce]),
            &words(&[AssumedWord::Trunk]),
        );
        assert_eq!(trials.target, found);
        assert_eq!(
            trials.answers,
            [
                (AssumedWord::Trunk, Answer::No),
                (AssumedWord::PoeEnableForce, Answer::Yes)
            ]
        );
        assert!(trials.not_applied.len() == 1 && trials.not_applied[0].refused);
    }

    #[test]
    fn a_word_that_changes_nothing_is_told_apart_from_one_that_does_something_else() {
        let (before, target) = (config(false, PoeMode::Disable), config(true, PoeMode::Force));
        let tried = words(&[AssumedWord::Trunk, AssumedWord::PoeEnableForce]);
        let found = config(false, PoeMode::Enable);
        let trials = judge(&target, &before, &found, &tried, &BTreeSet::new());
        assert_eq!(trials.answers, [(AssumedWord::Trunk, Answer::Ignored)]);
        assert_eq!(
            trials.target,
            config(false, PoeMode::Force),
            "PoE is a failure, not an answer"
        );
    }
}
