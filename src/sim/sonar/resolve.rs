//! A query of GraphQL, looked up in the schema: what it asks for, or what is wrong with it.

use std::collections::BTreeMap;

use graphql_parser::query::{
    Definition, Field, OperationDefinition, Selection, SelectionSet, Value as Ast, VariableDefinition, parse_query,
};
use serde_json::{Map, Value, json};

use super::arguments::arguments;
use super::schema::{Schema, named};
use super::search::Args;

/// What a request asks for.
#[derive(Debug)]
pub(super) enum Operation {
    /// To read.
    Query(Vec<Root>),
    /// To write, one after the other: under which name to answer, what to do, with which input, and what to tell of it.
    Mutation(Vec<Mutation>),
}

/// A list at the root.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) key: String,
    /// Its name in the schema.
    pub(super) name: String,
    pub(super) target: usize,
    pub(super) args: Args,
    pub(super) list: Vec<Connection>,
}

/// Something to write.
#[derive(Debug)]
pub(super) struct Mutation {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) args: Map<String, Value>,
    /// Of the type that the mutation gives.
    pub(super) select: Vec<Select>,
}

/// What is asked for of a list.
#[derive(Debug)]
pub(super) enum Connection {
    Entities(String, Vec<Select>),
    /// Fields of `page_info`, by the names under which to answer.
    PageInfo(String, Vec<(String, String)>),
    Typename(String),
}

/// What is asked for of a row, and under which name to answer.
#[derive(Debug)]
pub(super) enum Select {
    Typename(String),
    Column(String, usize),
    One(String, String, Args, Vec<Self>),
    Many(String, String, Args, Vec<Connection>),
}

/// What is wrong with a request.
pub(super) type Wrong = String;

/// The types that mutations give.
const MUTATIONS: [(&str, &str); 5] = [
    ("createNote", "Note"),
    ("deleteNote", "SuccessResponse"),
    ("updateAccount", "Account"),
    ("createInternalTicket", "Ticket"),
    ("updateInventoryItemFields", "InventoryItem"),
];

/// Looks a request up.
pub(super) fn operation(schema: &Schema, text: &str, variables: &Map<String, Value>) -> Result<Operation, Wrong> {
    let document = parse_query::<String>(text).map_err(|error| format!("Syntax Error: {error}"))?;
    let mut operations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Operation(operation) => Some(operation),
        Definition::Fragment(_) => None,
    });
    let (Some(operation), None) = (operations.next(), operations.next()) else {
        return Err("Must provide one operation.".to_owned());
    };
    let (declared, set, writes): (&[_], _, _) = match operation {
        OperationDefinition::SelectionSet(set) => (&[], set, false),
        OperationDefinition::Query(query) => (&query.variable_definitions, &query.selection_set, false),
        OperationDefinition::Mutation(mutation) => (&mutation.variable_definitions, &mutation.selection_set, true),
        OperationDefinition::Subscription(_) => return Err("Schema is not configured for subscriptions.".to_owned()),
    };
    let asked = Asked {
        schema,
        variables: declare(schema, declared, variables)?,
    };
    if writes {
        let mutations = fields(set)?.map(|field| asked.mutation(field));
        return Ok(Operation::Mutation(mutations.collect::<Result<_, _>>()?));
    }
    let roots = fields(set)?.map(|field| asked.root(field));
    Ok(Operation::Query(roots.collect::<Result<_, _>>()?))
}

/// The variables that are declared, as they were sent; what was not sent is not there.
fn declare(
    schema: &Schema,
    declared: &[VariableDefinition<'_, String>],
    sent: &Map<String, Value>,
) -> Result<BTreeMap<String, Option<Value>>, Wrong> {
    let mut variables = BTreeMap::new();
    for variable in declared {
        let kind = named(&variable.var_type);
        if !schema.is_input(kind) {
            return Err(format!("Unknown type \"{kind}\"."));
        }
        variables.insert(variable.name.clone(), sent.get(&variable.name).cloned());
    }
    Ok(variables)
}

/// The fields of a selection. Fragments are of no use to anybody here.
fn fields<'q, 'd>(set: &'q SelectionSet<'d, String>) -> Result<impl Iterator<Item = &'q Field<'d, String>>, Wrong> {
    let all: Result<Vec<_>, Wrong> = (set.items.iter())
        .map(|selection| match selection {
            Selection::Field(field) => Ok(field),
            _ => Err("The simulated Sonar knows no fragments.".to_owned()),
        })
        .collect();
    Ok(all?.into_iter())
}

fn key(field: &Field<'_, String>) -> String {
    field.alias.as_ref().unwrap_or(&field.name).clone()
}

struct Asked<'s> {
    schema: &'s Schema,
    variables: BTreeMap<String, Option<Value>>,
}

