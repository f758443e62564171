//! A guard that a plan tripped, in words.

use std::fmt;

use crate::inventory::guards::Share;
use crate::plan::text::count;

use super::allow::{self, Allow, Source, Subject};
use super::baseline::Earlier;

/// The guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// Too many subscribers of one device destroyed.
    DestroyPerDevice,
    /// Too many subscribers of the fleet destroyed.
    DestroyPerFleet,
    /// Too many subscribers without service from then on.
    Suspend,
    /// Too many devices changed in one run.
    ChangeDevices,
    /// Too many devices gone from the inventory.
    LoseDevices,
    /// Too many subscribers gone from the inventory.
    LoseSubscribers,
    /// Too many plans gone from the inventory.
    LosePlans,
    /// Something that is, or was when the inventory was last applied, protected.
    Protected,
}

impl Guard {
    /// Its stable name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DestroyPerDevice => "destroy-per-device",
            Self::DestroyPerFleet => "destroy-per-fleet",
            Self::Suspend => "suspend",
            Self::ChangeDevices => "change-devices",
            Self::LoseDevices => "lose-devices",
            Self::LoseSubscribers => "lose-subscribers",
            Self::LosePlans => "lose-plans",
            Self::Protected => "protected",
        }
    }

    /// What has to be allowed for it.
    pub(super) const fn subject(self) -> Subject {
        match self {
            Self::DestroyPerDevice | Self::DestroyPerFleet | Self::Protected => Subject::Destroy,
            Self::Suspend => Subject::Suspend,
            Self::ChangeDevices => Subject::Devices,
            Self::LoseDevices => Subject::LostDevices,
            Self::LoseSubscribers => Subject::LostSubscribers,
            Self::LosePlans => Subject::LostPlans,
        }
    }
}

/// A number above its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// What the plan comes to.
    pub number: usize,
    /// What is let through.
    pub limit: usize,
    /// How many there are of them in all.
    pub whole: usize,
    /// The share that counts, where there are enough of them.
    pub share: Option<Share>,
    /// Whether it is the limit of the earlier inventory, the stricter of the two.
    pub last: bool,
    /// Which inventory that is.
    pub earlier: Earlier,
}

impl fmt::Display for Excess {
    /// `at most 20 (2 % of 640 is 12)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {}", self.limit)?;
        if let Some(share) = self.share {
            let part = share.of(self.whole);
            write!(f, " ({share} of {}", self.whole)?;
            if part != self.limit {
                write!(f, " is {part}")?;
            }
            f.write_str(")")?;
        }
        if self.last {
            f.write_str(match self.earlier {
                Earlier::Applied => ", by the inventory that was last applied",
                Earlier::Base => ", by the base of this change",
            })?;
        }
        Ok(())
    }
}

/// Why a guard trips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is too much at once.
    TooMany {
        /// How much too much.
        excess: Excess,
        /// What would allow it.
        needs: Allow,
    },
    /// Something protected would go. Nothing allows that: it takes two commits.
    Protected {
        /// What, and what happens to it, as a sentence.
        what: String,
    },
}

/// What becomes of a plan that trips a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing of it is applied.
    Refused,
    /// Nothing of it is applied: another number was allowed, there.
    OtherNumber(Allow, Source),
    /// It was said to be meant, there.
    Allowed(Source),
}

/// A guard that a plan trips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Which.
    pub guard: Guard,
    /// The device that it is about, if it is about one.
    pub device: Option<String>,
    /// Why.
    pub why: Why,
    /// What becomes of it.
    pub verdict: Verdict,
}

impl Trip {
    /// Whether nothing of the plan may be applied because of it.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        !matches!(self.verdict, Verdict::Allowed(_))
    }

    /// What would allow it, if anything does.
    #[must_use]
    pub const fn needs(&self) -> Option<Allow> {
        match &self.why {
            Why::TooMany { needs, .. } => Some(*needs),
            Why::Protected { .. } => None,
        }
    }

    /// What trips it: the number and the limit.
    #[must_use]
    pub fn message(&self) -> String {
        let excess = match &self.why {
            Why::TooMany { excess, .. } => excess,
            Why::Protected { what } => return what.clone(),
        };
        let subscribers = count(excess.number, "subscriber");
        let what = match (self.guard, &self.device) {
            (Guard::DestroyPerDevice, Some(device)) => format!("the plan destroys {subscribers} on {device}"),
            (Guard::DestroyPerDevice | Guard::DestroyPerFleet | Guard::Protected, _) => {
                format!("the plan destroys {subscribers}")
            }
            (Guard::Suspend, _) => format!("the plan takes {subscribers} out of service"),
            (Guard::ChangeDevices, _) => format!("the plan changes {}", count(excess.number, "device")),
            (Guard::LoseDevices, _) => fewer("device", excess),
            (Guard::LoseSubscribers, _) => fewer("subscriber", excess),
            (Guard::LosePlans, _) => fewer("plan", excess),
        };
        format!("{what}; {excess}")
    }

    /// What else there is to know: what was said for another plan, or how it goes without saying anything.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match (self.verdict, &self.why) {
            (Verdict::Allowed(_), _) => None,
            (Verdict::OtherNumber(given, source), _) => Some(format!(
                "`{}` was said for another plan: look at this one",
                source.written(given)
            )),
            (Verdict::Refused, Why::Protected { .. }) => Some(
                "put it back; or let it go in two steps: take `protect` away and apply that, then remove it".to_owned(),
            ),
            (Verdict::Refused, Why::TooMany { .. }) if self.guard == Guard::ChangeDevices => {
                Some("a part of them at a time is named with `--target DEVICE`".to_owned())
            }
            (Verdict::Refused, Why::TooMany { .. }) => None,
        }
    }

    /// What to do about it, besides making the plan smaller. `None` where that was done.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        if !self.is_refused() {
            return None;
        }
        let way = self.needs().map(|needs| allow::said(&[needs]));
        let both: Vec<String> = self.note().into_iter().chain(way).collect();
        Some(both.join("; "))
    }
}

fn fewer(what: &str, excess: &Excess) -> String {
    let earlier = match excess.earlier {
        Earlier::Applied => "when it was last applied",
        Earlier::Base => "the base of this change",
    };
    format!(
        "the inventory has {}, {} fewer than {earlier}",
        count(excess.whole.saturating_sub(excess.number), what),
        excess.number
    )
}
