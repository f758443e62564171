//! Runs as JSON for programs; `docs/history.md` describes the keys.

use serde_json::{Value, json};

use crate::store::{Answered, DeviceEntry, Exchange, Phase, PlanRefusal, RunEntry};

use super::Whole;
use super::text::{done, millis, outcome_word, ran_until};

/// Version of the shape: a new major where a key goes away or means something else.
const FORMAT_VERSION: &str = "1.0";

pub(super) fn runs(runs: &[RunEntry]) -> anyhow::Result<String> {
    let runs: Vec<Value> = runs
        .iter()
        .map(|run| entry(run, run.devices.iter().map(device).collect()))
        .collect();
    print(&json!({ "format_version": FORMAT_VERSION, "runs": runs }))
}

pub(super) fn whole(whole: &Whole) -> anyhow::Result<String> {
    let devices = whole.devices.iter().map(|(entry, exchanges)| {
        let mut device = device(entry);
        device["exchanges"] = exchanges.iter().map(exchange).collect();
        device
    });
    let mut run = entry(&whole.entry, devices.collect());
    run["format_version"] = FORMAT_VERSION.into();
    (run["plan"], run["plan_text"]) = match &whole.plan {
        Some(plan) => (serde_json::from_str(&plan.json)?, plan.text.as_str().into()),
        None => (Value::Null, Value::Null),
    };
    print(&run)
}

fn print(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn entry(run: &RunEntry, devices: Vec<Value>) -> Value {
    let untouched: Vec<Value> = (run.untouched.iter())
        .map(|device| json!({ "device": device.device, "outcome": device.outcome, "reason": device.reason }))
        .collect();
    let number = |run: crate::store::RunId| run.number();
    let done = done(run);
    json!({
        "run": number(run.run),
        "started": run.started,
        "finished": run.finished,
        "millis": ran_until(run).and_then(|end| millis(&run.started, end)),
        "actor": run.actor,
        "commit": run.commit,
        "undoes": run.undoes.map(number),
        "outcome": outcome_word(run),
        "times": run.times,
        "refusals": run.refusals.iter().map(refusal).collect::<Vec<Value>>(),
        "added": done.add,
        "changed": done.change,
        "destroyed": done.destroy,
        "devices": devices,
        "untouched": untouched,
    })
}

fn refusal(refusal: &PlanRefusal) -> Value {
    json!({
        "by": refusal.by.word(),
        "name": refusal.name,
        "device": refusal.device,
        "number": refusal.number,
        "limit": refusal.limit,
        "message": refusal.message,
    })
}

fn device(device: &DeviceEntry) -> Value {
    json!({
        "device": device.device,
        "mac": device.mac.map(|mac| mac.to_string()),
        "state": device.state.word(),
        "reason": device.detail,
        "began": device.began,
        "updated": device.updated,
        "planned": {
            "add": device.summary.add,
            "change": device.summary.change,
            "destroy": device.summary.destroy,
        },
    })
}

fn exchange(exchange: &Exchange) -> Value {
    let (answer, refusal) = match &exchange.how {
        Some(Answered::Accepted) => (Some("accepted"), None),
        Some(Answered::Refused(kind)) => (Some("refused"), Some(kind)),
        Some(Answered::Lost) => (Some("lost"), None),
        None => (None, None),
    };
    json!({
        "phase": match exchange.phase {
            Phase::Apply => "apply",
            Phase::Rollback => "rollback",
        },
        "command": exchange.command,
        "sent": exchange.sent,
        "answered": exchange.answered,
        "millis": exchange.answered.as_deref().and_then(|answered| millis(&exchange.sent, answered)),
        "answer": answer,
        "refusal": refusal,
        "reply": exchange.reply,
    })
}
