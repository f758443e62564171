//! The rows.

use gamops::sim::{Counted, Fault, Moment};

use super::{device, repin, set};
use crate::crash::place_of;
use crate::fleet::TestFleet;

/// What the next plan is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Change,
    Rest,
    Save,
}

impl Next {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Change => "the change",
            Self::Rest => "the rest",
            Self::Save => "to save",
        }
    }
}

/// One thing that goes wrong, and what is true afterwards.
pub(super) struct Row {
    /// Of the test.
    pub(super) name: &'static str,
    pub(super) fault: &'static str,
    /// Before the change is written down.
    pub(super) before: fn(&TestFleet),
    /// Makes it go wrong, at so many moments in turn.
    pub(super) arrange: fn(&TestFleet, u32),
    pub(super) times: u32,
    pub(super) kills: bool,
    /// What a person does about it before planning again.
    pub(super) repair: fn(&TestFleet),
    pub(super) says: &'static str,
    pub(super) exit: &'static str,
    pub(super) journal: &'static str,
    pub(super) saved: bool,
    pub(super) next: Next,
}

impl Row {
    pub(super) fn shown(&self) -> String {
        if self.says.is_empty() {
            String::new()
        } else {
            format!("`{}`", self.says)
        }
    }
}

const ROW: Row = Row {
    name: "",
    fault: "",
    before: |_| {},
    arrange: |_, _| {},
    times: 1,
    kills: false,
    repair: |_| {},
    says: "",
    exit: "0",
    journal: "saved",
    saved: true,
    next: Next::Nothing,
};

/// Commands of the change.
const COMMANDS: u32 = 6;

/// A part of each command of the change.
const PARTS: [&str; 6] = [
    "name \"silver\"",
    "mac-address 00:0e:d8:00:00:03",
    "vid 112",
    "name \"s-3\"",
    "no ghn subscriber 1",
    "no ghn endpoint 1",
];

fn drop_at(fleet: &TestFleet, at: u32, of: Counted, when: Moment) {
    set(fleet, Fault::Drop { at, of, when });
}

fn reboot_at(fleet: &TestFleet, at: u32, of: Counted, when: Moment) {
    set(fleet, Fault::Reboot { at, of, when });
}

fn hold_at(fleet: &TestFleet, at: u32, of: Counted, when: Moment) {
    set(fleet, Fault::Hold { at, of, when });
}

fn garbage_at(fleet: &TestFleet, at: u32, behind: Option<&str>) {
    let behind = behind.map(str::to_owned);
    set(fleet, Fault::Garbage { at, behind });
}

fn typing_at(fleet: &TestFleet, at: u32, of: Counted, lines: &str) {
    let lines = lines.to_owned();
    set(fleet, Fault::Typing { at, of, lines });
}

