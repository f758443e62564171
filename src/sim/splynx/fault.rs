//! What goes wrong to order. Pure.

use serde::Deserialize;

use super::world::Table;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A customer with a service comes, before the answer.
    RowsCome,
    /// The customer with the lowest id goes, with its services, before the answer.
    RowsGo,
    /// A list is sent as an empty one; its rows are counted as before.
    EmptyList,
    /// Rows at the end of a list are left out.
    ShortList,
    /// The page before is sent once more.
    SamePage,
    /// A list is sent from its end.
    Backwards,
    /// Every row of a list is sent twice.
    Doubled,
    /// A list is said to have a row more than it has.
    Miscounted,
    /// The answer says a time that is none.
    OddDate,
    /// Status 200 with an error in it.
    ErrorBody,
    /// Status 200 with a page for people.
    WebPage,
    /// Half of the answer, as if that were all of it.
    Truncated,
    /// The connection breaks in the middle of the answer.
    Reset,
    /// The answer comes a byte at a time.
    Drip,
    /// This status, with an error in Splynx's form.
    Status(u16),
    /// Sent on to a page for people on the same server.
    Redirect,
    /// The customer with the lowest id pays, before the answer.
    Pays,
    /// Everybody who is logged in is forgotten.
    Forgets,
    /// The key is shown the customers of one partner only, from now on.
    ScopeShrinks,
}

/// When something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct When {
    /// Only where this list is asked for; `None`: whatever is asked for.
    pub table: Option<Table>,
    /// How many such requests are answered well before.
    pub after: u32,
    /// How often; 0 for ever.
    pub times: u32,
}

/// A fault and how often its time has come.
#[derive(Debug)]
pub(super) struct Trouble {
    fault: Fault,
    when: When,
    seen: u32,
}

impl Trouble {
    pub(super) const fn new(fault: Fault, when: When) -> Self {
        Self { fault, when, seen: 0 }
    }

    /// The fault, where a request meets it.
    pub(super) fn met(&mut self, table: Option<Table>) -> Option<Fault> {
        if self.when.table.is_some() && self.when.table != table {
            return None;
        }
        self.seen += 1;
        let past = self.seen.saturating_sub(self.when.after);
        (past > 0 && (self.when.times == 0 || past <= self.when.times)).then_some(self.fault)
    }
}
