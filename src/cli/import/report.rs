//! What an import came to, as text and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::onboard::adopt::{Adopted, Adoption, How};
use crate::onboard::{Imported, NewFile, TakenIn};
use crate::plan::count;
use crate::plan::model::Unread;

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

/// What a device of the inventory holds beside what the inventory says, and the edit makes of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Compared {
    /// Objects that both have, whose values become those of the device: `subscriber/s-1: vlan: 210 -> 3999`.
    differs: Vec<String>,
    /// What only the device has, and becomes an entry.
    added: Vec<String>,
    /// What only the inventory has, and leaves it.
    removed: Vec<String>,
    /// What stays as it is on both sides.
    left_alone: Vec<LeftAlone>,
}

impl Compared {
    pub(super) fn of(adoption: &Adoption) -> Self {
        let mut compared = Self::default();
        for Adopted {
            address,
            called,
            how,
            what,
            ..
        } in &adoption.adopted
        {
            let object = address.split_once('/').map_or(&**address, |(_, object)| object);
            match how {
                How::Changed => compared.differs.push(format!("{object}: {}", what.join("; "))),
                How::Added => compared.added.push(format!("{called}: {}", what.join("; "))),
                How::Removed => compared.removed.push(object.to_owned()),
            }
        }
        let left = adoption.left.iter().map(|left| LeftAlone {
            object: left.called.clone(),
            reason: left.reason.clone(),
            help: left.help.clone(),
        });
        compared.left_alone = left.collect();
        compared
    }

    fn is_empty(&self) -> bool {
        self.differs.is_empty() && self.added.is_empty() && self.removed.is_empty() && self.left_alone.is_empty()
    }
}

#[derive(Debug, Serialize)]
struct LeftAlone {
    object: String,
    reason: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Debug, Serialize)]
struct Json<'a> {
    format: u8,
    devices: &'a [Device],
    files: Vec<File<'a>>,
    edit: Option<Edit<'a>>,
    warnings: &'a [String],
}

/// The edit of what was there before.
#[derive(Debug, Serialize)]
struct Edit<'a> {
    /// As a unified diff.
    diff: &'a str,
    written: bool,
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
            help: None,
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
pub(super) fn json<'i>(
    devices: &[Device],
    imported: &'i Imported,
    diff: Option<&str>,
    written: bool,
) -> serde_json::Result<String> {
    let file = |file: &'i NewFile| File {
        path: &file.path,
        decisions: file.questions,
    };
    let json = Json {
        format: 1,
        devices,
        files: imported.files.iter().map(file).collect(),
        edit: diff.map(|diff| Edit { diff, written }),
        warnings: &imported.warnings,
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&json)?))
}

/// The report for people. `diff` is the edit of what was there before; `folder` is that of the inventory as messages show it.
pub(super) fn text(devices: &[Device], imported: &Imported, diff: Option<&str>, folder: &str) -> String {
    let mut out = String::new();
    for device in devices {
        one(&mut out, device);
    }
    if !imported.files.is_empty() {
        new_files(&mut out, devices, imported, folder);
    }
    match diff {
        Some(diff) => {
            let _ = writeln!(
                out,
                "\nThis edit takes into the inventory what the devices hold beside it:\n\n{}",
                diff.trim_end()
            );
        }
        None if imported.files.is_empty() => out.push_str(nothing_written(devices)),
        None => {}
    }
    out
}

/// What was written, and what to do next.
fn new_files(out: &mut String, devices: &[Device], imported: &Imported, folder: &str) {
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
}

/// Why nothing is written.
fn nothing_written(devices: &[Device]) -> &'static str {
    let differs = |device: &Device| matches!(&device.outcome, Outcome::Known(compared) if !compared.is_empty());
    if devices.iter().any(differs) {
        "\nNothing to import: what is named above is left alone, and stays as it is on both sides.\n"
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
                ("only on the device", &compared.added),
                ("no longer on the device, taken out", &compared.removed),
            ] {
                for object in objects {
                    let _ = writeln!(out, "  {how}: {object}");
                }
            }
            for left in &compared.left_alone {
                let _ = writeln!(out, "  left alone: {}: {}", left.object, left.reason);
                if let Some(help) = &left.help {
                    let _ = writeln!(out, "    help: {help}");
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
