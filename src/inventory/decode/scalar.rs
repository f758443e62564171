//! Single values: texts with rules, numbers, words.

use serde_json::{Value as Json, json};

use crate::domain::{EndpointId, MODELS, MacAddr, PoeMode, PortNumber, SubscriberId, VlanId};
use crate::inventory::document::{Node, Value};
use crate::inventory::model::{Mode, State, Unsaved};
use crate::inventory::nearest::nearest;
use crate::inventory::rules::{self, Rule};

use super::plain::{self, Plain, classify};
use super::{Context, Decode, KeyKind};

/// The text of a node where text is wanted, however it was written; YAML's traps become findings.
pub(super) fn text<'n>(node: &'n Node<'_>, context: &mut Context<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Scalar { text, plain: false } => Some(text),
        Value::Scalar { text, plain: true } if !node.is_null() => {
            let at = context.at(node.span);
            plain::check_text(&context.field, text, at, context.findings).then_some(text)
        }
        _ => context.wrong_type(node, "text"),
    }
}

/// A number where one is wanted: plain decimal digits. `wanted` reads on from "needs".
pub(super) fn integer(node: &Node<'_>, context: &mut Context<'_>, wanted: &str) -> Option<u64> {
    let Value::Scalar { text, plain: true } = &node.value else {
        if let Value::Scalar { text, plain: false } = &node.value
            && classify(text) == Plain::Integer
        {
            let (at, field) = (context.at(node.span), &context.field);
            context
                .findings
                .add(
                    &rules::WRONG_TYPE,
                    at,
                    format!("`{field}` is text in quotes; it needs {wanted}"),
                )
                .help(format!("write it without quotes: {text}"));
            return None;
        }
        return context.wrong_type(node, wanted);
    };
    let at = context.at(node.span);
    match classify(text) {
        Plain::Null => context.wrong_type(node, wanted),
        Plain::Integer => match text.parse() {
            Ok(number) => Some(number),
            // Negative, or beyond any range there is.
            Err(_) => {
                let message = format!("`{}` is {text}; it needs {wanted}", context.field);
                context.findings.add(&rules::OUT_OF_RANGE, at, message);
                None
            }
        },
        Plain::OddNumber | Plain::OldNumber | Plain::Fraction => {
            let message = format!(
                "`{}: {text}` is not the same number to every YAML reader",
                context.field
            );
            context
                .findings
                .add(&rules::YAML_NUMBER, at, message)
                .help(format!("write {wanted} in plain decimal digits"));
            None
        }
        Plain::Bool(_) | Plain::OldBool | Plain::Text => {
            let message = format!("`{}` is `{text}`; it needs {wanted}", context.field);
            context.findings.add(&rules::WRONG_TYPE, at, message);
            None
        }
    }
}

/// One of a few words.
pub(super) fn word<T: Copy>(node: &Node<'_>, context: &mut Context<'_>, words: &[(&str, T)]) -> Option<T> {
    let (at, names) = (context.at(node.span), one_of(words.iter().map(|(name, _)| *name)));
    let Value::Scalar { text, .. } = &node.value else {
        return context.wrong_type(node, &names);
    };
    if node.is_null() {
        return context.wrong_type(node, &names);
    }
    if let Some((_, value)) = words.iter().find(|(name, _)| name == text) {
        return Some(*value);
    }
    let message = format!("`{}` is `{text}`; it needs {names}", context.field);
    let draft = context.findings.add(&rules::INVALID_WORD, at, message);
    if let Some(name) = nearest(text, words.iter().map(|(name, _)| *name)) {
        draft.help(format!("did you mean `{name}`?"));
    }
    None
}

/// `` `a`, `b` or `c` ``.
fn one_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

macro_rules! words {
    ($kind:ty { $($word:literal => $value:expr),* $(,)? }) => {
        impl Decode for $kind {
            fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
                $crate::inventory::decode::scalar::word(node, context, &[$(($word, $value)),*])
            }

            fn schema() -> Json {
                json!({ "enum": [$($word),*] })
            }
        }
    };
}
pub(super) use words;

