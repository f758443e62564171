//! What becomes of drift, by device and by field, and what of it is ignored for a while.

use serde_json::{Value, json};

use crate::daemon::{Service, short};
use crate::fleet::{Ran, SERVICES, TWO, TestFleet};
use crate::history::FILTERS;
use crate::support::forge_server::{ForgeServer, Kind, TOKEN};

const BEFORE: &str = "2030-11-30T12:00Z";
const AFTER: &str = "2030-12-01T06:00Z";

/// The root file, with what it says of drift.
fn root(drift: &str) -> String {
    format!(
        "format: 1\ninventory: test\ndefaults: {{ credentials: factory, mode: manage }}\npolicies:\n  drift:\n{drift}"
    )
}

const IGNORE: &str = "    ignore:\n    - { object: maple/subscriber/s-1, field: vlan, reason: \"a lab test, ticket 4711\", until: 2030-12-01 }\n";

/// A fleet as applied, one subscriber changed by hand and ignored.
fn ignored() -> TestFleet {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.write("gamops.yaml", &root(IGNORE));
    let _ = fleet.apply();
    let maple = fleet.device("maple");
    maple.execute("ghn subscriber 1 vid 999\ncopy running-config startup-config");
    fleet
}

fn at(fleet: &TestFleet, when: &str, arguments: &[&str]) -> Ran {
    fleet.run(&[arguments, &["--at", when]].concat())
}

fn holds(fleet: &TestFleet, text: &str) -> bool {
    fleet.device("maple").running_config().contains(text)
}

#[test]
fn what_is_ignored_stands_in_every_plan_and_is_not_taken_back_before_the_rule_ends() {
    let fleet = ignored();
    let plan = at(&fleet, BEFORE, &["plan", "--detailed-exitcode"]).expect(0);
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("ignored", plan.stdout);
    });
    let plan = at(&fleet, BEFORE, &["plan", "--format", "json"]).expect(0).stdout;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let maple = plan["devices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["device"] == "maple");
    assert_eq!(
        maple.unwrap()["left"],
        json!([{
            "address": "maple/subscriber/s-1", "type": "subscriber", "name": "s-1", "id": 1, "fields": ["vlan"],
            "held": { "vlan": "999" }, "wanted": { "vlan": "101" },
            "why": "ignored", "reason": "a lab test, ticket 4711", "until": "2030-12-01T00:00Z",
        }])
    );
    let schema: Value = serde_json::from_str(&fleet.run(&["schema", "plan"]).expect(0).stdout).unwrap();
    assert!(jsonschema::is_valid(&schema, &plan));

    // A commit about something else of the same object does not take it back, nor does a second apply.
    fleet.write(
        "services.yaml",
        &SERVICES.replace("plan: gold, vlan: 101", "plan: silver, vlan: 101"),
    );
    let applied = at(&fleet, BEFORE, &["apply", "--auto-approve"]).expect(0);
    let _ = applied
        .says("= IGNORED")
        .says("Resources: 0 added, 1 changed, 1 destroyed.");
    assert!(holds(&fleet, "vid 999"));
    let _ = at(&fleet, BEFORE, &["apply", "--auto-approve"])
        .expect(0)
        .says("No changes.");
    assert!(holds(&fleet, "vid 999"));

    // On its last day it counts again, and every plan says that the rule is over.
    let plan = at(&fleet, AFTER, &["plan", "--detailed-exitcode"]).expect(2);
    let _ = plan.says("vlan: 999 -> 101").says("changed on the device behind gamops's back").says(
        "note: the ignore rule for vlan of maple/subscriber/s-1 (\"a lab test, ticket 4711\") ended on 2030-12-01 (UTC): take it \
         out of the inventory; what it named is drift again",
    );
    let _ = at(&fleet, AFTER, &["apply", "--auto-approve"]).expect(0);
    assert!(!holds(&fleet, "vid 999"));
}

#[test]
fn what_a_commit_asks_of_an_ignored_field_is_done() {
    let fleet = ignored();
    fleet.write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 111"));
    let _ = at(&fleet, BEFORE, &["apply", "--auto-approve"])
        .expect(0)
        .says("vlan: 999 -> 111");
    fleet.expect_in_sync();
}

