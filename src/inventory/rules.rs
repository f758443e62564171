//! The rules: one table with what each one is for, and the checks that compare things with each other.
//!
//! A rule about a single value is checked where the value is decoded; a rule about several is in one of the files
//! below, by theme. Either way it is named here, with the fact that it rests on.

mod assumed;
mod billing;
mod devices;
mod drift;
mod endpoints;
mod names;
mod plans;
mod port_aware;
mod references;
mod vlans;
mod windows;

use crate::diagnostic::Severity;

use super::findings::{Findings, Loc};
use super::fleet::{Fleet, Population};

/// One rule of the inventory.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable id.
    pub id: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// What the rule asks for.
    pub summary: &'static str,
    /// What it rests on: a fact of the device and where that is documented, or a reason of our own.
    pub fact: &'static str,
    /// Whether the JSON Schema refuses whatever this rule refuses.
    pub in_schema: bool,
}

macro_rules! rules {
    ($( $name:ident = $id:literal, $severity:ident, $schema:ident, $summary:literal, $fact:literal; )*) => {
        $( pub(super) static $name: Rule = Rule {
            id: $id,
            severity: Severity::$severity,
            summary: $summary,
            fact: $fact,
            in_schema: rules!(@ $schema),
        }; )*

        /// Every rule, in the order of the documentation.
        pub static RULES: &[&Rule] = &[$( &$name ),*];
    };
    (@ schema) => { true };
    (@ checked) => { false };
}

