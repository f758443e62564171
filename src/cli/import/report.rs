//! What an import came to, as text and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::onboard::{Imported, NewFile, TakenIn};
use crate::plan::count;
use crate::plan::model::{Action, DeviceChanges, FieldChange, ObjectChange, Unread};

/// A device of an import.
#[derive(Debug, Serialize)]
pub(super) struct Device {
    /// Its inventory key, where it has one.
    pub(super) key: Option<String>,
    /// Its address, or the file that it was read from.
    pub(super) source: String,
    /// What became of it.
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

/// What became of a device.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Outcome {
    /// It is in the inventory now.
    TakenIn(Counts),
    /// It was there before, and is left as it is.
    Known(Compared),
    /// It could not be read, or not be put into the inventory.
    Failed {
        /// Why.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
}

/// What of a device is in the inventory now.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    subscribers: usize,
    plans: usize,
    endpoints: usize,
    ports: usize,
    left_alone: Vec<LeftAlone>,
}

/// What a device of the inventory holds beside what the inventory says.
#[derive(Debug, Default, Serialize)]
pub(super) struct Compared {
    /// Objects that both have and that differ: `subscriber/s-1: vlan is 3999, in the inventory 210`.
    differs: Vec<String>,
    /// What only the device has.
    not_in_inventory: Vec<String>,
    /// What only the inventory has.
    not_on_device: Vec<String>,
}

impl Compared {
    pub(super) fn of(changes: &DeviceChanges) -> Self {
        let mut compared = Self::default();
        for change in &changes.changes {
            let object = format!("{}/{}", change.kind, change.key);
            match change.action {
                Action::Update => compared.differs.push(format!("{object}: {}", fields(change))),
                Action::Create => compared.not_on_device.push(object),
                Action::Destroy => compared.not_in_inventory.push(object),
            }
        }
        let unmanaged = changes.unmanaged.iter();
        compared
            .not_in_inventory
            .extend(unmanaged.map(|(id, name)| match name.as_str() {
                "" => id.to_string(),
                name => format!("{id} \"{}\"", name),
            }));
        compared
    }

    fn is_empty(&self) -> bool {
        self.differs.is_empty() && self.not_in_inventory.is_empty() && self.not_on_device.is_empty()
    }
}

/// `vlan is 3999, in the inventory 210`.
fn fields(change: &ObjectChange) -> String {
    let say = |value: &str| {
        if value.is_empty() {
            "nothing".to_owned()
        } else {
            value.to_owned()
        }
    };
    let field = |field: &FieldChange| {
        format!(
            "{} is {}, in the inventory {}",
            field.field,
            say(&field.before),
            say(&field.after)
        )
    };
    change.fields.iter().map(field).collect::<Vec<_>>().join("; ")
}

#[derive(Debug, Serialize)]
struct LeftAlone {
    object: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Json<'a> {
    format: u8,
    devices: &'a [Device],
    files: Vec<File<'a>>,
    warnings: &'a [String],
}

#[derive(Debug, Serialize)]
struct File<'a> {
    path: &'a str,
    decisions: usize,
}

impl Outcome {
    pub(super) fn of(taken: &TakenIn) -> Self {
        if let Some(reason) = &taken.refused {
            return Self::Failed {
                reason: reason.clone(),
                help: None,
            };
        }
        let left = taken.left.iter().map(|left| LeftAlone {
            object: left.what.clone(),
            reason: left.reason.clone(),
        });
        Self::TakenIn(Counts {
            subscribers: taken.subscribers,
            plans: taken.plans,
            endpoints: taken.endpoints,
            ports: taken.ports,
            left_alone: left.collect(),
        })
    }

    pub(super) fn failed(unread: Unread) -> Self {
        Self::Failed {
            reason: unread.reason,
            help: unread.help,
        }
    }
}

