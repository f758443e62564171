//! What a service says of its endpoint, its device and its port.

use std::collections::BTreeSet;

use crate::domain::MacAddr;

use super::{Account, Service};
use crate::inventory::billing::{SiteRule, Whose};

/// What a service says of its endpoint's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// Nothing.
    None,
    /// One address.
    One(MacAddr),
    /// More than one, and no source that says exactly one.
    Several(BTreeSet<MacAddr>),
}

impl Address {
    /// The address, where there is one.
    pub(super) const fn one(&self) -> Option<MacAddr> {
        match self {
            Self::One(mac) => Some(*mac),
            Self::None | Self::Several(_) => None,
        }
    }

    /// Whether the service may be on this endpoint: it says nothing else for sure.
    pub(super) fn may_be(&self, mac: Option<MacAddr>) -> bool {
        match (self, mac) {
            (Self::None, _) | (_, None) => true,
            (Self::One(own), Some(mac)) => *own == mac,
            (Self::Several(all), Some(mac)) => all.contains(&mac),
        }
    }
}

/// The address of a service's endpoint: the first source that says exactly one counts.
pub(super) fn address(service: &Service, sources: &[String]) -> Address {
    let mut several = BTreeSet::new();
    for source in sources {
        let said: BTreeSet<MacAddr> = (service.clues.iter())
            .filter(|clue| clue.source == *source)
            .flat_map(|clue| macs(&clue.text))
            .collect();
        match said.first() {
            Some(mac) if said.len() == 1 => return Address::One(*mac),
            Some(_) if several.is_empty() => several = said,
            _ => {}
        }
    }
    if several.is_empty() {
        Address::None
    } else {
        Address::Several(several)
    }
}

/// The first text that one of the sources has.
pub(super) fn text<'s>(service: &'s Service, sources: &[String]) -> Option<&'s str> {
    let of =
        |source: &String| (service.clues.iter()).find(|clue| clue.source == *source && !clue.text.trim().is_empty());
    sources.iter().find_map(of).map(|clue| clue.text.trim())
}

/// All addresses of a text: one, or several with commas, semicolons or blanks between.
fn macs(text: &str) -> Vec<MacAddr> {
    match mac(text) {
        Some(mac) => vec![mac],
        None => text
            .split(|char: char| char.is_whitespace() || matches!(char, ',' | ';'))
            .filter_map(mac)
            .collect(),
    }
}

/// An address in any of the forms in which people and stickers have it. Letters other than hex digits make it something else: a
/// serial number with the right count of digits in it is no address.
fn mac(text: &str) -> Option<MacAddr> {
    let mut digits = Vec::with_capacity(12);
    for char in text.trim().chars() {
        match (char.to_digit(16), char) {
            (Some(digit), _) => digits.push(u8::try_from(digit).ok()?),
            (None, ':' | '-' | '.' | ' ') => {}
            (None, _) => return None,
        }
    }
    let digits: [u8; 12] = digits.try_into().ok()?;
    let mut octets = [0; 6];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
        *octet = pair.iter().fold(0, |octet, digit| octet << 4 | digit);
    }
    let mac = MacAddr::new(octets);
    (!mac.is_null() && !mac.is_group()).then_some(mac)
}

