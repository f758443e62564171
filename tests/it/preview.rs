//! Plans from what was observed: exact, without reaching anybody, with the change told apart from all else.

use std::path::{Path, PathBuf};

use gamops::published::{HEARTBEAT, Heartbeat, OBSERVED, file};
use gamops::reconcile::Sightings;
use gamops::repo::remote::{Access, Address, Destination, Publication, push};
use gamops::store::Store;
use jiff::Timestamp;
use serde_json::Value;

use crate::fleet::{Given, Ran, SERVICES, TWO, TestFleet};

/// When devices are read in these tests, and when plans are made of that.
const READ: &str = "2026-11-28T10:00:00Z";
const NOW: &str = "2026-11-28T10:04:10Z";

const FILTERS: &[(&str, &str)] = &[(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"), (r"\b[0-9a-f]{12}\b", "COMMIT")];

/// Publishes what the devices hold, as the daemon does, in a repository of this machine.
pub(crate) fn publish(fleet: &TestFleet, folder: &Path, at: &str) {
    let (sender, mut sighted) = tokio::sync::mpsc::unbounded_channel();
    let mut context = crate::flow::context(fleet, Store::open(&fleet.state()).unwrap());
    context.sightings = Sightings::to(sender);
    fleet.block_on(async { context.plan(&[]).await.unwrap().close().await });
    let at: Timestamp = at.parse().unwrap();
    let (mut files, mut beat) = (std::collections::BTreeMap::new(), Vec::new());
    while let Ok(sighted) = sighted.try_recv() {
        let text = gamops::published::Document::of(&sighted.sighting).text().unwrap();
        files.insert(file(&sighted.device), text);
        beat.push((sighted.device, at));
    }
    let beat = serde_json::to_string(&Heartbeat::of(beat)).unwrap();
    put(folder, OBSERVED, files);
    put(folder, HEARTBEAT, [(Heartbeat::FILE.to_owned(), beat)].into());
}

pub(crate) fn put(folder: &Path, reference: &'static str, files: std::collections::BTreeMap<String, String>) {
    let publication = Publication {
        reference,
        files,
        message: "test".to_owned(),
        at: READ.parse().unwrap(),
    };
    let to = Destination {
        address: Address::Folder(folder.to_owned()),
        access: Access::Open,
        within: std::time::Duration::from_secs(10),
        signed_with: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    push(&publication, &to, runtime.handle()).unwrap();
}

/// A fleet whose inventory is committed, applied and published.
struct Repository {
    fleet: TestFleet,
}

impl Repository {
    fn in_sync() -> Self {
        let fleet = TestFleet::start(TWO, SERVICES);
        fleet.commit("one");
        let _ = fleet.apply();
        let repository = Self { fleet };
        repository.publish();
        repository
    }

    fn publish(&self) {
        publish(&self.fleet, &self.fleet.inventory(), READ);
    }

    fn services(&self, edits: &[(&str, &str)]) {
        let mut text = SERVICES.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        self.fleet.write("services.yaml", &text);
    }

    /// Plans with nothing but the repository: no state, no credentials.
    fn plan(&self, arguments: &[&str]) -> Ran {
        let all = [&["plan", "--observed", "--at", NOW], arguments].concat();
        let mut command = self.fleet.command(&all);
        command.env("GAMOPS_STATE", "/nowhere/state.db").env_remove("HOME");
        command.output().unwrap().into()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.plan(&[arguments, &["--format", "json"]].concat()).expect(0).stdout;
        serde_json::from_str(&text).unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let folder = self.fleet.inventory();
        crate::support::git_server::git_in(&folder, arguments)
    }
}

fn addresses(json: &Value, what: &str) -> Vec<String> {
    let parts = json["preview"]["change"][what].as_array().unwrap();
    let words = parts.iter().map(|part| {
        let fields: Vec<&str> = part["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f.as_str().unwrap())
            .collect();
        format!("{} {}", part["address"].as_str().unwrap(), fields.join("+"))
    });
    words.collect()
}

#[test]
fn a_change_is_told_apart_from_drift_and_from_what_was_not_applied_yet() {
    let given = Repository::in_sync();
    let logins = |given: &Repository| given.fleet.device("maple").counters().logins;
    // A commit that is not applied, and drift; another hand's change of a subscriber that the change is about.
    let unapplied = ("vlan: 104", "vlan: 114");
    given.services(&[unapplied]);
    given.fleet.commit("not applied");
    given.fleet.device("maple").execute("ghn subscriber 2 vid 998");
    given.fleet.device("maple").execute("ghn subscriber 3 vid 999");
    given.publish();
    given.services(&[
        unapplied,
        ("vlan: 101", "vlan: 111"),
        ("vlan: 103, description: Apt 3", "vlan: 103, description: Apt 33"),
        ("  s-5:", "  s-6:"),
    ]);
    given.fleet.commit("the change");
    let before = logins(&given);
    let ran = given.plan(&["--base", "HEAD~1"]).expect(0);
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("preview_of_a_change", ran.stdout);
    });
    assert_eq!(ran.stderr, "");
    let markdown = given
        .plan(&["--base", "HEAD~1", "--format", "markdown"])
        .expect(0)
        .stdout;
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("preview_as_a_comment", markdown);
    });
    let json = given.json(&["--base", "HEAD~1", "--head", "HEAD"]);
    assert_eq!(
        addresses(&json, "also"),
        [
            "harbour/subscriber/s-4 vlan",
            "maple/subscriber/s-2 vlan",
            "maple/subscriber/s-3 vlan"
        ]
    );
    let mine = addresses(&json, "this_change");
    assert!(
        mine.contains(&"maple/subscriber/s-3 description".to_owned()),
        "{mine:?}"
    );
    assert!(mine.contains(&"maple/subscriber/s-1 vlan".to_owned()), "{mine:?}");
    assert!(
        !mine.iter().any(|part| part.contains("s-2") || part.contains("s-4")),
        "{mine:?}"
    );
    assert_eq!(json["preview"]["observed_at"]["maple"], READ);
    assert_eq!(logins(&given), before, "nobody is reached");
    assert!(!Path::new("/nowhere").exists());
    // Of a plan that is not compared nothing is told apart.
    let whole = given.plan(&[]).expect(0);
    assert!(!whole.stdout.contains("This change"), "{}", whole.stdout);
    assert_eq!(given.plan(&["--detailed-exitcode"]).code, 2);
}

