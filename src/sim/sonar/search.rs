//! The arguments of lists: which rows, in which order, and which page.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::{Value, json};

use super::resolve::{Given, Wrong};
use super::schema::{Kind, Schema};
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
    related: Vec<Related>,
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
struct Related {
    /// Relations to walk, by name.
    path: Vec<String>,
    search: Vec<Vec<Condition>>,
    group: String,
    is_empty: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawSearch {
    string_fields: Vec<RawText>,
    integer_fields: Vec<RawNumber>,
    boolean_fields: Vec<RawBool>,
    date_fields: Vec<RawMoment>,
    datetime_fields: Vec<RawMoment>,
    exists: Vec<String>,
    unset_fields: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawText {
    attribute: String,
    search_value: String,
    #[serde(rename = "match")]
    is: bool,
    #[serde(default)]
    partial_matching: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNumber {
    attribute: String,
    search_value: Value,
    operator: Operator,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBool {
    attribute: String,
    search_value: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMoment {
    attribute: String,
    search_value: String,
    operator: Operator,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRelated {
    relation: String,
    #[serde(default)]
    search: Vec<RawSearch>,
    #[serde(default)]
    group: String,
    #[serde(default)]
    is_empty: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPage {
    #[serde(default)]
    page: Option<u64>,
    #[serde(default)]
    records_per_page: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSorter {
    attribute: String,
    #[serde(default)]
    direction: Option<String>,
}

/// Reads the arguments of a list, or of a relation to one row.
pub(super) fn arguments(schema: &Schema, of: usize, field: &str, given: &[(String, Given)]) -> Result<Args, Wrong> {
    let mut args = Args::default();
    for (name, value) in given {
        let wrong =
            |what: &dyn std::fmt::Display| format!("Argument \"{name}\" of \"{field}\" has an invalid value: {what}");
        match (name.as_str(), value) {
            ("paginator", Given::Plain(value)) => {
                let page: RawPage = read(value).map_err(|error| wrong(&error))?;
                args.page = Some((page.page.unwrap_or(1).max(1), page.records_per_page));
            }
            ("sorter", Given::Plain(value)) => {
                let sorters: Vec<RawSorter> = read(value).map_err(|error| wrong(&error))?;
                for sorter in sorters {
                    let downwards = match sorter.direction.as_deref() {
                        None | Some("ASC") => false,
                        Some("DESC") => true,
                        Some(other) => return Err(wrong(&other)),
                    };
                    args.sorter.push((column(schema, of, &sorter.attribute)?, downwards));
                }
            }
            ("search", Given::Plain(value)) => {
                let search: Vec<RawSearch> = read(value).map_err(|error| wrong(&error))?;
                args.search = conditions(schema, of, search)?;
            }
            ("reverse_relation_filters", Given::Plain(value)) => {
                let filters: Vec<RawRelated> = read(value).map_err(|error| wrong(&error))?;
                for filter in filters {
                    args.related.push(related(schema, of, filter)?);
                }
            }
            ("include_archived", Given::Plain(Value::Bool(is))) if schema.types()[of].name == "Account" => {
                args.include_archived = *is;
            }
            (name, value) => {
                let unknown = || format!("Unknown argument \"{name}\" on field \"{field}\".");
                let here = schema.types()[of].column(name).ok_or_else(unknown)?;
                let kind = &schema.types()[of].columns[here].kind;
                let value = equality(schema, kind, value).ok_or_else(|| wrong(&format!("{value:?}")))?;
                args.equal.push((here, value));
            }
        }
    }
    Ok(args)
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(value)
}

fn column(schema: &Schema, of: usize, name: &str) -> Result<usize, Wrong> {
    let here = &schema.types()[of];
    here.column(name)
        .ok_or_else(|| format!("Attribute {name} is not one of {}.", here.name))
}

/// A value as the rows hold it.
fn equality(schema: &Schema, kind: &Kind, given: &Given) -> Option<Value> {
    match (kind, given) {
        (_, Given::Plain(Value::Null)) => Some(Value::Null),
        (Kind::Id, Given::Plain(value)) => number(value).map(|id| json!(id)),
        (Kind::Int, Given::Plain(value @ Value::Number(_))) | (Kind::Bool, Given::Plain(value @ Value::Bool(_))) => {
            Some(value.clone())
        }
        (Kind::Text | Kind::Moment, Given::Plain(value @ Value::String(_))) => Some(value.clone()),
        (Kind::Enum(name), Given::Word(word) | Given::Plain(Value::String(word))) => {
            schema.is_word(name, word).then(|| json!(word))
        }
        _ => None,
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

fn conditions(schema: &Schema, of: usize, search: Vec<RawSearch>) -> Result<Vec<Vec<Condition>>, Wrong> {
    let one = |raw: RawSearch| {
        let mut all = Vec::new();
        let mut add = |attribute: &str, test: Test| {
            let column = column(schema, of, attribute)?;
            all.push(Condition { column, test });
            Ok::<_, Wrong>(())
        };
        for text in raw.string_fields {
            let test = Test::Text {
                value: text.search_value,
                is: text.is,
                part: text.partial_matching,
            };
            add(&text.attribute, test)?;
        }
        for field in raw.integer_fields {
            let value = number(&field.search_value).ok_or_else(|| format!("{} is no number.", field.search_value))?;
            let operator = field.operator;
            add(&field.attribute, Test::Number { operator, value })?;
        }
        for field in raw.boolean_fields {
            add(&field.attribute, Test::Bool(field.search_value))?;
        }
        for field in raw.date_fields.into_iter().chain(raw.datetime_fields) {
            let (operator, value) = (field.operator, field.search_value);
            add(&field.attribute, Test::Moment { operator, value })?;
        }
        for attribute in raw.exists {
            add(&attribute, Test::Exists(true))?;
        }
        for attribute in raw.unset_fields {
            add(&attribute, Test::Exists(false))?;
        }
        Ok(all)
    };
    search.into_iter().map(one).collect()
}

fn related(schema: &Schema, of: usize, raw: RawRelated) -> Result<Related, Wrong> {
    let path: Vec<String> = raw.relation.split('.').map(str::to_owned).collect();
    let mut end = of;
    for name in &path {
        let here = &schema.types()[end];
        let unknown = || format!("Relation {name} is not one of {}.", here.name);
        end = here.relations.get(name).ok_or_else(unknown)?.target;
    }
    Ok(Related {
        path,
        search: conditions(schema, end, raw.search)?,
        group: raw.group,
        is_empty: raw.is_empty,
    })
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
