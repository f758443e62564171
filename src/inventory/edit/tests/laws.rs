//! Random texts, random edits: the tree is as meant, every other line stays, and the way back leads back.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// A value, and how it is written.
#[derive(Debug, Clone)]
enum Drawn {
    Scalar(String),
    List { items: Vec<String>, flow: bool },
    Map { entries: Vec<Line>, flow: bool },
}

/// An entry with what stands around it.
#[derive(Debug, Clone)]
struct Line {
    blank: bool,
    above: Option<String>,
    key: String,
    value: Drawn,
    behind: Option<String>,
    inner: Option<String>,
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[1-9][0-9]{0,3}",
        Just("''".to_owned()),
        Just("\"a # b, c\"".to_owned()),
        Just("'it''s: {x}'".to_owned()),
        Just("~".to_owned()),
        Just(String::new()),
        Just("00:0e:d8:2a:10:13".to_owned()),
    ]
}

fn comment() -> impl Strategy<Value = Option<String>> {
    option::weighted(
        0.3,
        "[a-z:\\-{}\\[\\]'\"#\t]{0,12}".prop_map(|text| format!("# {text}")),
    )
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let leaf = prop_oneof![
        4 => scalar().prop_map(Drawn::Scalar),
        1 => (vec("[a-z]{1,4}", 0..4), any::<bool>()).prop_map(|(items, flow)| Drawn::List { items, flow }),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        (lines(inner), any::<bool>()).prop_map(|(entries, flow)| Drawn::Map { entries, flow })
    })
}

fn lines(value: impl Strategy<Value = Drawn> + 'static) -> impl Strategy<Value = Vec<Line>> {
    let key = prop_oneof![3 => "[a-z]{1,4}", 1 => "[1-9][0-9]?", 1 => "'[a-z] [a-z]'", 1 => "\"[a-z]: \""];
    let line = (any::<bool>(), comment(), key, value, comment(), comment()).prop_map(
        |(blank, above, key, value, behind, inner)| Line {
            blank,
            above,
            key,
            value,
            behind,
            inner,
        },
    );
    vec(line, 0..5).prop_map(|mut lines| {
        let mut seen = std::collections::HashSet::new();
        lines.retain(|line| seen.insert(bare(&line.key)));
        lines
    })
}

/// A key without its quotes.
fn bare(key: &str) -> String {
    key.trim_matches(['\'', '"']).to_owned()
}

/// A whole text with the way it is written.
#[derive(Debug, Clone)]
struct Text {
    lines: Vec<Line>,
    step: usize,
    crlf: bool,
    last_line_end: bool,
    head: &'static str,
}

fn text() -> impl Strategy<Value = Text> {
    let head = prop_oneof![
        Just(""),
        Just("---\n"),
        Just("\u{feff}"),
        Just("# head\n"),
        Just("# head\n\n")
    ];
    (lines(drawn()), 1_usize..5, any::<bool>(), any::<bool>(), head).prop_map(
        |(lines, step, crlf, last_line_end, head)| Text {
            lines,
            step,
            crlf,
            last_line_end,
            head,
        },
    )
}

impl Text {
    fn written(&self) -> String {
        let mut out = self.head.to_owned();
        block(&self.lines, 0, self.step, &mut out);
        if self.crlf {
            out = out.replace('\n', "\r\n");
        }
        if !self.last_line_end {
            out.truncate(out.trim_end_matches(['\r', '\n']).len());
        }
        out
    }
}

