//! The examples of the documentation.

use super::*;
use crate::inventory::billing::{Unique, Whose};

#[test]
fn the_examples_of_the_page_are_an_inventory() {
    let page = include_str!("../../../docs/billing.md");
    let examples: Vec<&str> = (page.split("```yaml\n").skip(1))
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 2);
    let mut desk = Desk::new();
    let start = desk.text.find("subscribers:").unwrap();
    desk.text.truncate(start);
    desk.text.push_str(&examples.concat());
    let inventory = desk.inventory();

    let mapping = &inventory.billing[&BillingKind::Splynx];
    assert_eq!(mapping.plans["Fiber Unlimited"], "unthrottled");
    assert_eq!(mapping.sites.len(), 3);
    assert_eq!(mapping.sites[1].then, Whose::Site("maple".to_owned()));
    assert_eq!(mapping.sites[1].when["location"], ["3", "5"]);
    let vlans = mapping.vlans.as_ref().unwrap();
    assert_eq!(
        (vlans.unique, vlans.rest_days, mapping.grace_days),
        (Unique::Site, 7, 14)
    );
    assert_eq!(
        (mapping.way(Kind::Remove), mapping.way(Kind::Suspend)),
        (Way::Propose, Way::Push)
    );
    assert_eq!(
        mapping.limits,
        crate::inventory::billing::Limits::default(),
        "the page shows the defaults"
    );

    let subscriber = &inventory.subscribers["c-1001-5001"];
    assert_eq!(subscriber.external.of(BillingKind::Splynx), Some("1001/5001"));
    let hold = subscriber.hold.as_ref().unwrap();
    assert_eq!(
        (hold.until.to_string().as_str(), hold.reason.as_str()),
        ("2026-12-24T00:00:00Z", "disputed, see ticket 7")
    );
}
