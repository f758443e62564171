//! Day-to-day actions on one device, by an operator's explicit order: look, ask, hold, write down, send, look again.
//!
//! They change no setting, so nothing is saved, and there is nothing to give back. The rest is as for a plan: nothing is
//! sent before the journal says so, one run at a time, and what is paused, waits to be confirmed or did not come to its
//! end is left alone.

mod back;

use std::sync::Arc;
use std::time::Duration;

use crate::device::{self, DeviceError};
use crate::dialect::action::command;
use crate::dialect::redact;
use crate::dialect::session::Reply;
use crate::domain::MacAddr;
use crate::inventory::model::Device;
use crate::observed::SeenEndpoint;
use crate::plan::Refusal;
use crate::plan::action::{Acting, Aim, NoAim, Scene, refuse_closed};
use crate::plan::impact::duration::{Estimate, Timings, estimate};
use crate::plan::model::{Summary, Unread};
use crate::plan::record::Record;
use crate::store::{Checkpoint, DeviceRun, DeviceRunState, Packed, Phase, RunId, RunInfo, StoreError, WrittenPlan};

use back::uptime;

use super::hold::Hold;
use super::observe::{Contact, observe, unread};
use super::{Context, Orders, RunError, apply, chain, confirm};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Restart an endpoint.
    Restart,
    /// Set counters back to zero.
    Clear,
}

impl Deed {
    /// The command of gamops that does it, as history names it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Restart => "reboot-endpoint",
            Self::Clear => "clear-counters",
        }
    }

    fn on(self, scene: Scene<'_>, aim: &Aim) -> Result<Acting, NoAim> {
        match self {
            Self::Restart => scene.restart(aim),
            Self::Clear => scene.clear(aim),
        }
    }
}

/// An action that was looked into, the device's session still open.
#[derive(Debug)]
pub struct PlannedAction {
    /// What it comes to.
    pub acting: Acting,
    /// The exact commands, in order.
    pub commands: Vec<String>,
    /// About how long it is felt; `None` where it is not.
    pub estimate: Option<Estimate>,
    deed: Deed,
    aim: Aim,
    device: Device,
    records: Vec<Record>,
    contact: Contact,
}

/// Why an action was not even planned.
#[derive(Debug)]
pub enum Unready {
    /// There is nothing to act on.
    NoAim(NoAim),
    /// A rule or a policy forbids it.
    Refused(Refusal),
    /// The device could not be read.
    Unread(Unread),
}

/// What an action came to.
#[derive(Debug)]
pub enum Acted {
    /// Everything was taken. How long the endpoint was waited for until it was back, where that was asked for.
    Done(Option<Duration>),
    /// Everything was taken, and the endpoint has not come back in this time.
    NotBack(Duration),
    /// The device or what is plugged into it is not as it was when the operator agreed; nothing was sent.
    Stale,
    /// Something keeps others from the device now; nothing was sent. What, in words.
    Busy(String),
    /// It stopped on the way.
    Stopped {
        /// One line: what happened.
        reason: String,
        /// The commands that the device took.
        sent: Vec<String>,
    },
}

impl From<Unread> for Unready {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl Context {
    /// Looks into what an action comes to on a device.
    ///
    /// # Errors
    ///
    /// [`RunError`] where the database cannot be used. That nothing can be done is a value.
    pub async fn plan_action(
        &self,
        device: &Device,
        deed: Deed,
        aim: &Aim,
    ) -> Result<Result<PlannedAction, Unready>, RunError> {
        if let Some(refusal) = self.held(device).await? {
            return Ok(Err(Unready::Refused(refusal)));
        }
        let mut contact = match observe(self, device).await {
            Ok(contact) => contact,
            Err(unread) => return Ok(Err(unread.into())),
        };
        let records = self.store.records(contact.mac()).await?;
        let found = match self.standing(device, contact.mac()).await? {
            Some(refusal) => Err(Unready::Refused(refusal)),
            None => self.look_into(&mut contact, device, deed, aim, &records).await,
        };
        Ok(match found {
            Ok(acting) => Ok(PlannedAction {
                commands: acting.actions.iter().copied().map(command).collect(),
                estimate: estimate(acting.impact.away, &[], &Timings::default()),
                acting,
                deed,
                aim: aim.clone(),
                device: device.clone(),
                records,
                contact,
            }),
            Err(unready) => {
                contact.close().await;
                Err(unready)
            }
        })
    }

