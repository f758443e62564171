//! Conditions over a plan, in the Common Expression Language (CEL): no loops but over lists, no side effects, no clock.
//!
//! The only file that names the `cel` crate. A condition is parsed when the inventory is read, names and functions
//! included, and bounded then: in length, in depth, and in how its work grows with the plan.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr};
use cel::{Context, ExecutionError, IdedExpr, ParseError, Program, Value};
use serde_json::Value as Json;

/// What the plan is called in a condition.
pub const PLAN: &str = "plan";

/// Characters of a condition at most.
pub(super) const LONGEST: usize = 1000;
/// Brackets, or choices with `?`, within each other at most.
const MOST_BRACKETS: usize = 12;
/// Levels of a parsed condition at most: what is asked by recursion survives it on a small stack.
const DEEPEST: usize = 48;
/// The stack to parse on. The parser is made by a generator and takes some 100 kB for each bracket in a debug build.
const STACK: usize = 32 << 20;
/// How often the innermost part of a condition is looked at, at most.
const MOST_WORK: usize = 10_000_000;

/// The functions that a condition may use, operators and macros aside.
const FUNCTIONS: [&str; 7] = ["contains", "double", "endsWith", "int", "size", "startsWith", "string"];

/// A condition, parsed.
#[derive(Clone)]
pub struct Expression(Arc<Parsed>);

struct Parsed {
    text: String,
    program: Program,
    /// The power of the plan's size that the work grows with.
    degree: u32,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.text).finish()
    }
}

/// Why a text is no condition, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotACondition {
    /// Reads on from "it".
    pub(super) message: String,
    /// Offset in bytes.
    pub(super) at: usize,
}

impl Expression {
    /// Parses a condition.
    pub(super) fn parse(text: &str) -> Result<Self, NotACondition> {
        let wrong = |at: usize, message: String| NotACondition { message, at };
        if text.chars().count() > LONGEST {
            return Err(wrong(
                0,
                format!("has more than {LONGEST} characters; make two rules of it"),
            ));
        }
        if let Some(at) = too_many_brackets(text) {
            return Err(wrong(
                at,
                format!("has more than {MOST_BRACKETS} brackets within each other here"),
            ));
        }
        let parsed = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            // It parses one text and ends: nothing runs beside it.
            let parsing = thread.spawn_scoped(scope, || Parsed::of(text));
            parsing.ok()?.join().ok()
        });
        parsed
            .unwrap_or_else(|| Err(wrong(0, "could not be read".to_owned())))
            .map(|parsed| Self(Arc::new(parsed)))
    }

    /// The text that it was parsed from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether it holds of a plan.
    ///
    /// # Errors
    ///
    /// Why that cannot be told, as a sentence: the plan has no such field, the kinds do not fit, it is too much work.
    /// Whoever wrote the condition is to mend it.
    pub fn holds(&self, plan: &Subject) -> Result<bool, String> {
        let work = plan.elements.max(1).checked_pow(self.0.degree);
        if work.is_none_or(|work| work > MOST_WORK) {
            return Err(format!(
                "it asks for each of {} things about each other one, which is too much: use fewer loops within loops",
                plan.elements
            ));
        }
        let mut context = Context::default();
        context.add_variable_from_value(PLAN, plan.value.clone());
        match self.0.program.execute(&context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("it comes to {}, and not to true or false", kind(&other))),
            Err(error) => Err(failure(&error)),
        }
    }
}

impl Parsed {
    fn of(text: &str) -> Result<Self, NotACondition> {
        let program = Program::compile(text).map_err(|errors| match errors.errors.first() {
            Some(error) => NotACondition {
                message: in_words(error),
                at: offset(text, error.pos),
            },
            None => NotACondition {
                message: "is no condition".to_owned(),
                at: 0,
            },
        })?;
        let mut walk = Walk {
            program: &program,
            loops: Vec::new(),
            degree: 0,
            deepest: 0,
        };
        walk.expression(program.expression(), 0)?;
        let degree = walk.deepest;
        Ok(Self {
            text: text.to_owned(),
            program,
            degree,
        })
    }
}

/// A document that conditions are asked about.
#[derive(Debug, Clone)]
pub struct Subject {
    value: Value,
    /// How many elements all of its lists have.
    elements: usize,
}

impl From<&Json> for Subject {
    fn from(document: &Json) -> Self {
        Self {
            value: value(document),
            elements: elements(document),
        }
    }
}

/// As the language has it. Whole numbers are all of one kind there, so that they can be counted with.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::List(Arc::new(items.iter().map(value).collect())),
        Json::Object(map) => {
            let entries: HashMap<&str, Value> = map.iter().map(|(key, json)| (key.as_str(), value(json))).collect();
            Value::from(entries)
        }
    }
}

fn elements(json: &Json) -> usize {
    match json {
        Json::Array(items) => items.len() + items.iter().map(elements).sum::<usize>(),
        Json::Object(map) => map.values().map(elements).sum(),
        _ => 0,
    }
}

