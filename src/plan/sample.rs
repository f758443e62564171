//! What a plan is made from, for tests: a device with nothing special about it.

use std::sync::Arc;

use jiff::Timestamp;

use super::drift::Leave;
use super::impact::duration::Timings;
use super::record::Record;
use super::{Inputs, Readings};
use crate::domain::{Firmware, MacAddr};
use crate::inventory::desired::DesiredDevice;
use crate::observed::{Capabilities, DeviceConfig, Identity, RunningConfig};

/// Does something with the inputs of a plan for a device that holds this, at the beginning of time and outside of any window.
pub(crate) fn with_inputs<R>(
    desired: &DesiredDevice,
    held: &DeviceConfig,
    records: &[Record],
    plan: impl FnOnce(Inputs<'_>) -> R,
) -> R {
    let firmware: Firmware = "GAM-12/24-C_v1.8.2".parse().unwrap();
    let running = RunningConfig {
        managed: Arc::new(held.clone()),
        ..RunningConfig::default()
    };
    plan(Inputs {
        desired: &Arc::new(desired.clone()),
        readings: Readings {
            running: &Arc::new(running),
            startup: None,
            write: |_| String::new(),
        },
        identity: &Identity {
            mac: MacAddr::new([0, 0x0e, 0xd8, 0, 0, 1]),
            model: None,
            firmware: firmware.clone(),
            serial: None,
        },
        capabilities: &Capabilities::of_firmware(&firmware),
        records: &Arc::new(records.to_vec()),
        pauses: &[],
        remembered: None,
        unfinished: false,
        timings: &Timings::default(),
        now: Timestamp::UNIX_EPOCH,
        window: None,
        targets: None,
        leave: Leave::default(),
    })
}
