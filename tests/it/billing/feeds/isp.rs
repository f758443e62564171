//! An ISP of which is known what is true.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use gamops::biller::{Auth, Connection};
use gamops::billing::{Scope, SeenEndpoint};
use gamops::clerk::{Clerk, ClerkError, Desk, Order, Outcome};
use gamops::domain::{BillingKind, Secret};
use gamops::repo::remote::{Access, Destination, Mirror, Origin};
use gamops::sim::billing::{Seed, SeedCustomer};
use gamops::store::Store;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::damage::{Damage, damage};
use super::lines::{entries, fields, marked};
use crate::billing::office::files;
use crate::billing::system::System;
use crate::support::dice::Dice;

/// Customers that there are from the start, with a subscriber each.
pub(super) const CUSTOMERS: u64 = 16;

/// How long an answer may take where it is not meant to take too long.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Tight limits, so that few wrong ones would be many. [`damage`] draws its numbers by them.
const MAPPING: &str = "    ways: { remove: push }\n    limits:\n      \
    suspend: { run: { count: 3 }, day: unlimited }\n      restore: { run: { count: 3 }, day: unlimited }\n      \
    plan: { run: { count: 3 }, day: unlimited }\n      remove: { run: { count: 2 }, day: unlimited }\n      \
    create: { run: { count: 2 }, day: unlimited }\n      lose: { count: 2 }\n      unclear: { count: 3 }\n      turn: { count: 7 }\n";

/// What is true of a customer and its service.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    pub(super) account: u64,
    pub(super) service: u64,
    plan: String,
    pub(super) stands: Stands,
    /// It is over, and its days of grace are too.
    is_due: bool,
    /// Its entry was written by gamops and stays as that is.
    pub(super) is_new: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    Active,
    Suspended,
    Ended,
}

pub(super) struct Isp {
    pub(super) kind: BillingKind,
    pub(super) system: System,
    /// By the keys of subscribers.
    pub(super) truth: BTreeMap<String, Truth>,
    /// Endpoints that are plugged in and in no configuration.
    seen: Vec<SeenEndpoint>,
    store: Store,
    mirror: Mirror,
    repository: git2::Repository,
    folder: TempDir,
    /// What happened so far, for whoever reads of a failure.
    told: String,
    runtime: Runtime,
}

