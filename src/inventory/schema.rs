//! The inventory's JSON Schema, from the same tables that decode it.

use serde_json::{Value, json};

use super::decode::Decode as _;
use super::raw::RawFile;

/// JSON Schema draft 7, which editors read, for every file of an inventory.
///
/// It says what can be said about one file by itself; what several places have to agree on is checked by
/// [`super::load`] only.
#[must_use]
pub fn schema() -> Value {
    let mut schema = RawFile::schema();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        object.insert("title".to_owned(), json!("gamops inventory"));
        object.insert("type".to_owned(), json!(["object", "null"]));
        object.insert(
            "examples".to_owned(),
            json!([{
                "devices": {
                    "maple-a": { "model": "GAM-12-C", "address": "192.0.2.10", "credentials": "factory", "mode": "observe" }
                },
                "plans": { "home-500": { "rate": "500 Mbps" } },
                "subscribers": {
                    "s-10442": {
                        "device": "maple-a", "endpoint": "00:0e:d8:1c:95:08", "port": 3, "plan": "home-500", "vlan": 210
                    }
                }
            }]),
        );
    }
    schema
}
