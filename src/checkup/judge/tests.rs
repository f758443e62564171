//! What facts mean, as a table: a device where all is well, and one thing at a time that is not.

use std::time::Duration;

use jiff::Timestamp;

use crate::checkup::{
    Agent, Facts, Inside, Level, Login, Path, Pinned, Reading, Saved, Spoken, Step, Trouble, Work, judge,
};
use crate::domain::{MacAddr, Model, SubscriberModel};
use crate::inventory::model::Mode;
use crate::observed::Identity;

const NOW: &str = "2026-11-28T03:00:00Z";

fn mac(last: u8) -> MacAddr {
    MacAddr::new([0, 0x0e, 0xd8, 0, 0, last])
}

fn model(name: &str) -> &'static Model {
    Model::by_name(name).unwrap()
}

fn trouble(reason: &str) -> Trouble {
    Trouble {
        reason: reason.to_owned(),
        help: None,
    }
}

fn identity() -> Spoken {
    Spoken::Identity {
        mac: Some(mac(1)),
        model: Some(model("GAM-12-M")),
        subscriber_model: Some(SubscriberModel::EndpointAware),
    }
}

fn healthy() -> Facts {
    let reading = Reading {
        identity: Identity {
            mac: mac(1),
            model: Some(model("GAM-12-M")),
            firmware: "GAM-12/24-M_v1.8.2".parse().unwrap(),
            serial: None,
        },
        clock: Some(("2026-11-28T03:00:20+00:00".to_owned(), NOW.parse().unwrap())),
        subscribers: 24,
        warnings: 0,
        shown_model: Some(SubscriberModel::EndpointAware),
        saved: Saved::Yes,
    };
    Facts {
        device: "maple-a".to_owned(),
        address: "10.20.0.11:22".to_owned(),
        model: model("GAM-12-M"),
        subscriber_model: SubscriberModel::EndpointAware,
        legacy_algorithms: false,
        credentials: "field".to_owned(),
        mode: Mode::Manage,
        paused: None,
        pinned: Some(Pinned {
            host_key: Some("SHA256:abc".to_owned()),
            mac: Some(mac(1)),
        }),
        path: Path::Open {
            at: "10.20.0.11".to_owned(),
            round_trip: Duration::from_micros(430),
            software: "SSH-2.0-dropbear_2019.78".to_owned(),
            lacks: Some([Vec::new(), Vec::new()]),
        },
        login: Some(Login::In(Box::new(Inside {
            host_key: "SHA256:abc".to_owned(),
            prompt: "gam-maple#".to_owned(),
            privileged: true,
            config_mode: Some(Ok(())),
            terminal_refused: Vec::new(),
            reading: Ok(Box::new(reading)),
        }))),
        agent: Some(Agent::Asked {
            v2c: identity(),
            v1: identity(),
        }),
        work: Work::default(),
    }
}

#[test]
fn a_healthy_device_has_nothing_but_oks() {
    let lines: Vec<String> = judge(&healthy())
        .iter()
        .map(|finding| format!("{:<7} {:<16} {}", finding.level.word(), finding.check, finding.says))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    ok      mode             manage
    ok      path             10.20.0.11 takes connections, round trip 0.4 ms
    ok      ssh              SSH-2.0-dropbear_2019.78, modern algorithms
    ok      host-key         SHA256:abc, as pinned
    ok      login            with credentials `field`
    ok      terminal         prompt `gam-maple#`, pager off, wide lines
    ok      privilege        config mode can be entered
    ok      configuration    read whole, 24 subscribers
    ok      firmware         GAM-12/24-M_v1.8.2, seen on hardware
    ok      identity         GAM-12-M, base MAC 00:0e:d8:00:00:01, as pinned
    ok      saved            a reboot changes nothing
    ok      clock            2026-11-28T03:00:20+00:00, as ours
    ok      snmp             versions 2c and 1 answer to the community of credentials `field`
    ok      ghn-subtree      answers
    ok      subscriber-model endpoint-aware, as the inventory says
    ok      runs             none stands open
    ");
}

