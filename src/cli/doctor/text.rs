//! Findings for people: one device in full, a fleet in one line each and its problems.

use std::fmt::Write as _;

use crate::checkup::{Finding, Level};
use crate::plan::count;
use crate::reconcile::Examined;

use super::{count_of, worst};

/// Columns of the word and of the check's name.
const LEVEL: usize = 8;
const CHECK: usize = 17;

pub(super) fn text(examined: &[Examined], all: bool) -> String {
    let in_full = all || examined.len() == 1;
    let mut out = String::new();
    for one in examined {
        let facts = &one.facts;
        if in_full {
            let _ = writeln!(out, "{}  {} at {}", facts.device, facts.model, facts.address);
        } else {
            let _ = writeln!(out, "{}  {}", facts.device, in_short(one));
        }
        let shown = one
            .findings
            .iter()
            .filter(|finding| in_full || finding.level == Level::Problem);
        for finding in shown {
            line(&mut out, finding);
        }
        if in_full {
            out.push('\n');
        }
    }
    let of = |level| examined.iter().filter(|one| worst(one) == level).count();
    let (problems, notes) = (of(Level::Problem), of(Level::Note));
    let _ = writeln!(
        out,
        "{}: {problems} with problems, {notes} with notes only, {} without a finding.",
        count(examined.len(), "device"),
        of(Level::Ok)
    );
    out
}

/// `1 problem, 2 notes`, `fine`.
fn in_short(one: &Examined) -> String {
    let (problems, notes) = (count_of(one, Level::Problem), count_of(one, Level::Note));
    let words: Vec<String> = [(problems, "problem"), (notes, "note")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(number, word))
        .collect();
    if words.is_empty() {
        "fine".to_owned()
    } else {
        words.join(", ")
    }
}

fn line(out: &mut String, finding: &Finding) {
    let level = match finding.level {
        Level::Problem => "PROBLEM",
        level => level.word(),
    };
    let _ = writeln!(out, "  {level:<LEVEL$} {:<CHECK$} {}", finding.check, finding.says);
    if let Some(help) = &finding.help {
        let _ = writeln!(out, "  {:LEVEL$} {:CHECK$} help: {help}", "", "");
    }
}
