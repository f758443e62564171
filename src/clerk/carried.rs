//! What commits carried out for a billing system, as their trailers say.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::billing::Kind;
use crate::domain::{BillingKind, ServiceRef};
use crate::repo::remote::Message;
use crate::repo::{shortened, trailers_of_text};

use super::message::{ACCOUNT, CHANGE, SYSTEM, change, done};

/// A change of one subscriber that a billing system asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The commit, short.
    pub commit: String,
    /// When it was made.
    pub at: Timestamp,
    /// The account that it is about.
    pub account: String,
    /// Inventory key.
    pub subscriber: String,
    /// Whether the subscriber is taken out of the inventory by it.
    pub is_removal: bool,
    /// What was done: `suspended`, `on another plan`.
    pub words: String,
}

/// Reads messages, which come with the newest first; what came first comes out first. Another system's commits, and those of people, carry
/// nothing.
#[must_use]
pub fn carried(system: BillingKind, messages: &[Message]) -> Vec<Carried> {
    messages.iter().rev().flat_map(|message| of(system, message)).collect()
}

fn of(system: BillingKind, message: &Message) -> Vec<Carried> {
    let trailers = trailers_of_text(&message.text);
    let all = |key: &str| {
        let of_key = trailers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key));
        of_key.map(|(_, text)| text.as_str()).collect::<Vec<_>>()
    };
    if all(SYSTEM) != [system.key()] {
        return Vec::new();
    }
    // One line of each for each subscriber, in the same order.
    let lines = all(ACCOUNT).into_iter().zip(all(CHANGE));
    lines
        .filter_map(|(service, line)| {
            let (kind, subscriber, _) = change(line)?;
            Some(Carried {
                commit: shortened(&message.commit),
                at: message.at,
                account: service.parse::<ServiceRef>().ok()?.account,
                subscriber: subscriber.to_owned(),
                is_removal: kind == Kind::Remove,
                words: done(kind).to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(commit: &str, text: &str) -> Message {
        Message {
            commit: commit.to_owned(),
            at: Timestamp::UNIX_EPOCH,
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_commits_carried_out_is_read_from_them_in_their_order() {
        let two = "splynx: 2 subscribers: 1 suspended, 1 removed\n\n- s-1 suspended\n- s-2 removed\n\nBilling-System: splynx\n\
                   Billing-Account: 1001/5001\nBilling-Account: 1002/5002\nBilling-Change: suspend s-1 state=suspended\n\
                   Billing-Change: remove s-2\nBilling-Event: webhook\n";
        let messages = [
            message("3333333333333333", two),
            message(
                "2222222222222222",
                "sonar: s-9 suspended\n\nBilling-System: sonar\nBilling-Account: 7/8\nBilling-Change: suspend s-9 state=suspended\n",
            ),
            message(
                "1111111111111111",
                "by hand\n\nBilling-Account: 1/2\nBilling-Change: suspend s-9 state=suspended\n",
            ),
            message(
                "0000000000000000",
                "splynx: s-1 created\n\nBilling-System: splynx\nBilling-Account: 1001/5001\nBilling-Change: create s-1 plan=gold\n",
            ),
        ];
        let carried = carried(BillingKind::Splynx, &messages);
        let plain: Vec<String> = (carried.iter())
            .map(|one| {
                format!(
                    "{} {} {} {} {}",
                    one.commit, one.account, one.subscriber, one.words, one.is_removal
                )
            })
            .collect();
        assert_eq!(
            plain,
            [
                "000000000000 1001 s-1 created false",
                "333333333333 1001 s-1 suspended false",
                "333333333333 1002 s-2 removed true"
            ]
        );
    }
}
