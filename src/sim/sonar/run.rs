//! Answers what was asked, from the tables.

use serde_json::{Map, Value, json};

use super::knobs::SonarKnobs;
use super::resolve::{Connection, Root, Select};
use super::schema::{Kind, Relation};
use super::search::Args;
use super::tables::Tables;

/// How one request is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answering<'a> {
    pub(super) tables: &'a Tables,
    pub(super) knobs: &'a SonarKnobs,
    /// Lists seem to have lost every row of which the id is divisible by this.
    pub(super) lost: Option<u64>,
    /// Nested lists end after their first row, and say nothing of it but in their counts.
    pub(super) cut: bool,
    /// Lists at the root say how many rows they have, and send none.
    pub(super) empty: bool,
    /// Lists at the root are sent from their ends.
    pub(super) backwards: bool,
    /// Lists at the root have every row twice.
    pub(super) doubled: bool,
    /// Lists at the root say that they have so many pages more than they have.
    pub(super) more_pages: u64,
    /// Lists at the root say that they have so many rows more than they have.
    pub(super) more_rows: u64,
}

/// The rows to which a relation leads.
pub(super) fn related<'t>(
    tables: &'t Tables,
    of: usize,
    relation: &Relation,
    row: &[Value],
) -> Vec<(u64, &'t [Value])> {
    let Some(key) = row[relation.here].as_u64() else {
        return Vec::new();
    };
    let target = tables.table(relation.target);
    let is_id = tables.schema.types()[relation.target].columns[relation.there].name == "id";
    if is_id {
        return target.get(key).map(|row| (key, row)).into_iter().collect();
    }
    let own = &tables.schema.types()[of].name;
    let rows = target.with(relation.there, key);
    rows.filter(|(_, row)| relation.kind.is_none_or(|kind| row[kind] == **own))
        .collect()
}

impl<'a> Answering<'a> {
    /// A list at the root.
    pub(super) fn root(&self, root: &Root) -> Value {
        let table = self.tables.table(root.target);
        let columns = &self.tables.schema.types()[root.target].columns;
        // The first argument that names an id leaves few rows, and a keyset leaves those behind it.
        let id = root
            .args
            .equal
            .iter()
            .find(|(column, _)| columns[*column].kind == Kind::Id);
        let candidates: Vec<(u64, &[Value])> = match id {
            Some((column, value)) if columns[*column].name == "id" => {
                let id = value.as_u64();
                id.and_then(|id| Some((id, table.get(id)?))).into_iter().collect()
            }
            Some((column, value)) => match value.as_u64() {
                Some(id) => table.with(*column, id).collect(),
                None => table.above(0).collect(),
            },
            None => table.above(root.args.above(0)).collect(),
        };
        self.list(root.target, candidates, &root.args, &root.list, true)
    }

    fn list(
        &self,
        of: usize,
        mut rows: Vec<(u64, &'a [Value])>,
        args: &Args,
        asked: &[Connection],
        is_root: bool,
    ) -> Value {
        let archived = self.tables.schema.types()[of].column("archived_at");
        rows.retain(|(id, row)| {
            (args.include_archived || archived.is_none_or(|archived| row[archived].is_null()))
                && self.lost.is_none_or(|lost| id % lost != 0)
                && args.fits(self.tables, of, row, self.knobs.several_eq_are_or)
        });
        args.sort(&mut rows);
        let total = rows.len() as u64;
        let (page, wanted) = args.page.unwrap_or((1, None));
        let size = wanted.unwrap_or(self.knobs.default_page).clamp(1, self.knobs.most_rows);
        let pages = match total {
            0 => u64::from(!self.knobs.empty_has_no_page),
            total => total.div_ceil(size),
        };
        let skip = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
        let take = match (is_root && self.empty, !is_root && self.cut) {
            (true, _) => 0,
            (_, true) => 1,
            _ => usize::try_from(size).unwrap_or(usize::MAX),
        };
        let mut here: Vec<&(u64, &[Value])> = rows.iter().skip(skip).take(take).collect();
        if is_root && self.backwards {
            here.reverse();
        }
        if is_root && self.doubled {
            here = here.into_iter().flat_map(|row| [row, row]).collect();
        }
        let said = if self.knobs.says_clamped {
            size
        } else {
            wanted.unwrap_or(size)
        };
        let (more_pages, more_rows) = if is_root {
            (self.more_pages, self.more_rows)
        } else {
            (0, 0)
        };
        let parts = asked.iter().map(|part| match part {
            Connection::Typename(key) => (
                key.clone(),
                json!(format!("{}Connection", self.tables.schema.types()[of].name)),
            ),
            Connection::Entities(key, select) => {
                let rows = here.iter().map(|(_, row)| self.row(of, row, select));
                (key.clone(), rows.collect())
            }
            Connection::PageInfo(key, fields) => {
                let fields = fields.iter().map(|(key, name)| {
                    let value = match name.as_str() {
                        "page" => page,
                        "total_pages" => pages + more_pages,
                        "total_count" => total + more_rows,
                        _ => said,
                    };
                    (key.clone(), json!(value))
                });
                (key.clone(), Value::Object(fields.collect()))
            }
        });
        Value::Object(parts.collect())
    }

    /// What is asked for of a row.
    pub(super) fn row(&self, of: usize, row: &'a [Value], select: &[Select]) -> Value {
        let here = &self.tables.schema.types()[of];
        let fields = select.iter().map(|select| match select {
            Select::Typename(key) => (key.clone(), json!(here.name)),
            Select::Column(key, column) => {
                let value = match (&here.columns[*column].kind, &row[*column]) {
                    (Kind::Id, Value::Number(id)) if !self.knobs.ids_are_numbers => json!(id.to_string()),
                    (_, value) => value.clone(),
                };
                (key.clone(), value)
            }
            Select::One(key, name, args, select) => {
                let relation = &here.relations[name];
                let rows = related(self.tables, of, relation, row);
                let found = rows
                    .into_iter()
                    .find(|(_, row)| args.fits(self.tables, relation.target, row, self.knobs.several_eq_are_or));
                let value = found.map_or(Value::Null, |(_, row)| self.row(relation.target, row, select));
                (key.clone(), value)
            }
            Select::Many(key, name, args, list) => {
                let relation = &here.relations[name];
                let rows = related(self.tables, of, relation, row);
                (key.clone(), self.list(relation.target, rows, args, list, false))
            }
        });
        Value::Object(fields.collect::<Map<_, _>>())
    }
}
