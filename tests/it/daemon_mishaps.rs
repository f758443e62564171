//! What befalls a daemon, and that it needs nobody to get over it. In `settle.rs` such things come at random.

use gamops::sim::{Counted, Fault, Moment};

use crate::daemon::{Service, short};
use crate::fleet::SERVICES;

#[test]
fn what_a_killed_daemon_left_locked_in_its_mirror_keeps_no_later_one_from_it() {
    let service = Service::new("");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    assert_eq!(daemon.signal("KILL"), None);
    let references = service.path().with_file_name("mirror.git").join("refs/gamops");
    for branch in ["origin/main", "good/main"] {
        assert!(references.join(branch).exists());
        std::fs::write(references.join(format!("{branch}.lock")), "").unwrap();
    }
    let daemon = service.start();
    let second = service.push_vlan(116);
    daemon.until_applied(&second);
    assert_eq!(daemon.signal("KILL"), None);
    // As a file is that was written, and not to its end, when the power went.
    std::fs::write(references.join("origin/main"), "").unwrap();
    std::fs::write(references.join("good/main"), "").unwrap();
    let daemon = service.start();
    let third = service.push_vlan(117);
    daemon.until_applied(&third);
}

#[test]
fn a_device_that_goes_away_under_a_change_delays_others_briefly_and_is_gone_on_with() {
    let settings = "devices: { retry: 1s, retry_at_most: 1s, reconnect_within: 1s }";
    let service = Service::new(settings);
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let maple = service.fleet.device("maple");
    maple.set_fault(Fault::Hold {
        at: 1,
        of: Counted::Configuration,
        when: Moment::After,
    });
    service.push_vlan(118);
    service.fleet.block_on(maple.until_held());
    maple.power_off();
    maple.clear_faults();
    daemon.until("failed for now", |status| {
        let maple = &status["devices"]["maple"];
        maple["state"] == "failed" && maple["again"].is_string() || maple["state"] == "unreachable"
    });
    service.origin.write(
        "services.yaml",
        &SERVICES
            .replace("vlan: 104", "vlan: 114")
            .replace("vlan: 101", "vlan: 118"),
    );
    let second = short(&service.origin.push("the other as well"));
    daemon.until("the other has it", |status| {
        let harbour = &status["devices"]["harbour"];
        harbour["commit"] == *second && harbour["state"] == "in-sync"
    });
    maple.power_on();
    // Nobody has to say anything.
    daemon.until_applied(&second);
    assert!(service.holds(118));
}
