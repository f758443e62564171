//! The checks, in the order in which a person would look.

mod beside;
mod inside;
mod reach;
#[cfg(test)]
mod tests;

use super::{Facts, Finding, Login};

/// What the facts mean: one finding for each thing that could be looked at, in the same order for every device.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![beside::mode(facts), reach::path(facts)];
    findings.extend(reach::algorithms(facts));
    match &facts.login {
        Some(Login::Stopped { at, trouble }) => findings.push(reach::stopped(*at, trouble)),
        Some(Login::In(inside)) => {
            findings.extend([
                reach::host_key(facts, inside),
                reach::logged_in(facts),
                inside::terminal(inside),
                inside::privilege(inside),
            ]);
            findings.extend(inside::reading(facts, inside));
        }
        None => {}
    }
    findings.extend(beside::agent(facts));
    findings.extend(inside::subscriber_model(facts));
    findings.extend(beside::work(&facts.work));
    findings
}
