//! Values with a form of their own: rates, bindings, lists of VLANs, and what may be a word or a map.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::domain::{MacAddr, PortBinding, PortNumber, SubscriberModel, VlanId};
use crate::inventory::document::{Node, Value};
use crate::inventory::rate::{Headroom, NotARate, Sold};
use crate::inventory::raw::RawEndpoint;
use crate::inventory::rules;

use super::entries::duplicate_key;
use super::plain::{Plain, classify};
use super::scalar::{self, words};
use super::text::Key;
use super::{Context, Decode, Shape, Spanned};

/// A port's mode as the command line says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inventory) enum PortModeWord {
    /// Two pairs.
    Mimo,
    /// One pair.
    Siso,
}

words!(PortModeWord { "mimo" => Self::Mimo, "siso" => Self::Siso });

words!(SubscriberModel { "endpoint-aware" => Self::EndpointAware, "port-aware" => Self::PortAware });

/// A rate as sold.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct SoldRate(pub(in crate::inventory) Sold);

const RATE_WANTED: &str = "a rate such as `500 Mbps`, `1 Gbps` or `unthrottled`";

impl Decode for SoldRate {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let (text, plain) = scalar::single(node, context, RATE_WANTED)?;
        let (at, field) = (context.at(node.span), &context.field);
        let kind = classify(text);
        if plain && matches!(kind, Plain::OddNumber | Plain::OldNumber) {
            context
                .findings
                .add(
                    &rules::YAML_NUMBER,
                    at,
                    format!("`{field}: {text}` is not the same number to every YAML reader"),
                )
                .help("write the rate in plain digits with its unit, such as `500 Mbps`");
            return None;
        }
        // A number in quotes would be a text without a unit to an editor that checks the schema.
        let unitless = !plain && matches!(kind, Plain::Integer | Plain::Fraction | Plain::OddNumber);
        let problem = match Sold::parse(text) {
            Ok(rate) if !unitless => return Some(Self(rate)),
            Ok(_) => NotARate::Form,
            Err(problem) => problem,
        };
        let (rule, help) = match problem {
            NotARate::Bytes => (&rules::INVALID_RATE, "`B` stands for bytes; rates are in bits: `Mbps`"),
            NotARate::Form => (
                &rules::INVALID_RATE,
                "write `500 Mbps`, `500M`, `1 Gbps`, `50000 kbps`, or a number of Mbps",
            ),
            NotARate::Range => (
                &rules::RATE_RANGE,
                "write what is sold; `unthrottled` stands for no limit",
            ),
        };
        let message = format!(
            "`{field}` is `{}`, which is not a rate that can be sold",
            text.escape_debug()
        );
        context.findings.add(rule, at, message).help(help);
        None
    }

    fn schema() -> Json {
        json!({
            "anyOf": [
                { "type": "number", "minimum": 0, "description": "Mbps" },
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?[kKmMgG](bps|bit/s|b/s)?$" },
                { "enum": ["unthrottled"] },
            ],
            "examples": ["500 Mbps", "1 Gbps", "50000 kbps", 100, "unthrottled"],
        })
    }
}

/// Headroom in percent.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct HeadroomText(pub(in crate::inventory) Headroom);

impl Decode for HeadroomText {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let wanted = "a percentage such as `6%`";
        let (text, _) = scalar::single(node, context, wanted)?;
        if let Some(headroom) = Headroom::parse(text) {
            return Some(Self(headroom));
        }
        let (at, field) = (context.at(node.span), &context.field);
        context
            .findings
            .add(
                &rules::INVALID_HEADROOM,
                at,
                format!("`{field}` is `{}`; it needs {wanted}", text.escape_debug()),
            )
            .help("write 0% to 100%, with the sign; the vendor advises 6% to 8%");
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^([0-9]{1,2}(\\.[0-9]{1,4})?|100(\\.0{1,4})?)%$", "examples": ["6%"] })
    }
}

impl Decode for PortBinding {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar { text, .. } if text == "auto" => Some(Self::Auto),
            Value::Scalar { text, .. } if text == "unassigned" => Some(Self::Unassigned),
            Value::Scalar { text, plain: true } if classify(text) == Plain::Integer => {
                PortNumber::decode(node, context).map(Self::Port)
            }
            _ => {
                scalar::integer(node, context, "a G.hn port number, `auto` or `unassigned`")?;
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [PortNumber::schema(), { "enum": ["auto", "unassigned"] }] })
    }
}

/// VLANs one by one and in ranges: `[1000, "2000-2003"]`.
#[derive(Debug, Clone, Default)]
pub(in crate::inventory) struct VlanList(pub(in crate::inventory) Vec<Spanned<VlanId>>);

