//! Which service is which subscriber's.
//!
//! A subscriber is tied to a service by its id. Where an account got another service for the same endpoint (a change of plan, a pause,
//! a return), the best of them counts, and the subscriber goes by its id from then on: nobody is taken away and put in again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::domain::{BillingKind, MacAddr, ServiceRef};
use crate::inventory::billing::Mapping;
use crate::inventory::model::{Inventory, Subscriber};

use super::clue::{Address, Belongs, address, belongs};
use super::facts::Facts;
use super::trust::is_served;
use super::words::{listed, said};
use super::{Account, Scope, Service, Standing, Why};

/// A service of the book, with what it says of its endpoint.
#[derive(Debug, Clone)]
pub(super) struct Listed<'f> {
    pub(super) name: ServiceRef,
    pub(super) account: &'f Account,
    pub(super) service: &'f Service,
    pub(super) address: Address,
    /// The one that is to write it down could read it again.
    pub(super) is_writable: bool,
}

/// What a subscriber is tied to.
#[derive(Debug)]
pub(super) enum Tie {
    /// A service, by its place in the list. `renamed`: the subscriber goes by another id so far, or by none.
    To { service: usize, renamed: bool },
    /// It cannot be told, or is not there: why, in words.
    Open(Why, Option<ServiceRef>, String),
}

/// All services, and whose they are.
#[derive(Debug)]
pub(super) struct Ties<'f> {
    /// Every service of the book, in the order of ids.
    pub(super) services: Vec<Listed<'f>>,
    /// Subscribers that the book is about and their ties, in the order of keys.
    pub(super) ties: Vec<(&'f Subscriber, Tie)>,
    /// Services that some subscriber names or gets.
    pub(super) claimed: HashSet<usize>,
    /// Accounts that some subscriber is tied to.
    pub(super) accounts: HashSet<&'f str>,
    /// Addresses that more than one service to be served has.
    pub(super) shared: BTreeMap<MacAddr, Vec<ServiceRef>>,
    /// How many subscribers of the inventory name a service of the system.
    pub(super) tied: usize,
}

/// The subscriber's own words for its service.
enum Named {
    Whole(ServiceRef),
    Service(String),
    Odd(String),
}

fn named(id: &str) -> Named {
    match id.parse() {
        Ok(name) => Named::Whole(name),
        Err(_) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => Named::Service(id.to_owned()),
        Err(_) => Named::Odd(id.to_owned()),
    }
}

/// Finds out which service is which subscriber's.
pub(super) fn ties<'f>(facts: &Facts<'f>, mapping: &Mapping) -> Ties<'f> {
    let inventory: &'f Inventory = facts.inventory;
    let kind = facts.book.kind;
    let services: Vec<Listed<'f>> = (facts.book.services())
        .map(|(name, account, service)| Listed {
            is_writable: name.to_string().parse::<ServiceRef>().is_ok(),
            address: address(service, &mapping.endpoint),
            name,
            account,
            service,
        })
        .collect();
    let mut tier = Tier {
        facts,
        mapping,
        by_account: HashMap::new(),
        by_service: HashMap::new(),
        claims: HashMap::new(),
        shared: shared(&services),
        services: &services,
    };
    for (place, listed) in services.iter().enumerate() {
        tier.by_account.entry(&listed.name.account).or_default().push(place);
        tier.by_service.entry(&listed.name.service).or_default().push(place);
    }
    let tied: Vec<(&'f Subscriber, Named)> = (inventory.subscribers.values())
        .filter_map(|one| Some((one, named(one.external.of(kind)?))))
        .collect();
    for (subscriber, name) in &tied {
        if let Some(place) = tier.own(name) {
            tier.claims.entry(place).or_default().push(&subscriber.key);
        }
    }
    let mut claimed: HashSet<usize> = tier.claims.keys().copied().collect();
    let mut accounts = HashSet::new();
    let mut ties = Vec::new();
    for (subscriber, name) in &tied {
        if let Some(tie) = tier.tie(subscriber, name) {
            if let Tie::To { service, .. } = tie {
                claimed.insert(service);
            }
            ties.push((*subscriber, tie));
        }
        if let Named::Whole(name) = name
            && let Some((account, _)) = facts.book.accounts.get_key_value(&name.account)
        {
            accounts.insert(account.as_str());
        }
    }
    for place in &claimed {
        if let Some((account, _)) = facts.book.accounts.get_key_value(&services[*place].name.account) {
            accounts.insert(account.as_str());
        }
    }
    for (subscriber, service) in tier.met(&claimed) {
        claimed.insert(service);
        ties.push((subscriber, Tie::To { service, renamed: true }));
    }
    ties.sort_by(|(one, _), (other, _)| one.key.cmp(&other.key));
    two_of_one(&services, &mut ties);
    let shared = tier.shared;
    Ties {
        ties,
        claimed,
        accounts,
        shared,
        tied: tied.len(),
        services,
    }
}