words!(Mode { "observe" => Self::Observe, "manage" => Self::Manage });
words!(State { "active" => Self::Active, "suspended" => Self::Suspended });
words!(Unsaved { "refuse" => Self::Refuse, "report" => Self::Report, "save" => Self::Save });
words!(PoeMode { "disable" => Self::Disable, "enable" => Self::Enable, "force" => Self::Force });

/// `true` or `false`, and no word that only some readers take for one.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Flag(pub(in crate::inventory) bool);

impl Decode for Flag {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let Value::Scalar { text, plain } = &node.value else {
            return context.wrong_type(node, "`true` or `false`");
        };
        match classify(text) {
            Plain::Bool(value) if *plain => Some(Self(value)),
            Plain::OldBool => {
                let (at, field) = (context.at(node.span), &context.field);
                let positive = matches!(text.to_ascii_lowercase().as_str(), "yes" | "on" | "y");
                context
                    .findings
                    .add(
                        &rules::YAML_BOOLEAN,
                        at,
                        format!("`{field}: {text}` is text to some YAML readers and a boolean to others"),
                    )
                    .help(format!("write `{field}: {positive}`"));
                None
            }
            _ => context.wrong_type(node, "`true` or `false`"),
        }
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

/// A text with a rule of its own.
macro_rules! text_kind {
    ($(#[doc = $docs:literal])* $name:ident, $rule:expr, $check:expr, $schema:expr) => {
        $(#[doc = $docs])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(in crate::inventory) struct $name(pub(in crate::inventory) String);

        impl Decode for $name {
            fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
                let text = text(node, context)?;
                checked(text, node, context, $rule, $check).then(|| Self(text.to_owned()))
            }

            fn schema() -> Json {
                $schema
            }
        }
    };
}

/// What a check says: what is wrong, reading on from "`x` ", and what to do.
type Problem = Option<(String, String)>;

fn checked(
    text: &str,
    node: &Node<'_>,
    context: &mut Context<'_>,
    rule: &'static Rule,
    check: fn(&str) -> Problem,
) -> bool {
    let Some((wrong, help)) = check(text) else {
        return true;
    };
    let (at, field) = (context.at(node.span), &context.field);
    context.findings.add(rule, at, format!("`{field}` {wrong}")).help(help);
    false
}

text_kind!(
    /// Free text that never reaches a device.
    Text, &rules::WRONG_TYPE, |_| None, json!({ "type": "string" })
);
text_kind!(
    /// A reference to an entry, or the key that an entry had before.
    Key, &rules::INVALID_KEY, |text| key_problem(text).map(|wrong| (wrong, KEY_HELP.to_owned())), key_schema()
);
text_kind!(
    /// A name on the device.
    Name, &rules::INVALID_NAME, |text| safe_name(text).map(|wrong| (wrong, NAME_HELP.to_owned())),
    json!({ "type": "string", "minLength": 1, "maxLength": 31, "pattern": NAME_PATTERN })
);
text_kind!(
    /// A description on the device.
    Description, &rules::INVALID_DESCRIPTION, description_problem,
    json!({ "type": "string", "maxLength": 63, "pattern": r#"^[ !#->@-\[\]-~]*$"# })
);
text_kind!(
    /// A device's own host name.
    Hostname, &rules::INVALID_HOSTNAME, hostname_problem,
    json!({ "type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?$" })
);
text_kind!(
    /// The inventory's id.
    InventoryId, &rules::INVALID_KEY, |text| key_problem(text).map(|wrong| (wrong, KEY_HELP.to_owned())), key_schema()
);
text_kind!(
    /// An IP address or a DNS name.
    Address, &rules::INVALID_ADDRESS, address_problem, json!({ "type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9:.-]+$" })
);
text_kind!(
    /// A host key in OpenSSH form.
    HostKey, &rules::INVALID_HOST_KEY, host_key_problem,
    json!({ "type": "string", "pattern": "^(ssh-|ecdsa-)[a-z0-9-]+ AAAA[A-Za-z0-9+/]+={0,2}( .*)?$" })
);
text_kind!(
    /// A product's name, `GAM-12-C`; whether it exists is asked by a rule that can name the nearest.
    ModelName, &rules::UNKNOWN_MODEL, model_problem, model_schema()
);

const KEY_HELP: &str =
    "keys are made of letters, digits, `_`, `-` and `.`, begin with a letter or digit, and have 63 characters at most";
const KEY_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_.-]*$";

fn key_schema() -> Json {
    json!({ "type": "string", "minLength": 1, "maxLength": 63, "pattern": KEY_PATTERN })
}

fn key_problem(text: &str) -> Option<String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if text.is_empty() {
        Some("is empty".to_owned())
    } else if text.len() > 63 {
        Some(format!("has {} characters; 63 are allowed", text.chars().count()))
    } else if let Some(bad) = text.chars().find(|char| !u8::try_from(*char).is_ok_and(good)) {
        Some(format!("holds {}, which a key cannot", quoted(bad)))
    } else if !text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        Some("does not begin with a letter or digit".to_owned())
    } else {
        None
    }
}

/// A character as a message names it.
fn quoted(char: char) -> String {
    match char {
        ' ' => "a blank".to_owned(),
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line end".to_owned(),
        _ if char.is_control() => format!("the control character U+{:04X}", u32::from(char)),
        _ => format!("`{char}`"),
    }
}

/// Keys of sites, devices, plans, subscribers and spare endpoints.
#[derive(Debug)]
pub(in crate::inventory) struct EntryKey;

impl KeyKind for EntryKey {
    fn problem(key: &str) -> Problem {
        key_problem(key).map(|wrong| (format!("the key `{}` {wrong}", key.escape_debug()), KEY_HELP.to_owned()))
    }