#[test]
fn what_a_preview_shows_is_what_an_apply_sends() {
    let given = Repository::in_sync();
    given.fleet.device("maple").execute("ghn subscriber 2 vid 998");
    given.publish();
    given.services(&[
        ("vlan: 101", "vlan: 111"),
        ("  s-5:", "  s-6:"),
        ("500 Mbps", "400 Mbps"),
    ]);
    given.fleet.commit("two");
    let json = given.json(&["--base", "HEAD~1"]);
    for device in ["maple", "harbour"] {
        let entry = json["devices"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["device"] == *device)
            .unwrap();
        let steps = entry["steps"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|step| step["commands"].as_array().unwrap());
        let shown: Vec<&str> = steps.map(|command| command.as_str().unwrap()).collect();
        assert!(!shown.is_empty());
        let before = given.fleet.device(device).counters().commands.len();
        let _ = given
            .fleet
            .run(&["apply", "--target", device, "--auto-approve"])
            .expect(0);
        let sent = given.fleet.device(device).counters().commands.split_off(before);
        let sent: Vec<&str> = sent
            .iter()
            .map(String::as_str)
            .filter(|line| line.contains("ghn "))
            .collect();
        assert_eq!(sent, shown, "{device}");
    }
    given.fleet.expect_in_sync();
}

#[test]
fn a_branch_is_planned_as_it_will_be_once_it_is_merged() {
    let given = Repository::in_sync();
    given.git(&["checkout", "--quiet", "-b", "change"]);
    given.services(&[("vlan: 101", "vlan: 111")]);
    given.fleet.commit("the change");
    given.git(&["checkout", "--quiet", "-"]);
    given.services(&[("vlan: 105", "vlan: 115")]);
    given.fleet.commit("main goes on, and that is applied");
    let _ = given.fleet.apply();
    given.publish();
    let before = given.git(&["count-objects"]);
    let json = given.json(&["--base", "HEAD", "--head", "change"]);
    assert_eq!(addresses(&json, "this_change"), ["maple/subscriber/s-1 vlan"]);
    assert_eq!(json["resource_changes"].as_array().unwrap().len(), 1, "{json:#}");
    assert!(json["commit"].as_str().unwrap().contains(" merged into "), "{json:#}");
    assert_eq!(given.git(&["count-objects"]), before, "the merge is written nowhere");
    // From the branch's own work tree it is compared with where the two part.
    let base = given.git(&["rev-parse", "HEAD"]);
    given.git(&["checkout", "--quiet", "change"]);
    let _ = given
        .plan(&["--base", &base])
        .expect(0)
        .says("has commits that are not in the work tree")
        .says("`--head HEAD` plans what a merge makes of it");

    // What Git cannot merge is nobody's plan.
    given.services(&[("vlan: 105", "vlan: 125")]);
    given.fleet.commit("the same line");
    let _ = given
        .plan(&["--base", &base, "--head", "HEAD"])
        .expect(1)
        .says("both change services.yaml; bring the branch up to date first");
}

