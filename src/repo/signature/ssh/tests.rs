use proptest::prelude::*;

use super::*;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKJ0H9Xk4sz3JLGIVRXjF3PFNxGq6zb1Zp3pGKvS0n9";

fn lines(text: &str) -> Result<Vec<AllowedSigner>, (usize, String)> {
    parse(text, &TimeZone::UTC)
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_line_is_read_with_its_options_and_without() {
    let text = format!(
        "# who may\n\nalice@example.org {KEY} alice's laptop\n\
         \"bob@example.org,*@noc.example.org\" namespaces=\"git,file\",valid-after=\"20260101Z\",valid-before=\"202602011200Z\" {KEY}\n"
    );
    let read = lines(&text).unwrap();
    assert_eq!(read[0].principals, "alice@example.org");
    assert_eq!(
        (&read[0].namespaces, read[0].after, read[0].before),
        (&None, None, None)
    );
    assert_eq!(read[1].principals, "bob@example.org,*@noc.example.org");
    assert_eq!(read[1].namespaces.as_deref(), Some("git,file"));
    assert_eq!(read[1].after, Some(moment("2026-01-01T00:00:00Z")));
    assert_eq!(read[1].before, Some(moment("2026-02-01T12:00:00Z")));
    assert_eq!(read[0].key, read[1].key, "a comment is no part of a key");
}

#[test]
fn a_time_without_z_is_local() {
    let zone = TimeZone::get("America/Toronto").unwrap();
    let of = |text| time(text, &zone);
    assert_eq!(of("20260131235959"), Ok(moment("2026-02-01T04:59:59Z")));
    assert_eq!(of("20260131235959Z"), Ok(moment("2026-01-31T23:59:59Z")));
    for text in ["", "2026", "20260230", "2026-01-01", "202601012560", "20260101z0"] {
        assert!(of(text).is_err(), "{text}");
    }
}

#[test]
fn a_line_that_is_not_understood_is_named_and_not_skipped() {
    for (line, what) in [
        ("alice@example.org".to_owned(), "no line of allowed signers"),
        (
            "alice@example.org ssh-ed25519 AAAA".to_owned(),
            "no line of allowed signers",
        ),
        (
            format!("alice@example.org cert-authority {KEY}"),
            "certificates are not followed",
        ),
        (
            format!("alice@example.org verify-required {KEY}"),
            "`verify-required` is no option",
        ),
        (
            format!("alice@example.org valid-before=\"soon\" {KEY}"),
            "`soon` is no time",
        ),
    ] {
        let (number, reason) = lines(&format!("# one\n{line}\n")).unwrap_err();
        assert_eq!(number, 2);
        assert!(reason.contains(what), "{line}: {reason}");
    }
}

#[test]
fn patterns_are_those_of_openssh() {
    for (patterns, is) in [
        ("git", true),
        ("file,git", true),
        ("*", true),
        ("g?t", true),
        ("gi*", true),
        ("*,!git", false),
        ("file", false),
        ("git?", false),
        ("GIT", false),
        ("", false),
    ] {
        assert_eq!(is_in(patterns, "git"), is, "{patterns}");
    }
}

#[test]
fn a_key_counts_between_its_two_times() {
    let text = format!("a valid-after=\"20260101Z\",valid-before=\"20260201Z\" {KEY}");
    let signer = &lines(&text).unwrap()[0];
    let refuses = |text| signer.refuses(moment(text), "SHA256:x");
    assert!(matches!(refuses("2025-12-31T23:59:59Z"), Some(Refusal::Early { .. })));
    assert_eq!(refuses("2026-01-01T00:00:00Z"), None);
    assert_eq!(refuses("2026-02-01T00:00:00Z"), None);
    assert!(matches!(refuses("2026-02-01T00:00:01Z"), Some(Refusal::Expired { .. })));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), options in "[a-z=\",-]{0,30}") {
        let _ = lines(&text);
        let _ = lines(&format!("a {options} {KEY}"));
    }
}
