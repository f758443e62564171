//! Texts with rules of their own: names, descriptions, addresses.

use serde_json::{Value as Json, json};

use crate::domain::MODELS;
use crate::inventory::document::Node;
use crate::inventory::nearest::nearest;
use crate::inventory::rules::{self, Rule};

use super::key::{KEY_HELP, key_problem, key_schema};
use super::scalar::text;
use super::{Context, Decode};

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
pub(super) type Problem = Option<(String, String)>;

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

/// A character as a message names it.
pub(super) fn quoted(char: char) -> String {
    match char {
        ' ' => "a blank".to_owned(),
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line end".to_owned(),
        _ if char.is_control() => format!("the control character U+{:04X}", u32::from(char)),
        _ => format!("`{char}`"),
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