fn inside(facts: &mut Facts) -> &mut Inside {
    match &mut facts.login {
        Some(Login::In(inside)) => inside,
        _ => panic!("not inside"),
    }
}

fn reading(facts: &mut Facts) -> &mut Reading {
    inside(facts).reading.as_mut().unwrap()
}

fn lacks(facts: &mut Facts, modern: &[&'static str], any: &[&'static str]) {
    if let Path::Open { lacks, .. } = &mut facts.path {
        *lacks = Some([modern.to_vec(), any.to_vec()]);
    }
}

/// What is changed, the check that finds it, how much it matters, and a piece of what is said or advised.
type Row = (fn(&mut Facts), &'static str, Level, &'static str);

const ROWS: &[Row] = &[
    (|f| f.mode = Mode::Observe, "mode", Level::Note, "observe"),
    (
        |f| f.paused = Some("roof works".to_owned()),
        "mode",
        Level::Note,
        "paused: roof works",
    ),
    (
        |f| {
            f.path = Path::Broken(trouble("connecting to 10.20.0.11:22: refused"));
            f.login = None;
        },
        "path",
        Level::Problem,
        "transport.ssh_port",
    ),
    (
        |f| lacks(f, &["key exchange"], &[]),
        "ssh",
        Level::Problem,
        "legacy_algorithms: true",
    ),
    (
        |f| {
            lacks(f, &["key exchange"], &[]);
            f.legacy_algorithms = true;
        },
        "ssh",
        Level::Note,
        "weak, and used",
    ),
    (
        |f| f.legacy_algorithms = true,
        "ssh",
        Level::Note,
        "take `legacy_algorithms: true` off",
    ),
    (
        |f| lacks(f, &["cipher"], &["cipher"]),
        "ssh",
        Level::Problem,
        "no cipher algorithm in common",
    ),
    (
        |f| {
            f.login = Some(Login::Stopped {
                at: Step::HostKey,
                trouble: trouble("it has changed"),
            })
        },
        "host-key",
        Level::Problem,
        "it has changed",
    ),
    (
        |f| {
            f.login = Some(Login::Stopped {
                at: Step::Password,
                trouble: trouble("rejected"),
            })
        },
        "login",
        Level::Problem,
        "rejected",
    ),
    (
        |f| {
            f.login = Some(Login::Stopped {
                at: Step::Shell,
                trouble: trouble("no more sessions"),
            })
        },
        "terminal",
        Level::Problem,
        "no more sessions",
    ),
    (|f| f.pinned = None, "host-key", Level::Note, "not pinned yet"),
    (|f| f.pinned = None, "identity", Level::Note, "not pinned yet"),
    (
        |f| f.pinned.as_mut().unwrap().mac = Some(mac(2)),
        "identity",
        Level::Problem,
        "gamops trust maple-a",
    ),
    (
        |f| f.model = model("GAM-24-M"),
        "identity",
        Level::Problem,
        "the inventory says GAM-24-M",
    ),
    (
        |f| {
            f.agent = Some(Agent::Asked {
                v2c: Spoken::Identity {
                    mac: Some(mac(9)),
                    model: None,
                    subscriber_model: None,
                },
                v1: Spoken::Silence,
            });
        },
        "identity",
        Level::Problem,
        "SNMP to the one with 00:0e:d8:00:00:09",
    ),
    (
        |f| inside(f).privileged = false,
        "privilege",
        Level::Problem,
        "privilege 15",
    ),
    (
        |f| inside(f).config_mode = Some(Err(trouble("refused"))),
        "privilege",
        Level::Problem,
        "cannot be entered: refused",
    ),
    (
        |f| inside(f).terminal_refused = vec!["terminal width 512".to_owned()],
        "terminal",
        Level::Note,
        "it refused `terminal width 512`",
    ),
    (
        |f| inside(f).reading = Err(trouble("not whole")),
        "configuration",
        Level::Problem,
        "not whole",
    ),
    (|f| reading(f).warnings = 2, "configuration", Level::Note, "2 oddities"),
    (
        |f| reading(f).identity.firmware.version = (1, 9, 0),
        "firmware",
        Level::Note,
        "nobody has reported on this version",
    ),
    (
        |f| reading(f).saved = Saved::No(1),
        "saved",
        Level::Note,
        "1 line of the running",
    ),
    (
        |f| reading(f).saved = Saved::Unknown,
        "saved",
        Level::Note,
        "does not show",
    ),
    (
        |f| reading(f).clock = Some(("1970-01-14T07:20:31+00:00".to_owned(), Timestamp::UNIX_EPOCH)),
        "clock",
        Level::Note,
        "NTP",
    ),
    (
        |f| reading(f).clock = Some(("2026-11-28T02:58:00+00:00".to_owned(), NOW.parse().unwrap())),
        "clock",
        Level::Note,
        "2m behind ours",
    ),
    (
        |f| reading(f).clock = Some(("noon".to_owned(), NOW.parse().unwrap())),
        "clock",
        Level::Note,
        "`noon` cannot be read",
    ),
    (
        |f| f.subscriber_model = SubscriberModel::PortAware,
        "subscriber-model",
        Level::Problem,
        "set `subscriber_model: endpoint-aware`",
    ),
    (|f| f.agent = Some(Agent::Off), "snmp", Level::Ok, "not asked"),
    (
        |f| {
            f.agent = Some(Agent::Asked {
                v2c: Spoken::Silence,
                v1: Spoken::Silence,
            });
        },
        "snmp",
        Level::Note,
        "no answer in version 2c or 1 to the community of credentials `field`",
    ),
    (
        |f| {
            f.agent = Some(Agent::Asked {
                v2c: Spoken::Nonsense("garbled".to_owned()),
                v1: Spoken::Silence,
            });
        },
        "snmp",
        Level::Note,
        "garbled",
    ),
    (
        |f| {
            f.agent = Some(Agent::Asked {
                v2c: Spoken::Silence,
                v1: identity(),
            });
        },
        "snmp",
        Level::Ok,
        "version 1 answers, and 2c does not, to the community of credentials `field`",
    ),
    (
        |f| f.work.unfinished = Some((12, "sending")),
        "runs",
        Level::Problem,
        "gamops history show 12",
    ),
    (
        |f| f.work.unconfirmed = Some(12),
        "runs",
        Level::Note,
        "gamops confirm 12",
    ),
    (
        |f| f.work.holder = Some("alice@noc1".to_owned()),
        "lease",
        Level::Note,
        "alice@noc1",
    ),
];

