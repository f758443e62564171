//! Hooks: what is sent when something happened, and sending it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha1::Sha1;

use super::query::text;
use super::world::Happened;
use crate::sim::webhook::{CallError, Caller};

/// Where hooks go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `http://127.0.0.1:8080/path`.
    pub url: String,
    /// What they are signed with.
    pub secret: String,
    /// Whether they are sent as a form rather than as JSON.
    pub is_form: bool,
}

/// A request of a hook: to be sent, sent again, or bent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Names and values, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Call {
    /// That something happened.
    #[must_use]
    pub fn event(target: &Target, happened: &Happened, now: Timestamp) -> Self {
        let attributes = texts(&happened.row, &["password", "additional_attributes"]);
        let additional = happened.row.get("additional_attributes").cloned();
        let additional = additional.filter(|map| map.as_object().is_some_and(|map| !map.is_empty()));
        let body = json!({
            "type": "event",
            "call": "",
            "data": {
                "source": "admin",
                "model": happened.model,
                "action": happened.action,
                "date": now.strftime("%Y-%m-%d").to_string(),
                "time": now.strftime("%H:%M:%S").to_string(),
                "administrator_id": "1",
                "customer_id": happened.customer.map(|id| id.to_string()),
                "result": "success",
                "attributes": attributes,
                // PHP's empty map is a list.
                "attributes_additional": additional.unwrap_or_else(|| json!([])),
                "changed_attributes": texts(&happened.changed, &[]),
                "extra": null,
                "errors": null,
                "ip": "192.0.2.10",
            },
        });
        Self::of(target, &body)
    }

    /// Whether anybody is there.
    #[must_use]
    pub fn ping(target: &Target) -> Self {
        Self::of(target, &json!({ "type": "ping" }))
    }

    /// A body as the target wants it, signed.
    #[must_use]
    pub fn of(target: &Target, body: &Value) -> Self {
        let (kind, body) = if target.is_form {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in body.as_object().into_iter().flatten() {
                write_form(name, value, &mut form);
            }
            ("application/x-www-form-urlencoded", form.finish())
        } else {
            ("application/json", body.to_string())
        };
        let body = body.into_bytes();
        let signature = sign(&target.secret, &body);
        Self {
            headers: vec![
                ("content-type".to_owned(), kind.to_owned()),
                ("x-splynx-signature".to_owned(), signature),
            ],
            body,
        }
    }

    /// Sends it; the status of the answer.
    ///
    /// # Errors
    ///
    /// [`CallError`]: nobody answers.
    pub async fn send(&self, target: &Target) -> Result<u16, CallError> {
        self.send_by(&Caller::new(None)?, target).await
    }

    /// The same, by somebody who may call more often.
    pub(super) async fn send_by(&self, caller: &Caller, target: &Target) -> Result<u16, CallError> {
        let headers: Vec<(&str, &str)> = (self.headers.iter())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        caller.post(&target.url, &headers, self.body.clone()).await
    }
}

/// When a hook that nobody took is sent again, in minutes after it was sent first; then it is given up.
const AGAIN: [i64; 3] = [1, 10, 60];

/// A hook that nobody took.
#[derive(Debug, Clone)]
pub(super) struct Untaken {
    pub(super) call: Call,
    first: Timestamp,
    /// How often it was sent again.
    again: usize,
}

impl Untaken {
    /// One that was sent now.
    pub(super) const fn new(call: Call, now: Timestamp) -> Self {
        Self {
            call,
            first: now,
            again: 0,
        }
    }

    /// Whether it is to be sent again by now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let after = AGAIN.get(self.again).copied().map(SignedDuration::from_mins);
        after.is_some_and(|after| now.duration_since(self.first) >= after)
    }

    /// It was sent again, and nobody took it; `None` where it is given up.
    pub(super) fn not_taken_again(self) -> Option<Self> {
        let again = self.again + 1;
        (again < AGAIN.len()).then_some(Self { again, ..self })
    }
}

/// HMAC-SHA1 in lower-case hex.
fn sign(secret: &str, body: &[u8]) -> String {
    // A key of any length will do for this code: it is there.
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok().map(|mut mac| {
        mac.update(body);
        mac.finalize().into_bytes()
    });
    mac.iter().flatten().map(|byte| format!("{byte:02x}")).collect()
}

/// A row with its values as texts, without some fields; null where there is none.
fn texts(row: &Value, without: &[&str]) -> Value {
    let Value::Object(row) = row else {
        return Value::Null;
    };
    let fields = row.iter().filter(|(name, _)| !without.contains(&name.as_str()));
    Value::Object(fields.map(|(name, value)| (name.clone(), json!(text(value)))).collect())
}

/// As PHP's `http_build_query` writes it: what is null or empty is left out.
fn write_form(name: &str, value: &Value, form: &mut form_urlencoded::Serializer<'_, String>) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (below, value) in map {
                write_form(&format!("{name}[{below}]"), value, form);
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                write_form(&format!("{name}[{at}]"), value, form);
            }
        }
        value => {
            form.append_pair(name, &text(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_signed_as_documented() {
        let target = Target {
            url: String::new(),
            secret: "hook-secret-1".to_owned(),
            is_form: false,
        };
        let ping = Call::ping(&target);
        assert_eq!(ping.body, br#"{"type":"ping"}"#);
        assert_eq!(ping.headers[1].1, "196ef357a73775ab54fca39470d58c3896d10a23");
        let form = Target {
            is_form: true,
            ..target
        };
        let body =
            json!({ "type": "event", "data": { "customer_id": "1001", "attributes": { "id": 1001 }, "extra": null } });
        assert_eq!(
            String::from_utf8(Call::of(&form, &body).body).unwrap(),
            "data%5Battributes%5D%5Bid%5D=1001&data%5Bcustomer_id%5D=1001&type=event"
        );
    }
}
