//! Mutations.

use serde_json::{Map, Value, json};

use super::resolve::{Mutation, Wrong};
use super::world::World;

/// What came of a mutation: the type of a row, and its id.
type Written = Result<(&'static str, u64), Wrong>;

type Input = Map<String, Value>;

impl World {
    /// Does one thing and says which row came of it.
    pub(super) fn write(&mut self, mutation: &Mutation) -> Written {
        let args = &mutation.args;
        if mutation.name == "deleteNote" {
            return self.delete_note(args);
        }
        let Some(Value::Object(input)) = args.get("input") else {
            return Err(format!("Argument \"input\" of \"{}\" is required.", mutation.name));
        };
        match mutation.name.as_str() {
            "createNote" => self.create_note(input),
            "createInternalTicket" => self.create_ticket(input),
            "updateInventoryItemFields" => self.update_item(args, input),
            _ => self.update_account(args, input),
        }
    }

    fn create_note(&mut self, input: &Input) -> Written {
        known(input, &["message", "noteable_id", "noteable_type", "priority"])?;
        let kind = self.word(input, "noteable_type", "NoteableType")?;
        let priority = self.word(input, "priority", "NotePriority")?;
        let message = text(input, "message")?;
        let id = id(input, "noteable_id")?;
        if kind == "Account" {
            self.known_row("Account", id)?;
        }
        let values = [
            ("message", json!(message)),
            ("noteable_type", kind),
            ("noteable_id", json!(id)),
            ("priority", priority),
        ];
        Ok(("Note", self.make("Note", &values)))
    }

    fn delete_note(&mut self, args: &Input) -> Written {
        let id = self.known_row("Note", id(args, "id")?)?;
        self.tables.remove("Note", id);
        let values = [("success", json!(true)), ("message", json!("Deleted."))];
        Ok(("SuccessResponse", self.make("SuccessResponse", &values)))
    }

    fn create_ticket(&mut self, input: &Input) -> Written {
        let names = [
            "subject",
            "description",
            "status",
            "priority",
            "ticketable_type",
            "ticketable_id",
        ];
        known(input, &names)?;
        let priority = self.word(input, "priority", "TicketPriority")?;
        let about = match input.contains_key("ticketable_id") {
            true => json!(id(input, "ticketable_id")?),
            false => Value::Null,
        };
        let values = [
            ("subject", json!(text(input, "subject")?)),
            ("description", json!(text(input, "description")?)),
            ("status", json!(text(input, "status")?)),
            ("priority", priority),
            (
                "ticketable_type",
                input.get("ticketable_type").cloned().unwrap_or_default(),
            ),
            ("ticketable_id", about),
        ];
        Ok(("Ticket", self.make("Ticket", &values)))
    }

    fn update_account(&mut self, args: &Input, input: &Input) -> Written {
        known(input, &["account_status_id", "name", "custom_field_data", "note"])?;
        let account = self.known_row("Account", id(args, "id")?)?;
        if input.contains_key("account_status_id") {
            let status = self.known_row("AccountStatus", id(input, "account_status_id")?)?;
            self.put_status(account, status);
        }
        if input.contains_key("name") {
            self.set("Account", account, &[("name", json!(text(input, "name")?))]);
        }
        for field in objects(input, "custom_field_data") {
            let field_id = self.known_row("CustomField", id(field, "custom_field_id")?)?;
            let name = self
                .tables
                .value("CustomField", field_id, "name")
                .cloned()
                .unwrap_or_default();
            self.write_field(
                "Account",
                account,
                name.as_str().unwrap_or_default(),
                text(field, "value")?,
            );
        }
        if let Some(Value::Object(note)) = input.get("note") {
            let mut note = note.clone();
            note.insert("noteable_type".to_owned(), json!("Account"));
            note.insert("noteable_id".to_owned(), json!(account));
            self.create_note(&note)?;
        }
        Ok(("Account", account))
    }

    fn update_item(&mut self, args: &Input, input: &Input) -> Written {
        known(input, &["fields"])?;
        let item = self.known_row("InventoryItem", id(args, "id")?)?;
        for field in objects(input, "fields") {
            let field_id = self.known_row("InventoryModelField", id(field, "inventory_model_field_id")?)?;
            let there = self
                .tables
                .ids("InventoryModelFieldData", "inventory_item_id", item)
                .into_iter();
            let there = there.filter(|data| {
                let of = self
                    .tables
                    .value("InventoryModelFieldData", *data, "inventory_model_field_id");
                of.and_then(Value::as_u64) == Some(field_id)
            });
            let there: Vec<u64> = there.collect();
            let value = text(field, "value")?;
            for data in &there {
                self.set("InventoryModelFieldData", *data, &[("value", json!(value))]);
            }
            if there.is_empty() {
                let values = [
                    ("inventory_item_id", json!(item)),
                    ("inventory_model_field_id", json!(field_id)),
                    ("value", json!(value)),
                ];
                self.make("InventoryModelFieldData", &values);
            }
        }
        Ok(("InventoryItem", item))
    }

    /// A word of an enum.
    fn word(&self, input: &Input, name: &str, of: &str) -> Result<Value, Wrong> {
        let word = input.get(name).and_then(Value::as_str).unwrap_or_default();
        match self.tables.schema.is_word(of, word) {
            true => Ok(json!(word)),
            false => Err(format!("Value \"{word}\" does not exist in \"{of}\" enum.")),
        }
    }

    fn known_row(&self, kind: &str, id: u64) -> Result<u64, Wrong> {
        let is_there = self.tables.named(kind).get(id).is_some();
        is_there
            .then_some(id)
            .ok_or_else(|| format!("No query results for model [{kind}] {id}."))
    }
}

fn known(input: &Input, names: &[&str]) -> Result<(), Wrong> {
    match input.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("Field \"{name}\" is not defined by the input.")),
        None => Ok(()),
    }
}

fn text<'i>(input: &'i Input, name: &str) -> Result<&'i str, Wrong> {
    let text = input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("validation: The {name} field is required."))
}

/// An id, as a text or a number.
fn id(input: &Input, name: &str) -> Result<u64, Wrong> {
    let id = match input.get(name) {
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
        None => None,
    };
    id.ok_or_else(|| format!("validation: The {name} field is required."))
}

fn objects<'i>(input: &'i Input, name: &str) -> impl Iterator<Item = &'i Input> {
    let list = input.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object)
}
