//! Makes device text fit to leave the house: for a report that strangers read.
//!
//! Masking words that a secret follows ([`super::redact`]) is enough for people who may see the device. Here what is
//! *known to be harmless* stays, and all else goes: the G.hn lines, host name, VLANs and switch ports of a configuration
//! stay readable and can be read by the same readers again; of every other line its first word stays, if it is one of a
//! configuration, and nothing else. Names and descriptions become numbers unless told otherwise: they are those of people.
//!
//! Works on bytes as they came, cut into lines; a line end is never touched.

use std::collections::BTreeMap;

use super::command::{READ_DEFAULT, READ_RUNNING, READ_RUNNING_ALL_DEFAULTS, READ_STARTUP, SHOW_VERSION};
use super::redact::{self, MASK};
use super::running::words::{Word, split};
use super::session::Prompt;

/// First words of configuration lines that may stay: they say which feature is configured, and nothing of how.
const FEATURES: &[&str] = &[
    "aaa",
    "access",
    "access-list",
    "banner",
    "clock",
    "controller",
    "enable",
    "ip",
    "ipv6",
    "line",
    "lldp",
    "logging",
    "name",
    "no",
    "ntp",
    "privilege",
    "radius-server",
    "snmp-server",
    "spanning-tree",
    "tacacs-server",
    "username",
    "web",
];

/// What a device prints between two pages, on a wide terminal and on a narrow one.
const PAGERS: [&str; 2] = ["-- more --, next page: Space, continue: g, quit: ^C", "-- more --"];

/// The masking of one report: the same name is the same number everywhere in it.
#[derive(Debug, Clone)]
pub struct Sharing {
    /// Pseudonyms by kind and name. `None`: names stay.
    pseudonyms: Option<BTreeMap<(String, String), String>>,
}

