//! `docs/fields.md`: which word an inventory field becomes, how that word is known, and what tests it.

use std::fmt::Write as _;
use std::path::Path;

use gamops::dialect::command::WORDS;

const HEAD: &str = "\
# Fields of the inventory and words of the device

Every word that gamops can send in configuration mode: the inventory field behind it, what is known of the word, a test of
the words, and one that runs the program against simulated devices, which read them by a grammar of their own. *Seen* words
stood in a running configuration on hardware, *documented* ones are in a guide of the vendor, *assumed* ones in neither.
Assumed words of subscribers are sent only where the device has `allow_assumed: true`, each on a line that asks for nothing
else, and what the firmware answers is remembered.

Made from the table in `src/dialect/command/word.rs` by the test `the_page_of_fields_is_current`;
`UPDATE_DOCS=1 cargo test --test it fields` writes it.

| inventory field | word | use | evidence | source | test of the words | test through the program |
|---|---|---|---|---|---|---|
";

/// What is known of the words of one row.
struct Row {
    /// Text and use, as in the table of words.
    word: (&'static str, &'static str),
    /// The inventory field behind it.
    field: &'static str,
    /// A test of the words, in `src/dialect/command/tests.rs`.
    words: &'static str,
    /// A test through the whole program; empty for what only a rollback says.
    program: &'static str,
}

const fn row(
    word: (&'static str, &'static str),
    field: &'static str,
    words: &'static str,
    program: &'static str,
) -> Row {
    Row {
        word,
        field,
        words,
        program,
    }
}

const EVERY: &str = "every_field_is_applied_changed_and_taken_back";
const ASSUMED: &str = "an_assumed_word_is_tried_where_allowed_judged_by_what_came_of_it_and_not_tried_again";

