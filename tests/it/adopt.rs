//! `gamops adopt`: what a device holds comes into the inventory, nothing is sent, and the plan is empty afterwards.

use crate::fleet::{Ran, SERVICES, TWO, TestFleet};
use crate::history::FILTERS;

/// The fleet as applied, comments in its file.
fn applied() -> TestFleet {
    let fleet = TestFleet::start(TWO, &services());
    let _ = fleet.apply();
    fleet
}

/// The subscribers with comments that edits are to leave alone.
fn services() -> String {
    SERVICES
        .replace("subscribers:\n", "subscribers:\n  # The shop.\n")
        .replace("vlan: 105,", "vlan: 105, # as agreed\n   ")
}

fn held(fleet: &TestFleet) -> String {
    std::fs::read_to_string(fleet.inventory().join("services.yaml")).unwrap()
}

fn adopt(fleet: &TestFleet, address: &str) -> Ran {
    fleet.run(&["adopt", address, "--auto-approve"])
}

#[test]
fn drift_is_accepted_where_it_stands_and_nothing_is_sent() {
    let fleet = applied();
    let maple = fleet.device("maple");
    maple.execute(
        "ghn subscriber 1 vid 111\nghn subscriber 3 bw-profile 2 description \"Apt 3, rear\"\nghn endpoint 3 port 4\n\
         ghn port 2 name \"Riser B\"\ncopy running-config startup-config",
    );
    let before = fleet.ghn_lines("maple");
    let ran = adopt(&fleet, "maple").expect(0);
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("adopt", ran.stdout.replace(fleet.inventory().to_str().unwrap(), "INVENTORY"));
    });
    let text = services().replace("vlan: 101", "vlan: 111").replace(
        "port: 2, plan: unthrottled, vlan: 103, description: Apt 3",
        "port: 4, plan: gold, vlan: 103, description: \"Apt 3, rear\"",
    );
    assert_eq!(held(&fleet), text);
    assert_eq!(fleet.ghn_lines("maple"), before, "nothing was sent");
    fleet.expect_in_sync();
    let _ = adopt(&fleet, "maple")
        .expect(0)
        .says("Nothing to adopt: maple holds what the inventory says.");
}

#[test]
fn one_object_that_is_named_is_adopted_and_the_rest_still_drifts() {
    let fleet = applied();
    fleet
        .device("maple")
        .execute("ghn subscriber 1 vid 111\nghn subscriber 2 vid 112");
    let _ = adopt(&fleet, "maple/subscriber/s-1")
        .expect(0)
        .says("It is owned from the next apply on.");
    assert_eq!(held(&fleet), services().replace("vlan: 101", "vlan: 111"));
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(2);
    assert!(
        plan.stdout.contains("subscriber/s-2") && !plan.stdout.contains("subscriber/s-1"),
        "{}",
        plan.stdout
    );
    let _ = adopt(&fleet, "maple/subscriber/s-9")
        .expect(1)
        .says("there is no `maple/subscriber/s-9`");
    let _ = adopt(&fleet, "marple").expect(1).says("did you mean `maple`?");
}

#[test]
fn a_plan_that_others_have_is_not_changed_for_them() {
    let fleet = applied();
    fleet
        .device("maple")
        .execute("ghn bw-profile 2 rate-downstream 800 rate-upstream 800");
    let _ = adopt(&fleet, "maple")
        .expect(4)
        .says("plan gold is not this device's alone: s-4 on harbour, s-5 on harbour would get")
        .says("Nothing was adopted, and the inventory was not edited.");
    assert_eq!(held(&fleet), services());
    // Nobody elsewhere has the other one.
    fleet
        .device("maple")
        .execute("ghn bw-profile 3 rate-downstream 212 rate-upstream 53");
    let _ = adopt(&fleet, "maple/profile/silver").expect(0);
    assert_eq!(
        held(&fleet),
        services().replace(
            "{ rate: 100 Mbps, name: \"silver 100\" }",
            "{ name: \"silver 100\", down: 200 Mbps, up: 50 Mbps }"
        )
    );
}