impl Sharing {
    /// Names and descriptions of subscribers, endpoints and ports become numbers; bandwidth profiles keep their names.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            pseudonyms: Some(BTreeMap::new()),
        }
    }

    /// Names and descriptions stay as they are.
    #[must_use]
    pub fn with_names() -> Self {
        Self { pseudonyms: None }
    }

    /// What a device sent for a command (`None`: before its first prompt), masked. `prompt` is the one that it shows.
    pub fn bytes(&mut self, command: Option<&str>, prompt: &str, bytes: &[u8]) -> Vec<u8> {
        // Each byte is a letter of its own, so that no byte is lost in bytes that are no text.
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            out.push_str(&self.line(command, prompt, content));
            out.push_str(&line[content.len()..]);
        }
        // Nothing was put in that is not ASCII.
        out.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
            .collect()
    }

    /// One line: the terminal may have drawn over it from its start, so that it holds several.
    fn line(&mut self, command: Option<&str>, prompt: &str, line: &str) -> String {
        let parts = line.split('\r').map(|part| self.part(command, prompt, part));
        parts.collect::<Vec<String>>().join("\r")
    }

    fn part(&mut self, command: Option<&str>, prompt: &str, part: &str) -> String {
        let mut rest = part;
        // Where it was not wiped, it has the next line behind it.
        while let Some(behind) = PAGERS.iter().find_map(|pager| rest.strip_prefix(pager)) {
            rest = behind;
        }
        let (pager, part) = part.split_at(part.len() - rest.len());
        pager.to_owned() + &self.content(command, prompt, part)
    }

    fn content(&mut self, command: Option<&str>, prompt: &str, part: &str) -> String {
        let words = part.trim();
        let typed = part.strip_prefix(prompt).unwrap_or(part).trim();
        if words.is_empty() || Some(typed) == command || part == prompt || is_prompt_of_same(prompt, part) {
            return part.to_owned();
        }
        match command {
            Some(READ_RUNNING | READ_RUNNING_ALL_DEFAULTS | READ_STARTUP | READ_DEFAULT) => self.configuration(part),
            Some(SHOW_VERSION) => version(part),
            // All of its sessions are taken; it says so before any prompt.
            None if is_session_limit(words) => part.to_owned(),
            // The caret and the words of a refusal.
            Some(_) if words == "^" || words.starts_with('%') => redact::line(part),
            Some(_) | None => shape(part),
        }
    }

    fn configuration(&mut self, line: &str) -> String {
        let words = line.trim();
        let indent = &line[..line.len() - line.trim_start().len()];
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b" .,/-".contains(&byte))
        };
        let numbers = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b" ,-".contains(&byte));
        let (first, behind) = words.split_once(' ').unwrap_or((words, ""));
        let stays = match first {
            "ghn" => return self.ghn(line),
            "end" | "!" => behind.is_empty(),
            "Building" => behind.trim_end_matches('.') == "configuration",
            "hostname" => !behind.contains(' '),
            "vlan" => numbers(behind),
            "interface" => indent.is_empty() && plain(behind),
            "switchport" | "shutdown" => !indent.is_empty() && plain(behind),
            _ if words.starts_with('%') => return redact::line(line),
            _ => false,
        };
        if stays {
            line.to_owned()
        } else if FEATURES.contains(&first) {
            format!("{indent}{first} {MASK}")
        } else {
            format!("{indent}{MASK}")
        }
    }

    /// A line of the G.hn module: its keywords and numbers stay, known or not; texts are names.
    fn ghn(&mut self, line: &str) -> String {
        let mut out = String::with_capacity(line.len());
        let mut rest = line;
        let mut before = String::new();
        let words = split(line);
        let kind = words.get(1).map_or("object", |word| match word.text.as_str() {
            "bw-profile" => "profile",
            "endpoint" => "endpoint",
            "subscriber" => "subscriber",
            "port" => "port",
            _ => "object",
        });
        for word in &words {
            let blanks = rest.len() - rest.trim_start().len();
            out.push_str(&rest[..blanks]);
            rest = rest.get(blanks + word.raw.len()..).unwrap_or_default();
            out.push_str(&self.word(kind, &before, word));
            before = if word.quoted { String::new() } else { word.text.clone() };
        }
        out.push_str(rest);
        redact::line(&out)
    }

    fn word(&mut self, kind: &str, before: &str, word: &Word) -> String {
        let is_text = word.quoted || matches!(before, "name" | "description");
        let Some(pseudonyms) = self.pseudonyms.as_mut().filter(|_| is_text) else {
            return word.raw.clone();
        };
        let keeps = word.text.is_empty() || (kind == "profile" && before == "name") || is_factory_name(&word.text);
        if keeps {
            return word.raw.clone();
        }
        let kind = if before == "description" { "note" } else { kind };
        let number = pseudonyms.keys().filter(|(of, _)| of == kind).count() + 1;
        let key = (kind.to_owned(), word.text.clone());
        let pseudonym = pseudonyms.entry(key).or_insert_with(|| format!("{kind}-{number}"));
        format!("\"{pseudonym}\"")
    }
}

