//! Changing ports, profiles, endpoints and notches: every check that the vendor's error list names and a command
//! line can reach. Subscribers are next door.
//!
//! A change is checked whole before anything of it is kept.

use crate::domain::{MacAddr, Medium, PortBinding};
use crate::sim::knobs::InUse;
use crate::sim::refusal::Refusal;
use crate::sim::spec::DeviceSpec;

use super::{Config, Endpoint, Notch, Port, Profile};

/// What a `ghn port` command gives.
#[derive(Debug, Default)]
pub(in crate::sim) struct PortEdit {
    pub(in crate::sim) siso: Option<bool>,
    pub(in crate::sim) name: Option<String>,
    pub(in crate::sim) shutdown: Option<bool>,
}

/// What a `ghn bw-profile` command gives.
#[derive(Debug, Default)]
pub(in crate::sim) struct ProfileEdit {
    pub(in crate::sim) name: Option<String>,
    pub(in crate::sim) description: Option<String>,
    pub(in crate::sim) down: Option<u32>,
    pub(in crate::sim) up: Option<u32>,
    pub(in crate::sim) service_limit_level: Option<u8>,
}

/// What a `ghn endpoint` command gives.
#[derive(Debug, Default)]
pub(in crate::sim) struct EndpointEdit {
    pub(in crate::sim) name: Option<String>,
    pub(in crate::sim) mac: Option<MacAddr>,
    pub(in crate::sim) description: Option<String>,
    pub(in crate::sim) port: Option<PortBinding>,
    pub(in crate::sim) management_access: Option<bool>,
}

impl Config {
    /// `ghn port <n> ...`
    pub(in crate::sim) fn set_port(&mut self, spec: &DeviceSpec, id: u16, edit: PortEdit) -> Result<(), Refusal> {
        if id == 0 || id > spec.model.ports {
            return Err(Refusal::INVALID_PORT);
        }
        if edit.siso.is_some() && spec.model.medium == Medium::Coax {
            return Err(Refusal::PORT_MODE);
        }
        let mut port = self.ports.get(&id).cloned().unwrap_or_default();
        if let Some(name) = edit.name {
            if !name.is_empty() && self.ports.iter().any(|(other, held)| *other != id && held.name == name) {
                return Err(Refusal::PORT_NAME_TAKEN);
            }
            port.name = name;
        }
        port.siso = edit.siso.unwrap_or(port.siso);
        port.shutdown = edit.shutdown.unwrap_or(port.shutdown);
        if port == Port::default() {
            self.ports.remove(&id);
        } else {
            self.ports.insert(id, port);
        }
        Ok(())
    }

    /// `no ghn port <n>`: back to the defaults.
    pub(in crate::sim) fn reset_port(&mut self, spec: &DeviceSpec, id: u16) -> Result<(), Refusal> {
        if id == 0 || id > spec.model.ports {
            return Err(Refusal::INVALID_PORT);
        }
        self.ports.remove(&id);
        Ok(())
    }

    /// `ghn bw-profile <id> ...`. Rates that nobody gives start at 10, like the default profile's; what a
    /// real device does is unknown.
    pub(in crate::sim) fn set_profile(&mut self, spec: &DeviceSpec, id: u16, edit: ProfileEdit) -> Result<(), Refusal> {
        let held = self.profiles.get(&id);
        if held.is_none() && self.profiles.len() >= spec.knobs.max_profiles {
            return Err(Refusal::PROFILES_FULL);
        }
        let mut profile = held.cloned().unwrap_or(Profile {
            name: String::new(),
            description: String::new(),
            down: 10,
            up: 10,
            service_limit_level: None,
        });
        profile.name = edit.name.unwrap_or(profile.name);
        if profile.name.is_empty() {
            return Err(Refusal::PROFILE_NAME);
        }
        if self
            .profiles
            .iter()
            .any(|(other, held)| *other != id && held.name == profile.name)
        {
            return Err(Refusal::PROFILE_NAME_TAKEN);
        }
        let allowed = |rate: u32| rate == 0 || (10..=1999).contains(&rate);
        profile.down = edit.down.unwrap_or(profile.down);
        if !allowed(profile.down) {
            return Err(Refusal::PROFILE_DOWN);
        }
        profile.up = edit.up.unwrap_or(profile.up);
        if !allowed(profile.up) {
            return Err(Refusal::PROFILE_UP);
        }
        profile.description = edit.description.unwrap_or(profile.description);
        profile.service_limit_level = edit.service_limit_level.or(profile.service_limit_level);
        self.profiles.insert(id, profile);
        Ok(())
    }

