//! The operator's own rules over plans: what the inventory refuses, or warns of.

use crate::inventory::expression::Subject;
use crate::inventory::model::{Effect, Inventory};
use crate::plan::json::plan_json;
use crate::plan::model::Plan;

/// A rule of the inventory that has something to say about a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Its key.
    pub rule: String,
    /// What it does.
    pub effect: Effect,
    /// What it says.
    pub message: String,
    /// Why it could not be asked, where it could not. It has its effect all the same: nobody knows what it would have said.
    pub failure: Option<String>,
}

impl Ruling {
    /// Whether nothing of the plan may be applied because of it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.effect == Effect::Refuse
    }

    /// What it says, or why it says nothing.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.failure {
            None => self.message.clone(),
            Some(failure) => format!("its condition cannot be asked of this plan: {failure}"),
        }
    }
}

/// What the rules of an inventory say about a plan, in the order of their keys. They see the plan as `gamops plan --format
/// json` prints it, without the devices' running configurations.
#[must_use]
pub fn rulings(plan: &Plan, inventory: &Inventory) -> Vec<Ruling> {
    let rules = &inventory.policies.rules;
    if rules.is_empty() {
        return Vec::new();
    }
    let mut document = plan_json(plan);
    for device in &mut document.devices {
        device.running.clear();
    }
    let subject = match serde_json::to_value(&document) {
        Ok(document) => Ok(Subject::from(&document)),
        Err(error) => Err(error.to_string()),
    };
    let asked = rules.iter().filter_map(|(key, rule)| {
        let failure = match subject
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|subject| rule.when.holds(subject))
        {
            Ok(false) => return None,
            Ok(true) => None,
            Err(failure) => Some(failure),
        };
        Some(Ruling {
            rule: key.clone(),
            effect: rule.effect,
            message: rule.message.clone(),
            failure,
        })
    });
    asked.collect()
}
