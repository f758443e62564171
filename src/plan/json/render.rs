//! Writing a plan as JSON.

use std::collections::BTreeMap;

use crate::observed::{ObjectId, Option82, sha256};

use super::super::drift::{self, Left};
use super::super::guard::{Ruling, Source, Trip, Verdict, Why};
use super::super::impact::duration::Estimate;
use super::super::impact::{Away, Total};
use super::super::model::{
    Action, Cause, DeviceChanges, DevicePlan, FieldChange, Held, ObjectChange, Option82Change, Outcome, Plan, Save,
    Saved, Step, Waiting,
};
use super::super::pause::{Paused, in_words};
use super::super::waves::{Rollout, Wave, rollout};
use super::super::window::utc;
use super::{
    ChangeJson, DeviceJson, FORMAT_VERSION, GuardJson, ImpactJson, LeftJson, NamedJson, Option82Json,
    Option82ValuesJson, PauseJson, PlanJson, RefusalJson, ResourceChangeJson, RolloutJson, RulingJson, StepJson,
    SummaryJson, TotalJson, UnsavedJson, WaitingJson, WaveJson,
};

/// Renders a whole plan.
#[must_use]
pub fn plan_json(plan: &Plan) -> PlanJson {
    let summary = plan.summary();
    let mut json = PlanJson {
        format_version: FORMAT_VERSION.to_owned(),
        gamops_version: env!("CARGO_PKG_VERSION").to_owned(),
        plan_sha256: String::new(),
        targets: plan.targets.iter().map(ToString::to_string).collect(),
        inventory: plan.inventory.clone(),
        commit: plan.commit.clone(),
        notes: Some(plan.notes.clone()),
        applyable: plan.is_actionable() && !plan.is_guarded(),
        complete: !plan.has_unread(),
        summary: SummaryJson {
            add: summary.add,
            change: summary.change,
            destroy: summary.destroy,
        },
        impact: total(&plan.impact()),
        windows_ignored: plan.windows_ignored,
        guards: plan.trips.iter().map(guard).collect(),
        rollout: waves(rollout(plan)),
        policies: plan.rulings.iter().map(ruling).collect(),
        resource_changes: plan.devices.iter().flat_map(resource_changes).collect(),
        devices: plan.devices.iter().map(device).collect(),
        preview: None,
    };
    json.plan_sha256 = json.digest();
    json
}

fn waves(rollout: Rollout) -> RolloutJson {
    let wave = |wave: Wave| WaveJson {
        canary: wave.canary,
        devices: wave.devices,
    };
    RolloutJson {
        waves: rollout.waves.into_iter().map(wave).collect(),
        wave_size: rollout.size,
        pause_seconds: rollout.pause.as_secs(),
    }
}

fn total(total: &Total) -> TotalJson {
    TotalJson {
        class: total.class.word().to_owned(),
        subscribers: total.subscribers,
        for_good: total.for_good,
        est_seconds: total.longest.map(|estimate| estimate.seconds),
        est_basis: total.longest.map(basis),
    }
}

fn ruling(ruling: &Ruling) -> RulingJson {
    RulingJson {
        rule: ruling.rule.clone(),
        effect: ruling.effect.word().to_owned(),
        message: ruling.message.clone(),
        failure: ruling.failure.clone(),
    }
}

fn guard(trip: &Trip) -> GuardJson {
    let excess = match &trip.why {
        Why::TooMany { excess, .. } => Some(excess),
        Why::Protected { .. } => None,
    };
    GuardJson {
        guard: trip.guard.word().to_owned(),
        device: trip.device.clone(),
        message: trip.message(),
        number: excess.map(|excess| excess.number),
        limit: excess.map(|excess| excess.limit),
        whole: excess.map(|excess| excess.whole),
        allow: trip.needs().map(|needs| needs.to_string()),
        allowed_by: match trip.verdict {
            Verdict::Allowed(Source::Flag) => Some("flag".to_owned()),
            Verdict::Allowed(Source::Commit) => Some("trailer".to_owned()),
            Verdict::Refused | Verdict::OtherNumber(..) => None,
        },
        help: trip.help(),
    }
}

fn basis(estimate: Estimate) -> String {
    if estimate.measured { "measured" } else { "assumed" }.to_owned()
}

