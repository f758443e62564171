//! The tree and its places.

use proptest::prelude::*;

use super::*;
use crate::diagnostic::{Report, SourceFile};

fn tree(text: &str) -> (Option<Node<'_>>, Report) {
    let mut findings = Findings::default();
    let parsed = parse(0, text, &mut findings);
    let source = SourceFile {
        path: "a.yaml".to_owned(),
        text: text.to_owned(),
    };
    (parsed.root, findings.into_report(&[&source], "a.yaml"))
}

/// Every scalar with the text that its span covers.
fn scalars<'t>(text: &'t str, node: &Node<'t>, out: &mut Vec<(String, &'t str)>) {
    let covered = &text[to_usize(node.span.start)..to_usize(node.span.end)];
    match &node.value {
        Value::Scalar { text, .. } => out.push((text.to_string(), covered)),
        Value::Sequence(items) => items.iter().for_each(|item| scalars(text, item, out)),
        Value::Mapping(entries) => {
            for entry in entries {
                let key = &text[to_usize(entry.key_span.start)..to_usize(entry.key_span.end)];
                out.push((entry.key.to_string(), key));
                scalars(text, &entry.value, out);
            }
        }
        Value::Refused => {}
    }
}

fn covered(text: &str) -> Vec<(String, String)> {
    let (root, report) = tree(text);
    assert_eq!(report.findings(), [], "{text}");
    let mut out = Vec::new();
    scalars(text, &root.unwrap(), &mut out);
    out.into_iter().map(|(value, span)| (value, span.to_owned())).collect()
}

#[test]
fn spans_cover_scalars_as_they_are_written() {
    for (text, value, span) in [
        ("12e5", "12e5", "12e5"),
        ("0123", "0123", "0123"),
        ("1_000", "1_000", "1_000"),
        ("0x64", "0x64", "0x64"),
        ("00:0e:d8:1c:95:08", "00:0e:d8:1c:95:08", "00:0e:d8:1c:95:08"),
        ("\"a\\tb\"", "a\tb", "\"a\\tb\""),
        ("'it''s'", "it's", "'it''s'"),
        ("héllo 日本 # c", "héllo 日本", "héllo 日本"),
    ] {
        let document = format!("# 日本語\r\nk:\r\n  - {text}\r\n");
        assert_eq!(
            covered(&document).last(),
            Some(&(value.to_owned(), span.to_owned())),
            "{text}"
        );
    }
}

#[test]
fn a_block_scalar_s_span_ends_with_its_last_line() {
    let all = covered("k: |\n  one\n  two\n\nnext: 1\n");
    assert_eq!(all[1].0, "one\ntwo\n");
    assert!(all[1].1.ends_with("two"), "{:?}", all[1].1);
}

#[test]
fn both_of_two_equal_keys_are_kept() {
    let (root, _) = tree("a: 1\na: 2\n");
    let Some(Node {
        value: Value::Mapping(entries),
        ..
    }) = root
    else {
        panic!("not a map");
    };
    let lines: Vec<u32> = entries.iter().map(|entry| entry.key_span.start).collect();
    assert_eq!(lines, [0, 5]);
}

#[test]
fn an_alias_repeats_its_anchor_s_value_and_place() {
    let all = covered("a: &x [1, 2]\nb: *x\n");
    let texts: Vec<&str> = all.iter().map(|(value, _)| value.as_str()).collect();
    assert_eq!(texts, ["a", "1", "2", "b", "1", "2"]);
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_key() {
    assert_eq!(
        covered("\u{feff}format: 1\n")[0],
        ("format".to_owned(), "format".to_owned())
    );
}

#[test]
fn nothing_but_comments_is_nothing() {
    for text in ["", "\n\n", "# only a comment", "---\n", "\u{feff}"] {
        let (root, report) = tree(text);
        assert!(root.is_none_or(|root| root.is_null()), "{text:?}");
        assert_eq!(report.findings(), [], "{text:?}");
    }
}

#[test]
fn a_laugh_repeated_by_the_billion_is_refused_quickly() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let below = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [below.as_str(); 10].join(", ")));
    }
    let (_, report) = tree(&text);
    assert_eq!(report.errors(), 1, "{report:?}");
    assert_eq!(report.findings()[0].rule.0, "yaml-limit");
}

#[test]
fn a_chain_of_aliases_cannot_grow_deeper_than_the_limit() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..5000 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let (root, report) = tree(&text);
    assert!(root.unwrap().depth() <= MAX_DEPTH + 1);
    assert_eq!(report.findings()[0].rule.0, "yaml-limit");
}

#[test]
fn deep_nesting_is_refused_in_either_style() {
    let flow = "[".repeat(100_000);
    let block: String = (0..5000).map(|depth| format!("{}- \n", " ".repeat(depth))).collect();
    let dashes = "- ".repeat(100_000);
    for text in [flow, block, dashes] {
        let (_, report) = tree(&text);
        assert_eq!(report.errors(), 1);
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic_or_leaves_its_text(text in "([ \\-:\\[\\]{}&*!|>'\"%@`#,?a0\\r\\n\\t~<é日]|\\PC){0,60}") {
        let (root, report) = tree(&text);
        if let Some(root) = root {
            let mut out = Vec::new();
            scalars(&text, &root, &mut out);
        }
        for finding in report.findings() {
            prop_assert!(text.get(finding.primary.span.clone()).is_some());
        }
    }
}
