//! The billing systems that run beside a fleet, and the desks at which orders are carried out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{NewCustomer, Opening, Order, Overview, SeedCustomer, SeedService, Trouble};
use crate::domain::BillingKind;
use crate::sim::sonar::{Sonar, SonarFault};
use crate::sim::splynx::{self, Call, Splynx, Table, Target, When};

/// What Splynx signs its webhooks with; Sonar has it at the end of the address that it calls.
pub const HOOK_SECRET: &str = "simulated-hook-0001";

/// How often it is looked whether there is something to tell by webhook.
const PAUSE: Duration = Duration::from_millis(200);

/// How long after a webhook that nobody took it is sent again.
const AGAIN: Duration = Duration::from_secs(1);

/// The fault that every system has: it is shown no account any more.
const EMPTY_BOOK: &str = "empty-book";

/// A partner that has no customer.
const NOBODY: u64 = 0;

/// The billing systems that run beside a fleet, one of each kind at most. They end when this is dropped.
#[derive(Debug, Default)]
pub struct Systems {
    splynx: Option<Arc<Splynx>>,
    sonar: Option<Arc<Sonar>>,
    knocking: JoinSet<()>,
}

impl Systems {
    /// Starts one, in the place of another of its kind.
    ///
    /// # Errors
    ///
    /// The address is taken, or not this machine's.
    pub async fn start(&mut self, kind: BillingKind, opening: &Opening, address: SocketAddr) -> std::io::Result<()> {
        match kind {
            BillingKind::Splynx => {
                let splynx = Splynx::start_at(&opening.seed, address).await?;
                // So that a person can try it with `curl -u`.
                splynx.allow_basic(true);
                for account in &opening.suspended {
                    splynx.customer(*account).block();
                }
                for account in &opening.left {
                    splynx.customer(*account).inactivate();
                }
                self.splynx = Some(Arc::new(splynx));
            }
            BillingKind::Sonar => {
                let sonar = Sonar::start_at(address, &opening.seed).await?;
                for account in &opening.suspended {
                    sonar.suspend(*account);
                }
                for account in &opening.left {
                    sonar.disconnect(*account);
                }
                sonar.forget_news();
                self.sonar = Some(Arc::new(sonar));
            }
        }
        Ok(())
    }

    /// Those that run, and where: `http://127.0.0.1:18001`.
    pub fn running(&self) -> impl Iterator<Item = (BillingKind, String)> {
        let splynx = self.splynx.iter().map(|splynx| (BillingKind::Splynx, splynx.url()));
        splynx.chain(self.sonar.iter().map(|sonar| (BillingKind::Sonar, sonar.url())))
    }

    /// How many accounts and services a system has.
    #[must_use]
    pub fn counts(&self, kind: BillingKind) -> (usize, usize) {
        let accounts = self.overview(kind);
        let services = accounts.iter().map(|account| account.services.len()).sum();
        (accounts.len(), services)
    }

    /// The account with the lowest id, if there is any.
    #[must_use]
    pub fn first_account(&self, kind: BillingKind) -> Option<u64> {
        self.overview(kind).first().map(|account| account.account)
    }

