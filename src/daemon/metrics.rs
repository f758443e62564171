//! What Prometheus reads.

mod billing;

use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::standing::State;
use super::status::Status;

/// In which of its two text formats Prometheus is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// The one of old, which everything reads.
    Plain,
    /// The one that Prometheus asks for.
    OpenMetrics,
}

impl Format {
    /// What the header `Accept` of a request asks for.
    pub(super) fn of(accept: &str) -> Self {
        match accept.contains("application/openmetrics-text") {
            true => Self::OpenMetrics,
            false => Self::Plain,
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDevice {
    device: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfState {
    device: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfChannel {
    channel: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ending {
    outcome: String,
}

type Seconds = Gauge<f64, AtomicU64>;

/// The status as metrics: a handful of series a device.
pub(super) fn text(status: &Status, format: Format) -> String {
    let mut text = String::new();
    // Into a text nothing can fail.
    let _ = encode(&mut text, &registry(status));
    match format {
        Format::OpenMetrics => text,
        Format::Plain => plain(&text),
    }
}

/// The same in the plain format, which calls a counter what its samples are called, and has no end mark.
fn plain(text: &str) -> String {
    let is_counter = |name: &str| text.contains(&format!("# TYPE {name} counter\n"));
    let line = |line: &str| match line.split(' ').collect::<Vec<_>>().as_slice() {
        ["#", "EOF" | "UNIT", ..] => String::new(),
        ["#", word, name, rest @ ..] if is_counter(name) => format!("# {word} {name}_total {}\n", rest.join(" ")),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn registry(status: &Status) -> Registry {
    let mut registry = Registry::with_prefix("gamops");

    let build = Family::<Build, Gauge>::default();
    let version = status.version.clone();
    build.get_or_create(&Build { version }).set(1);
    registry.register("build_info", "The version that runs", build);

    let since = |moment: Option<Timestamp>| {
        let gauge = Seconds::default();
        gauge.set(moment.map_or(0.0, |moment| moment.as_duration().as_secs_f64()));
        gauge
    };
    let force = status.in_force.as_ref().map(|force| force.since);
    registry.register(
        "git_in_force_timestamp_seconds",
        "Since when the commit is in force",
        since(force),
    );
    registry.register(
        "git_looked_timestamp_seconds",
        "When the repository was last looked at with success",
        since(status.looked),
    );
    registry.register(
        "loop_timestamp_seconds",
        "When the daemon's loop last came round",
        since(Some(status.alive)),
    );
    let yes = |is: bool| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::from(is));
        gauge
    };
    let (rejected, unreachable) = (status.rejected.is_some(), status.unreachable.is_some());
    registry.register(
        "git_rejected",
        "Whether the newest commit is not in force, because it is not valid",
        yes(rejected),
    );
    registry.register(
        "git_unreachable",
        "Whether the repository cannot be looked at",
        yes(unreachable),
    );
    registry.register(
        "guarded",
        "Whether a guard or a rule refused the last plan",
        yes(!status.guarded.is_empty()),
    );

    let failing = Family::<OfChannel, Gauge>::default();
    for channel in status.untold.keys() {
        let channel = channel.clone();
        failing.get_or_create(&OfChannel { channel }).set(1);
    }
    registry.register(
        "tell_failing",
        "1 for a channel that does not take what people are to be told",
        failing,
    );

    let rounds = Family::<Ending, Counter>::default();
    for (outcome, count) in &status.rounds {
        let outcome = outcome.clone();
        rounds.get_or_create(&Ending { outcome }).inc_by(*count);
    }
    registry.register("rounds", "Rounds over the fleet, by how they ended", rounds);

    let (states, read, differing) = (
        Family::<OfState, Gauge>::default(),
        Family::<OfDevice, Seconds>::default(),
        Family::<OfDevice, Gauge>::default(),
    );
    for (device, standing) in &status.devices {
        let state = standing.state.word();
        let device = device.clone();
        let of_device = OfDevice { device: device.clone() };
        states.get_or_create(&OfState { device, state }).set(1);
        if let Some(moment) = standing.read {
            read.get_or_create(&of_device).set(moment.as_duration().as_secs_f64());
        }
        let objects = match &standing.state {
            State::Drifted { objects } | State::Observed { objects } => objects.len(),
            _ => 0,
        };
        differing
            .get_or_create(&of_device)
            .set(i64::try_from(objects).unwrap_or(i64::MAX));
    }
    registry.register(
        "device_state",
        "How the device stands; 1 for the state that it is in",
        states,
    );
    registry.register("device_read_timestamp_seconds", "When the device was last read", read);
    registry.register(
        "device_differing_objects",
        "Objects that differ from the inventory and are only shown",
        differing,
    );
    billing::register(&mut registry, &status.billing);
    registry
}
