//! Broken inventories and what an operator is told about them.

use std::collections::BTreeSet;
use std::path::Path;

use gamops::diagnostic::Colour;
use gamops::inventory;

use super::{broken_cases, read};

/// One snapshot beside each inventory: `findings.snap`.
#[test]
fn every_broken_inventory_is_explained() {
    let cases = broken_cases();
    assert!(cases.len() >= 25, "only {} cases were found", cases.len());
    let mut expected = BTreeSet::new();
    for (name, folder) in cases {
        let sources = read(&folder);
        let loaded = inventory::load(&sources);
        assert!(!loaded.report.findings().is_empty(), "{name} has no finding");
        let text = loaded.report.render_text(&sources, Colour::Off, 140);
        insta::with_settings!({ snapshot_path => &folder, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("findings", text);
        });
        expected.insert(name);
    }
    assert!(expected.contains("duplicate-mac"));
}

#[test]
fn a_report_is_the_same_whatever_the_order_of_the_files() {
    for (name, folder) in broken_cases() {
        let mut sources = read(&folder);
        let forward = inventory::load(&sources).report;
        sources.reverse();
        assert_eq!(forward, inventory::load(&sources).report, "{name}");
    }
}

#[test]
fn every_finding_points_into_its_file() {
    for (name, folder) in broken_cases() {
        let sources = read(&folder);
        for finding in inventory::load(&sources).report.findings() {
            let related = finding.related.iter().map(|(place, _)| place);
            for place in std::iter::once(&finding.primary).chain(related) {
                let Some(source) = sources.iter().find(|source| *source.path == *place.file) else {
                    assert_eq!(Path::new(&*place.file), Path::new("gamops.yaml"), "{name}");
                    continue;
                };
                let line = source.text.split('\n').nth(place.line - 1).unwrap();
                let pointed: String = line.chars().skip(place.column - 1).collect();
                let spanned = &source.text[place.span.clone()];
                assert!(
                    pointed.starts_with(spanned),
                    "{name}: {spanned:?} is not at {}:{}",
                    place.line,
                    place.column
                );
            }
        }
    }
}
