//! How much a billing system may ask for at once, and in a day.

use std::collections::BTreeMap;

use crate::inventory::billing::Mapping;
use crate::inventory::edit::KeyPath;
use crate::inventory::guards::Limit;

use super::Kind;
use super::decision::{Decided, Intent, Open, Why};
use super::facts::{Counted, Facts};
use super::judge::{BESIDE, PLAN, in_words};
use super::trust::or_allow;

/// Takes out of a decision what is above a limit: of a kind all or nothing, since nobody could tell which part of it is right. `tied` is
/// how many subscribers have a service of the system.
///
/// A plan that changes beside something else counts among the plans, and stays behind where they are refused. And what says of too many that
/// they are to rest is not believed of the few who are to leave.
pub(super) fn apply(facts: &Facts<'_>, mapping: &Mapping, tied: usize, decided: &mut Decided) {
    let mut numbers: BTreeMap<Kind, usize> = BTreeMap::new();
    for intent in &decided.intents {
        *numbers.entry(intent.kind).or_default() += 1;
        if has_plan_beside(intent) {
            *numbers.entry(Kind::Plan).or_default() += 1;
        }
    }
    let of = |(kind, number): (&Kind, &usize)| Some((*kind, refusal(facts, mapping, tied, *kind, *number)?));
    let mut refused: BTreeMap<Kind, String> = numbers.iter().filter_map(of).collect();
    if let Some(suspensions) = refused.get(&Kind::Suspend).cloned() {
        decided.look.clear();
        if numbers.contains_key(&Kind::Remove) {
            refused.entry(Kind::Remove).or_insert(suspensions);
        }
    }
    let (out, kept): (Vec<Intent>, Vec<Intent>) = std::mem::take(&mut decided.intents)
        .into_iter()
        .partition(|intent| refused.contains_key(&intent.kind));
    decided.intents = kept;
    if let Some(refusal) = refused.get(&Kind::Plan) {
        for intent in decided.intents.iter_mut().filter(|intent| has_plan_beside(intent)) {
            decided.open.extend(leave_plan(facts, intent).map(|words| Open {
                words: format!("{words}; refused by {refusal}"),
                subscriber: Some(intent.subscriber.clone()),
                service: Some(intent.service.clone()),
                why: Why::Refused,
            }));
        }
    }
    decided.open.extend(out.into_iter().filter_map(|intent| {
        Some(Open {
            words: format!("{}; refused by {}", intent.words, refused.get(&intent.kind)?),
            subscriber: Some(intent.subscriber),
            service: Some(intent.service),
            why: Why::Refused,
        })
    }));
    decided.refused = refused;
}

/// Whether a subscriber that is there gets another plan by the way.
fn has_plan_beside(intent: &Intent) -> bool {
    matches!(intent.kind, Kind::Restore | Kind::Suspend) && intent.sets.iter().any(|(field, _)| *field == PLAN)
}

/// Has a subscriber keep its plan in all that is to happen to it, and says what it would have been.
fn leave_plan(facts: &Facts<'_>, intent: &mut Intent) -> Option<String> {
    let place = intent.sets.iter().position(|(field, _)| *field == PLAN)?;
    let (_, want) = intent.sets.remove(place);
    let words = in_words(PLAN, &facts.inventory.subscribers.get(&intent.subscriber)?.plan, &want);
    let path = KeyPath::new(["subscribers", &intent.subscriber, PLAN]);
    intent.edits.retain(|edit| *edit.path() != path);
    let others = intent.words.split(BESIDE).filter(|part| *part != words);
    intent.words = others.collect::<Vec<_>>().join(BESIDE);
    Some(words)
}

/// By which limit so many of a kind are not written, and why.
fn refusal(facts: &Facts<'_>, mapping: &Mapping, tied: usize, kind: Kind, number: usize) -> Option<String> {
    let pace = mapping.limits.of(kind)?;
    if facts.allow.lets(Counted::Kind(kind), number) {
        return None;
    }
    let above = |limit: Option<Limit>, number: usize| limit?.of(tied).filter(|limit| number > *limit);
    let recent = facts.written.recent.get(&kind).copied().unwrap_or_default();
    let words = if let Some(limit) = above(pace.run, number) {
        format!("{number} at once, and the limit is {limit}")
    } else {
        let limit = above(pace.day, number + recent)?;
        format!("{number} now after {recent} in 24 hours, and the limit is {limit}")
    };
    Some(format!(
        "`limits.{}`: {words}{}",
        kind.word(),
        or_allow(Counted::Kind(kind), number)
    ))
}
