//! Many edits at once: few passes, and what one edit after the other would make.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn file(text: &str) -> SourceFile {
    SourceFile {
        path: "a.yaml".to_owned(),
        text: text.to_owned(),
    }
}

/// A file of so many subscribers, in one of three hands.
fn subscribers(number: usize, hand: usize) -> String {
    let mut text = "# All of them.\nsubscribers:\n".to_owned();
    for one in 0..number {
        text.push_str(&match hand {
            0 => format!("  s-{one}: {{device: a, plan: gold, vlan: 10}} # {one}\n"),
            1 => format!("  s-{one}:\n    device: a\n    plan: gold\n    # inner\n    vlan: 10\n\n"),
            _ => format!(
                "  # Number {one}.\n  s-{one}:\n    device: a\n    plan: 'gold'\n    external: {{splynx: \"{one}\"}}\n"
            ),
        });
    }
    text.push_str("# end\n");
    text
}

/// One edit after the other.
fn one_by_one(text: &str, edits: &[Edit]) -> Option<String> {
    (edits.iter()).try_fold(text.to_owned(), |text, edit| edited(&text, edit).ok())
}

/// All of them, and in how many passes.
fn at_once(text: &str, edits: &[Edit]) -> Option<(String, usize)> {
    let (mut file, mut left, mut passes) = (file(text), edits.iter().collect::<Vec<_>>(), 0);
    let all = edit_all(&file, &left).ok()?;
    while !left.is_empty() {
        (file.text, left) = crate::inventory::edit::batch::pass(&file, &left).ok()?;
        passes += 1;
    }
    assert_eq!(file.text, all);
    Some((all, passes))
}

#[test]
fn hundreds_of_edits_are_a_few_passes() {
    for hand in 0..3 {
        let text = subscribers(2_000, hand);
        let mut edits = Vec::new();
        for one in (0..2_000).step_by(4) {
            edits.push(set(&format!("subscribers.s-{one}.plan"), Value::from("iron")));
            edits.push(set(&format!("subscribers.s-{one}.state"), Value::from("suspended")));
            edits.push(set(&format!("subscribers.s-{one}.external.splynx"), Value::from("1/2")));
        }
        for one in 2_000..2_100 {
            edits.push(insert(&format!("subscribers.s-{one}"), subscriber()));
        }
        let (done, passes) = at_once(&text, &edits).unwrap();
        assert!(passes <= 3, "{passes} passes");
        assert_eq!(done.matches("iron").count(), 500);
        assert_eq!(done.matches("suspended").count(), 500);
        let keys: Vec<&str> = done.lines().filter(|line| line.starts_with("  s-")).collect();
        assert_eq!(keys.len(), 2_100);
    }
}

#[test]
fn what_depends_on_each_other_comes_one_after_the_other() {
    let text = subscribers(3, 0);
    let edits = [
        insert("subscribers.s-9", subscriber()),
        set("subscribers.s-9.vlan", Value::Number(7)),
        remove("subscribers.s-1"),
        insert("subscribers.s-1", subscriber()),
        remove("subscribers.s-0"),
        remove("subscribers.s-2"),
        remove("subscribers.s-1"),
        remove("subscribers.s-9"),
    ];
    let (done, _) = at_once(&text, &edits).unwrap();
    assert_eq!(done, "# All of them.\nsubscribers: {}\n# end\n");
    assert_eq!(Some(done), one_by_one(&text, &edits));
    let twice = [remove("subscribers.s-1"), remove("subscribers.s-1")];
    let error = edit_all(&file(&text), &twice.iter().collect::<Vec<_>>()).unwrap_err();
    assert_eq!(error.to_string(), "a.yaml: there is no `subscribers.s-1`");
}

fn drawn() -> impl Strategy<Value = (u8, Index, u8)> {
    (0..6_u8, any::<Index>(), 0..12_u8)
}

proptest! {
    #[test]
    fn all_at_once_is_one_after_the_other(number in 0..6_usize, hand in 0..3_usize, draws in vec(drawn(), 1..10), cut in any::<bool>()) {
        let mut text = subscribers(number, hand);
        if cut {
            text.truncate(text.trim_end().len());
        }
        let mut there: Vec<String> = (0..number).map(|one| format!("s-{one}")).collect();
        let mut edits = Vec::new();
        for (what, which, new) in draws {
            let new_key = format!("s-{new}x");
            if what == 0 && !there.contains(&new_key) {
                edits.push(insert(&format!("subscribers.{new_key}"), subscriber()));
                there.push(new_key);
                continue;
            }
            if there.is_empty() {
                continue;
            }
            let at = which.index(there.len());
            let key = there[at].clone();
            edits.push(match what {
                1 => {
                    there.remove(at);
                    remove(&format!("subscribers.{key}"))
                }
                2 => set(&format!("subscribers.{key}.state"), Value::from("active")),
                3 => set(&format!("subscribers.{key}.external.splynx"), Value::from("3/4")),
                4 => set("defaults.vlan", Value::Number(new.into())),
                _ => set(&format!("subscribers.{key}.plan"), Value::from("iron")),
            });
        }
        let done = at_once(&text, &edits);
        prop_assert_eq!(done.map(|(done, _)| done), one_by_one(&text, &edits), "{:?}\n{}", edits, text);
    }
}
