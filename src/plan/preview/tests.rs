//! What holds of a preview, whatever is asked of whatever devices and whatever they are called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::dialect::running::canonical;
use crate::inventory::desired::DesiredDevice;
use crate::inventory::rollout::Waves;
use crate::observed::DeviceConfig;
use crate::plan::model::DevicePlan;
use crate::plan::record::Record;
use crate::plan::resolve::Refusal;
use crate::plan::sample::with_inputs;
use crate::plan::{a_case, plan_device};

pub(in crate::plan) fn planned(desired: &DesiredDevice, held: &DeviceConfig, records: &[Record]) -> DeviceChanges {
    with_inputs(desired, held, records, |mut inputs| {
        inputs.readings.write = canonical;
        plan_device(inputs, &|change| {
            let lines = crate::dialect::command::commands(change);
            lines.map_err(|error| error.to_string())
        })
    })
}

/// A wish, another one, a device that both are asked of, and what is on record of it.
pub(in crate::plan) fn two_wishes() -> impl Strategy<Value = (DesiredDevice, DesiredDevice, DeviceConfig, Vec<Record>)>
{
    (a_case(), a_case()).prop_map(|((with, held, records), (without, ..))| (with, without, held, records))
}

/// What a change is about.
type Place<'a> = (&'a str, ObjectId);

fn fields(changes: &[ObjectChange]) -> BTreeMap<Place<'_>, BTreeSet<&FieldChange>> {
    let mut all: BTreeMap<Place<'_>, BTreeSet<&FieldChange>> = BTreeMap::new();
    for change in changes {
        all.entry((&change.address, change.object))
            .or_default()
            .extend(&change.fields);
    }
    all
}

/// A preview of a plan that holds the same on so many devices, whose names are what somebody made of them.
pub(in crate::plan) fn preview(with: &DeviceChanges, without: &DeviceChanges, devices: usize, name: &str) -> Preview {
    let mut with = with.clone();
    for change in &mut with.changes {
        change.key.push_str(name);
        change.address.push_str(name);
    }
    let mut without = without.clone();
    for change in &mut without.changes {
        change.key.push_str(name);
        change.address.push_str(name);
    }
    for config in [&mut with.observed, &mut with.target] {
        for subscriber in Arc::make_mut(config).subscribers.values_mut() {
            subscriber.description = format!("{name}{}", subscriber.description);
        }
    }
    with.notes.push(format!("note of {name}"));
    let keys = (0..devices).map(|number| format!("d{number}{name}"));
    let entry = |device: String| {
        let mut with = with.clone();
        // No two are alike.
        with.decisions.push(device.clone());
        with.notes.push(device.clone());
        if device.starts_with("d7") {
            with.refuse(Refusal {
                rule: "some-rule",
                message: format!("because of {name}"),
                help: name.to_owned(),
            });
        }
        DevicePlan {
            device,
            address: "192.0.2.1:22".to_owned(),
            model: "GAM-12-C",
            host_key: None,
            outcome: Outcome::Read(Box::new(with)),
        }
    };
    let parts = keys.clone().map(|key| (key, Parts::of(&with, Without::Plan(&without))));
    Preview {
        base: Some(Base {
            commit: "3f0c2d81aa4e".to_owned(),
            head: None,
            parts: parts.collect(),
            gone: vec![name.to_owned(); 40],
        }),
        plan: Plan {
            inventory: "isp".to_owned(),
            commit: Some(name.to_owned()),
            targets: Vec::new(),
            devices: keys.map(entry).collect(),
            trips: Vec::new(),
            windows_ignored: false,
            moves: Vec::new(),
            waves: Waves::default(),
            rulings: Vec::new(),
            notes: Vec::new(),
        },
        observed: Some("refs/gamops/observed at 51cdb23edcc6".to_owned()),
        seen: BTreeMap::new(),
        never_seen: BTreeSet::new(),
        now: Timestamp::UNIX_EPOCH,
        notes: vec![name.to_owned(); 30],
    }
}