/// Where brackets pile up higher than any condition needs. Those in texts count as well: nobody needs that many there.
fn too_many_brackets(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, char) in text.char_indices() {
        match char {
            // What follows a `?` and its `:` is within it to the end.
            '(' | '[' | '{' | '?' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MOST_BRACKETS {
            return Some(at);
        }
    }
    None
}

/// Lines and columns, both from 1, as an offset in bytes.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (usize::try_from(line).unwrap_or(1), usize::try_from(column).unwrap_or(1));
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = &text[before..];
    let within = rest
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(rest.len(), |(at, _)| at);
    before + within
}

/// What the parser says, for somebody who has never seen one.
fn in_words(error: &ParseError) -> String {
    let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    let message = message.split(" expecting ").next().unwrap_or(message);
    if message.contains("'<EOF>'") {
        return "ends too early".to_owned();
    }
    let word = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?;
        Some(rest.trim_matches('\'').to_owned())
    };
    let out_of_place = [
        "extraneous input ",
        "mismatched input ",
        "no viable alternative at input ",
    ];
    if let Some(found) = out_of_place.into_iter().find_map(word) {
        format!("has `{found}` where it cannot stand")
    } else if let Some(found) = word("token recognition error at: ") {
        format!("has `{found}`, which is no word of the language")
    } else {
        format!("cannot be read here: {message}")
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => "a number",
        Value::String(_) => "text",
        Value::Null => "null",
        _ => "something else",
    }
}

