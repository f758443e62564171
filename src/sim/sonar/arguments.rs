//! Reads the arguments of lists: which rows, in which order, and which page.

use serde::Deserialize;
use serde_json::{Value, json};

use super::resolve::{Given, Wrong};
use super::schema::{Kind, Schema};
use super::search::{Args, Condition, Operator, Related, Test};

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