    fn schema() -> Json {
        json!({ "maxLength": 63, "minLength": 1, "pattern": KEY_PATTERN })
    }
}

/// Port numbers as keys. Whether the model has the port is a rule.
#[derive(Debug)]
pub(in crate::inventory) struct PortKey;

impl KeyKind for PortKey {
    const NUMERIC: bool = true;

    fn problem(key: &str) -> Problem {
        if port_number(key).is_some() {
            return None;
        }
        let help = format!(
            "G.hn ports are numbered from 1; the largest model has {}",
            PortNumber::MAX
        );
        Some((format!("`{}` is not a port number", key.escape_debug()), help))
    }

    fn schema() -> Json {
        json!({ "pattern": "^([1-9]|1[0-9]|2[0-4])$" })
    }
}

/// A port number as a key says it: no sign, no leading zero.
pub(in crate::inventory) fn port_number(key: &str) -> Option<PortNumber> {
    (classify(key) == Plain::Integer)
        .then(|| key.parse::<u64>().ok())
        .flatten()
        .and_then(|raw| PortNumber::try_from(raw).ok())
}

/// Keys that mean something to the operator only.
#[derive(Debug)]
pub(in crate::inventory) struct LabelKey;

impl KeyKind for LabelKey {
    fn problem(key: &str) -> Problem {
        (key.is_empty() || key.len() > 127).then(|| {
            let help = "give it a name of 1 to 127 characters".to_owned();
            ("the key of a label is empty or too long".to_owned(), help)
        })
    }