fn resource_changes(device: &DevicePlan) -> Vec<ResourceChangeJson> {
    let Outcome::Read(changes) = &device.outcome else {
        return Vec::new();
    };
    let applyable = changes.is_actionable();
    let now = changes.changes.iter().map(|change| (change, false));
    let later = changes.waiting.iter().flat_map(|waiting| &waiting.changes);
    now.chain(later.map(|change| (change, true)))
        .map(|(change, waits)| resource_change(&device.device, change, applyable, waits))
        .collect()
}

fn resource_change(device: &str, change: &ObjectChange, applyable: bool, waits: bool) -> ResourceChangeJson {
    let side = |value: fn(&FieldChange) -> &str| -> BTreeMap<String, String> {
        change
            .fields
            .iter()
            .map(|field| (field.field.to_owned(), value(field).to_owned()))
            .collect()
    };
    let before = side(|field| &field.before);
    let after = side(|field| &field.after);
    let (action, before, after) = match change.action {
        Action::Create => ("create", None, Some(after)),
        Action::Update => ("update", Some(before), Some(after)),
        Action::Destroy => ("delete", Some(before), None),
    };
    ResourceChangeJson {
        address: change.address.clone(),
        device: device.to_owned(),
        kind: change.kind.to_string(),
        name: change.key.clone(),
        id: change.object.number(),
        change: ChangeJson {
            actions: vec![action.to_owned()],
            before,
            after,
        },
        cause: word(change.cause),
        impact: ImpactJson {
            class: change.impact.class.word().to_owned(),
            evidence: change.impact.evidence.to_string(),
            subscribers: change.subscribers.clone(),
            est_seconds: change.estimate.map(|estimate| estimate.seconds),
            est_basis: change.estimate.map(basis),
            for_good: change.impact.away == Away::ForGood,
        },
        option_82: change.option82.iter().map(option82_change).collect(),
        applyable: applyable && !waits,
        waits,
    }
}

fn option82_change(change: &Option82Change) -> Option82Json {
    Option82Json {
        subscriber: change.subscriber.clone(),
        before: option82(&change.before),
        after: option82(&change.after),
    }
}

fn option82(values: &Option82) -> Option82ValuesJson {
    Option82ValuesJson {
        remote_id: values.remote_id.clone(),
        circuit_id: values.circuit_id.clone(),
    }
}

fn word(cause: Cause) -> String {
    match cause {
        Cause::Inventory => "inventory",
        Cause::Drift => "drift",
        Cause::Both => "both",
        Cause::Adoption => "adoption",
        Cause::Undo => "undo",
    }
    .to_owned()
}

fn device(device: &DevicePlan) -> DeviceJson {
    let mut json = DeviceJson {
        device: device.device.clone(),
        address: device.address.clone(),
        model: device.model.to_owned(),
        status: "unread".to_owned(),
        reason: None,
        pauses: Vec::new(),
        firmware: None,
        mac: None,
        host_key: device.host_key.clone(),
        inventory_fingerprint: None,
        records_fingerprint: None,
        observed_fingerprint: None,
        desired_fingerprint: None,
        refusals: Vec::new(),
        steps: Vec::new(),
        unsaved: UnsavedJson {
            state: "unknown".to_owned(),
            will_save: false,
            difference: Vec::new(),
        },
        waiting: None,
        window_closes: None,
        left: Some(Vec::new()),
        adopted: Vec::new(),
        unmanaged: Vec::new(),
        notes: Vec::new(),
        running: Vec::new(),
    };
    match &device.outcome {
        Outcome::Unread(unread) => json.reason = Some(unread.reason.clone()),
        Outcome::Read(changes) => read(&mut json, changes),
    }
    json
}

