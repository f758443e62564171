//! Having a port-aware device let go of endpoints, by an operator's explicit order: look, send, read back, save.
//!
//! The same promises as for a plan: nothing is sent before the journal says so, nothing is saved before it was verified.
//! What gamops owns is not touched by it, since endpoints are nobody's there.

use crate::device::{self, DeviceError};
use crate::dialect::command;
use crate::dialect::redact;
use crate::dialect::session::Reply;
use crate::domain::SubscriberId;
use crate::inventory::model::{Device, Unsaved};
use crate::observed::{ObjectId, RunningConfig};
use crate::plan::model::{Summary, Unread};
use crate::plan::record::Record;
use crate::plan::{NotRebound, Rebind, Refusal, rebind};
use crate::store::{Checkpoint, DeviceRun, DeviceRunState, Phase, RunId, RunInfo};

use super::hold::Hold;
use super::observe::{Contact, observe, unread};
use super::{Context, Orders, RunError, apply, chain};

/// A rebind that was looked into, the device's session still open.
#[derive(Debug)]
pub struct PlannedRebind {
    /// What the device is to let go of.
    pub rebind: Rebind,
    /// The exact commands, in order.
    pub commands: Vec<String>,
    /// What an operator should know before agreeing.
    pub notes: Vec<String>,
    device: Device,
    subscriber: SubscriberId,
    records: Vec<Record>,
    contact: Contact,
}

/// Why a rebind was not even planned.
#[derive(Debug)]
pub enum Unplanned {
    /// There is nothing to let go of, or not enough is known.
    Nothing(NotRebound),
    /// A rule or a policy forbids it.
    Refused(Refusal),
    /// The device could not be read.
    Unread(Unread),
}

/// What a rebind came to.
#[derive(Debug)]
pub enum Rebound {
    /// Verified and saved. Whether the device had tied the box to the port by then: it does so by itself.
    Done {
        /// Whether it had.
        tied: bool,
    },
    /// The device or what is plugged into it is not as it was when the operator agreed; nothing was sent.
    Stale,
    /// Another run has the device, or waits to be confirmed there; nothing was sent. Who, in words.
    Busy(String),
    /// It was left unsaved.
    Stopped {
        /// One line: what happened.
        reason: String,
        /// The commands that the device took.
        sent: Vec<String>,
    },
}

/// Why the work stopped.
enum Stop {
    /// The device took the commands and did nothing.
    StillHeld,
    /// What stops a plan as well.
    Work(apply::Stop),
}

impl<E: Into<apply::Stop>> From<E> for Stop {
    fn from(stop: E) -> Self {
        Self::Work(stop.into())
    }
}

impl Stop {
    const fn state(&self) -> DeviceRunState {
        match self {
            Self::Work(apply::Stop::Interrupted) => DeviceRunState::Interrupted,
            Self::StillHeld | Self::Work(_) => DeviceRunState::Failed,
        }
    }

    fn reason(self) -> String {
        match self {
            Self::StillHeld => "the device took the commands and did not let go".to_owned(),
            Self::Work(stop) => apply::reason(stop),
        }
    }
}

impl Context {
    /// Looks into what it takes to have a subscriber of a port-aware device served by the endpoint on its port.
    ///
    /// # Errors
    ///
    /// [`RunError`] where the database cannot be used. That nothing can be done is a value.
    pub async fn plan_rebind(
        &self,
        device: &Device,
        subscriber: &str,
    ) -> Result<Result<PlannedRebind, Unplanned>, RunError> {
        if let Some(refusal) = self.held(device).await? {
            return Ok(Err(Unplanned::Refused(refusal)));
        }
        let mut contact = match observe(self, device).await {
            Ok(contact) => contact,
            Err(unread) => return Ok(Err(Unplanned::Unread(unread))),
        };
        let records = self.store.records(contact.mac()).await?;
        let found = self.look(&mut contact, device, subscriber, &records).await;
        Ok(match found {
            Ok((number, rebind, commands)) => Ok(PlannedRebind {
                rebind,
                commands,
                notes: notes(&contact),
                device: device.clone(),
                subscriber: number,
                records,
                contact,
            }),
            Err(unplanned) => {
                contact.close().await;
                Err(unplanned)
            }
        })
    }