fn failure(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}` where it looks for one; `has(...)` asks first"),
        ExecutionError::NoSuchOverload(overload) => {
            let operator = overload.function().trim_matches(['_', '@']);
            let kinds: Vec<&str> = overload
                .argument_types()
                .iter()
                .map(|kind| match kind.as_str() {
                    "null_type" => "null",
                    "string" => "text",
                    other => other,
                })
                .collect();
            format!("`{operator}` cannot be asked of {}", kinds.join(" and "))
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "it asks for an element that the list does not have".to_owned(),
        other => other.to_string(),
    }
}

/// Goes through a condition: names, functions, depth, and how loops are nested.
struct Walk<'p> {
    program: &'p Program,
    /// Variables of the loops around.
    loops: Vec<&'p str>,
    degree: u32,
    deepest: u32,
}

impl<'p> Walk<'p> {
    fn wrong(&self, expression: &IdedExpr, message: String) -> NotACondition {
        let source = self.program.source_info();
        let start = source.offset_for(expression.id).map_or(0, |(start, _)| start);
        let at = source.source.floor_char_boundary(usize::try_from(start).unwrap_or(0));
        NotACondition { message, at }
    }

    fn expression(&mut self, expression: &'p IdedExpr, depth: usize) -> Result<(), NotACondition> {
        if depth > DEEPEST {
            return Err(self.wrong(expression, "goes too deep here: make two rules of it".to_owned()));
        }
        let below = depth + 1;
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(expression, name),
            Expr::Select(select) => self.expression(&select.operand, below),
            Expr::List(list) => list
                .elements
                .iter()
                .try_for_each(|element| self.expression(element, below)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.expression(&entry.key, below)?;
                    self.expression(&entry.value, below)
                }
                EntryExpr::StructField(field) => self.expression(&field.value, below),
            }),
            Expr::Struct(_) => Err(self.wrong(expression, "makes a message, which there is no use for".to_owned())),
            Expr::Call(call) => {
                let is_operator = call.func_name.starts_with(['_', '@', '!', '-']);
                if !is_operator && !FUNCTIONS.contains(&call.func_name.as_str()) {
                    let message = format!(
                        "calls `{}`, which there is not; there are has, all, exists, exists_one, filter, map, {}",
                        call.func_name,
                        FUNCTIONS.join(", ")
                    );
                    let mut wrong = self.wrong(expression, message);
                    // A call stands where its bracket does.
                    let before = &self.program.source_info().source[..wrong.at];
                    wrong.at -= if before.ends_with(&call.func_name) {
                        call.func_name.len()
                    } else {
                        0
                    };
                    return Err(wrong);
                }
                let target = call.target.iter().map(|target| &**target);
                target
                    .chain(&call.args)
                    .try_for_each(|part| self.expression(part, below))
            }
            Expr::Comprehension(comprehension) => {
                self.expression(&comprehension.iter_range, below)?;
                self.expression(&comprehension.accu_init, below)?;
                // What hangs on the element of a loop around is looked at once for each, all in all: the plan is a tree.
                let more = u32::from(!self.hangs_on_a_loop(&comprehension.iter_range));
                let outside = self.loops.len();
                self.loops.push(&comprehension.iter_var);
                self.loops.extend(comprehension.iter_var2.as_deref());
                self.loops.push(&comprehension.accu_var);
                self.degree += more;
                self.deepest = self.deepest.max(self.degree);
                let parts = [
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ];
                let walked = parts.into_iter().try_for_each(|part| self.expression(part, below));
                self.degree -= more;
                self.loops.truncate(outside);
                walked
            }
        }
    }

    fn name(&self, expression: &IdedExpr, name: &str) -> Result<(), NotACondition> {
        if name == PLAN || self.loops.contains(&name) {
            return Ok(());
        }
        let message = format!("has `{name}`, which is nothing; all that there is stands under `{PLAN}`");
        Err(self.wrong(expression, message))
    }

    /// Whether a list is a field of what a loop around is at.
    fn hangs_on_a_loop(&self, list: &IdedExpr) -> bool {
        let mut at = list;
        let mut fields = 0;
        while let Expr::Select(select) = &at.expr {
            at = &select.operand;
            fields += 1;
        }
        matches!(&at.expr, Expr::Ident(name) if fields > 0 && self.loops.contains(&name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Subject {
        let change = |kind: &str, after: Json| json!({ "type": kind, "change": { "after": after }, "impact": { "subscribers": ["s-1"] } });
        Subject::from(&json!({
            "summary": { "destroy": 3 },
            "resource_changes": [change("subscriber", json!({ "vlan": "200" })), change("endpoint", Json::Null)],
        }))
    }

    fn holds(text: &str) -> Result<bool, String> {
        Expression::parse(text).unwrap().holds(&plan())
    }

    #[test]
    fn conditions_are_asked_of_the_plan() {
        for (text, answer) in [
            ("plan.summary.destroy > 2", true),
            ("plan.summary.destroy + 1 == 5 - 1", true),
            (
                "plan.resource_changes.exists(c, c.type == 'subscriber' && int(c.change.after.vlan) > 200)",
                false,
            ),
            (
                "size(plan.resource_changes.filter(c, c.change.after == null)) == 1",
                true,
            ),
            (
                "plan.resource_changes.exists(c, c.impact.subscribers.exists(s, s.startsWith('s-')))",
                true,
            ),
            (
                "plan.resource_changes.all(c, c.type in ['subscriber', 'endpoint']) // a comment",
                true,
            ),
        ] {
            assert_eq!(holds(text), Ok(answer), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_said_in_plain_words() {
        for (text, why) in [
            (
                "plan.sumary.destroy > 1",
                "there is no `sumary` where it looks for one; `has(...)` asks first",
            ),
            ("plan.summary.destroy > 'a'", "`>` cannot be asked of int and text"),
            ("plan.summary", "it comes to a map, and not to true or false"),
            ("1 / 0 == 1", "it divides by zero"),
            (
                "plan.resource_changes.exists(c, 'x' in c.change.after)",
                "`in` cannot be asked of text and null",
            ),
        ] {
            assert_eq!(holds(text), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_where_it_goes_wrong() {
        for (text, at, message) in [
            ("", 0, "ends too early"),
            ("plan.summary.destroy >", 22, "ends too early"),
            ("true &&\n  && false", 10, "has `&&` where it cannot stand"),
            (
                "nope > 1",
                0,
                "has `nope`, which is nothing; all that there is stands under `plan`",
            ),
            (
                "'é' == other",
                8,
                "has `other`, which is nothing; all that there is stands under `plan`",
            ),
            (
                "plan.x.all(c, d)",
                14,
                "has `d`, which is nothing; all that there is stands under `plan`",
            ),
        ] {
            let wrong = Expression::parse(text).unwrap_err();
            assert_eq!((wrong.at, wrong.message.as_str()), (at, message), "{text:?}");
        }
        let wrong = Expression::parse("frobnicate(plan)").unwrap_err();
        assert!(
            wrong.message.starts_with("calls `frobnicate`, which there is not"),
            "{wrong:?}"
        );
        assert_eq!(wrong.at, 0);
    }

    #[test]
    fn no_text_takes_too_much_room_or_time() {
        let pile = |piece: &str, end: &str| {
            let times = (LONGEST - end.len()) / piece.len();
            format!("{}{end}", piece.repeat(times))
        };
        let nested = |open: &str, close: &str| {
            let times = LONGEST / (open.len() + close.len());
            format!("{}true{}", open.repeat(times), close.repeat(times))
        };
        for text in [
            pile("(", ""),
            pile("!", "true"),
            pile("- ", "1 == 1"),
            pile("true ? true : ", "true"),
            pile("1+", "1 == 1"),
            pile("true&&", "true"),
            pile("true||", "true"),
            format!("plan{}", pile(".a", "")),
            pile("{1:", ""),
            pile("\"", ""),
            nested("[", "]"),
            nested("size(", ")"),
            nested("[1].exists(x,", ")"),
            "x".repeat(LONGEST + 1),
        ] {
            if let Ok(condition) = Expression::parse(&text) {
                let _ = condition.holds(&plan());
            }
        }
    }

    #[test]
    fn loops_within_loops_are_for_small_plans_unless_they_go_down_the_tree() {
        let changes: Vec<Json> = (0..4000).map(|_| json!({ "names": ["a"] })).collect();
        let plan = Subject::from(&json!({ "changes": changes }));
        let down = Expression::parse("plan.changes.exists(c, c.names.exists(n, n == 'b'))").unwrap();
        assert_eq!(down.holds(&plan), Ok(false));
        let across = Expression::parse("plan.changes.exists(c, plan.changes.exists(d, d != c))").unwrap();
        assert!(across.holds(&plan).unwrap_err().contains("too much"));
    }
}
