//! What its service asks of one subscriber.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::ServiceRef;
use crate::inventory::billing::Mapping;
use crate::inventory::edit::{Edit, KeyPath, Value};
use crate::inventory::model::{State, Subscriber};

use super::decision::{Decided, Intent, Open, Why};
use super::facts::Facts;
use super::memory::day;
use super::offer;
use super::tie::{Listed, standing_words};
use super::{Kind, Scope, Standing};

/// The fields of a subscriber that billing writes, besides its id.
pub(super) const PLAN: &str = "plan";
const STATE: &str = "state";
const ENDED: &str = "ended";

/// What stands between the words of several things that happen to one subscriber.
pub(super) const BESIDE: &str = "; ";

/// A field that is to say something else.
struct Change {
    field: &'static str,
    have: String,
    want: String,
}

/// Judges subscribers, one after the other.
pub(super) struct Judge<'j, 'f> {
    pub(super) facts: &'j Facts<'f>,
    pub(super) mapping: &'f Mapping,
    /// Whether what depends on what time it is may be done.
    pub(super) time_is_sure: bool,
    pub(super) decided: &'j mut Decided,
}

/// A subscriber and its service.
#[derive(Clone, Copy)]
struct Case<'c, 'f> {
    subscriber: &'f Subscriber,
    listed: &'c Listed<'f>,
    renamed: bool,
}

