//! Every key of the schema with every kind of value: schema and validator must agree on each.

use std::collections::BTreeMap;

use gamops::diagnostic::{Severity, SourceFile};
use gamops::inventory::{self, rules::RULES};
use serde_json::Value;

/// Where a map is in the schema, a text around it, and its other keys.
type Map = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Maps of the schema: where they are in it, and a text around `PROBE`, whose other keys are fine.
const MAPS: &[Map] = &[
    ("", "PROBE", &[]),
    ("/properties/defaults", "defaults: {PROBE}", &[]),
    (
        "/properties/defaults/properties/transport",
        "defaults: {transport: {PROBE}}",
        &[],
    ),
    ("/properties/policies", "policies: {PROBE}", &[]),
    (
        "/properties/policies/properties/rules/additionalProperties",
        "policies: {rules: {r: {PROBE}}}",
        &[
            ("when", "plan.summary.add > 1"),
            ("effect", "warn"),
            ("message", "text"),
        ],
    ),
    (
        "/properties/policies/properties/guards",
        "policies: {guards: {PROBE}}",
        &[],
    ),
    (
        "/properties/policies/properties/guards/properties/suspend/anyOf/1",
        "policies: {guards: {suspend: {PROBE}}}",
        &[],
    ),
    (
        "/properties/devices/additionalProperties/properties/paused/anyOf/1",
        "devices: {a: {model: GAM-12-M, address: 192.0.2.1, paused: {PROBE}}}",
        &[("until", "2026-12-01")],
    ),
    ("/properties/sites/additionalProperties", "sites: {m: {PROBE}}", &[]),
    (
        "/properties/devices/additionalProperties",
        "devices: {a: {PROBE}}",
        &[("model", "GAM-12-M"), ("address", "192.0.2.1")],
    ),
    (
        "/properties/devices/additionalProperties/properties/ports/additionalProperties",
        "devices: {a: {model: GAM-12-M, address: 192.0.2.1, ports: {1: {PROBE}}}}",
        &[],
    ),
    (
        "/properties/devices/additionalProperties/properties/endpoints/additionalProperties",
        "devices: {a: {model: GAM-12-M, address: 192.0.2.1, endpoints: {e: {PROBE}}}}",
        &[("mac", "00:0e:d8:00:00:01")],
    ),
    (
        "/properties/devices/additionalProperties/properties/external",
        "devices: {a: {model: GAM-12-M, address: 192.0.2.1, external: {PROBE}}}",
        &[],
    ),
    ("/properties/plans/additionalProperties", "plans: {p: {PROBE}}", &[]),
    (
        "/properties/subscribers/additionalProperties",
        "subscribers: {s: {PROBE}}",
        &[("device", "a"), ("plan", "unthrottled"), ("vlan", "100")],
    ),
    (
        "/properties/subscribers/additionalProperties/properties/endpoint/anyOf/1",
        "subscribers: {s: {device: a, plan: unthrottled, vlan: 100, endpoint: {PROBE}}}",
        &[("mac", "00:0e:d8:00:00:01")],
    ),
    (
        "/properties/subscribers/additionalProperties/properties/double_tag",
        "subscribers: {s: {device: a, plan: unthrottled, vlan: 100, double_tag: {PROBE}}}",
        &[("outer_vlan", "100")],
    ),
];

