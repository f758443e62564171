//! What subscribers are tied to: the device's own choice, which gamops never changes.

use crate::domain::SubscriberModel;
use crate::inventory::desired::DesiredDevice;
use crate::observed::DeviceConfig;

use super::resolve::Refusal;

/// Why a device that shows itself to be of another subscriber model than the inventory says is left alone.
pub(super) fn differs(desired: &DesiredDevice, observed: &DeviceConfig) -> Option<Refusal> {
    let shown = observed.shown_model()?;
    if shown == desired.subscriber_model {
        return None;
    }
    let ties = match shown {
        SubscriberModel::EndpointAware => "endpoints",
        SubscriberModel::PortAware => "ports",
    };
    Some(Refusal {
        rule: "subscriber-model-differs",
        message: format!(
            "the device ties subscribers to {ties}, so it is {shown}; the inventory says {}",
            desired.subscriber_model
        ),
        help: format!(
            "set `subscriber_model: {shown}`; gamops never changes a device's model, because that rewrites its configuration"
        ),
    })
}
