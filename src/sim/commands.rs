//! The command table: which words each mode knows, and what they stand for.
//!
//! Source of the words: CLI guide, and for what it predates (`poe disable`, the newer community syntax, `reload
//! cold`) hardware lines and sister products. Words that are guesses are in one place, [`per_device`].

use super::config::{has_double_tags, has_new_communities, has_poe};
use super::grammar::Grammar;
use super::knobs::AssumedWords;
use super::spec::DeviceSpec;

/// What a line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Configure,
    ShowVersion,
    ShowRunning,
    ShowRunningInterface,
    ShowDiscover,
    ShowPort,
    ShowProfile,
    ShowEndpoint,
    ShowSubscriber,
    ShowVectorboost,
    ShowVectorboostState,
    ShowNotch,
    ShowAlarms,
    ShowAlarmLog,
    ShowVlan,
    Dir,
    More,
    Copy,
    Delete,
    Reload,
    RebootEndpoint,
    ClearEndpoint,
    ClearPort,
    TerminalWidth,
    TerminalLength,
    TerminalTimeout,
    /// Taken without a word and without effect.
    Accept,
    Exit,
    End,
    Logout,
    Do,
    Hostname,
    NoHostname,
    Username,
    NoUsername,
    Vlan,
    NoVlan,
    Interface,
    InterfaceVlan,
    NoInterfaceVlan,
    LineSection,
    SnmpHost,
    NoSnmpHost,
    /// Keeps the line under its first words, this many.
    Set(usize),
    /// Takes away what was set under the words after `no`.
    Unset,
    /// Takes away a `no` line: back to a default that is on.
    On(usize),
    /// Keeps the `no` line.
    Off(usize),
    TrunkAllowed,
    SubscriberModel,
    GhnPort,
    NoGhnPort,
    GhnProfile,
    NoGhnProfile,
    GhnEndpoint,
    NoGhnEndpoint,
    GhnSubscriber,
    NoGhnSubscriber,
    Cdta,
    GhnNotch,
    NoGhnNotch,
}

/// The grammars of all modes, for one device's firmware and knobs.
#[derive(Debug, Clone)]
pub(super) struct Grammars {
    pub(super) exec: Grammar<Act>,
    pub(super) config: Grammar<Act>,
    /// Config mode as it reads a file: words that are guesses are words here, whatever the knobs say.
    pub(super) loading: Grammar<Act>,
    pub(super) interface: Grammar<Act>,
    pub(super) interface_vlan: Grammar<Act>,
    pub(super) vlan: Grammar<Act>,
    pub(super) line: Grammar<Act>,
    pub(super) snmp_host: Grammar<Act>,
}

