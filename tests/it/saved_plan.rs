//! Plans that are kept in a file and applied later: exactly, or not at all.

use std::path::PathBuf;

use gamops::plan::json::PlanJson;
use gamops::sim::DeviceSpec;
use serde_json::Value;

use crate::fleet::{Given, Ran, SERVICES, TWO, TestFleet, fits_plan_schema};

/// A fleet whose plan was written to a file.
struct Kept {
    fleet: TestFleet,
    file: PathBuf,
}

impl Kept {
    fn start() -> Self {
        Self::of(TestFleet::start(TWO, SERVICES))
    }

    fn of(fleet: TestFleet) -> Self {
        let kept = Self {
            file: fleet.inventory().with_file_name("friday.plan"),
            fleet,
        };
        let _ = kept.plan();
        kept
    }

    fn plan(&self) -> Ran {
        let ran = self.fleet.run(&["plan", "--out", self.name()]).expect(0);
        fits_plan_schema(&self.document());
        ran
    }

    fn name(&self) -> &str {
        self.file.to_str().unwrap()
    }

    fn apply(&self, more: &[&str]) -> Ran {
        self.fleet.run(&[&["apply", self.name()], more].concat())
    }

    /// The plan as it is in the file.
    fn document(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(&self.file).unwrap()).unwrap()
    }

    fn rewrite(&self, edit: impl FnOnce(&mut Value)) {
        let mut document = self.document();
        edit(&mut document);
        std::fs::write(&self.file, document.to_string()).unwrap();
    }

    #[track_caller]
    fn expect_untouched(&self) {
        for device in ["maple", "harbour"] {
            let counters = self.fleet.device(device).counters();
            let sent = |command: &&String| command.starts_with("conf") || command.starts_with("copy");
            assert_eq!(counters.commands.iter().find(sent), None, "{device}");
        }
    }
}

#[test]
fn exactly_the_kept_plan_is_applied_and_nobody_is_asked() {
    let kept = Kept::start();
    let printed = kept.fleet.run(&["plan", "--format", "json"]).expect(0).stdout;
    assert_eq!(std::fs::read_to_string(&kept.file).unwrap(), printed);

    let planned: Vec<String> = kept.document()["devices"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|device| device["device"] == "maple")
        .flat_map(|device| device["steps"].as_array().unwrap().clone())
        .flat_map(|step| step["commands"].as_array().unwrap().clone())
        .map(|command| command.as_str().unwrap().to_owned())
        .collect();
    let _ = kept
        .apply(&[])
        .expect(0)
        .says("Resources: 13 added, 0 changed, 0 destroyed.");
    let sent = kept.fleet.device("maple").counters().commands;
    let sent: Vec<&String> = sent.iter().filter(|command| command.starts_with("ghn ")).collect();
    assert_eq!(sent, planned.iter().collect::<Vec<_>>());
    kept.fleet.expect_in_sync();

    // What it was made from is no more.
    let saves = kept.fleet.device("maple").counters().saves;
    let _ = kept
        .apply(&[])
        .expect(6)
        .says("The plan no longer fits: 2 devices moved");
    assert_eq!(kept.fleet.device("maple").counters().saves, saves);
}

#[cfg(unix)]
#[test]
fn a_kept_plan_is_for_its_owner_alone_and_replaces_an_older_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let kept = Kept::start();
    let mode = || std::fs::metadata(&kept.file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(&kept.file, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&kept.file, "an older plan").unwrap();
    let _ = kept.plan().says("exactly this is applied by `gamops apply");
    assert_eq!(mode(), 0o600);
    let _ = kept.apply(&[]).expect(0);
}

