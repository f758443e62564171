//! What is known of each device, and when it is to be looked at next.
//!
//! Pure: moments come in as arguments.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::inventory::model::Inventory;
use crate::plan::drift::{Left, Why};
use crate::plan::model::{Cause, DeviceChanges, DevicePlan, Held, ObjectChange, Outcome, Save};
use crate::plan::pause::in_words;
use crate::reconcile::{DeviceOutcome, DeviceResult};

use super::adopt::Proposed;
use super::settings::{Devices, Drift};

/// How often in a row a device may go away under a change before that is left to people: perhaps it is the change that does it.
const LOSSES_AT_MOST: u32 = 3;

/// How a device stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It was not looked at yet.
    New,
    /// It holds what the inventory says.
    InSync,
    /// It differs from the inventory, and that is only shown.
    Drifted {
        /// The objects that differ.
        objects: Vec<String>,
    },
    /// It runs what the inventory says, and would start with something else: somebody left configuration unsaved, and that is only
    /// shown.
    Unsaved,
    /// The inventory says to look only, and this is what differs.
    Observed {
        /// The objects that differ.
        objects: Vec<String>,
    },
    /// The inventory says to leave it as it is.
    Paused {
        /// Why, and until when.
        reason: String,
    },
    /// The rest of its changes waits for a window.
    Waiting {
        /// What waits until when.
        reason: String,
        /// When the window opens.
        opens: Option<Timestamp>,
    },
    /// What the inventory says of it is not valid, so it is left alone.
    Invalid {
        /// What is not.
        reason: String,
    },
    /// A guard or a rule refuses what the inventory asks.
    Refused {
        /// Why.
        reason: String,
    },
    /// It could not be read.
    Unreachable {
        /// Why.
        reason: String,
        /// Whether nothing but a person can change that: it is not tried again before the inventory or the credentials do.
        lasting: bool,
    },
    /// A change went wrong. People look at it first: it is not tried again before the inventory changes.
    Failed {
        /// What went wrong.
        reason: String,
        /// Whether the device went away under it. That says nothing of the change, so it is tried again a few times.
        #[serde(default)]
        lost: bool,
    },
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InSync => "in sync",
            Self::Drifted { .. } => "drifted",
            Self::Unsaved => "unsaved",
            Self::Observed { .. } => "observed",
            Self::Paused { .. } => "paused",
            Self::Waiting { .. } => "waiting",
            Self::Invalid { .. } => "not valid",
            Self::Refused { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Failed { .. } => "failed",
        }
    }

    /// What there is to say beside the word, in one line.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::New | Self::InSync | Self::Unsaved => String::new(),
            Self::Drifted { objects } | Self::Observed { objects } => objects.join(", "),
            Self::Paused { reason }
            | Self::Waiting { reason, .. }
            | Self::Invalid { reason }
            | Self::Refused { reason }
            | Self::Unreachable { reason, .. }
            | Self::Failed { reason, .. } => reason.clone(),
        }
    }

    /// Whether nobody need look at it.
    #[must_use]
    pub const fn is_fine(&self) -> bool {
        matches!(self, Self::InSync | Self::Paused { .. } | Self::Waiting { .. })
    }
}

/// What is known of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// How it stands.
    #[serde(flatten)]
    pub state: State,
    /// Since when it stands like that.
    pub since: Timestamp,
    /// The commit that it was last compared with.
    pub commit: Option<String>,
    /// When it was last read.
    pub read: Option<Timestamp>,
    /// When it is looked at again by itself: it could not be read, went away under a change, or waits for a window.
    pub again: Option<Timestamp>,
    /// How often in a row it could not be read.
    pub failures: u32,
    /// How often in a row it went away under a change.
    #[serde(default)]
    pub losses: u32,
    /// Whether it is left to people, until what is asked of it or its credentials change, or somebody says so.
    pub rests: bool,
    /// When it was set right after somebody else had changed it, as far back as that counts.
    #[serde(default)]
    pub reverted: Vec<Timestamp>,
    /// What is being done to it at the moment: `applying`, `giving back`.
    #[serde(default)]
    pub doing: Option<String>,
    /// Whether that was so often that drift on it is left to people.
    #[serde(default)]
    pub given_up: bool,
    /// Drift on it that the inventory says to ignore: it changes nothing about how the device stands.
    #[serde(default)]
    pub ignored: Vec<IgnoredDrift>,
    /// What became of drift on it that is to come into the inventory, if there is any.
    #[serde(default)]
    pub proposed: Option<Proposed>,
}