const EXEC: &[(u8, &str, Act)] = &[
    (15, "configure terminal", Act::Configure),
    (0, "show version", Act::ShowVersion),
    (15, "show running-config [all-defaults]", Act::ShowRunning),
    (
        15,
        "show running-config interface {GigabitEthernet <ports:ports> | 10GigabitEthernet <ports:ports> | G.hn <ports:ports> | vlan <vlans:vlans>}",
        Act::ShowRunningInterface,
    ),
    (0, "show ghn discover all", Act::ShowDiscover),
    (
        0,
        "show ghn port <id:1-99> {configuration | statistics | status} [detail]",
        Act::ShowPort,
    ),
    (0, "show ghn bw-profile <id:1-15> [configuration]", Act::ShowProfile),
    (
        0,
        "show ghn endpoint <id:1-384> {configuration | statistics | status} [detail]",
        Act::ShowEndpoint,
    ),
    (0, "show ghn subscriber <id:1-384> [configuration]", Act::ShowSubscriber),
    (0, "show ghn vectorboost engine configuration", Act::ShowVectorboost),
    (0, "show ghn vectorboost state [detail]", Act::ShowVectorboostState),
    (0, "show ghn notch configuration", Act::ShowNotch),
    (0, "show alarm active", Act::ShowAlarms),
    (0, "show alarm log", Act::ShowAlarmLog),
    (0, "show vlan", Act::ShowVlan),
    (15, "dir", Act::Dir),
    (15, "more <file:word1-63>", Act::More),
    (
        15,
        "copy {running-config | startup-config | <source:word1-63>} {running-config | startup-config | <destination:word1-63>} [syntax-check]",
        Act::Copy,
    ),
    (15, "delete <file:word1-63>", Act::Delete),
    (15, "reload [cold | defaults [keep-ip]]", Act::Reload),
    (
        15,
        "reboot ghn endpoint {mac-address <mac:mac> | <id:1-384>}",
        Act::RebootEndpoint,
    ),
    (
        15,
        "ghn firmware upgrade endpoint {mac-address <mac:mac> | <id:1-384>}",
        Act::Accept,
    ),
    (
        15,
        "clear ghn endpoint {mac-address <mac:mac> | <id:1-384>} statistics",
        Act::ClearEndpoint,
    ),
    (15, "clear ghn port <id:1-99> statistics", Act::ClearPort),
    (0, "terminal width <width:40-512>", Act::TerminalWidth),
    (0, "terminal length {0 | <length:3-512>}", Act::TerminalLength),
    (
        0,
        "terminal exec-timeout <minutes:0-1440> [<seconds:0-3600>]",
        Act::TerminalTimeout,
    ),
    (0, "exit", Act::Exit),
    (0, "logout", Act::Logout),
];

/// What every configuration mode knows.
const EVERYWHERE: &[(&str, Act)] = &[("exit", Act::Exit), ("end", Act::End), ("do <rest:rest>", Act::Do)];

