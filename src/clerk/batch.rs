//! Intents as commits: one for each account, or one for all where there are many; and no intent that would leave the inventory
//! invalid.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::billing::{Intent, Open, Why};
use crate::diagnostic::{Severity, SourceFile};
use crate::inventory::edit::{Edit, EditError, edit};
use crate::repo::below_top;
use crate::repo::remote::Addition;

use super::message::{Occasion, message};

/// Commits to be made, with what each carries out; and what none does.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// In their order.
    pub(super) commits: Vec<(Addition, Vec<Intent>)>,
    /// What cannot be written.
    pub(super) left: Vec<Open>,
}

/// Makes commits of intents. Those of one account go together; where there are more accounts than `one_by_one`, all do.
pub(super) fn batch(
    files: &[SourceFile],
    intents: Vec<Intent>,
    one_by_one: usize,
    occasion: Occasion<'_>,
    at: Timestamp,
) -> Batch {
    let mut accounts: BTreeMap<String, Vec<Intent>> = BTreeMap::new();
    for intent in intents {
        accounts.entry(intent.service.account.clone()).or_default().push(intent);
    }
    let groups: Vec<Vec<Intent>> = match accounts.len() {
        0 => Vec::new(),
        few if few <= one_by_one => accounts.into_values().collect(),
        _ => vec![accounts.into_values().flatten().collect()],
    };
    let mut texts = files.to_vec();
    let mut batch = Batch::default();
    for group in groups {
        let before = texts.clone();
        let written = write(&mut texts, group, &mut batch.left);
        if written.is_empty() {
            continue;
        }
        let changed = before
            .iter()
            .zip(&texts)
            .filter(|(before, after)| before.text != after.text);
        let files: BTreeMap<String, String> = changed
            .map(|(_, after)| (below_top(&after.path).to_owned(), after.text.clone()))
            .collect();
        let addition = Addition {
            files,
            message: message(&written, occasion),
            at,
        };
        batch.commits.push((addition, written));
    }
    batch
}

/// Writes intents into texts and gives those that were written. Where all of them together cannot be, halves are tried: one that cannot
/// be written keeps no other from it.
fn write(texts: &mut Vec<SourceFile>, intents: Vec<Intent>, left: &mut Vec<Open>) -> Vec<Intent> {
    let edits: Vec<Edit> = intents.iter().flat_map(|intent| intent.edits.iter().cloned()).collect();
    let error = match edit(texts, &edits) {
        Ok(edited) => {
            *texts = edited.files;
            return intents;
        }
        Err(error) => error,
    };
    let mut intents = intents;
    if intents.len() > 1 {
        let second = intents.split_off(intents.len() / 2);
        let mut written = write(texts, intents, left);
        written.extend(write(texts, second, left));
        return written;
    }
    left.extend(intents.into_iter().map(|intent| Open {
        words: format!("{}: cannot be written: {}", intent.words, in_words(&error)),
        subscriber: Some(intent.subscriber),
        service: Some(intent.service),
        why: Why::Held,
    }));
    Vec::new()
}

/// What keeps an edit from being made, on one line.
fn in_words(error: &EditError) -> String {
    let (EditError::InvalidAfter { report, .. } | EditError::InvalidBefore(report)) = error else {
        return error.to_string();
    };
    let first = (report.findings().iter()).find(|finding| finding.severity == Severity::Error);
    match first {
        Some(finding) => format!("the inventory would not be valid: {}", finding.message),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::{Kind, Way};
    use crate::domain::BillingKind;
    use crate::inventory::edit::{KeyPath, Value};

    const ROOT: &str = "format: 1\ninventory: isp\nplans:\n  gold: { rate: 500 Mbps }\n  silver: { rate: 100 Mbps }\n";
    const SITE: &str = "devices:\n  a: { model: GAM-12-C, address: 192.0.2.1, credentials: noc }\nsubscribers:\n  \
                        s-1: { device: a, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101 } # by hand\n  \
                        s-2: { device: a, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: gold, vlan: 102 }\n";

    fn files() -> Vec<SourceFile> {
        [
            ("3f0c2d81aa4e:./gamops.yaml", ROOT),
            ("3f0c2d81aa4e:sites/a.yaml", SITE),
        ]
        .map(|(path, text)| SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .into()
    }

    fn on(subscriber: &str, account: &str, plan: &str) -> Intent {
        Intent {
            subscriber: subscriber.to_owned(),
            service: format!("{account}/5").parse().unwrap(),
            kind: Kind::Plan,
            way: Way::Push,
            edits: vec![Edit::Set {
                path: KeyPath::new(["subscribers", subscriber, "plan"]),
                value: Value::Text(plan.to_owned()),
            }],
            sets: vec![("plan", plan.to_owned())],
            words: format!("plan: {plan}"),
        }
    }

    fn made(intents: Vec<Intent>, one_by_one: usize) -> Batch {
        let occasion = Occasion {
            system: BillingKind::Splynx,
            event: "sweep",
            run: "r",
        };
        batch(&files(), intents, one_by_one, occasion, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn each_account_is_a_commit_of_its_own_while_they_are_few() {
        let batch = made(vec![on("s-1", "1", "silver"), on("s-2", "2", "silver")], 2);
        let subjects: Vec<&str> = batch
            .commits
            .iter()
            .filter_map(|(one, _)| one.message.lines().next())
            .collect();
        assert_eq!(subjects, ["splynx: s-1 plan: silver", "splynx: s-2 plan: silver"]);
        let (first, second) = (&batch.commits[0].0.files, &batch.commits[1].0.files);
        assert_eq!(first.keys().collect::<Vec<_>>(), ["sites/a.yaml"]);
        assert!(first["sites/a.yaml"].contains("port: 1, plan: silver, vlan: 101 } # by hand"));
        assert!(
            first["sites/a.yaml"].contains("plan: gold, vlan: 102"),
            "the second is not in the first"
        );
        assert!(
            second["sites/a.yaml"].contains("plan: silver, vlan: 101")
                && second["sites/a.yaml"].contains("plan: silver, vlan: 102")
        );
    }

    #[test]
    fn many_accounts_are_one_commit() {
        let batch = made(vec![on("s-1", "1", "silver"), on("s-2", "2", "silver")], 1);
        assert_eq!(batch.commits.len(), 1);
        assert!(
            batch.commits[0]
                .0
                .message
                .starts_with("splynx: 2 subscribers: 2 on another plan\n")
        );
    }

    #[test]
    fn what_cannot_be_written_keeps_nothing_else_from_it() {
        for one_by_one in [0, 10] {
            let intents = vec![
                on("s-1", "1", "silver"),
                on("s-2", "2", "platinum"),
                on("s-9", "3", "gold"),
            ];
            let batch = made(intents, one_by_one);
            let written: Vec<&str> = (batch.commits.iter())
                .flat_map(|(_, intents)| intents.iter().map(|intent| intent.subscriber.as_str()))
                .collect();
            assert_eq!(written, ["s-1"]);
            let left: Vec<&str> = batch.left.iter().map(|open| open.words.as_str()).collect();
            assert_eq!(
                left,
                [
                    "plan: platinum: cannot be written: the inventory would not be valid: there is no plan `platinum`",
                    "plan: gold: cannot be written: the inventory has no `s-9` under `subscribers`"
                ]
            );
        }
    }

    #[test]
    fn nothing_to_write_is_no_commit() {
        let batch = made(Vec::new(), 10);
        assert!(batch.commits.is_empty() && batch.left.is_empty());
    }
}