    /// Has webhooks sent of whatever happens from now on to a daemon that serves its pages at this address, again and again while nobody
    /// answers.
    pub fn knock(&mut self, daemon: &str) {
        let daemon = daemon.trim_end_matches('/');
        if let Some(splynx) = self.splynx.clone() {
            let target = Target {
                url: format!("{daemon}/billing/splynx"),
                secret: HOOK_SECRET.to_owned(),
                is_form: false,
            };
            splynx.hook(target.clone());
            self.knocking.spawn(async move {
                loop {
                    tokio::time::sleep(PAUSE).await;
                    for call in splynx.undelivered() {
                        tell_again(&call, &target).await;
                    }
                }
            });
        }
        if let Some(sonar) = self.sonar.clone() {
            let url = format!("{daemon}/billing/sonar/{HOOK_SECRET}");
            self.knocking.spawn(async move {
                loop {
                    tokio::time::sleep(PAUSE).await;
                    if !sonar.has_news() {
                        continue;
                    }
                    // What nobody took is news again.
                    match sonar.tell(&url).await {
                        Ok(said) if said.iter().all(|status| *status == 200) => continue,
                        Ok(said) => said
                            .iter()
                            .filter(|status| **status != 200)
                            .for_each(|status| not_taken(*status)),
                        Err(_) => {}
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            });
        }
    }

    /// Carries out an order; `null`, a text, or what came of it.
    ///
    /// # Errors
    ///
    /// Why it cannot be, in words. The fault of who gave it.
    pub fn obey(&self, kind: BillingKind, order: &Order) -> Result<Value, String> {
        let desk = match kind {
            BillingKind::Splynx => self.splynx.as_deref().map(Desk::Splynx),
            BillingKind::Sonar => self.sonar.as_deref().map(Desk::Sonar),
        };
        let desk = desk.ok_or_else(|| format!("no {kind} is simulated: start it with `--billing {}`", kind.key()))?;
        let accounts = desk.overview();
        match order {
            Order::Accounts => return Ok(table(&accounts).into()),
            Order::Suspend { account } => desk.suspend(known(kind, &accounts, *account)?),
            Order::Restore { account } => desk.restore(known(kind, &accounts, *account)?),
            Order::Leave { account } => desk.leave(known(kind, &accounts, *account)?),
            Order::Add(new) => return add(desk, kind, &accounts, new),
            Order::ChangePlan { service, offer } => {
                let service = known_service(kind, &accounts, *service)?;
                known_offer(desk, kind, *offer)?;
                let new = desk.change_plan(service, *offer);
                return Ok(json!({ "service": new }));
            }
            Order::EndService { service } => desk.end_service(known_service(kind, &accounts, *service)?),
            Order::Fault(trouble) => desk.fault(trouble)?,
            Order::ClearFaults => desk.mend(),
        }
        Ok(Value::Null)
    }

    fn overview(&self, kind: BillingKind) -> Vec<Overview> {
        match kind {
            BillingKind::Splynx => self.splynx.iter().flat_map(|splynx| splynx.overview()).collect(),
            BillingKind::Sonar => self.sonar.iter().flat_map(|sonar| sonar.overview()).collect(),
        }
    }
}

/// Sends a webhook until somebody answers.
async fn tell_again(call: &Call, target: &Target) {
    loop {
        match call.send(target).await {
            Ok(200..=299) => return,
            Ok(status @ 400..=499) => return not_taken(status),
            Ok(_) | Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Says that somebody is there who does not want a webhook.
fn not_taken(status: u16) {
    tracing::warn!(
        "a webhook was answered with status {status}: has the daemon the system in its settings, with `webhook`, and its secret in its environment?"
    );
}

/// A system, with a person in front of it.
#[derive(Debug, Clone, Copy)]
enum Desk<'s> {
    Splynx(&'s Splynx),
    Sonar(&'s Sonar),
}

impl Desk<'_> {
    fn overview(self) -> Vec<Overview> {
        match self {
            Self::Splynx(splynx) => splynx.overview(),
            Self::Sonar(sonar) => sonar.overview(),
        }
    }

    /// What is sold, by id.
    fn offers(self) -> Vec<(u64, String)> {
        match self {
            Self::Splynx(splynx) => splynx.offers(),
            Self::Sonar(sonar) => sonar.offers(),
        }
    }

    fn suspend(self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).block(),
            Self::Sonar(sonar) => sonar.suspend(account),
        }
    }

    fn restore(self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).pay(),
            Self::Sonar(sonar) => sonar.activate(account),
        }
    }

    fn leave(self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).inactivate(),
            Self::Sonar(sonar) => sonar.disconnect(account),
        }
    }

    fn add(self, customer: &SeedCustomer) {
        match self {
            Self::Splynx(splynx) => splynx.add(customer),
            Self::Sonar(sonar) => sonar.add(customer),
        }
    }

    /// The id of the new service.
    fn change_plan(self, service: u64, offer: u64) -> Option<u64> {
        match self {
            Self::Splynx(splynx) => splynx.service(service).change_plan(offer),
            Self::Sonar(sonar) => Some(sonar.replace_service(service, offer)),
        }
    }

    fn end_service(self, service: u64) {
        match self {
            Self::Splynx(splynx) => {
                splynx.set(Table::Services, service, &json!({ "status": "disabled" }));
            }
            Self::Sonar(sonar) => sonar.end_service(service),
        }
    }

    fn fault(self, trouble: &Trouble) -> Result<(), String> {
        let Trouble {
            fault,
            list,
            after,
            times,
        } = trouble;
        let is_empty_book = *fault == EMPTY_BOOK;
        match self {
            Self::Splynx(splynx) if is_empty_book => splynx.show_partner(Some(NOBODY)),
            Self::Splynx(splynx) => {
                let table = list
                    .as_ref()
                    .map(|list| read::<Table>(&json!(list), "list"))
                    .transpose()?;
                let when = When {
                    table,
                    after: *after,
                    times: *times,
                };
                splynx.fault(read::<splynx::Fault>(fault, "fault")?, when);
            }
            Self::Sonar(_) if list.is_some() => {
                return Err("Sonar has one address for all lists: leave `list` out".to_owned());
            }
            Self::Sonar(sonar) => {
                let fault = match is_empty_book {
                    true => SonarFault::Collapse(1),
                    false => read::<SonarFault>(fault, "fault")?,
                };
                let count = |number: &u32| usize::try_from(*number).unwrap_or(usize::MAX);
                let times = if *times == 0 { usize::MAX } else { count(times) };
                sonar.fault_after(count(after), times, fault);
            }
        }
        Ok(())
    }

    fn mend(self) {
        match self {
            Self::Splynx(splynx) => {
                splynx.mend();
                splynx.show_partner(None);
            }
            Self::Sonar(sonar) => sonar.heal(),
        }
    }
}