const CONFIG: &[(&str, Act)] = &[
    ("hostname <name:word1-63>", Act::Hostname),
    ("no hostname", Act::NoHostname),
    (
        "username <user:word1-31> privilege <privilege:0-15> password {encrypted <hash:word1-255> | unencrypted <rest:rest> | none}",
        Act::Username,
    ),
    ("no username <user:word1-31>", Act::NoUsername),
    ("vlan <vlans:vlans>", Act::Vlan),
    ("no vlan <vlans:vlans>", Act::NoVlan),
    (
        "interface {GigabitEthernet | 10GigabitEthernet | G.hn} <ports:ports>",
        Act::Interface,
    ),
    ("interface vlan <vlans:vlans>", Act::InterfaceVlan),
    ("no interface vlan <vlans:vlans>", Act::NoInterfaceVlan),
    ("line console <first:0-0>", Act::LineSection),
    ("line vty <first:0-15> [<last:0-15>]", Act::LineSection),
    ("ip route <net:ip> <mask:ip> <gateway:ip>", Act::Set(5)),
    ("no ip route <net:ip> <mask:ip> <gateway:ip>", Act::Unset),
    ("ip ssh", Act::On(2)),
    ("no ip ssh", Act::Off(2)),
    ("ip http {secure-server | secure-redirect}", Act::Set(3)),
    ("no ip http {secure-server | secure-redirect}", Act::Unset),
    ("ntp enable", Act::Set(2)),
    ("no ntp enable", Act::Unset),
    ("ntp server <n:1-5> ip-address <host:word1-255>", Act::Set(3)),
    ("no ntp server <n:1-5>", Act::Unset),
    ("logging on", Act::Set(2)),
    ("logging host <host:word1-255>", Act::Set(2)),
    ("logging level {info | warning | error}", Act::Set(2)),
    ("no logging {on | host | level}", Act::Unset),
    ("banner {motd | exec | login} <rest:rest>", Act::Set(2)),
    ("no banner {motd | exec | login}", Act::Unset),
    ("controller announcement period [<minutes:1-60>]", Act::Set(3)),
    ("controller announcement url <n:1-4> <url:word1-255>", Act::Set(4)),
    ("no controller announcement period", Act::Unset),
    ("no controller announcement url <n:1-4>", Act::Unset),
    ("snmp-server contact <rest:rest>", Act::Set(2)),
    ("snmp-server location <rest:rest>", Act::Set(2)),
    ("snmp-server version {v1 | v2c | v3}", Act::Set(2)),
    ("snmp-server trap", Act::Set(2)),
    ("no snmp-server {contact | location | version | trap}", Act::Unset),
    (
        "snmp-server user <user:word1-32> engine-id <engine:word10-32> [{md5 <key:word8-32> | sha <key:word8-40>} [priv {des | aes} <key:word8-32>]]",
        Act::Set(3),
    ),
    (
        "no snmp-server user <user:word1-32> engine-id <engine:word10-32>",
        Act::Unset,
    ),
    (
        "snmp-server security-to-group model {v1 | v2c | v3} name <name:word1-32> group <group:word1-32>",
        Act::Set(6),
    ),
    (
        "snmp-server access <group:word1-32> model {v1 | v2c | v3 | any} level {auth | noauth | priv} [read <view:word1-32>] [write <view:word1-32>]",
        Act::Set(3),
    ),
    (
        "snmp-server view <view:word1-32> <oid:word1-128> {include | exclude}",
        Act::Set(4),
    ),
    ("snmp-server host <name:word1-32>", Act::SnmpHost),
    ("no snmp-server host <name:word1-32>", Act::NoSnmpHost),
    (
        "ghn port <id:1-99> [mode {mimo | siso}] [name <name:word0-31>] [shutdown]",
        Act::GhnPort,
    ),
    ("no ghn port <id:1-99> [shutdown]", Act::NoGhnPort),
    ("no ghn bw-profile <id:1-15>", Act::NoGhnProfile),
    (
        "no ghn endpoint <id:1-384> [port | allow-management-access]",
        Act::NoGhnEndpoint,
    ),
    (
        "ghn vectorboost engine cdta [enable | disable] [down-up-weight <down-up-weight:0-100>] [min-down-up-rate <min-down-up-rate:2-8>] [max-down-up-rate <max-down-up-rate:2-8>] [default-down-up-rate <default-down-up-rate:2-8>] [perc-metric-change <perc-metric-change:0-100>]",
        Act::Cdta,
    ),
    (
        "no ghn vectorboost engine cdta {default-down-up-rate | down-up-weight | max-down-up-rate | min-down-up-rate | perc-metric-change}",
        Act::Unset,
    ),
    ("ghn vectorboost engine vdsl-coexistence {yes | no}", Act::Set(4)),
    (
        "ghn notch <id:1-10> startfreq <start:decimal> stopfreq <stop:decimal> depth {<depth:decimal> | remove}",
        Act::GhnNotch,
    ),
    ("no ghn notch <id:1-10>", Act::NoGhnNotch),
];

const INTERFACE: &[(&str, Act)] = &[
    ("switchport mode {access | trunk | hybrid}", Act::Set(2)),
    ("switchport access vlan <vlan:1-4095>", Act::Set(3)),
    ("switchport trunk native vlan <vlan:1-4095>", Act::Set(4)),
    (
        "switchport trunk allowed vlan {all | none | [add | remove | except] <vlans:vlans>}",
        Act::TrunkAllowed,
    ),
    ("switchport trunk vlan tag native", Act::Set(5)),
    ("no switchport trunk vlan tag native", Act::Unset),
    ("switchport hybrid <rest:rest>", Act::Set(3)),
    ("switchport forbidden vlan {add | remove} <vlans:vlans>", Act::Set(4)),
    ("no switchport {mode | access vlan | trunk native vlan}", Act::Unset),
    ("shutdown", Act::Set(1)),
    ("no shutdown", Act::Unset),
    ("mtu <bytes:1518-10240>", Act::Set(1)),
    ("no mtu", Act::Unset),
];

