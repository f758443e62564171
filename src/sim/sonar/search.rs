//! Which rows are among those that are asked for, and in which order.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::{Value, json};

use super::tables::Tables;

/// What a list is asked for with.
#[derive(Debug, Default)]
pub(super) struct Args {
    /// Page, from 1, and rows a page.
    pub(super) page: Option<(u64, Option<u64>)>,
    /// Columns to sort by, and whether downwards.
    pub(super) sorter: Vec<(usize, bool)>,
    /// One of these has to fit, in all of its conditions.
    pub(super) search: Vec<Vec<Condition>>,
    pub(super) related: Vec<Related>,
    /// Columns that have to hold a value.
    pub(super) equal: Vec<(usize, Value)>,
    pub(super) include_archived: bool,
}

/// Something that a column has to be.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) column: usize,
    pub(super) test: Test,
}

#[derive(Debug)]
pub(super) enum Test {
    Text { value: String, is: bool, part: bool },
    Number { operator: Operator, value: i64 },
    Moment { operator: Operator, value: String },
    Bool(bool),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Operator {
    Eq,
    Neq,
    Gt,
    Lt,
    Gte,
    Lte,
}

impl Operator {
    fn fits(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Neq => order.is_ne(),
            Self::Gt => order.is_gt(),
            Self::Lt => order.is_lt(),
            Self::Gte => order.is_ge(),
            Self::Lte => order.is_le(),
        }
    }
}

/// Rows have to have, or to lack, rows of another type that fit.
#[derive(Debug)]
pub(super) struct Related {
    /// Relations to walk, by name.
    pub(super) path: Vec<String>,
    pub(super) search: Vec<Vec<Condition>>,
    pub(super) group: String,
    pub(super) is_empty: bool,
}

impl Args {
    /// Whether a row is among those that are asked for. `several_eq_or`: several `EQ` on one attribute are alternatives.
    pub(super) fn fits(&self, tables: &Tables, of: usize, row: &[Value], several_eq_or: bool) -> bool {
        self.equal.iter().all(|(column, value)| row[*column] == *value)
            && fits(&self.search, row, several_eq_or)
            && self.has_related(tables, of, row, several_eq_or)
    }

    /// Filters of one group have to fit all, and one group has to.
    fn has_related(&self, tables: &Tables, of: usize, row: &[Value], several_eq_or: bool) -> bool {
        let fits = |filter: &Related| {
            let rows = walk(tables, of, row, &filter.path);
            let any = rows.iter().any(|row| fits(&filter.search, row, several_eq_or));
            any != filter.is_empty
        };
        let mut groups: Vec<&str> = self.related.iter().map(|filter| filter.group.as_str()).collect();
        groups.dedup();
        let mut in_group = groups
            .iter()
            .map(|group| self.related.iter().filter(move |filter| filter.group == **group));
        self.related.is_empty() || in_group.any(|mut group| group.all(fits))
    }

    /// Sorts rows, by id where nothing else is asked for.
    pub(super) fn sort(&self, rows: &mut [(u64, &[Value])]) {
        rows.sort_by(|(a, left), (b, right)| {
            let by = self.sorter.iter().map(|(column, downwards)| {
                let order = compare(&left[*column], &right[*column]);
                if *downwards { order.reverse() } else { order }
            });
            by.fold(Ordering::Equal, Ordering::then).then(a.cmp(b))
        });
    }

    /// The id above which all rows are, where the search says so in every alternative.
    pub(super) fn above(&self, id: usize) -> u64 {
        let least = |alternative: &Vec<Condition>| {
            let above = alternative.iter().filter(|condition| condition.column == id);
            above
                .filter_map(|condition| match condition.test {
                    Test::Number {
                        operator: Operator::Gt,
                        value,
                    } => u64::try_from(value).ok(),
                    _ => None,
                })
                .max()
                .unwrap_or(0)
        };
        self.search.iter().map(least).min().unwrap_or(0)
    }
}

fn walk<'t>(tables: &'t Tables, of: usize, row: &[Value], path: &[String]) -> Vec<&'t [Value]> {
    let Some((name, rest)) = path.split_first() else {
        return Vec::new();
    };
    let relation = &tables.schema.types()[of].relations[name];
    let rows = super::run::related(tables, of, relation, row);
    match rest {
        [] => rows.into_iter().map(|(_, row)| row).collect(),
        rest => (rows.into_iter())
            .flat_map(|(_, row)| walk(tables, relation.target, row, rest))
            .collect(),
    }
}

fn fits(search: &[Vec<Condition>], row: &[Value], several_eq_or: bool) -> bool {
    let alternative = |all: &Vec<Condition>| {
        all.iter().all(|condition| {
            let is_eq = |test: &Test| {
                matches!(
                    test,
                    Test::Number {
                        operator: Operator::Eq,
                        ..
                    }
                )
            };
            match several_eq_or && is_eq(&condition.test) {
                true => (all.iter())
                    .filter(|other| other.column == condition.column && is_eq(&other.test))
                    .any(|other| other.fits(row)),
                false => condition.fits(row),
            }
        })
    };
    search.is_empty() || search.iter().any(alternative)
}

impl Condition {
    fn fits(&self, row: &[Value]) -> bool {
        let here = &row[self.column];
        match &self.test {
            Test::Text { value, is, part } => {
                let text = here.as_str().unwrap_or_default().to_lowercase();
                let value = value.to_lowercase();
                let found = if *part { text.contains(&value) } else { text == value };
                found == *is
            }
            Test::Number { operator, value } => here.as_i64().is_some_and(|here| operator.fits(here.cmp(value))),
            Test::Moment { operator, value } => here
                .as_str()
                .is_some_and(|here| operator.fits(here.cmp(value.as_str()))),
            Test::Bool(is) => *here == json!(is),
            Test::Exists(is) => here.is_null() != *is,
        }
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => a.as_i64().cmp(&b.as_i64()),
    }
}