/// Addresses that more than one service to be served has.
fn shared(services: &[Listed<'_>]) -> BTreeMap<MacAddr, Vec<ServiceRef>> {
    let mut by_mac: BTreeMap<MacAddr, Vec<ServiceRef>> = BTreeMap::new();
    for listed in services.iter().filter(|listed| is_served(listed.service.standing)) {
        if let Some(mac) = listed.address.one() {
            by_mac.entry(mac).or_default().push(listed.name.clone());
        }
    }
    by_mac.retain(|_, names| names.len() > 1);
    by_mac
}

/// Two subscribers that would come to the same service get nothing: which of the two it is can only be said by people.
fn two_of_one(services: &[Listed<'_>], ties: &mut [(&Subscriber, Tie)]) {
    let mut by_service: HashMap<usize, Vec<String>> = HashMap::new();
    for (subscriber, tie) in ties.iter() {
        if let Tie::To { service, .. } = tie {
            by_service.entry(*service).or_default().push(subscriber.key.clone());
        }
    }
    for (_, tie) in ties.iter_mut() {
        if let Tie::To { service, .. } = tie
            && let Some(several) = by_service.get(service).filter(|several| several.len() > 1)
        {
            let name = services[*service].name.clone();
            let words = format!(
                "{} are all tied to the service {name}: leave it to one of them",
                listed(several, "and")
            );
            *tie = Tie::Open(Why::Question, Some(name), words);
        }
    }
}

struct Tier<'t, 'f> {
    facts: &'t Facts<'f>,
    mapping: &'t Mapping,
    services: &'t [Listed<'f>],
    by_account: HashMap<&'t str, Vec<usize>>,
    by_service: HashMap<&'t str, Vec<usize>>,
    /// Which subscribers name a service, by key.
    claims: HashMap<usize, Vec<&'f str>>,
    shared: BTreeMap<MacAddr, Vec<ServiceRef>>,
}

impl<'f> Tier<'_, 'f> {
    fn kind(&self) -> BillingKind {
        self.facts.book.kind
    }

    /// The service that a subscriber names, where exactly one is it.
    fn own(&self, name: &Named) -> Option<usize> {
        let (account, service) = match name {
            Named::Whole(name) => (Some(&name.account), &name.service),
            Named::Service(service) => (None, service),
            Named::Odd(_) => return None,
        };
        let places = self.by_service.get(service.as_str())?;
        let places = places.iter().copied().filter(|place| self.services[*place].is_writable);
        let places: Vec<usize> = places.collect();
        let listed = |place: usize| &self.services[place];
        let exact = places
            .iter()
            .copied()
            .find(|place| Some(&listed(*place).name.account) == account);
        // A service that went over to another account is still the one that it was, as long as it is served there: that it is over
        // there may be because it went on.
        exact.or(match places.as_slice() {
            [only] if account.is_none() || is_served(listed(*only).service.standing) => Some(*only),
            _ => None,
        })
    }

    /// What a subscriber is tied to; `None` where the book is not about it.
    fn tie(&self, subscriber: &Subscriber, name: &Named) -> Option<Tie> {
        let own = self.own(name);
        let whole = self.facts.book.scope == Scope::Everything;
        let (account, shown) = match name {
            Named::Odd(id) => {
                return whole.then(|| {
                    let words = format!(
                        "`external.{}` is `{}`, which is no service: write ACCOUNT/SERVICE, such as 1001/5001",
                        self.kind().key(),
                        said(id)
                    );
                    Tie::Open(Why::Question, None, words)
                });
            }
            Named::Whole(name) => (Some(name.account.as_str()), name.to_string()),
            Named::Service(service) => (None, service.clone()),
        };
        let account = own.map(|place| self.services[place].name.account.as_str()).or(account);
        let is_asked = match (&self.facts.book.scope, account) {
            (Scope::Everything, _) => true,
            (Scope::Accounts(asked), Some(account)) => asked.contains(account),
            (Scope::Accounts(_), None) => false,
        };
        if !is_asked {
            return None;
        }
        if let Some(open) = self.forbids(subscriber) {
            return Some(open);
        }
        Some(match own {
            Some(own) => self.best(subscriber, own),
            None => self.absent(subscriber, account, &shown),
        })
    }

    /// Why nothing is done for a subscriber whatever its service says.
    fn forbids(&self, subscriber: &Subscriber) -> Option<Tie> {
        let systems = (self.facts.inventory.billing.keys()).filter(|kind| subscriber.external.of(**kind).is_some());
        if systems.count() > 1 {
            let words = "it is tied to a service of Splynx and to one of Sonar: leave one of the two in `external`";
            return Some(Tie::Open(Why::Question, None, words.to_owned()));
        }
        let mac = subscriber.endpoint.as_ref()?.mac;
        if let Some(names) = self.shared.get(&mac) {
            return Some(Tie::Open(
                Why::Question,
                names.first().cloned(),
                shared_words(mac, names),
            ));
        }
        let was_shared = self.facts.was_shared(mac);
        was_shared.then(|| Tie::Open(Why::Question, None, once_shared_words(mac)))
    }

    /// Other services of an account that no subscriber names and that some rule does not give to others.
    fn free<'s>(&'s self, account: &str) -> impl Iterator<Item = usize> + 's {
        let places = self.by_account.get(account).map_or(&[][..], Vec::as_slice);
        (places.iter().copied()).filter(|place| {
            let listed = &self.services[*place];
            let belongs = belongs(listed.account, listed.service, &self.mapping.sites);
            !self.claims.contains_key(place) && listed.is_writable && !matches!(belongs, Belongs::Others(_))
        })
    }

    /// The best of a subscriber's own service and the others of its account on the same endpoint.
    fn best(&self, subscriber: &Subscriber, own: usize) -> Tie {
        let listed = &self.services[own];
        let standing = |place: usize| self.services[place].service.standing;
        let renamed = |place: usize| Tie::To {
            service: place,
            renamed: place != own || self.is_elsewhere(subscriber, own),
        };
        if matches!(
            standing(own),
            Standing::Active | Standing::Delinquent | Standing::Unclear
        ) {
            return renamed(own);
        }
        let mac = subscriber.endpoint.as_ref().map(|endpoint| endpoint.mac);
        let others: Vec<usize> = self.free(&listed.name.account).filter(|place| *place != own).collect();
        let sure = |place: &usize| mac.is_some() && self.services[*place].address.one() == mac;
        let better: Vec<usize> = (others.iter().copied())
            .filter(|place| sure(place) && rank(standing(*place)) > rank(standing(own)))
            .collect();
        let top = better.iter().map(|place| rank(standing(*place))).max();
        let best: Vec<usize> = better
            .into_iter()
            .filter(|place| Some(rank(standing(*place))) == top)
            .collect();
        if let [best] = best.as_slice() {
            return renamed(*best);
        }
        // One that is not understood may be served: whoever it may have come for is not over for sure.
        let perhaps = |place: &usize| {
            let standing = standing(*place);
            let may_be_served = is_served(standing) || matches!(standing, Standing::NotYet | Standing::Unclear);
            may_be_served && self.services[*place].address.may_be(mac)
        };
        let choices: Vec<usize> = if best.is_empty() {
            others.into_iter().filter(perhaps).collect()
        } else {
            best
        };
        if choices.is_empty() {
            return renamed(own);
        }
        Tie::Open(Why::Question, Some(listed.name.clone()), self.which(listed, &choices))
    }

    /// Whether a subscriber names another account than the one that its service is in.
    fn is_elsewhere(&self, subscriber: &Subscriber, own: usize) -> bool {
        let id = subscriber.external.of(self.kind()).map(named);
        matches!(id, Some(Named::Whole(name)) if name != self.services[own].name)
    }

    fn which(&self, own: &Listed<'_>, choices: &[usize]) -> String {
        let names = choices.iter().map(|place| self.services[*place].name.to_string());
        format!(
            "its service {} is {}, and {} may have come in its place: write the one that it is into `external.{}`",
            own.name,
            standing_words(own.service),
            listed(names, "or"),
            self.kind().key()
        )
    }

    /// What becomes of a subscriber whose service is not told.
    fn absent(&self, subscriber: &Subscriber, account: Option<&str>, shown: &str) -> Tie {
        let kind = self.kind();
        let twice = self.by_service.get(shown).filter(|places| places.len() > 1);
        if let Some(places) = twice {
            let names = places.iter().map(|place| self.services[*place].name.to_string());
            let words = format!(
                "the service {shown} is {} at once: write which one it is into `external.{}`",
                listed(names, "and"),
                kind.key()
            );
            return Tie::Open(Why::Question, None, words);
        }
        let mac = subscriber.endpoint.as_ref().map(|endpoint| endpoint.mac);
        let served = |place: &usize| is_served(self.services[*place].service.standing);
        let others: Vec<usize> = account
            .into_iter()
            .flat_map(|account| self.free(account))
            .filter(served)
            .collect();
        let sure: Vec<usize> = (others.iter().copied())
            .filter(|place| mac.is_some() && self.services[*place].address.one() == mac)
            .collect();
        if let [service] = sure.as_slice() {
            return Tie::To {
                service: *service,
                renamed: true,
            };
        }
        let there = account.is_some_and(|account| self.facts.book.accounts.contains_key(account));
        let what = match account {
            Some(account) if !there => format!("{kind} does not tell of the account {account}"),
            _ => format!("{kind} does not tell of the service {shown}"),
        };
        let perhaps = others
            .into_iter()
            .filter(|place| self.services[*place].address.may_be(mac));
        let perhaps: Vec<String> = perhaps.map(|place| self.services[place].name.to_string()).collect();
        let hint = if perhaps.is_empty() {
            "what is not told is not taken for over".to_owned()
        } else {
            format!(
                "perhaps it is {} now; write that into `external.{}`",
                listed(perhaps, "or"),
                kind.key()
            )
        };
        Tie::Open(Why::NoService, None, format!("{what}: nothing is done; {hint}"))
    }

    /// Subscribers that are tied to nothing and have the endpoint of exactly one service to be served, which is nobody's.
    fn met(&self, claimed: &HashSet<usize>) -> Vec<(&'f Subscriber, usize)> {
        let mut by_mac: HashMap<MacAddr, usize> = HashMap::new();
        for (place, listed) in self.services.iter().enumerate() {
            let belongs = belongs(listed.account, listed.service, &self.mapping.sites);
            let ours = matches!(belongs, Belongs::Anywhere | Belongs::Site(_));
            if is_served(listed.service.standing)
                && ours
                && listed.is_writable
                && !claimed.contains(&place)
                && let Some(mac) = listed.address.one()
                && !self.shared.contains_key(&mac)
                && !self.facts.was_shared(mac)
            {
                by_mac.insert(mac, place);
            }
        }
        let is_free = |subscriber: &&Subscriber| {
            let mut systems = self.facts.inventory.billing.keys();
            systems.all(|kind| subscriber.external.of(*kind).is_none())
        };
        (self.facts.inventory.subscribers.values().filter(is_free))
            .filter_map(|one| Some((one, *by_mac.get(&one.endpoint.as_ref()?.mac)?)))
            .collect()
    }
}