/// Drift that the inventory says to ignore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredDrift {
    /// Object and fields: `subscriber/s-10442 (vlan)`.
    pub what: String,
    /// Why.
    pub reason: String,
    /// When it counts again, in UTC.
    pub until: Timestamp,
    /// That moment as the inventory writes it.
    pub ends: String,
}

impl Standing {
    /// How a device stands of which nothing is known yet.
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            state: State::New,
            since: now,
            commit: None,
            read: None,
            again: None,
            failures: 0,
            losses: 0,
            rests: false,
            reverted: Vec::new(),
            doing: None,
            given_up: false,
            ignored: Vec::new(),
            proposed: None,
        }
    }

    /// What there is to say beside the word of its state, in one line.
    #[must_use]
    pub fn detail(&self) -> String {
        let detail = self.state.detail();
        let proposed = self.proposed.as_ref().filter(|_| !self.given_up);
        match (&self.state, self.reverted.len()) {
            (State::Failed { lost: true, .. }, _) if self.rests => {
                format!(
                    "{detail}; left to people, since it went away under a change {} times in a row",
                    self.losses
                )
            }
            (State::Failed { lost: true, .. }, _) => format!("{detail}; it is tried again"),
            (State::Drifted { .. }, 1) if self.given_up => format!("{detail} (set right once, and changed again)"),
            (State::Drifted { .. }, times @ 2..) if self.given_up => {
                format!("{detail} (set right {times} times, and changed again)")
            }
            (State::Drifted { .. }, _) => match proposed {
                Some(proposed) => format!("{detail}; {}", proposed.in_words()),
                None => detail,
            },
            _ => detail,
        }
    }
}

/// What is known of all devices.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    devices: BTreeMap<String, Standing>,
}

impl Fleet {
    /// Follows the inventory: new devices come in, those that left it are forgotten.
    pub fn follow(&mut self, inventory: &Inventory, now: Timestamp) {
        for device in inventory.devices.values() {
            let before = device.was.as_deref().and_then(|was| self.devices.remove(was));
            let standing = || before.unwrap_or_else(|| Standing::new(now));
            self.devices.entry(device.key.clone()).or_insert_with(standing);
        }
        self.devices.retain(|key, _| inventory.devices.contains_key(key));
    }

    /// Leaves devices alone of which what the inventory says is not valid, each for its reason; those that were left alone and are
    /// not among them are looked at again.
    pub fn hold(&mut self, held: &BTreeMap<String, String>, commit: Option<&str>, now: Timestamp) {
        for (key, standing) in &mut self.devices {
            let state = match (held.get(key), &standing.state) {
                (Some(reason), _) => State::Invalid { reason: reason.clone() },
                (None, State::Invalid { .. }) => State::New,
                (None, _) => continue,
            };
            let is_as_before = standing.state.word() == state.word();
            *standing = Standing {
                state,
                since: if is_as_before { standing.since } else { now },
                commit: commit.map(str::to_owned),
                read: standing.read,
                ..Standing::new(now)
            };
        }
    }

    /// The devices by key.
    #[must_use]
    pub const fn devices(&self) -> &BTreeMap<String, Standing> {
        &self.devices
    }

    /// The devices that are not to be contacted now: they did not answer a moment ago, or never will as things are, or nobody knows
    /// what is asked of them.
    #[must_use]
    pub fn aside(&self, now: Timestamp) -> BTreeSet<String> {
        let rests = |standing: &Standing| {
            let is_away = matches!(standing.state, State::Unreachable { .. } | State::Failed { .. });
            let is_held = matches!(standing.state, State::Invalid { .. });
            standing.rests || is_held || is_away && standing.again.is_some_and(|again| again > now)
        };
        let resting = self.devices.iter().filter(|(_, standing)| rests(standing));
        resting.map(|(key, _)| key.clone()).collect()
    }

