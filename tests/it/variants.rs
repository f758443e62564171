//! Devices that print and default differently, in every combination, on each firmware: what was applied is in sync.

use std::path::Path;

use gamops::sim::{DeviceSpec, InUse, Likeness};

use crate::fleet::{Given, TestFleet, UNGUARDED};

const FIRMWARES: [&str; 3] = ["GAM-4/8-C_v1.2.0", "GAM-4/8-C_v1.5.4", "GAM-4/8-C_v1.8.2"];

/// One bit for each knob of which nobody knows how real devices have it set.
const COMBINATIONS: usize = 32;

/// The knobs that the device's name asks for: `d-<firmware>-<bits>`.
fn tune(spec: &mut DeviceSpec) {
    let mut words = spec.name.split('-').skip(1).map(|word| word.parse::<usize>().unwrap());
    let (firmware, bits) = (words.next().unwrap(), words.next().unwrap());
    let bit = |number: usize| bits >> number & 1 == 1;
    spec.firmware = FIRMWARES[firmware].parse().unwrap();
    spec.knobs.print_default_profile = bit(0);
    spec.knobs.print_poe = bit(1);
    spec.knobs.print_bw_profile = bit(2);
    spec.knobs.print_unassigned_port = bit(3);
    spec.knobs.default_profile = bit(4).then_some(1);
    spec.knobs.empty_description = bit(0) != bit(4);
    spec.knobs.in_use = [InUse::Clear, InUse::Dangle, InUse::Refuse][(bits + firmware) % 3];
    spec.knobs.future_word = firmware == 2;
    if bit(1) != bit(3) {
        spec.plugged = vec![(mac(&spec.name, 3).parse().unwrap(), 2.try_into().unwrap())];
    }
}

fn mac(device: &str, last: usize) -> String {
    let mut words = device.split('-').skip(1).map(|word| word.parse::<usize>().unwrap());
    let (firmware, bits) = (words.next().unwrap(), words.next().unwrap());
    format!("00:0e:d8:{firmware:02x}:{bits:02x}:{last:02x}")
}

fn services(keys: &[&str], lines: &[(usize, &str)]) -> String {
    let mut text =
        "plans: { gold: { rate: 500 Mbps }, silver: { rate: 100 Mbps }, bronze: { rate: 20 Mbps } }\nsubscribers:\n"
            .to_owned();
    for key in keys {
        for (number, rest) in lines {
            // `@n` stands for the n-th endpoint of this device.
            let rest = (1..=9).fold((*rest).to_owned(), |rest, last| {
                rest.replace(&format!("@{last}"), &format!("endpoint: \"{}\"", mac(key, last)))
            });
            text.push_str(&format!("  {key}-s{number}: {{ device: {key}, {rest} }}\n"));
        }
    }
    text
}

#[test]
fn however_a_device_prints_and_defaults_what_was_applied_is_in_sync() {
    let keys: Vec<&'static str> = (0..FIRMWARES.len())
        .flat_map(|firmware| (0..COMBINATIONS).map(move |bits| &*format!("d-{firmware}-{bits}").leak()))
        .collect();
    let given: Vec<Given> = keys
        .iter()
        .map(|key| Given {
            key,
            model: "GAM-4-CX",
            tune,
        })
        .collect();
    let first = services(
        &keys,
        &[
            (1, "@1, port: 1, plan: gold, vlan: 101, poe: disable"),
            (
                2,
                "@2, port: 1, plan: silver, vlan: 102, tagged: true, description: Apt 2",
            ),
            (
                3,
                "@3, port: auto, plan: unthrottled, vlan: 103, allowed_vlans: [200, 201]",
            ),
            (
                4,
                "@4, port: 2, plan: bronze, vlan: 104, port2_vlan: 204, remapped_vlan: 304",
            ),
        ],
    );
    let fleet = TestFleet::start(&given, &first);
    fleet.write("gamops.yaml", UNGUARDED);
    let _ = fleet.apply();
    fleet.expect_in_sync();

    for key in keys.iter().filter(|key| key.starts_with("d-2-")) {
        let lines = "ghn subscriber 1 future-word 5\ncopy running-config startup-config";
        fleet.device(key).execute(lines);
    }
    // An exchange of endpoints, another plan, another VLAN, one that goes, one that comes.
    fleet.write(
        "services.yaml",
        &services(
            &keys,
            &[
                (1, "@2, port: 1, plan: unthrottled, vlan: 111"),
                (2, "@1, port: 1, plan: bronze, vlan: 102"),
                (3, "@3, port: auto, plan: gold, vlan: 103, tagged: true"),
                (5, "@4, port: 2, plan: bronze, vlan: 105"),
            ],
        ),
    );
    let _ = fleet.apply();
    fleet.expect_in_sync();
    for key in keys.iter().filter(|key| key.starts_with("d-2-")) {
        let held = fleet.ghn_lines(key).join("\n");
        assert!(held.contains("future-word 5"), "{key} lost a word:\n{held}");
    }
}

