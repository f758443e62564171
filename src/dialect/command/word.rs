//! The words that gamops says in configuration mode, and how each is known.

use crate::observed::Evidence;

/// One keyword, or one use of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// What is sent, without its value.
    pub text: &'static str,
    /// The use, where a keyword has several: `unthrottled` as against a number.
    pub usage: &'static str,
    /// What stands behind it.
    pub evidence: Evidence,
    /// Where it comes from.
    pub source: &'static str,
}

macro_rules! words {
    ($($name:ident = $text:literal $usage:literal, $evidence:ident, $source:literal;)*) => {
        $(pub(super) static $name: Word = Word {
            text: $text,
            usage: $usage,
            evidence: Evidence::$evidence,
            source: $source,
        };)*

        /// Every word that [`super::commands`] can send.
        pub static WORDS: &[&Word] = &[$(&$name),*];
    };
}

// A line of the running configuration is also the command that makes it at the next start, so a word seen
// printed counts as seen.
words! {
    HOSTNAME = "hostname" "<word>", Documented, "CLI guide, global configuration";
    NO_HOSTNAME = "no hostname" "", Assumed, "firmware family; the guide shows the positive form only";
    GHN_PORT = "ghn port" "", Documented, "CLI guide, G.hn commands";
    GHN_PROFILE = "ghn bw-profile" "", Documented, "CLI guide, G.hn commands";
    GHN_ENDPOINT = "ghn endpoint" "", Seen, "running-config of 1.5.4";
    GHN_SUBSCRIBER = "ghn subscriber" "", Seen, "running-config of 1.5.4";
    NO = "no" "ghn <kind> <id> [ <word> ]", Documented, "CLI guide, G.hn commands";
    MODE_MIMO = "mode mimo" "", Documented, "CLI guide, ghn port; copper only";
    MODE_SISO = "mode siso" "", Documented, "CLI guide, ghn port; copper only";
    SHUTDOWN = "shutdown" "", Documented, "CLI guide, ghn port";
    NAME = "name" "<1-31>", Seen, "running-config of 1.5.4 for endpoints and subscribers; CLI guide";
    NAME_EMPTY = "name" "\"\"", Assumed, "the MIB lets port names be empty";
    DESCRIPTION = "description" "<1-127>", Seen, "running-config of 1.5.4 for endpoints; CLI guide";
    DESCRIPTION_EMPTY = "description" "\"\"", Assumed, "the documented least length is 1";
    DOWN = "rate-downstream" "<Mbps>", Documented, "CLI guide, ghn bw-profile; unit from the MIB's range";
    UP = "rate-upstream" "<Mbps>", Documented, "CLI guide, ghn bw-profile; unit from the MIB's range";
    LIMIT_LEVEL = "service-limit-level" "<1-4>", Documented, "CLI guide, ghn bw-profile; G1001-C endpoints only";
    MAC = "mac-address" "<mac>", Seen, "running-config of 1.5.4";
    PORT_NUMBER = "port" "<n>", Seen, "running-config of 1.5.4";
    PORT_AUTO = "port" "auto", Documented, "CLI guide, ghn endpoint";
    PORT_UNASSIGNED = "port" "unassigned", Documented, "CLI guide, ghn endpoint";
    MANAGEMENT_ACCESS = "allow-management-access" "", Documented, "CLI guide, ghn endpoint";
    ENDPOINT = "endpoint" "<id>", Seen, "running-config of 1.5.4";
    VID = "vid" "<3-4094>", Seen, "running-config of 1.5.4";
    TAGGED = "tagged" "", Documented, "CLI guide, ghn subscriber";
    UNTAGGED = "untagged" "", Documented, "CLI guide, ghn subscriber";
    REMAPPED = "remapped-vid" "none | <3-4094>", Documented, "CLI guide, ghn subscriber";
    UNTHROTTLED = "bw-profile" "unthrottled", Seen, "running-config of 1.5.4";
    PROFILE = "bw-profile" "<id>", Documented, "CLI guide, ghn subscriber";
    ALLOWED = "allowed-vlan" "none | <list>", Documented, "CLI guide, ghn subscriber";
    PORT2 = "port2-vid" "none | <vid>", Documented, "CLI guide, ghn subscriber";
    POE_DISABLE = "poe" "disable", Seen, "running-config of 1.5.4";
    POE_ENABLE = "poe" "enable | force", Assumed, "the values of the MIB's enum, never seen on a command line";
    SUBSCRIBER_PORT = "port" "<n>, of a subscriber", Assumed, "the MIB has the column; the word is that of endpoints. Sent with `port2-vid` as it is: without the word, `port` is short for that";
    NO_SUBSCRIBER_PORT = "port" "taken back by `no`", Assumed, "as `no ghn endpoint <id> port`";
    TRUNK = "trunk" "", Assumed, "the MIB's TrunkMode; the word is a guess";
    NO_TRUNK = "trunk" "taken back by `no`", Assumed, "the MIB's TrunkMode; the word is a guess";
    OUTER_VID = "outer-vid" "<3-4094>", Assumed, "the MIB's OuterTagVlanId; the word is a guess";
    OUTER_VID_NONE = "outer-vid" "none", Assumed, "as `port2-vid none`";
    NNI = "nni" "<k>", Assumed, "the MIB's NNIIfIndex; the word is a guess";
    NNI_DEFAULT = "nni" "default", Assumed, "the MIB's 0 for the device's default uplink; the word is a guess";
}
