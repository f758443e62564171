//! Endpoints that are plugged in and that nobody has configured: what a new customer's service waits for.

use crate::billing::SeenEndpoint;
use crate::inventory::model::{Device, Mode};
use crate::reconcile::{Asked, Context};

/// What devices see and do not know. One that does not answer sees nothing.
pub(super) async fn seen(context: &Context, asked: Asked) -> Vec<SeenEndpoint> {
    let is_asked = |device: &&Device| device.mode == Mode::Manage && !context.aside.contains(&device.key);
    let devices: Vec<Device> = context.inventory.devices.values().filter(is_asked).cloned().collect();
    let unconfigured = context.unconfigured(devices, asked).await;
    let seen = unconfigured.into_iter().flat_map(|(device, endpoints)| {
        endpoints.into_iter().map(move |endpoint| SeenEndpoint {
            device: device.clone(),
            port: endpoint.port,
            mac: endpoint.mac,
        })
    });
    seen.collect()
}