/// Makes a device like the one that it is called after, dots written as dashes.
fn like(spec: &mut DeviceSpec) {
    let likeness = likeness(&spec.name);
    spec.firmware = format!("GAM-4/8-C_v{}", likeness.firmware()).parse().unwrap();
    likeness.apply(spec);
}

fn likeness(key: &str) -> Likeness {
    let is_it = |likeness: &Likeness| likeness.name().replace('.', "-") == key;
    Likeness::ALL.into_iter().find(is_it).unwrap()
}

#[test]
fn a_device_like_each_that_was_seen_is_brought_in_line() {
    const LIKE: [(&str, &str); 4] = [
        (
            "gam-1-2-0",
            "its trunk is left as it is: this firmware is too old for `trunk`",
        ),
        ("gam-1-5-4", "this firmware does not know `trunk`"),
        (
            "gam-1-8-2",
            "gam-1-8-2  5 added, 0 changed, 0 destroyed; verified, saved",
        ),
        ("hostile", "this firmware takes `trunk` and ignores it"),
    ];
    let given = LIKE.map(|(key, _)| Given {
        key,
        model: "GAM-4-CX",
        tune: like,
    });
    let services = |vlan: u16| -> String {
        let of = |(number, (key, _)): (usize, &(&str, &str))| {
            format!(
                "  {key}-1: {{ device: {key}, endpoint: \"00:0e:d8:00:0{number}:01\", port: 1, plan: gold, vlan: {vlan}, trunk: true }}\n  \
                 {key}-2: {{ device: {key}, endpoint: \"00:0e:d8:00:0{number}:02\", port: auto, plan: unthrottled, vlan: 202, tagged: true, allowed_vlans: [300], poe: disable }}\n"
            )
        };
        let subscribers: String = LIKE.iter().enumerate().map(of).collect();
        format!("plans: {{ gold: {{ rate: 500 Mbps }} }}\nsubscribers:\n{subscribers}")
    };
    let fleet = TestFleet::start(&given, &services(101));
    for (key, _) in LIKE {
        likeness(key)
            .faults()
            .into_iter()
            .for_each(|fault| fleet.device(key).set_fault(fault));
    }
    let devices = fleet.devices(&given, "    allow_assumed: true\n");
    let (most, hostile) = devices.split_at(devices.find("  hostile:").unwrap());
    // It offers old algorithms only.
    let hostile = hostile.replace("snmp_port", "legacy_algorithms: true, snmp_port");
    fleet.write("devices.yaml", &format!("{most}{hostile}"));
    let applied = fleet.run(&["apply", "--auto-approve"]).expect(5);
    for (key, says) in LIKE {
        assert!(
            applied.stdout.contains(says),
            "{key}: no `{says}` in\n{}",
            applied.stdout
        );
    }
    fleet.expect_in_sync();
    fleet.write("services.yaml", &services(111));
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

/// What a device may print or do that its reader has to put up with, each with a test that it does. Evidence for them:
/// the vendor's guides, lines seen on hardware, and the habits of the firmware's family.
const PUT_UP_WITH: &[(&str, &str)] = &[
    // The frame of the running configuration.
    ("a header with dots or without", "the_lines_seen_on_hardware_are_read"),
    (
        "a `hostname` line with nothing after it",
        "the_factory_running_config_is_as_the_family_prints_one",
    ),
    (
        "lines of other modules between, with secrets",
        "other_lines_are_kept_without_secrets_and_without_computed_sections",
    ),
    (
        "a G.hn line that is indented or in a section",
        "an_indented_ghn_line_is_not_lost_in_a_computed_section",
    ),
    (
        "a text that breaks off anywhere",
        "every_cut_of_a_configuration_is_refused",
    ),
    ("an error message in the text", "an_error_in_between_is_refused"),
    ("line ends of any kind", "lines_may_end_in_carriage_returns_only"),
    (
        "a pager in the text, wiped in one way or another",
        "a_pager_wiped_in_another_way_leaves_nothing_either",
    ),
    // G.hn lines.
    ("keywords in any order", "fingerprints_follow_content_and_nothing_else"),
    ("defaults left out or printed", "defaults_may_be_printed_or_left_out"),
    ("one object on several lines", "one_object_may_stand_on_several_lines"),
    ("`no ghn ...` lines", "a_line_that_takes_back_makes_no_object"),
    (
        "names without quotes, and odd quotes",
        "unquoted_and_oddly_quoted_names_are_read",
    ),
    (
        "both ways of writing a quote in a string",
        "both_ways_of_writing_a_quote_are_read",
    ),
    (
        "keywords that nobody knows, with values or without",
        "unknown_keywords_are_kept_with_their_values",
    ),
    (
        "values that gamops would not send",
        "values_outside_our_types_are_kept_and_named",
    ),
    (
        "numbers out of range",
        "numbers_out_of_range_leave_the_line_to_the_other_ones",
    ),
    (
        "names and addresses held twice, references to nothing",
        "shared_names_addresses_and_lost_references_are_warned_of",
    ),
    (
        "a subscriber that names a port, with an endpoint or without",
        "a_line_that_names_a_port_shows_a_port_aware_device",
    ),
    (
        "an uplink without an outer VLAN",
        "an_uplink_without_an_outer_vlan_is_kept_and_reported",
    ),
    (
        "a profile that is not printed: what it means is asked once",
        "what_an_absent_profile_means_is_asked_once_and_filled_in",
    ),
    (
        "all of that at once",
        "a_device_like_each_that_was_seen_is_brought_in_line",
    ),
    (
        "all of that in combination, on three firmwares",
        "however_a_device_prints_and_defaults_what_was_applied_is_in_sync",
    ),
    ("`auto` that became a port", "auto_that_became_a_port_is_verified"),
    // Deleting what others use.
    (
        "references cleared, left dangling, or the deletion refused",
        "deleting_what_is_in_use_does_what_the_knob_says",
    ),
    // Sessions.
    (
        "the prompt `# ` alone, a banner that looks like one",
        "a_bare_prompt_and_a_banner_that_looks_like_one_are_told_apart",
    ),
    ("a first output that is paged already", "a_paged_greeting_is_answered"),
    (
        "a pager in the middle of an answer",
        "a_pager_in_the_middle_is_answered_and_leaves_nothing",
    ),
    (
        "echo that scrolled sideways",
        "a_line_that_scrolled_sideways_is_recognised_by_its_end",
    ),
    ("output in pieces", "a_reply_in_pieces_reads_like_a_reply_at_once"),
    ("bells and escape sequences", "bells_and_escape_sequences_show_nothing"),
    (
        "good lines that begin with `%`",
        "saving_and_rebooting_report_success_behind_a_percent_sign",
    ),
    (
        "a caret under the word, or under a wrapped command",
        "a_wrapped_command_is_refused_without_a_place",
    ),
    (
        "old SSH algorithms only",
        "old_algorithms_are_used_only_where_the_inventory_says_so",
    ),
    (
        "a host name that changes the prompt",
        "a_new_host_name_is_followed_only_after_the_command_that_sets_it",
    ),
    ("no room for another session", "a_device_without_a_free_session_says_so"),
    ("somebody else's saving", "saving_waits_for_somebody_else_s_saving"),
    // Displays and SNMP.
    (
        "`show version` of 1.1 and of 1.5.4",
        "the_active_image_stands_in_for_a_missing_software_version",
    ),
    (
        "wandering columns of `show ghn discover all`",
        "rows_of_the_guide_and_of_hardware_are_read_and_absent_endpoints_left_out",
    ),
    (
        "a startup configuration that is not shown",
        "a_startup_configuration_that_is_not_shown_is_unknown",
    ),
    ("silence over SNMP", "a_silent_agent_keeps_nothing_from_being_read"),
    (
        "objects that are missing or of another type",
        "what_is_absent_or_of_another_type_is_nothing",
    ),
    (
        "a G.hn subtree that is there or not",
        "a_walk_of_all_that_is_the_vendors_passes_every_table",
    ),
    (
        "endpoints that come, go and are quarantined",
        "alarms_are_raised_and_cleared_as_endpoints_come_and_go",
    ),
    (
        "endpoint lines that a port-aware device writes itself",
        "on_a_port_aware_device_endpoints_come_and_go_and_nothing_is_planned",
    ),
    // Words.
    (
        "a word offered, refused, or taken and ignored",
        "an_assumed_word_is_tried_where_allowed_judged_by_what_came_of_it_and_not_tried_again",
    ),
    (
        "a word that is short for another",
        "a_port_is_never_taken_for_the_second_ports_vlan",
    ),
];

#[test]
fn every_variant_has_a_test() {
    let mut sources = String::new();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![package.join("src"), package.join("tests/it")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let is_missing = |(_, test): &&(&str, &str)| !sources.contains(&format!("fn {test}()"));
    let missing: Vec<_> = PUT_UP_WITH.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
