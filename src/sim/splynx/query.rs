//! Queries as PHP reads them, and the filters in them. Pure.
//!
//! `main_attributes[id][0]=>&main_attributes[id][1]=500` is a map of maps; a list is a map from 0. What is unknown is ignored, as the real one
//! does: `page=2` changes nothing.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A row, as it is stored: numbers are numbers.
pub(super) type Row = Map<String, Value>;

/// A value of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    Text(String),
    Map(BTreeMap<String, Self>),
}

/// Reads a query. Never fails: PHP takes everything for something.
pub(super) fn parse(query: &str) -> BTreeMap<String, Tree> {
    let mut top = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let mut path = path(&name).into_iter();
        if let Some(first) = path.next() {
            put(&mut top, first, &path.collect::<Vec<_>>(), value.into_owned());
        }
    }
    top
}

/// `a[b][c]` as `a`, `b`, `c`. What follows brackets that do not close is part of the name.
fn path(name: &str) -> Vec<String> {
    let Some((first, mut rest)) = name.split_once('[').filter(|(first, _)| !first.is_empty()) else {
        return vec![name.to_owned()];
    };
    let mut path = vec![first.to_owned()];
    while let Some((part, after)) = rest.split_once(']') {
        path.push(part.to_owned());
        match after.strip_prefix('[') {
            Some(next) => rest = next,
            None => return path,
        }
    }
    if path.len() == 1 {
        vec![name.replacen('[', "_", 1)]
    } else {
        path
    }
}

fn put(map: &mut BTreeMap<String, Tree>, name: String, rest: &[String], value: String) {
    // `a[]` appends.
    let name = if name.is_empty() { map.len().to_string() } else { name };
    let Some((next, rest)) = rest.split_first() else {
        map.insert(name, Tree::Text(value));
        return;
    };
    let below = map.entry(name).or_insert_with(|| Tree::Map(BTreeMap::new()));
    if let Tree::Text(_) = below {
        *below = Tree::Map(BTreeMap::new());
    }
    if let Tree::Map(below) = below {
        put(below, next.clone(), rest, value);
    }
}

/// What is asked of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Conditions on the row's own fields, all of which hold.
    pub(super) main: Vec<Condition>,
    /// Conditions on the operator's fields.
    additional: Vec<Condition>,
    /// Field, and whether it is the other way round.
    order: Option<(String, bool)>,
    limit: Option<usize>,
    offset: usize,
}

/// A condition on a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    field: String,
    operator: String,
    values: Vec<String>,
}

const OPERATORS: [&str; 12] = [
    "=",
    "!=",
    "<>",
    ">",
    "<",
    ">=",
    "<=",
    "IS",
    "BETWEEN",
    "LIKE",
    "IN",
    "FIND_IN_SET",
];

impl Wanted {
    /// # Errors
    ///
    /// An operator that does not exist.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut query = parse(query);
        let order = match query.remove("order") {
            Some(Tree::Map(order)) => order.into_iter().next(),
            _ => None,
        };
        let number = |tree: Option<&Tree>| match tree {
            Some(Tree::Text(text)) => text.parse().ok(),
            _ => None,
        };
        Ok(Self {
            limit: number(query.get("limit")),
            offset: number(query.get("offset")).unwrap_or_default(),
            order: order.map(|(field, way)| (field, way == Tree::Text("DESC".to_owned()))),
            main: conditions(query.remove("main_attributes"))?,
            additional: conditions(query.remove("additional_attributes"))?,
        })
    }

    /// The rows that are wanted, before any limit.
    pub(super) fn matching<'a>(&self, rows: impl Iterator<Item = &'a Row>, like_adds: bool) -> Vec<&'a Row> {
        let own = |row: &'a Row, name: &str| row.get(name).map(text).unwrap_or_default();
        let added = |row: &'a Row, name: &str| {
            let fields = row.get("additional_attributes");
            fields.and_then(|fields| fields.get(name)).map(text).unwrap_or_default()
        };
        rows.filter(|row| {
            (self.main.iter()).all(|condition| condition.holds(&own(row, &condition.field), like_adds))
                && (self.additional.iter()).all(|condition| condition.holds(&added(row, &condition.field), like_adds))
        })
        .collect()
    }

    /// Those of the rows that are on the page that is wanted. Without a limit that is all of them.
    pub(super) fn page<'a>(&self, mut rows: Vec<&'a Row>, at_most: Option<usize>) -> Vec<&'a Row> {
        if let Some((field, is_reversed)) = &self.order {
            let key = |row: &Row| row.get(field).map(text).unwrap_or_default();
            rows.sort_by(|a, b| compare(&key(a), &key(b)));
            if *is_reversed {
                rows.reverse();
            }
        }
        let limit = [self.limit, at_most].into_iter().flatten().min().unwrap_or(usize::MAX);
        rows.into_iter().skip(self.offset).take(limit).collect()
    }
}

