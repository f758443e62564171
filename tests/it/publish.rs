//! What the daemon says of the devices to those who cannot reach them, and whether they plan by it as if they could.

use std::collections::BTreeMap;
use std::sync::Arc;

use gamops::dialect::{command, running};
use gamops::inventory;
use gamops::plan::model::{DeviceChanges, Outcome};
use gamops::plan::plan_device;
use gamops::published::{Document, Heartbeat, file};
use gamops::reconcile::Sightings;
use gamops::store::Store;

use crate::daemon::{Service, short};
use crate::fleet::{SERVICES, TWO, TestFleet};
use crate::support::git_server::Origin;

/// A plan as text, without what it keeps of unpublished lines: see [`Document::sighting`].
fn shown(changes: &DeviceChanges) -> String {
    let text = format!("{changes:#?}");
    text.split("    basis: Basis").next().unwrap().to_owned()
}

/// Plans each device live and from its published file.
fn same_plans(fleet: &TestFleet) {
    let store = Store::open(&fleet.state()).unwrap();
    let (sender, mut sighted) = tokio::sync::mpsc::unbounded_channel();
    let mut context = crate::flow::context(fleet, store);
    context.sightings = Sightings::to(sender);
    let plan = fleet.block_on(async { context.plan(&[]).await.unwrap().close().await });
    let mut texts = BTreeMap::new();
    while let Ok(sighted) = sighted.try_recv() {
        texts.insert(sighted.device.clone(), Document::of(&sighted.sighting).text().unwrap());
    }
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/observed.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for device in &plan.devices {
        let Outcome::Read(live) = &device.outcome else {
            panic!("{} was not read", device.device);
        };
        let text = &texts[&device.device];
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}\n{text}");
        assert!(!text.contains("username") && !text.contains("community"), "{text}");
        let sighting = Document::parse(text).unwrap().sighting().unwrap();
        let desired = Arc::new(inventory::compile(&context.inventory, &device.device).unwrap());
        let inputs = sighting.inputs(&desired, running::canonical, context.now, None);
        let stored = plan_device(inputs, &|change| {
            command::commands(change).map_err(|error| error.to_string())
        });
        assert_eq!(shown(&stored), shown(live), "{}", device.device);
        assert_eq!(
            device.host_key.as_deref().unwrap_or(&sighting.host_key),
            sighting.host_key
        );
    }
}

#[test]
fn a_plan_from_what_was_published_is_the_plan_from_the_device() {
    let fleet = TestFleet::start(TWO, SERVICES);
    same_plans(&fleet);
    let _ = fleet.apply();
    same_plans(&fleet);
    // Changed behind our back, unsaved; strangers; VLANs that no uplink lets through; another wish.
    for line in [
        "ghn subscriber 1 vid 3999",
        "ghn endpoint 300 name \"stranger\" mac-address 00:0e:d8:00:0f:01",
        "interface 10GigabitEthernet 1/1",
        "switchport trunk allowed vlan 500-600",
        "exit",
    ] {
        fleet.device("maple").execute(line);
    }
    same_plans(&fleet);
    let fewer = SERVICES.replace("vlan: 103", "vlan: 133").replace("  s-4:", "  s-6:");
    fleet.write("services.yaml", &fewer);
    same_plans(&fleet);
}

fn published(origin: &Origin, device: &str) -> Option<Document> {
    let bare = origin.bare();
    let output = std::process::Command::new("git")
        .arg("--git-dir")
        .arg(&bare)
        .args(["show", &format!("refs/gamops/observed:{}", file(device))])
        .output()
        .unwrap();
    output
        .status
        .success()
        .then(|| Document::parse(&String::from_utf8(output.stdout).unwrap()).unwrap())
}

fn vlan_of_s1(document: &Document) -> Option<u16> {
    let sighting = document.sighting().unwrap();
    let subscribers = sighting.running.managed.subscribers.values();
    let vlan = subscribers
        .filter(|one| one.name == "s-1")
        .map(|one| one.vlan.get())
        .next();
    // What a reboot would load is the same, and gamops owns it.
    assert!(
        sighting
            .startup
            .is_some_and(|startup| sighting.running.is_same_as(&startup))
    );
    assert!(vlan.is_none() || sighting.records.iter().any(|record| record.key == "s-1"));
    vlan
}

