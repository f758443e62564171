//! A no, in Splynx's form.

use serde_json::Value;

/// A no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    message: String,
    pub(super) internal_code: &'static str,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>, internal_code: &'static str) -> Self {
        Self {
            status,
            message: message.into(),
            internal_code,
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Not found", "NOT_FOUND")
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message, "BAD_REQUEST")
    }

    pub(super) fn body(&self) -> Vec<u8> {
        // In the order of the real one, byte for byte.
        let message = Value::from(self.message.as_str());
        let (status, code) = (self.status, self.internal_code);
        format!(r#"{{"error":{{"message":{message},"code":{status},"internal_code":"{code}"}}}}"#).into_bytes()
    }
}