#[test]
fn each_thing_that_is_not_well_is_found_by_its_own_check_and_says_what_to_do() {
    for (index, (change, check, level, piece)) in ROWS.iter().enumerate() {
        let mut facts = healthy();
        change(&mut facts);
        let findings = judge(&facts);
        let found = findings
            .iter()
            .find(|finding| finding.check == *check && finding.level == *level);
        let found = found.unwrap_or_else(|| panic!("row {index}: no {} {check} in {findings:#?}", level.word()));
        let said = format!("{} {}", found.says, found.help.as_deref().unwrap_or_default());
        assert!(said.contains(piece), "row {index}: no `{piece}` in `{said}`");
    }
}

#[test]
fn every_problem_but_those_in_somebody_else_s_words_says_what_to_do() {
    for (change, ..) in ROWS {
        let mut facts = healthy();
        change(&mut facts);
        let own_words = |check: &str| !["host-key", "login", "terminal", "privilege", "configuration"].contains(&check);
        for finding in judge(&facts) {
            if finding.level == Level::Problem && own_words(finding.check) {
                assert!(finding.help.is_some(), "{finding:?}");
            }
        }
    }
}

#[test]
fn what_could_not_be_looked_at_is_not_spoken_of() {
    let mut facts = healthy();
    facts.path = Path::Broken(trouble("no way"));
    facts.login = None;
    facts.agent = None;
    let checks: Vec<&str> = judge(&facts).iter().map(|finding| finding.check).collect();
    assert_eq!(checks, ["mode", "path", "runs"]);
}
