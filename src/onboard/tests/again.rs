//! A device of the inventory is imported again: whatever it holds by then, the edit is right, and there is none the next time.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use proptest::prelude::*;

use super::laws::a_device;
use super::*;
use crate::onboard::adopt::{Compared, NotAdopted, Settled, Wanted, settle};

/// A comment of the operator's above each entry and behind its key. Both name it.
fn commented(files: Vec<SourceFile>) -> Vec<SourceFile> {
    let comment = |file: SourceFile| {
        let mut text = String::new();
        for line in file.text.lines() {
            let key = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':'));
            match key.filter(|key| !key.starts_with(' ')) {
                Some(key) => text.push_str(&format!("  # above {key}\n{line} # behind {key}\n")),
                None => text.push_str(&format!("{line}\n")),
            }
        }
        SourceFile { text, ..file }
    };
    files.into_iter().map(comment).collect()
}

/// Imports what the device holds into an inventory that has it.
fn again(now: &Found, key: &str, files: &[SourceFile], remove_missing: bool) -> Settled {
    let inventory = loaded(files);
    let replan = |inventory: &Inventory, key: &str| Ok::<_, Infallible>(plan(now, key, inventory, Mode::Observe));
    let compared = Compared {
        changes: plan(now, key, &inventory, Mode::Observe),
        unreadable: BTreeMap::new(),
    };
    let existing = Existing {
        files,
        inventory: &inventory,
    };
    let wanted = Wanted::Everything { remove_missing };
    settle(existing, [(key.to_owned(), compared)].into(), wanted, &replan).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_device_holds_by_then_the_edit_is_proven_and_the_next_one_is_empty(
        first in a_device(1),
        then in a_device(1),
        remove_missing in any::<bool>(),
    ) {
        // One that ties its subscribers to something else is another device to the inventory.
        prop_assume!(first.subscriber_model == then.subscriber_model);
        let imported = import(&[found(1, "GAM-24-M", first)], None, Layout::PerDevice, "test").unwrap();
        let key = imported.devices[0].key.clone();
        let files = commented(sources(&imported));
        let before = loaded(&files);
        let now = found(1, "GAM-24-M", then);
        let settled = again(&now, &key, &files, remove_missing);
        let adoption = &settled.adoptions[&key];

        let edited = settled.edited.as_ref().map_or(&files, |edited| &edited.files);
        let inventory = loaded(edited);
        let after = plan(&now, &key, &inventory, Mode::Observe);
        let left: BTreeSet<&str> = adoption.left.iter().map(|one: &NotAdopted| one.address.as_str()).collect();
        let unnamed: Vec<_> = after.changes.iter().filter(|change| {
            // An endpoint comes with its subscriber, a profile with those who have the plan.
            let with_subscriber = format!("{key}/subscriber/{}", change.key);
            !left.contains(&*change.address) && !left.contains(&*with_subscriber) && change.kind != Kind::Profile
        }).collect();
        prop_assert!(unnamed.is_empty(), "{:#?}\n{:#?}", unnamed, adoption);
        for one in &adoption.adopted {
            prop_assert!(after.changes.iter().all(|change| change.address != one.address), "{}", one.address);
        }

        // Nothing of the operator's is lost but with the entry that it is about.
        let texts: String = edited.iter().map(|file| file.text.as_str()).collect();
        for key in before.subscribers.keys().filter(|key| inventory.subscribers.contains_key(key)) {
            let quoted = inventory::quoted_key(key);
            prop_assert!(texts.contains(&format!("# above {quoted}\n")), "{quoted}\n{texts}");
            prop_assert!(texts.contains(&format!("{quoted}: # behind {quoted}\n")), "{quoted}\n{texts}");
        }
        if !remove_missing {
            let lost = before.subscribers.keys().find(|key| !inventory.subscribers.contains_key(key));
            prop_assert_eq!(lost, None, "nobody leaves the inventory unasked");
        }

        let third = again(&now, &key, edited, remove_missing);
        prop_assert!(third.edited.is_none(), "{:#?}\n{texts}", third.adoptions);
    }
}
