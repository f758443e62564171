//! The inventory's rules against whole inventories: the example, and many that are broken.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod broken;
mod cli;
mod documentation;
mod probes;
mod schema;

use std::path::{Path, PathBuf};

use gamops::diagnostic::SourceFile;
use gamops::repo;

/// The folder of the package.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads an inventory, paths shown from its own root.
fn read(folder: &Path) -> Vec<SourceFile> {
    let mut sources = repo::read_inventory(folder).unwrap();
    let prefix = format!("{}/", folder.display());
    for source in &mut sources {
        source.path = source.path.strip_prefix(&prefix).unwrap().to_owned();
    }
    sources
}

/// Every broken inventory by name, sorted.
fn broken_cases() -> Vec<(String, PathBuf)> {
    let mut cases: Vec<(String, PathBuf)> = std::fs::read_dir(package().join("tests/broken"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("gamops.yaml").exists())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    cases.sort();
    cases
}

/// Compares a file of the repository with what it is made from; with `variable` set, writes it instead.
pub(crate) fn assert_current(path: &Path, expected: &str, variable: &str) {
    if std::env::var_os(variable).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not current; run the test once with {variable}=1 and look at the difference",
        path.display()
    );
}
