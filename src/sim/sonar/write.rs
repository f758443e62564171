//! Mutations.

use serde_json::{Map, Value, json};

use super::resolve::{Mutation, Wrong};
use super::world::World;

impl World {
    /// Does one thing and says which row came of it: its type and its id.
    pub(super) fn write(&mut self, mutation: &Mutation) -> Result<(&'static str, u64), Wrong> {
        let input = match mutation.args.get("input") {
            Some(Value::Object(input)) => input,
            _ => return Err(format!("Argument \"input\" of \"{}\" is required.", mutation.name)),
        };
        match mutation.name.as_str() {
            "createNote" => self.create_note(input),
            _ => self.update_account(&mutation.args, input),
        }
    }

    fn create_note(&mut self, input: &Map<String, Value>) -> Result<(&'static str, u64), Wrong> {
        known(input, &["message", "noteable_id", "noteable_type", "priority"])?;
        let word = |name: &str, of: &str| {
            let word = input.get(name).and_then(Value::as_str).unwrap_or_default();
            let is_known = self.tables.schema.is_word(of, word);
            is_known
                .then(|| json!(word))
                .ok_or_else(|| format!("Value \"{word}\" does not exist in \"{of}\" enum."))
        };
        let (kind, priority) = (
            word("noteable_type", "NoteableType")?,
            word("priority", "NotePriority")?,
        );
        let message = input
            .get("message")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty());
        let message = message.ok_or("validation: The message field is required.")?;
        let id = id(input.get("noteable_id")).ok_or("validation: The noteable id field is required.")?;
        if kind == "Account" && self.tables.named("Account").get(id).is_none() {
            return Err("validation: The selected noteable id is invalid.".to_owned());
        }
        let values = [
            ("message", json!(message)),
            ("noteable_type", kind),
            ("noteable_id", json!(id)),
            ("priority", priority),
        ];
        Ok(("Note", self.make("Note", &values)))
    }

    fn update_account(
        &mut self,
        args: &Map<String, Value>,
        input: &Map<String, Value>,
    ) -> Result<(&'static str, u64), Wrong> {
        known(input, &["account_status_id", "name"])?;
        let id = id(args.get("id")).filter(|id| self.tables.named("Account").get(*id).is_some());
        let id = id.ok_or("No query results for model [Account].")?;
        if let Some(status) = input.get("account_status_id") {
            let status =
                self::id(Some(status)).filter(|status| self.tables.named("AccountStatus").get(*status).is_some());
            self.put_status(
                id,
                status.ok_or("validation: The selected account status id is invalid.")?,
            );
        }
        if let Some(name) = input.get("name") {
            self.set("Account", id, &[("name", name.clone())]);
        }
        Ok(("Account", id))
    }
}

fn known(input: &Map<String, Value>, names: &[&str]) -> Result<(), Wrong> {
    match input.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("Field \"{name}\" is not defined by the input.")),
        None => Ok(()),
    }
}

/// An id, as a text or a number.
fn id(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}