#[test]
fn where_a_device_moved_nothing_is_sent_to_any() {
    let kept = Kept::start();
    kept.fleet
        .device("maple")
        .execute("ghn subscriber 7 name \"late\" vid 700");
    let ran = kept.apply(&[]).expect(6).says("Nothing was sent to any device.");
    let ran = ran
        .says("maple  MOVED: the device was changed after it was planned")
        .says("+ ghn subscriber 7 name \"late\" vid 700");
    let ran = ran.says("where it still fits (harbour)");
    assert!(!ran.stdout.contains("harbour  MOVED"), "{}", ran.stdout);
    kept.expect_untouched();
    // The rest of it, where somebody says so.
    let ran = kept.apply(&["--target", "harbour"]).expect(0);
    assert!(!ran.stdout.contains("maple"), "{}", ran.stdout);
    let _ = kept.apply(&["--target", "maple"]).expect(6);
    assert_eq!(kept.fleet.device("maple").counters().saves, 0);
}

#[test]
fn where_the_inventory_moved_both_commits_are_named() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let first = fleet.commit("one");
    let kept = Kept::of(fleet);
    assert_eq!(kept.document()["commit"], first.as_str());

    kept.fleet
        .write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 111"));
    let second = kept.fleet.commit("two");
    let moved = format!("planned at commit {first}, here is commit {second}");
    let ran = kept.apply(&[]).expect(6).says(&moved);
    assert!(!ran.stdout.contains("harbour  MOVED"), "{}", ran.stdout);
    kept.expect_untouched();

    // Another commit that asks for the same is no obstacle.
    kept.fleet.write("services.yaml", SERVICES);
    let _ = kept.fleet.commit("three");
    let _ = kept.apply(&[]).expect(0);
    kept.fleet.expect_in_sync();
}

#[test]
fn where_another_run_came_between_nothing_is_sent() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    fleet.write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 111"));
    let kept = Kept::of(fleet);
    std::fs::remove_file(kept.fleet.state()).unwrap();
    let _ = kept
        .apply(&[])
        .expect(6)
        .says("maple  MOVED: what gamops owns there changed: another run came between");
}

#[test]
fn another_device_in_its_place_is_told_by_what_it_is() {
    let kept = Kept::start();
    let other = TestFleet::start(
        &[Given {
            key: "spare",
            model: "GAM-4-CX",
            tune: |spec: &mut DeviceSpec| spec.knobs.host_key_seed = Some("maple".to_owned()),
        }],
        SERVICES,
    );
    let devices = kept.fleet.devices(&TWO[1..], "");
    let spare = other
        .devices(&[Given::new("spare", "GAM-4-CX")], "")
        .replace("devices:\n  spare:", "  maple:");
    kept.fleet.write("devices.yaml", &(devices + &spare));
    let _ = kept
        .apply(&[])
        .expect(6)
        .says("maple  MOVED: it cannot be read now: another device answers at 127.0.0.1");
    // Not even when somebody accepted it meanwhile.
    let _ = kept.fleet.run(&["trust", "maple", "--auto-approve"]).expect(0);
    let _ = kept
        .apply(&[])
        .expect(6)
        .says("maple  MOVED: its address was 127.0.0.1:")
        .says("maple  MOVED: its MAC was ");
    assert_eq!(other.device("spare").counters().saves, 0);
    kept.expect_untouched();
}

#[test]
fn a_device_that_left_the_inventory_holds_back_the_rest() {
    let kept = Kept::start();
    without_harbour(&kept.fleet);
    let _ = kept
        .apply(&[])
        .expect(6)
        .says("harbour  MOVED: it has left the inventory");
    kept.expect_untouched();
    let _ = kept.apply(&["--target", "maple"]).expect(0);
}

#[test]
fn a_device_that_came_into_the_inventory_is_left_out_of_an_older_plan() {
    let fleet = TestFleet::start(TWO, SERVICES);
    without_harbour(&fleet);
    let kept = Kept::of(fleet);
    kept.fleet.write("services.yaml", SERVICES);
    kept.fleet.write("devices.yaml", &kept.fleet.devices(TWO, ""));
    let _ = kept
        .apply(&[])
        .expect(0)
        .says("note: harbour came into the inventory after the plan was made and is left out");
    assert_eq!(kept.fleet.device("harbour").counters().logins, 0);
}

