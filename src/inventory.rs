//! The inventory: YAML in, a validated [`model::Inventory`] out, and from it each device's wish.
//!
//! Pure: works on texts handed in. All findings of a run are collected, none hides another. The way of a text:
//! `document` (a tree with places) → `decode` by the tables of `raw` → `fleet` (all files merged) → `rules` → `resolve`
//! into the model → [`compile()`] for one device.

pub mod billing;
mod compile;
mod decode;
mod decoded;
pub mod desired;
mod document;
pub mod drift;
pub mod edit;
pub mod expression;
mod findings;
mod fleet;
pub mod guards;
pub mod model;
mod nearest;
pub mod partial;
mod place;
mod quote;
mod rate;
mod raw;
mod resolve;
pub mod rollout;
mod root;
pub mod rules;
mod schema;
pub mod since;
pub mod swap;
pub mod window;

use crate::diagnostic::{Report, SourceFile};

pub use compile::{compile, compile_all};
pub use decoded::Cache;
pub use place::place_of;
pub use quote::{quoted, quoted_key};
pub use rate::{Headroom, sold_at};
pub use root::{Include, ROOT_FILE};
pub use schema::schema;

use findings::{Findings, Loc};
use fleet::{Absent, Fleet};
use model::Inventory;

/// What came of reading an inventory.
#[derive(Debug)]
pub struct Loaded {
    /// The inventory. `None` when the report holds an error; warnings do not take it away.
    pub inventory: Option<Inventory>,
    /// All findings.
    pub report: Report,
}

/// Reads an inventory from its texts: the root file, `gamops.yaml`, and the files that it includes, in any order.
///
/// Whose fault: every finding is about the texts, so the operator's.
#[must_use]
pub fn load(files: &[SourceFile]) -> Loaded {
    load_cached(files, &mut Cache::default())
}

/// As [`load()`], with the same result, but reads only those files that are not in `cache` as they are now. The cache is
/// brought up to date.
#[must_use]
pub fn load_cached(files: &[SourceFile], cache: &mut Cache) -> Loaded {
    // By path, so that the order in which files were found changes nothing, not even which of two equal keys
    // is called the second.
    let mut sources: Vec<&SourceFile> = files.iter().collect();
    sources.sort_by(|one, other| (&one.path, &one.text).cmp(&(&other.path, &other.text)));
    let root = root::find(sources.iter().map(|source| source.path.as_str()));
    cache.update(&sources, root);

    let mut findings = Findings::default();
    if root.is_none() {
        findings
            .add(&rules::NO_ROOT, Loc::nowhere(), format!("there is no {ROOT_FILE} here"))
            .help("an inventory has a root file with `format: 1` and `inventory: NAME`");
    }
    root::refuse_second(&sources, root, &mut findings);
    // What a second root file says is not looked at: nobody could tell what holds.
    let decoded = || {
        cache
            .files()
            .filter(|(path, file)| file.root.is_some() || !root::is_root(path))
            .map(|(_, file)| file)
    };
    for file in decoded() {
        findings.extend(&file.findings);
    }
    let absent = Absent::default();
    let fleet = Fleet::merge(decoded(), &absent, &mut findings);
    if let Some(root) = root {
        root::check(fleet.includes, &sources[root].path, &sources, &mut findings);
    }
    rules::check(&fleet, &mut findings);
    let report = findings.into_report(&sources, ROOT_FILE);
    let inventory = if report.is_valid() {
        resolve::resolve(&fleet)
    } else {
        None
    };
    Loaded { inventory, report }
}

#[cfg(test)]
mod tests;