rules! {
    YAML_SYNTAX = "yaml-syntax", Error, checked, "every file is YAML", "Only this ends a file; its other findings wait until it reads.";
    YAML_LIMIT = "yaml-limit", Error, checked, "a file stays within what can be read safely", "Own limit: file size, depth, and what aliases repeat.";
    YAML_DOCUMENTS = "yaml-documents", Error, checked, "a file holds one YAML document", "What follows a second `---` would be ignored in silence.";
    YAML_TAG = "yaml-tag", Error, checked, "no YAML tags", "Tags change types behind the reader's back.";
    YAML_ALIAS = "yaml-alias", Error, checked, "an alias refers to an anchor above it", "YAML 1.2, ch. 7.1.";
    YAML_MERGE_KEY = "yaml-merge-key", Error, checked, "no merge keys", "`<<` is YAML 1.1 only; readers disagree on which value wins.";
    YAML_KEY = "yaml-key", Error, checked, "keys are text", "A list or map as a key is a `[` or `{` without quotes.";
    YAML_BOOLEAN = "yaml-boolean", Error, checked, "booleans are `true` and `false`; words such as `no` and `on` stand in quotes", "YAML 1.1 reads `yes`, `no`, `on`, `off`, `y`, `n` as booleans, YAML 1.2 as text.";
    YAML_UNQUOTED = "yaml-unquoted", Error, schema, "text that looks like a number or a boolean stands in quotes", "YAML 1.2, ch. 10.3: `101` is a number.";
    YAML_NUMBER = "yaml-number", Error, checked, "numbers are plain decimal digits", "`0123`, `0x64`, `1_000`, `12e5` and `12:34:56` are different values to different YAML readers.";
    DUPLICATE_KEY = "duplicate-key", Error, checked, "a key stands once, over all files", "Most YAML readers silently keep the last.";
    UNKNOWN_KEY = "unknown-key", Error, schema, "every key is one that gamops knows", "A misspelt key would be a setting that is silently not made.";
    SECRET = "secret-in-inventory", Error, schema, "no secret is in the inventory", "Credentials are names; values come from the environment or settings.";
    MISSING_KEY = "missing-key", Error, schema, "required keys are there", "A subscriber without plan has whatever the device's default is, which is not documented (CLI guide, `ghn subscriber`).";
    WRONG_TYPE = "wrong-type", Error, schema, "every value is of the kind that its key needs", "Own rule.";
    INVALID_WORD = "invalid-word", Error, schema, "where a few words are possible, it is one of them", "CLI guide: port modes; MIB: PoE modes; own words for the rest.";
    OUT_OF_RANGE = "out-of-range", Error, schema, "numbers are within their range", "Endpoint and subscriber ids 1 to 384 (CLI guide; MIB); ports 1 to 24 (installation guide).";
    INVALID_KEY = "invalid-key", Error, schema, "keys are short and safe in paths and addresses", "Own rule: keys appear in addresses such as `maple-a/subscriber/s-10442`.";
    NO_ROOT = "no-root", Error, checked, "`gamops.yaml` is there and names its format and inventory", "Own rule.";
    SECOND_ROOT = "second-root", Error, checked, "there is one `gamops.yaml`", "Two inventories merged by accident would mix two fleets.";
    ROOT_KEY = "root-key", Error, checked, "`format`, `inventory`, `include`, `defaults`, `policies` and `billing` are in `gamops.yaml` only", "Defaults that depend on the file would surprise.";
    INVALID_GLOB = "invalid-glob", Error, checked, "the globs of `include` are globs", "Own rule.";
    EMPTY_GLOB = "empty-glob", Warning, checked, "every glob of `include` matches a file", "A moved folder would silently drop its devices.";
    INVALID_NAME = "invalid-name", Error, schema, "names on the device have 1 to 31 safe characters", "Errors 15, 22, 30 (JSON-RPC guide); `?`, `\"` and `\\` act in the line editor of the CLI.";
    KEY_AS_NAME = "key-as-name", Error, checked, "a key that serves as the name is a valid name", "As invalid-name: the key is the name unless `name` is given.";
    INVALID_DESCRIPTION = "invalid-description", Error, schema, "descriptions have up to 63 safe characters", "63 on the web page and in the JSON-RPC guide, 127 in the CLI guide and the MIB: the narrower.";
    INVALID_HOSTNAME = "invalid-hostname", Error, schema, "a host name has letters, digits and `-`", "It becomes the prompt of the CLI and the node id of option 82 (JSON-RPC guide).";
    INVALID_ADDRESS = "invalid-address", Error, checked, "addresses are IP addresses or DNS names", "Own rule.";
    INVALID_CREDENTIALS = "invalid-credentials", Error, schema, "names of credentials fit into an environment variable", "GAMOPS_CRED_<NAME>_USERNAME.";
    INVALID_HOST_KEY = "invalid-host-key", Error, schema, "host keys are in OpenSSH form", "A key that never matches would lock gamops out of the device.";
    UNKNOWN_MODEL = "unknown-model", Error, schema, "the model is one that exists", "Installation guide; MIB, product ids.";
    INVALID_MAC = "invalid-mac", Error, schema, "MAC addresses are six pairs of hex digits", "Error 31 (JSON-RPC guide).";
    NULL_MAC = "null-mac", Error, checked, "an endpoint's MAC address is not all zeros", "Error 31 (JSON-RPC guide).";
    GROUP_MAC = "group-mac", Error, checked, "an endpoint's MAC address is not a group address", "IEEE 802: no station owns one.";
    FOREIGN_MAC = "foreign-mac", Warning, checked, "an endpoint's MAC address is in the vendor's range", "All endpoints seen are in 00:0e:d8.";
    VLAN_RANGE = "vlan-range", Error, schema, "VLANs are 1 to 4094", "IEEE 802.1Q; error 25 (JSON-RPC guide).";
    VLAN_RESERVED = "vlan-reserved", Error, schema, "service VLANs are 3 to 4093 without 3840 to 3844", "The narrowest of the CLI guide, the JSON-RPC guide and the VLAN guide; 2 is the endpoints' management.";
    VLAN_RANGE_RESERVED = "vlan-list-range", Error, checked, "a range of VLANs ascends and holds no reserved VLAN", "As vlan-reserved.";
    TOO_MANY_VLANS = "too-many-allowed-vlans", Error, checked, "at most 12 further VLANs", "Error 29; 12 in the VLAN guide of 2024, 14 in the older guides: the narrower.";
    PORT2_VLAN = "port2-vlan-same", Error, checked, "the second Ethernet port has another VLAN than the first", "Error 28 (JSON-RPC guide).";
    TRUNK_ALLOWED = "trunk-allowed-vlans", Error, checked, "`trunk` and `allowed_vlans` are not used together", "A trunk passes VLANs 3 to 4093 in place of the list (VLAN guide, MIB).";
    VLAN_POOL = "vlan-outside-pool", Warning, checked, "a subscriber's VLANs are in a pool of its site, if the site has pools", "Own rule.";
    NO_VLAN = "no-vlan", Warning, checked, "a subscriber has a service VLAN", "The default is 4094, the captive portal (CLI guide): no service.";
    INVALID_RATE = "invalid-rate", Error, schema, "rates are numbers with a unit in bits", "Own rule; the device knows whole Mbps.";
    RATE_RANGE = "rate-range", Error, checked, "rates are above 0 and within reason", "Own rule.";
    PLAN_RATES = "plan-rates", Error, checked, "a plan has `rate`, or `down` and `up`", "A profile without rates has undocumented ones.";
    RATE_MIXED = "rate-mixed", Error, checked, "both directions are limited, or neither", "No documented setting limits one direction only on every firmware.";
    RATE_TOO_LOW = "rate-too-low", Error, checked, "compiled rates are at least 10 Mbps", "MIB: 10 to 1999; errors 23 and 24 (JSON-RPC guide).";
    RATE_UNLIMITED = "rate-unlimited", Warning, checked, "a plan whose one direction is above the ceiling is not meant to limit the other", "Above 800 Mbps on coax and 1000 on copper the vendor says to use no profile (JSON-RPC guide): both directions are then free.";
    INVALID_HEADROOM = "invalid-headroom", Error, schema, "headroom is a percentage", "The vendor advises 6 to 8 % (JSON-RPC guide).";
    MAX_RATE = "max-rate", Error, checked, "`max_rate` is 1000 to 1999 Mbps", "1000 in the JSON-RPC guide, 1999 in the MIB.";
    RESERVED_PLAN = "reserved-plan-key", Error, checked, "no plan is called `unthrottled`", "That word is the absence of a profile (CLI guide).";
    UNUSED_PLAN = "unused-plan", Warning, checked, "every plan is used, or may be sold in billing", "Only plans in use are put on a device.";
    SUSPENSION = "suspension", Error, schema, "`policies.suspension` names one way", "There is no suspended flag on the device (CLI guide).";
    GUARD_LIMIT = "guard-limit", Error, schema, "a guard has a `count`, a `share` or both, or is `unlimited`", "Own rule: `off` would be a boolean to some YAML readers.";
    CONDITION = "condition", Error, checked, "the condition of a rule can be parsed, with names and functions that there are", "Own rule: a condition that cannot be asked would be found out when it is needed.";
    INVALID_UNTIL = "invalid-until", Error, checked, "pauses, holds and ignore rules end on a day that exists, or at a moment with its offset; a service ended on such a day", "Own rule: a time without an offset is another moment to everybody.";
    BILLING = "billing", Error, checked, "what billing systems say is looked for where they say it, and leads to what is there", "Own rule: a source that is misspelt would be one that never says anything.";
    DRIFT_IGNORE = "drift-ignore", Error, checked, "an ignore rule says what it is about: a device, objects or a field, by names that there are", "Own rule: one that names nothing would hide everything, one that is misspelt nothing.";
    SUSPENSION_PLAN = "suspension-plan", Error, checked, "the plan for suspended subscribers limits them", "A plan that is unthrottled would speed them up.";
    NO_SUSPENSION = "no-suspension-policy", Error, checked, "nobody is suspended without a policy", "There is no suspended flag on the device (CLI guide); a port shutdown does not stop traffic.";
    INVALID_LENGTH = "invalid-length-of-time", Error, schema, "lengths of time are numbers with a unit", "Own rule: a bare number would be seconds to one reader and minutes to the next.";
    WAVES = "waves", Error, schema, "`policies.waves` says how many devices, in numbers that make sense", "Own rule.";
    INVALID_DAYS = "invalid-days", Error, schema, "days of a window are `all`, or days and ranges of days", "Own rule.";
    INVALID_TIME = "invalid-time-of-day", Error, schema, "times of day are hours and minutes", "Own rule.";
    UNKNOWN_TIME_ZONE = "unknown-time-zone", Error, checked, "time zones are those of the IANA database", "A window in a zone that does not exist would never open, or at the wrong time.";
    UNKNOWN_WINDOW = "unknown-window", Error, checked, "the window that a device waits for exists", "Own rule.";
    RESERVED_WINDOW = "reserved-window-key", Error, checked, "no window is called `always`", "That word stands for changes at any time.";
    UNUSED_WINDOW = "unused-window", Warning, checked, "every window is waited for", "A window that nobody names holds nothing back.";
    WINDOW_ZONE = "window-zone", Error, checked, "a window has a time zone, its own or that of the device's site", "Two o'clock at night is not the same moment everywhere.";
    WINDOW_LENGTH = "window-length", Error, checked, "a window is open for a minute at least", "Nothing could be done in less.";
    WINDOW_OVERLAP = "window-overlap", Warning, checked, "a window has ended before it begins again", "It would never close, which is not what a window is for.";
    PROFILE_SLOTS = "profile-slots", Error, checked, "a device needs at most 14 profiles", "Ids 1 to 15, of which 1 is the device's own (CLI guide); error 34.";
    PROFILE_SLOTS_LOW = "profile-slots-low", Warning, checked, "a device needs fewer than 12 profiles", "14 are free; changes go more smoothly with some left.";
    UNKNOWN_SITE = "unknown-site", Error, checked, "the site of a device exists", "Own rule.";
    UNKNOWN_DEVICE = "unknown-device", Error, checked, "a device that something is said of exists", "Own rule.";
    UNKNOWN_PLAN = "unknown-plan", Error, checked, "the plan of a subscriber exists", "Error 21 (JSON-RPC guide).";
    WAS = "was", Error, checked, "`was` names a key that is gone, once", "History can move to one object only.";
    DUPLICATE_NAME = "duplicate-name", Error, checked, "names are unique per kind and device", "Errors 16 to 19 (JSON-RPC guide).";
    RESERVED_NAME = "reserved-name", Error, checked, "no plan takes the name of the device's own profile", "`Default BW Profile` exists from the factory (CLI guide); error 18.";
    DUPLICATE_HOSTNAME = "duplicate-hostname", Error, checked, "host names are unique", "The host name is the node id of every option 82 circuit id (JSON-RPC guide).";
    DUPLICATE_ADDRESS = "duplicate-address", Error, checked, "no two devices are reached at the same address and port", "One device would be configured as two.";
    NO_CREDENTIALS = "no-credentials", Error, checked, "every device has credentials", "Guessing locks out: the device blocks a host after rejected logins (MIB, alarms).";
    NOT_SUPPORTED = "not-supported", Error, checked, "reserved settings are not used yet", "Ignoring them would give a service other than the one written down.";
    NO_SUCH_PORT = "no-such-port", Error, checked, "the port exists on the model", "Error 5; ports per model in the installation guide and the MIB.";
    MODE_ON_COAX = "mode-on-coax", Error, checked, "only copper ports have a mode to choose", "The CLI takes `mimo` and `siso` (CLI guide); coax has one mode.";
    PORT_AWARE_ON_COAX = "port-aware-on-coax", Error, checked, "only copper devices are port-aware", "MIB and JSON-RPC guide: the subscriber model is a choice on copper only.";
    PORT_AWARE_ENDPOINT = "port-aware-endpoint", Error, checked, "nothing on a port-aware device names an endpoint", "Whichever endpoint appears on the port gets the service, and the device adds it by itself (JSON-RPC guide).";
    PORT_AWARE_PORT = "port-aware-port", Error, checked, "a subscriber on a port-aware device names its port by number", "`auto` is a word of endpoints (CLI guide); here the subscriber is tied to the port.";
    PORT_TAKEN = "port-taken", Error, checked, "one subscriber on a port of a port-aware device", "Error 14 (JSON-RPC guide).";
    NO_SUCH_UPLINK = "no-such-uplink", Error, checked, "the uplink exists on the model", "Errors 41 and 43 (JSON-RPC guide); uplinks per model in the installation guide.";
    NEEDS_ALLOW_ASSUMED = "needs-allow-assumed", Warning, checked, "a setting whose command-line word nobody has seen is on a device that allows such words", "In the MIB or the JSON-RPC guide, but not in the CLI guide and never seen: without `allow_assumed` it is not sent.";
    SHUTDOWN_IN_USE = "shutdown-in-use", Warning, checked, "no subscriber is on a port that is shut down", "Traffic goes on through a port that is shut down, without alarms (installation guide).";
    DUPLICATE_MAC = "duplicate-mac", Error, checked, "a MAC address stands once in the fleet", "Error 32 (JSON-RPC guide); across devices one of the two would be quarantined.";
    ENDPOINT_KEY = "endpoint-key", Error, checked, "a spare endpoint has another key than the subscribers of its device", "A subscriber's endpoint is known by the subscriber's key.";
    PORT_FULL = "port-full", Error, checked, "one endpoint on a copper port, 16 on a coax port", "Error 36; installation guide.";
    DEVICE_FULL = "device-full", Error, checked, "a device has room for its endpoints", "Ports times endpoints per port; endpoint ids 1 to 384 (CLI guide); error 33.";
    TOO_MANY_SUBSCRIBERS = "too-many-subscribers", Error, checked, "at most 384 subscribers on a device", "Ids 1 to 384 (CLI guide); error 35.";
    DUPLICATE_ID = "duplicate-id", Error, checked, "a number on a device is pinned once", "An id is one object (CLI guide); errors 45 and 47.";
    UNASSIGNED = "endpoint-unassigned", Warning, checked, "a subscriber's endpoint is on a port", "An endpoint that is not assigned to a port is in the captive portal (JSON-RPC guide).";
    PORT_WITHOUT_ENDPOINT = "port-without-endpoint", Warning, checked, "a subscriber with a port has an endpoint", "On an endpoint-aware device the port belongs to the endpoint (JSON-RPC guide).";
}

