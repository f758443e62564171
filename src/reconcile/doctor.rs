//! Looking a device over: everything that can be found out without changing anything on it or of what is pinned.

mod login;
mod speak;

use std::time::Duration;

use futures::StreamExt as _;

use crate::checkup::{self, Facts, Finding, Login, Path, Pinned, Step, Trouble, Work};
use crate::device::Heard;
use crate::dialect::share::Sharing;
use crate::domain::MacAddr;
use crate::inventory::model::Device;
use crate::observed::{Answer, AssumedWord, Capabilities, Support};
use crate::plan::model::Held;
use crate::plan::{Target, pause};
use crate::store::{Pin, StoreError};
use crate::transport::snmp::{Bindings, Version};
use crate::transport::ssh::{HostKey, HostKeyCheck, hello};

use super::event::Progress;
use super::observe::Way;
use super::{Context, RunError, chain};
use login::login;
use speak::spoken;

/// How long an SSH server may take to introduce itself.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// A device that was looked over.
#[derive(Debug)]
pub struct Examined {
    /// What was found out.
    pub facts: Facts,
    /// What it means.
    pub findings: Vec<Finding>,
    /// What was read, for a report.
    pub evidence: Evidence,
}

/// What a device said, masked for strangers.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Every byte of the session, where it was kept.
    pub heard: Vec<Heard>,
    /// What SNMP answered for the objects that gamops asks for.
    pub snmp: Vec<(Version, Bindings)>,
    /// What its firmware is known to understand, this reading included.
    pub capabilities: Option<Capabilities>,
}

impl Context {
    /// Looks the named devices over, all where none is named, in the order of their keys. With `sharing` the sessions are
    /// kept byte for byte, masked by it.
    ///
    /// What devices print proves which words their firmware knows: that is remembered. Nothing else is changed, on devices
    /// or in the database; a device that was never met stays unpinned.
    ///
    /// # Errors
    ///
    /// [`RunError`]: a target names nothing, or the database cannot be used. Trouble with a device is among the findings.
    pub async fn examine(&self, devices: &[Target], sharing: Option<&Sharing>) -> Result<Vec<Examined>, RunError> {
        let selection = self.select(devices)?;
        let mut examined: Vec<Examined> = futures::stream::iter(selection)
            .map(|(device, _)| self.examine_one(device, sharing.cloned()))
            .buffer_unordered(self.parallelism.reading.max(1))
            .collect::<Vec<Result<Examined, StoreError>>>()
            .await
            .into_iter()
            .collect::<Result<_, _>>()?;
        examined.sort_by(|a, b| a.facts.device.cmp(&b.facts.device));
        Ok(examined)
    }

    async fn examine_one(&self, device: &Device, sharing: Option<Sharing>) -> Result<Examined, StoreError> {
        self.events.tell(&device.key, Progress::Contacting);
        let pin = self.store.pin(&device.key, device.was.as_deref()).await?;
        let paused = match pause::held(
            device.mode,
            device.paused.as_ref(),
            &self.pauses(device).await?,
            self.now,
        ) {
            Some(Held::Paused(pauses)) => Some(pause::in_words(&pauses)),
            Some(Held::Observe) | None => None,
        };
        let mut facts = facts_of(device, pin.as_ref(), paused, path(device).await);
        let mut evidence = Evidence::default();
        let credentials = match self.keyring.credentials(&device.credentials) {
            Ok(credentials) => Some(credentials),
            Err(error) => {
                facts.login = Some(Login::Stopped {
                    at: Step::Password,
                    trouble: Trouble {
                        reason: chain(&error),
                        help: None,
                    },
                });
                None
            }
        };
        if let Some(credentials) = credentials {
            let way = Way::from(device);
            let agent = way.agent(&credentials);
            let host_key = HostKeyCheck {
                pinned: known_key(device, pin.as_ref()),
                policy: self.host_key_policy,
            };
            let to = way.connect(&credentials, host_key);
            let is_there = matches!(facts.path, Path::Open { .. });
            let session = async {
                match is_there {
                    true => Some(login(device, &to, sharing, &mut evidence).await),
                    false => None,
                }
            };
            let (login, (agent, snmp)) = tokio::join!(session, spoken(agent.as_ref()));
            facts.login = login;
            facts.agent = Some(agent);
            evidence.snmp = snmp;
        }
        facts.work = self.work(pin.and_then(|pin| pin.mac), &facts).await?;
        if let (Some(Login::In(inside)), Some(capabilities)) = (&facts.login, &evidence.capabilities)
            && let Ok(reading) = &inside.reading
        {
            let firmware = &reading.identity.firmware;
            self.store.learn(firmware, proven(capabilities)).await?;
        }
        let findings = checkup::judge(&facts);
        self.events.tell(&device.key, Progress::Read);
        Ok(Examined {
            facts,
            findings,
            evidence,
        })
    }

