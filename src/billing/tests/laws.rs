//! Random inventories and books: what must hold whatever they say.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::inventory::edit::Edit;
use crate::inventory::model::State;

/// How many accounts there may be; each may have two services.
const ACCOUNTS: u64 = 6;

#[derive(Debug, Clone)]
struct Drawn {
    account: u64,
    second: bool,
    offer: u8,
    standing: Standing,
    mac: Option<u64>,
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        4 => Just(Standing::Active),
        1 => Just(Standing::Delinquent),
        2 => Just(Standing::Suspended),
        1 => Just(Standing::NotYet),
        1 => Just(Standing::Lead),
        3 => Just(Standing::Ended),
        1 => Just(Standing::Unclear),
    ]
}

fn services() -> impl Strategy<Value = Vec<Drawn>> {
    let one = (
        0..ACCOUNTS,
        any::<bool>(),
        0..10_u8,
        standing(),
        option::weighted(0.9, 0..ACCOUNTS + 2),
    );
    let one = one.prop_map(|(account, second, offer, standing, mac)| Drawn {
        account,
        second,
        offer,
        standing,
        mac,
    });
    vec(one, 0..12)
}

/// A subscriber: whether it is tied and how, what it is like, and what people said of it.
#[derive(Debug, Clone)]
struct Entry {
    tied: u8,
    suspended: bool,
    plan: bool,
    ended: Option<u8>,
    held: bool,
    protected: bool,
    ours: Option<bool>,
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (
        0..4_u8,
        any::<bool>(),
        any::<bool>(),
        option::weighted(0.4, 1..28_u8),
        0..6_u8,
        0..6_u8,
        option::of(any::<bool>()),
    );
    let one = one.prop_map(|(tied, suspended, plan, ended, held, protected, ours)| Entry {
        tied,
        suspended,
        plan,
        ended,
        held: held == 0,
        protected: protected == 0,
        ours,
    });
    vec(one, 0..ACCOUNTS as usize)
}

fn drawn(entries: &[Entry], services: &[Drawn], asked: Option<u64>, seen: &[u64]) -> Desk {
    let mut desk = Desk::new();
    desk.book.accounts.clear();
    let mut lines = String::new();
    for (number, entry) in entries.iter().enumerate() {
        let external = match entry.tied {
            0 => String::new(),
            1 => format!(", external: {{splynx: \"{number}1\"}}"),
            _ => format!(", external: {{splynx: {number}/{number}1}}"),
        };
        let ended = entry
            .ended
            .map(|day| format!(", ended: 2026-11-{day:02}"))
            .unwrap_or_default();
        let line = format!(
            "  m-{number}: {{device: maple-a, endpoint: \"{}\", port: 1, plan: {}, vlan: {}{}{ended}{}{}{external}}}\n",
            mac(number as u64),
            if entry.plan { "home-200" } else { "fiber-500" },
            100 + number,
            if entry.suspended { ", state: suspended" } else { "" },
            if entry.held {
                ", hold: {until: 2026-12-01, reason: x}"
            } else {
                ""
            },
            if entry.protected { ", protect: true" } else { "" },
        );
        lines.push_str(&line);
        if let Some(active) = entry.ours {
            let state = if active { "active" } else { "suspended" };
            let values = [("state".to_owned(), state.to_owned())].into();
            desk.written.values.insert(format!("m-{number}"), values);
        }
    }
    let start = desk.text.find("  s-1:").unwrap();
    let end = desk.text.find("billing:").unwrap();
    desk.text.replace_range(start..end, &lines);
    desk.write("    vlans:", "    ended: {grace: 10d}\n    limits: {lose: unlimited, turn: unlimited, unclear: unlimited, remove: {run: unlimited}}\n    vlans:");
    for one in services {
        let name = format!("{}/{}{}", one.account, one.account, if one.second { 2 } else { 1 });
        let mac = one.mac.map(super::mac).unwrap_or_default();
        desk.service(&name, &one.offer.to_string(), one.standing, &mac);
    }
    for number in seen {
        desk.plug(
            if number % 2 == 0 { "maple-a" } else { "maple-b" },
            2 + number,
            &super::mac(*number),
        );
    }
    match asked {
        None => desk,
        Some(asked) => desk.looked(
            &(0..ACCOUNTS)
                .filter(|one| one % 2 == asked % 2)
                .map(|one| one.to_string())
                .collect(),
        ),
    }
}

/// The keys of a subscriber that an edit touches; the whole entry is `*`.
fn touched(edit: &Edit) -> String {
    edit.path().keys().get(2).cloned().unwrap_or_else(|| "*".to_owned())
}

