//! Files in flash: `copy`, `more`, `delete`.

use std::time::Duration;

use crate::sim::commands::Act;
use crate::sim::grammar::Match;
use crate::sim::state::{File, STARTUP, State};

use super::{Reply, Shell, Then};

const RUNNING: &str = "running-config";
/// The read-only file of the factory state.
pub(in crate::sim) const DEFAULT: &str = "default-config";

/// A copy that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct CopyJob {
    text: String,
    to: String,
}

impl Shell {
    /// Finishes a copy: writes the file, or runs the lines when they go into the running configuration.
    pub(in crate::sim) fn finish_copy(job: CopyJob, state: &mut State, uptime: Duration) -> String {
        state.copying = false;
        if job.to == RUNNING {
            let rejected = state.load(&job.text);
            state.settle(uptime);
            return rejected.into_iter().map(|line| line.reply).collect();
        }
        let output = format!("% Saving {} bytes to flash:{}\n", job.text.len(), job.to);
        let file = File {
            text: job.text,
            written: uptime,
        };
        state.flash.insert(job.to, file);
        output
    }
}

fn flash_name(text: &str) -> Option<&str> {
    text.strip_prefix("flash:").filter(|name| !name.is_empty())
}

/// The text of a file in flash.
fn file(name: &str, state: &State) -> Option<String> {
    if name == DEFAULT {
        return Some(state.default_text());
    }
    state.flash.get(name).map(|file| file.text.clone())
}

/// `more flash:<name>`
pub(super) fn more(found: &Match<Act>, state: &State) -> Reply {
    let name = found.value("file").unwrap_or_default();
    match flash_name(name).and_then(|name| file(name, state)) {
        Some(text) => Reply::text(text),
        None => Reply::error(format!("{name}: No such file or directory")),
    }
}

/// `delete flash:<name>`
pub(super) fn delete(found: &Match<Act>, state: &mut State) -> Reply {
    let name = found.value("file").unwrap_or_default();
    match flash_name(name) {
        Some(DEFAULT) => Reply::error(format!("{name}: Permission denied")),
        Some(file) if state.flash.remove(file).is_some() => Reply::nothing(),
        _ => Reply::error(format!("{name}: No such file or directory")),
    }
}

/// `copy <from> <to>`: two words, each a keyword or `flash:<name>`.
pub(super) fn copy(found: &Match<Act>, state: &mut State) -> Reply {
    let mut places = found.arguments.iter().skip(1).take(2).map(|argument| {
        let text = argument.text.as_str();
        if argument.value { flash_name(text) } else { Some(text) }
    });
    let (Some(Some(from)), Some(Some(to))) = (places.next(), places.next()) else {
        return Reply::error("Invalid file name");
    };
    let (from, to) = (from.to_owned(), to.to_owned());
    if from == to {
        return Reply::error("Source and destination are the same");
    }
    if to == DEFAULT {
        return Reply::error(format!("flash:{to}: Permission denied"));
    }
    if state.copying {
        return Reply::error("Another I/O operation is in progress, try again later");
    }
    let (output, text) = if from == RUNNING {
        ("Building configuration...\n".to_owned(), state.saved_text())
    } else {
        match file(&from, state) {
            Some(text) => (String::new(), text),
            None => return Reply::error(format!("flash:{from}: No such file or directory")),
        }
    };
    if found.has("syntax-check") {
        return Reply::text(output);
    }
    state.copying = true;
    Reply {
        output,
        then: Then::Copy(CopyJob { text, to }),
    }
}

impl CopyJob {
    /// Whether it writes the file that is loaded at boot.
    pub(in crate::sim) fn is_save(&self) -> bool {
        self.to == STARTUP
    }
}