const INTERFACE_VLAN: &[(&str, Act)] = &[
    ("ip address <address:ip> <mask:ip>", Act::Set(2)),
    ("ip address dhcp", Act::Set(2)),
    ("no ip address", Act::Unset),
    ("shutdown", Act::Set(1)),
    ("no shutdown", Act::Unset),
];

const VLAN: &[(&str, Act)] = &[("name <name:word1-32>", Act::Set(1)), ("no name", Act::Unset)];

const LINE: &[(&str, Act)] = &[
    ("exec-timeout <minutes:0-1440> [<seconds:0-3600>]", Act::Set(1)),
    ("no exec-timeout", Act::Unset),
    ("privilege level <privilege:0-15>", Act::Set(2)),
    ("no privilege level", Act::Unset),
];

const SNMP_HOST: &[(&str, Act)] = &[
    ("host <address:ip> [<port:1-65535>] [traps | informs]", Act::Set(1)),
    ("no host", Act::Unset),
    ("version {v1 | v2 | v3} [<community:word1-127>]", Act::Set(1)),
    ("no version", Act::Unset),
    ("shutdown", Act::Set(1)),
    ("no shutdown", Act::Unset),
];

impl Grammars {
    /// The grammars of this device.
    pub(super) fn new(spec: &DeviceSpec) -> Self {
        let mut exec = Grammar::new();
        for (privilege, pattern, act) in EXEC {
            exec.add(*privilege, pattern, *act);
        }
        let config = |assumed, loading| {
            let mut config = mode(CONFIG);
            for (pattern, act) in per_device(spec, assumed, loading) {
                config.add(15, &pattern, act);
            }
            config
        };
        Self {
            exec,
            config: config(spec.knobs.assumed_words != AssumedWords::Refused, false),
            loading: config(true, true),
            interface: mode(INTERFACE),
            interface_vlan: mode(INTERFACE_VLAN),
            vlan: mode(VLAN),
            line: mode(LINE),
            snmp_host: mode(SNMP_HOST),
        }
    }
}

fn mode(commands: &[(&str, Act)]) -> Grammar<Act> {
    let mut grammar = Grammar::new();
    for (pattern, act) in commands.iter().chain(EVERYWHERE) {
        grammar.add(15, pattern, *act);
    }
    grammar
}

