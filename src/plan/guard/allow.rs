//! Saying that a plan is meant as it is: a number that only this plan has.

use std::fmt;
use std::str::FromStr;

use super::trip::Verdict;

/// The commit trailer that allows.
pub const TRAILER: &str = "Gamops-Allow";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Subscribers destroyed.
    Destroy,
    /// Subscribers suspended.
    Suspend,
    /// Devices changed.
    Devices,
    /// Devices that the inventory lost.
    LostDevices,
    /// Subscribers that the inventory lost.
    LostSubscribers,
    /// Plans that the inventory lost.
    LostPlans,
    /// Objects changed on a device whose plan is bigger than the one that was reviewed.
    Unreviewed,
}

impl Subject {
    const ALL: [Self; 7] = [
        Self::Destroy,
        Self::Suspend,
        Self::Devices,
        Self::LostDevices,
        Self::LostSubscribers,
        Self::LostPlans,
        Self::Unreviewed,
    ];

    /// The word before the `=`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Suspend => "suspend",
            Self::Devices => "devices",
            Self::LostDevices => "lost-devices",
            Self::LostSubscribers => "lost-subscribers",
            Self::LostPlans => "lost-plans",
            Self::Unreviewed => "unreviewed",
        }
    }
}

/// `destroy=37`: this plan destroys 37 subscribers, and is meant to. It allows no other number, not even a lower one: then
/// something moved since somebody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allow {
    /// What is counted.
    pub subject: Subject,
    /// How many, exactly.
    pub count: usize,
}

/// The text allows nothing. The operator's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` allows nothing; write what the refusal says, such as destroy=37 (destroy, suspend, devices, lost-devices, lost-subscribers, lost-plans or unreviewed)"
)]
pub struct InvalidAllow(String);

impl FromStr for Allow {
    type Err = InvalidAllow;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAllow(text.to_owned());
        let (word, count) = text.trim().split_once('=').ok_or_else(invalid)?;
        let subject = Subject::ALL.into_iter().find(|subject| subject.word() == word);
        Ok(Self {
            subject: subject.ok_or_else(invalid)?,
            count: count.parse().map_err(|_| invalid())?,
        })
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.subject.word(), self.count)
    }
}

/// Where somebody said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// On the command line.
    Flag,
    /// In the message of the commit that is applied.
    Commit,
}

impl Source {
    /// As it was written there.
    #[must_use]
    pub fn written(self, allow: Allow) -> String {
        match self {
            Self::Flag => format!("--allow {allow}"),
            Self::Commit => format!("{TRAILER}: {allow}"),
        }
    }
}

/// What to say so that these are allowed.
pub(super) fn said(needs: &[Allow]) -> String {
    let flags: Vec<String> = needs.iter().map(|allow| Source::Flag.written(*allow)).collect();
    let words: Vec<String> = needs.iter().map(ToString::to_string).collect();
    format!(
        "if that is meant: `gamops apply {}`, or the line `{TRAILER}: {}` at the end of the commit's message",
        flags.join(" "),
        words.join(", ")
    )
}

/// What the values of the trailer in a commit's message say is meant, and those that say nothing. Such a line allows nothing.
#[must_use]
pub fn allowed_by<'l>(lines: impl IntoIterator<Item = &'l String>) -> (Vec<Allow>, Vec<InvalidAllow>) {
    let (mut allowed, mut invalid) = (Vec::new(), Vec::new());
    for text in lines.into_iter().flat_map(|line| line.split(',')) {
        match text.parse::<Allow>() {
            Ok(allow) => allowed.push(allow),
            Err(error) => invalid.push(error),
        }
    }
    (allowed, invalid)
}

/// All that was said to be meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowances {
    /// On the command line.
    pub by_flag: Vec<Allow>,
    /// In the message of the commit that is applied.
    pub by_commit: Vec<Allow>,
}

impl Allowances {
    /// What is said of a number.
    pub(in crate::plan) fn verdict(&self, needs: Allow) -> Verdict {
        let flags = self.by_flag.iter().map(|allow| (*allow, Source::Flag));
        let commit = self.by_commit.iter().map(|allow| (*allow, Source::Commit));
        let mut said = flags.chain(commit).filter(|(allow, _)| allow.subject == needs.subject);
        let mut other = None;
        match said.find(|(allow, source)| {
            other.get_or_insert((*allow, *source));
            *allow == needs
        }) {
            Some((_, source)) => Verdict::Allowed(source),
            None => other.map_or(Verdict::Refused, |(allow, source)| Verdict::OtherNumber(allow, source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_read_as_refusals_write_it() {
        for text in [
            "destroy=37",
            "suspend=0",
            "devices=50",
            "lost-devices=3",
            "lost-subscribers=400",
            "lost-plans=2",
        ] {
            assert_eq!(text.parse::<Allow>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "destroy",
            "destroy=",
            "destroy=all",
            "destroy=-1",
            "everything=1",
            "destroy=3 7",
        ] {
            assert!(text.parse::<Allow>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn only_the_very_number_is_allowed() {
        let allow = |text: &str| text.parse::<Allow>().unwrap();
        let said = Allowances {
            by_flag: vec![allow("destroy=38")],
            by_commit: vec![allow("destroy=37"), allow("devices=4")],
        };
        assert_eq!(said.verdict(allow("destroy=38")), Verdict::Allowed(Source::Flag));
        assert_eq!(said.verdict(allow("destroy=37")), Verdict::Allowed(Source::Commit));
        assert_eq!(
            said.verdict(allow("destroy=36")),
            Verdict::OtherNumber(allow("destroy=38"), Source::Flag)
        );
        assert_eq!(said.verdict(allow("suspend=38")), Verdict::Refused);
    }
}
