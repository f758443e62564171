//! The JSON Schema: current, and of one mind with the validator.

use std::collections::BTreeMap;

use gamops::diagnostic::{Severity, SourceFile};
use gamops::inventory::{self, rules::RULES};

use super::{broken_cases, package, read};

fn validator() -> jsonschema::Validator {
    jsonschema::draft7::new(&inventory::schema()).unwrap()
}

/// The file as an editor's YAML reader sees it; `None` when it is no YAML, or has keys that JSON lacks.
fn as_json(source: &SourceFile) -> Option<serde_json::Value> {
    serde_yaml::from_str(&source.text).ok()
}

#[test]
fn the_schema_in_the_repository_is_current() {
    let mut out = Vec::new();
    let args = gamops::cli::schema::Args {
        format: gamops::cli::schema::Format::Inventory,
    };
    assert_eq!(gamops::cli::schema::run(&args, &mut out).unwrap(), 0);
    let text = String::from_utf8(out).unwrap();
    super::assert_current(&package().join("schema/inventory.schema.json"), &text, "UPDATE_SCHEMA");
}

#[test]
fn the_schema_is_a_draft_7_schema() {
    assert!(jsonschema::draft7::meta::is_valid(&inventory::schema()));
}

#[test]
fn the_schema_accepts_the_examples() {
    let validator = validator();
    let examples = ["inventory-example", "inventory-billing"].map(|folder| read(&package().join(folder)));
    for source in examples.into_iter().flatten() {
        let json = as_json(&source).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", source.path);
    }
}

#[test]
fn schema_and_validator_agree_on_every_broken_file() {
    let validator = validator();
    let in_schema: BTreeMap<&str, bool> = RULES.iter().map(|rule| (rule.id, rule.in_schema)).collect();
    let mut refused = 0;
    for (name, folder) in broken_cases() {
        let sources = read(&folder);
        let report = inventory::load(&sources).report;
        for source in &sources {
            let Some(json) = as_json(source) else {
                continue;
            };
            let here = || {
                report
                    .findings()
                    .iter()
                    .filter(|finding| *finding.primary.file == *source.path)
            };
            let expressible: Vec<&str> = here()
                .map(|finding| finding.rule.0)
                .filter(|rule| in_schema[rule])
                .collect();
            let errors: Vec<String> = validator
                .iter_errors(&json)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            refused += errors.len();
            assert!(
                expressible.is_empty() || !errors.is_empty(),
                "{name}/{}: the schema accepts what the validator refuses by {expressible:?}",
                source.path
            );
            assert!(
                errors.is_empty() || here().any(|finding| finding.severity == Severity::Error),
                "{name}/{}: the validator accepts what the schema refuses: {errors:#?}",
                source.path
            );
        }
    }
    assert!(refused >= 20, "the schema refused only {refused} values");
}
