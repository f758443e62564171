//! What a webhook of Sonar's asks to be looked at. Pure.
//!
//! Sonar signs nothing: whoever knows the address can write anything. So nothing of it is believed but that something may have changed,
//! and with which account, which is then asked for by its id.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{Heard, NotHeard};
use super::walk::id;

/// Reads the body of a webhook. One without a body is the `HEAD` by which Sonar tries whether anybody is there.
pub(super) fn hear(body: &[u8]) -> Result<Heard, NotHeard> {
    if body.is_empty() {
        return Ok(Heard::Ping);
    }
    let no = || NotHeard("this is no webhook of Sonar's: it has no `object_id`".to_owned());
    let value: Value = serde_json::from_slice(body).map_err(|_| no())?;
    let object = value.get("object_id").and_then(id).ok_or_else(no)?;
    // Whatever belongs to an account names it. The kind of object is nowhere but in the event's name.
    let owner = value
        .get("current")
        .and_then(|current| current.get("account_id"))
        .and_then(id);
    let event = value.get("event").and_then(Value::as_str).unwrap_or_default();
    let is_account = event
        .split('.')
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("account"));
    let account = owner.or_else(|| is_account.then_some(object));
    Ok(account.map_or(Heard::Everything, |account| {
        Heard::Accounts(BTreeSet::from([account.to_string()]))
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accounts(id: &str) -> Result<Heard, NotHeard> {
        Ok(Heard::Accounts(BTreeSet::from([id.to_owned()])))
    }

    #[test]
    fn an_event_of_an_account_is_about_that_account() {
        let heard = |value: Value| hear(value.to_string().as_bytes());
        let status =
            json!({ "event": "account.status", "object_id": 2001, "current": { "id": 2001, "account_status_id": 2 } });
        assert_eq!(heard(status), accounts("2001"));
        assert_eq!(
            heard(json!({ "event": "account.status", "object_id": "2001" })),
            accounts("2001")
        );
        // Whether the object is the account or its service is documented nowhere; the service names its account.
        let added = json!({ "event": "account.service.add", "object_id": 6001, "current": { "id": 6001, "account_id": "2001" } });
        assert_eq!(heard(added), accounts("2001"));
    }

    #[test]
    fn what_is_of_no_account_may_concern_everybody() {
        for event in ["service.updated", "account_status.updated", "", "made up"] {
            let body = json!({ "event": event, "object_id": 70, "current": { "id": 70 } });
            assert_eq!(hear(body.to_string().as_bytes()), Ok(Heard::Everything));
        }
        assert_eq!(hear(br#"{"object_id":1,"current":null}"#), Ok(Heard::Everything));
    }

    #[test]
    fn a_try_is_answered_and_nonsense_is_not() {
        assert_eq!(hear(b""), Ok(Heard::Ping));
        let nonsense: [&[u8]; 6] = [
            b"hello",
            b"{}",
            b"[]",
            b"{\"object_id\":null}",
            b"{\"object_id\":-1}",
            b"\xff\xfe",
        ];
        for body in nonsense {
            assert!(hear(body).is_err());
        }
    }
}
