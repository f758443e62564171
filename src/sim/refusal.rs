//! What the G.hn part of the device refuses, in the vendor's own words and spelling.
//!
//! The list is that of the JSON-RPC guide. That the command line prints the same texts after `% ` is
//! assumed: it calls the same code.

use std::fmt;

/// The 57 messages, message `n` at index `n - 1`.
const MESSAGES: [&str; 57] = [
    "G.hn generic error",
    "G.hn internal error",
    "G.hn function not implemented",
    "Invalid G.hn port or endpoint",
    "Invalid G.hn port",
    "Invalid G.hn subscriber",
    "Non-existing G.hn subscriber",
    "Invalid G.hn endpoint",
    "Non-existing G.hn endpoint (no such endpoint configured)",
    "No user for endpoint",
    "Endpoint not found on specified port",
    "Endpoint not found on any ports",
    "G.hn endpoint is already assigned to another subscriber",
    "G.hn port is already assigned to another subscriber",
    "Invalid G.hn subscriber name",
    "Non-unique G.hn subscriber name",
    "Non-unique G.hn endpoint name",
    "Non-unique G.hn bandwidth profile name",
    "Non-unique G.hn port name",
    "Invalid G.hn bandwidth profile",
    "Non-existing G.hn bandwidth profile",
    "Invalid G.hn bandwidth profile name",
    "Invalid G.hn bandwidth profile downstream bandwidth",
    "Invalid G.hn bandwidth profile upstream bandwidth",
    "Invalid G.hn data VLAN id",
    "Invalid G.hn remapped data VLAN id",
    "Invalid G.hn port #2 VLAN id",
    "G.hn VLAN cannot be the same as port #2 VLAN id",
    "Too many allowed tagged VLAN",
    "Invalid G.hn endpoint name",
    "Invalid G.hn endpoint MAC address",
    "Non-unique G.hn endpoint MAC address",
    "Maximum number of G.hn endpoint reached for the system",
    "Maximum number of G.hn banbdwidth profile reached for the system",
    "Maximum number of G.hn subscriber reached for the system",
    "Maximum number of G.hn endpoint reached for that port",
    "Invalid G.hn port mode",
    "Invalid G.hn port role",
    "Invalid G.hn port RFC 5517 mode",
    "Invalid G.hn port RFC 5517 community number",
    "Invalid NNI port",
    "Invalid outer tag VID",
    "Specified NNI port is not uplink",
    "G.hn bandwidth profile is not supported on this platform yet",
    "G.hn endpoint is already configured",
    "G.hn bandwidth profile is already configured",
    "G.hn subscriber is already configured",
    "Invalid G.hn VectorBoost parameter",
    "Invalid G.hn powermask notch Id",
    "Invalid G.hn powermask notch parameter",
    "Invalid measurement averaging value",
    "Device not found",
    "Error querying G.hn device. May be missing or busy.",
    "Error device not in valid state",
    "Error device model requiered manual upgrade",
    "Auto-endpoint subscriber already assigned to another port",
    "Invalid G.hn subscriber model",
];

/// One refusal of the G.hn module, by its number in the vendor's list (1 to 57).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(u8);

macro_rules! refusals {
    ($($name:ident = $number:literal),* $(,)?) => {
        impl Refusal {
            $(pub(super) const $name: Self = Self($number);)*
        }
    };
}

refusals! {
    GENERIC = 1,
    INVALID_PORT = 5,
    NO_SUCH_SUBSCRIBER = 7,
    NO_SUCH_ENDPOINT = 9,
    ENDPOINT_NOT_FOUND = 12,
    ENDPOINT_TAKEN = 13,
    PORT_TAKEN = 14,
    SUBSCRIBER_NAME = 15,
    SUBSCRIBER_NAME_TAKEN = 16,
    ENDPOINT_NAME_TAKEN = 17,
    PROFILE_NAME_TAKEN = 18,
    PORT_NAME_TAKEN = 19,
    INVALID_PROFILE = 20,
    NO_SUCH_PROFILE = 21,
    PROFILE_NAME = 22,
    PROFILE_DOWN = 23,
    PROFILE_UP = 24,
    VLAN = 25,
    REMAPPED_VLAN = 26,
    PORT2_VLAN = 27,
    PORT2_VLAN_SAME = 28,
    TOO_MANY_ALLOWED = 29,
    ENDPOINT_NAME = 30,
    ENDPOINT_MAC = 31,
    ENDPOINT_MAC_TAKEN = 32,
    ENDPOINTS_FULL = 33,
    PROFILES_FULL = 34,
    SUBSCRIBERS_FULL = 35,
    PORT_FULL = 36,
    PORT_MODE = 37,
    NNI_PORT = 41,
    OUTER_VLAN = 42,
    VECTORBOOST = 48,
    NOTCH_ID = 49,
    NOTCH_PARAMETER = 50,
    AUTO_ENDPOINT_ELSEWHERE = 56,
    SUBSCRIBER_MODEL = 57,
}

impl Refusal {
    /// The vendor's number.
    #[cfg(test)]
    pub(super) const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MESSAGES[usize::from(self.0) - 1])
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_belong_together() {
        for (refusal, number, text) in [
            (Refusal::GENERIC, 1, "G.hn generic error"),
            (Refusal::NO_SUCH_PROFILE, 21, "Non-existing G.hn bandwidth profile"),
            (Refusal::ENDPOINT_NAME, 30, "Invalid G.hn endpoint name"),
            (
                Refusal::PORT_FULL,
                36,
                "Maximum number of G.hn endpoint reached for that port",
            ),
            (Refusal::NOTCH_PARAMETER, 50, "Invalid G.hn powermask notch parameter"),
        ] {
            assert_eq!(refusal.number(), number);
            assert_eq!(refusal.to_string(), text);
        }
        assert_eq!(MESSAGES[56], "Invalid G.hn subscriber model");
    }
}