/// Whether the book says in so many words that a service is one of these.
fn is_said(desk: &Desk, name: &ServiceRef, standings: &[Standing]) -> bool {
    let service = desk.book.service(name);
    service.is_some_and(|(_, service)| standings.contains(&service.standing))
}

proptest! {
    #[test]
    fn nobody_is_cut_off_without_an_explicit_word(
        entries in entries(), services in services(), asked in option::of(0..2_u64), seen in vec(0..ACCOUNTS + 2, 0..4),
    ) {
        let desk = drawn(&entries, &services, asked, &seen);
        let inventory = desk.inventory();
        let decided = desk.with(&inventory, decide);
        prop_assert_eq!(&decided, &desk.with(&inventory, decide));
        prop_assert!(decided.intents.is_sorted_by(|one, other| one.subscriber < other.subscriber));
        prop_assert!(decided.open.is_sorted());
        for intent in &decided.intents {
            let before = inventory.subscribers.get(&intent.subscriber);
            match intent.kind {
                Kind::Create => prop_assert!(before.is_none()),
                _ => prop_assert!(before.is_some_and(|one| one.hold.is_none())),
            }
            if matches!(intent.kind, Kind::Suspend | Kind::Remove) {
                prop_assert!(before.is_some_and(|one| !one.protect));
            }
            match intent.kind {
                Kind::Suspend => prop_assert!(is_said(&desk, &intent.service, &[Standing::Suspended, Standing::Ended])),
                Kind::Remove => {
                    prop_assert!(is_said(&desk, &intent.service, &[Standing::Ended]));
                    let marked = before.and_then(|one| one.ended);
                    prop_assert!(marked.is_some_and(|day| day.to_string().as_str() <= "2026-11-18"));
                    prop_assert!(matches!(&desk.book.scope, Scope::Accounts(asked) if asked.contains(&intent.service.account)));
                    // Nothing else of the account is alive on its endpoint.
                    let mac = before.and_then(|one| Some(one.endpoint.as_ref()?.mac.to_string()));
                    let alive = desk.book.accounts[&intent.service.account].services.values().any(|service| {
                        matches!(service.standing, Standing::Active | Standing::Delinquent | Standing::Suspended | Standing::NotYet)
                            && service.clues.iter().any(|clue| Some(&clue.text) == mac.as_ref())
                    });
                    let elsewhere = |one: &crate::inventory::model::Subscriber| {
                        one.key != intent.subscriber && one.external.of(BillingKind::Splynx).is_some()
                    };
                    prop_assert!(!alive || inventory.subscribers.values().any(elsewhere));
                }
                Kind::Rename | Kind::Plan | Kind::Restore => {
                    prop_assert!(is_said(&desk, &intent.service, &[Standing::Active, Standing::Delinquent, Standing::Suspended]));
                }
                Kind::Create => prop_assert!(is_said(&desk, &intent.service, &[Standing::Active, Standing::Delinquent])),
            }
            for edit in &intent.edits {
                let allowed: &[&str] = match intent.kind {
                    Kind::Create | Kind::Remove => &["*"],
                    _ => &["plan", "state", "ended", "external"],
                };
                prop_assert!(allowed.contains(&touched(edit).as_str()), "{edit:?}");
                prop_assert_eq!(&edit.path().keys()[..2], ["subscribers".to_owned(), intent.subscriber.clone()]);
            }
        }
    }

    #[test]
    fn what_is_written_asks_for_nothing_more(
        entries in entries(), services in services(), asked in option::of(0..2_u64), seen in vec(0..ACCOUNTS + 2, 0..4),
    ) {
        let mut desk = drawn(&entries, &services, asked, &seen);
        let before = desk.inventory();
        let first = desk.sync();
        desk.written.recent.clear();
        let after = desk.inventory();
        // What nobody meant is as it was, and nobody is lost but who was to leave.
        for one in before.subscribers.values() {
            let intent = first.intents.iter().find(|intent| intent.subscriber == one.key);
            let Some(now) = after.subscribers.get(&one.key) else {
                prop_assert!(intent.is_some_and(|intent| intent.kind == Kind::Remove));
                continue;
            };
            let mut as_before = now.clone();
            as_before.plan.clone_from(&one.plan);
            as_before.state = one.state;
            as_before.ended = one.ended;
            as_before.external.clone_from(&one.external);
            prop_assert_eq!(&as_before, one);
            if intent.is_none() {
                prop_assert_eq!(now, one);
            }
        }
        let second = desk.sync();
        prop_assert_eq!(intents(&second), "");
    }

    #[test]
    fn what_is_not_told_changes_nothing(
        entries in entries(), services in services(), lost in vec(any::<bool>(), ACCOUNTS as usize), whole in any::<bool>(),
    ) {
        let mut desk = drawn(&entries, &services, None, &[]);
        for (account, lost) in lost.iter().enumerate() {
            if *lost && whole {
                desk.book.accounts.remove(&account.to_string());
            } else if *lost && let Some(account) = desk.book.accounts.get_mut(&account.to_string()) {
                account.services.clear();
            }
        }
        let inventory = desk.inventory();
        let decided = desk.with(&inventory, decide);
        for intent in &decided.intents {
            prop_assert!(!lost[intent.service.account.parse::<usize>().unwrap()]);
        }
        let state = |one: &crate::inventory::model::Subscriber| one.state == State::Suspended;
        desk.carry_out(&decided);
        let after = desk.inventory();
        for one in inventory.subscribers.values().filter(|one| !state(one)) {
            let told = decided.intents.iter().any(|intent| intent.subscriber == one.key);
            prop_assert!(told || after.subscribers.get(&one.key).is_some_and(|one| !state(one)));
        }
    }
}

