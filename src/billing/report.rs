//! The daily reconciliation: where billing and the inventory are not of one mind, as text, as JSON and as CSV.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use crate::domain::{BillingKind, ServiceRef};

use super::words::said;
use super::{Book, Decided, Kind, Way, Why};

/// Where billing and the inventory are not of one mind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose book it is.
    pub system: BillingKind,
    /// When it was made, by our own clock.
    pub at: Timestamp,
    /// Accounts in the book.
    pub accounts: usize,
    /// Services in the book.
    pub services: usize,
    /// Why nothing is done from the book at all, where that is so.
    pub distrust: Option<String>,
    /// Why nothing is done that depends on what time it is, where that is so.
    pub clock: Option<String>,
    /// Limits that keep something from being written, by what happens to subscribers: in words, with the number that lets it through.
    pub refused: BTreeMap<Kind, String>,
    /// What there is to say, the most pressing first.
    pub rows: Vec<Row>,
}

/// One matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Row {
    /// Of what sort it is.
    pub what: What,
    /// Key of the subscriber, where there is one.
    pub subscriber: Option<String>,
    /// Id of the account, where there is one.
    pub account: Option<String>,
    /// Id of the service, where there is one.
    pub service: Option<String>,
    /// What it is about, and what to do.
    pub words: String,
}

/// Of what sort a matter is, the most pressing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Something that only people know.
    Question,
    /// People wrote something else since billing was written.
    Conflict,
    /// A limit does not allow it.
    Refused,
    /// Both say different things, and neither is written.
    Differs,
    /// It waits for something.
    Held,
    /// In the inventory, and no service of billing.
    NoService,
    /// A service of billing, and not in the inventory.
    NoSubscriber,
    /// An account without any service.
    EmptyAccount,
    /// It differs, and is proposed by the next sync.
    ToPropose,
    /// It differs, and is written by the next sync.
    ToWrite,
}

impl What {
    /// Its word in tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Differs => "differs",
            Self::Held => "held",
            Self::NoService => "no service",
            Self::NoSubscriber => "no subscriber",
            Self::EmptyAccount => "empty account",
            Self::ToPropose => "to propose",
            Self::ToWrite => "to write",
        }
    }
}

impl From<Why> for What {
    fn from(why: Why) -> Self {
        match why {
            Why::Question => Self::Question,
            Why::Conflict => Self::Conflict,
            Why::Held => Self::Held,
            Why::Refused => Self::Refused,
            Why::NoService => Self::NoService,
            Why::NoSubscriber => Self::NoSubscriber,
            Why::Differs => Self::Differs,
        }
    }
}

/// Puts together what is to be said of a decision.
#[must_use]
pub fn report(book: &Book, decided: &Decided, now: Timestamp) -> Report {
    let row = |what, subscriber: Option<&String>, service: Option<&ServiceRef>, words: &str| Row {
        what,
        subscriber: subscriber.cloned(),
        account: service.map(|service| said(&service.account)),
        service: service.map(|service| said(&service.service)),
        words: words.to_owned(),
    };
    let open = (decided.open.iter()).map(|open| {
        row(
            open.why.into(),
            open.subscriber.as_ref(),
            open.service.as_ref(),
            &open.words,
        )
    });
    let intents = decided.intents.iter().map(|intent| {
        let what = match intent.way {
            Way::Push => What::ToWrite,
            Way::Propose => What::ToPropose,
        };
        row(what, Some(&intent.subscriber), Some(&intent.service), &intent.words)
    });
    let is_empty = |account: &(&String, &super::Account)| account.1.services.is_empty() && decided.distrust.is_none();
    let empty = book.accounts.iter().filter(is_empty).map(|(id, account)| Row {
        what: What::EmptyAccount,
        subscriber: None,
        account: Some(said(id)),
        service: None,
        words: format!("{} has no internet service", said(&account.name)),
    });
    let mut rows: Vec<Row> = open.chain(intents).chain(empty).collect();
    rows.sort();
    let told = super::trust::told(book);
    Report {
        system: book.kind,
        at: now,
        accounts: told.accounts,
        services: told.services,
        distrust: decided.distrust.clone(),
        clock: decided.clock.clone(),
        refused: decided.refused.clone(),
        rows,
    }
}

impl Report {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "{}: {} accounts with {} services, looked at {:.0}.\n",
            self.system, self.accounts, self.services, self.at
        );
        for (word, reason) in [("NOT BELIEVED", &self.distrust), ("CLOCK", &self.clock)] {
            if let Some(reason) = reason {
                let _ = writeln!(out, "{word}: {reason}.");
            }
        }
        for limit in self.refused.values() {
            let _ = writeln!(out, "REFUSED by {limit}.");
        }
        if self.rows.is_empty() {
            if self.distrust.is_none() {
                out.push_str("\nBilling and the inventory agree.\n");
            }
            return out;
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_header(["WHAT", "SUBSCRIBER", "SERVICE", "WHY"]);
        for row in &self.rows {
            table.add_row([
                row.what.word(),
                row.subscriber.as_deref().unwrap_or("-"),
                &row.name(),
                &row.words,
            ]);
        }
        out.push('\n');
        for line in table.lines() {
            let line = line.trim_end();
            let _ = writeln!(out, "{}", line.strip_prefix(' ').unwrap_or(line));
        }
        // In the order of what they are.
        let sums: Vec<String> = (self.rows.chunk_by(|one, other| one.what == other.what))
            .filter_map(|same| Some(format!("{} {}", same.len(), same.first()?.what.word())))
            .collect();
        let _ = writeln!(out, "\n{}", sums.join(", "));
        out
    }

    /// For spreadsheets: the form of RFC 4180, with a head line.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut out = "what,subscriber,account,service,words\r\n".to_owned();
        for row in &self.rows {
            let cells = [
                Some(row.what.word()),
                row.subscriber.as_deref(),
                row.account.as_deref(),
                row.service.as_deref(),
                Some(&row.words),
            ];
            let cells = cells.map(|cell| cell_of(cell.unwrap_or_default()));
            let _ = write!(out, "{}\r\n", cells.join(","));
        }
        out
    }
}

impl Row {
    /// `1001/5001`, or what is known of that.
    fn name(&self) -> String {
        match (&self.account, &self.service) {
            (Some(account), Some(service)) => format!("{account}/{service}"),
            (Some(account), None) => account.clone(),
            _ => "-".to_owned(),
        }
    }
}

/// A cell, in quotes where it needs them. What a spreadsheet would take for a formula begins with an apostrophe.
fn cell_of(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
