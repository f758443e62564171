//! The rows of all types, found quickly by id and by every column that holds ids.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::schema::{Kind, Schema};

/// What the simulated Sonar holds.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    pub(super) schema: Arc<Schema>,
    tables: Vec<Table>,
}

/// The rows of one type.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// Values in the order of the columns, by id.
    rows: BTreeMap<u64, Vec<Value>>,
    /// Ids of rows, by column and the id that stands there.
    by: BTreeMap<usize, BTreeMap<u64, BTreeSet<u64>>>,
    last: u64,
}

impl Table {
    pub(super) fn get(&self, id: u64) -> Option<&[Value]> {
        self.rows.get(&id).map(Vec::as_slice)
    }

    /// All rows with an id above this, in their order.
    pub(super) fn above(&self, id: u64) -> impl Iterator<Item = (u64, &[Value])> {
        self.rows
            .range(id.saturating_add(1)..)
            .map(|(id, row)| (*id, row.as_slice()))
    }

    /// The rows of which a column holds an id.
    pub(super) fn with(&self, column: usize, id: u64) -> impl Iterator<Item = (u64, &[Value])> {
        let ids = self.by.get(&column).and_then(|by| by.get(&id));
        ids.into_iter().flatten().filter_map(|id| Some((*id, self.get(*id)?)))
    }
}

impl Tables {
    pub(super) fn new() -> Self {
        let schema = Arc::new(Schema::read());
        let tables = schema.types().iter().map(|_| Table::default()).collect();
        Self { schema, tables }
    }

    pub(super) fn table(&self, of: usize) -> &Table {
        &self.tables[of]
    }

    pub(super) fn named(&self, name: &str) -> &Table {
        &self.tables[self.schema.named(name)]
    }

    /// The next free id of a type.
    pub(super) fn next(&self, name: &str) -> u64 {
        self.named(name).last + 1
    }

    /// Puts a row in, or in the place of the one with its id: `values` by the names of columns, all else as it is for something new. Whatever
    /// is not of the type is a bug of the caller's.
    pub(super) fn put(&mut self, name: &str, id: u64, now: &str, values: &[(&str, Value)]) {
        let of = self.schema.named(name);
        let columns = &self.schema.types()[of].columns;
        let row = columns.iter().map(|column| {
            let given = values.iter().find(|(name, _)| *name == column.name);
            match (given, column.name.as_str(), &column.kind) {
                (Some((_, value)), ..) => value.clone(),
                (None, "id", _) => json!(id),
                (None, "created_at" | "updated_at", _) => json!(now),
                (None, "sonar_unique_id", _) => json!(format!("{name}-{id}")),
                (None, "_version", _) => json!("1"),
                (None, _, Kind::Bool) => json!(false),
                _ => Value::Null,
            }
        });
        let row: Vec<Value> = row.collect();
        debug_assert!(
            values
                .iter()
                .all(|(name, _)| columns.iter().any(|column| column.name == *name))
        );
        let ids = ids(columns.iter().map(|column| &column.kind), &row);
        self.remove(name, id);
        let table = &mut self.tables[of];
        for (column, key) in ids {
            table.by.entry(column).or_default().entry(key).or_default().insert(id);
        }
        table.rows.insert(id, row);
        table.last = table.last.max(id);
    }

    /// Changes some columns of a row, if it is there, and its `updated_at`.
    pub(super) fn set(&mut self, name: &str, id: u64, now: &str, values: &[(&str, Value)]) {
        let of = self.schema.named(name);
        let columns = &self.schema.types()[of].columns;
        let Some(row) = self.tables[of].get(id) else {
            return;
        };
        let mut all: Vec<(String, Value)> = (columns.iter().zip(row))
            .map(|(column, value)| (column.name.clone(), value.clone()))
            .collect();
        for (name, value) in &mut all {
            if let Some((_, new)) = values.iter().find(|(changed, _)| changed == name) {
                *value = new.clone();
            } else if name == "updated_at" {
                *value = json!(now);
            }
        }
        let all: Vec<(&str, Value)> = all.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        self.put(name, id, now, &all);
    }

    /// Takes a row away. Its id is never used again.
    pub(super) fn remove(&mut self, name: &str, id: u64) {
        let of = self.schema.named(name);
        let columns = &self.schema.types()[of].columns;
        let table = &mut self.tables[of];
        let Some(row) = table.rows.remove(&id) else {
            return;
        };
        for (column, key) in ids(columns.iter().map(|column| &column.kind), &row) {
            if let Some(there) = table.by.get_mut(&column).and_then(|by| by.get_mut(&key)) {
                there.remove(&id);
            }
        }
    }

    /// A value of a row; `None` where there is no such row.
    pub(super) fn value(&self, name: &str, id: u64, column: &str) -> Option<&Value> {
        let of = self.schema.named(name);
        let column = self.schema.types()[of].column(column)?;
        self.tables[of].get(id)?.get(column)
    }

    /// The ids of the rows of which a column holds an id.
    pub(super) fn ids(&self, name: &str, column: &str, id: u64) -> Vec<u64> {
        let of = self.schema.named(name);
        let column = self.schema.types()[of].column(column);
        let with = column.map(|column| self.tables[of].with(column, id).map(|(id, _)| id).collect());
        with.unwrap_or_default()
    }
}

/// Which columns of a row hold which ids.
fn ids<'k>(kinds: impl Iterator<Item = &'k Kind>, row: &[Value]) -> Vec<(usize, u64)> {
    (kinds.zip(row).enumerate())
        .filter(|(_, (kind, _))| **kind == Kind::Id)
        .filter_map(|(column, (_, value))| Some((column, value.as_u64()?)))
        .collect()
}