    /// The devices that are due for another try.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> BTreeSet<String> {
        let is_due = |standing: &Standing| standing.again.is_some_and(|again| again <= now);
        let due = self.devices.iter().filter(|(_, standing)| is_due(standing));
        due.map(|(key, _)| key.clone()).collect()
    }

    /// When the next device is due for another try.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.devices.values().filter_map(|standing| standing.again).min()
    }

    /// Lets devices be tried at once: what is asked of them or their credentials changed, or somebody said so.
    pub fn let_try(&mut self, is_one: impl Fn(&str) -> bool) {
        for (_, standing) in self.devices.iter_mut().filter(|(key, _)| is_one(key)) {
            standing.again = None;
            standing.failures = 0;
            standing.losses = 0;
            standing.rests = false;
            standing.reverted.clear();
            standing.given_up = false;
        }
    }

    /// The devices that were set right as often as they may be: what somebody changes on them now is left to people.
    pub fn given_up(&mut self, now: Timestamp, drift: &Drift) -> BTreeSet<String> {
        let within = SignedDuration::from_secs(drift.within.as_secs().into());
        for standing in self.devices.values_mut() {
            standing.reverted.retain(|then| now.duration_since(*then) < within);
            standing.given_up = standing.reverted.len() >= usize::from(drift.at_most);
        }
        let over = self.devices.iter().filter(|(_, standing)| standing.given_up);
        over.map(|(key, _)| key.clone()).collect()
    }

    /// Notes that a device was set right after somebody else had changed it.
    pub fn note_reverted(&mut self, device: &str, now: Timestamp) {
        if let Some(standing) = self.devices.get_mut(device) {
            standing.reverted.push(now);
        }
    }

    /// Notes what became of drift on a device that is to come into the inventory.
    pub fn note_proposed(&mut self, device: &str, proposed: Option<Proposed>) {
        if let Some(standing) = self.devices.get_mut(device) {
            // The page of a change request is known to the one who opened it only.
            let page = standing.proposed.take().and_then(|before| before.page);
            standing.proposed = proposed.map(|now| Proposed {
                page: now.page.or(page),
                ..now
            });
        }
    }

    /// Notes what of the drift on a device is ignored.
    pub fn note_ignored(&mut self, device: &str, ignored: Vec<IgnoredDrift>) {
        if let Some(standing) = self.devices.get_mut(device) {
            standing.ignored = ignored;
        }
    }

    /// Notes how a device stands; what changed by that, if anything did.
    pub fn note(
        &mut self,
        device: &str,
        state: State,
        commit: Option<&str>,
        now: Timestamp,
        settings: &Devices,
    ) -> Option<Transition> {
        let standing = self.devices.get_mut(device)?;
        standing.commit = commit.map(str::to_owned);
        match &state {
            State::Failed { lost: true, .. } => standing.losses = standing.losses.saturating_add(1),
            // Nothing can be known of it.
            State::Unreachable { .. } => {}
            _ => standing.losses = 0,
        }
        standing.rests = match &state {
            State::Failed { lost, .. } => !lost || standing.losses > LOSSES_AT_MOST,
            State::Unreachable { lasting, .. } => *lasting,
            _ => false,
        };
        match &state {
            State::Unreachable { lasting, .. } => {
                standing.failures = standing.failures.saturating_add(1);
                let pause = pause(device, standing.failures, settings);
                standing.again = (!lasting).then(|| now.saturating_add(pause).unwrap_or(now));
            }
            state => {
                standing.failures = 0;
                standing.again = match state {
                    State::Waiting { opens, .. } => opens.filter(|opens| *opens > now),
                    State::Failed { .. } if !standing.rests => {
                        let pause = pause(device, standing.losses, settings);
                        Some(now.saturating_add(pause).unwrap_or(now))
                    }
                    _ => None,
                };
                standing.read = Some(now);
            }
        }
        let transition = (standing.state.word() != state.word()).then(|| Transition {
            device: device.to_owned(),
            from: standing.state.clone(),
            to: state.clone(),
        });
        if transition.is_some() {
            standing.since = now;
        }
        standing.state = state;
        transition
    }
}

/// A device that stands differently than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Inventory key.
    pub device: String,
    /// How it stood.
    pub from: State,
    /// How it stands.
    pub to: State,
}

