//! `docs/fields.md`: which word an inventory field becomes, how that word is known, and what tests it.

use std::fmt::Write as _;
use std::path::Path;

use gamops::dialect::command::WORDS;

const HEAD: &str = "\
# Fields of the inventory and words of the device

Every word that gamops can send in configuration mode: the inventory field behind it, what is known of the word, and a
test of it. *Seen* words stood in a running configuration on hardware, *documented* ones are in a guide of the vendor,
*assumed* ones in neither. Assumed words of subscribers are sent only where the device has `allow_assumed: true`, each
alone on its line, and what the firmware answers is remembered.

Made from the table in `src/dialect/command/word.rs` by the test `the_page_of_fields_is_current`;
`UPDATE_DOCS=1 cargo test --test it fields` writes it.

| inventory field | word | use | evidence | source | test |
|---|---|---|---|---|---|
";

/// Text and use of each word in the order of the table, its inventory field, and a test of it.
const FIELDS: &[(&str, &str, &str, &str)] = &[
    (
        "hostname",
        "<word>",
        "device `hostname`",
        "the_host_name_is_one_plain_word",
    ),
    ("no hostname", "", "", "the_host_name_is_one_plain_word"),
    ("ghn port", "", "device `ports`", "ports_are_set_in_place"),
    ("ghn bw-profile", "", "`plans`", "creation_says_every_service_word"),
    (
        "ghn endpoint",
        "",
        "`endpoint` of a subscriber, device `endpoints`",
        "creation_says_every_service_word",
    ),
    (
        "ghn subscriber",
        "",
        "`subscribers`",
        "creation_says_every_service_word",
    ),
    (
        "no",
        "ghn <kind> <id> [ <word> ]",
        "what left the inventory",
        "only_a_deletion_deletes",
    ),
    ("mode mimo", "", "port `mode`", "ports_are_set_in_place"),
    ("mode siso", "", "port `mode`", "ports_are_set_in_place"),
    ("shutdown", "", "port `shutdown`", "ports_are_set_in_place"),
    ("name", "<1-31>", "`name`", "creation_says_every_service_word"),
    ("name", "\"\"", "port `name`", "ports_are_set_in_place"),
    (
        "description",
        "<1-127>",
        "`description`",
        "creation_says_every_service_word",
    ),
    (
        "description",
        "\"\"",
        "`description`",
        "settings_are_taken_back_by_their_own_words",
    ),
    (
        "rate-downstream",
        "<Mbps>",
        "plan `rate`",
        "creation_says_every_service_word",
    ),
    (
        "rate-upstream",
        "<Mbps>",
        "plan `rate`",
        "creation_says_every_service_word",
    ),
    (
        "service-limit-level",
        "<1-4>",
        "plan `service_limit_level`",
        "the_service_limit_level_is_set_and_has_no_way_back",
    ),
    ("mac-address", "<mac>", "`endpoint`", "creation_says_every_service_word"),
    (
        "port",
        "<n>",
        "`port` on an endpoint-aware device",
        "creation_says_every_service_word",
    ),
    ("port", "auto", "`port: auto`", "creation_says_every_service_word"),
    ("port", "unassigned", "no `port`", "creation_says_every_service_word"),
    (
        "allow-management-access",
        "",
        "`management_access`",
        "creation_says_every_service_word",
    ),
    (
        "endpoint",
        "<id>",
        "subscriber `endpoint`",
        "creation_says_every_service_word",
    ),
    (
        "vid",
        "<3-4094>",
        "subscriber `vlan`",
        "creation_says_every_service_word",
    ),
    ("tagged", "", "subscriber `tagged`", "creation_says_every_service_word"),
    (
        "untagged",
        "",
        "subscriber `tagged`",
        "settings_are_taken_back_by_their_own_words",
    ),
    (
        "remapped-vid",
        "none | <3-4094>",
        "subscriber `remapped_vlan`",
        "creation_says_every_service_word",
    ),
    (
        "bw-profile",
        "unthrottled",
        "subscriber `plan: unthrottled`",
        "settings_are_taken_back_by_their_own_words",
    ),
    (
        "bw-profile",
        "<id>",
        "subscriber `plan`",
        "creation_says_every_service_word",
    ),
    (
        "allowed-vlan",
        "none | <list>",
        "subscriber `allowed_vlans`",
        "creation_says_every_service_word",
    ),
    (
        "port2-vid",
        "none | <vid>",
        "subscriber `port2_vlan`",
        "creation_says_every_service_word",
    ),
    (
        "poe",
        "disable",
        "subscriber `poe`",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "poe",
        "enable | force",
        "subscriber `poe`",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "port",
        "<n>, of a subscriber",
        "subscriber `port` on a port-aware device",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "port",
        "taken back by `no`",
        "subscriber `port` on a port-aware device",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "trunk",
        "",
        "subscriber `trunk`",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "trunk",
        "taken back by `no`",
        "subscriber `trunk`",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "outer-vid",
        "<3-4094>",
        "subscriber's outer VLAN",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "outer-vid",
        "none",
        "subscriber's outer VLAN",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "nni",
        "<k>",
        "subscriber's uplink",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
    (
        "nni",
        "default",
        "subscriber's uplink",
        "an_assumed_word_stands_alone_and_before_the_rest",
    ),
];

#[test]
fn the_page_of_fields_is_current() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = std::fs::read_to_string(package.join("src/dialect/command/tests.rs")).unwrap();
    let mut page = HEAD.to_owned();
    let described: Vec<(&str, &str)> = FIELDS.iter().map(|(text, usage, ..)| (*text, *usage)).collect();
    let known: Vec<(&str, &str)> = WORDS.iter().map(|word| (word.text, word.usage)).collect();
    assert_eq!(described, known, "the table of fields and the table of words differ");
    for (word, (_, _, field, test)) in WORDS.iter().zip(FIELDS) {
        assert!(tests.contains(&format!("fn {test}()")), "there is no test {test}");
        let usage = word.usage.replace('|', "\\|");
        let usage = if usage.is_empty() { usage } else { format!("`{usage}`") };
        writeln!(
            page,
            "| {field} | `{}` | {usage} | {} | {} | `{test}` |",
            word.text, word.evidence, word.source
        )
        .unwrap();
    }
    let path = package.join("docs/fields.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap_or_default(),
        page,
        "UPDATE_DOCS=1 writes it"
    );
}