    fn schema() -> Json {
        json!({ "minLength": 1, "maxLength": 127 })
    }
}

/// What a name on the device may be, for help texts.
pub(in crate::inventory) const NAME_HELP: &str =
    "names on the device have 1 to 31 characters: letters, digits, _ - . / # @ + ( ) and blanks inside";
const NAME_PATTERN: &str = "^[A-Za-z0-9_./#@+()-]([A-Za-z0-9_./#@+() -]*[A-Za-z0-9_./#@+()-])?$";

/// Why a text is no safe name on the device, reading on from "`x` ".
///
/// 1 to 31 characters (JSON-RPC guide). The characters are the ones seen in real names and in the vendor's samples: the
/// MIB allows all of ASCII, but `?` calls for help in the line editor, `"` ends a string and `\` differs between versions.
pub(in crate::inventory) fn safe_name(text: &str) -> Option<String> {
    let length = text.chars().count();
    let good = |char: char| char.is_ascii_alphanumeric() || "_-./#@+() ".contains(char);
    if text.is_empty() {
        Some("is empty".to_owned())
    } else if let Some(bad) = text.chars().find(|char| !good(*char)) {
        Some(format!(
            "holds {}, which is not safe on the device's command line",
            quoted(bad)
        ))
    } else if length > 31 {
        Some(format!("has {length} characters; the device takes 31"))
    } else if text.starts_with(' ') || text.ends_with(' ') {
        Some("begins or ends with a blank".to_owned())
    } else {
        None
    }
}

/// The MIB takes 127 characters, the web page and JSON-RPC guide 63: the narrower is safe everywhere.
fn description_problem(text: &str) -> Problem {
    let good = |char: char| matches!(char, ' '..='~') && !matches!(char, '"' | '\\' | '?');
    let length = text.chars().count();
    if let Some(bad) = text.chars().find(|char| !good(*char)) {
        let help = "descriptions take printable ASCII without \" \\ and ?".to_owned();
        Some((
            format!("holds {}, which is not safe on the device's command line", quoted(bad)),
            help,
        ))
    } else if length > 63 {
        let help = "shorten it; longer notes fit into a comment or a label".to_owned();
        Some((format!("has {length} characters; the device takes 63"), help))
    } else {
        None
    }
}

fn hostname_problem(text: &str) -> Problem {
    let good = text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (!good).then(|| {
        let help = "a host name has 1 to 63 letters, digits and `-`, begins with a letter and does not end with `-`";
        (
            format!("is `{}`, which a device does not take", text.escape_debug()),
            help.to_owned(),
        )
    })
}

fn address_problem(text: &str) -> Problem {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label of digits only is an address with a mistake in it, such as 10.0.0.256.
    let numeric = |text: &str| {
        text.rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let dns = text.len() <= 253 && text.split('.').all(label) && !numeric(text);
    if dns || text.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    let help = if text.contains('/') || text.matches(':').count() == 1 {
        "write the address alone; ports go to `transport: {ssh_port: N, snmp_port: N}`"
    } else {
        "write an IPv4 or IPv6 address, or a DNS name"
    };
    Some((
        format!(
            "is `{}`, which is neither an IP address nor a DNS name",
            text.escape_debug()
        ),
        help.to_owned(),
    ))
}

fn credentials_problem(text: &str) -> Problem {
    let good = text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.'));
    (!good).then(|| {
        let help = "write a name such as `factory` or `site-a`: small letters, digits, `_`, `-`, `.`; the values stay outside the inventory";
        ("is not a name of credentials".to_owned(), help.to_owned())
    })
}

fn host_key_problem(text: &str) -> Problem {
    let mut words = text.splitn(3, ' ');
    let kind = words.next().unwrap_or("");
    let key = words.next().unwrap_or("");
    let body = key.trim_end_matches('=');
    let good = (kind.strip_prefix("ssh-").or_else(|| kind.strip_prefix("ecdsa-"))).is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    }) && body.len() > 4
        && body.starts_with("AAAA")
        && key.len() - body.len() <= 2
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    (!good).then(|| {
        let help = "copy it from `ssh-keyscan -p PORT ADDRESS`: the type, a blank, and the text that begins with AAAA";
        ("is not an SSH host key".to_owned(), help.to_owned())
    })
}

