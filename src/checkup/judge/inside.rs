//! What a session shows: terminal, privilege, and what the device holds.

use jiff::{SignedDuration, Timestamp};

use crate::observed::Evidence;

use super::super::{Agent, Facts, Finding, Inside, Login, Reading, Saved, Spoken};

/// A clock that nobody has set begins in 1970 (CLI guide); no device is older than this.
const OLDEST: &str = "2015-01-01T00:00:00Z";
/// How far a clock may be off: alarms and logs of several devices can still be put in order.
const TOLERATED: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn terminal(inside: &Inside) -> Finding {
    let prompt = &inside.prompt;
    if inside.terminal_refused.is_empty() {
        Finding::ok("terminal", format!("prompt `{prompt}`, pager off, wide lines"))
    } else {
        let refused = inside.terminal_refused.join("`, `");
        Finding::note(
            "terminal",
            format!("prompt `{prompt}`; it refused `{refused}`, and its pager and scrolled lines are read instead"),
        )
    }
}

pub(super) fn privilege(inside: &Inside) -> Finding {
    const CHECK: &str = "privilege";
    match &inside.config_mode {
        _ if !inside.privileged => Finding::problem(CHECK, "this user gets a `>` prompt and may only look")
            .help("give the user privilege 15 on the device, or name other credentials"),
        Some(Ok(())) => Finding::ok(CHECK, "config mode can be entered"),
        Some(Err(trouble)) => Finding {
            help: trouble.help.clone(),
            ..Finding::problem(CHECK, format!("config mode cannot be entered: {}", trouble.reason))
        },
        None => Finding::note(CHECK, "`#` prompt; config mode was not tried"),
    }
}

/// What the device holds and is.
pub(super) fn reading(facts: &Facts, inside: &Inside) -> Vec<Finding> {
    match &inside.reading {
        Ok(read) => {
            let mut findings = vec![whole(read), firmware(read), identity(facts, read), saved(facts, read)];
            findings.extend(clock(read));
            findings
        }
        Err(trouble) => vec![Finding {
            help: trouble.help.clone(),
            ..Finding::problem("configuration", &trouble.reason)
        }],
    }
}

fn whole(read: &Reading) -> Finding {
    let subscribers = format!(
        "read whole, {} subscriber{}",
        read.subscribers,
        if read.subscribers == 1 { "" } else { "s" }
    );
    match read.warnings {
        0 => Finding::ok("configuration", subscribers),
        1 => Finding::note("configuration", format!("{subscribers}, 1 oddity"))
            .help("`gamops plan` names it; settings that are not known are left alone"),
        more => Finding::note("configuration", format!("{subscribers}, {more} oddities"))
            .help("`gamops plan` names them; settings that are not known are left alone"),
    }
}

fn firmware(read: &Reading) -> Finding {
    let firmware = &read.identity.firmware;
    match Evidence::of_firmware(firmware) {
        Some(Evidence::Seen) => Finding::ok("firmware", format!("{firmware}, seen on hardware")),
        Some(_) => Finding::ok("firmware", format!("{firmware}, known from the vendor's documents")),
        None => Finding::note("firmware", format!("{firmware}: nobody has reported on this version"))
            .help("start with one subscriber that can do without service, and send a `gamops doctor --bundle`"),
    }
}

