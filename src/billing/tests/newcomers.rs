//! Services that nobody has yet.

use super::*;

/// A book with a new service, whose endpoint is `mac(0x21)`.
fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.service("4/14", "5", Standing::Active, &mac(0x21));
    desk
}

#[track_caller]
fn is_open(desk: &Desk, words: &str) {
    let decided = desk.decide();
    assert_eq!(intents(&decided), "");
    assert_eq!(open(&decided), words);
}

#[test]
fn an_endpoint_that_shows_up_becomes_a_whole_subscriber() {
    let mut desk = desk();
    is_open(
        &desk,
        "NoSubscriber 4/14: waits until its endpoint 00:0e:d8:00:00:21 is plugged in",
    );
    desk.plug("maple-a", 4, &mac(0x21));
    let decided = desk.sync();
    assert_eq!(
        intents(&decided),
        "create s-14: new on maple-a port 4 with 00:0e:d8:00:00:21, plan fiber-500, VLAN 1003"
    );
    let line = "  s-14: {device: maple-a, endpoint: \"00:0e:d8:00:00:21\", port: 4, plan: fiber-500, vlan: 1003, external: {splynx: 4/14}}\n";
    assert_eq!(desk.text, TEXT.replace("billing:\n", &format!("{line}billing:\n")));
    assert_eq!(desk.written.values["s-14"]["plan"], "fiber-500");
    assert_eq!(intents(&desk.sync()), "");
}

#[test]
fn keys_names_and_texts_come_from_what_the_inventory_says() {
    let mut desk = desk();
    desk.plug("maple-b", 2, &mac(0x21));
    desk.write(
        "    vlans: {pool: access}\n",
        "    key: \"c-{account}.{service}\"\n    name: \"{name} ({account})\"\n    description: \"Sold to {name}\"\n    ways: {create: propose}\n",
    );
    desk.book.accounts.get_mut("4").unwrap().name = " Zoë \"the shop\"\n\\ plan=x ".to_owned();
    let decided = desk.sync();
    assert_eq!(decided.intents[0].way, Way::Propose);
    assert!(
        desk.text.contains("  c-4.14: {name: Zo the shop plan x (4), device: maple-b, endpoint: \"00:0e:d8:00:00:21\", port: 2, plan: fiber-500, \
             description: Sold to Zo the shop plan=x, external: {splynx: 4/14}}"),
        "{}",
        desk.text
    );
}

#[test]
fn a_key_or_a_name_that_somebody_has_is_asked_about() {
    let mut desk = desk();
    desk.plug("maple-a", 4, &mac(0x21));
    desk.write("  other:", "  s-14:");
    is_open(
        &desk,
        "Question 4/14: its key would be `s-14`, which another subscriber has: correct `billing.splynx.key`, or write \
         `external.splynx: 4/14` there if it is the same",
    );
    desk.write("    vlans:", "    key: \"x-{service}\"\n    name: s-1\n    vlans:");
    is_open(
        &desk,
        "Question 4/14: its name on maple-a would be `s-1`, which another one has: correct `billing.splynx.name`",
    );
}