/// The commands whose words depend on firmware or knobs. `assumed`: with the words that are guesses (see
/// [`AssumedWords`]), where the firmware is new enough for what they do. `loading`: those too that this device is told to refuse.
fn per_device(spec: &DeviceSpec, assumed: bool, loading: bool) -> Vec<(String, Act)> {
    let text = |longest: u16| {
        let least = u8::from(!spec.knobs.empty_description);
        format!("[description <description:word{least}-{longest}>]")
    };
    let description = text(127);
    let knows = |word: &str| loading || !spec.knobs.refused_words.contains(word);
    let poe = match (
        has_poe(spec) && knows("poe disable"),
        has_poe(spec) && assumed && knows("poe enable | force"),
    ) {
        (false, false) => "",
        // The only one that was seen.
        (true, false) => "[poe disable]",
        (false, true) => "[poe {enable | force}]",
        (true, true) => "[poe {disable | enable | force}]",
    };
    let port_aware = assumed && spec.firmware.at_least(1, 4, 0);
    let double_tags = assumed && has_double_tags(spec);
    let words = |is_there: bool, all: &[(&str, &'static str)]| -> String {
        let known = all.iter().filter(|(word, _)| is_there && knows(word));
        known.map(|(_, pattern)| *pattern).collect::<Vec<_>>().join(" ")
    };
    let port = words(port_aware, &[("port", "[port {unassigned | <service-port:1-99>}]")]);
    let outer = match (knows("outer-vid"), knows("outer-vid none")) {
        (true, true) => "[outer-vid {none | <outer:3-4094>}]",
        (true, false) => "[outer-vid <outer:3-4094>]",
        (false, true) => "[outer-vid none]",
        (false, false) => "",
    };
    let nni = match (knows("nni"), knows("nni default")) {
        (true, true) => "[nni {default | <nni:1-9>}]",
        (true, false) => "[nni <nni:1-9>]",
        (false, true) => "[nni default]",
        (false, false) => "",
    };
    let tags = match double_tags {
        true => format!("{} {outer} {nni}", words(true, &[("trunk", "[trunk]")])),
        false => String::new(),
    };
    let no_port = words(port_aware, &[("no port", "| port")]);
    let no_tags = words(
        double_tags,
        &[
            ("no trunk", "| trunk"),
            ("outer-vid none", "| outer-vid"),
            ("nni default", "| nni"),
        ],
    );
    let future = if spec.knobs.future_word {
        "[future-word <future:0-9>]"
    } else {
        ""
    };
    let mut commands = vec![
        (
            format!(
                "ghn bw-profile <id:1-15> [name <name:word1-31>] {description} [rate-downstream <down:0-4294967295>] \
                 [rate-upstream <up:0-4294967295>] [service-limit-level <level:1-4>]"
            ),
            Act::GhnProfile,
        ),
        (
            format!(
                "ghn endpoint <id:1-384> [name <name:word1-31>] [mac-address <mac:mac>] {description} \
                 [port {{<port:1-99> | unassigned | auto}}] [allow-management-access]"
            ),
            Act::GhnEndpoint,
        ),
        (
            format!(
                "ghn subscriber <id:1-384> [name <name:word1-31>] {description} [endpoint <endpoint:1-384>] \
                 [vid <vid:3-4094>] [tagged | untagged] [remapped-vid {{none | <remapped:3-4094>}}] \
                 [bw-profile {{unthrottled | <profile:1-15>}}] [allowed-vlan {{none | <allowed:vlans>}}] \
                 [port2-vid {{none | <port2:1-4094>}}] {poe} {port} {tags} {future}"
            ),
            Act::GhnSubscriber,
        ),
        (
            format!("no ghn subscriber <id:1-384> [endpoint {no_port} {no_tags}]"),
            Act::NoGhnSubscriber,
        ),
    ];
    if port_aware {
        let pattern = "ghn subscriber-model {endpoint-aware | port-aware}";
        commands.push((pattern.to_owned(), Act::SubscriberModel));
    }
    let communities: [(&str, Act); 2] = if has_new_communities(spec) {
        [
            (
                "snmp-server community <community:word1-127> ip-range <ip:ip> <mask:ip> <secret:word1-127>",
                Act::Set(3),
            ),
            ("no snmp-server community <community:word1-127>", Act::Unset),
        ]
    } else {
        [
            ("snmp-server community v2c <community:word1-127> [ro | rw]", Act::Set(4)),
            ("no snmp-server community v2c <community:word1-127>", Act::Unset),
        ]
    };
    commands.extend(communities.map(|(pattern, act)| (pattern.to_owned(), act)));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_well_formed() {
        let modes = [CONFIG, INTERFACE, INTERFACE_VLAN, VLAN, LINE, SNMP_HOST, EVERYWHERE];
        let patterns = EXEC
            .iter()
            .map(|(_, pattern, _)| *pattern)
            .chain(modes.into_iter().flatten().map(|(pattern, _)| *pattern));
        for pattern in patterns {
            for (open, close) in [('[', ']'), ('{', '}'), ('<', '>')] {
                let count = |bracket| pattern.matches(bracket).count();
                assert_eq!(count(open), count(close), "{pattern}");
            }
            for value in pattern.split('<').skip(1) {
                let kind = value.split('>').next().and_then(|value| value.split_once(':'));
                let known = kind.is_some_and(|(_, kind)| {
                    ["decimal", "mac", "ip", "vlans", "ports", "rest"].contains(&kind) || kind.contains('-')
                });
                assert!(known, "<{value} in {pattern}");
            }
        }
    }
}