fn conditions(tree: Option<Tree>) -> Result<Vec<Condition>, String> {
    let Some(Tree::Map(fields)) = tree else {
        return Ok(Vec::new());
    };
    let condition = |(field, tree): (String, Tree)| {
        let (operator, values) = match tree {
            Tree::Text(value) => ("=".to_owned(), vec![value]),
            Tree::Map(mut parts) => {
                let operator = match parts.remove("0") {
                    Some(Tree::Text(operator)) => operator.to_uppercase(),
                    _ => return Err(format!("no operator for `{field}`")),
                };
                // Numbered, so that they come in the order of texts; which of `IN` comes first says nothing.
                let values = parts.into_values().flat_map(texts).collect();
                (operator, values)
            }
        };
        if OPERATORS.contains(&operator.as_str()) {
            Ok(Condition {
                field,
                operator,
                values,
            })
        } else {
            Err(format!("`{operator}` is no operator"))
        }
    };
    fields.into_iter().map(condition).collect()
}

fn texts(tree: Tree) -> Vec<String> {
    match tree {
        Tree::Text(text) => vec![text],
        Tree::Map(map) => map.into_values().flat_map(texts).collect(),
    }
}

impl Condition {
    fn holds(&self, field: &str, like_adds: bool) -> bool {
        let first = self.values.first().map(String::as_str).unwrap_or_default();
        let order = || compare(field, first);
        match self.operator.as_str() {
            "=" => order() == Ordering::Equal,
            "!=" | "<>" => order() != Ordering::Equal,
            ">" => order() == Ordering::Greater,
            "<" => order() == Ordering::Less,
            ">=" => order() != Ordering::Less,
            "<=" => order() != Ordering::Greater,
            "IS" => field.is_empty() == first.eq_ignore_ascii_case("null"),
            "IN" => self.values.iter().any(|value| compare(field, value) == Ordering::Equal),
            "BETWEEN" => {
                let last = self.values.get(1).map(String::as_str).unwrap_or_default();
                order() != Ordering::Less && compare(field, last) != Ordering::Greater
            }
            "LIKE" if like_adds => is_like(field, &format!("%{first}%")),
            "LIKE" => is_like(field, first),
            // The only one that is left of `OPERATORS`.
            _ => field.split(',').any(|part| part == first),
        }
    }
}

/// As MySQL compares: numbers by value, texts without regard to case.
fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.to_lowercase().cmp(&b.to_lowercase()),
    }
}

/// MySQL's `LIKE`: `%` is anything, `_` one character.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let pattern: Vec<char> = pattern.chars().collect();
    // Which lengths of the pattern fit what was read so far.
    let close = |fits: &mut Vec<bool>| {
        for (at, c) in pattern.iter().enumerate() {
            if *c == '%' && fits[at] {
                fits[at + 1] = true;
            }
        }
    };
    let mut fits = vec![false; pattern.len() + 1];
    fits[0] = true;
    close(&mut fits);
    for c in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, wanted) in pattern.iter().enumerate() {
            match wanted {
                '%' => next[at] |= fits[at],
                '_' => next[at + 1] |= fits[at],
                wanted => next[at + 1] |= fits[at] && *wanted == c,
            }
        }
        close(&mut next);
        fits = next;
    }
    fits[pattern.len()]
}

