//! Taking an endpoint's PoE output away for a moment: a plan of one change, which is given back and never saved.
//!
//! No document has a word for cycling the power on the command line, so it is switched off and on again through the
//! subscriber's line. That the device knows the word that gives it back is found out first, where it changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{PoeMode, SubscriberId};
use crate::observed::{AssumedWord, Change, FromTo, Subscriber};

use super::action::{Scene, refuse_closed};
use super::build::{Inputs, Render, describe, held, order, reached, write_out};
use super::model::{DeviceChanges, Save, Step};
use super::resolve::{Refusal, Resolution, Words};
use super::undo::unfinished;
use super::unsaved::saved;

/// The plan that takes the power away, and the commands that give it back.
#[derive(Debug)]
pub struct PowerOff {
    /// What is to be done, and later given back.
    pub changes: DeviceChanges,
    /// What is sent to give it back, in order; empty where it is refused.
    pub back: Vec<String>,
    /// How the device says what the subscriber has now; empty where it is refused.
    pub now: String,
}

/// Plans to take away the power of a subscriber's endpoint.
#[must_use]
pub fn power_off(inputs: Inputs<'_>, subscriber: &str, render: Render<'_>) -> PowerOff {
    let Inputs {
        desired,
        readings,
        records,
        ..
    } = inputs;
    let observed = &inputs.observed();
    let mut resolution = Resolution {
        target: Arc::clone(observed),
        records: Arc::clone(records),
        keys: records
            .iter()
            .map(|record| (record.object, record.key.clone()))
            .collect(),
        ..Resolution::default()
    };
    let scene = Scene {
        held: observed,
        records,
        seen: &[],
        ports: desired.model.ports,
    };
    let powered = scene.subscriber(subscriber).map_err(|no| Refusal {
        rule: "not-managed",
        message: no.to_string(),
        help: format!("`gamops apply --target {}/subscriber/{subscriber}`", desired.key),
    });
    let powered = powered.and_then(|number| {
        let on = observed.subscribers.get(&number).cloned().unwrap_or_default();
        match in_the_way(inputs, number, &on) {
            None => Ok((number, on)),
            Some(refusal) => Err(refusal),
        }
    });
    let (mut back, mut now, mut probe) = (Vec::new(), String::new(), None);
    match powered {
        Err(refusal) => resolution.refusals.push(refusal),
        Ok((number, on)) => {
            let off = Subscriber {
                poe: Some(PoeMode::Disable),
                ..on.clone()
            };
            Arc::make_mut(&mut resolution.target)
                .subscribers
                .insert(number, off.clone());
            now = on.poe.map(|mode| mode.to_string()).unwrap_or_default();
            let again = FromTo {
                from: off,
                to: on.clone(),
            };
            match render(&Change::SetSubscriber(number, again)) {
                Ok(commands) => back = commands,
                Err(reason) => resolution.refusals.push(Refusal {
                    rule: "cannot-be-sent",
                    message: reason,
                    help: "switch it off and on by hand".to_owned(),
                }),
            }
            let as_it_is = FromTo {
                from: on.clone(),
                to: on,
            };
            probe = Some(Step {
                address: format!("{}/subscriber/{subscriber}", desired.key),
                change: Change::SetSubscriber(number, as_it_is),
                makes_room: true,
                commands: back.clone(),
            });
        }
    }
    let ordered = order(&mut resolution, observed, inputs);
    let target = reached(observed, &ordered);
    let mut steps = write_out(&ordered, &desired.key, &mut resolution, render);
    let changes = describe(inputs, (observed, &target), (&ordered, &steps), &resolution);
    if resolution.refusals.is_empty() {
        steps.splice(0..0, probe);
    } else {
        steps.clear();
        back.clear();
    }
    let changes = DeviceChanges {
        mac: inputs.identity.mac,
        firmware: inputs.identity.firmware.to_string(),
        held: held(inputs),
        changes,
        waiting: None,
        left: Vec::new(),
        closing: None,
        unfinished: inputs.unfinished,
        save: Save::No,
        steps,
        saved: saved(readings, records, false, &target),
        adopted: Vec::new(),
        unmanaged: Vec::new(),
        notes: vec!["nothing of this is saved: the power is given back in the same run".to_owned()],
        decisions: Vec::new(),
        refusals: std::mem::take(&mut resolution.refusals),
        records_before: Arc::clone(records),
        records: Arc::clone(records),
        basis: inputs.basis(),
        observed: Arc::clone(observed),
        target,
    };
    PowerOff { changes, back, now }
}

/// Why the power of a subscriber is not taken away.
fn in_the_way(inputs: Inputs<'_>, number: SubscriberId, on: &Subscriber) -> Option<Refusal> {
    let desired = inputs.desired;
    if inputs.unfinished {
        return Some(unfinished(&desired.key));
    }
    let words = Words {
        capabilities: inputs.capabilities,
        allow_assumed: desired.allow_assumed,
    };
    match on.poe {
        Some(PoeMode::Enable | PoeMode::Force) => {}
        Some(PoeMode::Disable) => {
            return Some(Refusal {
                rule: "poe-is-off",
                message: "PoE is off for this subscriber: there is nothing to cycle".to_owned(),
                help: "set `poe` in the inventory to switch it on".to_owned(),
            });
        }
        // What is not known cannot be given back.
        None => {
            return Some(Refusal {
                rule: "poe-unknown",
                message: "the device does not show the subscriber's PoE mode, so it could not be given back".to_owned(),
                help: "power the box in the apartment off and on by hand".to_owned(),
            });
        }
    }
    if let Some(reason) = words.withheld(AssumedWord::PoeEnableForce) {
        return Some(Refusal {
            rule: "no-words-for-it",
            message: format!("the power could not be given back: {reason}"),
            help: "power the box in the apartment off and on by hand".to_owned(),
        });
    }
    let is_served = on.endpoint.is_some() || on.port.is_some();
    let felt_by: BTreeSet<SubscriberId> = is_served.then_some(number).into_iter().collect();
    refuse_closed(inputs.window, &inputs.observed(), &felt_by)
}