/// How long to wait after the n-th failure in a row: twice as long each time, and for each device a little different, so that
/// a building that comes back is not asked by all at once.
fn pause(device: &str, failures: u32, settings: &Devices) -> SignedDuration {
    let most = i64::from(settings.retry_at_most.as_secs());
    let doubled = i64::from(settings.retry.as_secs()) << failures.saturating_sub(1).min(20);
    let whole = doubled.min(most) * 1000;
    let name: i64 = device.bytes().fold(0, |sum, byte| (sum * 31 + i64::from(byte)) % 1000);
    // Up to a fifth less.
    SignedDuration::from_millis(whole - whole * name / 5000)
}

/// How a device stands by a plan that is not applied.
#[must_use]
pub fn by_plan(plan: &DevicePlan) -> State {
    let changes = match &plan.outcome {
        Outcome::Unread(unread) => {
            return State::Unreachable {
                reason: unread.reason.clone(),
                lasting: unread.lasting,
            };
        }
        Outcome::Read(changes) => changes,
    };
    let mut objects: Vec<String> = changes
        .changes
        .iter()
        .map(|change| format!("{}/{}", change.kind, change.key))
        .collect();
    let left = left_on(changes);
    match &changes.held {
        Some(Held::Paused(pauses)) => {
            return State::Paused {
                reason: in_words(pauses),
            };
        }
        Some(Held::Observe) if objects.is_empty() => return State::InSync,
        Some(Held::Observe) => return State::Observed { objects },
        None => {}
    }
    if let Some(refusal) = changes.refusals.first() {
        return State::Refused {
            reason: refusal.message.clone(),
        };
    }
    match &changes.waiting {
        _ if !objects.is_empty() => {
            objects.extend(left);
            objects.dedup();
            State::Drifted { objects }
        }
        _ if changes.save != Save::No => State::Unsaved,
        Some(waiting) => State::Waiting {
            reason: waiting.to_string(),
            opens: Some(waiting.opening.from),
        },
        None if !left.is_empty() => State::Drifted { objects: left },
        None => State::InSync,
    }
}

/// The objects with drift that is left as it is and counts.
fn left_on(changes: &DeviceChanges) -> Vec<String> {
    let counts = |left: &&Left| !matches!(left.why, Why::Ignored { .. });
    let left = changes.left.iter().filter(counts);
    let mut objects: Vec<String> = left.map(|left| format!("{}/{}", left.kind, left.key)).collect();
    objects.dedup();
    objects
}

/// What of the drift on a device is ignored; `None` where it could not be read.
#[must_use]
pub fn ignored_on(plan: &DevicePlan) -> Option<Vec<IgnoredDrift>> {
    let Outcome::Read(changes) = &plan.outcome else {
        return None;
    };
    let ignored = changes.left.iter().filter_map(|left| match &left.why {
        Why::Ignored { reason, until, ends } => Some(IgnoredDrift {
            what: left.in_words(),
            reason: reason.clone(),
            until: *until,
            ends: ends.clone(),
        }),
        Why::Reported | Why::ToAdopt | Why::LeftToPeople => None,
    });
    Some(ignored.collect())
}

/// What a plan says of how a device stands, kept while the plan is applied.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// How it stands if nothing is done to it.
    state: State,
    /// When the window opens that it waits for.
    opens: Option<Timestamp>,
    /// The objects with drift that is left as it is and counts.
    left: Vec<String>,
}

impl From<&DevicePlan> for Foreseen {
    fn from(plan: &DevicePlan) -> Self {
        let (waiting, left) = match &plan.outcome {
            Outcome::Read(changes) => (changes.waiting.as_ref(), left_on(changes)),
            Outcome::Unread(_) => (None, Vec::new()),
        };
        Self {
            left,
            state: by_plan(plan),
            opens: waiting.map(|waiting| waiting.opening.from),
        }
    }
}