#[test]
fn what_is_ignored_is_adopted_by_who_names_it_only() {
    let fleet = ignored();
    let _ = fleet
        .run(&["adopt", "maple", "--auto-approve"])
        .expect(0)
        .says("Nothing to adopt");
    let named = fleet
        .run(&["adopt", "maple/subscriber/s-1", "--auto-approve"])
        .expect(0);
    let _ = named.says("vlan: 101 -> 999");
    fleet.expect_in_sync();
    assert!(holds(&fleet, "vid 999"));
}

#[test]
fn a_kept_plan_is_not_applied_once_a_rule_has_ended() {
    let fleet = ignored();
    fleet.write(
        "services.yaml",
        &SERVICES
            .replace("vlan: 103", "vlan: 113")
            .replace("vlan: 105", "vlan: 115"),
    );
    let rule = IGNORE.replace("4711\", until: 2030-12-01", "4711\", until: 2030-12-01T00:00:00Z");
    fleet.write("gamops.yaml", &root(&rule));
    let file = fleet
        .inventory()
        .with_file_name("kept.json")
        .to_string_lossy()
        .into_owned();
    let _ = at(&fleet, BEFORE, &["plan", "--out", &file]).expect(0);
    let refused = fleet.run(&["apply", &file, "--at", AFTER]).expect(6);
    let _ = refused.says("maple  MOVED: no drift on it is ignored any more: an ignore rule has ended");
    assert!(!fleet.device("harbour").running_config().contains("vid 115"));
}

#[test]
fn the_daemon_goes_by_field_before_device_before_fleet_before_its_settings() {
    let service = Service::new("drift: { every: 1s, then: report }");
    let drift = format!(
        "    then: revert\n    fields: {{ description: report }}\n{}",
        IGNORE.replace("s-1", "s-2")
    );
    service.origin.write("gamops.yaml", &root(&drift));
    let devices = service.fleet.devices_with([
        (&TWO[0], "    drift: { then: report, fields: { tagged: revert } }\n"),
        (&TWO[1], ""),
    ]);
    service.origin.write("devices.yaml", &devices);
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let (maple, harbour) = (service.fleet.device("maple"), service.fleet.device("harbour"));
    maple
        .execute("ghn subscriber 1 vid 999\nghn subscriber 2 vid 998\nghn subscriber 3 tagged description \"by hand\"");
    harbour.execute("ghn subscriber 4 vid 997");
    let status = daemon.until("seen", |status| {
        let devices = &status["devices"];
        devices["maple"]["objects"] == json!(["subscriber/s-1", "subscriber/s-3"])
            && devices["harbour"]["state"] == "in-sync"
            && !maple
                .running_config()
                .lines()
                .any(|line| line.contains("by hand") && line.contains(" tagged"))
            && !harbour.running_config().contains("vid 997")
    });
    let ignored = &status["devices"]["maple"]["ignored"];
    assert_eq!(ignored[0]["what"], "subscriber/s-2 (vlan)");
    for kept in ["vid 999", "vid 998", "by hand"] {
        assert!(maple.running_config().contains(kept), "{kept}\n{}", service.log());
    }
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("subscriber/s-1, subscriber/s-3")
        .says("  maple/subscriber/s-2 (vlan) until 2030-12-01 (UTC): a lab test, ticket 4711");

    // A commit about one of them sets that right, and nothing else.
    let services = SERVICES
        .replace("vlan: 101", "vlan: 111")
        .replace("Apt 3", "Apt 3 rear");
    service.origin.write("services.yaml", &services);
    let second = short(&service.origin.push("two"));
    daemon.until_applied(&second);
    let config = maple.running_config();
    assert!(
        config.contains("vid 111") && config.contains("Apt 3 rear") && config.contains("vid 998"),
        "{config}"
    );
    // What is ignored is nobody's trouble.
    let _ = service.run(&["status"]).expect(0).says("vlan) until 2030-12-01");
}