/// One row for each word, in the order of the table of words.
const FIELDS: &[Row] = &[
    row(
        ("hostname", "<word>"),
        "device `hostname`",
        "the_host_name_is_one_plain_word",
        EVERY,
    ),
    row(
        ("no hostname", ""),
        "device `hostname`",
        "the_host_name_is_one_plain_word",
        "",
    ),
    row(("ghn port", ""), "device `ports`", "ports_are_set_in_place", EVERY),
    row(
        ("ghn bw-profile", ""),
        "`plans`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("ghn endpoint", ""),
        "`endpoint` of a subscriber, device `endpoints`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("ghn subscriber", ""),
        "`subscribers`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("no", "ghn <kind> <id> [ <word> ]"),
        "what left the inventory",
        "only_a_deletion_deletes",
        "what_left_the_inventory_is_destroyed_and_said_twice",
    ),
    row(("mode mimo", ""), "port `mode`", "ports_are_set_in_place", EVERY),
    row(("mode siso", ""), "port `mode`", "ports_are_set_in_place", EVERY),
    row(("shutdown", ""), "port `shutdown`", "ports_are_set_in_place", EVERY),
    row(("name", "<1-31>"), "`name`", "creation_says_every_service_word", EVERY),
    row(("name", "\"\""), "port `name`", "ports_are_set_in_place", ""),
    row(
        ("description", "<1-127>"),
        "`description`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("description", "\"\""),
        "`description`",
        "settings_are_taken_back_by_their_own_words",
        "",
    ),
    row(
        ("rate-downstream", "<Mbps>"),
        "plan `rate`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("rate-upstream", "<Mbps>"),
        "plan `rate`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("service-limit-level", "<1-4>"),
        "plan `service_limit_level`",
        "the_service_limit_level_is_set_and_has_no_way_back",
        EVERY,
    ),
    row(
        ("mac-address", "<mac>"),
        "`endpoint`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("port", "<n>"),
        "`port` on an endpoint-aware device",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("port", "auto"),
        "`port: auto`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("port", "unassigned"),
        "no `port`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("allow-management-access", ""),
        "`management_access`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("endpoint", "<id>"),
        "subscriber `endpoint`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("vid", "<3-4094>"),
        "subscriber `vlan`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("tagged", ""),
        "subscriber `tagged`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("untagged", ""),
        "subscriber `tagged`",
        "settings_are_taken_back_by_their_own_words",
        EVERY,
    ),
    row(
        ("remapped-vid", "none | <3-4094>"),
        "subscriber `remapped_vlan`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("bw-profile", "unthrottled"),
        "subscriber `plan: unthrottled`",
        "settings_are_taken_back_by_their_own_words",
        EVERY,
    ),
    row(
        ("bw-profile", "<id>"),
        "subscriber `plan`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("allowed-vlan", "none | <list>"),
        "subscriber `allowed_vlans`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("port2-vid", "none | <vid>"),
        "subscriber `port2_vlan`",
        "creation_says_every_service_word",
        EVERY,
    ),
    row(
        ("poe", "disable"),
        "subscriber `poe`",
        "an_assumed_word_stands_alone_and_before_the_rest",
        EVERY,
    ),
    row(
        ("poe", "enable | force"),
        "subscriber `poe`",
        "an_assumed_word_stands_alone_and_before_the_rest",
        ASSUMED,
    ),
    row(
        ("port", "<n>, of a subscriber"),
        "subscriber `port` on a port-aware device",
        "an_assumed_word_stands_alone_and_before_the_rest",
        "a_port_is_never_taken_for_the_second_ports_vlan",
    ),
    row(
        ("port", "taken back by `no`"),
        "subscriber `port` on a port-aware device",
        "an_assumed_word_stands_alone_and_before_the_rest",
        ASSUMED,
    ),
    row(
        ("trunk", ""),
        "subscriber `trunk`",
        "an_assumed_word_stands_alone_and_before_the_rest",
        ASSUMED,
    ),
    row(
        ("trunk", "taken back by `no`"),
        "subscriber `trunk`",
        "an_assumed_word_stands_alone_and_before_the_rest",
        ASSUMED,
    ),
    row(
        ("outer-vid", "<3-4094>"),
        "subscriber `double_tag.outer_vlan`",
        "an_assumed_word_stands_alone_and_before_the_rest",
        ASSUMED,
    ),
    row(
        ("outer-vid", "none"),
        "subscriber `double_tag.outer_vlan`",
        "an_assumed_word_stands_alone_and_before_the_rest",
        ASSUMED,
    ),
    row(
        ("nni", "<k>"),
        "subscriber `double_tag.uplink`",
        "an_assumed_word_stands_alone_and_before_the_rest",
        ASSUMED,
    ),
    row(
        ("nni", "default"),
        "subscriber `double_tag.uplink`",
        "an_assumed_word_stands_alone_and_before_the_rest",
        ASSUMED,
    ),
];

#[test]
fn the_page_of_fields_is_current() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_words = std::fs::read_to_string(package.join("src/dialect/command/tests.rs")).unwrap();
    let of_program = whole_program_tests(package);
    let mut page = HEAD.to_owned();
    let described: Vec<(&str, &str)> = FIELDS.iter().map(|row| row.word).collect();
    let known: Vec<(&str, &str)> = WORDS.iter().map(|word| (word.text, word.usage)).collect();
    assert_eq!(described, known, "the table of fields and the table of words differ");
    for (word, row) in WORDS.iter().zip(FIELDS) {
        for (test, sources) in [(row.words, &of_words), (row.program, &of_program)] {
            let is_there = test.is_empty() || sources.contains(&format!("fn {test}()"));
            assert!(is_there, "there is no test {test}");
        }
        let usage = word.usage.replace('|', "\\|");
        let usage = if usage.is_empty() { usage } else { format!("`{usage}`") };
        let program = match row.program {
            "" => "said only to undo".to_owned(),
            test => format!("`{test}`"),
        };
        writeln!(
            page,
            "| {} | `{}` | {usage} | {} | {} | `{}` | {program} |",
            row.field, word.text, word.evidence, word.source, row.words
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

/// The sources of the tests that run the program.
fn whole_program_tests(package: &Path) -> String {
    let folder = std::fs::read_dir(package.join("tests/it")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}
