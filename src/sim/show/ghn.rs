//! What `show ghn ...` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::{MacAddr, Medium, PortBinding};
use crate::sim::commands::Act;
use crate::sim::endpoint::Plug;
use crate::sim::grammar::Match;
use crate::sim::line::{Line, Traffic};
use crate::sim::refusal::Refusal;
use crate::sim::state::State;

use super::code_revision;

/// `show ghn discover all`: everything seen, and what is configured on a port but not seen.
pub(in crate::sim) fn discover(state: &State) -> String {
    let mut rows: BTreeMap<(u16, MacAddr), (bool, bool)> = BTreeMap::new();
    for (mac, plug) in &state.plugged {
        let configured = state.running.endpoints.values().any(|endpoint| endpoint.mac == *mac);
        rows.insert((plug.port, *mac), (configured, true));
    }
    for endpoint in state.running.endpoints.values() {
        if let PortBinding::Port(port) = endpoint.port
            && !state.plugged.contains_key(&endpoint.mac)
        {
            rows.insert((port.get(), endpoint.mac), (true, false));
        }
    }
    let mut text = "Port MACAddress        Configured IsUP\n-----------------------------------------\n".to_owned();
    let word = |yes: bool| if yes { "yes" } else { "no" };
    for ((port, mac), (configured, up)) in rows {
        let mac = mac.to_string().to_uppercase();
        let _ = writeln!(text, "{port:>3}   {mac:<17} {:<11}{}", word(configured), word(up));
    }
    text
}

/// `show ghn port <n> { configuration | statistics | status }`
pub(in crate::sim) fn port(state: &State, found: &Match<Act>, uptime: Duration) -> Result<String, Refusal> {
    let id: u16 = found.number("id").unwrap_or(0);
    if id == 0 || id > state.spec.model.ports {
        return Err(Refusal::INVALID_PORT);
    }
    let port = state.running.ports.get(&id).cloned().unwrap_or_default();
    let mut text = String::new();
    if found.has("configuration") {
        let mode = match (state.spec.model.medium, port.siso) {
            (Medium::Coax, _) => "COAX",
            (Medium::Copper, false) => "MIMO",
            (Medium::Copper, true) => "SISO",
        };
        let enable = if port.shutdown { "No" } else { "Yes" };
        let mac = port_mac(state, id);
        let _ = write!(
            text,
            "Enable: {enable}\nName: {}\nMAC: {mac}\nMode: {mode}\n",
            port.name
        );
    } else if found.has("statistics") {
        let _ = writeln!(text, "Port: {id}");
        text.push_str(&statistics(state.port_traffic(id, uptime)));
    } else {
        let seen = state.plugged.iter().filter(|(_, plug)| plug.port == id);
        let _ = write!(
            text,
            "Active Links: {}\nDiscovered Endpoint MAC:\n",
            seen.clone().count()
        );
        for (mac, _) in seen {
            let _ = writeln!(text, "    {mac}");
        }
    }
    Ok(text)
}

/// Counters as `name : value`. Packets that are dropped or broken there are none.
fn statistics(traffic: Traffic) -> String {
    let mut text = "Info\n----\n".to_owned();
    for (name, value) in [
        ("tx_bytes", traffic.tx_bytes),
        ("rx_bytes", traffic.rx_bytes),
        ("tx_packets", traffic.tx_packets),
        ("rx_packets", traffic.rx_packets),
        ("out_queue_full", 0),
        ("tx_errors", 0),
        ("rx_errors", 0),
    ] {
        let _ = writeln!(text, "{name:<20}: {value}");
    }
    text.push_str("Errors\n------\n");
    for name in [
        "tx_collisions",
        "tx_max_collisions",
        "rx_errors",
        "rx_collisions",
        "rx_length_errors",
        "rx_storage_errors",
        "rx_fifo_errors",
        "rx_crc_errors",
    ] {
        let _ = writeln!(text, "{name:<20}: 0");
    }
    text
}

/// The address of a G.hn port: they follow the base MAC.
pub(in crate::sim) fn port_mac(state: &State, port: u16) -> MacAddr {
    let mut octets = state.spec.base_mac().octets();
    let [_, low] = port.to_be_bytes();
    octets[5] = octets[5].wrapping_add(low);
    MacAddr::new(octets)
}

/// `show ghn bw-profile <id>`, with the unit misspelt as the guide's sample has it.
pub(in crate::sim) fn profile(state: &State, found: &Match<Act>) -> Result<String, Refusal> {
    let id: u16 = found.number("id").unwrap_or(0);
    let profile = state.running.profiles.get(&id).ok_or(Refusal::NO_SUCH_PROFILE)?;
    Ok(format!(
        "Name: {}\nDescription: {}\nDS: {} Mbps\nUS: {} Mbp\n",
        profile.name, profile.description, profile.down, profile.up
    ))
}

/// `show ghn endpoint <id> { configuration | statistics | status }`
pub(in crate::sim) fn endpoint(state: &State, found: &Match<Act>, uptime: Duration) -> Result<String, Refusal> {
    let id: u16 = found.number("id").unwrap_or(0);
    let endpoint = state.running.endpoints.get(&id).ok_or(Refusal::NO_SUCH_ENDPOINT)?;
    if found.has("configuration") {
        let access = if endpoint.management_access { "Yes" } else { "No" };
        return Ok(format!(
            "MAC: {}\nName: {}\nDescription: {}\nManagement Access: {access}\nGAM port Id: {}\n",
            endpoint.mac, endpoint.name, endpoint.description, endpoint.port
        ));
    }
    let plug = state.plugged.get(&endpoint.mac).ok_or(Refusal::ENDPOINT_NOT_FOUND)?;
    if found.has("statistics") {
        return Ok(statistics(plug.traffic(uptime)));
    }
    Ok(endpoint_status(state, endpoint.mac, plug, uptime))
}

