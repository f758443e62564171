//! Progress on stderr: a bar on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::plan::count;
use crate::reconcile::{self, Event, Events};

use super::say;

/// The listener of a run's events.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    listener: JoinHandle<()>,
}

impl Progress {
    /// Starts listening; `devices` is how many will be looked at.
    pub(super) fn start(devices: usize) -> (Self, Events) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let terminal = std::io::stderr().is_terminal();
        let bar = bar(devices, "reading devices");
        let listener = tokio::spawn(listen(receiver, bar.clone(), terminal));
        (Self { bar, listener }, Events::to(sender))
    }

    /// Takes the bar off the screen until there is more to show.
    pub(super) fn pause(&self) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
    }

    /// Tells what is left to tell and takes the bar off the screen for good. Everything that can still tell
    /// something (the run's context) must be gone by then.
    pub(super) async fn finish(self) {
        // A listener that panicked has nothing more to tell.
        let _ = self.listener.await;
        self.bar.finish_and_clear();
    }
}

/// A bar over so many things, on a terminal; elsewhere one that shows nothing.
pub(super) fn bar(of: usize, message: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(of).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len}") {
        bar.set_style(style);
    }
    bar.set_message(message);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

async fn listen(mut events: mpsc::UnboundedReceiver<Event>, bar: ProgressBar, terminal: bool) {
    let mut commands: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    while let Some(event) = events.recv().await {
        let (device, what) = match event {
            Event::Device { device, what } => (device, what),
            Event::Wave { number, of, devices } => {
                tell(
                    &bar,
                    terminal,
                    &format!("wave {number} of {of}: {}", count(devices, "device")),
                );
                continue;
            }
            Event::Pause { number, of, length } => {
                bar.enable_steady_tick(Duration::from_millis(120));
                let words = format!("wave {number} of {of} begins in {length}; Ctrl-C ends the run here");
                tell(&bar, terminal, &words);
                continue;
            }
        };
        use reconcile::Progress::{
            Applying, Contacting, Finished, NotRead, Read, Reconnecting, RolledBack, RollingBack, Saving, Sent,
            Stopped, Verifying, Waiting,
        };
        match what {
            Contacting => {}
            Read | NotRead => bar.inc(1),
            Applying { commands: total } => {
                commands.insert(device.clone(), (0, total));
                show(
                    &bar,
                    &commands,
                    terminal,
                    &device,
                    &format!("sending {}", count(total, "command")),
                );
            }
            Sent { done } => {
                if let Some((sent, _)) = commands.get_mut(&device) {
                    *sent = done;
                }
                refresh(&bar, &commands);
            }
            Verifying => show(&bar, &commands, terminal, &device, "reading back"),
            Saving => show(&bar, &commands, terminal, &device, "verified, saving"),
            Waiting => show(&bar, &commands, terminal, &device, "verified, waits to be confirmed"),
            Reconnecting => show(&bar, &commands, terminal, &device, "reaching it again"),
            RollingBack => show(&bar, &commands, terminal, &device, "failed, giving back what it held"),
            RolledBack => show(&bar, &commands, terminal, &device, "holds what it held before"),
            Finished => show(&bar, &commands, terminal, &device, "done"),
            Stopped { reason } => show(&bar, &commands, terminal, &device, &format!("stopped: {reason}")),
        }
    }
}

fn show(bar: &ProgressBar, commands: &BTreeMap<String, (usize, usize)>, terminal: bool, device: &str, words: &str) {
    tell(bar, terminal, &format!("{device}: {words}"));
    if terminal {
        refresh(bar, commands);
    }
}

fn tell(bar: &ProgressBar, terminal: bool, words: &str) {
    if terminal {
        bar.set_message(words.to_owned());
    } else {
        say(words);
    }
}

/// While commands are sent, the bar counts commands of all devices.
fn refresh(bar: &ProgressBar, commands: &BTreeMap<String, (usize, usize)>) {
    let (done, total) = commands
        .values()
        .fold((0, 0), |(done, total), (d, t)| (done + d, total + t));
    if total > 0 {
        if bar.is_finished() {
            bar.reset();
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    }
}