fn read(json: &mut DeviceJson, changes: &DeviceChanges) {
    let (status, reason) = match (&changes.held, changes.refusals.first()) {
        (Some(Held::Observe), _) => ("observe", None),
        (Some(Held::Paused(pauses)), _) => ("paused", Some(in_words(pauses))),
        (None, Some(refusal)) => ("refused", Some(refusal.message.clone())),
        (None, None) if changes.is_actionable() => ("ready", None),
        (None, None) => match &changes.waiting {
            Some(waiting) => ("waiting", Some(waiting.to_string())),
            None => ("in-sync", None),
        },
    };
    status.clone_into(&mut json.status);
    json.reason = reason;
    if let Some(Held::Paused(pauses)) = &changes.held {
        json.pauses = pauses.iter().map(PauseJson::from).collect();
    }
    json.firmware = Some(changes.firmware.clone());
    json.mac = Some(changes.mac.to_string());
    json.inventory_fingerprint = Some(changes.inventory_fingerprint());
    json.records_fingerprint = Some(sha256(&*changes.records_before));
    json.observed_fingerprint = Some(changes.observed_fingerprint());
    json.desired_fingerprint = Some(changes.desired_fingerprint());
    json.refusals = changes
        .refusals
        .iter()
        .map(|refusal| RefusalJson {
            rule: refusal.rule.to_owned(),
            message: refusal.message.clone(),
            help: refusal.help.clone(),
        })
        .collect();
    json.steps = changes.steps.iter().map(step).collect();
    json.unsaved = UnsavedJson {
        state: match &changes.saved {
            Saved::Yes => "saved",
            Saved::No { ours: true, .. } => "ours",
            Saved::No { ours: false, .. } => "foreign",
            Saved::Unknown => "unknown",
        }
        .to_owned(),
        will_save: changes.is_actionable() && changes.save != Save::No,
        difference: match &changes.saved {
            Saved::No { difference, .. } => difference.clone(),
            Saved::Yes | Saved::Unknown => Vec::new(),
        },
    };
    json.waiting = changes.waiting.as_ref().map(waiting);
    json.window_closes = changes.closing.as_ref().map(|closing| utc(closing.until));
    json.left = Some(changes.left.iter().map(left).collect());
    json.adopted = named(&changes.adopted);
    json.unmanaged = named(&changes.unmanaged);
    json.notes = changes.notes.iter().chain(&changes.decisions).cloned().collect();
    json.running = changes.observed_text().lines().map(str::to_owned).collect();
}

impl From<&Paused> for PauseJson {
    fn from(paused: &Paused) -> Self {
        let ordered = paused.ordered.as_ref();
        Self {
            by: ordered.map(|ordered| ordered.by.clone()),
            since: ordered.map(|ordered| format!("{:.0}", ordered.since)),
            of_all: ordered.is_some_and(|ordered| ordered.of_all),
            reason: paused.reason.clone(),
            until: paused.until.map(|until| format!("{until:.0}")),
        }
    }
}

fn left(left: &Left) -> LeftJson {
    let by_name = |side: fn(&FieldChange) -> &String| {
        let values = left
            .fields
            .iter()
            .map(|field| (field.field.to_owned(), side(field).clone()));
        (!left.is_gone()).then(|| values.collect())
    };
    let (why, rule) = match &left.why {
        drift::Why::Ignored { reason, until, .. } => ("ignored", Some((reason.clone(), utc(*until)))),
        drift::Why::Reported => ("reported", None),
        drift::Why::ToAdopt => ("to-adopt", None),
        drift::Why::LeftToPeople => ("left-to-people", None),
    };
    let (reason, until) = rule.unzip();
    LeftJson {
        address: left.address.clone(),
        kind: left.kind.to_string(),
        name: left.key.clone(),
        id: left.object.number(),
        fields: left.named.iter().map(ToString::to_string).collect(),
        held: by_name(|field| &field.before),
        wanted: by_name(|field| &field.after),
        why: why.to_owned(),
        reason,
        until,
    }
}

fn waiting(waiting: &Waiting) -> WaitingJson {
    WaitingJson {
        window: waiting.window.clone(),
        from: utc(waiting.opening.from),
        until: utc(waiting.opening.until),
        text: waiting.when.clone(),
        entire_device: waiting.entire,
        addresses: (waiting.changes.iter()).map(|change| change.address.clone()).collect(),
    }
}

fn step(step: &Step) -> StepJson {
    StepJson {
        address: step.address.clone(),
        makes_room: step.makes_room,
        commands: step.commands.clone(),
    }
}

fn named(objects: &[(ObjectId, String)]) -> Vec<NamedJson> {
    objects
        .iter()
        .map(|(id, name)| NamedJson {
            kind: id.kind().to_string(),
            id: id.number(),
            name: name.clone(),
        })
        .collect()
}