#[test]
fn what_was_never_observed_is_said_and_fails_nobody() {
    let given = Repository::in_sync();
    let devices = std::fs::read_to_string(given.fleet.inventory().join("devices.yaml")).unwrap();
    let more = "  cedar: { model: GAM-12-M, address: 192.0.2.9, mode: manage }\n";
    given.fleet.write("devices.yaml", &format!("{devices}{more}"));
    given.fleet.commit("a new device");
    let _ = given
        .plan(&["--base", "HEAD~1"])
        .expect(0)
        .says("never                  cedar")
        .says("4 min ago              harbour, maple")
        .says("NOT READ it was never observed");
    // A document of another version cannot be planned from, and that is no success.
    let folder = given.fleet.inventory();
    let text = given.git(&["show", &format!("{OBSERVED}:{}", file("maple"))]);
    let newer = text.replace("\"format\": 1", "\"format\": 2");
    put(&folder, OBSERVED, [(file("maple"), newer)].into());
    let _ = given
        .plan(&[])
        .expect(1)
        .says("what was published of it cannot be used (devices/maple.json): it is of format 2")
        .says("help: use the version of gamops that the daemon has");
    given.git(&["update-ref", "-d", HEARTBEAT]);
    let _ = given
        .plan(&[])
        .expect(1)
        .says("there is no `refs/gamops/heartbeat`")
        .says("at an unknown time     maple");
    given.git(&["update-ref", "-d", OBSERVED]);
    let _ = given
        .plan(&[])
        .expect(1)
        .says("there is no `refs/gamops/observed`")
        .says("help: fetch it with `git fetch origin '+refs/gamops/*:refs/gamops/*'`");
    // It may be in another repository.
    let other = folder.with_file_name("observed.git");
    git2::Repository::init_bare(&other).unwrap();
    publish(&given.fleet, &other, READ);
    let _ = given
        .plan(&["--observed-from", other.to_str().unwrap()])
        .expect(0)
        .says("In sync: harbour, maple.");
}

#[test]
fn a_change_that_mends_an_inventory_is_planned_and_one_that_breaks_it_is_not() {
    let given = Repository::in_sync();
    given.services(&[("plan: gold, vlan: 101", "plan: glod, vlan: 101")]);
    given.fleet.commit("broken");
    let _ = given
        .plan(&["--base", "HEAD~1", "--head", "HEAD"])
        .expect(3)
        .says("error[unknown-plan]");
    given.services(&[]);
    given.fleet.commit("mended");
    let _ = given
        .plan(&["--base", "HEAD~1", "--head", "HEAD"])
        .expect(0)
        .says("the inventory is not valid at")
        .says("No changes.");
}

#[test]
fn guards_compare_with_the_base_and_a_preview_is_no_plan_to_apply() {
    let given = Repository::in_sync();
    let root = "format: 1\ninventory: test\ndefaults: { credentials: factory, mode: manage }\n";
    let root =
        format!("{root}policies: {{ guards: {{ lose: {{ count: 1 }}, destroy_per_device: {{ count: 1 }} }} }}\n");
    given.fleet.write("gamops.yaml", &root);
    let fewer: String = SERVICES
        .lines()
        .filter(|line| !line.contains("s-2:") && !line.contains("s-3:"))
        .map(|line| format!("{line}\n"))
        .collect();
    given.fleet.write("services.yaml", &fewer);
    given.fleet.commit("two less");
    let ran = given
        .plan(&["--base", "HEAD~1"])
        .says("Refused by guard destroy-per-device");
    let _ = ran.says("2 fewer than the base of this change");
    given.git(&[
        "commit",
        "--quiet",
        "--amend",
        "--message",
        "two less\n\nGamops-Allow: destroy=2, lost-subscribers=2",
    ]);
    let ran = given
        .plan(&["--base", "HEAD~1", "--head", "HEAD"])
        .expect(0)
        .says("allowed by `Gamops-Allow: destroy=2`");
    let _ = ran.says("after a merge it counts only if the message of the merge commit has it too");

    let kept: PathBuf = given.fleet.inventory().with_file_name("friday.plan");
    std::fs::write(&kept, given.plan(&["--format", "json"]).stdout).unwrap();
    let _ = given
        .fleet
        .run(&["apply", kept.to_str().unwrap()])
        .expect(1)
        .says("it was made from what had been observed");
    for arguments in [
        &["plan", "--base", "HEAD"][..],
        &["plan", "--observed", "--out", "x"],
        &["plan", "--daemon", "http://127.0.0.1:1"],
        &[
            "plan",
            "--observed",
            "--daemon",
            "http://127.0.0.1:1",
            "--observed-from",
            "x",
        ],
    ] {
        let _ = given.fleet.run(arguments).expect(64);
    }
}