/// Reads the word for something; where there is no such word, those that there are are named.
fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| format!("{what}: {error}"))
}

fn known(kind: BillingKind, accounts: &[Overview], id: u64) -> Result<u64, String> {
    match accounts.iter().any(|account| account.account == id) {
        true => Ok(id),
        false => Err(format!("{kind} has no account {id}; `accounts` lists them")),
    }
}

fn known_service(kind: BillingKind, accounts: &[Overview], id: u64) -> Result<u64, String> {
    let mut services = accounts.iter().flat_map(|account| &account.services);
    match services.any(|service| service.id == id) {
        true => Ok(id),
        false => Err(format!("{kind} has no service {id}; `accounts` lists them")),
    }
}

fn known_offer(desk: Desk<'_>, kind: BillingKind, id: u64) -> Result<(), String> {
    let offers = desk.offers();
    if offers.iter().any(|(offer, _)| *offer == id) {
        return Ok(());
    }
    let sold: Vec<String> = offers.iter().map(|(offer, name)| format!("{offer} ({name})")).collect();
    Err(format!("{kind} does not sell {id}; it sells {}", sold.join(", ")))
}

fn add(desk: Desk<'_>, kind: BillingKind, accounts: &[Overview], new: &NewCustomer) -> Result<Value, String> {
    known_offer(desk, kind, new.offer)?;
    let next = || {
        accounts
            .iter()
            .map(|account| account.account)
            .max()
            .map_or(1001, |last| last + 1)
    };
    let id = new.account.unwrap_or_else(next);
    if accounts.iter().any(|account| account.account == id) {
        return Err(format!("{kind} has an account {id} already"));
    }
    let services = accounts.iter().flat_map(|account| &account.services);
    let service = services.map(|service| service.id).max().map_or(5001, |last| last + 1);
    desk.add(&SeedCustomer {
        id,
        name: new.name.clone(),
        street: new.street.clone(),
        city: new.city.clone(),
        zip: new.zip.clone(),
        fields: Vec::new(),
        services: vec![SeedService {
            id: service,
            offer: new.offer,
            mac: new.equipment.clone(),
        }],
    });
    Ok(json!({ "account": id, "service": service }))
}

