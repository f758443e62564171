//! What was decided: what is to be written, and what is left open, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::{MacAddr, ServiceRef};
use crate::inventory::billing::{Kind, Way};
use crate::inventory::edit::Edit;

/// All that was decided from one book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// What is to be written, in the order of the keys.
    pub intents: Vec<Intent>,
    /// What is left open, in the order of the keys.
    pub open: Vec<Open>,
    /// Limits that keep something from being written, by what happens to subscribers: in words, with the number that lets it through.
    pub refused: BTreeMap<Kind, String>,
    /// Why nothing at all is written from this book, where the book itself cannot be trusted, and what to do about it.
    pub distrust: Option<String>,
    /// Why nothing is done that depends on what time it is, where that is not sure.
    pub clock: Option<String>,
    /// Accounts of which something is asked that is done only where they say so themselves: each is to be asked for by its id, and
    /// decided from that.
    pub look: BTreeSet<String>,
    /// Addresses that more than one service to be served has. For [`super::remember`].
    pub shared: BTreeSet<MacAddr>,
    /// Values that people wrote in place of ours and that billing says as well, by subscriber and field. For [`super::remember`].
    pub agreed: BTreeMap<String, BTreeMap<String, String>>,
}

/// One subscriber's entry is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its key in the inventory.
    pub subscriber: String,
    /// Whose it is in billing, from now on.
    pub service: ServiceRef,
    /// What happens to it; where several things do, the one that counts most.
    pub kind: Kind,
    /// How it gets into the branch.
    pub way: Way,
    /// The edits of the inventory.
    pub edits: Vec<Edit>,
    /// What billing set by that, by fields of the subscriber, in the form in which a later sync compares it: `plan`, `state`,
    /// `ended` (empty where the mark was taken away). Empty for what is removed.
    pub sets: Vec<(&'static str, String)>,
    /// In one line, without the key: `suspended (customer blocked, service active)`.
    pub words: String,
}

/// Something that billing asks and that is not written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// The subscriber, where there is one.
    pub subscriber: Option<String>,
    /// The service, where there is one.
    pub service: Option<ServiceRef>,
    /// Of what kind the reason is.
    pub why: Why,
    /// The reason, and what to do about it, with the choices there are.
    pub words: String,
}

/// Why something is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Something is not known that people can say: a plan, a site, which of two MACs.
    Question,
    /// A person wrote something else since billing wrote last.
    Conflict,
    /// It waits: for the end of a grace period, a `hold`, or because the system says something that is not understood.
    Held,
    /// A limit does not allow it.
    Refused,
    /// In the inventory, and no service of billing.
    NoService,
    /// A service of billing, and not in the inventory.
    NoSubscriber,
    /// Billing and the inventory say different things, which is not mended.
    Differs,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Question,
        Self::Conflict,
        Self::Held,
        Self::Refused,
        Self::NoService,
        Self::NoSubscriber,
        Self::Differs,
    ];

    /// The word for it, for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Conflict => "conflict",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::NoService => "no-service",
            Self::NoSubscriber => "no-subscriber",
            Self::Differs => "differs",
        }
    }

    /// In words, behind a number of things.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Question => "to be answered by people",
            Self::Conflict => "in conflict with what people wrote",
            Self::Held => "held",
            Self::Refused => "refused by a limit",
            Self::NoService => "subscribers without a service",
            Self::NoSubscriber => "services without a subscriber",
            Self::Differs => "differing",
        }
    }
}
