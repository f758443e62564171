//! In which portions a plan is carried out: canaries, then waves, each only after the one before went well.
//!
//! Two constraints meet here: the operator's policy, and that a device which loses a subscriber comes after the one that
//! gains it. The second one wins: a device waits where the policy would have it earlier, and takes along whoever it
//! waits for where it is a canary.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::TimeSpan;
use crate::inventory::rollout::{Canary, WaveSize, Waves};

use super::impact::{Class, total};
use super::json::RolloutJson;
use super::model::{DevicePlan, Outcome, Plan};
use super::moves::{self, Move};

/// The portions in which the devices of a plan are changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollout {
    /// One after the other. Together they hold every device that apply would change, once.
    pub waves: Vec<Wave>,
    /// How many devices a wave takes, canaries apart; `None`: all that are left.
    pub size: Option<usize>,
    /// How long to wait between two of them.
    pub pause: TimeSpan,
}

/// Devices that are changed together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wave {
    /// Whether these go first to see whether it goes well.
    pub canary: bool,
    /// Keys. Those that others of the wave wait for stand before them.
    pub devices: Vec<String>,
}

/// How much is felt of what happens to a device, least first. One whose changes are none but a save tries nothing out, so it
/// stands last.
type Weight = (bool, usize, Class, usize);

/// Portions the devices that a plan changes. The same plan gives the same waves.
#[must_use]
pub fn rollout(plan: &Plan) -> Rollout {
    let mut line = Line::of(plan);
    let changing = line.weights.len();
    let size = match plan.waves.size {
        WaveSize::All => None,
        size => Some(size.of(changing)),
    };
    let mut waves = Vec::new();
    let canaries = line.canaries(&plan.waves.canary);
    if !canaries.is_empty() {
        waves.push(Wave {
            canary: true,
            devices: canaries,
        });
    }
    let mut rest = Vec::new();
    while let Some(next) = line.next(|key, _| key.to_owned()) {
        rest.push(next);
    }
    waves.extend(rest.chunks(size.unwrap_or(rest.len()).max(1)).map(|devices| Wave {
        canary: false,
        devices: devices.to_vec(),
    }));
    Rollout {
        waves,
        size,
        pause: plan.waves.pause,
    }
}

/// The devices that are not in a wave yet.
#[derive(Clone)]
struct Line<'p> {
    weights: BTreeMap<&'p str, Weight>,
    /// For each device those that come before it.
    before: BTreeMap<&'p str, BTreeSet<&'p str>>,
}

impl<'p> Line<'p> {
    fn of(plan: &'p Plan) -> Self {
        let weights: BTreeMap<&str, Weight> = (plan.devices.iter())
            .filter(|device| device.is_actionable())
            .map(|device| (device.device.as_str(), weight(device)))
            .collect();
        let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for Move { from, to, .. } in moves::waiting(plan, &plan.moves) {
            before.entry(from).or_default().insert(to);
        }
        Self { weights, before }
    }

    fn waits(&self, device: &str) -> bool {
        let left = |before: &&str| self.weights.contains_key(before);
        self.before.get(device).is_some_and(|before| before.iter().any(left))
    }

    /// Takes the first device, by `rank`, of those that wait for none.
    fn next<R: Ord>(&mut self, rank: impl Fn(&str, &Weight) -> R) -> Option<String> {
        let ready = self.weights.iter().filter(|(key, _)| !self.waits(key));
        // Circles are refused, and what is refused is not here; were there one, somebody has to begin.
        let first = ready
            .min_by_key(|(key, weight)| rank(key, weight))
            .or(self.weights.first_key_value());
        let key = *first?.0;
        self.weights.remove(key);
        Some(key.to_owned())
    }

    fn canaries(&mut self, canary: &Canary) -> Vec<String> {
        let wanted = match canary {
            Canary::Least(count) => self.lightest(usize::from(*count)),
            Canary::Devices(keys) => self.with_those_before(keys),
        };
        let named = |key: &str, _: &Weight| (!wanted.contains(key), key.to_owned());
        (0..wanted.len()).filter_map(|_| self.next(named)).collect()
    }

    fn lightest(&self, count: usize) -> BTreeSet<String> {
        let mut line = self.clone();
        let light = |key: &str, weight: &Weight| (*weight, key.to_owned());
        (0..count).map_while(|_| line.next(light)).collect()
    }

    /// Those of the devices that change, and whoever has to come before them. Where none of them changes, somebody is to
    /// show whether it goes well all the same.
    fn with_those_before(&self, keys: &[String]) -> BTreeSet<String> {
        let mut wanted = BTreeSet::new();
        let mut open: Vec<&str> = keys.iter().map(String::as_str).collect();
        while let Some(key) = open.pop() {
            if self.weights.contains_key(key) && wanted.insert(key.to_owned()) {
                open.extend(self.before.get(key).into_iter().flatten());
            }
        }
        if wanted.is_empty() { self.lightest(1) } else { wanted }
    }
}

fn weight(device: &DevicePlan) -> Weight {
    let Outcome::Read(changes) = &device.outcome else {
        return Weight::default();
    };
    let felt = total(changes.changes.iter().map(|change| (device.device.as_str(), change)));
    (
        changes.steps.is_empty(),
        felt.subscribers,
        felt.class,
        changes.steps.len(),
    )
}

impl From<&RolloutJson> for Waves {
    /// The policy that a kept plan was portioned by, as it came out: the same canaries, the same number of devices.
    fn from(kept: &RolloutJson) -> Self {
        let canaries: Vec<String> = (kept.waves.iter().filter(|wave| wave.canary))
            .flat_map(|wave| wave.devices.clone())
            .collect();
        Self {
            canary: if canaries.is_empty() {
                Canary::default()
            } else {
                Canary::Devices(canaries)
            },
            size: (kept.wave_size.and_then(|size| u16::try_from(size).ok())).map_or(WaveSize::All, WaveSize::Devices),
            pause: TimeSpan::from_secs(kept.pause_seconds),
        }
    }
}

#[cfg(test)]
mod tests;
