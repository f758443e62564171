//! The shape of a command, written as the vendor's guide writes it.
//!
//! `ghn endpoint <id:1-384> [name <name:word1-31>] [port {<port:1-99> | unassigned}]`: words, values in
//! angle brackets with a label and a kind, choices in braces, options in square brackets. Options that
//! follow each other may come in any order, each once.

use std::sync::Arc;

use crate::domain::{MacAddr, VlanSet};

/// One piece of a command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// A fixed word; any unique start of it will do.
    Word(Arc<str>),
    /// A value.
    Value(Arc<str>, Kind),
    /// One of several sequences.
    Choice(Vec<Vec<Self>>),
    /// Any of several sequences in any order, each at most once.
    Options(Vec<Vec<Self>>),
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// A whole number within bounds.
    Number(u64, u64),
    /// A number with a fraction.
    Decimal,
    /// A word or quoted string of a length within bounds.
    Text(usize, usize),
    /// A MAC address.
    Mac,
    /// An IPv4 address.
    Ip,
    /// VLANs as `1000,2000-2003`.
    Vlans,
    /// Ports of a slot as `1/1` or `1/1-2,4`.
    Ports,
    /// All the rest of the line.
    Rest,
}

/// How a word fits a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It does.
    Yes,
    /// It is the beginning of something that would.
    Begun,
    /// It does not.
    No,
}

impl Kind {
    fn named(name: &str) -> Self {
        match name {
            "decimal" => Self::Decimal,
            "mac" => Self::Mac,
            "ip" => Self::Ip,
            "vlans" => Self::Vlans,
            "ports" => Self::Ports,
            "rest" => Self::Rest,
            _ => {
                let (bounds, text) = match name.strip_prefix("word") {
                    Some(bounds) => (bounds, true),
                    None => (name, false),
                };
                let (low, high) = bounds.split_once('-').unwrap_or(("1", "255"));
                let (low, high) = (low.parse().unwrap_or(1), high.parse().unwrap_or(255));
                if text {
                    let length = |bound: u64| usize::try_from(bound).unwrap_or(usize::MAX);
                    Self::Text(length(low), length(high))
                } else {
                    Self::Number(low, high)
                }
            }
        }
    }

    /// How `?` shows it.
    pub(crate) fn shown(self) -> String {
        match self {
            Self::Number(low, high) => format!("<{low}-{high}>"),
            Self::Decimal => "<decimal>".to_owned(),
            Self::Text(low, high) => format!("<word{low}-{high}>"),
            Self::Mac => "<mac_addr>".to_owned(),
            Self::Ip => "<ipv4_addr>".to_owned(),
            Self::Vlans => "<vlan_list>".to_owned(),
            Self::Ports => "<port_list>".to_owned(),
            Self::Rest => "LINE".to_owned(),
        }
    }

    /// Whether the kind takes whatever text comes, so that keywords go first.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Text(..) | Self::Rest)
    }

    /// How `text` fits.
    pub(crate) fn fit(self, text: &str) -> Fit {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let yes = |fits: bool| if fits { Fit::Yes } else { Fit::No };
        match self {
            Self::Number(low, high) => {
                yes(digits(text) && text.parse::<u64>().is_ok_and(|number| (low..=high).contains(&number)))
            }
            Self::Decimal => yes(match text.split_once('.') {
                Some((whole, part)) => digits(whole) && digits(part),
                None => digits(text),
            }),
            Self::Text(low, high) => yes((low..=high).contains(&text.len())),
            Self::Mac => {
                if text.parse::<MacAddr>().is_ok() {
                    Fit::Yes
                } else if text.len() < 17
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_hexdigit() || b":-".contains(&byte))
                {
                    Fit::Begun
                } else {
                    Fit::No
                }
            }
            Self::Ip => {
                if text.parse::<std::net::Ipv4Addr>().is_ok() {
                    Fit::Yes
                } else if text.split('.').count() < 4 && text.split('.').all(|part| part.is_empty() || digits(part)) {
                    Fit::Begun
                } else {
                    Fit::No
                }
            }
            Self::Vlans => yes(text.parse::<VlanSet>().is_ok()),
            Self::Ports => yes(ports(text).is_some()),
            Self::Rest => Fit::Yes,
        }
    }
}