    /// `no ghn bw-profile <id>`. That profile 1 cannot be deleted is assumed.
    pub(in crate::sim) fn delete_profile(&mut self, in_use: InUse, id: u16) -> Result<(), Refusal> {
        if id == 1 {
            return Err(Refusal::INVALID_PROFILE);
        }
        if !self.profiles.contains_key(&id) {
            return Err(Refusal::NO_SUCH_PROFILE);
        }
        let mut users = self
            .subscribers
            .values_mut()
            .filter(|subscriber| subscriber.profile == Some(id));
        match in_use {
            InUse::Refuse if users.next().is_some() => return Err(Refusal::GENERIC),
            InUse::Clear => users.for_each(|subscriber| subscriber.profile = None),
            InUse::Refuse | InUse::Dangle => {}
        }
        self.profiles.remove(&id);
        Ok(())
    }

    /// `ghn endpoint <id> ...`
    pub(in crate::sim) fn set_endpoint(
        &mut self,
        spec: &DeviceSpec,
        id: u16,
        edit: EndpointEdit,
    ) -> Result<(), Refusal> {
        let mut endpoint = match self.endpoints.get(&id) {
            Some(held) => held.clone(),
            None => {
                if self.endpoints.len() >= spec.knobs.max_endpoints {
                    return Err(Refusal::ENDPOINTS_FULL);
                }
                let mac = edit.mac.ok_or(Refusal::ENDPOINT_MAC)?;
                Endpoint {
                    name: mac.default_endpoint_name(),
                    mac,
                    description: String::new(),
                    port: PortBinding::Unassigned,
                    management_access: false,
                }
            }
        };
        endpoint.mac = edit.mac.unwrap_or(endpoint.mac);
        endpoint.name = edit.name.unwrap_or(endpoint.name);
        endpoint.description = edit.description.unwrap_or(endpoint.description);
        endpoint.port = edit.port.unwrap_or(endpoint.port);
        endpoint.management_access = edit.management_access.unwrap_or(endpoint.management_access);
        if endpoint.mac.is_null() || endpoint.mac.is_group() {
            return Err(Refusal::ENDPOINT_MAC);
        }
        if endpoint.name.is_empty() {
            return Err(Refusal::ENDPOINT_NAME);
        }
        let mut others = self.endpoints.iter().filter(|(other, _)| **other != id);
        if others.clone().any(|(_, held)| held.mac == endpoint.mac) {
            return Err(Refusal::ENDPOINT_MAC_TAKEN);
        }
        if others.any(|(_, held)| held.name == endpoint.name) {
            return Err(Refusal::ENDPOINT_NAME_TAKEN);
        }
        if let PortBinding::Port(port) = endpoint.port {
            if port.get() > spec.model.ports {
                return Err(Refusal::INVALID_PORT);
            }
            if self.serves_elsewhere(id, port) {
                return Err(Refusal::AUTO_ENDPOINT_ELSEWHERE);
            }
            let on_port = self
                .endpoints
                .iter()
                .filter(|(other, held)| **other != id && held.port == endpoint.port)
                .count();
            if on_port >= spec.model.medium.endpoints_per_port() {
                return Err(Refusal::PORT_FULL);
            }
        }
        self.endpoints.insert(id, endpoint);
        Ok(())
    }

    /// `no ghn endpoint <id>`
    pub(in crate::sim) fn delete_endpoint(&mut self, in_use: InUse, id: u16) -> Result<(), Refusal> {
        if !self.endpoints.contains_key(&id) {
            return Err(Refusal::NO_SUCH_ENDPOINT);
        }
        let user = self
            .subscribers
            .values_mut()
            .find(|subscriber| subscriber.endpoint == Some(id));
        if let Some(subscriber) = user {
            match in_use {
                InUse::Refuse => return Err(Refusal::ENDPOINT_TAKEN),
                InUse::Clear => subscriber.endpoint = None,
                InUse::Dangle => {}
            }
        }
        self.endpoints.remove(&id);
        Ok(())
    }

    /// `ghn notch <id> startfreq .. stopfreq .. depth ..`: 3.5 to 100 MHz on copper, 1.955 to 200 on coax,
    /// depth in halves up to 40 (CLI guide).
    pub(in crate::sim) fn set_notch(&mut self, spec: &DeviceSpec, id: u16, notch: Notch) -> Result<(), Refusal> {
        let (low, high) = match spec.model.medium {
            Medium::Copper => (3.5, 100.0),
            Medium::Coax => (1.955, 200.0),
        };
        let number = |text: &str| text.parse::<f64>().map_err(|_| Refusal::NOTCH_PARAMETER);
        let (start, stop, depth) = (number(&notch.start)?, number(&notch.stop)?, number(&notch.depth)?);
        let in_band = low <= start && start < stop && stop <= high;
        if !in_band || !(0.5..=40.0).contains(&depth) || (depth * 2.0).fract() != 0.0 {
            return Err(Refusal::NOTCH_PARAMETER);
        }
        self.notches.insert(id, notch);
        Ok(())
    }

    /// `no ghn notch <id>`
    pub(in crate::sim) fn delete_notch(&mut self, id: u16) -> Result<(), Refusal> {
        self.notches.remove(&id).map(|_| ()).ok_or(Refusal::NOTCH_ID)
    }
}
