//! What goes on, as traces for an OpenTelemetry collector.

use serde_json::Value;

use crate::daemon::{Service, short};
use crate::fleet::SERVICES;
use crate::support::http_sink::{Answer, HttpSink};

/// Where the collector is, as the specification has it.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// The spans that a collector was sent.
fn spans(sink: &HttpSink) -> Vec<Value> {
    let all = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let sent = sink.sent();
    let of_resources = sent.iter().flat_map(|sent| all(&sent.json(), "resourceSpans"));
    of_resources
        .flat_map(|resource| all(&resource, "scopeSpans"))
        .flat_map(|scope| all(&scope, "spans"))
        .collect()
}

fn attribute<'s>(span: &'s Value, key: &str) -> &'s Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    found.map_or(&Value::Null, |attribute| &attribute["value"])
}

#[test]
fn each_round_of_a_daemon_is_a_trace_with_its_devices() {
    let sink = HttpSink::start();
    let service = Service::new("");
    let first = short(&service.origin.push("one"));
    let daemon = service.start_with(&[
        (ENDPOINT, sink.url().as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=isp"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ]);
    daemon.until_applied(&first);
    // What is on its way when it ends is sent as well.
    assert_eq!(daemon.signal("TERM"), Some(0));
    let sent = sink.sent();
    assert_eq!(sent[0].header("x-tenant"), "isp");
    let service_name = sent[0].json()["resourceSpans"][0]["resource"]["attributes"].to_string();
    assert!(service_name.contains("gamops"), "{service_name}");

    let spans = spans(&sink);
    let round = spans
        .iter()
        .find(|span| span["name"] == "round" && attribute(span, "commit")["stringValue"] == *first)
        .unwrap_or_else(|| panic!("no round in {spans:#?}"));
    assert_eq!(attribute(round, "outcome")["stringValue"], "applied");
    assert_eq!(attribute(round, "run")["intValue"], "1");
    for step in ["plan device", "change device"] {
        let of_round = |span: &&Value| {
            span["name"] == step && span["traceId"] == round["traceId"] && span["parentSpanId"] == round["spanId"]
        };
        let mut devices: Vec<&str> = (spans.iter().filter(of_round))
            .map(|span| attribute(span, "device")["stringValue"].as_str().unwrap())
            .collect();
        devices.sort_unstable();
        assert_eq!(devices, ["harbour", "maple"], "{step}");
    }
    // The log has no spans in it, and no secret is in either.
    assert!(!service.log().contains("plan device"), "{}", service.log());
    assert!(sent.iter().all(|sent| !sent.body.contains("canary")));
}

#[test]
fn a_collector_that_is_down_harms_nobody_and_is_said_once() {
    let sink = HttpSink::start();
    sink.answer(Answer::With(503, "not now"));
    let service = Service::new("");
    let first = short(&service.origin.push("one"));
    let daemon = service.start_with(&[(ENDPOINT, sink.url().as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "100")]);
    daemon.until_applied(&first);
    service
        .origin
        .write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 111"));
    let second = short(&service.origin.push("two"));
    daemon.until_applied(&second);
    assert_eq!(daemon.signal("TERM"), Some(0));
    assert!(!sink.sent().is_empty());
    let told = "the OpenTelemetry collector does not take traces: it answers with status 503";
    assert_eq!(service.log().matches(told).count(), 1, "{}", service.log());
}

#[test]
fn what_is_no_address_of_a_collector_is_said() {
    let service = Service::new("");
    let ran = service
        .fleet
        .command(&["pause"])
        .env(ENDPOINT, "no address")
        .output()
        .unwrap();
    let ran = crate::fleet::Ran::from(ran);
    let _ = ran.expect(1).says("sending traces to an OpenTelemetry collector");
}
