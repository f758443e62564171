//! The displays: what `show ...` and `dir` print, in the shapes of the CLI guide's samples.

pub(super) mod ghn;

use std::fmt::Write as _;
use std::time::Duration;

use super::alarm::{Alarm, Event};
use super::shell::DEFAULT;
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
pub(super) fn date(uptime: Duration) -> String {
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

/// Hours, minutes and seconds of the day.
pub(super) fn clock(uptime: Duration) -> String {
    let seconds = uptime.as_secs();
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// What was set under some words: `snmp-server contact`.
pub(super) fn setting<'s>(state: &'s State, key: &str) -> &'s str {
    let line = state.running.settings.get(key);
    line.and_then(|line| line.strip_prefix(key)).unwrap_or_default().trim()
}

/// When the firmware was built.
pub(super) const BUILT: &str = "2024-03-19T06:41:53-04:00";

/// `show version`
pub(super) fn version(state: &State, uptime: Duration) -> String {
    let spec = &state.spec;
    let seconds = uptime.as_secs();
    let mac = spec.base_mac().to_string().replace(':', "-");
    let uptime_text = format!("{:02}d {}", seconds / 86_400, clock(uptime));
    let (firmware, revision) = (&spec.firmware, code_revision(state));
    let family = &firmware.family;
    let (major, minor, patch) = firmware.version;
    let built = BUILT;
    let lines = [
        system_description(state),
        String::new(),
        format!(" MAC Address      : {mac}"),
        " Previous Restart : Cold".to_owned(),
        String::new(),
        format!(" System Contact   : {}", setting(state, "snmp-server contact")),
        format!(" System Name      : {}", state.running.hostname),
        format!(" System Location  : {}", setting(state, "snmp-server location")),
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

const ALARM_HEADER: &str = "Sev SvAff Entity     Alarm           Occurrence Date/Time      Description\n\
     --- ----- ---------- --------------- ------------------------- -----------\n";

fn alarm_line(text: &mut String, severity: &str, alarm: &Alarm, when: Duration) {
    let affecting = if alarm.service_affecting { "YES" } else { "NO" };
    let _ = writeln!(
        text,
        "{severity}   {affecting:<5} {:<10} {:<15} {} {}",
        alarm.entity(),
        alarm.condition.word(),
        date(when),
        alarm.condition.description()
    );
}

/// `show alarm active`
pub(super) fn alarms(state: &State) -> String {
    let mut text = ALARM_HEADER.to_owned();
    for alarm in state.alarms.active.values() {
        alarm_line(&mut text, alarm.severity(), alarm, alarm.since);
    }
    text
}

/// `show alarm log`: no sample of it exists. Clearings show as `CL`.
pub(super) fn alarm_log(state: &State) -> String {
    let mut text = ALARM_HEADER.to_owned();
    for (_, logged) in state.alarms.log() {
        let severity = match logged.event {
            Event::Clearing => "CL",
            Event::Raising | Event::Changed => logged.alarm.severity(),
        };
        alarm_line(&mut text, severity, &logged.alarm, logged.at);
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
    let mut total = state.default_text().len();
    let mut text = format!("Directory of flash:\nr- 1970-01-01 00:00:00 {total:>8} {DEFAULT}\n");
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