impl Isp {
    /// `again`: how to tell the same story once more.
    pub(super) fn new(kind: BillingKind, again: String) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).initial_head("main");
        let repository = git2::Repository::init_opts(folder.path().join("isp.git"), &options).unwrap();
        let truth = (0..CUSTOMERS).map(SeedCustomer::number).map(|customer| {
            let offer = usize::try_from(customer.services[0].offer).unwrap();
            let truth = Truth {
                account: customer.id,
                service: customer.services[0].id,
                plan: PLANS[offer - 1].to_owned(),
                stands: Stands::Active,
                is_due: false,
                is_new: false,
            };
            (format!("h-{}", customer.id), truth)
        });
        let mut isp = Self {
            kind,
            system: runtime.block_on(System::start(kind, &Seed::many(CUSTOMERS))),
            truth: truth.collect(),
            seen: Vec::new(),
            store: Store::open(&folder.path().join("state.db")).unwrap(),
            mirror: Mirror::open(&folder.path().join("mirror.git")).unwrap(),
            repository,
            folder,
            told: again,
            runtime,
        };
        isp.commit(
            &files(kind, CUSTOMERS, MAPPING).map(|(name, text)| (name, text)),
            "as billing has it",
            Timestamp::now(),
        );
        isp.is_set_right();
        isp
    }

    /// One feed.
    pub(super) fn feed(&mut self, dice: &mut Dice) {
        self.people_are_at_work(dice);
        let good = self.system.backup();
        let (before, tip) = (self.written(), self.tip());
        let damage = damage(dice, self);
        let scope = self.scope(dice, &damage);
        let _ = write!(self.told, "\n- broken: {damage:?}, asked for {scope:?}");
        // Again and again, as a daemon does.
        for _ in 0..1 + dice.below(2) {
            let came = self.sync(scope.clone(), damage.within);
            let _ = write!(self.told, ": {}", in_words(&came));
            if let Err(error) = &came {
                assert!(matches!(**error, ClerkError::Biller(_)), "{error}{}", self.told);
            }
            self.nothing_is_wrong(&before, tip, &damage);
        }
        self.system.heal(&good);
        self.is_set_right();
        if dice.chance(25) {
            let (tip, again) = (self.tip(), self.sync(Scope::Everything, PATIENCE));
            let words = in_words(&again);
            assert!(
                again.is_ok() && self.tip() == tip,
                "it was set right twice: {words}{}",
                self.told
            );
        }
    }

    /// What the system means to say.
    fn people_are_at_work(&mut self, dice: &mut Dice) {
        let _ = write!(self.told, "\n- people:");
        let mut done = BTreeSet::new();
        for _ in 0..dice.below(3) {
            let is_free = |key: &str, truth: &Truth| !truth.is_new && !done.contains(key);
            let those = self.truth.iter().filter(|(key, truth)| is_free(key, truth));
            let keys: Vec<String> = those.map(|(key, _)| key.clone()).collect();
            let key = dice.pick(&keys);
            let mut truth = self.truth[&key].clone();
            let Truth { account, service, .. } = truth;
            let what = match (truth.stands, dice.below(6)) {
                (Stands::Active, 0 | 1) => {
                    self.system.suspend(account);
                    truth.stands = Stands::Suspended;
                    "does not pay"
                }
                (Stands::Active, 2) => {
                    self.system.end(account);
                    truth.stands = Stands::Ended;
                    "is over"
                }
                (Stands::Active, 3) => {
                    self.system.end(account);
                    self.was_marked(&key);
                    (truth.stands, truth.is_due) = (Stands::Ended, true);
                    "is over for long"
                }
                (Stands::Active, 4) => {
                    self.was_marked(&key);
                    "was over for long and is back"
                }
                (Stands::Active, _) => {
                    let offer = 1 + u64::from(dice.below(3));
                    truth.service = self.system.change_plan(service, offer);
                    PLANS[usize::try_from(offer - 1).unwrap()].clone_into(&mut truth.plan);
                    "has another plan"
                }
                (Stands::Suspended, 0) => {
                    self.system.end(account);
                    truth.stands = Stands::Ended;
                    "is over"
                }
                (Stands::Suspended, _) => {
                    self.system.activate(account);
                    truth.stands = Stands::Active;
                    "pays"
                }
                (Stands::Ended, _) if truth.is_due => "stays over",
                (Stands::Ended, _) => {
                    self.system.revive(account, service);
                    truth.stands = Stands::Active;
                    "comes back"
                }
            };
            let _ = write!(self.told, " {key} {what};");
            done.insert(key.clone());
            self.truth.insert(key, truth);
        }
        if dice.chance(20) && self.truth.len() < 20 {
            let number = CUSTOMERS + u64::try_from(self.seen.len()).unwrap();
            let mut customer = SeedCustomer::number(number);
            // Far from what the system numbers by itself.
            customer.id = 1000 * (number + 4);
            customer.services[0].id = customer.id;
            let _ = write!(self.told, " {} is new;", customer.id);
            self.system.add(&customer);
            self.seen.push(SeenEndpoint {
                device: "house".to_owned(),
                port: (1 + number).try_into().unwrap(),
                mac: customer.services[0].mac.as_ref().unwrap().parse().unwrap(),
            });
            let service = &customer.services[0];
            let truth = Truth {
                account: customer.id,
                service: service.id,
                plan: PLANS[usize::try_from(service.offer - 1).unwrap()].to_owned(),
                stands: Stands::Active,
                is_due: false,
                is_new: true,
            };
            self.truth.insert(format!("s-{}", service.id), truth);
        }
        if dice.chance(25) {
            let text = self
                .written()
                .replacen('\n', &format!(" # remark {}\n", dice.below(1000)), 1);
            self.commit(&[("services.yaml", text)], "by hand", Timestamp::now());
        }
    }

    /// Its service was over 20 days ago, and gamops wrote that down then.
    fn was_marked(&self, key: &str) {
        let then = Timestamp::now() - SignedDuration::from_hours(480);
        let day = then.strftime("%Y-%m-%d").to_string();
        let (before, mut entries) = entries(&self.written());
        let entry = marked(&entries[key], &day);
        entries.insert(key.to_owned(), entry);
        let text: String = [before].into_iter().chain(entries.into_values()).collect();
        let message = format!(
            "earlier\n\nBilling-System: {}\nBilling-Change: suspend {key} state=suspended ended={day}\n",
            self.kind.key()
        );
        self.commit(&[("services.yaml", text)], &message, then);
    }

    /// Which accounts gamops looks at while something is broken.
    fn scope(&self, dice: &mut Dice, damage: &Damage) -> Scope {
        let all = || self.truth.values().map(|truth| truth.account.to_string());
        match dice.below(10) {
            0 | 1 => Scope::Accounts(all().collect()),
            // A few of many that changed cannot be told from a few that changed.
            2 | 3 if !damage.is_of_many => Scope::Accounts(all().filter(|_| dice.chance(40)).collect()),
            _ => Scope::Everything,
        }
    }

    fn sync(&self, scope: Scope, within: Duration) -> Result<Outcome, Box<ClerkError>> {
        let order = Order {
            scope,
            event: "feed".to_owned(),
            allowed: [].into_iter().collect(),
            is_dry: false,
            seen: self.seen.clone(),
        };
        let (user, password) = self.system.login();
        let address = self.folder.path().join("isp.git").to_string_lossy().parse();
        let address: gamops::repo::remote::Address = address.unwrap();
        let desk = Desk {
            mirror: self.mirror.clone(),
            origin: Origin {
                address: address.clone(),
                branch: "main".to_owned(),
                access: Access::Open,
                within: Duration::from_secs(60),
                at_most: 64 << 20,
            },
            destination: Destination {
                address,
                access: Access::Open,
                within: Duration::from_secs(60),
                signed_with: None,
            },
            folder: String::new(),
            connection: Connection {
                url: self.system.url(),
                key: Some(user.to_owned()),
                secret: Secret::new(password),
                hook_secret: None,
                authorities: None,
                auth: Auth::Token,
                above: 0,
                extras: [].into(),
                zone: jiff::tz::TimeZone::UTC,
                within,
            },
            forge: None,
        };
        // A new one each time, as after a restart: nothing that matters is in its head.
        let clerk = Clerk::new(self.kind, self.store.clone(), 2);
        self.runtime.block_on(clerk.sync(&desk, &order)).map_err(Box::new)
    }

    /// Nobody is cut off whom billing did not mean, nobody's entry is touched, and nobody's commit is lost.
    fn nothing_is_wrong(&self, before: &str, tip: git2::Oid, damage: &Damage) {
        let after = self.written();
        let told = &self.told;
        let ((top, was), (top_now, is)) = (entries(before), entries(&after));
        assert_eq!(top, top_now, "{told}");
        let now = self.tip();
        assert!(
            now == tip || self.repository.graph_descendant_of(now, tip).unwrap(),
            "{told}"
        );
        let root = |commit: git2::Oid| {
            let tree = self.repository.find_commit(commit).unwrap().tree().unwrap();
            (tree.len(), tree.get_name("gamops.yaml").unwrap().id())
        };
        assert_eq!(root(now), root(tip), "{told}");
        for (key, entry) in &is {
            let is_expected = was.contains_key(key) || self.truth.get(key).is_some_and(|truth| truth.is_new);
            assert!(is_expected, "{key} came from nowhere: {entry}{told}");
        }
        for (key, entry) in &was {
            let truth = &self.truth[key];
            match is.get(key) {
                None => assert!(truth.stands == Stands::Ended && truth.is_due, "{key} was removed{told}"),
                Some(same) if same == entry => {}
                Some(other) => self.is_meant(truth, entry, other, damage),
            }
        }
    }

    /// What is written of a subscriber otherwise than before is what is true.
    fn is_meant(&self, truth: &Truth, was: &str, is: &str, damage: &Damage) {
        let (before, after) = (fields(was), fields(is));
        let names = before.keys().chain(after.keys());
        for name in names.filter(|name| before.get(*name) != after.get(*name)) {
            let now = after.get(name).map(String::as_str);
            let is_right = match name.as_str() {
                "state" => now == Some(truth.state()),
                "ended" => now.is_some() == (truth.stands == Stands::Ended),
                "plan" => now == Some(&truth.plan),
                "external" => now == Some(&truth.external(self.kind)) || damage.may_rename,
                _ => false,
            };
            assert!(is_right, "`{name}` is wrong\n  was {was}  is  {is}{}", self.told);
        }
    }

    /// After one sync the branch says what is true.
    fn is_set_right(&mut self) {
        let before = entries(&self.written()).1;
        let came = self.sync(Scope::Everything, PATIENCE);
        let words = in_words(&came);
        let _ = write!(self.told, "\n- mended: {words}");
        let told = &self.told;
        let outcome = came.unwrap_or_else(|error| panic!("{error:?}{told}"));
        let distrust = outcome.report.as_ref().and_then(|report| report.distrust.as_ref());
        assert_eq!(distrust, None, "{told}");
        let (_, after) = entries(&self.written());
        self.truth.retain(|_, truth| !truth.is_due);
        let keys = |map: &BTreeMap<String, String>| map.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&after), self.truth.keys().cloned().collect::<Vec<_>>(), "{told}");
        for (key, truth) in &self.truth {
            let entry = &after[key];
            if truth.is_new {
                let is_same = before.get(key).is_none_or(|before| before == entry);
                assert!(is_same && entry.contains(&truth.plan), "{entry}{told}");
                continue;
            }
            let found = fields(entry);
            assert_eq!(found["state"], truth.state(), "{key}{told}");
            assert_eq!(
                found.contains_key("ended"),
                truth.stands == Stands::Ended,
                "{key}{told}"
            );
            assert_eq!(found["plan"], truth.plan, "{key}{told}");
            assert_eq!(found["external"], truth.external(self.kind), "{key}{told}");
        }
    }

    fn tip(&self) -> git2::Oid {
        self.repository.refname_to_id("refs/heads/main").unwrap()
    }

    /// What the branch says of subscribers.
    fn written(&self) -> String {
        let tree = self.repository.find_commit(self.tip()).unwrap().tree().unwrap();
        let file = tree
            .get_name("services.yaml")
            .unwrap()
            .to_object(&self.repository)
            .unwrap();
        String::from_utf8(file.as_blob().unwrap().content().to_vec()).unwrap()
    }

    /// Puts files on top of the branch.
    fn commit(&self, files: &[(&str, String)], message: &str, at: Timestamp) {
        let repository = &self.repository;
        let parent = repository.refname_to_id("refs/heads/main").ok();
        let parent = parent.map(|tip| repository.find_commit(tip).unwrap());
        let there = parent.as_ref().map(|parent| parent.tree().unwrap());
        let mut tree = repository.treebuilder(there.as_ref()).unwrap();
        for (name, text) in files {
            tree.insert(*name, repository.blob(text.as_bytes()).unwrap(), 0o100_644)
                .unwrap();
        }
        let tree = repository.find_tree(tree.write().unwrap()).unwrap();
        let who = git2::Signature::new("Alice", "alice@example.org", &git2::Time::new(at.as_second(), 0)).unwrap();
        let parents = Vec::from_iter(&parent);
        repository
            .commit(Some("refs/heads/main"), &who, &who, message, &tree, &parents)
            .unwrap();
    }
}

/// The plans of the inventory, by the offers that they are, from 1.
const PLANS: [&str; 3] = ["silver", "gold", "unthrottled"];

impl Truth {
    const fn state(&self) -> &'static str {
        match self.stands {
            Stands::Active => "active",
            Stands::Suspended | Stands::Ended => "suspended",
        }
    }

    fn external(&self, kind: BillingKind) -> String {
        format!("{{ {}: \"{}/{}\" }}", kind.key(), self.account, self.service)
    }
}

/// What came of a sync, in short.
fn in_words(came: &Result<Outcome, Box<ClerkError>>) -> String {
    match came {
        Err(error) => format!("{error}"),
        Ok(outcome) => {
            let distrust = outcome.report.as_ref().and_then(|report| report.distrust.clone());
            let subjects: Vec<&str> = outcome.commits.iter().map(|commit| commit.subject.as_str()).collect();
            format!("{}[{}]", distrust.unwrap_or_default(), subjects.join("; "))
        }
    }
}