impl<'f> Judge<'_, 'f> {
    /// Decides what the service asks of the subscriber. `renamed`: it is to go by this service's id from now on.
    pub(super) fn judge(&mut self, subscriber: &'f Subscriber, listed: &Listed<'f>, renamed: bool) {
        let case = Case {
            subscriber,
            listed,
            renamed,
        };
        self.differs(case);
        match listed.service.standing {
            Standing::Active => self.serve(case, State::Active),
            Standing::Delinquent => self.serve(case, self.mapping.delinquent),
            Standing::Suspended => self.serve(case, State::Suspended),
            Standing::NotYet | Standing::Lead | Standing::Unclear => {
                let words = format!("it stays as it is: its service is {}", standing_words(listed.service));
                self.open(case, Why::Held, words);
            }
            Standing::Ended => self.end(case),
        }
    }

    /// A service that is to work, or to rest.
    fn serve(&mut self, case: Case<'_, 'f>, state: State) {
        let Case { subscriber, listed, .. } = case;
        let mut changes = Vec::new();
        let (inventory, mapping) = (self.facts.inventory, self.mapping);
        match offer::plan(inventory, mapping, self.facts.book, listed.service) {
            Ok(plan) => changes.extend(self.change(subscriber, PLAN, &subscriber.plan, plan)),
            Err(question) => self.open(case, Why::Question, question),
        }
        changes.extend(self.change(subscriber, STATE, word(subscriber.state), word(state)));
        changes.extend(self.change(subscriber, ENDED, &ended(subscriber), ""));
        let kept = self.without_conflicts(case, changes);
        self.write(case, &kept);
    }

    /// A service that is over: first suspended and marked, and only after the grace period, by the account's own word, removed.
    fn end(&mut self, case: Case<'_, 'f>) {
        let Case { subscriber, listed, .. } = case;
        let over = standing_words(listed.service);
        if !self.time_is_sure {
            let words = format!("its service is {over}: nothing is done about it until it is sure what time it is");
            return self.open(case, Why::Held, words);
        }
        let today = day(self.facts.now);
        // The mark of somebody who is served is an old one: he gets all of the grace period, from today on.
        let rests = subscriber.state == State::Suspended;
        let since = subscriber.ended.filter(|_| rests).unwrap_or(today);
        let mut changes = Vec::new();
        changes.extend(self.change(subscriber, STATE, word(subscriber.state), word(State::Suspended)));
        changes.extend(self.change(subscriber, ENDED, &ended(subscriber), &since.to_string()));
        if !changes.is_empty() {
            let number = changes.len();
            let kept = self.without_conflicts(case, changes);
            // The mark and the state go together: one of them alone would say that somebody rests for no reason, or is over and served.
            if kept.len() == number {
                self.write(case, &kept);
            }
            return;
        }
        let due = since.saturating_add(i32::from(self.mapping.grace_days).days());
        if today < due {
            let words = format!("its service is {over} since {since}: it leaves the inventory on {due}");
            return self.open(case, Why::Held, words);
        }
        self.leave(case, since, &over);
    }

    /// The grace period is over.
    fn leave(&mut self, case: Case<'_, 'f>, since: Date, over: &str) {
        let Case { subscriber, listed, .. } = case;
        let account = &listed.name.account;
        let by_id = matches!(&self.facts.book.scope, Scope::Accounts(asked) if asked.contains(account));
        if !by_id {
            self.decided.look.insert(account.clone());
            let words = format!(
                "its service is {over} since {since}: it leaves once account {account} says so, asked for by its id"
            );
            return self.open(case, Why::Held, words);
        }
        if self.facts.book.at.is_none() {
            let words = format!(
                "its service is {over} since {since}: it stays while the billing system does not say what time it is"
            );
            return self.open(case, Why::Held, words);
        }
        if let Some(words) = self.is_frozen(subscriber, Kind::Remove) {
            return self.open(case, Why::Held, format!("its service is {over} since {since}; {words}"));
        }
        let path = KeyPath::new(["subscribers", &subscriber.key]);
        self.intend(
            case,
            Kind::Remove,
            vec![Edit::Remove { path }],
            Vec::new(),
            format!("removed: {over} since {since}"),
        );
    }

    /// Puts together what is written for a subscriber.
    fn write(&mut self, case: Case<'_, 'f>, changes: &[Change]) {
        let Case {
            subscriber,
            listed,
            renamed,
        } = case;
        let key = &subscriber.key;
        let path = KeyPath::new(["subscribers", key]);
        let wants = |field: &str| {
            changes
                .iter()
                .find(|change| change.field == field)
                .map(|change| change.want.as_str())
        };
        let suspended = word(State::Suspended);
        let kind = match (wants(STATE), wants(ENDED)) {
            (Some(state), _) if state == suspended => Some(Kind::Suspend),
            (_, Some(day)) if !day.is_empty() => Some(Kind::Suspend),
            (Some(_), _) | (_, Some(_)) => Some(Kind::Restore),
            (None, None) if wants(PLAN).is_some() => Some(Kind::Plan),
            (None, None) => renamed.then_some(Kind::Rename),
        };
        let Some(kind) = kind else {
            return;
        };
        let mut said = Vec::new();
        let mut edits = Vec::new();
        for change in changes {
            said.push(match change.field {
                // Its standing says the word itself.
                STATE if change.want == suspended && listed.service.standing == Standing::Suspended => {
                    standing_words(listed.service)
                }
                STATE if change.want == suspended => format!("suspended: {}", standing_words(listed.service)),
                STATE => format!("restored: {}", standing_words(listed.service)),
                ENDED if change.want.is_empty() => "not over any more".to_owned(),
                ENDED => format!("over since {}", change.want),
                _ => in_words(change.field, &change.have, &change.want),
            });
            let path = path.to(change.field);
            edits.push(if change.want.is_empty() {
                Edit::Remove { path }
            } else {
                let value = Value::Text(change.want.clone());
                Edit::Set { path, value }
            });
        }
        if renamed {
            let kind = self.facts.book.kind;
            let before = subscriber.external.of(kind).map(|id| format!(", {id} before"));
            said.push(format!("{} in {kind}{}", listed.name, before.unwrap_or_default()));
            edits.push(Edit::Set {
                path: path.to("external").to(kind.key()),
                value: Value::Text(listed.name.to_string()),
            });
        }
        let words = said.join(BESIDE);
        if let Some(reason) = self.is_frozen(subscriber, kind) {
            return self.open(case, Why::Held, format!("{reason}; billing asks for: {words}"));
        }
        if kind == Kind::Suspend && self.facts.inventory.policies.suspension.is_none() {
            let words =
                "it is to be suspended, and nothing says how that is done: add `policies.suspension` to gamops.yaml";
            return self.open(case, Why::Question, words.to_owned());
        }
        let sets = changes
            .iter()
            .map(|change| (change.field, change.want.clone()))
            .collect();
        self.intend(case, kind, edits, sets, words);
    }

    fn intend(
        &mut self,
        case: Case<'_, 'f>,
        kind: Kind,
        edits: Vec<Edit>,
        sets: Vec<(&'static str, String)>,
        words: String,
    ) {
        self.decided.intents.push(Intent {
            subscriber: case.subscriber.key.clone(),
            service: case.listed.name.clone(),
            kind,
            way: self.mapping.way(kind),
            edits,
            sets,
            words,
        });
    }

    /// Why people keep a subscriber from what is asked.
    fn is_frozen(&self, subscriber: &Subscriber, kind: Kind) -> Option<String> {
        if let Some(hold) = &subscriber.hold
            && (hold.until > self.facts.now || !self.time_is_sure)
        {
            let until: Timestamp = hold.until;
            return Some(format!("held until {until:.0} (\"{}\")", hold.reason));
        }
        (subscriber.protect && matches!(kind, Kind::Suspend | Kind::Remove))
            .then(|| "protected: take `protect` away first".to_owned())
    }

    /// A field that says something else than it should. Notes on the way what people and billing agree on.
    fn change(&mut self, subscriber: &Subscriber, field: &'static str, have: &str, want: &str) -> Option<Change> {
        let ours = self.facts.written.last(subscriber, field);
        let agreed_before = self.agreed(subscriber, field).is_some_and(|agreed| agreed == have);
        let is_agreed = ours.is_some_and(|ours| ours != have) && (have == want || agreed_before);
        let of_subscriber = self.decided.agreed.entry(subscriber.key.clone()).or_default();
        if is_agreed {
            of_subscriber.insert(field.to_owned(), have.to_owned());
        } else {
            of_subscriber.remove(field);
        }
        if of_subscriber.is_empty() {
            self.decided.agreed.remove(&subscriber.key);
        }
        (have != want).then(|| Change {
            field,
            have: have.to_owned(),
            want: want.to_owned(),
        })
    }

    fn agreed(&self, subscriber: &Subscriber, field: &str) -> Option<&'f str> {
        let agreed: &'f BTreeMap<String, BTreeMap<String, String>> = &self.facts.before.agreed;
        agreed.get(&subscriber.key)?.get(field).map(String::as_str)
    }

    /// Leaves out what people wrote since we did, and shows it with all its values.
    fn without_conflicts(&mut self, case: Case<'_, 'f>, changes: Vec<Change>) -> Vec<Change> {
        let subscriber = case.subscriber;
        let (kept, conflicts): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(|change| {
            let ours = self.facts.written.last(subscriber, change.field);
            let agreed = self.agreed(subscriber, change.field);
            ours.is_none_or(|ours| ours == change.have) || agreed == Some(&change.have)
        });
        for Change { field, have, want } in conflicts {
            let ours = self.facts.written.last(subscriber, field).unwrap_or_default();
            let shown = |value: &str| {
                if value.is_empty() {
                    "nothing".to_owned()
                } else {
                    format!("`{value}`")
                }
            };
            let words = format!(
                "`{field}` is {}, gamops wrote {} last, and billing asks for {} now: write what is right, or `hold` the subscriber",
                shown(&have),
                shown(ours),
                shown(&want)
            );
            self.open(case, Why::Conflict, words);
        }
        kept
    }

    /// What is people's and says something else than billing.
    fn differs(&mut self, case: Case<'_, 'f>) {
        let endpoint = case.subscriber.endpoint.as_ref().map(|endpoint| endpoint.mac);
        if let (Some(said), Some(mac)) = (case.listed.address.one(), endpoint)
            && said != mac
        {
            let words = format!("its endpoint is {mac}, and {said} in billing: correct the one that is wrong");
            self.open(case, Why::Differs, words);
        }
    }

    fn open(&mut self, case: Case<'_, 'f>, why: Why, words: String) {
        self.decided.open.push(Open {
            subscriber: Some(case.subscriber.key.clone()),
            service: Some(case.listed.name.clone()),
            why,
            words,
        });
    }
}

/// `plan silver → gold`.
pub(super) fn in_words(field: &str, have: &str, want: &str) -> String {
    format!("{field} {have} → {want}")
}

const fn word(state: State) -> &'static str {
    match state {
        State::Active => "active",
        State::Suspended => "suspended",
    }
}

/// The mark as text; empty where there is none.
fn ended(subscriber: &Subscriber) -> String {
    subscriber.ended.map_or_else(String::new, |day| day.to_string())
}

/// An open matter about a service that is nobody's, or about a subscriber whose service is not known.
pub(super) fn open(subscriber: Option<&str>, service: Option<ServiceRef>, why: Why, words: String) -> Open {
    Open {
        subscriber: subscriber.map(str::to_owned),
        service,
        why,
        words,
    }
}
