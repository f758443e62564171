//! Splynx's webhooks ("hooks"): whether one comes from Splynx, and what it asks to be looked at. Pure.
//!
//! What it says is never acted on. Its models and actions are not documented, so whatever names a customer is about that customer, and
//! whatever names none is about everything.

use std::collections::{BTreeMap, BTreeSet};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha1::Sha1;

use crate::domain::{Secret, unhex};

use super::super::{Heard, HookCall, NotHeard};

/// Where the signature is: lower-case hex of HMAC-SHA1 over the body.
const SIGNATURE: &str = "x-splynx-signature";

/// What a request asks.
///
/// # Errors
///
/// [`NotHeard`]. A ping needs no signature: Splynx's own receiver answers it before it looks, and it asks for nothing.
pub(super) fn hear(call: &HookCall<'_>, secret: Option<&Secret>) -> Result<Heard, NotHeard> {
    let event = Event::read(call.body);
    if event.as_ref().is_some_and(|event| event.kind == "ping") {
        return Ok(Heard::Ping);
    }
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
        return Err(NotHeard(
            "there is no secret to check Splynx's webhooks with".to_owned(),
        ));
    };
    let signature = call.headers.iter().find(|(name, _)| name == SIGNATURE);
    let Some((_, signature)) = signature else {
        return Err(NotHeard("the header `X-Splynx-Signature` is missing".to_owned()));
    };
    if !is_genuine(signature, call.body, secret) {
        return Err(NotHeard(
            "the signature is not that of the secret; is the secret of the hook in Splynx the same?".to_owned(),
        ));
    }
    match event {
        Some(event) if event.kind == "event" => Ok(event.heard()),
        Some(_) => Err(NotHeard("it is neither an event nor a ping".to_owned())),
        None => Err(NotHeard("it is neither JSON nor a form".to_owned())),
    }
}

/// Whether the signature is the body's, in constant time. Splynx writes it in lower case.
fn is_genuine(signature: &str, body: &[u8], secret: &Secret) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes()) else {
        return false;
    };
    mac.update(body);
    let is_lower = !signature.contains(|c: char| c.is_ascii_uppercase());
    is_lower && unhex(signature).is_some_and(|code| mac.verify_slice(&code).is_ok())
}

/// What a request says, as far as it is looked at.
#[derive(Debug, Default)]
struct Event {
    /// `event` or `ping`.
    kind: String,
    /// What it is about: a PHP class.
    model: String,
    /// Values by path: `customer_id`, `attributes.id`.
    values: BTreeMap<&'static str, String>,
}

/// Where ids of customers may be: the event's, the row's, the row's before.
const CUSTOMERS: [&str; 3] = [
    "customer_id",
    "attributes.customer_id",
    "changed_attributes.customer_id",
];

/// The id of the row itself.
const ROW: &str = "attributes.id";

