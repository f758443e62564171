//! Messages as programs read them: the body that a `webhook` channel posts.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::model::{Event, Message, Severity};
use super::text;

/// The version of the format. Fields may be added to a version; none is taken away or changes its meaning.
const VERSION: u8 = 1;

/// What a `webhook` channel posts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Notification {
    /// The version of this format: 1.
    version: u8,
    /// Names the message; the same where it is sent once more, because no answer came.
    delivery: String,
    /// When it was sent.
    #[schemars(with = "String", extend("format" = "date-time"))]
    sent: Timestamp,
    /// Who tells it: `gamops-daemon@noc1`.
    by: String,
    /// Id of the inventory; null before one is known.
    inventory: Option<String>,
    /// How much the most important event matters.
    severity: Severity,
    /// One line for people.
    subject: String,
    /// A page for people.
    text: String,
    /// What happened, one entry for each kind and whatever it is about.
    events: Vec<EventJson>,
}

/// An event.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct EventJson {
    /// How much it matters.
    severity: Severity,
    #[serde(flatten)]
    event: Event,
}

/// A message as JSON.
#[must_use]
pub fn notification(message: &Message, delivery: &str, sent: Timestamp) -> Notification {
    let severities = message.events.iter().map(|event| event.kind.severity());
    let of = |event: &Event| EventJson {
        severity: event.kind.severity(),
        event: event.clone(),
    };
    Notification {
        version: VERSION,
        delivery: delivery.to_owned(),
        sent,
        by: message.by.clone(),
        inventory: message.inventory.clone(),
        severity: severities.max().unwrap_or(Severity::Info),
        subject: text::subject(message),
        text: text::body(message),
        events: message.events.iter().map(of).collect(),
    }
}

/// A message for a channel that takes Slack's format: `{"text": ...}`, in which three characters have a meaning.
#[must_use]
pub fn slack(message: &Message) -> serde_json::Value {
    let text = format!("{}\n\n{}", text::subject(message), text::body(message));
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    serde_json::json!({ "text": text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Kind, Turn};

    fn message() -> Message {
        Message {
            inventory: Some("isp".to_owned()),
            by: "gamops-daemon@noc1".to_owned(),
            events: vec![Event {
                kind: Kind::LeftToPeople,
                state: Turn::Raised,
                device: Some("maple-a".to_owned()),
                site: Some("north".to_owned()),
                billing: None,
                reason: "it rejects user `ops` & <password>".to_owned(),
                commit: Some("0123456789ab".to_owned()),
                since: "2026-11-28T06:10:00Z".parse().unwrap(),
                at: "2026-11-28T06:10:02Z".parse().unwrap(),
            }],
        }
    }

    #[test]
    fn a_notification_is_as_documented() {
        let notification = notification(&message(), "4a1c", "2026-11-28T06:10:12Z".parse().unwrap());
        insta::assert_snapshot!(serde_json::to_string_pretty(&notification).unwrap());
        let schema = serde_json::to_value(schemars::schema_for!(Notification)).unwrap();
        let value = serde_json::to_value(&notification).unwrap();
        assert!(jsonschema::is_valid(&schema, &value), "{value:#}");
    }

    #[test]
    fn what_has_a_meaning_in_slack_is_escaped() {
        let text = slack(&message())["text"].as_str().unwrap().to_owned();
        assert!(text.contains("`ops` &amp; &lt;password&gt;"), "{text}");
        assert!(text.starts_with("[gamops isp] maple-a: left to people\n\n"), "{text}");
    }
}