/// Takes one of the two devices out of the inventory.
fn without_harbour(fleet: &TestFleet) {
    let services: String = (SERVICES.lines().filter(|line| !line.contains("harbour")))
        .map(|line| format!("{line}\n"))
        .collect();
    fleet.write("services.yaml", &services);
    fleet.write("devices.yaml", &fleet.devices(&TWO[..1], ""));
}

#[test]
fn a_device_on_which_the_plan_does_nothing_holds_nothing_back() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    fleet.write("services.yaml", &SERVICES.replace("vlan: 104", "vlan: 114"));
    let kept = Kept::of(fleet);
    let maple = kept.fleet.device("maple");
    let saves = maple.counters().saves;
    maple.execute("ghn subscriber 1 vid 999");
    let _ = kept
        .apply(&[])
        .expect(0)
        .says("note: the plan does nothing on maple, which is left out: the device was changed")
        .says("Resources: 0 added, 1 changed, 0 destroyed.");
    assert_eq!(
        maple.counters().saves,
        saves,
        "the drift is not mended by a plan that did not know it"
    );
}

#[test]
fn what_was_refused_or_unread_when_planned_is_not_done_because_it_would_be_possible_now() {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.device("harbour").set_fault(gamops::sim::Fault::RefuseLogins);
    let file = fleet.inventory().with_file_name("friday.plan");
    let file = file.to_str().unwrap();
    let _ = fleet.run(&["plan", "--out", file]).expect(1);
    fleet.device("harbour").clear_faults();
    let _ = fleet
        .run(&["apply", file])
        .expect(5)
        .says("harbour  NOT READ: it could not be read when the plan was made");
    assert_eq!(fleet.device("harbour").counters().saves, 0);
    assert_eq!(fleet.device("maple").counters().saves, 1);

    let stranger = "ghn endpoint 9 name \"theirs\" mac-address 00:0e:d8:00:00:04 port 4\nghn subscriber 9 name \"John\" vid 900 endpoint 9\nghn subscriber 8 name \"s-4\" vid 900";
    fleet.device("harbour").execute(stranger);
    let _ = fleet.run(&["plan", "--out", file]).expect(4);
    fleet
        .device("harbour")
        .execute("no ghn subscriber 9\nno ghn endpoint 9\nno ghn subscriber 8");
    let _ = fleet
        .run(&["apply", file])
        .expect(4)
        .says("harbour  REFUSED[refused-when-planned]");
    assert_eq!(fleet.device("harbour").counters().saves, 0);
}

#[test]
fn a_plan_for_one_object_is_applied_to_that_object() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let file = fleet.inventory().with_file_name("one.plan");
    let file = file.to_str().unwrap();
    let _ = fleet
        .run(&["plan", "--out", file, "--target", "maple/subscriber/s-1"])
        .expect(0);
    let _ = fleet
        .run(&["apply", file, "--target", "maple"])
        .expect(0)
        .says("Resources: 3 added, 0 changed, 0 destroyed.");
    assert_eq!(fleet.device("harbour").counters().logins, 0);
    let _ = fleet
        .run(&["apply", file, "--target", "harbour"])
        .expect(1)
        .says("the plan holds no device `harbour`; it holds maple");
    let _ = fleet
        .run(&["apply", file, "--target", "maple/subscriber/s-2"])
        .expect(1)
        .says("whole devices are applied: name `maple`");
}

