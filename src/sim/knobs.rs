//! Where devices are known or suspected to differ from each other, as settings.
//!
//! Every guess that the simulator makes and that a driver could trip over is one of these.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::PoeMode;

/// What the device does with a command on an SSH exec channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExecChannel {
    /// Ignores it and starts the command line on the channel, as the family's login stub does.
    #[default]
    Ignored,
    /// Closes the channel.
    Closed,
    /// Runs it.
    Works,
}

/// What happens when something is deleted that others refer to. No error of the vendor's list says
/// "in use", so which of these a device does is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InUse {
    /// Deleted, and the references become none or unthrottled.
    #[default]
    Clear,
    /// Deleted, and the references stay, to nothing.
    Dangle,
    /// Refused.
    Refuse,
}

/// What the device makes of words that no document and no transcript shows: subscriber `port`, `trunk`,
/// `outer-vid` and `nni`, `poe enable` and `poe force`, and the global `ghn subscriber-model`. Their effects are
/// known from the MIB and the JSON-RPC guide; the words are this program's guess. A startup configuration may
/// use them whatever this says: the device wrote it, or might have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AssumedWords {
    /// Known, with effect.
    #[default]
    Offered,
    /// Invalid words.
    Refused,
    /// Taken without a word, and nothing changes.
    Ignored,
}

/// Whether SNMP shows what the G.hn module holds (E.143 in the vendor's tree). The MIB promises it; nobody has
/// reported an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GhnSubtree {
    /// No such object; a walk passes by.
    #[default]
    Absent,
    /// There, read only.
    Present,
}

/// Where devices are known or suspected to differ from each other.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// SSH sessions at a time; the next one reads `Only 4 connections allowed`.
    pub sessions: usize,
    /// One session too many is closed without that text.
    pub silent_limit: bool,
    /// What an exec channel does.
    pub exec_channel: ExecChannel,
    /// Offer only the algorithms of old SSH servers: group14 and group1 with SHA-1, `ssh-rsa`, CBC, SHA-1 MACs.
    pub old_algorithms: bool,
    /// Users without a password come in without being asked for one.
    pub none_login: bool,
    /// Text before the first prompt.
    pub banner: Option<String>,
    /// The first output of a session is longer than the screen, so that the pager waits before any prompt.
    pub first_output_paged: bool,
    /// A session without input ends after this; `terminal exec-timeout` changes it for a session.
    pub idle: Duration,
    /// How long `copy running-config startup-config` takes.
    pub save_delay: Duration,
    /// How long TCP is refused and SNMP silent after a reboot.
    pub down_time: Duration,
    /// How long an endpoint is away when it restarts: about a minute on hardware (assumed).
    pub endpoint_down_time: Duration,
    /// Print profile 1 in the running configuration.
    pub print_default_profile: bool,
    /// Print `poe` on every subscriber, default or not. Off: only when it differs from `default_poe`.
    pub print_poe: bool,
    /// Print `bw-profile` on every subscriber. Off: only when it differs from `default_profile`.
    pub print_bw_profile: bool,
    /// Print `port unassigned` on endpoints without a port.
    pub print_unassigned_port: bool,
    /// The firmware knows a word that nobody else does: `future-word <0-9>` on subscribers.
    pub future_word: bool,
    /// What becomes of words that are guesses.
    pub assumed_words: AssumedWords,
    /// The factory state is port-aware: subscribers belong to ports. Without effect on coax and before 1.4.
    pub port_aware: bool,
    /// A port-aware subscriber's line also names the endpoint that serves it. Which is true is unknown.
    pub print_learned_endpoint: bool,
    /// A port-aware device keeps an endpoint tied to its port, and a port to its endpoint, whatever appears there, until
    /// it is told to let go. Error 56 hints at it; the guide says that whichever endpoint appears is served.
    pub sticky_endpoints: bool,
    /// Whether SNMP shows the G.hn module.
    pub ghn_subtree: GhnSubtree,
    /// Deleting what others refer to.
    pub in_use: InUse,
    /// `description ""` clears a description. Off: refused, since the documented least length is 1.
    pub empty_description: bool,
    /// Those of the guessed words, and of `poe disable`, that this firmware refuses though others know them; each as it is typed, without
    /// its value: `trunk`, `no trunk`, `nni default`, `poe enable | force`. A startup configuration may use them all the same.
    pub refused_words: BTreeSet<String>,
    /// How many VLANs `allowed-vlan` takes: 14 in the CLI guide, 12 in the VLAN guide of 2024.
    pub allowed_vlans: usize,
    /// Profile of a subscriber made without one; `None` is unthrottled.
    pub default_profile: Option<u16>,
    /// PoE of a subscriber made without the word.
    pub default_poe: PoeMode,
    /// How many endpoints the system takes.
    pub max_endpoints: usize,
    /// How many subscribers the system takes.
    pub max_subscribers: usize,
    /// How many bandwidth profiles the system takes, profile 1 included.
    pub max_profiles: usize,
    /// Seed of the host keys in place of the device's name: another device in the same place.
    pub host_key_seed: Option<String>,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            sessions: 4,
            silent_limit: false,
            exec_channel: ExecChannel::Ignored,
            old_algorithms: false,
            none_login: false,
            banner: None,
            first_output_paged: false,
            idle: Duration::from_secs(600),
            save_delay: Duration::ZERO,
            down_time: Duration::ZERO,
            endpoint_down_time: Duration::from_secs(2),
            print_default_profile: false,
            print_poe: true,
            print_bw_profile: true,
            print_unassigned_port: false,
            future_word: false,
            assumed_words: AssumedWords::Offered,
            port_aware: false,
            print_learned_endpoint: false,
            sticky_endpoints: false,
            ghn_subtree: GhnSubtree::Absent,
            in_use: InUse::Clear,
            empty_description: false,
            refused_words: BTreeSet::new(),
            allowed_vlans: 12,
            default_profile: Some(1),
            default_poe: PoeMode::Enable,
            max_endpoints: 384,
            max_subscribers: 384,
            max_profiles: 15,
            host_key_seed: None,
        }
    }
}