/// A text that a broken or hostile system may say.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "\\PC{0,40}",
        1 => "[0-9]{1,3}",
        1 => "([\\x00-\\x1f\\x7f]|[a-z:{}\\[\\]#&*!|>'\"%@`,/ -]){0,60}",
        1 => Just("00:0e:d8:00:00:01".to_owned()),
        1 => Just("ff:ff:ff:ff:ff:ff".to_owned()),
        1 => Just("1/11".to_owned()),
        1 => Just("\n\nBilling-Set: s-1 plan=unthrottled".to_owned()),
        1 => Just("subscribers: {s-1: {device: x}}".to_owned()),
        1 => Just("../../etc/passwd".to_owned()),
        1 => Just("9".repeat(400)),
    ]
}

/// A service as a hostile system may tell it.
type Told = (
    String,
    String,
    Option<String>,
    Standing,
    String,
    Vec<(u8, String)>,
    String,
);

fn feed() -> impl Strategy<Value = Vec<Told>> {
    let clues = vec((0..4_u8, hostile()), 0..4);
    vec(
        (
            hostile(),
            hostile(),
            option::of(hostile()),
            standing(),
            hostile(),
            clues,
            hostile(),
        ),
        0..10,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hostile_feeds_cut_nobody_off(feed in feed(), kept in 0..4_u64, by_id in any::<bool>()) {
        let mut desk = Desk::new();
        desk.book.accounts.retain(|account, _| account.parse::<u64>().unwrap() <= kept);
        for (account, id, offer, standing, words, clues, name) in feed {
            // What names a service of ours in good form is a word about it, hostile or not: limits are there for that.
            if ["11", "12", "13"].contains(&id.as_str()) {
                continue;
            }
            let told = desk.book.accounts.entry(account).or_default();
            told.name = name.clone();
            told.facts.insert("city".to_owned(), name);
            let source = |number: u8| ["inventory.barcode", "service.mac", "service.login", "x"][usize::from(number)].to_owned();
            // What is hostile is told beside what was there, never in its place: saying that somebody has left is no fault of form.
            told.services.entry(id).or_insert(Service {
                offer,
                standing,
                words,
                clues: clues.into_iter().map(|(number, text)| Clue { source: source(number), text }).collect(),
                facts: BTreeMap::new(),
            });
        }
        desk.plug("maple-a", 4, "00:0e:d8:00:00:01");
        desk.plug("maple-b", 4, &mac(0x21));
        if by_id {
            desk.book.scope = Scope::Accounts(desk.book.accounts.keys().cloned().collect());
        }
        let inventory = desk.inventory();
        let decided = desk.with(&inventory, decide);
        for intent in &decided.intents {
            prop_assert!(!matches!(intent.kind, Kind::Suspend | Kind::Remove), "{intent:?}");
            prop_assert!(!intent.words.contains(char::is_control), "{:?}", intent.words);
        }
        for open in &decided.open {
            prop_assert!(!open.words.contains(char::is_control), "{:?}", open.words);
        }
        desk.carry_out(&decided);
        let after = desk.inventory();
        for one in inventory.subscribers.values() {
            prop_assert_eq!(after.subscribers.get(&one.key).map(|one| one.state), Some(one.state));
        }
    }
}
