//! Endpoints that are plugged in and in no configuration, looked for on many devices.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;

use crate::device;
use crate::domain::{MacAddr, SubscriberModel};
use crate::inventory::model::Device;
use crate::observed::SeenEndpoint;

use super::observe::{Way, pin_of};
use super::{Context, observe};

/// How devices are asked for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Over SNMP where that answers, else on the command line. Nobody outside the vendor has seen the table of endpoints answer, so what it
    /// does not have may be there all the same.
    Quickly,
    /// On the command line.
    Thoroughly,
}

impl Context {
    /// Which endpoints devices see that are in no configuration of theirs, by device. One that cannot be read sees none; port-aware ones
    /// take every endpoint in by themselves.
    pub async fn unconfigured(&self, devices: Vec<Device>, asked: Asked) -> BTreeMap<String, Vec<SeenEndpoint>> {
        let aware = devices
            .into_iter()
            .filter(|device| device.subscriber_model == SubscriberModel::EndpointAware);
        let look = |device: Device| {
            let context = self.clone();
            async move {
                let by_snmp = match asked {
                    Asked::Quickly => context.unconfigured_by_snmp(&device).await,
                    Asked::Thoroughly => None,
                };
                let seen = match by_snmp {
                    Some(seen) => seen,
                    None => context.unconfigured_by_command(&device).await?,
                };
                Some((device.key, seen))
            }
        };
        let looks = futures::stream::iter(aware).map(look);
        let looks = looks.buffer_unordered(self.parallelism.reading.max(1));
        looks.filter_map(std::future::ready).collect().await
    }

    /// `None` where the device does not answer, or was never met: SNMP does not prove who it is.
    async fn unconfigured_by_snmp(&self, device: &Device) -> Option<Vec<SeenEndpoint>> {
        let pin = pin_of(self, device).await.ok()??;
        let credentials = self.keyring.credentials(&device.credentials).ok()?;
        let agent = Way::from(device).agent(&credentials)?;
        device::unconfigured_by_snmp(&agent, pin.mac?).await
    }

    async fn unconfigured_by_command(&self, device: &Device) -> Option<Vec<SeenEndpoint>> {
        let mut contact = observe(self, device).await.ok()?;
        let seen = device::discover(&mut contact.session).await;
        let known: BTreeSet<MacAddr> = (contact.observation.running.managed.endpoints.values())
            .filter_map(|endpoint| endpoint.mac)
            .collect();
        contact.close().await;
        let mut seen = seen.ok()?;
        seen.retain(|endpoint| !known.contains(&endpoint.mac));
        Some(seen)
    }
}
