//! What goes wrong to order.

use serde::Deserialize;

/// One way in which an answer goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SonarFault {
    /// `{"error": "Request limit of 400/min reached."}`.
    Busy,
    /// Status 200 with `errors` and no data.
    Errors,
    /// Status 200 with `errors` beside a part of the data.
    PartialData,
    /// A web page with this status.
    Html(u16),
    /// JSON without `data`.
    NoData,
    /// Half of the answer, as if it were all.
    HalfJson,
    /// The connection ends in the middle of the answer.
    BrokenOff,
    /// No answer at all.
    Silent,
    /// Lists say that they have more pages than they have.
    MorePages,
    /// Lists say how many rows they have, and send none.
    Empty,
    /// Lists are sent from their ends.
    Backwards,
    /// Lists have every row twice.
    Doubled,
    /// Lists say that they have a row more than they have.
    Miscounted,
    /// Lists are without every row of which the id is divisible by this, and say nothing of it.
    Collapse(u64),
    /// Nested lists end after their first row, and say so only in their counts.
    NestedCut,
    /// Somebody makes an account before the answer.
    NewAccount,
    /// The account with the lowest id, and all that is its own, is gone before the answer. Sonar does not do that to anybody.
    LostAccount,
    /// The account with the lowest id is active again before the answer.
    Revived,
    /// The answer says a time that is none.
    OddDate,
    /// The token is not known any more.
    Revoked,
}

/// Faults that are to come.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Coming>);

#[derive(Debug)]
struct Coming {
    fault: SonarFault,
    /// Requests that are still answered as they should be.
    skip: usize,
    /// Requests that it will hit.
    times: usize,
}

impl Faults {
    pub(super) fn add(&mut self, fault: SonarFault, skip: usize, times: usize) {
        self.0.push(Coming { fault, skip, times });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What goes wrong with the next request.
    pub(super) fn next(&mut self) -> Vec<SonarFault> {
        let mut now = Vec::new();
        for coming in &mut self.0 {
            if coming.skip > 0 {
                coming.skip -= 1;
            } else if coming.times > 0 {
                coming.times -= 1;
                now.push(coming.fault.clone());
            }
        }
        self.0.retain(|coming| coming.times > 0);
        now
    }
}
