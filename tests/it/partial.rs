//! One broken file beside good ones: its devices are left alone, the others get what was merged for them.

use serde_json::Value;

use crate::daemon::{Service, short};
use crate::fleet::SERVICES;

/// The service with one file a device.
fn service() -> Service {
    let service = Service::new("");
    let lines_of = |wanted: &dyn Fn(&str) -> bool| -> String {
        let lines = SERVICES.lines().filter(|line| wanted(line));
        lines.map(|line| format!("{line}\n")).collect()
    };
    let plans = lines_of(&|line| !line.contains("device:") && !line.starts_with("subscribers"));
    service.origin.write("services.yaml", &plans);
    for device in ["maple", "harbour"] {
        service.origin.write(&format!("{device}.yaml"), &of(device));
    }
    service
}

/// What the file of a device says: its subscribers.
fn of(device: &str) -> String {
    let lines = SERVICES
        .lines()
        .filter(|line| line.contains(&format!("device: {device}")));
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    format!("subscribers:\n{lines}")
}

fn is(status: &Value, device: &str, state: &str, commit: &str) -> bool {
    let device = &status["devices"][device];
    device["state"] == state && device["commit"] == commit
}

#[test]
fn a_broken_file_stops_its_device_only_also_over_a_restart() {
    let service = service();
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);

    // A subscriber of maple gets another VLAN; the file of harbour has a plan that is none, and one subscriber less.
    let maple = of("maple").replace("vlan: 101", "vlan: 111");
    let broken = of("harbour").replace("plan: gold, vlan: 104", "plan: glod, vlan: 104");
    let broken: String = broken
        .lines()
        .filter(|line| !line.contains("s-5"))
        .map(|line| format!("{line}\n"))
        .collect();
    service.origin.write("maple.yaml", &maple);
    service.origin.write("harbour.yaml", &broken);
    let second = short(&service.origin.push("two"));
    let settled = |status: &Value| {
        is(status, "maple", "in-sync", &second)
            && is(status, "harbour", "invalid", &second)
            && status["doing"].is_null()
    };
    let status = daemon.until("applied on maple", settled);
    assert!(service.holds(111));
    assert_eq!(status["rejected"]["commit"], *second);
    assert_eq!(status["in_force"]["stale"], serde_json::json!(["harbour.yaml"]));
    let harbour = service.fleet.device("harbour").startup_config();
    let _ = service
        .run(&["status"])
        .expect(1)
        .says(&format!("{second} is in force but for harbour.yaml"))
        .says("did you mean `gold`?")
        .says("harbour.yaml is not valid")
        .says("1 of 2 devices fine");

    // Another process knows it as well, though the branch alone would not tell it what harbour last had.
    assert_eq!(daemon.signal("KILL"), None);
    let daemon = service.start();
    let status = daemon.until("as before", settled);
    assert_eq!(status["rejected"]["commit"], *second);
    assert_eq!(status["in_force"]["stale"], serde_json::json!(["harbour.yaml"]));

    // More good changes arrive while it is broken.
    service
        .origin
        .write("maple.yaml", &maple.replace("vlan: 111", "vlan: 112"));
    let third = short(&service.origin.push("three"));
    daemon.until("applied on maple again", |status| {
        is(status, "maple", "in-sync", &third) && is(status, "harbour", "invalid", &third)
    });
    assert!(service.holds(112));
    assert_eq!(
        service.fleet.device("harbour").startup_config(),
        harbour,
        "harbour was touched"
    );

    // Mended, it is the whole commit again.
    service
        .origin
        .write("harbour.yaml", &of("harbour").replace("vlan: 104", "vlan: 144"));
    let fourth = short(&service.origin.push("four"));
    daemon.until_applied(&fourth);
    let status = daemon.until("well", |status| status["rejected"].is_null());
    assert_eq!(status["in_force"]["stale"], serde_json::json!([]));
    let harbour = service.fleet.device("harbour").startup_config().unwrap_or_default();
    assert!(harbour.contains("vid 144 ") && harbour.contains("\"s-5\""), "{harbour}");
}

#[test]
fn who_went_into_a_broken_file_keeps_service() {
    let service = service();
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    // s-1 of maple moves to a new file, which is broken; something of harbour changes.
    let (gone, kept): (Vec<_>, Vec<_>) = {
        let maple = of("maple");
        let lines: Vec<String> = maple.lines().map(str::to_owned).collect();
        lines.into_iter().partition(|line| line.contains("s-1"))
    };
    service.origin.write("maple.yaml", &(kept.join("\n") + "\n"));
    service.origin.write(
        "more.yaml",
        &format!("subscribers:\n{}", gone.join("\n").replace("plan: gold", "plan: glod")),
    );
    service
        .origin
        .write("harbour.yaml", &of("harbour").replace("vlan: 104", "vlan: 144"));
    let second = short(&service.origin.push("two"));
    daemon.until("applied on harbour", |status| {
        is(status, "harbour", "in-sync", &second)
            && is(status, "maple", "invalid", &second)
            && status["doing"].is_null()
    });
    assert!(service.holds(101), "s-1 lost its service");
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("subscriber s-1 is gone, and more.yaml is not valid");
}
