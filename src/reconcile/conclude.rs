//! Doing what the word on a run says, on every device that waits for it: keeping, or giving back.
//!
//! Whoever holds a device does it: the command that waits, the one that answers, or the next apply after both were
//! killed. Devices that were changed side by side are seen to side by side, stage after stage: what is kept in the order
//! in which it was made, what is given back in the other one. A subscriber that moved is never taken from the one device
//! before the other one is known to have it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;

use crate::domain::MacAddr;
use crate::observed::Kind;
use crate::plan::record::Record;
use crate::store::{Checkpoint, DeviceRunState, RunId, StoreError, Undecided, Verdict};

use super::confirm::{LOOK, whoever};
use super::hold::Hold;
use super::result::{Failure, Stopped};
use super::run::{Applied, Waiting};
use super::{Context, DeviceOutcome, DeviceResult, RunError, apply, chain};

/// The word on a run.
#[derive(Debug, Clone, Copy)]
struct Word<'a> {
    run: RunId,
    verdict: Verdict,
    /// Why, as history is to have it; `None` for the usual words.
    reason: Option<&'a str>,
    /// How long a device that cannot be reached is looked for.
    patience: Duration,
}

/// What became of a device's turn.
enum Turn {
    /// Another process is at the device.
    Busy,
    /// Another process was, and has done what is to be done.
    DoneElsewhere,
    /// It was done here.
    Done(MacAddr, DeviceResult),
}

/// A subscriber that moved, and that would be on neither device.
struct Astray {
    subscriber: String,
    /// The device that should have it.
    device: String,
}

impl Context {
    /// Does what the word says on every device that waits: keeps, the ones that gained subscribers first, or gives back,
    /// those last.
    ///
    /// # Errors
    ///
    /// [`RunError::Store`] where the run could not be closed.
    pub async fn settle(
        &self,
        applied: Applied,
        verdict: Verdict,
        patience: Duration,
    ) -> Result<Vec<DeviceResult>, RunError> {
        self.settle_saying(applied, verdict, patience, None).await
    }

    /// As [`Context::settle`], with the reason that history gives for it.
    pub(super) async fn settle_saying(
        &self,
        applied: Applied,
        verdict: Verdict,
        patience: Duration,
        reason: Option<&str>,
    ) -> Result<Vec<DeviceResult>, RunError> {
        let Applied {
            run,
            mut results,
            waiting,
            of_all,
        } = applied;
        let word = Word {
            run,
            verdict,
            reason,
            patience,
        };
        let mut stages: BTreeMap<u32, Vec<Waiting>> = BTreeMap::new();
        for one in waiting {
            stages.entry(one.stage).or_default().push(one);
        }
        let mut stages: Vec<Vec<Waiting>> = stages.into_values().collect();
        if verdict != Verdict::Keep {
            stages.reverse();
        }
        for stage in stages {
            let settled: Vec<DeviceResult> = futures::stream::iter(stage)
                .map(|one| async move {
                    let device = Undecided {
                        device: one.device,
                        mac: one.mac,
                        state: DeviceRunState::Verified,
                        stage: Some(one.stage),
                    };
                    // The device is held until it is done.
                    let hold = one.hold;
                    self.settle_one(word, &device, &hold).await
                })
                .buffer_unordered(self.parallelism.changing.max(1))
                .collect()
                .await;
            for new in settled {
                if let Some(old) = results.iter_mut().find(|old| old.device == new.device) {
                    old.outcome = match (&old.outcome, new.outcome) {
                        (DeviceOutcome::Unconfirmed(summary, not_applied), DeviceOutcome::Saved) => {
                            DeviceOutcome::Applied(*summary, not_applied.clone())
                        }
                        (_, outcome) => outcome,
                    };
                }
            }
        }
        self.close_run(run, &results, of_all && verdict == Verdict::Keep)
            .await?;
        Ok(results)
    }

    /// Does what the word says on every device of a run that still waits, whoever began it. A device that another
    /// process is at is waited for. Gives what was done here.
    ///
    /// # Errors
    ///
    /// [`RunError::Store`] where the database cannot be used.
    pub async fn conclude(
        &self,
        run: RunId,
        verdict: Verdict,
        patience: Duration,
    ) -> Result<Vec<DeviceResult>, RunError> {
        let word = Word {
            run,
            verdict,
            reason: None,
            patience,
        };
        let mut results: Vec<DeviceResult> = Vec::new();
        let mut done: BTreeSet<MacAddr> = BTreeSet::new();
        loop {
            let mut open = self.undecided(word).await?;
            open.retain(|device| !done.contains(&device.mac));
            let Some(first) = open.first().cloned() else {
                break;
            };
            let stage = open.into_iter().take_while(|device| device.is_beside(&first));
            let turns: Vec<Result<Turn, StoreError>> = futures::stream::iter(stage)
                .map(|device| self.turn(word, device))
                .buffer_unordered(self.parallelism.changing.max(1))
                .collect()
                .await;
            let mut progress = false;
            for turn in turns {
                match turn? {
                    Turn::Busy => {}
                    Turn::DoneElsewhere => progress = true,
                    Turn::Done(mac, result) => {
                        progress = true;
                        done.insert(mac);
                        results.push(result);
                    }
                }
            }
            if !progress {
                tokio::time::sleep(LOOK).await;
            }
        }
        if !results.is_empty() {
            results.sort_by(|a, b| a.device.cmp(&b.device));
            self.close_run(run, &results, false).await?;
        }
        Ok(results)
    }

