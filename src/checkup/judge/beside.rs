//! What is beside the command line: SNMP, what the inventory holds back, and other runs.

use crate::inventory::model::Mode;

use super::super::{Agent, Facts, Finding, Spoken, Work};

pub(super) fn mode(facts: &Facts) -> Finding {
    const CHECK: &str = "mode";
    match (&facts.paused, facts.mode) {
        (Some(reason), _) => Finding::note(CHECK, format!("paused: {reason}; nothing is changed")),
        (None, Mode::Observe) => Finding::note(CHECK, "observe; nothing is changed"),
        (None, Mode::Manage) => Finding::ok(CHECK, "manage"),
    }
}

/// Which versions answer to the community of the credentials, and whether the G.hn subtree does.
pub(super) fn agent(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "snmp";
    let (v2c, v1) = match &facts.agent {
        None => return Vec::new(),
        Some(Agent::Off) => return vec![Finding::ok(CHECK, "not asked: `transport.snmp` is false")],
        Some(Agent::Asked { v2c, v1 }) => (v2c, v1),
    };
    if let Some(nonsense) = [v2c, v1].iter().find_map(|spoken| match spoken {
        Spoken::Nonsense(reason) => Some(reason),
        _ => None,
    }) {
        return vec![
            Finding::note(CHECK, format!("something answers, and not as a GAM does: {nonsense}"))
                .help("gamops works without; check `transport.snmp_port`, or set `transport.snmp: false`"),
        ];
    }
    let speaks = |spoken: &Spoken| matches!(spoken, Spoken::Identity { .. });
    let versions = match (speaks(v2c), speaks(v1)) {
        (true, true) => "versions 2c and 1 answer",
        (true, false) => "version 2c answers, and 1 does not,",
        (false, true) => "version 1 answers, and 2c does not,",
        (false, false) => {
            let silence = format!(
                "no answer in version 2c or 1 to the community of credentials `{}`",
                facts.credentials
            );
            return vec![Finding::note(CHECK, silence).help(
                "gamops works without; another community, SNMP switched off, a firewall and a device that answers in version 3 only, which gamops does not speak, look the same",
            )];
        }
    };
    let ghn = [v2c, v1].iter().any(|spoken| {
        matches!(
            spoken,
            Spoken::Identity {
                subscriber_model: Some(_),
                ..
            }
        )
    });
    let says = format!("{versions} to the community of credentials `{}`", facts.credentials);
    let subtree = if ghn {
        Finding::ok("ghn-subtree", "answers")
    } else {
        Finding::note(
            "ghn-subtree",
            "does not answer, as on all hardware so far; nothing depends on it",
        )
    };
    vec![Finding::ok(CHECK, says), subtree]
}

/// Runs that stand open, and who works on the device now.
pub(super) fn work(work: &Work) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some((run, state)) = work.unfinished {
        findings.push(
            Finding::problem("runs", format!("run {run} did not come to its end here ({state})")).help(format!(
                "`gamops history show {run}` tells how it stands; the next `gamops apply` goes on from there"
            )),
        );
    }
    if let Some(run) = work.unconfirmed {
        findings.push(
            Finding::note("runs", format!("run {run} waits to be confirmed"))
                .help(format!("`gamops confirm {run}`, or `gamops confirm {run} --reject`")),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("runs", "none stands open"));
    }
    if let Some(holder) = &work.holder {
        findings.push(Finding::note("lease", format!("another run changes it now: {holder}")));
    }
    findings
}