/// How much a standing counts where an account has several services on one endpoint.
const fn rank(standing: Standing) -> u8 {
    match standing {
        Standing::Active | Standing::Delinquent => 5,
        Standing::Suspended => 4,
        Standing::NotYet => 3,
        Standing::Unclear => 2,
        Standing::Lead => 1,
        Standing::Ended => 0,
    }
}

/// That nobody could say whose an endpoint was.
pub(super) fn once_shared_words(mac: MacAddr) -> String {
    format!("more than one service to be served had the endpoint {mac} the last time that all was told")
}

/// `over (customer disabled)`.
pub(super) fn standing_words(service: &Service) -> String {
    let standing = match service.standing {
        Standing::Active => "active",
        Standing::Delinquent => "active though the customer owes",
        Standing::Suspended => "suspended",
        Standing::NotYet => "not begun yet",
        Standing::Lead => "nobody's yet",
        Standing::Ended => "over",
        Standing::Unclear => "not understood",
    };
    let words = said(&service.words);
    if words.is_empty() {
        standing.to_owned()
    } else {
        format!("{standing} ({words})")
    }
}

/// Why an address that several services have decides nothing.
pub(super) fn shared_words(mac: MacAddr, names: &[ServiceRef]) -> String {
    let names: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
    format!(
        "the endpoint {mac} is that of {} at once: correct it in billing; nothing is done for any of them",
        listed(names, "and")
    )
}