#[test]
fn the_vlan_of_the_captive_portal_is_adopted_as_no_vlan_at_all() {
    let fleet = applied();
    let maple = fleet.device("maple");
    maple.execute("ghn subscriber 2 vid 4094\nghn subscriber 1 vid 111");
    let _ = adopt(&fleet, "maple").expect(0).says("vlan: 102 -> 4094");
    let wanted = services().replace("vlan: 101", "vlan: 111").replace(", vlan: 102", "");
    assert_eq!(held(&fleet), wanted);
}

#[test]
fn what_is_missing_on_the_device_is_not_taken_out_of_the_inventory() {
    let fleet = applied();
    fleet
        .device("maple")
        .execute("no ghn subscriber 3\nghn subscriber 1 vid 111");
    let _ = adopt(&fleet, "maple")
        .expect(5)
        .says("maple/subscriber/s-3: the inventory has it, and the device does not");
    assert_eq!(held(&fleet), services().replace("vlan: 101", "vlan: 111"));
}

#[test]
fn somebody_who_was_put_there_by_hand_becomes_an_entry_and_is_owned_then() {
    let fleet = applied();
    fleet.device("maple").execute(
        "ghn endpoint 7 name \"Positron_000099\" mac-address 00:0e:d8:00:00:99 port 3\n\
         ghn subscriber 9 name \"Smith 4b\" endpoint 7 vid 109 untagged bw-profile 2\ncopy running-config startup-config",
    );
    let before = fleet.ghn_lines("maple");
    let ran = adopt(&fleet, "maple/subscriber/Smith 4b")
        .expect(0)
        .says("what was adopted is owned now");
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("adopt_unmanaged", ran.stdout.replace(fleet.inventory().to_str().unwrap(), "INVENTORY"));
    });
    assert_eq!(fleet.ghn_lines("maple"), before, "nothing was sent");
    fleet.expect_in_sync();
    // Owned: when it leaves the inventory, it is destroyed.
    fleet.write("services.yaml", &services());
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(2)
        .says("- DESTROY  subscriber/smith-4b");
}

#[test]
fn what_no_inventory_may_say_is_left_and_the_rest_is_adopted() {
    let fleet = applied();
    // A question mark is not safe on the command line of the device.
    fleet
        .device("maple")
        .execute("ghn subscriber 1 vid 111\nghn subscriber 3 description \"Apt 3?\" vid 113");
    let _ = adopt(&fleet, "maple")
        .expect(5)
        .says("ADOPT  maple/subscriber/s-1")
        .says("LEFT   maple/subscriber/s-3: `description` holds `?`");
    assert_eq!(held(&fleet), services().replace("vlan: 101", "vlan: 111"));
    let _ = adopt(&fleet, "maple/subscriber/s-3")
        .expect(4)
        .says("LEFT   maple/subscriber/s-3: `description` holds `?`")
        .says("Nothing was adopted, and the inventory was not edited.");
}

#[test]
fn what_left_the_inventory_is_put_back_where_it_is_named() {
    let fleet = applied();
    let whole = services();
    let s_3 = whole.lines().find(|line| line.contains("  s-3:")).unwrap();
    let without = whole.replace(&format!("{s_3}\n"), "");
    fleet.write("services.yaml", &without);
    let _ = adopt(&fleet, "maple")
        .expect(4)
        .says("LEFT   maple/subscriber/s-3: it has left the inventory, and the next apply destroys it")
        .says("help: `gamops adopt maple/subscriber/s-3` puts it back into the inventory");
    assert_eq!(held(&fleet), without);
    let _ = adopt(&fleet, "maple/subscriber/s-3")
        .expect(0)
        .says("back into the inventory");
    assert!(
        held(&fleet).contains("# The shop.") && held(&fleet).contains("s-3:"),
        "{}",
        held(&fleet)
    );
    fleet.expect_in_sync();
    // Where it is to move, it has not left.
    fleet.write(
        "services.yaml",
        &whole
            .replace("s-3: { device: maple", "s-3: { device: harbour")
            .replace("port: 2, plan: unthrottled", "port: 3, plan: unthrottled"),
    );
    let _ = adopt(&fleet, "maple/subscriber/s-3")
        .expect(4)
        .says("it moves to harbour, and leaves this device with an apply");
}
