//! What an import came to, for people and programs.

use crate::domain::ProfileId;
use crate::observed::{DeviceConfig, ObjectId};

use super::draft::Draft;
use super::page::Page;

/// New files, and what is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The files, in the order in which a reader would want them.
    pub files: Vec<NewFile>,
    /// One entry for each device that was handed in, by key.
    pub devices: Vec<TakenIn>,
    /// Warnings that `gamops validate` has about the inventory as a whole, as one line each.
    pub warnings: Vec<String>,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Path below the folder of the root file, `/` between the parts.
    pub path: String,
    /// Whole content.
    pub text: String,
    /// How many decisions it asks for, each on a line that begins with `# ?`.
    pub questions: usize,
}

/// What became of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenIn {
    /// Which of the devices that were handed in it is.
    pub found: usize,
    /// Its inventory key.
    pub key: String,
    /// Why it is not in the inventory at all. `None`: it is.
    pub refused: Option<String>,
    /// How many subscribers were taken in.
    pub subscribers: usize,
    /// How many plans they have.
    pub plans: usize,
    /// How many endpoints, those of subscribers included.
    pub endpoints: usize,
    /// How many ports.
    pub ports: usize,
    /// What was left alone on it, unmanaged.
    pub left: Vec<Left>,
}

/// An object that is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// `subscriber 7 "John" with endpoint 00:0e:d8:00:00:01`.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// A text of a device as part of a line: control characters are written out.
pub(super) fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for char in text.chars() {
        match char.is_control() {
            true => harmless.extend(char.escape_default()),
            false => harmless.push(char),
        }
    }
    harmless
}

/// An object in words, what its name holds made harmless.
pub(super) fn describe(config: &DeviceConfig, id: ObjectId) -> String {
    let name = config.name_of(id).map(|name| format!(" \"{}\"", harmless(name)));
    let endpoint = match id {
        ObjectId::Subscriber(id) => config.subscribers.get(&id).and_then(|one| one.endpoint),
        _ => None,
    };
    let mac = endpoint.and_then(|id| config.endpoints.get(&id)?.mac);
    let mac = mac.map(|mac| format!(" with endpoint {mac}"));
    format!("{id}{}{}", name.unwrap_or_default(), mac.unwrap_or_default())
}

/// Tells what the pages hold of each device.
pub(super) fn imported(draft: &Draft<'_>, pages: Vec<Page>, warnings: Vec<String>) -> Imported {
    let devices = (0..draft.devices.len())
        .filter_map(|place| taken_in(draft, place))
        .collect();
    let files = pages.into_iter().map(|page| NewFile {
        path: page.path,
        text: page.text,
        questions: page.questions,
    });
    Imported {
        files: files.collect(),
        devices,
        warnings,
    }
}

fn taken_in(draft: &Draft<'_>, place: usize) -> Option<TakenIn> {
    let device = draft.devices.get(place)?;
    let mut taken = TakenIn {
        found: device.place,
        key: device.key.clone(),
        refused: draft.reason(super::draft::Item::Device(place)).map(str::to_owned),
        subscribers: 0,
        plans: 0,
        endpoints: 0,
        ports: 0,
        left: Vec::new(),
    };
    if taken.refused.is_some() {
        return Some(taken);
    }
    let subscribers: Vec<_> = draft.subscribers_in(place).map(|(_, one)| one).collect();
    let plans: std::collections::BTreeSet<usize> =
        subscribers.iter().filter_map(|one| draft.plan_of(place, one)).collect();
    let is_in = |id| !draft.is_out(super::draft::Item::Object(place, id));
    let spares = device
        .spares
        .keys()
        .filter(|id| is_in(ObjectId::Endpoint(**id)))
        .count();
    taken.subscribers = subscribers.len();
    taken.plans = plans.len();
    taken.endpoints = spares
        + subscribers
            .iter()
            .filter(|one| device.endpoint_of(one).is_some())
            .count();
    taken.ports = device
        .config
        .ports
        .keys()
        .filter(|port| is_in(ObjectId::Port(**port)))
        .count();
    let left = draft.out_on(place).map(|(id, reason)| Left {
        what: describe(&device.config, id),
        reason: reason.to_owned(),
    });
    taken.left = left.collect();
    let unused = device
        .config
        .profiles
        .keys()
        .filter(|id| **id != ProfileId::DEVICE_DEFAULT);
    let unused = unused.filter(|id| draft.users_on(place, **id).is_empty());
    taken.left.extend(unused.map(|id| Left {
        what: describe(&device.config, ObjectId::Profile(*id)),
        reason: "no subscriber has it".to_owned(),
    }));
    Some(taken)
}
