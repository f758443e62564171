//! What a run tells while it goes on, for progress bars and plain lines alike.

use tokio::sync::mpsc;

use crate::domain::TimeSpan;

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// On one device.
    Device {
        /// Inventory key.
        device: String,
        /// What happened.
        what: Progress,
    },
    /// A wave of devices begins.
    Wave {
        /// Which one, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// How many devices it has.
        devices: usize,
    },
    /// The run waits before a wave.
    Pause {
        /// Which one, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// How long.
        length: TimeSpan,
    },
}

/// What happened on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Its session is being opened.
    Contacting,
    /// It was read.
    Read,
    /// It could not be read.
    NotRead,
    /// Its commands are about to be sent.
    Applying {
        /// How many there are.
        commands: usize,
    },
    /// A command was taken.
    Sent {
        /// How many were taken so far.
        done: usize,
    },
    /// It is read again.
    Verifying,
    /// It is being saved.
    Saving,
    /// It holds what it should, and waits to be confirmed.
    Waiting,
    /// Its session is gone, and it is being reached again.
    Reconnecting,
    /// It is being given back what it held before.
    RollingBack,
    /// It holds what it held before.
    RolledBack,
    /// It holds what it should, saved.
    Finished,
    /// It was left unfinished.
    Stopped {
        /// Why, in one line.
        reason: String,
    },
}

/// The sending end. Nobody listening is fine.
#[derive(Debug, Clone, Default)]
pub struct Events(Option<mpsc::UnboundedSender<Event>>);

impl Events {
    /// Events that go to a listener.
    #[must_use]
    pub fn to(sender: mpsc::UnboundedSender<Event>) -> Self {
        Self(Some(sender))
    }

    /// Tells what happened.
    pub(super) fn tell(&self, device: &str, what: Progress) {
        self.send(|| Event::Device {
            device: device.to_owned(),
            what,
        });
    }

    /// Tells that a wave begins.
    pub(super) fn tell_wave(&self, number: usize, of: usize, devices: usize) {
        self.send(|| Event::Wave { number, of, devices });
    }

    /// Tells that the run waits before a wave.
    pub(super) fn tell_pause(&self, number: usize, of: usize, length: TimeSpan) {
        self.send(|| Event::Pause { number, of, length });
    }

    fn send(&self, event: impl FnOnce() -> Event) {
        if let Some(sender) = &self.0 {
            // A listener that has gone does not stop the work.
            let _ = sender.send(event());
        }
    }
}