fn model_problem(text: &str) -> Problem {
    if crate::domain::Model::by_name(text).is_some() {
        return None;
    }
    let names = || MODELS.iter().map(|model| model.name);
    let help = nearest(&text.to_ascii_uppercase(), names()).map_or_else(
        || format!("models are {}", names().collect::<Vec<_>>().join(", ")),
        |name| format!("did you mean `{name}`?"),
    );
    Some((
        format!("is `{}`, which is not a model of the GAM family", text.escape_debug()),
        help,
    ))
}

/// The names as an editor completes them, or in any case and with a suffix for the power entry.
fn model_schema() -> Json {
    let any_case = |name: &str| -> String {
        name.chars()
            .map(|char| match char {
                'A'..='Z' => format!("[{char}{}]", char.to_ascii_lowercase()),
                _ => char.to_string(),
            })
            .collect()
    };
    let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
    let pattern = format!(
        "^({})(-.*)?$",
        names.iter().map(|name| any_case(name)).collect::<Vec<_>>().join("|")
    );
    json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": pattern }] })
}

/// The name of credentials; becomes part of the name of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::inventory) struct CredentialsName(pub(in crate::inventory) String);

impl Decode for CredentialsName {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let name = text(node, context).map(str::to_owned);
        let name = name.filter(|name| checked(name, node, context, &rules::INVALID_CREDENTIALS, credentials_problem));
        if name.is_none() {
            // Whatever stands here instead of a name may well be a password.
            let at = context.at(node.span);
            context.findings.hide(at);
        }
        name.map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "maxLength": 63, "pattern": "^[a-z][a-z0-9_.-]*$" })
    }
}

impl Decode for MacAddr {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let Value::Scalar { text, plain } = &node.value else {
            return context.wrong_type(node, "a MAC address");
        };
        if node.is_null() {
            return context.wrong_type(node, "a MAC address");
        }
        let (at, field) = (context.at(node.span), &context.field);
        match text.parse() {
            Ok(mac) => {
                // `52:54:00:12:34:56` and the like: digits below 60 only.
                if *plain && classify(text) == Plain::OldNumber {
                    context
                        .findings
                        .add(
                            &rules::YAML_NUMBER,
                            at,
                            format!("`{field}: {text}` is a number in base 60 to some YAML readers"),
                        )
                        .help(format!("write it in quotes: \"{text}\""));
                }
                Some(mac)
            }
            Err(_) => {
                let number = *plain && matches!(classify(text), Plain::Integer | Plain::OddNumber | Plain::OldNumber);
                let message = if number {
                    format!("`{field}` is `{text}`, which YAML reads as a number, not as a MAC address")
                } else {
                    format!("`{field}` is `{}`, which is not a MAC address", text.escape_debug())
                };
                let help = match respelled(text) {
                    Some(mac) => format!("write it as {mac}"),
                    None => "write six pairs of hex digits, such as 00:0e:d8:1c:95:08".to_owned(),
                };
                context.findings.add(&rules::INVALID_MAC, at, message).help(help);
                None
            }
        }
    }

    fn schema() -> Json {
        json!({
            "type": "string",
            "pattern": "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$|^([0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}$",
            "examples": ["00:0e:d8:1c:95:08"],
        })
    }
}

/// The address that a text with other separators spells.
fn respelled(text: &str) -> Option<MacAddr> {
    let digits: String = text
        .chars()
        .filter(|char| !matches!(char, ':' | '-' | '.' | ' '))
        .collect();
    if digits.len() != 12 || !digits.is_ascii() {
        return None;
    }
    let pairs: Vec<&str> = (0..6).filter_map(|pair| digits.get(pair * 2..pair * 2 + 2)).collect();
    pairs.join(":").parse().ok()
}

impl Decode for VlanId {
    /// A VLAN that a subscriber's service may use.
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let raw = integer(node, context, "a VLAN number from 3 to 4093")?;
        let at = context.at(node.span);
        service_vlan(raw, at, context)
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": 3, "maximum": 4093, "not": { "type": "integer", "minimum": 3840, "maximum": 3844 } })
    }
}