impl Asked<'_> {
    fn root(&self, field: &Field<'_, String>) -> Result<Root, Wrong> {
        let unknown = || format!("Cannot query field \"{}\" on type \"Query\".", field.name);
        let target = self.schema.list(&field.name).ok_or_else(unknown)?;
        Ok(Root {
            key: key(field),
            name: field.name.clone(),
            target,
            args: arguments(self.schema, target, &field.name, &self.given(field)?)?,
            list: self.connection(target, &field.selection_set)?,
        })
    }

    fn mutation(&self, field: &Field<'_, String>) -> Result<Mutation, Wrong> {
        let unknown = || format!("Cannot query field \"{}\" on type \"Mutation\".", field.name);
        let gives = MUTATIONS
            .iter()
            .find(|(name, _)| *name == field.name)
            .ok_or_else(unknown)?
            .1;
        Ok(Mutation {
            key: key(field),
            name: field.name.clone(),
            args: self
                .given(field)?
                .into_iter()
                .map(|(name, value)| (name, plain(value)))
                .collect(),
            select: self.row(self.schema.named(gives), &field.selection_set)?,
        })
    }

    fn connection(&self, target: usize, set: &SelectionSet<'_, String>) -> Result<Vec<Connection>, Wrong> {
        const INFO: [&str; 4] = ["page", "total_pages", "total_count", "records_per_page"];
        let name = &self.schema.types()[target].name;
        let parts = fields(set)?.map(|field| match field.name.as_str() {
            "entities" => Ok(Connection::Entities(
                key(field),
                self.row(target, &field.selection_set)?,
            )),
            "page_info" => {
                let info = fields(&field.selection_set)?.map(|field| match INFO.contains(&field.name.as_str()) {
                    true => Ok((key(field), field.name.clone())),
                    false => Err(format!("Cannot query field \"{}\" on type \"PageInfo\".", field.name)),
                });
                Ok(Connection::PageInfo(key(field), info.collect::<Result<_, _>>()?))
            }
            "__typename" => Ok(Connection::Typename(key(field))),
            other => Err(format!("Cannot query field \"{other}\" on type \"{name}Connection\".")),
        });
        let parts: Vec<Connection> = parts.collect::<Result<_, Wrong>>()?;
        match parts.is_empty() {
            true => Err(format!(
                "Field of type \"{name}Connection\" must have a selection of subfields."
            )),
            false => Ok(parts),
        }
    }

    fn row(&self, of: usize, set: &SelectionSet<'_, String>) -> Result<Vec<Select>, Wrong> {
        let here = &self.schema.types()[of];
        let selected = fields(set)?.map(|field| {
            if field.name == "__typename" {
                return Ok(Select::Typename(key(field)));
            }
            if let Some(column) = here.column(&field.name) {
                return match field.selection_set.items.is_empty() && field.arguments.is_empty() {
                    true => Ok(Select::Column(key(field), column)),
                    false => Err(format!(
                        "Field \"{}\" must not have a selection or arguments.",
                        field.name
                    )),
                };
            }
            let unknown = || format!("Cannot query field \"{}\" on type \"{}\".", field.name, here.name);
            let relation = here.relations.get(&field.name).ok_or_else(unknown)?;
            let args = arguments(self.schema, relation.target, &field.name, &self.given(field)?)?;
            Ok(match relation.many {
                true => Select::Many(
                    key(field),
                    field.name.clone(),
                    args,
                    self.connection(relation.target, &field.selection_set)?,
                ),
                false => Select::One(
                    key(field),
                    field.name.clone(),
                    args,
                    self.row(relation.target, &field.selection_set)?,
                ),
            })
        });
        let selected: Vec<Select> = selected.collect::<Result<_, Wrong>>()?;
        match selected.is_empty() {
            true => Err(format!(
                "Field of type \"{}\" must have a selection of subfields.",
                here.name
            )),
            false => Ok(selected),
        }
    }

    /// The arguments of a field, variables put in. A variable that was not sent is an argument that was not given.
    fn given(&self, field: &Field<'_, String>) -> Result<Vec<(String, Given)>, Wrong> {
        let mut given = Vec::new();
        for (name, value) in &field.arguments {
            if let Some(value) = self.value(value)? {
                given.push((name.clone(), value));
            }
        }
        Ok(given)
    }

    fn value(&self, ast: &Ast<'_, String>) -> Result<Option<Given>, Wrong> {
        Ok(Some(match ast {
            Ast::Variable(name) => {
                let known = self.variables.get(name);
                let value = known.ok_or_else(|| format!("Variable \"${name}\" is not defined."))?;
                return Ok(value.clone().map(Given::Plain));
            }
            Ast::Enum(word) => Given::Word(word.clone()),
            Ast::Int(number) => Given::Plain(json!(number.as_i64())),
            Ast::Float(number) => Given::Plain(json!(number)),
            Ast::String(text) => Given::Plain(json!(text)),
            Ast::Boolean(is) => Given::Plain(json!(is)),
            Ast::Null => Given::Plain(Value::Null),
            Ast::List(list) => {
                let values = list.iter().map(|value| Ok(self.value(value)?.map(plain)));
                let values: Vec<Option<Value>> = values.collect::<Result<_, Wrong>>()?;
                Given::Plain(values.into_iter().flatten().collect())
            }
            Ast::Object(object) => {
                let values = object
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.value(value)?.map(plain))));
                let values: Vec<(String, Option<Value>)> = values.collect::<Result<_, Wrong>>()?;
                let there = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
                Given::Plain(Value::Object(there.collect()))
            }
        }))
    }
}

/// An argument: a word of an enum as it is written in a query, or a value. In variables words are texts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    Word(String),
    Plain(Value),
}

fn plain(given: Given) -> Value {
    match given {
        Given::Word(word) => json!(word),
        Given::Plain(value) => value,
    }
}