/// The port numbers of `1/1-2,4`. `None` when the text is not of that shape.
pub(crate) fn ports(text: &str) -> Option<Vec<u16>> {
    let list = text.strip_prefix("1/")?;
    let mut ports = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        if first == 0 || last > 99 {
            return None;
        }
        ports.extend(first..=last);
    }
    (!ports.is_empty()).then_some(ports)
}

/// Reads a pattern. Total: a bracket left open closes at the end; a test holds that every pattern of the
/// command table is well formed.
pub(crate) fn read(pattern: &str) -> Vec<Node> {
    let mut spaced = String::new();
    let mut in_value = false;
    for character in pattern.chars() {
        match character {
            '<' => in_value = true,
            '>' => in_value = false,
            _ => {}
        }
        if !in_value && "[]{}|".contains(character) {
            spaced.push(' ');
            spaced.push(character);
            spaced.push(' ');
        } else {
            spaced.push(character);
        }
    }
    let mut tokens = spaced.split_whitespace();
    let mut alternatives = alternatives(&mut tokens);
    if alternatives.len() == 1 {
        alternatives.remove(0)
    } else {
        vec![Node::Choice(alternatives)]
    }
}

fn alternatives<'t>(tokens: &mut impl Iterator<Item = &'t str>) -> Vec<Vec<Node>> {
    let mut alternatives = vec![Vec::new()];
    while let Some(token) = tokens.next() {
        let node = match token {
            "]" | "}" => break,
            "|" => {
                alternatives.push(Vec::new());
                continue;
            }
            "{" => Node::Choice(self::alternatives(tokens)),
            "[" => {
                let option = self::alternatives(tokens);
                let option = if option.len() == 1 {
                    option
                } else {
                    vec![vec![Node::Choice(option)]]
                };
                if let Some(Node::Options(options)) = alternatives.last_mut().and_then(|sequence| sequence.last_mut()) {
                    options.extend(option);
                    continue;
                }
                Node::Options(option)
            }
            _ => match token.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
                Some(value) => {
                    let (label, kind) = value.split_once(':').unwrap_or((value, "word"));
                    Node::Value(label.into(), Kind::named(kind))
                }
                None => Node::Word(token.into()),
            },
        };
        if let Some(sequence) = alternatives.last_mut() {
            sequence.push(node);
        }
    }
    alternatives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_options_are_one_set() {
        let nodes = read("a <n:1-4> [b] [c <x:word0-31>] {d | e <m:mac>}");
        let Node::Options(options) = &nodes[2] else {
            panic!("{nodes:?}")
        };
        assert_eq!(options.len(), 2);
        assert_eq!(nodes[1], Node::Value("n".into(), Kind::Number(1, 4)));
        assert!(matches!(&nodes[3], Node::Choice(choices) if choices.len() == 2));
    }

    #[test]
    fn values_fit_within_their_bounds_only() {
        assert_eq!(Kind::Number(1, 15).fit("16"), Fit::No);
        assert_eq!(Kind::Number(1, 15).fit("+5"), Fit::No);
        assert_eq!(Kind::Text(1, 31).fit(""), Fit::No);
        assert_eq!(Kind::Text(1, 31).fit(&"x".repeat(32)), Fit::No);
        assert_eq!(Kind::Mac.fit("00:0e:d8"), Fit::Begun);
        assert_eq!(Kind::Mac.fit("00:0e:d8:1c:95:0x"), Fit::No);
        assert_eq!(Kind::Ip.fit("10.0.0"), Fit::Begun);
        assert_eq!(Kind::Decimal.fit("4.5"), Fit::Yes);
        assert_eq!(ports("1/1-2,4"), Some(vec![1, 2, 4]));
        assert_eq!(ports("2/1"), None);
    }
}
