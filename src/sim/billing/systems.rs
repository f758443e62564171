//! The billing systems that run beside a fleet.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use super::desk::Desk;
use super::{Opening, Order, Overview, knock};
use crate::domain::BillingKind;
use crate::sim::sonar::Sonar;
use crate::sim::splynx::Splynx;

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
                self.splynx = Some(Arc::new(splynx));
            }
            BillingKind::Sonar => {
                let sonar = Sonar::start_at(address, &opening.seed).await?;
                self.sonar = Some(Arc::new(sonar));
            }
        }
        if let Some(desk) = self.desk(kind) {
            opening.suspended.iter().for_each(|account| desk.suspend(*account));
            opening.left.iter().for_each(|account| desk.leave(*account));
        }
        // That was so before anybody was there to be told.
        self.sonar.iter().for_each(|sonar| sonar.forget_news());
        Ok(())
    }

    /// Those that run, and where: `http://127.0.0.1:18001`.
    pub fn running(&self) -> impl Iterator<Item = (BillingKind, String)> {
        let splynx = self.splynx.iter().map(|splynx| (BillingKind::Splynx, splynx.url()));
        splynx.chain(self.sonar.iter().map(|sonar| (BillingKind::Sonar, sonar.url())))
    }

    /// The accounts of a system, by id; none where it does not run.
    #[must_use]
    pub fn overview(&self, kind: BillingKind) -> Vec<Overview> {
        self.desk(kind).map(Desk::overview).unwrap_or_default()
    }

    /// Has webhooks sent of whatever happens from now on to a daemon that serves its pages at this address, again and again while nobody
    /// answers.
    pub fn knock(&mut self, daemon: &str) {
        if let Some(splynx) = self.splynx.clone() {
            self.knocking.spawn(knock::for_splynx(splynx, daemon.to_owned()));
        }
        if let Some(sonar) = self.sonar.clone() {
            self.knocking.spawn(knock::for_sonar(sonar, daemon.to_owned()));
        }
    }

    /// Carries out an order; `null`, a text, or what came of it.
    ///
    /// # Errors
    ///
    /// Why it cannot be, in words. The fault of who gave it.
    pub fn obey(&self, kind: BillingKind, order: &Order) -> Result<Value, String> {
        let not_there = || format!("no {kind} is simulated: start it with `--billing {}`", kind.key());
        order.carry_out(self.desk(kind).ok_or_else(not_there)?)
    }

    fn desk(&self, kind: BillingKind) -> Option<Desk<'_>> {
        match kind {
            BillingKind::Splynx => self.splynx.as_deref().map(Desk::Splynx),
            BillingKind::Sonar => self.sonar.as_deref().map(Desk::Sonar),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sim::billing::{NewCustomer, Seed, Trouble};

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
