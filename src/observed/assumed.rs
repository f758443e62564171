//! The command-line words that no document and no transcript shows, and the subscriber fields behind them.
//!
//! Owns which of these words a change of a subscriber needs, and how to leave such a field as it was; spelling
//! the words out is `dialect`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::PoeMode;

use super::Subscriber;

/// One assumed use of a word on a subscriber's line. Taking a setting back is a use of its own: a device may
/// know one and not the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssumedWord {
    /// `port <n>`: ties a subscriber to a port (MIB, error 14; port-aware devices).
    SubscriberPort,
    /// `no ghn subscriber <id> port`.
    NoSubscriberPort,
    /// `trunk` (MIB: TrunkMode).
    Trunk,
    /// `no ghn subscriber <id> trunk`.
    NoTrunk,
    /// `outer-vid <v>` (MIB: DoubleTags, OuterTagVlanId).
    OuterVlan,
    /// `outer-vid none`.
    NoOuterVlan,
    /// `nni <k>` (MIB: NNIIfIndex).
    Uplink,
    /// `nni default`.
    NoUplink,
    /// `poe enable` and `poe force` (MIB: PoeModeCtrl; `poe disable` was seen).
    PoeEnableForce,
}

impl AssumedWord {
    /// All of them, in the order in which they are sent.
    pub const ALL: [Self; 9] = [
        Self::SubscriberPort,
        Self::NoSubscriberPort,
        Self::Trunk,
        Self::NoTrunk,
        Self::OuterVlan,
        Self::NoUplink,
        Self::NoOuterVlan,
        Self::Uplink,
        Self::PoeEnableForce,
    ];

    /// The word as it is sent, without its value. Stable: the store keeps answers under it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::SubscriberPort => "port",
            Self::NoSubscriberPort => "no port",
            Self::Trunk => "trunk",
            Self::NoTrunk => "no trunk",
            Self::OuterVlan => "outer-vid",
            Self::NoOuterVlan => "outer-vid none",
            Self::Uplink => "nni",
            Self::NoUplink => "nni default",
            Self::PoeEnableForce => "poe enable | force",
        }
    }

    /// The use with that text.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.text() == text)
    }

    /// The word that must have had its effect before this one makes sense: an uplink means nothing without an
    /// outer VLAN.
    #[must_use]
    pub const fn rests_on(self) -> Option<Self> {
        match self {
            Self::Uplink => Some(Self::OuterVlan),
            Self::NoOuterVlan => Some(Self::NoUplink),
            _ => None,
        }
    }

    /// The field that it sets, as plans call it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::SubscriberPort | Self::NoSubscriberPort => "port",
            Self::Trunk | Self::NoTrunk => "trunk",
            Self::OuterVlan | Self::NoOuterVlan => "outer vlan",
            Self::Uplink | Self::NoUplink => "uplink",
            Self::PoeEnableForce => "poe",
        }
    }

    /// Whether getting from one state of a subscriber to another takes this word.
    #[must_use]
    pub fn is_needed(self, from: &Subscriber, to: &Subscriber) -> bool {
        let outer = |one: &Subscriber| one.double_tag.map(|tag| tag.outer_vlan);
        let uplink = |one: &Subscriber| one.double_tag.and_then(|tag| tag.uplink);
        match self {
            Self::SubscriberPort => to.port.is_some() && from.port != to.port,
            Self::NoSubscriberPort => to.port.is_none() && from.port.is_some(),
            Self::Trunk => to.trunk && !from.trunk,
            Self::NoTrunk => !to.trunk && from.trunk,
            Self::OuterVlan => outer(to).is_some() && outer(from) != outer(to),
            Self::NoOuterVlan => outer(to).is_none() && outer(from).is_some(),
            Self::Uplink => uplink(to).is_some() && uplink(from) != uplink(to),
            Self::NoUplink => uplink(to).is_none() && uplink(from).is_some(),
            Self::PoeEnableForce => matches!(to.poe, Some(PoeMode::Enable | PoeMode::Force)) && from.poe != to.poe,
        }
    }

    /// The words that getting from one state to another takes, in the order in which they are sent.
    pub fn needed(from: &Subscriber, to: &Subscriber) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |word| word.is_needed(from, to))
    }

    /// Gives the field behind the word the value that it has in `from`.
    pub fn put_back(self, to: &mut Subscriber, from: &Subscriber) {
        match self {
            Self::SubscriberPort | Self::NoSubscriberPort => to.port = from.port,
            Self::Trunk | Self::NoTrunk => to.trunk = from.trunk,
            Self::OuterVlan | Self::NoOuterVlan => match (&mut to.double_tag, from.double_tag) {
                (Some(tag), Some(before)) => tag.outer_vlan = before.outer_vlan,
                // An uplink alone means nothing.
                (tag, before) => *tag = before,
            },
            Self::Uplink | Self::NoUplink => match (&mut to.double_tag, from.double_tag) {
                (Some(tag), before) => tag.uplink = before.and_then(|tag| tag.uplink),
                // It cannot stay without its outer VLAN.
                (tag, before) => *tag = before,
            },
            Self::PoeEnableForce => to.poe = from.poe,
        }
    }
}

impl fmt::Display for AssumedWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DoubleTag, VlanId};

    fn all_set() -> Subscriber {
        Subscriber {
            port: Some(3.try_into().unwrap()),
            trunk: true,
            double_tag: Some(DoubleTag {
                outer_vlan: VlanId::try_from(500).unwrap(),
                uplink: Some(2.try_into().unwrap()),
            }),
            poe: Some(PoeMode::Force),
            ..Subscriber::default()
        }
    }

    #[test]
    fn texts_are_unique_and_lead_back() {
        for word in AssumedWord::ALL {
            assert_eq!(AssumedWord::of_text(word.text()), Some(word));
        }
    }

    #[test]
    fn a_field_that_was_put_back_needs_its_word_no_more() {
        let (plain, full) = (Subscriber::default(), all_set());
        for (from, to) in [(&plain, &full), (&full, &plain)] {
            let mut left = to.clone();
            for word in AssumedWord::needed(from, to) {
                word.put_back(&mut left, from);
                assert!(!word.is_needed(from, &left), "{word}");
            }
            assert_eq!(AssumedWord::needed(from, &left).count(), 0);
        }
    }

    #[test]
    fn nothing_is_needed_for_what_stays() {
        assert_eq!(AssumedWord::needed(&all_set(), &all_set()).count(), 0);
    }
}