    async fn look(
        &self,
        contact: &mut Contact,
        device: &Device,
        subscriber: &str,
        records: &[Record],
    ) -> Result<(SubscriberId, Rebind, Vec<String>), Unplanned> {
        let is_it = |record: &&Record| record.key == subscriber;
        let number = records.iter().filter(is_it).find_map(|record| match record.object {
            ObjectId::Subscriber(number) => Some(number),
            _ => None,
        });
        let held = &contact.observation.running.managed;
        let Some(number) = number.filter(|number| held.subscribers.contains_key(number)) else {
            return Err(Unplanned::Refused(Refusal {
                rule: "not-managed",
                message: format!("gamops does not manage `{subscriber}` on {} yet", device.key),
                help: format!(
                    "apply it first: `gamops apply --target {}/subscriber/{subscriber}`",
                    device.key
                ),
            }));
        };
        if self.inventory.policies.unsaved == Unsaved::Refuse && is_unsaved(contact) {
            return Err(Unplanned::Refused(Refusal {
                rule: "unsaved-configuration",
                message: "somebody else left configuration unsaved".to_owned(),
                help: "save or reload the device, or set `policies.unsaved: report`".to_owned(),
            }));
        }
        let seen = device::discover(&mut contact.session)
            .await
            .map_err(|error| Unplanned::Unread(unread(&device.key, &error)))?;
        let held = &contact.observation.running.managed;
        let rebind = rebind(held, number, &seen).map_err(Unplanned::Nothing)?;
        let mut commands = Vec::new();
        for change in rebind.changes() {
            match command::commands(&change) {
                Ok(lines) => commands.extend(lines),
                Err(error) => {
                    return Err(Unplanned::Refused(Refusal {
                        rule: "cannot-be-sent",
                        message: error.to_string(),
                        help: "take the endpoint off its port by hand".to_owned(),
                    }));
                }
            }
        }
        Ok((number, rebind, commands))
    }

    /// Does it.
    ///
    /// # Errors
    ///
    /// [`RunError`] where the run could not be written down; nothing was sent then.
    pub async fn apply_rebind(&self, planned: PlannedRebind, actor: &str) -> Result<Rebound, RunError> {
        let mut planned = planned;
        let mac = planned.contact.mac();
        let info = RunInfo {
            actor: actor.to_owned(),
            commit: self.commit.clone(),
            plan: None,
            undoes: None,
        };
        let run = self.store.begin_run(info).await?;
        let outcome = match self.hold(mac, actor, run).await? {
            Err(holder) => Rebound::Busy(format!("the device is held by {holder}; wait until that run has ended")),
            // Saving would save what a run made that waits to be confirmed.
            Ok(_) if self.store.unconfirmed(mac).await?.is_some() => {
                Rebound::Busy("an earlier run on the device waits to be confirmed".to_owned())
            }
            Ok(hold) => self.rebind_under(&mut planned, run, &hold).await?,
        };
        let is_done = matches!(outcome, Rebound::Done { .. });
        let word = if is_done { "done" } else { "incomplete" };
        self.store.finish_run(run, word, Vec::new()).await?;
        planned.contact.close().await;
        Ok(outcome)
    }

