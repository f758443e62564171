//! The way in: network, encryption, host key, login.

use std::time::Duration;

use super::super::{Facts, Finding, Inside, Path, Step, Trouble};

pub(super) fn path(facts: &Facts) -> Finding {
    match &facts.path {
        Path::Broken(trouble) => {
            let help = trouble.help.clone();
            let help = help.unwrap_or_else(|| "check `address` and `transport.ssh_port`, and the way there".to_owned());
            Finding::problem("path", &trouble.reason).help(help)
        }
        Path::Open { at, round_trip, .. } => Finding::ok(
            "path",
            format!("{at} takes connections, round trip {}", millis(*round_trip)),
        ),
    }
}

/// `0.4 ms`, `212 ms`.
fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    if millis < 10.0 {
        format!("{millis:.1} ms")
    } else {
        format!("{millis:.0} ms")
    }
}

/// Whether both sides have algorithms in common, and whether old ones are needed for it.
pub(super) fn algorithms(facts: &Facts) -> Option<Finding> {
    const CHECK: &str = "ssh";
    let Path::Open { software, lacks, .. } = &facts.path else {
        return None;
    };
    let Some([modern, any]) = lacks else {
        return Some(Finding::note(
            CHECK,
            format!("{software}; it did not say which algorithms it offers"),
        ));
    };
    Some(if !any.is_empty() {
        Finding::problem(
            CHECK,
            format!("{software} has no {} algorithm in common with us", any.join(", ")),
        )
        .help("send the output of `ssh -vv` to this device to the gamops project")
    } else if modern.is_empty() && facts.legacy_algorithms {
        Finding::note(
            CHECK,
            format!("{software}; it offers modern algorithms, old ones are not needed"),
        )
        .help(format!("take `legacy_algorithms: true` off `{}`", facts.device))
    } else if modern.is_empty() {
        Finding::ok(CHECK, format!("{software}, modern algorithms"))
    } else if facts.legacy_algorithms {
        Finding::note(
            CHECK,
            format!(
                "{software} offers old algorithms only for {}: weak, and used",
                modern.join(", ")
            ),
        )
    } else {
        Finding::problem(
            CHECK,
            format!("{software} offers old algorithms only for {}", modern.join(", ")),
        )
        .help(format!(
            "set `transport: {{ legacy_algorithms: true }}` on `{}`",
            facts.device
        ))
    })
}

pub(super) fn stopped(at: Step, trouble: &Trouble) -> Finding {
    let check = match at {
        Step::Encryption => "encryption",
        Step::HostKey => "host-key",
        Step::Password => "login",
        Step::Shell => "terminal",
    };
    Finding {
        help: trouble.help.clone(),
        ..Finding::problem(check, &trouble.reason)
    }
}

/// A key that differs from the pinned one ends a login before this is asked.
pub(super) fn host_key(facts: &Facts, inside: &Inside) -> Finding {
    let pinned = facts.pinned.as_ref().and_then(|pinned| pinned.host_key.as_ref());
    match pinned {
        Some(_) => Finding::ok("host-key", format!("{}, as pinned", inside.host_key)),
        None => Finding::note("host-key", format!("{}, not pinned yet", inside.host_key))
            .help("compare it with the device's own; the next `gamops plan` pins it"),
    }
}

pub(super) fn logged_in(facts: &Facts) -> Finding {
    Finding::ok("login", format!("with credentials `{}`", facts.credentials))
}
