//! The control protocol of a running simulator: one JSON object per line in, one out. What a test does through
//! [`SimDevice`](super::SimDevice), a person does through this.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::{BillingKind, MacAddr, PortNumber};

use super::billing::{Order, Systems};
use super::endpoint::EndpointModel;
use super::fault::Fault;
use super::fleet::Fleet;

/// All that a running simulator has: devices, and billing systems beside them.
#[derive(Debug)]
pub struct Simulation {
    /// The devices.
    pub fleet: Fleet,
    /// The billing systems.
    pub billing: Systems,
}

/// What is asked of a simulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Names and addresses of all devices.
    Devices,
    /// The running configuration.
    RunningConfig {
        /// Device name.
        device: String,
    },
    /// The startup configuration; null when there is none.
    StartupConfig {
        /// Device name.
        device: String,
    },
    /// Runs command lines as somebody else would from a session of their own.
    Execute {
        /// Device name.
        device: String,
        /// Lines, joined by `\n`.
        lines: String,
    },
    /// Adds a fault.
    Fault {
        /// Device name.
        device: String,
        /// Which.
        fault: Fault,
    },
    /// Takes away all faults.
    ClearFaults {
        /// Device name.
        device: String,
    },
    /// Connects an endpoint to a port.
    Plug {
        /// Device name.
        device: String,
        /// Endpoint.
        mac: MacAddr,
        /// G.hn port.
        port: PortNumber,
        /// What it is; the usual one when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<EndpointModel>,
    },
    /// Disconnects an endpoint.
    Unplug {
        /// Device name.
        device: String,
        /// Endpoint.
        mac: MacAddr,
    },
    /// Restarts a device; the answer comes when it is up again.
    Reboot {
        /// Device name.
        device: String,
    },
    /// What has happened so far.
    Counters {
        /// Device name.
        device: String,
    },
    /// Something is done in a billing system.
    Billing {
        /// Which.
        system: BillingKind,
        /// What.
        order: Order,
    },
}

impl Request {
    fn device(&self) -> Option<&str> {
        match self {
            Self::Devices | Self::Billing { .. } => None,
            Self::RunningConfig { device }
            | Self::StartupConfig { device }
            | Self::Execute { device, .. }
            | Self::Fault { device, .. }
            | Self::ClearFaults { device }
            | Self::Plug { device, .. }
            | Self::Unplug { device, .. }
            | Self::Reboot { device }
            | Self::Counters { device } => Some(device),
        }
    }
}

impl Simulation {
    /// Answers one line of the control protocol: `{"ok":true,"result":...}` or `{"ok":false,"error":"..."}`,
    /// without a line end.
    pub async fn control(&self, line: &str) -> String {
        let answer = match serde_json::from_str::<Request>(line) {
            Ok(request) => self.obey(request).await,
            Err(error) => Err(format!("not a request: {error}")),
        };
        match answer {
            Ok(result) => json!({"ok": true, "result": result}).to_string(),
            Err(error) => json!({"ok": false, "error": error}).to_string(),
        }
    }

    async fn obey(&self, request: Request) -> Result<Value, String> {
        if let Request::Billing { system, order } = &request {
            return self.billing.obey(*system, order);
        }
        let device = match request.device() {
            Some(name) => (self.fleet.device(name)).ok_or_else(|| format!("there is no simulated device {name}"))?,
            None => {
                let devices = self.fleet.devices().map(|device| {
                    json!({
                        "device": device.spec().name,
                        "model": device.spec().model.name,
                        "ssh": device.ssh_addr().to_string(),
                        "snmp": device.snmp_addr().to_string(),
                    })
                });
                return Ok(devices.collect());
            }
        };
        Ok(match request {
            Request::Devices | Request::Billing { .. } => Value::Null,
            Request::RunningConfig { .. } => device.running_config().into(),
            Request::StartupConfig { .. } => device.startup_config().into(),
            Request::Execute { lines, .. } => device.execute(&lines).into(),
            Request::Fault { fault, .. } => {
                device.set_fault(fault);
                Value::Null
            }
            Request::ClearFaults { .. } => {
                device.clear_faults();
                Value::Null
            }
            Request::Plug {
                mac,
                port,
                model: endpoint,
                ..
            } => {
                if port.get() > device.spec().model.ports {
                    let model = device.spec().model;
                    return Err(format!("a {model} has no G.hn port {port}"));
                }
                device.plug_model(mac, port, endpoint);
                Value::Null
            }
            Request::Unplug { mac, .. } => {
                device.unplug(mac);
                Value::Null
            }
            Request::Reboot { .. } => {
                device.reboot().await;
                Value::Null
            }
            Request::Counters { .. } => json!(device.counters()),
        })
    }
}