    async fn rebind_under(&self, planned: &mut PlannedRebind, run: RunId, hold: &Hold) -> Result<Rebound, RunError> {
        let again = match self.read_again(planned).await {
            Ok(again) => again,
            Err(source) => {
                let reason = chain(&source);
                return Ok(Rebound::Stopped {
                    reason,
                    sent: Vec::new(),
                });
            }
        };
        let records = self.store.records(planned.contact.mac()).await?;
        let Some(again) = again.filter(|_| records == planned.records) else {
            return Ok(Rebound::Stale);
        };
        let begin = DeviceRun {
            lease: Some(hold.token()),
            ..journal(planned, &again)
        };
        self.store.begin_device(run, begin).await?;
        let mut sent = Vec::new();
        Ok(match self.let_go(planned, run, hold, &mut sent).await {
            Ok(tied) => Rebound::Done { tied },
            Err(stop) => {
                let state = stop.state();
                let reason = stop.reason();
                let (key, detail) = (&planned.device.key, Some(reason.clone()));
                self.store.device_state(run, key, state, detail).await?;
                Rebound::Stopped { reason, sent }
            }
        })
    }

    /// The running configuration, if what is to be done about it is still what the operator agreed to.
    async fn read_again(&self, planned: &mut PlannedRebind) -> Result<Option<RunningConfig>, DeviceError> {
        let running = planned.contact.read_running().await?;
        let seen = device::discover(&mut planned.contact.session).await?;
        let again = rebind(&running.managed, planned.subscriber, &seen);
        Ok((again.as_ref() == Ok(&planned.rebind)).then_some(running))
    }

    async fn let_go(
        &self,
        planned: &mut PlannedRebind,
        run: RunId,
        hold: &Hold,
        sent: &mut Vec<String>,
    ) -> Result<bool, Stop> {
        let PlannedRebind {
            rebind,
            commands,
            device,
            records,
            contact,
            ..
        } = planned;
        let work = apply::Work {
            context: self,
            device,
            run,
            lease: hold.token(),
            patience: Orders::PATIENCE,
        };
        contact.session.enter_config().await?;
        for command in commands.iter() {
            if self.cancel.is_cancelled() {
                return Err(apply::Stop::Interrupted.into());
            }
            if let Reply::Refused(refusal) = apply::exchange(contact, &work, Phase::Apply, command).await? {
                return Err(apply::Stop::Refused {
                    command: command.clone(),
                    answer: redact::secrets(&refusal.text),
                }
                .into());
            }
            sent.push(command.clone());
        }
        contact.session.leave_config().await?;
        let found = contact.read_running().await?;
        if !rebind.still_held(&found.managed).is_empty() {
            return Err(Stop::StillHeld);
        }
        let (store, key) = (&self.store, &device.key);
        store.device_state(run, key, DeviceRunState::Verified, None).await?;
        // Nothing but what was verified will do: endpoints come and go by themselves there.
        apply::save(contact, &work, Phase::Apply, &found, |_| false).await?;
        store.finish_device(run, key, contact.mac(), records.clone()).await?;
        Ok(rebind.is_done(&found.managed))
    }
}

fn is_unsaved(contact: &Contact) -> bool {
    let observation = &contact.observation;
    let startup = observation.startup.as_ref();
    startup.is_some_and(|startup| !startup.is_same_as(&observation.running))
}

fn notes(contact: &Contact) -> Vec<String> {
    let unsaved = "saving this also saves what somebody else left unsaved on the device";
    is_unsaved(contact).then(|| unsaved.to_owned()).into_iter().collect()
}

/// The run as the journal has it, but for the lease: the device's settings, which are the same before and after.
fn journal(planned: &PlannedRebind, found: &RunningConfig) -> DeviceRun {
    let settings = found.managed.settings().into_owned();
    let startup = planned.contact.observation.startup.as_deref();
    DeviceRun {
        device: planned.device.key.clone(),
        mac: planned.contact.mac(),
        base: found.fingerprint(),
        target: settings.fingerprint(),
        claims: Vec::new(),
        checkpoint: Checkpoint {
            before: settings.clone(),
            target: settings,
            changes: Vec::new(),
            owned_before: planned.records.clone(),
            owned_after: planned.records.clone(),
            startup: startup.map(RunningConfig::fingerprint),
        },
        summary: Summary {
            change: planned.rebind.freed.len(),
            ..Summary::default()
        },
        lease: None,
        stage: 1,
    }
}