/// Whose an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belongs<'r> {
    /// Ours, wherever it is.
    Anywhere,
    /// Ours, on this site.
    Site(&'r str),
    /// None of ours.
    Others(&'r str),
    /// No rule says it.
    Unknown,
}

/// Whose a service is, by the first rule that fits.
pub(super) fn belongs<'r>(account: &Account, service: &Service, rules: &'r [SiteRule]) -> Belongs<'r> {
    if rules.is_empty() {
        return Belongs::Anywhere;
    }
    let fits = |rule: &&SiteRule| {
        (rule.when.iter()).all(|(name, texts)| {
            let fact = service.fact(account, name).map(str::trim);
            fact.is_some_and(|fact| texts.iter().any(|text| text == fact))
        })
    };
    match rules.iter().find(fits).map(|rule| &rule.then) {
        Some(Whose::Site(site)) => Belongs::Site(site),
        Some(Whose::Others(reason)) => Belongs::Others(reason),
        None => Belongs::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Clue, Standing};
    use super::*;

    fn service(clues: &[(&str, &str)]) -> Service {
        Service {
            offer: None,
            standing: Standing::Active,
            words: String::new(),
            clues: (clues.iter())
                .map(|(source, text)| Clue {
                    source: (*source).to_owned(),
                    text: (*text).to_owned(),
                })
                .collect(),
            facts: Default::default(),
        }
    }

    fn sources() -> Vec<String> {
        ["inventory.barcode", "service.mac"].map(str::to_owned).to_vec()
    }

    fn one(clues: &[(&str, &str)]) -> String {
        match address(&service(clues), &sources()) {
            Address::None => "none".to_owned(),
            Address::One(mac) => mac.to_string(),
            Address::Several(all) => all.len().to_string(),
        }
    }

    #[test]
    fn an_address_is_read_however_it_is_written() {
        for text in [
            "00:0e:d8:1c:95:08",
            "00-0E-D8-1C-95-08",
            "000e.d81c.9508",
            "000ED81C9508",
            " 00 0e d8 1c 95 08 ",
            "00:0e:d8:1c:95:08, 00:0E:D8:1C:95:08",
        ] {
            assert_eq!(one(&[("service.mac", text)]), "00:0e:d8:1c:95:08", "{text}");
        }
        for text in [
            "",
            "SN-00-0e-d8-1c-95-08",
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "01:00:5e:00:00:01",
            "00:0e:d8:1c:95",
            "00:0e:d8:1c:95:08:09",
            "unknown",
            "００:0e:d8:1c:95:08",
        ] {
            assert_eq!(one(&[("service.mac", text)]), "none", "{text}");
        }
    }

    #[test]
    fn the_first_source_that_says_exactly_one_counts() {
        let (a, b) = ("00:0e:d8:00:00:0a", "00:0e:d8:00:00:0b");
        let both = format!("{a}, {b}");
        assert_eq!(one(&[("service.mac", a), ("inventory.barcode", b)]), b);
        assert_eq!(one(&[("service.mac", a), ("inventory.barcode", "n/a")]), a);
        assert_eq!(one(&[("service.mac", a), ("inventory.barcode", &both)]), a);
        assert_eq!(one(&[("inventory.barcode", a), ("inventory.barcode", b)]), "2");
        assert_eq!(one(&[("service.mac", &both), ("service.login", a)]), "2");
        assert_eq!(one(&[("service.login", a)]), "none");
    }

    #[test]
    fn an_account_belongs_where_the_first_rule_that_fits_says() {
        let rule = |then: Whose, when: &[(&str, &[&str])]| SiteRule {
            then,
            when: (when.iter())
                .map(|(name, texts)| ((*name).to_owned(), texts.iter().map(ToString::to_string).collect()))
                .collect(),
        };
        let rules = [
            rule(Whose::Others("wireless".to_owned()), &[("partner", &["9"])]),
            rule(
                Whose::Site("maple".to_owned()),
                &[("location", &["3", "4"]), ("city", &["Oak"])],
            ),
            rule(Whose::Site("elm".to_owned()), &[("location", &["3"])]),
        ];
        let account = |facts: &[(&str, &str)]| Account {
            facts: (facts.iter())
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
            ..Account::default()
        };
        let whose = |facts: &[(&str, &str)]| belongs(&account(facts), &service(&[]), &rules);
        assert_eq!(
            whose(&[("partner", "9"), ("location", "3")]),
            Belongs::Others("wireless")
        );
        assert_eq!(whose(&[("location", " 4 "), ("city", "Oak")]), Belongs::Site("maple"));
        assert_eq!(whose(&[("location", "3")]), Belongs::Site("elm"));
        assert_eq!(whose(&[("location", "5")]), Belongs::Unknown);
        assert_eq!(belongs(&account(&[]), &service(&[]), &[]), Belongs::Anywhere);
        // What a service says goes before what its account says.
        let mut there = service(&[]);
        there.facts.insert("location".to_owned(), "3".to_owned());
        assert_eq!(
            belongs(&account(&[("location", "5")]), &there, &rules),
            Belongs::Site("elm")
        );
    }
}