#[test]
fn a_file_that_is_no_whole_plan_of_this_inventory_is_refused_with_what_to_do() {
    let kept = Kept::start();
    let whole = std::fs::read_to_string(&kept.file).unwrap();
    let logins = kept.fleet.device("maple").counters().logins;
    let refused = |says: &str| {
        let ran = kept.apply(&[]).expect(1).says(says);
        assert!(
            ran.stderr.contains("friday.plan") && ran.stderr.contains("help: "),
            "{}",
            ran.stderr
        );
    };
    std::fs::write(&kept.file, &whole[..whole.len() / 2]).unwrap();
    refused("it is cut off after line");
    std::fs::write(&kept.file, "devices: {}\n").unwrap();
    refused("it is no plan of gamops");
    std::fs::write(&kept.file, [0xff, 0x00, 0x7b]).unwrap();
    refused("it is no plan of gamops");
    std::fs::write(&kept.file, whole.replace("vid 101", "vid 666")).unwrap();
    refused("it was edited after gamops wrote it");
    std::fs::write(&kept.file, &whole).unwrap();
    kept.rewrite(|plan| plan["format_version"] = "9.0".into());
    refused("it has format 9.0, this gamops");
    std::fs::write(&kept.file, &whole).unwrap();
    assert_eq!(
        kept.fleet.device("maple").counters().logins,
        logins,
        "nobody was contacted"
    );

    kept.fleet.write(
        "gamops.yaml",
        "format: 1\ninventory: other\ndefaults: { credentials: factory, mode: manage }\n",
    );
    let _ = kept
        .apply(&[])
        .expect(1)
        .says("the plan is for the inventory `test`, this one is `other`");
    std::fs::remove_file(&kept.file).unwrap();
    let _ = kept.apply(&[]).expect(1).says("reading the plan ");
    let nowhere = kept.fleet.inventory().join("no/such/folder/x.plan");
    let _ = kept
        .fleet
        .run(&["plan", "--out", nowhere.to_str().unwrap()])
        .expect(1)
        .says("writing the plan to ");
}

/// A plan of each format that there ever was, as a gamops of that time wrote it.
const OLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/plan");

#[test]
fn a_plan_of_every_format_that_there_ever_was_is_read() {
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(OLD).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let plan = gamops::plan::file::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(
            (plan.summary.change, plan.summary.destroy),
            (1, 2),
            "{}",
            path.display()
        );
        fits_plan_schema(&serde_json::from_str(&text).unwrap());
        assert_eq!(
            path.file_name().unwrap().to_str(),
            Some(&*format!("plan-v{}.json", plan.format_version))
        );
        seen.push(plan.format_version);
        // The program reads it too: it knows whose plan it is.
        let fleet = TestFleet::start(&[], "");
        let _ = fleet
            .run(&["apply", path.to_str().unwrap()])
            .expect(1)
            .says("the plan is for the inventory `example`, this one is `test`");
    }
    let newest = gamops::plan::json::FORMAT_VERSION.to_owned();
    assert!(
        seen.contains(&newest),
        "{OLD} has no plan of format {newest}: keep one of what is written now"
    );
}

#[test]
fn a_plan_of_the_first_format_is_applied() {
    let kept = Kept::start();
    let mut plan: PlanJson = serde_json::from_value(kept.document()).unwrap();
    "1.0".clone_into(&mut plan.format_version);
    plan.notes = None;
    plan.devices.iter_mut().for_each(|device| device.left = None);
    plan.plan_sha256 = plan.digest();
    let text = serde_json::to_string(&plan).unwrap();
    assert!(!text.contains("\"left\""));
    std::fs::write(&kept.file, text).unwrap();
    let _ = kept.apply(&[]).expect(0);
    kept.fleet.expect_in_sync();
}

#[test]
fn a_forged_plan_makes_gamops_do_nothing_else() {
    let kept = Kept::start();
    kept.rewrite(|plan| {
        plan["devices"][1]["steps"][0]["commands"][0] = "ghn subscriber 1 vid 666".into();
        let mut forged: gamops::plan::json::PlanJson = serde_json::from_value(plan.clone()).unwrap();
        forged.plan_sha256 = forged.digest();
        *plan = serde_json::to_value(forged).unwrap();
    });
    let _ = kept.apply(&[]).expect(6).says("other commands come of it now");
    kept.expect_untouched();
}
