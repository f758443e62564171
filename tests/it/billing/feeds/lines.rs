//! `services.yaml`, line by line: what the test knows of YAML, which is no more than what the files of this test need.

use std::collections::BTreeMap;

/// What stands before the first subscriber, and the text of each, by key.
pub(super) fn entries(text: &str) -> (String, BTreeMap<String, String>) {
    let (mut before, mut entries, mut last) = (String::new(), BTreeMap::new(), None);
    for line in text.lines() {
        let key = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#']));
        if let Some((key, _)) = key.and_then(|rest| rest.split_once(':')) {
            last = Some(key.to_owned());
        }
        let into = match &last {
            Some(key) => entries.entry(key.clone()).or_default(),
            None => &mut before,
        };
        into.push_str(line);
        into.push('\n');
    }
    (before, entries)
}

/// The fields of a subscriber that is written on one line, with braces around it; what stands behind them as `#`.
pub(super) fn fields(entry: &str) -> BTreeMap<String, String> {
    let (Some(from), Some(to)) = (entry.find("{ "), entry.rfind(" }")) else {
        return BTreeMap::from([("#".to_owned(), entry.to_owned())]);
    };
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    let inside = &entry[from + 2..to];
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    let mut fields: BTreeMap<String, String> = (parts.into_iter())
        .filter_map(|part| part.trim().split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    fields.insert("#".to_owned(), entry[to + 2..].to_owned());
    // What is not said is so.
    fields.entry("state".to_owned()).or_insert_with(|| "active".to_owned());
    fields
}

/// A subscriber's line with a mark that its service was over on a day, in the place of what it says of that.
pub(super) fn marked(entry: &str, day: &str) -> String {
    let mut line = entry.to_owned();
    for name in [", state: ", ", ended: "] {
        if let Some(from) = line.find(name) {
            let value = &line[from + name.len()..];
            let length = value.find([',', ' ']).unwrap_or(value.len());
            line.replace_range(from..from + name.len() + length, "");
        }
    }
    line.replacen(
        ", external:",
        &format!(", state: suspended, ended: {day}, external:"),
        1,
    )
}

#[test]
fn lines_are_taken_apart() {
    let text = "subscribers: # all\n  a-1: { port: 1, external: { splynx: \"1/2\" }, state: suspended } # dog\n  b-2:\n    port: 2\n";
    let (before, entries) = entries(text);
    assert_eq!((before.as_str(), entries.len()), ("subscribers: # all\n", 2));
    assert_eq!(entries["b-2"], "  b-2:\n    port: 2\n");
    let found = fields(&entries["a-1"]);
    assert_eq!(
        (found["state"].as_str(), found["external"].as_str()),
        ("suspended", "{ splynx: \"1/2\" }")
    );
    assert_eq!(found["#"], " # dog\n");
    let marked = marked(
        "  a: { port: 1, state: active, external: { x: \"1\" }, ended: 2026-01-01 }\n",
        "2026-02-02",
    );
    assert_eq!(
        marked,
        "  a: { port: 1, state: suspended, ended: 2026-02-02, external: { x: \"1\" } }\n"
    );
}