/// Values that are right for some key and wrong for others.
const PROBES: &[&str] = &[
    "",
    "~",
    "true",
    "True",
    "yes",
    "\"true\"",
    "0",
    "1",
    "2",
    "3",
    "5",
    "24",
    "25",
    "100",
    "384",
    "385",
    "3839",
    "3840",
    "3844",
    "3845",
    "4093",
    "4094",
    "4095",
    "65535",
    "65536",
    "-1",
    "1.5",
    "\"100\"",
    "text",
    "\"\"",
    "\" x\"",
    "\"x \"",
    "a b",
    "A",
    "a.b-c_d",
    "-x",
    "x-",
    "\"a\\tb\"",
    "\"a?b\"",
    "'a\"b'",
    "\"a\\\\b\"",
    "é",
    "[]",
    "[3]",
    "[a]",
    "[3, \"5-9\"]",
    "[\"5-\"]",
    "[3840]",
    "[[]]",
    "{}",
    "{x: 1}",
    "{x: text}",
    "{a/b: text}",
    "{vlan: 100}",
    "{vlan: 2}",
    "{plan: p}",
    "{vlan: 100, plan: p}",
    "unbind",
    "unlimited",
    "refuse",
    "plan.summary.add > 1",
    "off",
    "{count: 5}",
    "{share: 10%}",
    "{until: 2026-12-01}",
    "2026-12-01",
    "\"2026-12-01T06:00-05:00\"",
    "2026-12-01T06:00",
    "observe",
    "manage",
    "report",
    "active",
    "suspended",
    "enable",
    "mimo",
    "siso",
    "auto",
    "unassigned",
    "\"3\"",
    "endpoint-aware",
    "port-aware",
    "GAM-12-M",
    "gam-12-m-ac",
    "GAM-13-M",
    "192.0.2.1",
    "host.example.net",
    "host_name",
    "500 Mbps",
    "500M",
    "500MB",
    "1 Gbps",
    "0.5G",
    "unthrottled",
    "6%",
    "6.5%",
    "101%",
    "100%",
    "00:0e:d8:00:00:01",
    "00-0E-D8-00-00-01",
    "000ed8000001",
    "{mac: 00:0e:d8:00:00:01}",
    "{mac: x}",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ",
    "ssh-ed25519 AAAA comment",
    "ssh-rsa AAAAB3N=",
    "{model: GAM-12-M, address: 192.0.2.1}",
    "{1: {name: x}}",
    "{25: {name: x}}",
    "{01: {name: x}}",
    "{0: {}}",
    "{splynx: 5}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

#[test]
fn schema_and_validator_agree_on_every_key_and_kind_of_value() {
    let schema = inventory::schema();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let in_schema: BTreeMap<&str, bool> = RULES.iter().map(|rule| (rule.id, rule.in_schema)).collect();
    let (mut refused, mut accepted) = (0, 0);
    let mut disagreements = Vec::new();
    for (pointer, around, others) in MAPS {
        let keys = schema.pointer(pointer).and_then(|map| map["properties"].as_object());
        for key in keys
            .unwrap_or_else(|| panic!("{pointer} is no map of the schema"))
            .keys()
        {
            for probe in PROBES {
                let others = others.iter().filter(|(other, _)| other != key);
                let fields: Vec<String> = others
                    .map(|(other, value)| format!("{other}: {value}"))
                    .chain(std::iter::once(format!("{key}: {probe}")))
                    .collect();
                let text = around.replace("PROBE", &fields.join(", "));
                let Ok(json) = serde_yaml::from_str::<Value>(&text) else {
                    continue;
                };
                let by_schema: Vec<String> = validator
                    .iter_errors(&json)
                    .map(|error| format!("{}: {error}", error.instance_path()))
                    .collect();
                let source = SourceFile {
                    path: "a.yaml".to_owned(),
                    text: text.clone(),
                };
                let report = inventory::load(&[source]).report;
                let errors = || {
                    let all = report
                        .findings()
                        .iter()
                        .filter(|finding| finding.severity == Severity::Error);
                    all.filter(|finding| !matches!(finding.rule.0, "no-root" | "root-key" | "unknown-device"))
                        .map(|finding| finding.rule.0)
                };
                if by_schema.is_empty() {
                    accepted += 1;
                    for rule in errors().filter(|rule| in_schema[rule]) {
                        disagreements.push(format!("{text}: only the validator refuses it, by {rule}"));
                    }
                } else {
                    refused += 1;
                    if errors().next().is_none() {
                        disagreements.push(format!("{text}: only the schema refuses it, {by_schema:?}"));
                    }
                }
            }
        }
    }
    assert!(
        disagreements.is_empty(),
        "{} disagreements:\n{}",
        disagreements.len(),
        disagreements.join("\n")
    );
    assert!(
        refused > 1000 && accepted > 500,
        "{refused} refused, {accepted} accepted"
    );
}