impl Event {
    /// Reads a body: JSON, or a form with PHP's names. `None` where it is neither.
    fn read(body: &[u8]) -> Option<Self> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
        if *first == b'{' {
            let value: Value = serde_json::from_slice(body).ok()?;
            Some(Self::of(|path| {
                let text = |value: &Value| match value {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                };
                path.iter()
                    .try_fold(&value, |value, name| value.get(name))
                    .and_then(text)
            }))
        } else {
            let pairs: BTreeMap<_, _> = form_urlencoded::parse(body).collect();
            Some(Self::of(|path| {
                let (first, rest) = path.split_first()?;
                let name = rest
                    .iter()
                    .fold((*first).to_owned(), |name, part| format!("{name}[{part}]"));
                pairs.get(name.as_str()).map(|value| value.clone().into_owned())
            }))
        }
    }

    fn of(value: impl Fn(&[&str]) -> Option<String>) -> Self {
        let ids = CUSTOMERS.into_iter().chain([ROW]);
        let found = ids.filter_map(|name| {
            let path: Vec<&str> = ["data"].into_iter().chain(name.split('.')).collect();
            Some((name, value(&path)?))
        });
        Self {
            values: found.collect(),
            kind: value(&["type"]).unwrap_or_default(),
            model: value(&["data", "model"]).unwrap_or_default().to_lowercase(),
        }
    }

    fn heard(&self) -> Heard {
        // Many customers have the same tariff.
        if self.model.contains("tariff") {
            return Heard::Everything;
        }
        let id = |name: &&str| {
            let text = self.values.get(name)?;
            let id: u64 = text.parse().ok().filter(|id| *id > 0)?;
            Some(id.to_string())
        };
        let mut accounts: BTreeSet<String> = CUSTOMERS.iter().filter_map(id).collect();
        // A customer's own row names it by its id; that of a service or a note has an id of its own.
        let is_customer = self.model.contains("customer")
            && !["service", "note", "log", "item", "document"]
                .iter()
                .any(|word| self.model.contains(word));
        if accounts.is_empty() && is_customer {
            accounts.extend(id(&ROW));
        }
        if accounts.is_empty() {
            Heard::Everything
        } else {
            Heard::Accounts(accounts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hex;

    /// Secret, bodies and signatures computed with Python's `hmac` from the vendor's rule.
    const SECRET: &str = "hook-secret-1";
    const BODY: &str = r#"{"type":"event","call":"","data":{"source":"admin","model":"test\\Customer","action":"edit","date":"2025-06-15","time":"14:38:12","administrator_id":"1","customer_id":"1001","result":"success","attributes":{"id":"1001","status":"blocked"},"attributes_additional":[],"changed_attributes":{"status":"blocked"},"extra":null,"errors":null,"ip":"192.0.2.10"}}"#;
    const CODE: &str = "9e54ab55d9f075a7c05e5bc065cc46c0364c4bdd";
    const FORM: &str = "type=event&data%5Baction%5D=edit&data%5Bcustomer_id%5D=1001&data%5Battributes%5D%5Bid%5D=1001";

    fn heard(body: &str, signature: Option<&str>, secret: Option<&str>) -> Result<Heard, NotHeard> {
        let headers: Vec<(String, String)> = (signature.into_iter())
            .map(|code| (SIGNATURE.to_owned(), code.to_owned()))
            .collect();
        let call = HookCall {
            headers: &headers,
            body: body.as_bytes(),
        };
        hear(&call, secret.map(Secret::new).as_ref())
    }

    fn accounts<const N: usize>(ids: [&str; N]) -> Heard {
        Heard::Accounts(ids.map(str::to_owned).into())
    }

    /// What a genuine event of this data asks.
    fn of(data: &str) -> Heard {
        let body = format!(r#"{{"type":"event","data":{data}}}"#);
        Event::read(body.as_bytes()).unwrap().heard()
    }

    #[test]
    fn genuine_events_are_heard() {
        assert_eq!(BODY.len(), 354);
        assert_eq!(heard(BODY, Some(CODE), Some(SECRET)).unwrap(), accounts(["1001"]));
        let form = "a6a0b68044f29338bb3c2819206c02e2404594d2";
        assert_eq!(FORM.len(), 93);
        assert_eq!(heard(FORM, Some(form), Some(SECRET)).unwrap(), accounts(["1001"]));
    }

    #[test]
    fn a_ping_needs_no_signature() {
        let code = "196ef357a73775ab54fca39470d58c3896d10a23";
        for (signature, secret) in [(Some(code), Some(SECRET)), (None, Some(SECRET)), (None, None)] {
            assert_eq!(heard(r#"{"type":"ping"}"#, signature, secret).unwrap(), Heard::Ping);
        }
        assert_eq!(heard("type=ping", None, None).unwrap(), Heard::Ping);
    }

    #[test]
    fn nothing_else_is_heard() {
        let sha256 = "70822ad7409e843adc86b05f14d084ab8e671f1854e9e57ffb26e26757c99ac1";
        let upper = CODE.to_uppercase();
        let prefixed = format!("sha1={CODE}");
        let short = &CODE[..38];
        for signature in ["", "0", "zz", sha256, &upper, &prefixed, short] {
            assert!(heard(BODY, Some(signature), Some(SECRET)).is_err(), "{signature}");
        }
        assert!(heard(BODY, None, Some(SECRET)).is_err());
        assert!(heard(BODY, Some(CODE), None).is_err());
        assert!(heard(BODY, Some(CODE), Some("")).is_err());
        assert!(heard(BODY, Some(CODE), Some("another")).is_err());
        assert!(heard(&BODY.replace("1001", "1002"), Some(CODE), Some(SECRET)).is_err());
        // Signed, and still nothing that is understood.
        let body = r#"{"type":"audit"}"#;
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let code = hex(&mac.finalize().into_bytes());
        let error = heard(body, Some(&code), Some(SECRET)).unwrap_err();
        assert_eq!(error.to_string(), "it is neither an event nor a ping");
    }

    #[test]
    fn whoever_may_be_concerned_is_looked_at() {
        for (data, meant) in [
            (
                r#"{"model":"models\\Customers","attributes":{"id":7}}"#,
                accounts(["7"]),
            ),
            (
                r#"{"model":"Customers","customer_id":null,"attributes":{"id":"7"}}"#,
                accounts(["7"]),
            ),
            (
                r#"{"model":"InternetService","attributes":{"id":"5001","customer_id":"1001"}}"#,
                accounts(["1001"]),
            ),
            // An item that went from one customer to another.
            (
                r#"{"model":"InventoryItem","attributes":{"customer_id":"2"},"changed_attributes":{"customer_id":"1"}}"#,
                accounts(["1", "2"]),
            ),
            (
                r#"{"model":"CustomerServices","attributes":{"id":"5001"}}"#,
                Heard::Everything,
            ),
            (r#"{"model":"Tariffs\\Internet","customer_id":"1"}"#, Heard::Everything),
            (r#"{"model":"Locations","attributes":{"id":"3"}}"#, Heard::Everything),
            (r#"{"customer_id":"0"}"#, Heard::Everything),
            (r#"{"customer_id":"1/../2"}"#, Heard::Everything),
            (r#"{"customer_id":[],"attributes_additional":[]}"#, Heard::Everything),
            ("null", Heard::Everything),
            ("[]", Heard::Everything),
        ] {
            assert_eq!(of(data), meant, "{data}");
        }
    }

    #[test]
    fn no_body_makes_it_fall_over() {
        for body in ["", " ", "{", "{}", "[]", "\u{0}", "type", "=&=&%", "data[=x"] {
            assert!(heard(body, Some(CODE), Some(SECRET)).is_err(), "{body:?}");
        }
    }
}