/// The text without blocks and spans of code, in which no forge reads anything; fails where one of them does not end.
fn read_as_markup(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => {
                let mut rest = line;
                while let Some(at) = rest.find('`') {
                    out.push_str(&rest[..at]);
                    let span = &rest[at..];
                    let open = span.len() - span.trim_start_matches('`').len();
                    let inside = &span[open..];
                    let mut from = 0;
                    let close = loop {
                        let at = from + inside[from..].find('`').expect("a span ends on its line");
                        let run = inside[at..].len() - inside[at..].trim_start_matches('`').len();
                        if run == open {
                            break at;
                        }
                        from = at + run;
                    };
                    rest = &inside[close + open..];
                }
                out.push_str(rest);
                out.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block of code does not end");
    out
}

const HOSTILE: &[&str] = &[
    "",
    "@everyone",
    "`",
    "``` ",
    "a|b|c",
    "</details></summary><script>",
    "<!-- x -->",
    "\n\n# head\n```\n",
    "ünïcødé-ünïcødé-ünïcødé",
    "#12 !34 [x](http://y)",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_parted_without_loss_and_without_overlap((with, without, held, records) in two_wishes()) {
        let with = planned(&with, &held, &records);
        let without = planned(&without, &held, &records);
        let parts = Parts::of(&with, Without::Plan(&without));
        let (mine, also, all) = (fields(&parts.mine), fields(&parts.also), fields(&with.changes));
        for (place, fields) in &all {
            let of = |side: &BTreeMap<Place<'_>, BTreeSet<&FieldChange>>| -> BTreeSet<FieldChange> {
                side.get(place).into_iter().flatten().map(|field| (*field).clone()).collect()
            };
            let (mine, also) = (of(&mine), of(&also));
            prop_assert!(mine.is_disjoint(&also), "{place:?}");
            prop_assert_eq!(mine.union(&also).collect::<BTreeSet<_>>(), fields.clone());
        }
        prop_assert!(mine.keys().chain(also.keys()).all(|place| all.contains_key(place)));
        // What is not of the change would be done without it too, unless nothing is done without it.
        let before = fields(&without.changes);
        prop_assert!(also.iter().all(|(place, fields)| before.get(place).is_some_and(|before| fields.is_subset(before))));
        // A change that asks nothing else comes to nothing.
        prop_assert!(!Parts::of(&with, Without::Plan(&with)).is_touched());
        prop_assert!(!Parts::of(&with, Without::Same).is_touched());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_comment_fits_names_what_is_destroyed_and_nobody_writes_markup_into_it(
        (with, without, held, records) in two_wishes(),
        devices in prop::sample::select(vec![1_usize, 3, 60, 900]),
        name in prop::sample::select(HOSTILE.to_vec()),
        times in prop::sample::select(vec![1_usize, 60]),
        sealed in prop::sample::select(vec![0_usize, 24 * 1024]),
    ) {
        let (with, without) = (planned(&with, &held, &records), planned(&without, &held, &records));
        let preview = preview(&with, &without, devices, &name.repeat(times));
        let hidden = if sealed > 0 { format!("<!-- {} -->", "x".repeat(sealed)) } else { String::new() };
        let text = preview_markdown(&preview, &hidden);
        prop_assert!(text.len() <= LIMIT, "{} bytes", text.len());
        prop_assert!(text.starts_with("<!-- gamops:plan:v1:isp -->\n"));
        let markup = read_as_markup(&text);
        prop_assert_eq!(markup.matches("<details>").count(), markup.matches("</details>").count());
        let is_shown = markup.matches("<details>").count() >= devices || with.changes.is_empty();
        prop_assert!(is_shown || markup.contains("do not fit into this comment"), "{}", &markup);
        prop_assert_eq!(markup.matches("<summary>").count(), markup.matches("</summary>").count());
        prop_assert_eq!(markup.matches("<!--").count(), 1 + usize::from(sealed > 0), "{}", &markup);
        prop_assert!(!markup.contains("<script"), "{}", &markup);
        let spans = markup.split("<code>").map(|part| part.split("</code>").last().unwrap_or_default());
        let spans: String = spans.collect();
        prop_assert!(!spans.contains('@') && !spans.contains("#12"), "{}", &spans);
        let rows = markup.lines().filter(|line| line.starts_with('|'));
        prop_assert!(rows.clone().all(|row| row.matches('|').count() == 6), "{}", &markup);
        let destroyed: Vec<&ObjectChange> = preview.plan.read().filter(|one| one.is_actionable())
            .flat_map(|one| &one.changes).filter(|change| change.action == Action::Destroy).collect();
        prop_assert_eq!(text.contains("**Destroyed by this plan**"), !destroyed.is_empty());
        // As long as there are few enough of them, each is named.
        if destroyed.len() <= 20 && times == 1 && name.is_empty() {
            let is_named = |change: &&&ObjectChange| text.contains(&format!("- `{}`", change.address));
            prop_assert_eq!(destroyed.iter().filter(is_named).count(), destroyed.len());
        }
    }
}