/// How a device stands after a run.
#[must_use]
pub fn by_result(result: &DeviceResult, foreseen: Option<&Foreseen>) -> State {
    match &result.outcome {
        DeviceOutcome::InSync | DeviceOutcome::Applied(..) | DeviceOutcome::Saved | DeviceOutcome::Unconfirmed(..) => {
            match &result.waits {
                Some(waits) => State::Waiting {
                    reason: waits.clone(),
                    opens: foreseen.and_then(|foreseen| foreseen.opens),
                },
                None => match foreseen.map(|foreseen| foreseen.left.clone()) {
                    Some(objects) if !objects.is_empty() => State::Drifted { objects },
                    _ => State::InSync,
                },
            }
        }
        DeviceOutcome::Held => foreseen.map_or(State::InSync, |foreseen| foreseen.state.clone()),
        DeviceOutcome::Refused(refusals) => State::Refused {
            reason: refusals
                .first()
                .map(|refusal| refusal.message.clone())
                .unwrap_or_default(),
        },
        DeviceOutcome::Unread(unread) => State::Unreachable {
            reason: unread.reason.clone(),
            lasting: unread.lasting,
        },
        // It is looked at again soon, and then stands as it does.
        DeviceOutcome::Stale => State::Unreachable {
            reason: "it changed while the plan was made".to_owned(),
            lasting: false,
        },
        DeviceOutcome::NotStarted(reason) => State::Unreachable {
            reason: format!("not begun: {reason}"),
            lasting: false,
        },
        DeviceOutcome::RolledBack(back) => State::Failed {
            reason: format!("{}; given back what it held before", back.failure.reason),
            lost: back.failure.lost,
        },
        DeviceOutcome::Stopped(stopped) => State::Failed {
            reason: stopped.failure.reason.clone(),
            lost: stopped.failure.lost,
        },
    }
}