/// The report for programs.
pub(super) fn json<'i>(devices: &[Device], imported: &'i Imported) -> serde_json::Result<String> {
    let file = |file: &'i NewFile| File {
        path: &file.path,
        decisions: file.questions,
    };
    let json = Json {
        format: 1,
        devices,
        files: imported.files.iter().map(file).collect(),
        warnings: &imported.warnings,
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&json)?))
}

/// The report for people. `folder` is that of the inventory as messages show it.
pub(super) fn text(devices: &[Device], imported: &Imported, folder: &str) -> String {
    let mut out = String::new();
    for device in devices {
        one(&mut out, device);
    }
    if imported.files.is_empty() {
        out.push_str(nothing_written(devices));
        return out;
    }
    let decisions: usize = imported.files.iter().map(|file| file.questions).sum();
    let _ = writeln!(out, "\nWritten to {folder}:");
    for file in &imported.files {
        let questions = match file.questions {
            0 => String::new(),
            some => format!("  {}", count(some, "decision")),
        };
        let _ = writeln!(out, "  {}{questions}", file.path);
    }
    let taken: Vec<&Counts> = devices
        .iter()
        .filter_map(|device| match &device.outcome {
            Outcome::TakenIn(counts) => Some(counts),
            _ => None,
        })
        .collect();
    let left: usize = taken.iter().map(|counts| counts.left_alone.len()).sum();
    let _ = writeln!(
        out,
        "\nTaken in: {}, {}. Left alone: {}. The plan of each device is \"No changes\".",
        count(taken.len(), "device"),
        count(taken.iter().map(|counts| counts.subscribers).sum(), "subscriber"),
        count(left, "object"),
    );
    if !imported.warnings.is_empty() {
        let _ = writeln!(
            out,
            "`gamops validate` has {} about it.",
            count(imported.warnings.len(), "warning")
        );
    }
    out.push_str("\nNext:\n");
    if decisions > 0 {
        let _ = writeln!(out, "  decide what the lines with `# ?` ask");
    }
    let _ = writeln!(
        out,
        "  gamops plan -i {folder}   compares with the devices again, and changes nothing"
    );
    let _ = writeln!(
        out,
        "  `mode: manage` on one device, and `gamops apply -i {folder}`: it sends nothing, and owns from then on what is written"
    );
    out
}

/// Why there is no new file.
fn nothing_written(devices: &[Device]) -> &'static str {
    let differs = |device: &Device| matches!(&device.outcome, Outcome::Known(compared) if !compared.is_empty());
    if devices.iter().any(differs) {
        "\nNothing was written: what differs, or is on one side only, is named above and stays as it is.\n"
    } else {
        "\nNothing to import: no file was written.\n"
    }
}

fn one(out: &mut String, device: &Device) {
    let name = match &device.key {
        Some(key) => format!("{key}  {}", device.source),
        None => device.source.clone(),
    };
    match &device.outcome {
        Outcome::TakenIn(counts) => {
            let _ = writeln!(
                out,
                "{name}  {}, {}, {}, {}",
                count(counts.subscribers, "subscriber"),
                count(counts.plans, "plan"),
                count(counts.endpoints, "endpoint"),
                count(counts.ports, "port"),
            );
            for left in &counts.left_alone {
                let _ = writeln!(out, "  left alone: {}: {}", left.object, left.reason);
            }
        }
        Outcome::Known(compared) if compared.is_empty() => {
            let _ = writeln!(out, "{name}  in the inventory already, and as it says");
        }
        Outcome::Known(compared) => {
            let _ = writeln!(out, "{name}  in the inventory already");
            for (how, objects) in [
                ("differs", &compared.differs),
                ("not in the inventory", &compared.not_in_inventory),
                ("not on the device", &compared.not_on_device),
            ] {
                for object in objects {
                    let _ = writeln!(out, "  {how}: {object}");
                }
            }
        }
        Outcome::Failed { reason, help } => {
            let _ = writeln!(out, "{name}  NOT IMPORTED: {reason}");
            if let Some(help) = help {
                let _ = writeln!(out, "  help: {help}");
            }
        }
    }
}