#[test]
fn vlans_are_given_once_and_rest_before_they_are_given_again() {
    let mut desk = desk();
    desk.sync();
    // The one who had 1001 is gone; 1001 rests for a week.
    desk.write("  s-2: {device: maple-a, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: home-200, vlan: 1001, external: {splynx: \"12\"}}\n", "");
    desk.book.accounts.remove("2");
    desk.service("5/15", "5", Standing::Active, &mac(0x22));
    desk.plug("maple-a", 4, &mac(0x21));
    desk.plug("maple-b", 4, &mac(0x22));
    let both = |first: u16, second: u16| {
        format!(
            "create s-14: new on maple-a port 4 with 00:0e:d8:00:00:21, plan fiber-500, VLAN {first}\n\
             create s-15: new on maple-b port 4 with 00:0e:d8:00:00:22, plan fiber-500, VLAN {second}"
        )
    };
    assert_eq!(intents(&desk.decide()), both(1003, 1004));
    desk.later(6);
    assert_eq!(intents(&desk.decide()), both(1003, 1004));
    desk.later(1);
    assert_eq!(intents(&desk.decide()), both(1001, 1003));
    // Where it is not sure what time it is, nothing has rested.
    desk.book.at = Some("2026-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(intents(&desk.decide()), both(1003, 1004));
    desk.book.at = Some(desk.now);

    desk.write("{pool: access}", "{pool: access, unique: device}");
    assert_eq!(intents(&desk.decide()), both(1001, 1000));
    desk.write("unique: device", "unique: none");
    assert_eq!(intents(&desk.decide()), both(1000, 1000));
    desk.write("unique: none", "unique: site");
    desk.write("1000-1004", "1000-1003");
    desk.service("6/16", "5", Standing::Active, &mac(0x23));
    desk.plug("maple-b", 5, &mac(0x23));
    let decided = desk.decide();
    assert_eq!(intents(&decided), both(1001, 1003));
    assert_eq!(
        open(&decided),
        "Question 6/16: the pool `access` of `maple` has no VLAN left: make it larger"
    );
}

#[test]
fn a_pool_is_that_of_the_device_s_site() {
    let mut desk = desk();
    desk.plug("elm-a", 4, &mac(0x21));
    is_open(
        &desk,
        "Question 4/14: there is no pool `access` for elm-a, whose site is `elm`: add it under `vlans` of its site",
    );
}

#[test]
fn an_endpoint_in_two_places_or_none_of_ours_is_asked_about() {
    let mut desk = desk();
    desk.plug("maple-a", 4, &mac(0x21));
    desk.plug("maple-b", 4, &mac(0x21));
    is_open(
        &desk,
        "Question 4/14: its endpoint 00:0e:d8:00:00:21 is seen on `maple-a port 4` and `maple-b port 4`: unplug all but one",
    );
    desk.service("4/14", "5", Standing::Active, "00:0e:d8:00:00:21 00:0e:d8:00:00:22");
    is_open(
        &desk,
        "Question 4/14: its endpoint is `00:0e:d8:00:00:21` or `00:0e:d8:00:00:22`: leave one of them in billing",
    );
    desk.service("4/14", "5", Standing::Active, "");
    is_open(
        &desk,
        "NoSubscriber 4/14: billing says nothing of its endpoint in `inventory.barcode` or `service.mac`",
    );
    // What a device shows that the inventory does not have is nowhere.
    let mut desk = self::desk();
    desk.plug("nowhere", 4, &mac(0x21));
    assert!(open(&desk.decide()).contains("waits until"));
}

#[test]
fn an_endpoint_that_somebody_has_stays_there() {
    let mut desk = desk();
    desk.service("4/14", "5", Standing::Active, &mac(1));
    desk.stands("1/11", Standing::Ended);
    let decided = desk.decide();
    assert!(intents(&decided).starts_with("suspend s-1") && decided.intents.len() == 1);
    assert_eq!(
        open(&decided),
        "Question 4/14: its endpoint 00:0e:d8:00:00:01 is that of the subscriber `s-1`, who is 1/11 in billing: take it away there, or \
         correct `external.splynx`"
    );
    let mut desk = self::desk();
    desk.write(
        "site: elm}",
        "site: elm, endpoints: {spare: {mac: \"00:0e:d8:00:00:21\"}}}",
    );
    desk.plug("maple-a", 4, &mac(0x21));
    is_open(
        &desk,
        "Question 4/14: its endpoint 00:0e:d8:00:00:21 is the spare endpoint `devices.elm-a.endpoints.spare`: take it away there",
    );
}

#[test]
fn accounts_belong_to_sites_to_others_or_nowhere() {
    let mut desk = desk();
    desk.plug("maple-a", 4, &mac(0x21));
    desk.write(
        "    vlans:",
        "    sites:\n      - {ignore: wireless, when: {partner: [8, 9]}}\n      - {site: elm, when: {location: 2}}\n      - {site: maple, when: {location: 1}}\n    vlans:",
    );
    let fact = |desk: &mut Desk, name: &str, text: &str| {
        let facts = &mut desk.book.accounts.get_mut("4").unwrap().facts;
        facts.insert(name.to_owned(), text.to_owned());
    };
    fact(&mut desk, "city", "Oak");
    is_open(
        &desk,
        "Question 4/14: no rule of `billing.splynx.sites` says which site it belongs to; Splynx tells `city: Oak`; sites are `elm` and \
         `maple`",
    );
    fact(&mut desk, "location", "2");
    is_open(
        &desk,
        "Question 4/14: it belongs to the site `elm`, and its endpoint 00:0e:d8:00:00:21 is seen on maple-a, which is on `maple`: \
         correct one of the two",
    );
    fact(&mut desk, "location", "1");
    assert!(intents(&desk.decide()).starts_with("create s-14"));
    fact(&mut desk, "partner", "9");
    is_open(&desk, "");
}

#[test]
fn billing_s_own_words_for_device_and_port_are_compared_and_used_where_no_address_is_known() {
    let clue = |desk: &mut Desk, source: &str, text: &str| {
        let service = desk.book.accounts.get_mut("4").unwrap().services.get_mut("14").unwrap();
        service.clues.retain(|clue| clue.source != source);
        service.clues.push(Clue {
            source: source.to_owned(),
            text: text.to_owned(),
        });
    };
    let mut desk = desk();
    desk.write(
        "    vlans:",
        "    device: [service.access_device]\n    port: [service.port_id]\n    vlans:",
    );
    desk.plug("maple-a", 4, &mac(0x21));
    clue(&mut desk, "service.access_device", "192.0.2.1");
    clue(&mut desk, "service.port_id", "7");
    // Where it is seen is where it is.
    assert!(intents(&desk.decide()).contains("new on maple-a port 4"));
    clue(&mut desk, "service.access_device", "elm-a");
    is_open(
        &desk,
        "Question 4/14: billing says that it is on `elm-a`, and its endpoint 00:0e:d8:00:00:21 is seen on maple-a port 4: correct one \
         of the two",
    );
    clue(&mut desk, "inventory.barcode", "");
    clue(&mut desk, "service.access_device", "maple-a");
    is_open(
        &desk,
        "NoSubscriber 4/14: waits until an endpoint is plugged in on maple-a port 7",
    );
    clue(&mut desk, "service.port_id", "4");
    assert!(intents(&desk.decide()).contains("new on maple-a port 4 with 00:0e:d8:00:00:21"));
    desk.plug("maple-a", 4, &mac(0x22));
    is_open(
        &desk,
        "Question 4/14: on maple-a port 4 are `00:0e:d8:00:00:21` and `00:0e:d8:00:00:22`: write the one that it is into billing",
    );
}

#[test]
fn a_port_without_room_takes_nobody() {
    let mut desk = desk();
    desk.plug("maple-b", 1, &mac(0x21));
    is_open(
        &desk,
        "Question 4/14: its endpoint 00:0e:d8:00:00:21 is seen on maple-b port 1, where there is no room for another: take away who is \
         not there any more",
    );
    // On a port-aware device the subscriber is tied to the port, and names no endpoint.
    let mut desk = self::desk();
    desk.write(
        "address: 192.0.2.2,",
        "address: 192.0.2.2, subscriber_model: port-aware, allow_assumed: true,",
    );
    desk.write(
        "s-3: {device: maple-b, endpoint: \"00:0e:d8:00:00:03\",",
        "s-3: {device: maple-b,",
    );
    desk.plug("maple-b", 2, &mac(0x21));
    desk.sync();
    assert!(
        desk.text
            .contains("  s-14: {device: maple-b, port: 2, plan: fiber-500, vlan: 1003, external"),
        "{}",
        desk.text
    );
}

#[test]
fn nothing_is_made_of_what_is_not_to_work() {
    for (standing, words) in [
        (
            Standing::Suspended,
            "NoSubscriber 4/14: nobody has it; nothing is made of it while it is suspended (service suspended)",
        ),
        (
            Standing::Unclear,
            "Held 4/14: nobody has it, and it is not understood (service unclear)",
        ),
        (Standing::NotYet, ""),
        (Standing::Lead, ""),
        (Standing::Ended, ""),
    ] {
        let mut desk = desk();
        desk.stands("4/14", standing);
        desk.plug("maple-a", 4, &mac(0x21));
        is_open(&desk, words);
    }
}