impl Decode for VlanList {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let Value::Sequence(items) = &node.value else {
            let wanted = "a list such as `[1000, \"2000-2003\"]`";
            return context.wrong_type(node, wanted);
        };
        let mut vlans = Vec::new();
        for item in items {
            let at = context.at(item.span);
            match &item.value {
                Value::Scalar { text, .. } if text.contains('-') && !text.starts_with('-') => {
                    for raw in range(text, item, context).into_iter().flatten() {
                        let reserved = u16::try_from(raw).ok().and_then(|raw| VlanId::try_from(raw).ok());
                        match reserved.filter(|vlan| vlan.is_usable_for_service()) {
                            Some(value) => vlans.push(Spanned { value, at }),
                            None => {
                                context
                                    .findings
                                    .add(
                                        &rules::VLAN_RANGE_RESERVED,
                                        at,
                                        format!("the range {text} holds VLAN {raw}, which is not for service"),
                                    )
                                    .help("use 3 to 3839 and 3845 to 4093");
                                break;
                            }
                        }
                    }
                }
                _ => vlans.extend(VlanId::decode(item, context).map(|value| Spanned { value, at })),
            }
        }
        Some(Self(vlans))
    }

    fn schema() -> Json {
        json!({
            "type": "array",
            "items": { "anyOf": [VlanId::schema(), { "type": "string", "pattern": "^[0-9]{1,4}-[0-9]{1,4}$" }] },
            "examples": [[1000, "2000-2003"]],
        })
    }
}

fn range(text: &str, item: &Node<'_>, context: &mut Context<'_>) -> Option<std::ops::RangeInclusive<u64>> {
    let number = |part: &str| -> Option<u64> {
        (part.len() <= 4 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse().ok())
            .flatten()
    };
    let at = context.at(item.span);
    let ends = text
        .split_once('-')
        .and_then(|(first, last)| Some((number(first)?, number(last)?)));
    match ends {
        Some((first, last)) if first <= last => Some(first..=last),
        Some((first, last)) => {
            context
                .findings
                .add(
                    &rules::VLAN_RANGE_RESERVED,
                    at,
                    format!("the range {text} ends before it begins"),
                )
                .help(format!("write \"{last}-{first}\""));
            None
        }
        None => {
            context
                .findings
                .add(
                    &rules::WRONG_TYPE,
                    at,
                    format!("`{}` is not a range of VLANs", text.escape_debug()),
                )
                .help("write \"2000-2003\"");
            None
        }
    }
}

/// A subscriber's endpoint: its address alone, or a map that says more.
#[derive(Debug, Default)]
pub(in crate::inventory) struct EndpointSpec(pub(in crate::inventory) RawEndpoint);

impl Decode for EndpointSpec {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        if matches!(node.value, Value::Mapping(_)) {
            return RawEndpoint::decode_shape(node, context).map(Self);
        }
        let at = context.at(node.span);
        let value = MacAddr::decode(node, context)?;
        Some(Self(RawEndpoint {
            mac: Some(Spanned { value, at }),
            ..RawEndpoint::default()
        }))
    }

    fn schema() -> Json {
        json!({ "anyOf": [MacAddr::schema(), RawEndpoint::shape_schema()] })
    }
}

/// How suspension is done: `unbind`, or a map with one of two keys.
#[derive(Debug, Clone)]
pub(in crate::inventory) enum SuspensionSpec {
    Unbind,
    Vlan(VlanId),
    Plan(Spanned<String>),
}

impl Decode for SuspensionSpec {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let wanted = "`unbind`, `{vlan: N}` or `{plan: KEY}`";
        let Value::Mapping(entries) = &node.value else {
            return match &node.value {
                Value::Scalar { text, .. } if text == "unbind" => Some(Self::Unbind),
                Value::Scalar { text, .. } if !node.is_null() => {
                    let at = context.at(node.span);
                    let message = format!("`{}` is not a way to suspend", text.escape_debug());
                    context
                        .findings
                        .add(&rules::SUSPENSION, at, message)
                        .help(format!("write {wanted}"));
                    None
                }
                _ => context.wrong_type(node, wanted),
            };
        };
        let mut by_key = BTreeMap::new();
        for entry in entries {
            let at = context.at(entry.key_span);
            match &*entry.key {
                "vlan" | "plan" if !by_key.contains_key(&*entry.key) => {
                    by_key.insert(&*entry.key, entry);
                }
                "vlan" | "plan" => duplicate_key(context, &entry.key, entry.key_span, None),
                _ => {
                    let message = format!("`{}` is not a way to suspend", entry.key.escape_debug());
                    context
                        .findings
                        .add(&rules::UNKNOWN_KEY, at, message)
                        .help(format!("write {wanted}"));
                }
            }
        }
        let at = context.at(context.key_span);
        match (by_key.get("vlan"), by_key.get("plan")) {
            (Some(vlan), None) => context.entry::<VlanId>(vlan).map(|vlan| Self::Vlan(vlan.value)),
            (None, Some(plan)) => context.entry::<Key>(plan).map(|plan| {
                Self::Plan(Spanned {
                    value: plan.value.0,
                    at: plan.at,
                })
            }),
            _ => {
                context.findings.add(
                    &rules::SUSPENSION,
                    at,
                    format!("`suspension` needs exactly one way: {wanted}"),
                );
                None
            }
        }
    }

    fn schema() -> Json {
        let one = |name: &str, schema: Json| json!({ "type": "object", "properties": { name: schema }, "required": [name], "additionalProperties": false });
        json!({ "anyOf": [{ "enum": ["unbind"] }, one("vlan", VlanId::schema()), one("plan", Key::schema())] })
    }
}
