//! How a service stands, from what customer and service say. Pure.

use jiff::civil::Date;

use crate::billing::Standing;
use crate::domain::one_line;

use super::row::{Day, Service};

/// How a service stands on a day, and what that stands on. `customer` is the customer's status, `None` where there is no such customer.
///
/// Who does not pay is `blocked`, and the service stays `active`: the customer's word goes first. A service that was paused or exchanged is
/// `disabled`, and another one of the same customer takes its place; which one, is not known here.
pub(super) fn standing(customer: Option<&str>, service: &Service, today: Date) -> (Standing, String) {
    let status = service.status.text();
    let words = |said: &str| match customer {
        Some(customer) => format!("customer {}, service {}{said}", shown(customer), shown(status)),
        None => format!("customer missing, service {}{said}", shown(status)),
    };
    let plain = |standing| (standing, words(""));
    let Some(customer) = customer else {
        return plain(Standing::Unclear);
    };
    let is_known = matches!(status, "active" | "pending" | "stopped" | "disabled" | "hidden");
    match customer {
        _ if !is_known => plain(Standing::Unclear),
        "new" => plain(Standing::Lead),
        "disabled" => plain(Standing::Ended),
        "active" | "blocked" => match status {
            "active" => {
                let meant = if customer == "active" {
                    Standing::Active
                } else {
                    Standing::Suspended
                };
                let (standing, said) = dated(service, today, meant);
                (standing, words(&said))
            }
            "pending" => plain(Standing::NotYet),
            "stopped" => plain(Standing::Suspended),
            _ => plain(Standing::Ended),
        },
        _ => plain(Standing::Unclear),
    }
}

/// What the dates of an active service make of it.
fn dated(service: &Service, today: Date, meant: Standing) -> (Standing, String) {
    match (&service.start_date, &service.end_date) {
        (Day::Odd(text), _) => (Standing::Unclear, format!(", begins on `{}`", shown(text))),
        (_, Day::Odd(text)) => (Standing::Unclear, format!(", ends on `{}`", shown(text))),
        // Splynx disables a service at the end of its last day.
        (_, Day::On(end)) if *end < today => (Standing::Unclear, format!(", ended on {end}")),
        (Day::On(start), _) if *start > today => (Standing::NotYet, format!(", begins on {start}")),
        (_, Day::On(end)) => (meant, format!(", ends on {end}")),
        _ => (meant, String::new()),
    }
}

/// A word of the other side, as far as it fits on a line.
fn shown(text: &str) -> String {
    match text {
        "" => "without status".to_owned(),
        text => one_line(text).chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{Active, Ended, Lead, NotYet, Suspended, Unclear};

    const TODAY: Date = jiff::civil::date(2025, 6, 15);

    fn service(status: &str, start: &str, end: &str) -> Service {
        let row = serde_json::json!({ "id": 5001, "customer_id": 1001, "status": status, "start_date": start, "end_date": end });
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn every_pair_of_statuses_has_its_standing() {
        let services = ["active", "pending", "stopped", "disabled", "hidden", "frozen", ""];
        for (customer, meant) in [
            (
                Some("active"),
                [Active, NotYet, Suspended, Ended, Ended, Unclear, Unclear],
            ),
            (
                Some("blocked"),
                [Suspended, NotYet, Suspended, Ended, Ended, Unclear, Unclear],
            ),
            (Some("disabled"), [Ended, Ended, Ended, Ended, Ended, Unclear, Unclear]),
            (Some("new"), [Lead, Lead, Lead, Lead, Lead, Unclear, Unclear]),
            (Some("vip"), [Unclear; 7]),
            (Some(""), [Unclear; 7]),
            (None, [Unclear; 7]),
        ] {
            for (status, meant) in services.iter().zip(meant) {
                let (found, words) = standing(customer, &service(status, "2024-02-01", "0000-00-00"), TODAY);
                assert_eq!(found, meant, "{customer:?} {status}: {words}");
            }
        }
    }

    #[test]
    fn dates_count_for_what_is_active() {
        for (customer, start, end, meant, words) in [
            (
                "active",
                "2025-06-15",
                "0000-00-00",
                Active,
                "customer active, service active",
            ),
            (
                "active",
                "2025-06-16",
                "0000-00-00",
                NotYet,
                "customer active, service active, begins on 2025-06-16",
            ),
            (
                "active",
                "2024-02-01",
                "2025-06-14",
                Unclear,
                "customer active, service active, ended on 2025-06-14",
            ),
            (
                "active",
                "2024-02-01",
                "2025-06-15",
                Active,
                "customer active, service active, ends on 2025-06-15",
            ),
            ("active", "", "1970-01-01", Active, "customer active, service active"),
            (
                "active",
                "soon",
                "",
                Unclear,
                "customer active, service active, begins on `soon`",
            ),
            (
                "active",
                "",
                "2025-13-01",
                Unclear,
                "customer active, service active, ends on `2025-13-01`",
            ),
            ("blocked", "", "", Suspended, "customer blocked, service active"),
            (
                "blocked",
                "2025-07-01",
                "",
                NotYet,
                "customer blocked, service active, begins on 2025-07-01",
            ),
            (
                "blocked",
                "",
                "2025-01-01",
                Unclear,
                "customer blocked, service active, ended on 2025-01-01",
            ),
            ("disabled", "", "2025-01-01", Ended, "customer disabled, service active"),
        ] {
            let found = standing(Some(customer), &service("active", start, end), TODAY);
            assert_eq!(found, (meant, words.to_owned()));
        }
        // Dates of what does not run say nothing about it.
        let stopped = service("stopped", "2025-07-01", "2025-01-01");
        assert_eq!(standing(Some("active"), &stopped, TODAY).0, Suspended);
    }

    #[test]
    fn words_of_the_other_side_stay_on_one_line() {
        let odd = service(&format!("a\n\u{1b}[31m{}", "x".repeat(99)), "", "");
        let (_, words) = standing(Some("active"), &odd, TODAY);
        assert!(!words.contains(char::is_control) && words.len() < 90, "{words}");
    }
}