/// Whether all that stands between a device and its wish was done to the device: nothing new is asked of it.
#[must_use]
pub fn only_drifted(plan: &DevicePlan) -> bool {
    let Outcome::Read(changes) = &plan.outcome else {
        return false;
    };
    let is_drift = |change: &ObjectChange| change.cause == Cause::Drift;
    !changes.unfinished && !changes.changes.is_empty() && changes.changes.iter().all(is_drift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TimeSpan;

    const SETTINGS: fn() -> Devices = || Devices {
        retry: TimeSpan::from_secs(30),
        retry_at_most: TimeSpan::from_secs(600),
        ..Devices::default()
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn fleet(keys: &[&str]) -> Fleet {
        let standing = |key: &&str| ((*key).to_owned(), Standing::new(at(0)));
        Fleet {
            devices: keys.iter().map(standing).collect(),
        }
    }

    fn away(lasting: bool) -> State {
        State::Unreachable {
            reason: "no route".to_owned(),
            lasting,
        }
    }

    #[test]
    fn a_device_that_does_not_answer_is_tried_again_later_and_later() {
        let mut fleet = fleet(&["a", "b"]);
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            fleet.note("a", away(false), None, at(now), &SETTINGS());
            let again = fleet.next().unwrap();
            pauses.push(again.as_second() - at(now).as_second());
            assert_eq!(fleet.aside(at(now)), BTreeSet::from(["a".to_owned()]));
            assert!(fleet.due(at(now)).is_empty());
            assert_eq!(fleet.due(again), BTreeSet::from(["a".to_owned()]));
            assert!(fleet.aside(again).is_empty());
            now += 100_000;
        }
        let limits = [30, 60, 120, 240, 480, 600, 600, 600];
        assert!(
            pauses
                .iter()
                .zip(limits)
                .all(|(pause, most)| (most * 4 / 5 - 1..=most).contains(pause)),
            "{pauses:?}"
        );
        // One answer, and it begins anew.
        fleet.note("a", State::InSync, None, at(now), &SETTINGS());
        assert!(fleet.aside(at(now)).is_empty() && fleet.next().is_none());
        fleet.note("a", away(false), None, at(now), &SETTINGS());
        assert!(fleet.next().unwrap() <= at(now + 30));
    }

    #[test]
    fn what_only_a_person_can_mend_is_not_tried_before_somebody_says_so() {
        let mut fleet = fleet(&["a"]);
        fleet.note("a", away(true), None, at(0), &SETTINGS());
        assert_eq!(fleet.next(), None);
        assert_eq!(fleet.aside(at(1_000_000)).len(), 1);
        fleet.let_try(|key| key == "b");
        assert_eq!(fleet.aside(at(0)).len(), 1);
        fleet.let_try(|key| key == "a");
        assert!(fleet.aside(at(0)).is_empty());
    }

    #[test]
    fn a_device_that_waits_is_looked_at_when_its_window_opens_and_not_set_aside() {
        let mut fleet = fleet(&["a"]);
        let waiting = State::Waiting {
            reason: "1 change waits".to_owned(),
            opens: Some(at(600)),
        };
        fleet.note("a", waiting, None, at(0), &SETTINGS());
        assert!(fleet.aside(at(0)).is_empty());
        assert_eq!(fleet.next(), Some(at(600)));
        assert_eq!(fleet.due(at(600)).len(), 1);
    }

    #[test]
    fn a_device_that_drifts_again_and_again_is_left_to_people_for_a_while() {
        let mut fleet = fleet(&["a", "b"]);
        let drift = Drift {
            at_most: 2,
            within: TimeSpan::from_secs(3600),
            ..Drift::default()
        };
        fleet.note_reverted("a", at(0));
        assert!(fleet.given_up(at(10), &drift).is_empty());
        fleet.note_reverted("a", at(10));
        assert_eq!(fleet.given_up(at(20), &drift), BTreeSet::from(["a".to_owned()]));
        let drifted = State::Drifted {
            objects: vec!["subscriber/s-1".to_owned()],
        };
        fleet.note("a", drifted, None, at(30), &SETTINGS());
        assert_eq!(
            fleet.devices()["a"].detail(),
            "subscriber/s-1 (set right 2 times, and changed again)"
        );
        // Once the first of them is long ago, it may be set right again; at once where somebody says so.
        assert!(fleet.given_up(at(3600), &drift).is_empty());
        fleet.note_reverted("a", at(3600));
        assert_eq!(fleet.given_up(at(3600), &drift).len(), 1);
        fleet.let_try(|key| key == "a");
        assert!(fleet.given_up(at(3600), &drift).is_empty());
    }

    #[test]
    fn a_device_on_which_a_change_failed_is_left_to_people() {
        let mut fleet = fleet(&["a"]);
        let failed = State::Failed {
            reason: "the device refused a command".to_owned(),
            lost: false,
        };
        fleet.note("a", failed, None, at(0), &SETTINGS());
        assert_eq!((fleet.next(), fleet.aside(at(1_000_000)).len()), (None, 1));
        fleet.let_try(|_| true);
        assert!(fleet.aside(at(0)).is_empty());
    }

    #[test]
    fn a_device_that_goes_away_under_a_change_is_tried_again_a_few_times() {
        let mut fleet = fleet(&["a"]);
        let lost = || State::Failed {
            reason: "the connection was lost".to_owned(),
            lost: true,
        };
        let mut now = at(0);
        for _ in 0..LOSSES_AT_MOST {
            fleet.note("a", lost(), None, now, &SETTINGS());
            assert_eq!(fleet.aside(now).len(), 1);
            // It does not answer for a while: that is neither for nor against the change.
            fleet.note("a", away(false), None, now, &SETTINGS());
            now = fleet.next().unwrap();
            assert!(fleet.aside(now).is_empty());
            assert_eq!(fleet.due(now).len(), 1);
        }
        assert!(fleet.devices()["a"].losses == LOSSES_AT_MOST);
        fleet.note("a", lost(), None, now, &SETTINGS());
        assert_eq!((fleet.next(), fleet.aside(at(1_000_000)).len()), (None, 1));
        assert_eq!(
            fleet.devices()["a"].detail(),
            "the connection was lost; left to people, since it went away under a change 4 times in a row"
        );
        // One that came through begins anew.
        fleet.let_try(|_| true);
        fleet.note("a", lost(), None, now, &SETTINGS());
        fleet.note("a", State::InSync, None, now, &SETTINGS());
        assert_eq!(fleet.devices()["a"].losses, 0);
    }

    #[test]
    fn only_what_changes_is_a_transition() {
        let mut fleet = fleet(&["a"]);
        let drift = |object: &str| State::Drifted {
            objects: vec![object.to_owned()],
        };
        assert!(fleet.note("a", drift("x"), None, at(0), &SETTINGS()).is_some());
        for round in 1..100 {
            assert_eq!(fleet.note("a", drift("y"), None, at(round), &SETTINGS()), None);
        }
        assert_eq!(fleet.devices()["a"].since, at(0));
        assert!(fleet.note("a", State::InSync, None, at(100), &SETTINGS()).is_some());
    }
}