/// A value as a text, as MySQL would have it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn found(query: &str) -> Vec<u64> {
        let rows: Vec<Row> = [
            json!({ "id": 9, "status": "active", "login": "smith", "additional_attributes": { "gam_port": "3" } }),
            json!({ "id": 10, "status": "Blocked", "login": "x_smithers", "labels": "1,22" }),
            json!({ "id": 11, "status": "disabled", "login": null, "additional_attributes": [] }),
        ]
        .into_iter()
        .filter_map(|row| row.as_object().cloned())
        .collect();
        let wanted = Wanted::read(query).unwrap();
        let matching = wanted.matching(rows.iter(), false);
        wanted
            .page(matching, None)
            .iter()
            .filter_map(|row| row["id"].as_u64())
            .collect()
    }

    #[test]
    fn filters_are_those_of_the_documentation() {
        for (query, ids) in [
            ("", vec![9, 10, 11]),
            ("page=2", vec![9, 10, 11]),
            ("main_attributes[status]=active", vec![9]),
            ("main_attributes%5Bstatus%5D=ACTIVE", vec![9]),
            ("main_attributes[id][0]=>&main_attributes[id][1]=9", vec![10, 11]),
            ("main_attributes[id][0]=>=&main_attributes[id][1]=10", vec![10, 11]),
            ("main_attributes[id][0]=<>&main_attributes[id][1]=10", vec![9, 11]),
            (
                "main_attributes[id][0]=BETWEEN&main_attributes[id][1]=9&main_attributes[id][2]=10",
                vec![9, 10],
            ),
            (
                "main_attributes[status][0]=IN&main_attributes[status][1][0]=active&main_attributes[status][1][1]=disabled",
                vec![9, 11],
            ),
            (
                "main_attributes[status][0]=in&main_attributes[status][1][]=active",
                vec![9],
            ),
            (
                "main_attributes[login][0]=LIKE&main_attributes[login][1]=smith",
                vec![9],
            ),
            (
                "main_attributes[login][0]=LIKE&main_attributes[login][1]=%25smith%25",
                vec![9, 10],
            ),
            (
                "main_attributes[login][0]=LIKE&main_attributes[login][1]=_\\_smith%25",
                vec![],
            ),
            (
                "main_attributes[login][0]=LIKE&main_attributes[login][1]=__smith%25",
                vec![10],
            ),
            ("main_attributes[login][0]=IS&main_attributes[login][1]=NULL", vec![11]),
            (
                "main_attributes[labels][0]=FIND_IN_SET&main_attributes[labels][1]=22",
                vec![10],
            ),
            ("additional_attributes[gam_port]=3", vec![9]),
            ("main_attributes[id]=9&main_attributes[status]=blocked", vec![]),
            ("order[id]=DESC&limit=2", vec![11, 10]),
            ("order[id]=ASC&limit=1&offset=1", vec![10]),
        ] {
            assert_eq!(found(query), ids, "{query}");
        }
        for wrong in [
            "main_attributes[id][0]=REGEXP&main_attributes[id][1]=.",
            "main_attributes[id][>]=0",
        ] {
            assert!(Wanted::read(wrong).is_err(), "{wrong}");
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = "\\PC{0,8}".prop_map(Tree::Text);
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop::collection::btree_map("[a-z0-9 <>=&%é]{1,5}", inner, 1..4).prop_map(Tree::Map)
        })
    }

    /// As PHP's `http_build_query` writes it.
    fn write(name: &str, tree: &Tree, into: &mut form_urlencoded::Serializer<'_, String>) {
        match tree {
            Tree::Text(text) => {
                into.append_pair(name, text);
            }
            Tree::Map(map) => map
                .iter()
                .for_each(|(part, tree)| write(&format!("{name}[{part}]"), tree, into)),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(trees in prop::collection::btree_map("[a-z_]{1,6}", tree(), 0..4)) {
            let mut query = form_urlencoded::Serializer::new(String::new());
            trees.iter().for_each(|(name, tree)| write(name, tree, &mut query));
            prop_assert_eq!(parse(&query.finish()), trees);
        }

        #[test]
        fn no_query_makes_it_fall_over(query in "[a-c\\[\\]=&%0-9>]{0,40}") {
            parse(&query);
            let _ = Wanted::read(&query);
        }
    }
}