    /// What is on record of runs on the device: on the one that was pinned, else on the one that answers.
    async fn work(&self, pinned: Option<MacAddr>, facts: &Facts) -> Result<Work, StoreError> {
        let answers = match &facts.login {
            Some(Login::In(inside)) => inside.reading.as_ref().ok().map(|read| read.identity.mac),
            _ => None,
        };
        let Some(mac) = pinned.or(answers) else {
            return Ok(Work::default());
        };
        let unconfirmed = self.store.unconfirmed(mac).await?.map(|standing| standing.run.number());
        let unfinished = (self.store.last_run(mac).await?)
            .filter(|run| run.state.is_unfinished() && Some(run.run.number()) != unconfirmed)
            .map(|run| (run.run.number(), run.state.word()));
        let holder = self.store.holder(mac, self.now).await?;
        Ok(Work {
            // A run that goes on has not come to its end yet, and that is as it should be.
            unfinished: unfinished.filter(|_| holder.is_none()),
            unconfirmed,
            holder: holder.map(|holder| holder.to_string()),
        })
    }
}

/// What inventory and database say of a device, and the way to it, before anybody has asked it.
fn facts_of(device: &Device, pin: Option<&Pin>, paused: Option<String>, path: Path) -> Facts {
    let host_key = known_key(device, pin);
    Facts {
        device: device.key.clone(),
        address: format!("{}:{}", device.address, device.transport.ssh_port),
        model: device.model,
        subscriber_model: device.subscriber_model,
        legacy_algorithms: device.transport.legacy_algorithms,
        credentials: device.credentials.clone(),
        mode: device.mode,
        paused,
        pinned: (pin.is_some() || host_key.is_some()).then(|| Pinned {
            host_key: host_key.map(|key| key.fingerprint()),
            mac: pin.and_then(|pin| pin.mac),
        }),
        path,
        login: None,
        agent: None,
        work: Work::default(),
    }
}

/// The key that the device has to show: what the inventory says was reviewed, and goes before what was met by chance.
fn known_key(device: &Device, pin: Option<&Pin>) -> Option<HostKey> {
    let pinned = pin.and_then(|pin| pin.host_key.as_ref());
    device.host_key.as_ref().or(pinned)?.parse().ok()
}

async fn path(device: &Device) -> Path {
    match hello(&device.address, device.transport.ssh_port, HELLO_WITHIN).await {
        Ok(hello) => Path::Open {
            at: hello.address.ip().to_string(),
            round_trip: hello.connected_after,
            software: hello.software,
            lacks: hello.offer.map(|offer| [false, true].map(|legacy| offer.lacks(legacy))),
        },
        Err(error) => Path::Broken(Trouble {
            reason: chain(&error),
            help: None,
        }),
    }
}

/// The words that the device itself has shown to know.
fn proven(capabilities: &Capabilities) -> Vec<(AssumedWord, Answer)> {
    let seen = Support::new(Answer::Yes, crate::observed::Evidence::Seen);
    let words = capabilities.words.iter().filter(|(_, support)| **support == seen);
    words.map(|(word, support)| (*word, support.answer)).collect()
}
