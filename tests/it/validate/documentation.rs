//! `docs/rules.md` is what the rule table says, and every rule is shown at work by a broken inventory.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gamops::diagnostic::Severity;
use gamops::inventory::{self, rules::RULES};

use super::{broken_cases, package, read};

const HEAD: &str = "\
# Rules of the inventory

Every finding of `gamops validate` names its rule. This table says what each one asks for, the fact that it rests on (a
document of the vendor and its subject, or a reason of our own), whether the JSON Schema refuses the same, and a broken
inventory that shows it at work.

Made from the table in `src/inventory/rules.rs` and the folders in `tests/broken` by the test
`the_documentation_is_current`; `UPDATE_DOCS=1 cargo test --test it documentation` writes it.

| rule | severity | asks that | rests on | in the schema | test |
|---|---|---|---|---|---|
";

/// Rule id to the first broken inventory that breaks it.
fn examples() -> BTreeMap<&'static str, String> {
    let mut examples = BTreeMap::new();
    for (name, folder) in broken_cases() {
        for finding in inventory::load(&read(&folder)).report.findings() {
            // A case named after the rule is the best example of it.
            let example = examples.entry(finding.rule.0).or_insert_with(|| name.clone());
            if name == finding.rule.0 {
                example.clone_from(&name);
            }
        }
    }
    examples
}

#[test]
fn every_rule_has_a_broken_inventory() {
    let examples = examples();
    let untested: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !examples.contains_key(id))
        .collect();
    assert!(untested.is_empty(), "no inventory in tests/broken breaks {untested:?}");
}

#[test]
fn rule_ids_are_unique() {
    let ids: std::collections::BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
}

#[test]
fn the_documentation_is_current() {
    let examples = examples();
    let mut page = HEAD.to_owned();
    for rule in RULES {
        let severity = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let schema = if rule.in_schema { "yes" } else { "no" };
        let test = examples
            .get(rule.id)
            .map(|name| format!("`tests/broken/{name}`"))
            .unwrap_or_default();
        writeln!(
            page,
            "| `{}` | {severity} | {} | {} | {schema} | {test} |",
            rule.id, rule.summary, rule.fact
        )
        .unwrap();
    }
    super::assert_current(&package().join("docs/rules.md"), &page, "UPDATE_DOCS");
}