    /// What an earlier run left on a device that has to be seen to first.
    async fn standing(&self, device: &Device, mac: MacAddr) -> Result<Option<Refusal>, StoreError> {
        if let Some(standing) = self.store.unconfirmed(mac).await? {
            return Ok(Some(confirm::refusal(&standing, jiff::Timestamp::now())));
        }
        let last = self.store.last_run(mac).await?;
        let is_unfinished = last.is_some_and(|run| run.state.is_unfinished());
        Ok(is_unfinished.then(|| crate::plan::undo::unfinished(&device.key)))
    }

    async fn look_into(
        &self,
        contact: &mut Contact,
        device: &Device,
        deed: Deed,
        aim: &Aim,
        records: &[Record],
    ) -> Result<Acting, Unready> {
        let seen = device::discover(&mut contact.session)
            .await
            .map_err(|error| unread(&device.key, &error))?;
        let held = &contact.observation.running.managed;
        let scene = Scene {
            held,
            records,
            seen: &seen,
            ports: device.model.ports,
        };
        let acting = deed.on(scene, aim).map_err(Unready::NoAim)?;
        match refuse_closed(self.window(device), held, &acting.impact.subscribers) {
            Some(refusal) => Err(Unready::Refused(refusal)),
            None => Ok(acting),
        }
    }

    /// Does it. `shown` is what the operator agreed to; `wait` is how long to wait for an endpoint to come back.
    ///
    /// # Errors
    ///
    /// [`RunError`] where the run could not be written down; nothing was sent then.
    pub async fn act(
        &self,
        planned: PlannedAction,
        shown: String,
        wait: Duration,
        actor: &str,
    ) -> Result<Acted, RunError> {
        let mut planned = planned;
        let mac = planned.contact.mac();
        let info = RunInfo {
            actor: actor.to_owned(),
            commit: self.commit.clone(),
            plan: Some(planned.written(shown)),
            undoes: None,
        };
        let run = self.store.begin_run(info).await?;
        let outcome = match self.hold(mac, actor, run).await? {
            Err(holder) => Acted::Busy(format!("the device is held by {holder}; wait until that run has ended")),
            Ok(hold) => match self.in_between(&planned).await? {
                Some(refusal) => Acted::Busy(refusal.message),
                None => self.act_under(&mut planned, run, &hold, wait).await?,
            },
        };
        let is_done = matches!(outcome, Acted::Done(_));
        let word = if is_done { "done" } else { "incomplete" };
        self.store.finish_run(run, word, Vec::new()).await?;
        planned.contact.close().await;
        Ok(outcome)
    }

    /// What came between while somebody read what is to be done.
    async fn in_between(&self, planned: &PlannedAction) -> Result<Option<Refusal>, StoreError> {
        match self.held(&planned.device).await? {
            Some(refusal) => Ok(Some(refusal)),
            None => self.standing(&planned.device, planned.contact.mac()).await,
        }
    }

