//! The daily reconciliation as it is read.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::billing::report::{Report, Row, What, report};

/// A morning with one matter of each sort.
fn morning() -> Report {
    let mut desk = Desk::new();
    desk.service("1/11", "7", Standing::Active, &mac(0x31));
    desk.service("2/12", "2", Standing::Suspended, &mac(2));
    desk.service("4/14", "5", Standing::Active, &mac(0x21));
    desk.service("5/15", "5", Standing::Active, &mac(0x22));
    desk.plug("maple-b", 4, &mac(0x22));
    desk.write(
        "vlan: 1002,",
        "vlan: 1002, hold: {until: 2026-12-24, reason: \"disputed, see ticket 7\"},",
    );
    desk.stands("3/13", Standing::Ended);
    desk.book.accounts.entry("6".to_owned()).or_default().name = "=SUM(A1)\n\"Bob\"".to_owned();
    desk.write("    vlans:", "    ways: {create: propose}\n    vlans:");
    report(&desk.book, &desk.decide(), desk.now)
}

#[test]
fn a_morning_is_read_at_a_glance() {
    insta::assert_snapshot!(morning().text());
}

#[test]
fn programs_are_told_the_same() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&morning()).unwrap());
    insta::assert_snapshot!(morning().csv().replace("\r\n", "\n"));
}

#[test]
fn agreement_and_distrust_are_said() {
    let mut desk = Desk::new();
    let text = |desk: &Desk| report(&desk.book, &desk.decide(), desk.now).text();
    assert_eq!(
        text(&desk),
        "Splynx: 3 accounts with 3 services, looked at 2026-11-28T12:00:00Z.\n\nBilling and the inventory agree.\n"
    );
    desk.book.accounts.clear();
    desk.book.at = Some("2026-11-28T13:00:00Z".parse().unwrap());
    let text = text(&desk);
    assert!(
        text.contains("\nNOT BELIEVED: Splynx tells of no service at all"),
        "{text}"
    );
    assert!(text.contains("\nCLOCK: our clock says"), "{text}");
    assert!(!text.contains("agree"), "{text}");
}

/// Reads CSV as RFC 4180 has it.
fn read(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut chars = text.chars().peekable();
    let mut in_quotes = false;
    while let Some(char) = chars.next() {
        let row = rows.last_mut().unwrap();
        match char {
            '"' if in_quotes && chars.peek() == Some(&'"') => row.last_mut().unwrap().push(chars.next().unwrap()),
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => row.push(String::new()),
            '\r' if !in_quotes && chars.peek() == Some(&'\n') => {
                chars.next();
                rows.push(vec![String::new()]);
            }
            _ => row.last_mut().unwrap().push(char),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]), "the last line has an end");
    rows
}

proptest! {
    #[test]
    fn a_spreadsheet_reads_what_was_said_and_calculates_nothing(cells in vec("([ -~]|\\PC|[\r\n\t\",=+@-]){0,12}", 4)) {
        let row = Row {
            what: What::Held,
            subscriber: Some(cells[0].clone()),
            account: Some(cells[1].clone()),
            service: Some(cells[2].clone()),
            words: cells[3].clone(),
        };
        let report = Report { rows: vec![row], ..morning() };
        let rows = read(&report.csv());
        prop_assert_eq!(rows.len(), 2);
        for (said, cell) in cells.iter().zip(&rows[1][1..]) {
            prop_assert!(cell == said || cell.strip_prefix('\'') == Some(said.as_str()));
            prop_assert!(!cell.starts_with(['=', '+', '-', '@']));
        }
    }
}
