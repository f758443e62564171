//! The texts as people get them.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn event(kind: Kind, state: Turn, device: Option<&str>, reason: &str) -> Event {
    Event {
        kind,
        state,
        device: device.map(str::to_owned),
        site: device.map(|_| "north".to_owned()),
        billing: None,
        reason: reason.to_owned(),
        commit: Some("0123456789ab".to_owned()),
        since: at(0),
        at: at(744),
    }
}

fn message(events: Vec<Event>) -> Message {
    Message {
        inventory: Some("isp".to_owned()),
        by: "gamops-daemon@noc1".to_owned(),
        events,
    }
}

fn shown(events: Vec<Event>) -> String {
    let message = message(events);
    format!("{}\n\n{}", subject(&message), body(&message))
}

#[test]
fn one_device() {
    insta::assert_snapshot!(shown(vec![event(
        Kind::Failed,
        Turn::Raised,
        Some("maple-a"),
        "the device refused `ghn subscriber 1 vid 101`: no such endpoint; given back what it held before"
    )]));
}

#[test]
fn it_is_over() {
    insta::assert_snapshot!(shown(vec![event(
        Kind::Drifted,
        Turn::Over,
        Some("maple-a"),
        "in sync"
    )]));
}

#[test]
fn a_building_without_power() {
    let events = (1..=23)
        .map(|number| {
            let device = format!("maple-{number:02}");
            event(
                Kind::Unreachable,
                Turn::Raised,
                Some(&device),
                "no answer within 10 seconds",
            )
        })
        .collect();
    insta::assert_snapshot!(shown(events));
}

#[test]
fn several_things_at_once() {
    insta::assert_snapshot!(shown(vec![
        event(Kind::Failed, Turn::Raised, Some("maple-a"), "the session broke off"),
        event(
            Kind::Drifted,
            Turn::Raised,
            Some("maple-b"),
            "subscriber/s-1, subscriber/s-2"
        ),
        event(Kind::Drifted, Turn::Over, Some("maple-a"), "failed"),
        event(Kind::Unreachable, Turn::Over, Some("maple-c"), "in sync"),
        event(
            Kind::Applied,
            Turn::Once,
            None,
            "run 12: 0 to add, 1 to change, 0 to destroy on 3 devices; not all of it was done"
        ),
    ]));
}

#[test]
fn a_commit_that_is_not_valid_with_its_findings() {
    let findings = "error[unknown-plan]: there is no plan `glod`\n --> services.yaml:5:11\n  |\n5 |     plan: glod\n  |           ^^^^\n  = help: did you mean `gold`?\n";
    insta::assert_snapshot!(shown(vec![event(Kind::CommitRejected, Turn::Raised, None, findings)]));
}

#[test]
fn a_plan_that_a_guard_refuses() {
    insta::assert_snapshot!(shown(vec![event(
        Kind::PlanRefused,
        Turn::Raised,
        None,
        "guard destroy: it destroys 37 objects on maple-a, and 10 is the limit\nif it is meant: `Gamops-Allow: destroy=37`"
    )]));
}

#[test]
fn a_repository_that_is_reached_again() {
    insta::assert_snapshot!(shown(vec![event(
        Kind::RepositoryUnreachable,
        Turn::Over,
        None,
        "0123456789ab is in force"
    )]));
}

#[test]
fn a_night_of_billing() {
    let of = |kind, state, reason: &str| Event {
        billing: Some(BillingKind::Splynx),
        ..event(kind, state, None, reason)
    };
    let limit = "`limits.suspend`: 37 at once, and the limit is 20, or allow it with `--allow suspend=37`";
    let asked = "1001/5001\ns-10442 (1002/5002)";
    let all = [
        of(
            Kind::BillingDistrusted,
            Turn::Raised,
            "Splynx tells of no service at all, and it told of 9518 the last time: look at what the API key may see, or allow it with \
             `--allow lose=9518`",
        ),
        of(Kind::BillingRefused, Turn::Raised, limit),
        of(
            Kind::BillingUnreachable,
            Turn::Raised,
            "https://isp.splynx.app/api/2.0/admin/tariffs/internet answered with status 503; it is asked again later",
        ),
        of(
            Kind::BillingUnwritten,
            Turn::Raised,
            "the inventory at 3f0c2d81aa4e is not valid (there is no plan `glod`); what billing says waits until it is; 4 webhooks to be looked at",
        ),
        of(
            Kind::BillingClock,
            Turn::Raised,
            "our clock says 2026-11-28T03:12:40Z and that of the billing system 2026-11-28T04:12:40Z: set the one that is wrong",
        ),
        of(Kind::BillingConflict, Turn::Raised, "s-10442 (1002/5002)"),
        of(Kind::BillingQuestion, Turn::Raised, asked),
        of(
            Kind::BillingProposed,
            Turn::Raised,
            "gamops/billing/splynx/remove: 2 subscribers: 2 removed; https://git.example.org/isp/network/pulls/7",
        ),
        of(Kind::BillingQuestion, Turn::Over, "nothing to be answered"),
    ];
    let subjects = all
        .iter()
        .map(|event| subject(&message(vec![event.clone()])))
        .collect::<Vec<_>>();
    insta::assert_snapshot!(format!("{}\n\n{}", subjects.join("\n"), shown(all.into())));
}

#[test]
fn a_trial() {
    let message = Message {
        inventory: None,
        by: "gamops@noc1".to_owned(),
        events: vec![Event::test(at(0))],
    };
    insta::assert_snapshot!(format!("{}\n\n{}", subject(&message), body(&message)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever happened to however many devices, the text can be read and sent.
    #[test]
    fn a_text_has_its_bounds(
        events in proptest::collection::vec((0..11_usize, any::<bool>(), "\\PC{0,350}"), 1..150),
        lines in 0..200_usize,
    ) {
        let kinds = [
            Kind::Failed, Kind::LeftToPeople, Kind::Refused, Kind::Unreachable, Kind::Drifted,
            Kind::CommitRejected, Kind::PlanRefused, Kind::RepositoryUnreachable,
            Kind::BillingDistrusted, Kind::BillingQuestion, Kind::BillingProposed,
        ];
        let events: Vec<Event> = events
            .into_iter()
            .enumerate()
            .map(|(place, (kind, is_over, reason))| {
                let kind = kinds[kind];
                let device = format!("maple-{place}");
                let device = (!matches!(kind, Kind::CommitRejected | Kind::PlanRefused | Kind::RepositoryUnreachable))
                    .then_some(device.as_str());
                let state = if is_over { Turn::Over } else { Turn::Raised };
                let is_of_billing =
                    matches!(kind, Kind::BillingDistrusted | Kind::BillingQuestion | Kind::BillingProposed);
                Event {
                    billing: is_of_billing.then_some(BillingKind::Sonar),
                    device: device.filter(|_| !is_of_billing).map(str::to_owned),
                    ..event(kind, state, device, &format!("{reason}{}", "\nmore".repeat(lines)))
                }
            })
            .collect();
        let message = message(events);
        let (subject, body) = (subject(&message), body(&message));
        prop_assert!(subject.chars().count() < 500 && !subject.contains('\n'), "{}", subject);
        prop_assert!(body.chars().count() < PAGE + 200);
        prop_assert!(body.ends_with("Times are UTC.\n"), "{}", body);
    }
}
