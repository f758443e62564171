//! Maintenance windows: days, times of day, time zones.

use serde_json::{Value as Json, json};

use crate::inventory::document::{Node, Value};
use crate::inventory::nearest::nearest;
use crate::inventory::rules;
use crate::inventory::window::{DAY_WORDS, Days, zone, zone_names};

use super::{Context, Decode, scalar};

impl Decode for Days {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let items = match &node.value {
            Value::Sequence(items) => items,
            Value::Scalar { text, .. } if text == "all" => return Some(Self::ALL),
            _ => return context.wrong_type(node, "`all`, or a list of days such as `[mon-thu, sun]`"),
        };
        if items.is_empty() {
            let at = context.at(node.span);
            context
                .findings
                .add(&rules::INVALID_DAYS, at, "the list of days is empty".to_owned())
                .help("name days, or write `all`");
            return None;
        }
        let mut days = Self::NONE;
        let mut readable = true;
        for item in items {
            match scalar::text(item, context).map(|text| (text, text.parse::<Self>())) {
                Some((_, Ok(more))) => days = days.and(more),
                Some((text, Err(_))) => {
                    readable = false;
                    let at = context.at(item.span);
                    let message = format!("`{}` is neither a day nor a range of days", text.escape_debug());
                    let help = match respelled(text) {
                        Some(right) => format!("write `{right}`"),
                        None => format!("days are {}; a range is written `mon-fri`", DAY_WORDS.join(", ")),
                    };
                    context.findings.add(&rules::INVALID_DAYS, at, message).help(help);
                }
                None => readable = false,
            }
        }
        readable.then_some(days)
    }

    fn schema() -> Json {
        let day = DAY_WORDS.join("|");
        json!({
            "anyOf": [
                { "enum": ["all"] },
                { "type": "array", "items": { "type": "string", "pattern": format!("^({day})(-({day}))?$") }, "minItems": 1 },
            ],
            "examples": ["all", ["mon-thu", "sun"]],
        })
    }
}

/// What somebody meant who wrote days out, with capitals, or a range with dots.
fn respelled(text: &str) -> Option<String> {
    let short = |word: &str| word.trim().get(..3).map(str::to_lowercase);
    let lower = text.replace("..", "-");
    let words: Vec<String> = lower.split('-').map(short).collect::<Option<_>>()?;
    let right = words.join("-");
    right.parse::<Days>().is_ok().then_some(right)
}

/// A time of day, to the minute.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct ClockTime(pub(in crate::inventory) jiff::civil::Time);

impl Decode for ClockTime {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = scalar::text(node, context)?;
        let number = |part: &str| {
            let two_digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<i8>().ok().filter(|_| two_digits)
        };
        let time = text
            .split_once(':')
            .and_then(|(hour, minute)| jiff::civil::Time::new(number(hour)?, number(minute)?, 0, 0).ok());
        if time.is_none() {
            let (at, field) = (context.at(node.span), &context.field);
            let message = format!("`{field}` is `{}`, which is not a time of day", text.escape_debug());
            context
                .findings
                .add(&rules::INVALID_TIME, at, message)
                .help("write hours and minutes with two digits each, from \"00:00\" to \"23:59\"");
        }
        time.map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["02:00"] })
    }
}

/// A time zone by its IANA name.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct ZoneName(pub(in crate::inventory) jiff::tz::TimeZone);

impl Decode for ZoneName {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = scalar::text(node, context)?;
        if let Some(zone) = zone(text) {
            return Some(Self(zone));
        }
        let (at, field) = (context.at(node.span), &context.field);
        let message = format!("`{field}` is `{}`, which is not a time zone", text.escape_debug());
        let draft = context.findings.add(&rules::UNKNOWN_TIME_ZONE, at, message);
        draft.help(match meant(text) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "write its name in the IANA database, such as `Europe/Berlin` or `America/Montreal`".to_owned(),
        });
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "examples": ["Europe/Berlin", "America/Montreal"] })
    }
}

/// The zone that a text most likely stands for: of that city, or spelt nearly like it.
fn meant(text: &str) -> Option<String> {
    let names = zone_names();
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let wanted = city(&text.replace(' ', "_"));
    let of_city = names.iter().find(|name| name.contains('/') && city(name) == wanted);
    let near = || nearest(text, names.iter().map(String::as_str)).map(str::to_owned);
    of_city.cloned().or_else(near)
}