#[test]
fn the_daemon_says_what_it_observed_in_the_repository() {
    let service = Service::new("observed: { publish: true }\n");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let holds =
        |vlan: u16| published(&service.origin, "maple").is_some_and(|document| vlan_of_s1(&document) == Some(vlan));
    daemon.until("published", |_| holds(101));
    let second = service.push_vlan(151);
    daemon.until_applied(&second);
    daemon.until("published again", |status| {
        holds(151) && status["publishing"]["failing"].is_null()
    });
    let git = |arguments: &[&str]| {
        let bare = service.origin.bare();
        let bare = bare.to_string_lossy();
        service.origin.git(&[&["--git-dir", &bare], arguments].concat())
    };
    assert_eq!(git(&["rev-list", "--count", "refs/gamops/observed"]), "1");
    let beat = git(&["show", &format!("refs/gamops/heartbeat:{}", Heartbeat::FILE)]);
    let beat: Heartbeat = serde_json::from_str(&beat).unwrap();
    assert_eq!(beat.observed.keys().collect::<Vec<_>>(), ["harbour", "maple"]);

    // Who does not have the repository's references asks the daemon itself.
    let url = service.url("");
    let work = service.origin.work();
    service.origin.git(&[
        "fetch",
        "--quiet",
        &service.origin.bare().to_string_lossy(),
        "+refs/gamops/*:refs/gamops/*",
    ]);
    service
        .origin
        .write("services.yaml", &SERVICES.replace("vlan: 102", "vlan: 122"));
    let plan = |more: &[&str]| -> serde_json::Value {
        let folder = work.to_string_lossy();
        let all = [&["plan", "--observed", "-i", &folder, "--format", "json"], more].concat();
        serde_json::from_str(&service.run(&all).expect(0).stdout).unwrap()
    };
    let (handed, fetched) = (plan(&["--daemon", &url]), plan(&[]));
    assert_eq!(handed["devices"], fetched["devices"]);
    assert_eq!(handed["summary"]["change"], 2);
    assert!(
        handed["preview"]["observed"]
            .as_str()
            .unwrap()
            .starts_with("by the daemon at http://127.0.0.1:")
    );
    assert!(handed["preview"]["observed_at"]["maple"].is_string());

    // A device that does not answer after a restart is not missing, and one that left the inventory is.
    service
        .fleet
        .device("harbour")
        .set_fault(gamops::sim::Fault::SessionsTaken);
    assert_eq!(daemon.signal("TERM"), Some(0));
    let daemon = service.start();
    let third = service.push_vlan(152);
    daemon.until("the other is published", |status| {
        status["devices"]["maple"]["commit"] == *third && holds(152)
    });
    assert!(published(&service.origin, "harbour").is_some());
    let devices = std::fs::read_to_string(service.origin.work().join("devices.yaml")).unwrap();
    let (before, _) = devices.split_once("  harbour:").unwrap();
    service.origin.write("devices.yaml", before);
    let rest: String = SERVICES
        .lines()
        .filter(|line| !line.contains("harbour"))
        .map(|line| format!("{line}\n"))
        .collect();
    service.origin.write("services.yaml", &rest);
    service.origin.push("without harbour");
    daemon.until("gone", |_| published(&service.origin, "harbour").is_none());
    assert!(!service.log().contains("canary"));
}

#[test]
fn what_is_not_published_is_handed_to_nobody() {
    let service = Service::new("");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let url = service.url("");
    let _ = service
        .run(&["plan", "--observed", "--daemon", &url])
        .expect(1)
        .says("answered with status 404: `observed.publish` is not set");
    let _ = service
        .run(&["plan", "--observed", "--daemon", "http://127.0.0.1:1"])
        .expect(1)
        .says("no daemon answers");
}

#[test]
fn a_repository_that_takes_nothing_is_named_and_stops_no_round() {
    let service = Service::new("observed: { publish: true, remote: nowhere.git }\n");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let status = daemon.until("failing", |status| !status["publishing"]["failing"].is_null());
    let reason = status["publishing"]["failing"]["reason"].as_str().unwrap();
    assert!(reason.contains("nowhere.git"), "{reason}");
    let _ = service.run(&["status"]).expect(1).says("OBSERVED STATE NOT PUBLISHED");
    let second = service.push_vlan(153);
    daemon.until_applied(&second);
}