/// Checks what can only be seen when all files are together.
pub(super) fn check(fleet: &Fleet<'_>, findings: &mut Findings) {
    let Population { devices, everybody } = fleet.devices_with_subscribers();
    references::check(fleet, &devices, everybody, findings);
    let pools = vlans::pools(fleet);
    let mut macs = Vec::with_capacity(fleet.subscribers.len());
    // Device by device, so that what one rule has fetched from memory is still near for the next: a large fleet is read once
    // and not once for each rule.
    for device in &devices {
        names::check(device, findings);
        endpoints::check(device, &mut macs, findings);
        devices::check_ports(device, findings);
        port_aware::check(device, findings);
        assumed::check(device, findings);
        vlans::check_pools(fleet, device, &pools, findings);
        if everybody {
            vlans::check(fleet, device.subscribers.iter().copied(), findings);
        }
    }
    if !everybody {
        let all = fleet.subscribers.values().copied();
        vlans::check(
            fleet,
            all.filter_map(|keyed| Some((keyed, keyed.value.as_ref()?))),
            findings,
        );
    }
    windows::check(fleet, &devices, findings);
    drift::check(fleet, &devices, findings);
    billing::check(fleet, findings);
    endpoints::check_macs(macs, findings);
    devices::check(fleet, &devices, findings);
    plans::check(fleet, &devices, everybody, findings);
}

/// What stands more than once among `items`, in the order of the text: the first of each, and the one that repeats it.
fn repeated<K: Ord, T: Copy>(mut items: Vec<(K, Loc, T)>) -> Vec<(Place<T>, Place<T>)> {
    items.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    let mut pairs = Vec::new();
    for group in items.chunk_by(|one, other| one.0 == other.0) {
        let mut places = group.iter().map(|(_, at, owner)| Place { at: *at, owner: *owner });
        if let Some(first) = places.next() {
            pairs.extend(places.map(|again| (first, again)));
        }
    }
    pairs.sort_by_key(|(_, again)| again.at);
    pairs
}

/// Where something stands, and whose it is.
#[derive(Debug, Clone, Copy)]
struct Place<T> {
    at: Loc,
    owner: T,
}