/// Accounts, one a line and service.
fn table(accounts: &[Overview]) -> String {
    let header = ["ACCOUNT", "NAME", "STATUS", "SERVICE", "EQUIPMENT"].map(str::to_owned);
    let mut rows = vec![header];
    for account in accounts {
        let services: Vec<String> = account.services.iter().map(ToString::to_string).collect();
        rows.push([
            account.account.to_string(),
            account.name.clone(),
            account.status.clone(),
            services.join(", "),
            account.equipment.join(", "),
        ]);
    }
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let [id, name, status, service] = [width(0), width(1), width(2), width(3)];
    let line = |row: &[String; 5]| {
        let line = format!(
            "{:id$}  {:name$}  {:status$}  {:service$}  {}",
            row[0], row[1], row[2], row[3], row[4]
        );
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::billing::Seed;

    async fn both() -> Systems {
        let mut systems = Systems::default();
        let opening = Opening {
            seed: Seed::many(3),
            suspended: [1002].into(),
            left: [1003].into(),
        };
        for kind in BillingKind::ALL {
            systems.start(kind, &opening, ([127, 0, 0, 1], 0).into()).await.unwrap();
        }
        systems
    }

    fn shown(systems: &Systems, kind: BillingKind) -> String {
        match systems.obey(kind, &Order::Accounts).unwrap() {
            Value::String(text) => text,
            other => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn a_day_at_the_desk_of_either_system() {
        let systems = both().await;
        for kind in BillingKind::ALL {
            let obey = |order: Order| systems.obey(kind, &order).unwrap();
            obey(Order::Suspend { account: 1001 });
            obey(Order::Restore { account: 1002 });
            let new = NewCustomer {
                account: None,
                name: "Grace".to_owned(),
                street: String::new(),
                city: String::new(),
                zip: String::new(),
                offer: 3,
                equipment: Some("00-0e-d8-00-00-09".to_owned()),
            };
            assert_eq!(obey(Order::Add(new))["account"], 1004);
            let there = shown(&systems, kind);
            let line = there.lines().find(|line| line.starts_with("1004")).unwrap();
            let service: u64 = line.split_whitespace().nth(3).unwrap().parse().unwrap();
            let changed = obey(Order::ChangePlan { service, offer: 1 });
            assert!(changed["service"].as_u64().unwrap() > service, "{changed}");
            obey(Order::EndService { service: 5002 });
        }
        insta::assert_snapshot!(shown(&systems, BillingKind::Splynx));
        insta::assert_snapshot!(shown(&systems, BillingKind::Sonar));
    }

    #[tokio::test]
    async fn what_is_not_there_is_named() {
        let systems = both().await;
        let wrong = |order: Order| systems.obey(BillingKind::Splynx, &order).unwrap_err();
        assert_eq!(
            wrong(Order::Suspend { account: 7 }),
            "Splynx has no account 7; `accounts` lists them"
        );
        assert_eq!(
            wrong(Order::ChangePlan {
                service: 5001,
                offer: 9
            }),
            "Splynx does not sell 9; it sells 1 (Fiber 100), 2 (Fiber 300), 3 (Fiber 500)"
        );
        let fault = |fault: Value, list: Option<&str>| {
            Order::Fault(Trouble {
                fault,
                list: list.map(str::to_owned),
                after: 0,
                times: 0,
            })
        };
        assert!(wrong(fault(json!("flood"), None)).contains("`empty-list`"));
        assert!(wrong(fault(json!("empty-list"), Some("fish"))).contains("`customers`"));
        assert_eq!(
            systems.obey(BillingKind::Splynx, &fault(json!({ "status": 502 }), None)),
            Ok(Value::Null)
        );
        assert_eq!(
            systems.obey(BillingKind::Sonar, &fault(json!({ "html": 502 }), None)),
            Ok(Value::Null)
        );
        let none = Systems::default().obey(BillingKind::Sonar, &Order::Accounts);
        assert_eq!(
            none.unwrap_err(),
            "no Sonar is simulated: start it with `--billing sonar`"
        );
    }
}
