//! What Prometheus reads of the daemon, judged by Prometheus's own tool.

use std::io::Write as _;
use std::process::{Command, Stdio};

use gamops::sim::Fault;

use crate::daemon::{Service, short};
use crate::support::program::find;

/// What `promtool check metrics` says of a text; nothing where all is well.
pub(crate) fn promtool(text: &str) -> String {
    let mut child = Command::new(find("promtool", "prometheus"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said
}

#[test]
fn metrics_are_as_prometheus_wants_them_and_few_for_each_device() {
    let service = Service::new("drift: { every: 1s }\ndevices: { retry: 1s, retry_at_most: 1s }");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    service.fleet.device("maple").execute("ghn subscriber 1 vid 3999");
    service.fleet.device("harbour").set_fault(Fault::SessionsTaken);
    daemon.until("drifted and unreachable", |status| {
        let state = |device: &str| status["devices"][device]["state"].clone();
        state("maple") == "drifted" && state("harbour") == "unreachable"
    });
    let (_, plain) = service.get("metrics");
    assert_eq!(promtool(&plain), "", "{plain}");
    for sample in [
        "gamops_device_state{device=\"maple\",state=\"drifted\"} 1",
        "gamops_device_differing_objects{device=\"maple\"} 1",
        "gamops_device_state{device=\"harbour\",state=\"unreachable\"} 1",
        "gamops_rounds_total{outcome=\"applied\"} 1",
    ] {
        assert!(plain.lines().any(|line| line == sample), "no {sample} in\n{plain}");
    }
    for device in ["maple", "harbour"] {
        let label = format!("device=\"{device}\"");
        let series = plain.lines().filter(|line| line.contains(&label)).count();
        assert!((1..=40).contains(&series), "{series} series for {device}");
    }
    // The tool finds something to say where there is something.
    assert_ne!(promtool(&plain.replace("# HELP gamops_rounds_total", "#")), "");

    let (_, open) = service.curl(&[
        "--header",
        "Accept: application/openmetrics-text",
        &service.url("metrics"),
    ]);
    assert!(open.contains("# TYPE gamops_rounds counter\n"), "{open}");
    assert!(open.ends_with("# EOF\n"), "{open}");
}