fn save(fleet: &TestFleet) {
    device(fleet).execute("copy running-config startup-config");
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "slow",
        fault: "every answer takes its time, that to an empty line at login too",
        arrange: |fleet, _| set(fleet, Fault::Slow { millis: 250 }),
        ..ROW
    },
    Row {
        name: "split_words",
        fault: "answers come byte by byte, words split",
        arrange: |fleet, _| {
            set(
                fleet,
                Fault::Pieces {
                    size: 1,
                    pause_millis: 0,
                },
            );
        },
        ..ROW
    },
    Row {
        name: "pager_in_the_way",
        fault: "the pager stays on and asks at every page",
        arrange: |fleet, _| {
            set(
                fleet,
                Fault::Ignore {
                    containing: "terminal length".to_owned(),
                },
            );
        },
        ..ROW
    },
    Row {
        name: "silent_snmp",
        fault: "SNMP is silent",
        arrange: |fleet, _| set(fleet, Fault::SnmpSilence),
        ..ROW
    },
    Row {
        name: "half_a_reply",
        fault: "half an answer, then silence until the deadline",
        arrange: |fleet, _| hold_at(fleet, 3, Counted::Configuration, Moment::InOutput),
        says: "no reply to command",
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "garbage_in_a_reply",
        fault: "bytes that are no text in the answer to a change",
        arrange: |fleet, _| garbage_at(fleet, place_of("ghn subscriber 2"), None),
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "garbage_in_the_reading",
        fault: "bytes that are no text in the configuration as it is read for the plan",
        arrange: |fleet, _| garbage_at(fleet, 4, Some("ghn subscr")),
        says: "STALE",
        exit: "6",
        journal: "none",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "garbage_in_the_reading_back",
        fault: "bytes that are no text in the configuration as it is read to verify",
        arrange: |fleet, _| garbage_at(fleet, place_of("show running-config"), Some("ghn subscr")),
        says: "the device does not hold what it was asked to",
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "no_session_left",
        fault: "others hold all sessions",
        arrange: |fleet, _| set(fleet, Fault::SessionsTaken),
        says: "NOT READ",
        exit: "1",
        journal: "none",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "rejected_login",
        fault: "the login is rejected (it is tried once)",
        arrange: |fleet, _| set(fleet, Fault::RefuseLogins),
        says: "NOT READ",
        exit: "1",
        journal: "none",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "other_host_key",
        fault: "the host key is not the pinned one",
        arrange: |fleet, _| repin(fleet, "host_key", OTHER_KEY),
        repair: |fleet| {
            let _ = fleet.run(&["trust", "maple", "--auto-approve"]);
        },
        says: "host key",
        exit: "1",
        journal: "none",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "other_device",
        fault: "another device answers at the address",
        arrange: |fleet, _| repin(fleet, "mac", "00:0e:d8:77:77:77"),
        repair: |fleet| {
            let mac = device(fleet).spec().base_mac().to_string();
            repin(fleet, "mac", &mac);
        },
        says: "another device answers at",
        exit: "1",
        journal: "none",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "cut_off_before_each_command",
        fault: "the line breaks before a command takes effect, each in turn",
        arrange: |fleet, at| drop_at(fleet, at, Counted::Configuration, Moment::Before),
        times: COMMANDS,
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "cut_off_after_each_command",
        fault: "the line breaks after a command took effect, each in turn",
        arrange: |fleet, at| drop_at(fleet, at, Counted::Configuration, Moment::After),
        times: COMMANDS,
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "rebooted_at_each_command",
        fault: "the device restarts at a command, each in turn",
        arrange: |fleet, at| reboot_at(fleet, at, Counted::Configuration, Moment::After),
        times: COMMANDS,
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "rebooted_before_saving",
        fault: "the device restarts between verifying and saving",
        arrange: |fleet, _| reboot_at(fleet, place_of("copy "), Counted::Any, Moment::Before),
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "cut_off_while_saving",
        fault: "the line breaks after the device saved, before it says so",
        arrange: |fleet, _| drop_at(fleet, place_of("copy "), Counted::Any, Moment::After),
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "refused_at_each_command",
        fault: "the device refuses a command, each in turn",
        arrange: |fleet, at| {
            set(
                fleet,
                Fault::Refuse {
                    containing: PARTS[usize::try_from(at - 1).unwrap()].to_owned(),
                    text: "Maximum number of G.hn objects reached for the system".to_owned(),
                },
            );
        },
        times: COMMANDS,
        says: "the device refused a command",
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "refused_to_save",
        fault: "the device refuses to save",
        arrange: |fleet, _| {
            set(
                fleet,
                Fault::Refuse {
                    containing: "copy running-config".to_owned(),
                    text: "Error: File system full".to_owned(),
                },
            );
        },
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "altered_value",
        fault: "the device takes a value for another (103 for 104)",
        arrange: |fleet, _| {
            set(
                fleet,
                Fault::Alter {
                    containing: "vid 103".to_owned(),
                    instead: "vid 104".to_owned(),
                },
            );
        },
        says: "the device does not hold what it was asked to",
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "ignored_command",
        fault: "the device takes a command without a word and ignores it",
        arrange: |fleet, _| {
            set(
                fleet,
                Fault::Ignore {
                    containing: "vid 112".to_owned(),
                },
            );
        },
        says: "the device does not hold what it was asked to",
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "somebody_before_the_first_command",
        fault: "somebody changes something between plan and apply",
        arrange: |fleet, _| typing_at(fleet, place_of("conf") - 1, Counted::Any, "ghn subscriber 2 vid 222"),
        says: "STALE",
        exit: "6",
        journal: "none",
        saved: false,
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "somebody_elsewhere_meanwhile",
        fault: "somebody adds a subscriber of his own meanwhile",
        arrange: |fleet, _| {
            typing_at(
                fleet,
                3,
                Counted::Configuration,
                "ghn subscriber 70 name \"typed\" vid 990 untagged",
            );
        },
        ..ROW
    },
    Row {
        name: "somebody_at_the_same_object",
        fault: "somebody changes meanwhile what is being changed",
        arrange: |fleet, _| {
            typing_at(
                fleet,
                place_of("show running-config"),
                Counted::Any,
                "ghn subscriber 2 vid 222",
            )
        },
        repair: save,
        exit: "5",
        journal: "rolled-back",
        next: Next::Change,
        ..ROW
    },
    Row {
        name: "killed_at_each_command",
        fault: "gamops is killed (`kill -9`) after a command took effect, each in turn but the last",
        arrange: |fleet, at| hold_at(fleet, at, Counted::Configuration, Moment::After),
        times: COMMANDS - 1,
        kills: true,
        exit: "killed",
        journal: "sending",
        saved: false,
        next: Next::Rest,
        ..ROW
    },
    Row {
        name: "killed_before_saving",
        fault: "gamops is killed between verifying and saving",
        arrange: |fleet, _| hold_at(fleet, place_of("copy "), Counted::Any, Moment::Before),
        kills: true,
        exit: "killed",
        journal: "verified",
        saved: false,
        next: Next::Save,
        ..ROW
    },
];

/// Of nobody: a key made for this test.
const OTHER_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