/// A number as a VLAN that service may use; otherwise a finding at `at`.
pub(super) fn service_vlan(raw: u64, at: crate::inventory::findings::Loc, context: &mut Context<'_>) -> Option<VlanId> {
    let Some(vlan) = u16::try_from(raw).ok().and_then(|raw| VlanId::try_from(raw).ok()) else {
        let message = format!(
            "`{}`: there is no VLAN {raw}; they are numbered 1 to 4094",
            context.field
        );
        context
            .findings
            .add(&rules::VLAN_RANGE, at, message)
            .help("a subscriber may use 3 to 4093");
        return None;
    };
    if vlan.is_usable_for_service() {
        return Some(vlan);
    }
    let why = match raw {
        1 => "is the management VLAN",
        2 => "is how the device reaches its endpoints",
        4094 => "is the device's captive portal, where nothing is served",
        _ => "is reserved by the device (3840 to 3844)",
    };
    let message = format!("`{}`: VLAN {raw} {why}", context.field);
    context
        .findings
        .add(&rules::VLAN_RESERVED, at, message)
        .help("use 3 to 3839 or 3845 to 4093");
    None
}

macro_rules! number_kind {
    ($kind:ty, $min:expr, $max:expr, $what:literal) => {
        impl Decode for $kind {
            fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
                ranged(node, context, $what, u64::from($min), u64::from($max))
            }

            fn schema() -> Json {
                json!({ "type": "integer", "minimum": $min, "maximum": $max })
            }
        }
    };
}

/// A number within a range, as the type that holds it.
fn ranged<T: TryFrom<u64>>(node: &Node<'_>, context: &mut Context<'_>, what: &str, min: u64, max: u64) -> Option<T> {
    let wanted = if min == max {
        format!("{what}: {min}")
    } else {
        format!("{what} from {min} to {max}")
    };
    let raw = integer(node, context, &wanted)?;
    if (min..=max).contains(&raw)
        && let Ok(value) = T::try_from(raw)
    {
        return Some(value);
    }
    let (at, field) = (context.at(node.span), &context.field);
    context.findings.add(
        &rules::OUT_OF_RANGE,
        at,
        format!("`{field}` is {raw}; it needs {wanted}"),
    );
    None
}

/// A TCP or UDP port.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct TcpPort(pub(in crate::inventory) u16);

impl TryFrom<u64> for TcpPort {
    type Error = std::num::TryFromIntError;

    fn try_from(raw: u64) -> Result<Self, Self::Error> {
        u16::try_from(raw).map(Self)
    }
}

/// Which traffic classes a G1001-C limits, 1 to 4 (CLI guide). Reserved.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct ServiceLimit;

impl From<u64> for ServiceLimit {
    fn from(_: u64) -> Self {
        Self
    }
}

/// The version of the inventory's format. There is one so far.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct FormatVersion;

impl From<u64> for FormatVersion {
    fn from(_: u64) -> Self {
        Self
    }
}

number_kind!(EndpointId, EndpointId::MIN, EndpointId::MAX, "an endpoint number");
number_kind!(
    SubscriberId,
    SubscriberId::MIN,
    SubscriberId::MAX,
    "a subscriber number"
);
number_kind!(PortNumber, PortNumber::MIN, PortNumber::MAX, "a G.hn port number");
number_kind!(TcpPort, 1_u16, u16::MAX, "a port number");
number_kind!(ServiceLimit, 1_u16, 4_u16, "a service limit level");
number_kind!(FormatVersion, 1_u16, 1_u16, "the format version of this release");

/// An account's id in a billing system: text or a number.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct ExternalId;

impl Decode for ExternalId {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar { text, plain: true } if classify(text) == Plain::Integer => Some(Self),
            _ => text(node, context).map(|_| Self),
        }
    }

    fn schema() -> Json {
        json!({ "type": ["string", "integer"] })
    }
}