#[test]
fn a_plan_from_what_was_observed_can_be_narrowed_as_any_other() {
    let given = Repository::in_sync();
    given.services(&[
        ("vlan: 101", "vlan: 111"),
        ("vlan: 102", "vlan: 112"),
        ("vlan: 104", "vlan: 114"),
    ]);
    given.fleet.commit("two");
    let changed = |json: &Value| -> Vec<String> {
        let changes = json["resource_changes"].as_array().unwrap().iter();
        changes
            .map(|change| change["address"].as_str().unwrap().to_owned())
            .collect()
    };
    let device = given.json(&["--base", "HEAD~1", "--target", "maple"]);
    assert_eq!(changed(&device), ["maple/subscriber/s-1", "maple/subscriber/s-2"]);
    assert_eq!(
        (&device["targets"][0], device["devices"].as_array().unwrap().len()),
        (&Value::from("maple"), 1)
    );
    let object = given.json(&[
        "--base",
        "HEAD~1",
        "--target",
        "maple/subscriber/s-2",
        "--target",
        "harbour",
    ]);
    assert_eq!(changed(&object), ["harbour/subscriber/s-4", "maple/subscriber/s-2"]);
    assert_eq!(addresses(&object, "this_change").len(), 2);
    // It is what a plan that reads them shows.
    let read = given.fleet.run(&[
        "plan",
        "--target",
        "maple/subscriber/s-2",
        "--target",
        "harbour",
        "--format",
        "json",
    ]);
    assert_eq!(
        changed(&serde_json::from_str(&read.expect(0).stdout).unwrap()),
        changed(&object)
    );
    let _ = given
        .plan(&["--target", "mapel"])
        .expect(1)
        .says("target `mapel`: the inventory has no device `mapel`");
}

#[test]
fn a_change_of_many_files_that_asks_something_of_one_device_plans_that_device_only() {
    const MANY: &[Given] = &[Given::new("maple", "GAM-4-CX"), Given::new("harbour", "GAM-4-CX")];
    let fleet = TestFleet::start(MANY, "");
    let plans = "plans: { gold: { rate: 500 Mbps } }\n";
    let subscriber = |number: usize, comment: &str, vlan: usize| {
        format!(
            "# {comment}\nsubscribers:\n  s-{number}: {{ device: {}, endpoint: \"00:0e:d8:00:{:02x}:{:02x}\", port: {}, plan: gold, vlan: {vlan} }}\n",
            if number.is_multiple_of(2) { "maple" } else { "harbour" },
            number / 256,
            number % 256,
            number / 2 % 4 + 1
        )
    };
    fleet.write("services.yaml", plans);
    std::fs::create_dir_all(fleet.inventory().join("homes")).unwrap();
    for number in 0..40 {
        fleet.write(
            &format!("homes/{number}.yaml"),
            &subscriber(number, "before", 100 + number),
        );
    }
    fleet.commit("one");
    let _ = fleet.apply();
    let given = Repository { fleet };
    given.publish();
    for number in 0..40 {
        let vlan = if number == 7 { 999 } else { 100 + number };
        given
            .fleet
            .write(&format!("homes/{number}.yaml"), &subscriber(number, "after", vlan));
    }
    for number in 40..500 {
        given.fleet.write(&format!("homes/{number}.yaml"), "# nobody yet\n");
    }
    given.fleet.commit("500 files");
    let json = given.json(&["--base", "HEAD~1", "--head", "HEAD"]);
    assert_eq!(json["preview"]["change"]["devices"], serde_json::json!(["harbour"]));
    assert_eq!(addresses(&json, "this_change"), ["harbour/subscriber/s-7 vlan"]);
    assert_eq!(
        json["devices"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["status"] == "ready")
            .count(),
        1
    );
}
