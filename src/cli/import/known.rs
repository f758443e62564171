//! Devices that the inventory has already: what they hold beside it, as an edit of its texts.

use std::collections::BTreeMap;

use crate::cli::edits::Proposal;
use crate::inventory::model::Inventory;
use crate::onboard::adopt::{Adoption, Compared, Settled, Wanted, settle};
use crate::onboard::{self, Existing, Found};
use crate::plan::model::{DeviceChanges, Unread};
use crate::reconcile::{Context, Reading};

use super::Args;
use super::place::Place;

/// What is known of a device of the inventory.
pub(super) enum Basis {
    /// It was read.
    Read(Box<Reading>),
    /// It was saved.
    Saved(Box<Found>),
}

impl Basis {
    /// Plans it for an inventory.
    fn plan(&self, context: &Context, inventory: &Inventory, key: &str) -> Result<DeviceChanges, Unread> {
        match self {
            Self::Read(reading) => reading.plan(context, inventory, key),
            Self::Saved(found) => onboard::compare(found, inventory, key).ok_or_else(|| Unread {
                reason: "the inventory has no such device".to_owned(),
                help: None,
                lasting: true,
            }),
        }
    }

    fn compared(&self, context: &Context, inventory: &Inventory, key: &str) -> Result<Compared, Unread> {
        let unreadable = match self {
            Self::Read(reading) => reading.unreadable(),
            Self::Saved(found) => found.unreadable.clone(),
        };
        Ok(Compared {
            changes: self.plan(context, inventory, key)?,
            unreadable,
        })
    }
}

/// What the devices hold beside the inventory, by their keys, and the edit that takes it in. Ends the sessions.
///
/// # Errors
///
/// [`Unread`] where the inventory does not have a device any more.
pub(super) async fn compare(
    args: &Args,
    place: &Place,
    context: &Context,
    known: BTreeMap<String, Basis>,
) -> Result<(BTreeMap<String, Adoption>, Option<Proposal>), Unread> {
    let Some(existing) = place.existing() else {
        return Ok(Default::default());
    };
    let settled = work_out(args, existing, context, &known);
    for basis in known.into_values() {
        if let Basis::Read(reading) = basis {
            reading.close().await;
        }
    }
    let Settled { edited, adoptions } = settled?;
    let proposal = edited.map(|edited| Proposal::of(&args.inventory.inventory, existing.files, edited));
    Ok((adoptions, proposal))
}

fn work_out(
    args: &Args,
    existing: Existing<'_>,
    context: &Context,
    known: &BTreeMap<String, Basis>,
) -> Result<Settled, Unread> {
    let mut devices = BTreeMap::new();
    for (key, basis) in known {
        devices.insert(key.clone(), basis.compared(context, existing.inventory, key)?);
    }
    let wanted = Wanted::Everything {
        remove_missing: args.remove_missing,
    };
    settle(existing, devices, wanted, &|inventory, key| match known.get(key) {
        Some(basis) => basis.plan(context, inventory, key),
        None => Err(Unread {
            reason: format!("{key} was not read"),
            help: None,
            lasting: true,
        }),
    })
}