/// Whether it is the device that was met at first contact, of the model that the inventory says.
fn identity(facts: &Facts, read: &Reading) -> Finding {
    const CHECK: &str = "identity";
    let (mac, device) = (read.identity.mac, &facts.device);
    let spoken = spoken(facts);
    let by_snmp = spoken.iter().find_map(|spoken| match spoken {
        Spoken::Identity { mac, model, .. } => Some((*mac, *model)),
        _ => None,
    });
    let (snmp_mac, snmp_model) = by_snmp.unwrap_or_default();
    if let Some(other) = snmp_mac.filter(|other| *other != mac) {
        return Finding::problem(
            CHECK,
            format!("SSH leads to the device with MAC {mac}, SNMP to the one with {other}"),
        )
        .help(format!("correct `address` or `transport.snmp_port` of `{device}`"));
    }
    let model = read.identity.model.or(snmp_model);
    if let Some(model) = model.filter(|model| *model != facts.model) {
        return Finding::problem(CHECK, format!("it is a {model}, the inventory says {}", facts.model))
            .help(format!("correct `model` or `address` of `{device}`"));
    }
    let model = model.map_or_else(|| "model not told".to_owned(), ToString::to_string);
    match facts.pinned.as_ref().and_then(|pinned| pinned.mac) {
        Some(pinned) if pinned == mac => Finding::ok(CHECK, format!("{model}, base MAC {mac}, as pinned")),
        Some(pinned) => Finding::problem(CHECK, format!("base MAC {mac}, but `{device}` was pinned as {pinned}")).help(
            format!("correct the address; if the device was replaced, accept the new one with `gamops trust {device}`"),
        ),
        None => Finding::note(CHECK, format!("{model}, base MAC {mac}, not pinned yet"))
            .help("the next `gamops plan` pins it"),
    }
}

fn saved(facts: &Facts, read: &Reading) -> Finding {
    match read.saved {
        Saved::Yes => Finding::ok("saved", "a reboot changes nothing"),
        Saved::No(lines) => Finding::note(
            "saved",
            format!(
                "{lines} line{} of the running and the startup configuration differ{}",
                if lines == 1 { "" } else { "s" },
                if lines == 1 { "s" } else { "" },
            ),
        )
        .help(format!(
            "`gamops plan --target {}` shows what a reboot would change",
            facts.device
        )),
        Saved::Unknown => Finding::note("saved", "the device does not show its startup configuration"),
    }
}

/// Nothing in gamops depends on a device's clock; people who read its alarms do.
fn clock(read: &Reading) -> Option<Finding> {
    const CHECK: &str = "clock";
    let (shown, ours) = read.clock.as_ref()?;
    let Ok(theirs) = shown.parse::<Timestamp>() else {
        return Some(Finding::note(CHECK, format!("`{shown}` cannot be read")));
    };
    let oldest = OLDEST.parse::<Timestamp>().ok()?;
    let off = theirs.duration_since(*ours);
    Some(if theirs < oldest {
        Finding::note(CHECK, format!("{shown}: never set, so alarms and logs have no dates"))
            .help("configure NTP on the device")
    } else if off.abs() > TOLERATED {
        let way = if off.is_negative() { "behind" } else { "ahead of" };
        Finding::note(
            CHECK,
            format!(
                "{shown}, {:#} {way} ours",
                SignedDuration::from_secs(off.abs().as_secs())
            ),
        )
        .help("check NTP on the device, and on this machine")
    } else {
        Finding::ok(CHECK, format!("{shown}, as ours"))
    })
}

/// What subscribers are tied to, by configuration or SNMP, against the inventory. Where neither says, nothing is said.
pub(super) fn subscriber_model(facts: &Facts) -> Option<Finding> {
    const CHECK: &str = "subscriber-model";
    let by_snmp = spoken(facts).into_iter().find_map(|spoken| match spoken {
        Spoken::Identity { subscriber_model, .. } => *subscriber_model,
        _ => None,
    });
    let by_configuration = match &facts.login {
        Some(Login::In(inside)) => inside.reading.as_ref().ok().and_then(|read| read.shown_model),
        _ => None,
    };
    let shown = by_snmp.or(by_configuration)?;
    Some(if shown == facts.subscriber_model {
        Finding::ok(CHECK, format!("{shown}, as the inventory says"))
    } else {
        Finding::problem(
            CHECK,
            format!("the device is {shown}, the inventory says {}", facts.subscriber_model),
        )
        .help(format!(
            "set `subscriber_model: {shown}` on `{}`; gamops never changes a device's own",
            facts.device
        ))
    })
}

fn spoken(facts: &Facts) -> Vec<&Spoken> {
    match &facts.agent {
        Some(Agent::Asked { v2c, v1 }) => vec![v2c, v1],
        Some(Agent::Off) | None => Vec::new(),
    }
}