fn block(lines: &[Line], indent: usize, step: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    for line in lines {
        if line.blank {
            out.push('\n');
        }
        if let Some(above) = &line.above {
            out.push_str(&format!("{pad}{above}\n"));
        }
        let behind = line.behind.as_ref().map(|text| format!("  {text}")).unwrap_or_default();
        match &line.value {
            Drawn::Map { entries, flow: false } if !entries.is_empty() => {
                out.push_str(&format!("{pad}{}:{behind}\n", line.key));
                block(entries, indent + step, step, out);
            }
            Drawn::List { items, flow: false } if !items.is_empty() => {
                out.push_str(&format!("{pad}{}:{behind}\n", line.key));
                items.iter().for_each(|item| out.push_str(&format!("{pad}- {item}\n")));
            }
            value => out.push_str(&format!("{pad}{}: {}{behind}\n", line.key, flow(value))),
        }
        if let Some(inner) = &line.inner {
            out.push_str(&format!("{pad}   {inner}\n"));
        }
    }
}

fn flow(value: &Drawn) -> String {
    match value {
        Drawn::Scalar(text) => text.clone(),
        Drawn::List { items, .. } => format!("[{}]", items.join(" , ")),
        Drawn::Map { entries, .. } => {
            let entries: Vec<String> = (entries.iter())
                .map(|line| match &line.value {
                    // A plain scalar with a colon is at home between lines only.
                    Drawn::Scalar(text) if text.contains(':') && !text.starts_with(['\'', '"']) => {
                        format!("{}: '{text}'", line.key)
                    }
                    value => format!("{}: {}", line.key, flow(value)),
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// What a tree says, without a trace of how.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

fn said(text: &str) -> Said {
    let mut findings = Findings::default();
    let root = document::parse(0, text, &mut findings).root;
    assert!(findings.into_report(&[], "").findings().is_empty(), "{text}");
    root.filter(|root| !root.is_null())
        .map_or(Said::Map(Vec::new()), |root| said_by(&root))
}

fn said_by(node: &Node<'_>) -> Said {
    match &node.value {
        Tree::Scalar { text, .. } => Said::Text(text.to_string()),
        Tree::Sequence(items) => Said::List(items.iter().map(said_by).collect()),
        Tree::Mapping(entries) => Said::Map(
            entries
                .iter()
                .map(|entry| (entry.key.to_string(), said_by(&entry.value)))
                .collect(),
        ),
        Tree::Refused => panic!("refused"),
    }
}

/// Every path of a tree, and whether a map is there.
fn paths(said: &Said, above: &KeyPath, out: &mut Vec<(KeyPath, bool)>) {
    if let Said::Map(entries) = said {
        for (key, value) in entries {
            let path = above.to(key);
            paths(value, &path, out);
            out.push((path, matches!(value, Said::Map(_))));
        }
    }
}

/// The map at a path of a tree.
fn map_at<'s>(said: &'s mut Said, path: &[String]) -> &'s mut Vec<(String, Said)> {
    let Said::Map(entries) = said else {
        panic!("no map");
    };
    match path.split_first() {
        None => entries,
        Some((key, below)) => {
            let (_, value) = entries.iter_mut().find(|(other, _)| other == key).unwrap();
            map_at(value, below)
        }
    }
}

fn sorted(said: Said) -> Said {
    match said {
        Said::Map(mut entries) => {
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Said::Map(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        said => said,
    }
}

/// Lines of the first that are not in the second, in order.
fn lost(before: &str, after: &str) -> Vec<String> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let diff = similar::TextDiff::from_slices(&before, &after);
    (diff.iter_all_changes())
        .filter(|change| change.tag() == similar::ChangeTag::Delete)
        .map(|change| change.value().to_owned())
        .collect()
}

proptest! {
    #[test]
    fn a_value_that_is_set_is_there_and_set_back_it_is_as_if_it_had_not_been(
        text in text(), which in any::<Index>(), value in "[a-z]{1,5}|[0-9]|it's",
    ) {
        let before = text.written();
        let mut paths_of = Vec::new();
        paths(&said(&before), &KeyPath::new([""; 0]), &mut paths_of);
        paths_of.retain(|(_, is_map)| !is_map);
        prop_assume!(!paths_of.is_empty());
        let (path, _) = which.get(&paths_of).clone();
        let after = edited(&before, &Edit::Set { path: path.clone(), value: Value::Text(value.clone()) }).unwrap();

        let (last, above) = path.keys().split_last().unwrap();
        let mut wanted = said(&before);
        let entry = map_at(&mut wanted, above).iter_mut().find(|(key, _)| key == last).unwrap();
        let old = std::mem::replace(&mut entry.1, Said::Text(value));
        prop_assert_eq!(said(&after), wanted);
        let Said::Text(old) = old else {
            return Ok(());
        };
        prop_assert!(lost(&before, &after).len() <= 1, "{:?}", lost(&before, &after));
        // What was empty has other bytes when it is set again, and so has what got quotes meanwhile.
        let original = Edit::Set { path: path.clone(), value: Value::Text(old.clone()) };
        let got_quotes = lost(&after, &before).iter().any(|line| line.contains(['\'', '"']));
        if !got_quotes && edited(&before, &original).is_ok_and(|same| same == before) {
            prop_assert_eq!(edited(&after, &original).unwrap(), before);
        }
    }

    #[test]
    fn an_entry_that_is_put_in_is_there_and_taken_out_it_is_as_if_it_had_not_been(
        text in text(), which in any::<Index>(), map in any::<bool>(), key in "[a-z]{5}|[1-9]{3}",
    ) {
        let before = text.written();
        let mut maps = Vec::new();
        paths(&said(&before), &KeyPath::new([""; 0]), &mut maps);
        maps.retain(|(_, is_map)| *is_map);
        maps.push((KeyPath::new([""; 0]), true));
        let above = which.get(&maps).0.clone();
        let path = above.to(&key);
        let value = if map { subscriber() } else { Value::Number(7) };
        let after = edited(&before, &Edit::Insert { path: path.clone(), value, beside: None }).unwrap();

        let mut wanted = said(&before);
        let entries = map_at(&mut wanted, above.keys());
        let was_empty = entries.is_empty();
        entries.push((key, if map {
            Said::Map(vec![("device".to_owned(), Said::Text("a".to_owned())), ("vlan".to_owned(), Said::Text("10".to_owned()))])
        } else {
            Said::Text("7".to_owned())
        }));
        prop_assert_eq!(sorted(said(&after)), sorted(wanted));
        prop_assert!(lost(&before, &after).len() <= 1, "{:?}", lost(&before, &after));
        if !was_empty {
            prop_assert_eq!(edited(&after, &Edit::Remove { path }).unwrap(), before);
        }
    }

    #[test]
    fn what_is_taken_out_is_gone_and_all_else_is_there(text in text(), which in any::<Index>()) {
        let before = text.written();
        let mut paths_of = Vec::new();
        paths(&said(&before), &KeyPath::new([""; 0]), &mut paths_of);
        prop_assume!(!paths_of.is_empty());
        let path = which.get(&paths_of).0.clone();
        let after = edited(&before, &Edit::Remove { path: path.clone() }).unwrap();
        let mut wanted = said(&before);
        let (last, above) = path.keys().split_last().unwrap();
        map_at(&mut wanted, above).retain(|(key, _)| key != last);
        prop_assert_eq!(said(&after), wanted);
        // Nothing new, but for the braces of a map that is empty now.
        prop_assert!(lost(&after, &before).len() <= 1, "{:?}", lost(&after, &before));
    }

    #[test]
    fn no_text_makes_an_edit_panic_or_come_out_other_than_meant(text in "([ \\-:\\[\\]{}&*!|>'\"%@`#,?ab0\\r\\n\\t~<é日]|\\PC){0,40}") {
        for edit in [set("a", Value::Number(1)), set("a.b", Value::from("x")), insert("b", subscriber()), remove("a"), remove("a.b")] {
            if let Ok(after) = edited(&text, &edit) {
                let mut findings = Findings::default();
                document::parse(0, &after, &mut findings);
                prop_assert!(findings.into_report(&[], "").findings().is_empty(), "{after:?}");
            }
        }
    }
}