#[test]
fn a_rule_that_is_over_is_named_by_the_daemon() {
    let service = Service::new("drift: { every: 1s, then: revert }");
    service
        .origin
        .write("gamops.yaml", &root(&IGNORE.replace("2030", "2020")));
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    service.fleet.device("maple").execute("ghn subscriber 1 vid 999");
    daemon.until("taken back", |status| {
        status["devices"]["maple"]["reverted"]
            .as_array()
            .is_some_and(|times| !times.is_empty())
    });
    let _ = service
        .run(&["status"])
        .says("RULE ENDED: the ignore rule for vlan of maple/subscriber/s-1")
        .says("ended on 2020-12-01 (UTC)");
    assert!(service.log().contains("ended on 2020-12-01"), "{}", service.log());
}

/// What git says of the bare repository.
fn bare(service: &Service, arguments: &[&str]) -> String {
    let bare = service.origin.bare();
    service
        .origin
        .git(&[&["--git-dir", &*bare.to_string_lossy()], arguments].concat())
}

#[test]
fn drift_that_is_to_be_adopted_is_proposed_once_as_a_branch_and_a_change_request_and_gone_once_merged() {
    const BRANCH: &str = "gamops/adopt/maple";
    let forge = ForgeServer::start(Kind::Gitea);
    let service = Service::new(&format!(
        "drift: {{ every: 1s, then: revert }}\nforge: {{ kind: gitea, base: \"{}\", repository: isp/network, credentials: forge }}",
        forge.base()
    ));
    service
        .origin
        .write("gamops.yaml", &root("    fields: { vlan: adopt }\n"));
    let first = service.origin.push("one");
    let token = [("GAMOPS_CRED_FORGE_PASSWORD", TOKEN)];
    let daemon = service.start_with(&token);
    daemon.until_applied(&short(&first));
    let maple = service.fleet.device("maple");
    maple.execute("ghn subscriber 1 vid 999\nghn subscriber 2 untagged");
    let is_proposed = |status: &Value| !status["devices"]["maple"]["proposed"]["commit"].is_null();
    daemon.until("proposed", is_proposed);
    // What is taken back is no part of it, and the branch that is followed is as it was.
    daemon.until("taken back", |_| {
        maple
            .running_config()
            .lines()
            .any(|line| line.contains("name \"s-2\"") && line.contains(" tagged"))
    });
    assert_eq!(bare(&service, &["rev-parse", "main"]), first);
    let diff = bare(&service, &["diff", "--unified=0", "main", BRANCH]);
    assert!(diff.contains("vlan: 101") && diff.contains("vlan: 999"), "{diff}");
    assert_eq!(
        diff.matches("\n+").count(),
        2,
        "one line, under the file's name:\n{diff}"
    );
    let commit = bare(&service, &["rev-parse", BRANCH]);
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("subscriber/s-1; proposed as gamops/adopt/maple, https://forge/");

    // The same drift is the same proposal, over rounds and a restart.
    assert_eq!(daemon.signal("TERM"), Some(0));
    let daemon = service.start_with(&token);
    daemon.until("still proposed", is_proposed);
    assert_eq!(bare(&service, &["rev-parse", BRANCH]), commit);
    assert_eq!(forge.proposals().len(), 1);

    // Merged, it is what the inventory says.
    service
        .origin
        .git(&["fetch", "--quiet", &service.origin.bare().to_string_lossy(), BRANCH]);
    service.origin.git(&["merge", "--quiet", "--no-edit", "FETCH_HEAD"]);
    let merged = short(&service.origin.push("and on"));
    daemon.until_applied(&merged);
    assert!(maple.running_config().contains("vid 999"));

    // What somebody else put on the branch is not overwritten.
    service.origin.git(&[
        "push",
        "--quiet",
        "--force",
        &service.origin.bare().to_string_lossy(),
        &format!("main:{BRANCH}"),
    ]);
    maple.execute("ghn subscriber 1 vid 998");
    let status = daemon.until("in the way", |status| {
        !status["devices"]["maple"]["proposed"]["trouble"].is_null()
    });
    let trouble = status["devices"]["maple"]["proposed"]["trouble"].as_str().unwrap();
    assert!(trouble.contains("which gamops did not put there"), "{trouble}");
}
