//! Endpoints that are plugged in and that nobody has configured: what a new customer's service waits for.

use crate::billing::SeenEndpoint;
use crate::inventory::model::{Device, Mode};
use crate::reconcile::Context;

/// What devices see and do not know. One that does not answer sees nothing.
pub(super) async fn seen(context: &Context) -> Vec<SeenEndpoint> {
    let asked = |device: &&Device| device.mode == Mode::Manage && !context.aside.contains(&device.key);
    let devices: Vec<Device> = context.inventory.devices.values().filter(asked).cloned().collect();
    let strangers = context.strangers(devices).await;
    let seen = strangers.into_iter().flat_map(|(device, endpoints)| {
        endpoints.into_iter().map(move |endpoint| SeenEndpoint {
            device: device.clone(),
            port: endpoint.port,
            mac: endpoint.mac,
        })
    });
    seen.collect()
}