    async fn act_under(
        &self,
        planned: &mut PlannedAction,
        run: RunId,
        hold: &Hold,
        wait: Duration,
    ) -> Result<Acted, RunError> {
        let stopped = |source: DeviceError| Acted::Stopped {
            reason: chain(&source),
            sent: Vec::new(),
        };
        let again = match planned.contact.read_running().await {
            Ok(again) => again,
            Err(source) => return Ok(stopped(source)),
        };
        let seen = match device::discover(&mut planned.contact.session).await {
            Ok(seen) => seen,
            Err(source) => return Ok(stopped(source)),
        };
        let records = self.store.records(planned.contact.mac()).await?;
        planned.contact.observation.running = Arc::new(again);
        if records != planned.records || !planned.is_still(&seen) {
            return Ok(Acted::Stale);
        }
        let before = match planned.acting.endpoint {
            Some(reached) => match uptime(&mut planned.contact, reached).await {
                Ok(before) => before,
                Err(source) => return Ok(stopped(source)),
            },
            None => None,
        };
        let begin = DeviceRun {
            lease: Some(hold.token()),
            ..planned.journal()
        };
        self.store.begin_device(run, begin).await?;
        // It leaves nothing to save or to give back, however it ends, also if we do.
        let key = planned.device.key.clone();
        let not_known = Some("not known whether the device did it".to_owned());
        self.store
            .device_state(run, &key, DeviceRunState::Acted, not_known)
            .await?;
        let work = apply::Work {
            context: self,
            device: &planned.device,
            run,
            lease: hold.token(),
            patience: Orders::PATIENCE,
        };
        let mut sent = Vec::new();
        for command in &planned.commands {
            let stop = if self.cancel.is_cancelled() {
                Some(apply::Stop::Interrupted)
            } else {
                match apply::exchange(&mut planned.contact, &work, Phase::Apply, command).await {
                    Ok(Reply::Refused(refusal)) => Some(apply::Stop::Refused {
                        command: command.clone(),
                        answer: redact::secrets(&refusal.text),
                    }),
                    Ok(_) => None,
                    Err(stop) => Some(stop),
                }
            };
            if let Some(stop) = stop {
                let reason = apply::reason(stop);
                self.store
                    .device_state(run, &key, DeviceRunState::Acted, Some(reason.clone()))
                    .await?;
                return Ok(Acted::Stopped { reason, sent });
            }
            sent.push(command.clone());
        }
        let outcome = match planned
            .acting
            .endpoint
            .filter(|_| planned.deed == Deed::Restart && !wait.is_zero())
        {
            Some(reached) => self.await_endpoint(&mut planned.contact, reached, before, wait).await,
            None => Acted::Done(None),
        };
        let detail = match &outcome {
            Acted::Done(None) => None,
            Acted::Done(Some(after)) => Some(format!("back after {} s", after.as_secs())),
            Acted::NotBack(after) => Some(format!("not back after {} s", after.as_secs())),
            Acted::Stopped { reason, .. } => Some(reason.clone()),
            Acted::Stale | Acted::Busy(_) => None,
        };
        self.store
            .device_state(run, &key, DeviceRunState::Acted, detail)
            .await?;
        Ok(outcome)
    }
}

impl PlannedAction {
    /// Whether it comes to the same on the device as it is now.
    fn is_still(&self, seen: &[SeenEndpoint]) -> bool {
        let scene = Scene {
            held: &self.contact.observation.running.managed,
            records: &self.records,
            seen,
            ports: self.device.model.ports,
        };
        self.deed.on(scene, &self.aim).as_ref() == Ok(&self.acting)
    }

    /// The end of its sessions, where nothing is to be done.
    pub async fn close(self) {
        self.contact.close().await;
    }

    /// What history shows of it.
    fn written(&self, shown: String) -> WrittenPlan {
        let json = serde_json::json!({
            "action": self.deed.word(),
            "device": self.device.key,
            "subscribers": self.acting.subscribers,
            "commands": self.commands,
        });
        WrittenPlan {
            text: Packed::text(shown),
            json: Packed::text(json),
        }
    }

    /// The run as the journal has it, but for the lease: settings are the same before and after.
    fn journal(&self) -> DeviceRun {
        let running = &self.contact.observation.running;
        let settings = running.managed.settings().into_owned();
        DeviceRun {
            stage: 1,
            device: self.device.key.clone(),
            mac: self.contact.mac(),
            base: running.fingerprint(),
            target: settings.fingerprint(),
            claims: Vec::new(),
            checkpoint: Checkpoint {
                before: settings.clone(),
                target: settings,
                changes: Vec::new(),
                owned_before: self.records.clone(),
                owned_after: self.records.clone(),
                startup: None,
            },
            summary: Summary::default(),
            lease: None,
        }
    }
}
