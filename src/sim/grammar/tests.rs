use super::*;

fn grammar() -> Grammar<u8> {
    let mut grammar = Grammar::new();
    grammar.add(0, "show version", 1);
    grammar.add(0, "show running-config [all-defaults]", 2);
    grammar.add(15, "configure terminal", 3);
    grammar.add(15, "copy running-config startup-config", 4);
    grammar.add(
        15,
        "ghn endpoint <id:1-384> [name <name:word1-31>] [mac-address <mac:mac>] [port {<port:1-99> | unassigned | auto}] [allow-management-access]",
        5,
    );
    grammar.add(15, "contact <rest:rest>", 6);
    grammar
}

fn refused(line: &str) -> (SyntaxErrorKind, usize) {
    let error = grammar().parse(line, 15).unwrap_err();
    (error.kind, error.at)
}

#[test]
fn a_unique_start_is_the_word() {
    let found = grammar().parse("sh run all", 0).unwrap();
    assert_eq!(found.act, 2);
    assert!(found.has("all-defaults"));
}

#[test]
fn a_start_of_two_words_is_ambiguous() {
    assert_eq!(refused("co run start"), (SyntaxErrorKind::Ambiguous, 0));
}

#[test]
fn options_come_in_any_order_and_once() {
    let found = grammar()
        .parse(
            r#"ghn endpoint 7 port auto name "apt 2" mac-address 00:0e:d8:00:00:01"#,
            15,
        )
        .unwrap();
    assert_eq!(found.number::<u16>("id"), Some(7));
    assert_eq!(found.value("name"), Some("apt 2"));
    assert!(found.has("auto") && !found.has("unassigned"));
    assert_eq!(
        refused("ghn endpoint 7 port 1 port 2"),
        (SyntaxErrorKind::Invalid, "ghn endpoint 7 port 1 ".len())
    );
}

#[test]
fn a_wrong_word_is_marked_where_it_stands() {
    assert_eq!(refused("ghn endpont 1"), (SyntaxErrorKind::Invalid, 4));
    assert_eq!(refused("ghn endpoint 385"), (SyntaxErrorKind::Invalid, 13));
    assert_eq!(
        refused("ghn endpoint 1 mac-address 00:0e"),
        (SyntaxErrorKind::IncompleteWord, 27)
    );
    assert_eq!(
        refused(r#"ghn endpoint 1 name "x"#),
        (SyntaxErrorKind::IncompleteWord, 20)
    );
    assert_eq!(refused("ghn endpoint"), (SyntaxErrorKind::IncompleteCommand, 12));
    assert_eq!(refused("show version now"), (SyntaxErrorKind::Invalid, 13));
}

#[test]
fn a_missing_privilege_hides_the_word() {
    let error = grammar().parse("configure terminal", 5).unwrap_err();
    assert_eq!(error.kind, SyntaxErrorKind::Invalid);
}

#[test]
fn a_quoted_word_is_never_a_keyword() {
    assert_eq!(refused(r#""show" version"#), (SyntaxErrorKind::Invalid, 0));
}

#[test]
fn the_rest_of_a_line_is_one_value() {
    let found = grammar().parse("contact call  Roger, ext 5", 15).unwrap();
    assert_eq!(found.value("rest"), Some("call  Roger, ext 5"));
}

#[test]
fn continuations_name_what_may_follow() {
    let next = grammar().continuations("show ", 15);
    assert_eq!(next.words, ["running-config", "version"]);
    assert!(!next.end);
    let next = grammar().continuations("show r", 15);
    assert_eq!((next.begun.as_str(), next.words.len()), ("r", 1));
    let next = grammar().continuations("ghn endpoint 3 ", 15);
    assert!(next.end && next.words.contains(&"port".to_owned()));
}

proptest::proptest! {
    #[test]
    fn no_line_makes_the_grammar_panic(line in ".{0,80}") {
        let _ = grammar().parse(&line, 15);
        let _ = grammar().continuations(&line, 15);
    }

    #[test]
    fn lines_of_known_words_do_not_panic(words in proptest::collection::vec(
        proptest::sample::select(vec!["show", "ghn", "endpoint", "1", "name", "\"a", "port", "auto", "?", "co"]), 0..8)) {
        let _ = grammar().parse(&words.join(" "), 15);
    }
}
