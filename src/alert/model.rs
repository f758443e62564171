//! The words: kinds of trouble, events, messages.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::BillingKind;

/// What people are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A change to a device went wrong; it was given back what it held, and is left to people.
    Failed,
    /// A device is left to people: it rejects the login, or is not the one that is pinned.
    LeftToPeople,
    /// A commit is not valid and changes nothing.
    CommitRejected,
    /// A guard or a rule refuses the plan as a whole.
    PlanRefused,
    /// A guard or a rule refuses what is asked of a device.
    Refused,
    /// The repository cannot be looked at.
    RepositoryUnreachable,
    /// A device does not answer.
    Unreachable,
    /// Somebody else has changed a device.
    Drifted,
    /// What a billing system says is not believed, so nothing of it is written.
    BillingDistrusted,
    /// A limit keeps what a billing system asks for from being written.
    BillingRefused,
    /// A billing system cannot be asked.
    BillingUnreachable,
    /// What a billing system says cannot be written: the inventory is not valid, or the repository does not take it.
    BillingUnwritten,
    /// It is not sure what time it is, so nothing of billing is done that depends on it.
    BillingClock,
    /// People wrote something else than a billing system asks for.
    BillingConflict,
    /// A billing system asks for something of which only people know what it means.
    BillingQuestion,
    /// What a billing system asks for was proposed, and waits for people.
    BillingProposed,
    /// A run changed devices. Told only where a channel names it.
    Applied,
    /// Somebody tries out whether messages arrive.
    Test,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// For whoever wants to know.
    Info,
    /// Somebody should look at it today.
    Warning,
    /// Somebody should look at it now: gamops does nothing more about it.
    Critical,
}

/// Whether trouble begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// It has begun. For a commit or a plan: also where another one is refused than was told last. For questions, conflicts, limits and
    /// proposals of billing: also where there are more than were told.
    Raised,
    /// It is over.
    Over,
    /// It happened, and has no end.
    Once,
}

/// What a trouble is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// All of it: a commit, the plan, the repository.
    All,
    /// A device, by its key in the inventory.
    Device(String),
    /// A billing system.
    Billing(BillingKind),
}

/// Something that people are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Of what.
    pub kind: Kind,
    /// Whether it begins or ends.
    pub state: Turn,
    /// Inventory key of the device, where it is about one.
    pub device: Option<String>,
    /// Key of the site that the device belongs to.
    pub site: Option<String>,
    /// The billing system, where it is about one: `splynx`, `sonar`.
    #[schemars(with = "Option<String>")]
    pub billing: Option<BillingKind>,
    /// Why; where it is over, how things stand now.
    pub reason: String,
    /// The commit in force, or the one that is refused; short.
    pub commit: Option<String>,
    /// Since when it holds; where it is over, since when it held.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
    /// When this was found.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
}

/// What goes to one channel at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The inventory that it is about, once one is known.
    pub inventory: Option<String>,
    /// Who tells it: `gamops-daemon@noc1`.
    pub by: String,
    /// In the order in which they were found. Never empty.
    pub events: Vec<Event>,
}

impl Kind {
    /// How much it matters. The end of something matters as much as its beginning.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Failed | Self::LeftToPeople => Severity::Critical,
            Self::CommitRejected
            | Self::PlanRefused
            | Self::Refused
            | Self::RepositoryUnreachable
            | Self::Unreachable
            | Self::Drifted
            | Self::BillingDistrusted
            | Self::BillingRefused
            | Self::BillingUnreachable
            | Self::BillingUnwritten
            | Self::BillingClock
            | Self::BillingConflict
            | Self::BillingQuestion => Severity::Warning,
            Self::BillingProposed | Self::Applied | Self::Test => Severity::Info,
        }
    }

    /// Whether it is a trouble of a billing system.
    #[must_use]
    pub const fn is_of_billing(self) -> bool {
        matches!(
            self,
            Self::BillingDistrusted
                | Self::BillingRefused
                | Self::BillingUnreachable
                | Self::BillingUnwritten
                | Self::BillingClock
                | Self::BillingConflict
                | Self::BillingQuestion
                | Self::BillingProposed
        )
    }

    /// The word for it in settings, messages and the database.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::LeftToPeople => "left-to-people",
            Self::CommitRejected => "commit-rejected",
            Self::PlanRefused => "plan-refused",
            Self::Refused => "refused",
            Self::RepositoryUnreachable => "repository-unreachable",
            Self::Unreachable => "unreachable",
            Self::Drifted => "drifted",
            Self::BillingDistrusted => "billing-distrusted",
            Self::BillingRefused => "billing-refused",
            Self::BillingUnreachable => "billing-unreachable",
            Self::BillingUnwritten => "billing-unwritten",
            Self::BillingClock => "billing-clock",
            Self::BillingConflict => "billing-conflict",
            Self::BillingQuestion => "billing-question",
            Self::BillingProposed => "billing-proposed",
            Self::Applied => "applied",
            Self::Test => "test",
        }
    }
}

impl Event {
    /// A message of trial.
    #[must_use]
    pub fn test(at: Timestamp) -> Self {
        Self {
            kind: Kind::Test,
            state: Turn::Once,
            device: None,
            site: None,
            billing: None,
            reason: "This is a test: messages of the gamops daemon arrive here.".to_owned(),
            commit: None,
            since: at,
            at,
        }
    }

    /// What a run did, in one line.
    #[must_use]
    pub fn applied(line: String, commit: Option<String>, at: Timestamp) -> Self {
        Self {
            kind: Kind::Applied,
            state: Turn::Once,
            device: None,
            site: None,
            billing: None,
            reason: line,
            commit,
            since: at,
            at,
        }
    }
}
