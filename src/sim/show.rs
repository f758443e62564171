//! The displays: what `show ...` and `dir` print, in the shapes of the CLI guide's samples.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::{MacAddr, Medium, PortBinding};

use super::commands::Act;
use super::grammar::Match;
use super::refusal::Refusal;
use super::state::State;

/// The system description: exact model first, which `Product` in `show version` does not tell.
pub(super) fn system_description(state: &State) -> String {
    format!("{} GigaBit Ethernet Switch", state.spec.model.name)
}

/// The code revision that goes with a firmware version: those that were seen, else one in between.
pub(super) fn code_revision(state: &State) -> u32 {
    match state.spec.firmware.version {
        (1, 1, 0) => 20028,
        (1, 2, 0) => 21298,
        (1, 5, 4) => 24791,
        (1, 8, 0) => 27787,
        (1, 8, 2) => 28146,
        (major, minor, patch) => 20000 + 1000 * u32::from(major * minor) + u32::from(patch),
    }
}

/// A moment of a clock that started at 1970, as a date.
fn date(uptime: Duration) -> String {
    let seconds = uptime.as_secs();
    let (day, rest) = (seconds / 86_400, seconds % 86_400);
    format!(
        "1970-01-{:02}T{:02}:{:02}:{:02}+00:00",
        1 + day.min(30),
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// `show version`
pub(super) fn version(state: &State, uptime: Duration) -> String {
    let spec = &state.spec;
    let seconds = uptime.as_secs();
    let mac = spec.base_mac().to_string().replace(':', "-");
    let uptime_text = format!(
        "{:02}d {:02}:{:02}:{:02}",
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    );
    let setting = |key: &str| {
        state
            .running
            .settings
            .get(key)
            .and_then(|line| line.strip_prefix(key))
            .map(str::trim)
            .unwrap_or_default()
            .to_owned()
    };
    let (firmware, revision) = (&spec.firmware, code_revision(state));
    let family = &firmware.family;
    let (major, minor, patch) = firmware.version;
    let built = "2024-03-19T06:41:53-04:00";
    let lines = [
        system_description(state),
        String::new(),
        format!(" MAC Address      : {mac}"),
        " Previous Restart : Cold".to_owned(),
        String::new(),
        format!(" System Contact   : {}", setting("snmp-server contact")),
        format!(" System Name      : {}", state.running.hostname),
        format!(" System Location  : {}", setting("snmp-server location")),
        format!(" System Time      : {}", date(uptime)),
        format!(" System Uptime    : {uptime_text}"),
        String::new(),
        " Bootloader".to_owned(),
        " ----------".to_owned(),
        " Image            : RedBoot (bootloader)".to_owned(),
        " Version          : version 1_4-18990".to_owned(),
        " Date             : 13:09:38, Jul 25 2019".to_owned(),
        String::new(),
        " Active Image".to_owned(),
        " ------------".to_owned(),
        " Image            : linux (primary)".to_owned(),
        format!(" Version          : {firmware}"),
        format!(" Date             : {built}"),
        format!(" Upload filename  : gam_{major}_{minor}_{patch}_r{revision}.mfip"),
        String::new(),
        " Backup Image".to_owned(),
        " ------------".to_owned(),
        " Image            : linux.bk (backup)".to_owned(),
        format!(" Version          : {family}_v1.1.0"),
        format!(" Date             : {built}"),
        String::new(),
        " ------------------".to_owned(),
        " SID : 1".to_owned(),
        " ------------------".to_owned(),
        " Chipset ID       : VSC7468".to_owned(),
        " Board Type       : Jaguar2-cu8sfp16".to_owned(),
        format!(" Port Count       : {}", spec.model.ports + spec.model.uplinks + 1),
        format!(" Product          : Positron {family} Switch"),
        format!(" Software Version : {firmware}"),
        format!(" Build Date       : {built}"),
        format!(" Code Revision    : {revision}"),
    ];
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// `show ghn discover all`: everything seen, and what is configured on a port but not seen.
pub(super) fn discover(state: &State) -> String {
    let mut rows: BTreeMap<(u16, MacAddr), (bool, bool)> = BTreeMap::new();
    for (mac, port) in &state.plugged {
        let configured = state.running.endpoints.values().any(|endpoint| endpoint.mac == *mac);
        rows.insert((*port, *mac), (configured, true));
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
pub(super) fn port(state: &State, found: &Match<Act>) -> Result<String, Refusal> {
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
        let _ = write!(text, "Port: {id}\nInfo\n----\n");
        for counter in [
            "tx_bytes",
            "rx_bytes",
            "tx_packets",
            "rx_packets",
            "out_queue_full",
            "tx_errors",
            "rx_errors",
        ] {
            let _ = writeln!(text, "{counter:<20}: 0");
        }
        let _ = write!(text, "Errors\n------\n");
        for counter in [
            "tx_collisions",
            "tx_max_collisions",
            "rx_errors",
            "rx_collisions",
            "rx_length_errors",
            "rx_storage_errors",
            "rx_fifo_errors",
            "rx_crc_errors",
        ] {
            let _ = writeln!(text, "{counter:<20}: 0");
        }
    } else {
        let seen: Vec<&MacAddr> = state
            .plugged
            .iter()
            .filter(|(_, port)| **port == id)
            .map(|(mac, _)| mac)
            .collect();
        let _ = write!(text, "Active Links: {}\nDiscovered Endpoint MAC:\n", seen.len());
        for mac in seen {
            let _ = writeln!(text, "    {mac}");
        }
    }
    Ok(text)
}

/// The address of a G.hn port: they follow the base MAC.
pub(super) fn port_mac(state: &State, port: u16) -> MacAddr {
    let mut octets = state.spec.base_mac().octets();
    let [_, low] = port.to_be_bytes();
    octets[5] = octets[5].wrapping_add(low);
    MacAddr::new(octets)
}

/// `show ghn bw-profile <id>`, with the unit misspelt as the guide's sample has it.
pub(super) fn profile(state: &State, found: &Match<Act>) -> Result<String, Refusal> {
    let id: u16 = found.number("id").unwrap_or(0);
    let profile = state.running.profiles.get(&id).ok_or(Refusal::NO_SUCH_PROFILE)?;
    Ok(format!(
        "Name: {}\nDescription: {}\nDS: {} Mbps\nUS: {} Mbp\n",
        profile.name, profile.description, profile.down, profile.up
    ))
}

/// `show ghn endpoint <id> { configuration | status }`
pub(super) fn endpoint(state: &State, found: &Match<Act>, uptime: Duration) -> Result<String, Refusal> {
    let id: u16 = found.number("id").unwrap_or(0);
    let endpoint = state.running.endpoints.get(&id).ok_or(Refusal::NO_SUCH_ENDPOINT)?;
    if found.has("configuration") {
        let access = if endpoint.management_access { "Yes" } else { "No" };
        return Ok(format!(
            "MAC: {}\nName: {}\nDescription: {}\nManagement Access: {access}\nGAM port Id: {}\n",
            endpoint.mac, endpoint.name, endpoint.description, endpoint.port
        ));
    }
    let port = state.plugged.get(&endpoint.mac).ok_or(Refusal::ENDPOINT_NOT_FOUND)?;
    let seconds = uptime.as_secs();
    Ok(format!(
        "Discovered Endpoint on G.hn port {port}\nEndpoint MAC: {}\nModel                            : {}\n\
         Serial no                        : 01013599\nUptime                           : {} days, {}h {}m {}s\n",
        endpoint.mac,
        match state.spec.model.medium {
            Medium::Coax => "G1001-C",
            Medium::Copper => "G1001-M",
        },
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    ))
}

/// `show ghn subscriber <id>`
pub(super) fn subscriber(state: &State, found: &Match<Act>) -> Result<String, Refusal> {
    let id: u16 = found.number("id").unwrap_or(0);
    let subscriber = state.running.subscribers.get(&id).ok_or(Refusal::NO_SUCH_SUBSCRIBER)?;
    let or_none = |value: Option<u16>| value.map_or("None".to_owned(), |value| value.to_string());
    Ok(format!(
        "Name: {}\nDescription: {}\nVlan: {} {}\nEndpoint Id: {}\nBW profile Id: {}\nAllowed Vlan: {}\n",
        subscriber.name,
        subscriber.description,
        subscriber.vid,
        if subscriber.tagged { "Tagged" } else { "Untagged" },
        or_none(subscriber.endpoint),
        or_none(subscriber.profile),
        subscriber.allowed
    ))
}

/// `show ghn vectorboost engine configuration`
pub(super) fn vectorboost(state: &State) -> String {
    let value = |keyword: &str, default: u16| {
        let key = format!("ghn vectorboost engine cdta {keyword}");
        state
            .running
            .vectorboost
            .get(&key)
            .and_then(|line| line.rsplit(' ').next())
            .and_then(|number| number.parse().ok())
            .unwrap_or(default)
    };
    let is = |key: &str, line: &str| {
        state
            .running
            .vectorboost
            .get(key)
            .is_some_and(|held| held.ends_with(line))
    };
    let coexistence = is("ghn vectorboost engine vdsl-coexistence", " yes");
    let enabled = !is("ghn vectorboost engine cdta state", " disable");
    let yes = |yes: bool| if yes { "Yes" } else { "No" };
    let ratio = |tenths: u16| format!("{}:{}", tenths * 10, 100 - tenths.min(10) * 10);
    let weight = value("down-up-weight", 50);
    format!(
        "VectorBoost Engine Global configuration\n---------------------------------------\n\
         VDSL Coexistence     : {}\nVectorBoost Engine CDTA configuration\n\
         -------------------------------------\nCDTA Enabled         : {}\n\
         Down:up Weight       : {weight}:{}\nMinimum Down:Up Rate : {}\nMaximum Down:Up Rate : {}\n\
         Default Down:Up Rate : {}\nPercent Metric Change : {}%\n",
        yes(coexistence),
        yes(enabled),
        100 - weight.min(100),
        ratio(value("min-down-up-rate", 3)),
        ratio(value("max-down-up-rate", 7)),
        ratio(value("default-down-up-rate", 5)),
        value("perc-metric-change", 5)
    )
}

/// `show ghn notch configuration`: ten rows, zeros where free.
pub(super) fn notches(state: &State) -> String {
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

/// `show alarm active`: endpoints that are missing, or on a port that is not theirs.
pub(super) fn alarms(state: &State) -> String {
    let mut text = "Sev SvAff Entity     Alarm           Occurrence Date/Time      Description\n\
                    --- ----- ---------- --------------- ------------------------- -----------\n"
        .to_owned();
    for (id, endpoint) in &state.running.endpoints {
        let PortBinding::Port(port) = endpoint.port else {
            continue;
        };
        let (alarm, description) = match state.plugged.get(&endpoint.mac) {
            None => ("LOS", "Endpoint (CPE) loss of signal (missing)"),
            Some(seen) if *seen != port.get() => ("PORTMISMATCH", "Endpoint (CPE) on wrong port"),
            Some(_) => continue,
        };
        let served = state.running.subscriber_of(*id).is_some();
        let (severity, affecting) = if served { ("MJ", "YES") } else { ("MN", "NO") };
        let entity = format!("CPE-{id}");
        let _ = writeln!(
            text,
            "{severity}   {affecting:<5} {entity:<10} {alarm:<15} {} {description}",
            date(Duration::ZERO)
        );
    }
    text
}

/// `show vlan`
pub(super) fn vlans(state: &State) -> String {
    let mut text =
        "VLAN  Name                              Interfaces\n----  --------------------------------  ----------\n"
            .to_owned();
    for vlan in &state.running.vlans {
        let name = state
            .running
            .sections
            .get(&format!("vlan {vlan}"))
            .and_then(|section| section.get("name"))
            .and_then(|line| line.strip_prefix("name "))
            .map_or_else(
                || {
                    if *vlan == 1 {
                        "default".to_owned()
                    } else {
                        format!("VLAN{vlan:04}")
                    }
                },
                str::to_owned,
            );
        let interfaces = if *vlan == 1 { "Gi 1/1" } else { "" };
        let line = format!("{vlan:<4}  {name:<32}  {interfaces}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// `dir`
pub(super) fn directory(state: &State) -> String {
    const DEFAULT_SIZE: usize = 316;
    let mut text = format!("Directory of flash:\nr- 1970-01-01 00:00:00 {DEFAULT_SIZE:>8} default-config\n");
    let mut total = DEFAULT_SIZE;
    for (name, file) in &state.flash {
        let when = date(file.written);
        let _ = writeln!(
            text,
            "rw {} {} {:>8} {name}",
            &when[..10],
            &when[11..19],
            file.text.len()
        );
        total += file.text.len();
    }
    let _ = writeln!(text, "{} files, {total} bytes total.", state.flash.len() + 1);
    text
}