fn endpoint_status(state: &State, mac: MacAddr, plug: &Plug, uptime: Duration) -> String {
    let line = Line::of(mac, state.spec.model.medium);
    let mut text = format!("Discovered Endpoint on G.hn port {}\nEndpoint MAC: {mac}\n", plug.port);
    let mut row = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<38} : {value}");
    };
    row("Model", plug.model.name().to_owned());
    row("Serial no", serial(mac));
    row("FW Version", plug.model.firmware(code_revision(state)));
    for (label, rate) in [
        ("Downstream Current Allocated Bandwidth", line.down_allocated),
        ("Upstream Current Allocated Bandwidth", line.up_allocated),
        ("Downstream Max Allocatable Bandwidth", line.down_most),
        ("Upstream Max Allocatable Bandwidth", line.up_most),
        ("Downstream Current Usage", line.down_used),
        ("Upstream Current Usage", line.up_used),
    ] {
        row(label, format!("{rate:>4} Mbps"));
    }
    if let Some(metres) = line.metres {
        row("Downstream Number of Allocated Bands", "1".to_owned());
        row("Upstream Number of Allocated Bands", "1".to_owned());
        row("Estimated Wire Length", format!("{metres} m"));
    }
    row("Uptime", uptime_text(uptime.saturating_sub(plug.since)));
    text
}

/// The serial number of an endpoint: eight digits, as seen in the guide.
pub(in crate::sim) fn serial(mac: MacAddr) -> String {
    let [_, _, a, b, c, d] = mac.octets();
    format!("{:08}", u32::from_be_bytes([a, b, c, d]) % 100_000_000)
}

/// An endpoint's uptime: `12 days, 2h 18m 33s`.
pub(in crate::sim) fn uptime_text(uptime: Duration) -> String {
    let seconds = uptime.as_secs();
    format!(
        "{} days, {}h {}m {}s",
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// `show ghn subscriber <id>`
pub(in crate::sim) fn subscriber(state: &State, found: &Match<Act>) -> Result<String, Refusal> {
    let id: u16 = found.number("id").unwrap_or(0);
    let subscriber = state.running.subscribers.get(&id).ok_or(Refusal::NO_SUCH_SUBSCRIBER)?;
    let or_none = |value: Option<u16>| value.map_or("None".to_owned(), |value| value.to_string());
    Ok(format!(
        "Name: {}\nDescription: {}\nVlan: {} {}\nEndpoint Id: {}\nBW profile Id: {}\nAllowed Vlan: {}\n",
        subscriber.name,
        subscriber.description,
        subscriber.vid,
        if subscriber.tagged { "Tagged" } else { "Untagged" },
        or_none(state.running.serving(id)),
        or_none(subscriber.profile),
        subscriber.allowed
    ))
}

/// What was set with `ghn vectorboost engine cdta <keyword>`, else the default.
pub(in crate::sim) fn cdta(state: &State, keyword: &str, default: u16) -> u16 {
    let key = format!("ghn vectorboost engine cdta {keyword}");
    let line = state.running.vectorboost.get(&key);
    line.and_then(|line| line.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(default)
}

/// Whether `ghn vectorboost engine vdsl-coexistence yes` was said.
pub(in crate::sim) fn vdsl_coexistence(state: &State) -> bool {
    let line = state.running.vectorboost.get("ghn vectorboost engine vdsl-coexistence");
    line.is_some_and(|line| line.ends_with(" yes"))
}

/// Whether the split between down and up is dynamic: unless that was disabled.
pub(in crate::sim) fn vectorboost_enabled(state: &State) -> bool {
    let line = state.running.vectorboost.get("ghn vectorboost engine cdta state");
    !line.is_some_and(|line| line.ends_with(" disable"))
}

/// `show ghn vectorboost engine configuration`
pub(in crate::sim) fn vectorboost(state: &State) -> String {
    let value = |keyword, default| cdta(state, keyword, default);
    let yes = |yes: bool| if yes { "Yes" } else { "No" };
    let ratio = |tenths: u16| format!("{}:{}", tenths * 10, 100 - tenths.min(10) * 10);
    let weight = value("down-up-weight", 50);
    format!(
        "VectorBoost Engine Global configuration\n---------------------------------------\n\
         VDSL Coexistence     : {}\nVectorBoost Engine CDTA configuration\n\
         -------------------------------------\nCDTA Enabled         : {}\n\
         Down:up Weight       : {weight}:{}\nMinimum Down:Up Rate : {}\nMaximum Down:Up Rate : {}\n\
         Default Down:Up Rate : {}\nPercent Metric Change : {}%\n",
        yes(vdsl_coexistence(state)),
        yes(vectorboost_enabled(state)),
        100 - weight.min(100),
        ratio(value("min-down-up-rate", 3)),
        ratio(value("max-down-up-rate", 7)),
        ratio(value("default-down-up-rate", 5)),
        value("perc-metric-change", 5)
    )
}

/// `show ghn notch configuration`: ten rows, zeros where free.
pub(in crate::sim) fn notches(state: &State) -> String {
    let mut text = "id startfreq stopfreq depth\n---------------------------\n".to_owned();
    for id in 1..=10 {
        let (start, stop, depth) = match state.running.notches.get(&id) {
            Some(notch) => (notch.start.as_str(), notch.stop.as_str(), notch.depth.as_str()),
            None => ("0", "0", "0"),
        };
        let _ = writeln!(text, "{id:>2} {start:>9} {stop:>8} {depth:>5}");
    }
    text
}
