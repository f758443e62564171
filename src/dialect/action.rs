//! Day-to-day actions as command lines, and the one answer that tells whether an endpoint has restarted.

use std::time::Duration;

use crate::domain::EndpointId;
use crate::observed::Action;

/// The line that has a device do something, in exec mode (CLI guide). Endpoints are named by their address: it stays
/// the same whatever somebody else renumbers.
#[must_use]
pub fn command(action: Action) -> String {
    match action {
        Action::RestartEndpoint(mac) => format!("reboot ghn endpoint mac-address {mac}"),
        Action::ClearEndpoint(mac) => format!("clear ghn endpoint mac-address {mac} statistics"),
        Action::ClearPort(port) => format!("clear ghn port {port} statistics"),
    }
}

/// The line that shows how an endpoint is (CLI guide).
#[must_use]
pub fn status_of(endpoint: EndpointId) -> String {
    format!("show ghn endpoint {endpoint} status")
}

/// How long an endpoint has been up, from the line `Uptime : 12 days, 2h 18m 33s` of its status (CLI guide, screenshots).
/// `None` where the text has no such line, or another form.
#[must_use]
pub fn uptime(status: &str) -> Option<Duration> {
    let value = status.lines().find_map(|line| {
        let (label, value) = line.split_once(':')?;
        label.trim().eq_ignore_ascii_case("uptime").then_some(value)
    })?;
    let mut seconds: u64 = 0;
    let mut number: Option<u64> = None;
    for word in value.split([' ', ',']).filter(|word| !word.is_empty()) {
        let at = word.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(word.len());
        let (digits, unit) = word.split_at(at);
        let amount = match digits {
            "" => number.take()?,
            digits => digits.parse().ok()?,
        };
        let factor = match unit {
            // `12 days`: the unit is the next word.
            "" => {
                number = Some(amount);
                continue;
            }
            "day" | "days" | "d" => 86_400,
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(amount.checked_mul(factor)?)?;
    }
    number.is_none().then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_written_as_the_guide_has_them() {
        let mac = "00:0f:df:11:05:54".parse().unwrap();
        assert_eq!(
            command(Action::RestartEndpoint(mac)),
            "reboot ghn endpoint mac-address 00:0f:df:11:05:54"
        );
        assert_eq!(
            command(Action::ClearEndpoint(mac)),
            "clear ghn endpoint mac-address 00:0f:df:11:05:54 statistics"
        );
        assert_eq!(
            command(Action::ClearPort(3.try_into().unwrap())),
            "clear ghn port 3 statistics"
        );
    }

    #[test]
    fn an_uptime_is_read_as_the_guide_prints_it_and_nothing_else_is_taken_for_one() {
        let of =
            |value: &str| uptime(&format!("Model  : G1000-M\nUptime       : {value}\n")).map(|time| time.as_secs());
        assert_eq!(of("12 days, 2h 18m 33s"), Some(12 * 86_400 + 2 * 3600 + 18 * 60 + 33));
        assert_eq!(of("0 days, 0h 0m 4s"), Some(4));
        assert_eq!(of("18m 33s"), Some(18 * 60 + 33));
        for odd in ["12", "12 weeks", "days", "-3s", "99999999999999999999 days", "4 5s x"] {
            assert_eq!(of(odd), None, "{odd}");
        }
        assert_eq!(uptime("% Endpoint not found"), None);
    }
}
