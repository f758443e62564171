//! Decisions as an operator meets them: an inventory as text, a book, and what comes of both.

mod laws;
mod life;
mod newcomers;
mod page;
mod report;
mod safety;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::*;
use crate::diagnostic::SourceFile;
use crate::domain::{BillingKind, ServiceRef};
use crate::inventory::edit::edit;
use crate::inventory::load;
use crate::inventory::model::Inventory;

/// An inventory with two sites, three devices and three subscribers that have a service in Splynx.
const TEXT: &str = "\
format: 1
inventory: test
defaults: {credentials: factory}
policies: {suspension: {vlan: 3900}}
sites:
  maple: {vlans: {access: [\"1000-1004\"]}}
  elm: {}
devices:
  maple-a: {model: GAM-12-C, address: 192.0.2.1, site: maple}
  maple-b: {model: GAM-12-M, address: 192.0.2.2, site: maple}
  elm-a: {model: GAM-12-C, address: 192.0.2.3, site: elm}
plans:
  home-200: {rate: 200 Mbps, external: {splynx: \"2\"}}
  fiber-500: {rate: 500 Mbps}
subscribers:
  s-1: {device: maple-a, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: home-200, vlan: 1000, external: {splynx: 1/11}}
  s-2: {device: maple-a, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: home-200, vlan: 1001, external: {splynx: \"12\"}}
  s-3: {device: maple-b, endpoint: \"00:0e:d8:00:00:03\", port: 1, plan: home-200, vlan: 1002, external: {splynx: 3/13}}
  other: {device: elm-a, endpoint: \"00:0e:d8:00:00:0f\", port: 1, plan: home-200, vlan: 1003}
billing:
  splynx:
    plans: {5: fiber-500, Whole house: unthrottled}
    vlans: {pool: access}
";

/// Everything that a decision is made from, owned.
struct Desk {
    text: String,
    book: Book,
    before: Remembered,
    written: Written,
    seen: Vec<SeenEndpoint>,
    now: Timestamp,
    allow: Allowed,
}

impl Desk {
    /// The inventory above, and a book that agrees with it.
    fn new() -> Self {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let offer = |name: &str, mbps: u64| Offer {
            name: name.to_owned(),
            down_kbps: Some(mbps * 1000),
            up_kbps: Some(mbps * 1000),
        };
        let offers = [
            ("2", offer("Home 200", 200)),
            ("5", offer("Fiber 500", 500)),
            ("7", offer("Fiber 400", 400)),
        ];
        let mut desk = Self {
            text: TEXT.to_owned(),
            book: Book {
                kind: BillingKind::Splynx,
                scope: Scope::Everything,
                offers: offers.into_iter().map(|(id, offer)| (id.to_owned(), offer)).collect(),
                accounts: BTreeMap::new(),
                at: Some(now),
            },
            before: Remembered::default(),
            written: Written::default(),
            seen: Vec::new(),
            now,
            allow: Allowed::default(),
        };
        for number in 1..=3 {
            desk.service(&format!("{number}/1{number}"), "2", Standing::Active, &mac(number));
        }
        desk
    }

    /// Puts a service into the book, in place of one that is there.
    fn service(&mut self, name: &str, offer: &str, standing: Standing, mac: &str) -> &mut Service {
        let (account, id) = name.split_once('/').unwrap();
        let account = self.book.accounts.entry(account.to_owned()).or_default();
        account.name = "Ann O'Brien".to_owned();
        let clues = (!mac.is_empty()).then(|| Clue {
            source: "inventory.barcode".to_owned(),
            text: mac.to_owned(),
        });
        let service = Service {
            offer: Some(offer.to_owned()),
            standing,
            words: format!("service {standing:?}").to_lowercase(),
            clues: clues.into_iter().collect(),
            facts: BTreeMap::new(),
        };
        account.services.insert(id.to_owned(), service);
        account.services.get_mut(id).unwrap()
    }

    /// Lets a service stand otherwise.
    fn stands(&mut self, name: &str, standing: Standing) {
        let (account, id) = name.split_once('/').unwrap();
        let account = self.book.accounts.get_mut(account).unwrap();
        let service = account.services.get_mut(id).unwrap();
        service.standing = standing;
        service.words = format!("service {standing:?}").to_lowercase();
    }

    /// Puts something else into the inventory.
    fn write(&mut self, from: &str, to: &str) {
        assert!(self.text.contains(from), "{from}");
        self.text = self.text.replacen(from, to, 1);
    }

    fn plug(&mut self, device: &str, port: u64, mac: &str) {
        self.seen.push(SeenEndpoint {
            device: device.to_owned(),
            port: port.try_into().unwrap(),
            mac: mac.parse().unwrap(),
        });
    }

    fn inventory(&self) -> Inventory {
        let loaded = load(&self.files());
        loaded
            .inventory
            .unwrap_or_else(|| panic!("{:?}\n{}", loaded.report.findings(), self.text))
    }

    fn files(&self) -> Vec<SourceFile> {
        vec![SourceFile {
            path: "gamops.yaml".to_owned(),
            text: self.text.clone(),
        }]
    }

    fn with<T>(&self, inventory: &Inventory, then: impl FnOnce(&Facts<'_>) -> T) -> T {
        then(&Facts {
            inventory,
            book: &self.book,
            before: &self.before,
            written: &self.written,
            seen: &self.seen,
            now: self.now,
            allow: &self.allow,
        })
    }

    fn decide(&self) -> Decided {
        self.with(&self.inventory(), decide)
    }

    /// Decides, remembers, and writes what was decided, as the loop does.
    fn sync(&mut self) -> Decided {
        let inventory = self.inventory();
        let (decided, remembered) = self.with(&inventory, |facts| {
            let decided = decide(facts);
            let remembered = remember(facts, &decided);
            (decided, remembered)
        });
        self.before = remembered;
        self.carry_out(&decided);
        decided
    }

    /// Writes what was decided.
    fn carry_out(&mut self, decided: &Decided) {
        if decided.distrust.is_some() {
            assert_eq!(decided.intents, []);
        }
        let edits: Vec<_> = decided.intents.iter().flat_map(|intent| intent.edits.clone()).collect();
        let edited =
            edit(&self.files(), &edits).unwrap_or_else(|error| panic!("{error:?}\n{decided:#?}\n{}", self.text));
        self.text = edited.files[0].text.clone();
        for intent in &decided.intents {
            *self.written.recent.entry(intent.kind).or_default() += 1;
            if intent.kind == Kind::Remove {
                self.written.values.remove(&intent.subscriber);
            }
            for (field, value) in &intent.sets {
                let of = self.written.values.entry(intent.subscriber.clone()).or_default();
                of.insert((*field).to_owned(), value.clone());
            }
        }
    }

    /// What was asked of billing by id, as it would answer.
    fn looked(&self, accounts: &BTreeSet<String>) -> Self {
        let mut book = self.book.clone();
        book.accounts.retain(|account, _| accounts.contains(account));
        book.scope = Scope::Accounts(accounts.clone());
        Self {
            text: self.text.clone(),
            book,
            before: self.before.clone(),
            written: self.written.clone(),
            seen: self.seen.clone(),
            now: self.now,
            allow: self.allow.clone(),
        }
    }

    fn later(&mut self, days: i64) {
        self.now += jiff::SignedDuration::from_hours(24 * days);
        self.book.at = Some(self.now);
        self.written.recent.clear();
    }
}

fn mac(number: u64) -> String {
    format!("00:0e:d8:00:00:{number:02x}")
}

/// What is written, one line for each.
fn intents(decided: &Decided) -> String {
    let line = |intent: &Intent| format!("{} {}: {}", intent.kind.word(), intent.subscriber, intent.words);
    decided.intents.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What is open, one line for each.
fn open(decided: &Decided) -> String {
    let line = |open: &Open| {
        let service = open.service.as_ref().map(ServiceRef::to_string);
        let whose = [open.subscriber.clone(), service].into_iter().flatten();
        format!("{:?} {}: {}", open.why, whose.collect::<Vec<_>>().join(" "), open.words)
    };
    decided.open.iter().map(line).collect::<Vec<_>>().join("\n")
}