/// The name that a device gives an endpoint by itself, made of its MAC: `Positron_1C9508`.
fn is_factory_name(name: &str) -> bool {
    name.strip_prefix("Positron_")
        .is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// `Only 4 connections allowed`.
fn is_session_limit(words: &str) -> bool {
    let number = words
        .strip_prefix("Only ")
        .and_then(|rest| rest.strip_suffix(" connections allowed"));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether it is the prompt in another mode.
fn is_prompt_of_same(prompt: &str, part: &str) -> bool {
    match (Prompt::parse(part), Prompt::parse(prompt)) {
        (Some(found), Some(ours)) => found.hostname == ours.hostname,
        _ => false,
    }
}

/// `show version`: an operator's own words go, but for the system's name, which is in every prompt.
fn version(line: &str) -> String {
    match line.split_once(':') {
        Some((label, _)) if matches!(label.trim(), "System Contact" | "System Location") => format!("{label}: {MASK}"),
        _ => redact::line(line),
    }
}

/// Free text, such as a banner: how it looks stays, so that what a reader makes of it stays; what it says goes.
fn shape(text: &str) -> String {
    let letter = |c: char| match c {
        'a'..='z' => 'x',
        'A'..='Z' => 'X',
        '0'..='9' => '0',
        c if c.is_ascii() => c,
        _ => '?',
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::running;

    const SEEN: &str = include_str!("../../tests/fixtures/dialect/gam-4-cx-1.5.4/show-running-config.txt");

    fn shared(sharing: &mut Sharing, command: &str, text: &str) -> String {
        String::from_utf8(sharing.bytes(Some(command), "gam-maple# ", text.as_bytes())).unwrap()
    }

    #[test]
    fn what_is_managed_can_be_read_again_and_is_the_same() {
        let masked = shared(&mut Sharing::with_names(), READ_RUNNING, SEEN);
        let (before, after) = (running::parse(SEEN).unwrap(), running::parse(&masked).unwrap());
        assert_eq!(after.managed, before.managed);
        assert_eq!(after.warnings, before.warnings);
        assert!(!masked.contains("canary") && !masked.contains("admin"), "{masked}");
        assert!(!masked.contains("192.168"), "{masked}");
    }

    #[test]
    fn the_same_name_is_the_same_number_and_profiles_keep_theirs() {
        let text = "ghn bw-profile 2 name \"gold\" description \"for Ann\"\r\n\
            ghn endpoint 1 name \"Positron_1C9508\" mac-address 00:0e:d8:1c:95:08 port 4\r\n\
            ghn subscriber 1 name \"Ann \\\"Lee\" vid 100 endpoint 1 future-word \"x y\"\r\n\
            ghn subscriber 2 description Ann name bob\r\n\
            end\r\n";
        let mut sharing = Sharing::anonymous();
        let masked = shared(&mut sharing, READ_RUNNING, text);
        assert_eq!(
            masked,
            "ghn bw-profile 2 name \"gold\" description \"note-1\"\r\n\
            ghn endpoint 1 name \"Positron_1C9508\" mac-address 00:0e:d8:1c:95:08 port 4\r\n\
            ghn subscriber 1 name \"subscriber-1\" vid 100 endpoint 1 future-word \"subscriber-2\"\r\n\
            ghn subscriber 2 description \"note-2\" name \"subscriber-3\"\r\n\
            end\r\n"
        );
        assert_eq!(shared(&mut sharing, READ_STARTUP, text), masked);
    }

    #[test]
    fn no_line_that_is_not_known_to_be_harmless_says_anything() {
        for line in [
            "username CANARY privilege 15 password none",
            "radius-server host 192.0.2.1 key CANARY",
            "tacacs-server key CANARY",
            "snmp-server user CANARY engine-id 800007e5 sha CANARY priv aes CANARY",
            "banner motd #",
            "CANARY banner text #",
            " name CANARY",
            "! CANARY",
            "interface CANARY(1)",
            "vlan 1 name \"CANARY\"",
            "switchport CANARY",
            "vlan CANARY",
            "hostname gam CANARY",
            "Building CANARY",
            "CANARY show running-config",
            "-- more --CANARY",
            "end CANARY",
            "-- more --, next page: Space, continue: g, quit: ^C\r        \rusername CANARY",
        ] {
            let masked = shared(&mut Sharing::anonymous(), READ_RUNNING, &format!("{line}\r\nend\r\n"));
            assert!(!masked.contains("CANARY"), "{masked}");
            assert!(masked.ends_with("\nend\r\n"), "{masked}");
        }
        let banner = Sharing::anonymous().bytes(None, "gam# ", b"\r\n* Call CANARY 555-1 #\r\n\r\ngam# \r\ngam# ");
        assert_eq!(
            String::from_utf8(banner).unwrap(),
            "\r\n* Xxxx XXXXXX 000-0 #\r\n\r\ngam# \r\ngam# "
        );
    }

    #[test]
    fn versions_stay_and_an_operator_s_words_go() {
        let text = "show version\r\n System Contact   : Ann\r\n System Name      : gam-maple\r\n Software Version : GAM_v1.8.2\r\ngam-maple# ";
        assert_eq!(
            shared(&mut Sharing::anonymous(), SHOW_VERSION, text),
            "show version\r\n System Contact   : ***\r\n System Name      : gam-maple\r\n Software Version : GAM_v1.8.2\r\ngam-maple# "
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken_and_keep_their_lines(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let masked = Sharing::anonymous().bytes(Some(READ_RUNNING), "gam# ", &bytes);
            let ends = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
            proptest::prop_assert_eq!(ends(&masked), ends(&bytes));
        }
    }
}