    /// The devices of a run that wait for this word, in the order in which it is done: as they were begun, or the other way.
    async fn undecided(&self, word: Word<'_>) -> Result<Vec<Undecided>, StoreError> {
        let mut devices = self.store.devices_of(word.run).await?;
        if word.verdict == Verdict::Keep {
            devices.retain(|device| device.state == DeviceRunState::Verified);
        } else {
            devices.retain(|device| device.state.may_be_given_back());
            devices.reverse();
        }
        Ok(devices)
    }

    async fn turn(&self, word: Word<'_>, device: Undecided) -> Result<Turn, StoreError> {
        let Ok(hold) = self.hold(device.mac, &whoever(), word.run).await? else {
            return Ok(Turn::Busy);
        };
        // Whoever held it until now may have done it.
        if !self.undecided(word).await?.contains(&device) {
            return Ok(Turn::DoneElsewhere);
        }
        self.store.resume_device(word.run, &device.device, hold.token()).await?;
        let result = self.settle_one(word, &device, &hold).await;
        Ok(Turn::Done(device.mac, result))
    }

    async fn settle_one(&self, word: Word<'_>, waiting: &Undecided, hold: &Hold) -> DeviceResult {
        let outcome = match self.try_settle(word, waiting, hold).await {
            Ok(outcome) => outcome,
            Err(source) => not_settled(Failure {
                help: source.help(),
                ..Failure::of(chain(&source))
            }),
        };
        DeviceResult {
            device: waiting.device.clone(),
            waits: None,
            outcome,
        }
    }

    async fn try_settle(&self, word: Word<'_>, waiting: &Undecided, hold: &Hold) -> Result<DeviceOutcome, StoreError> {
        let Word {
            run, verdict, patience, ..
        } = word;
        let not_settled = |reason: String| Ok(not_settled(Failure::of(reason)));
        let Some(device) = self.inventory.devices.get(&waiting.device) else {
            return not_settled("the inventory has no such device any more".to_owned());
        };
        let Some(checkpoint) = self.store.checkpoint(run, &waiting.device).await? else {
            return not_settled("nothing is on record of what it held before".to_owned());
        };
        let work = apply::Work {
            context: self,
            device,
            run,
            lease: hold.token(),
            patience,
        };
        let astray = self.astray(word, waiting, &checkpoint).await?;
        let reason = match (verdict, astray) {
            (Verdict::Keep, None) => return Ok(apply::keep(work, waiting.mac, &checkpoint).await),
            (Verdict::Keep, Some(Astray { subscriber, device })) => {
                format!("subscriber `{subscriber}` moves to {device}, which could not be kept as it is")
            }
            (Verdict::Reject | Verdict::Expired, Some(Astray { subscriber, device })) => {
                return not_settled(format!(
                    "not given back, so that subscriber `{subscriber}` is somewhere: {device}, which it came from, was not given \
                     back"
                ));
            }
            (Verdict::Reject, None) => match word.reason {
                Some(reason) => reason.to_owned(),
                None => format!("run {run} was rejected"),
            },
            (Verdict::Expired, None) => format!("run {run} was not confirmed in time"),
        };
        apply::give_back(work, waiting.mac, &checkpoint, waiting.state, reason).await
    }

    /// A subscriber that this device would lose by what the word says, and that the device which is to have it then does not
    /// have. A device that has left the inventory is waited for no longer.
    async fn astray(
        &self,
        word: Word<'_>,
        here: &Undecided,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Astray>, StoreError> {
        let (leaving, _) = moved(word.verdict, checkpoint);
        if leaving.is_empty() {
            return Ok(None);
        }
        let is_there = |state: DeviceRunState| match word.verdict {
            Verdict::Keep => state == DeviceRunState::Saved,
            Verdict::Reject | Verdict::Expired => state == DeviceRunState::RolledBack,
        };
        for other in self.store.devices_of(word.run).await? {
            let is_known = self.inventory.devices.contains_key(&other.device);
            if other.mac == here.mac || is_there(other.state) || !is_known {
                continue;
            }
            let Some(checkpoint) = self.store.checkpoint(word.run, &other.device).await? else {
                continue;
            };
            let (_, coming) = moved(word.verdict, &checkpoint);
            let is_coming = |key: &&String| coming.iter().any(|other| self.is_same_subscriber(key, other));
            if let Some(key) = leaving.iter().find(is_coming) {
                return Ok(Some(Astray {
                    subscriber: key.clone(),
                    device: other.device,
                }));
            }
        }
        Ok(None)
    }

    /// Whether two keys are of one subscriber, which may have been renamed as it moved.
    fn is_same_subscriber(&self, one: &str, other: &str) -> bool {
        let subscribers = &self.inventory.subscribers;
        let was = |now: &str, then: &str| subscribers.get(now).is_some_and(|now| now.was.as_deref() == Some(then));
        one == other || was(one, other) || was(other, one)
    }
}

/// Keys of the subscribers that a device loses, and of those that it gains, when what the word says is done there.
fn moved(verdict: Verdict, checkpoint: &Checkpoint) -> (BTreeSet<String>, BTreeSet<String>) {
    let keys = |records: &[Record]| -> BTreeSet<String> {
        let subscribers = records.iter().filter(|record| record.kind() == Kind::Subscriber);
        subscribers.map(|record| record.key.clone()).collect()
    };
    let (before, after) = (keys(&checkpoint.owned_before), keys(&checkpoint.owned_after));
    let lost = before.difference(&after).cloned().collect();
    let gained = after.difference(&before).cloned().collect();
    match verdict {
        Verdict::Keep => (lost, gained),
        Verdict::Reject | Verdict::Expired => (gained, lost),
    }
}

/// A device that is left as it is for the time being: the next run, or the same word once more, tries again.
fn not_settled(failure: Failure) -> DeviceOutcome {
    DeviceOutcome::Stopped(Box::new(Stopped {
        failure,
        residue: None,
        not_rolled_back: None,
    }))
}
