//! The types of the API, read from `schema.graphql`.

use std::collections::BTreeMap;

use graphql_parser::schema::{Definition, Directive, Document, Type as Ast, TypeDefinition, Value, parse_schema};

/// All types, and where they are at the root.
#[derive(Debug)]
pub(super) struct Schema {
    types: Vec<Type>,
    lists: BTreeMap<String, usize>,
    names: BTreeMap<String, usize>,
    enums: BTreeMap<String, Vec<String>>,
}

/// An object type: a table.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) relations: BTreeMap<String, Relation>,
}

/// A scalar field.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a scalar field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// `Int64Bit`: a number inside, a text on the wire unless a knob says otherwise.
    Id,
    Int,
    Bool,
    /// Whatever is a text and has no form of its own here.
    Text,
    /// Dates and moments, which sort as texts.
    Moment,
    /// One of these words.
    Enum(String),
}

/// A field that leads to other rows: those of `target` of which column `there` has what column `here` of the row has.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) target: usize,
    pub(super) here: usize,
    pub(super) there: usize,
    /// A column of `target` that has to hold the name of this type.
    pub(super) kind: Option<usize>,
    pub(super) many: bool,
}

impl Schema {
    /// Reads the types. What is wrong with them is a bug, and stops every test.
    pub(super) fn read() -> Self {
        let text = include_str!("schema.graphql");
        let document: Document<'_, String> = parse_schema(text).expect("schema.graphql is GraphQL");
        let mut schema = Self {
            types: Vec::new(),
            lists: BTreeMap::new(),
            names: BTreeMap::new(),
            enums: BTreeMap::new(),
        };
        let mut objects = Vec::new();
        for definition in document.definitions {
            match definition {
                Definition::TypeDefinition(TypeDefinition::Object(object)) => objects.push(object),
                Definition::TypeDefinition(TypeDefinition::Enum(words)) => {
                    let values = words.values.into_iter().map(|value| value.name).collect();
                    schema.enums.insert(words.name, values);
                }
                _ => {}
            }
        }
        for (number, object) in objects.iter().enumerate() {
            schema.names.insert(object.name.clone(), number);
            if let Some(list) = argument(&object.directives, "list", "name") {
                schema.lists.insert(list, number);
            }
            let scalars = object
                .fields
                .iter()
                .filter(|field| argument(&field.directives, "by", "column").is_none());
            let columns = scalars.map(|field| Column {
                name: field.name.clone(),
                kind: schema.kind(named(&field.field_type)),
            });
            let columns = columns.collect();
            schema.types.push(Type {
                name: object.name.clone(),
                columns,
                relations: BTreeMap::new(),
            });
        }
        for (number, object) in objects.iter().enumerate() {
            for field in &object.fields {
                let Some(column) = argument(&field.directives, "by", "column") else {
                    continue;
                };
                let target = schema.names[named(&field.field_type)];
                let many = matches!(field.field_type, Ast::ListType(_));
                let of = argument(&field.directives, "by", "of");
                let (here, there) = match (many, of) {
                    (true, _) => ("id".to_owned(), column),
                    (false, of) => (column, of.unwrap_or_else(|| "id".to_owned())),
                };
                let kind = argument(&field.directives, "by", "kind");
                let relation = Relation {
                    target,
                    here: schema.types[number].column(&here).expect("the column is in the type"),
                    there: schema.types[target]
                        .column(&there)
                        .expect("the column is in the target"),
                    kind: kind.map(|kind| schema.types[target].column(&kind).expect("the column is in the target")),
                    many,
                };
                schema.types[number].relations.insert(field.name.clone(), relation);
            }
        }
        schema
    }

    fn kind(&self, scalar: &str) -> Kind {
        match scalar {
            "Int64Bit" => Kind::Id,
            "Int" => Kind::Int,
            "Boolean" => Kind::Bool,
            "Date" | "Datetime" => Kind::Moment,
            other if self.enums.contains_key(other) => Kind::Enum(other.to_owned()),
            _ => Kind::Text,
        }
    }

    pub(super) fn types(&self) -> &[Type] {
        &self.types
    }

    /// The type of this name.
    pub(super) fn named(&self, name: &str) -> usize {
        self.names[name]
    }

    /// The type of a list at the root.
    pub(super) fn list(&self, root: &str) -> Option<usize> {
        self.lists.get(root).copied()
    }

    /// Whether an enum has a word.
    pub(super) fn is_word(&self, name: &str, word: &str) -> bool {
        self.enums
            .get(name)
            .is_some_and(|words| words.iter().any(|known| known == word))
    }

    /// Whether a variable may be of this type.
    pub(super) fn is_input(&self, name: &str) -> bool {
        const INPUTS: [&str; 16] = [
            "Paginator",
            "Search",
            "Sorter",
            "ReverseRelationFilter",
            "Int64Bit",
            "Int",
            "String",
            "Text",
            "Boolean",
            "ID",
            "Date",
            "Datetime",
            "CreateNoteMutationInput",
            "UpdateAccountMutationInput",
            "CreateInternalTicketMutationInput",
            "UpdateInventoryItemFieldsMutationInput",
        ];
        INPUTS.contains(&name) || self.enums.contains_key(name)
    }
}

impl Type {
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// The name of a type without `!` and `[]`.
pub(super) fn named<'t>(ast: &'t Ast<'_, String>) -> &'t str {
    match ast {
        Ast::NamedType(name) => name,
        Ast::ListType(inner) | Ast::NonNullType(inner) => named(inner),
    }
}

fn argument(directives: &[Directive<'_, String>], directive: &str, name: &str) -> Option<String> {
    let directive = directives.iter().find(|there| there.name == directive)?;
    let (_, value) = directive.arguments.iter().find(|(there, _)| there == name)?;
    match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}
