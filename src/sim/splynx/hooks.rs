//! Hooks: what is sent when something happened, and sending it.

use std::io;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::query::text;
use super::world::Happened;

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
    /// Nobody is there, or what is there does not speak HTTP.
    pub async fn send(&self, target: &Target) -> io::Result<u16> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
        let rest = target
            .url
            .strip_prefix("http://")
            .ok_or_else(|| wrong("a hook goes to http:// only"))?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&self.body).await?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer).await?;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.ok_or_else(|| wrong("the answer to a hook is not HTTP"))
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
