//! How a service stands, from what Sonar says of its account. Pure.
//!
//! Only `activates_account` of a status means something: names of statuses are the operator's own.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::rows::{Account, Status};
use crate::billing::Standing;

/// What is known of an account beside its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) account: &'a Account,
    /// Its status; `None` where the list of statuses does not have it.
    pub(super) status: Option<&'a Status>,
    /// When it was disconnected last, as Sonar writes it.
    pub(super) disconnected: Option<&'a str>,
    /// Whether it has a serviceable address of its own.
    pub(super) has_address: bool,
}

/// How the services of an account stand, and the words that say why.
pub(super) fn standing(known: &Known<'_>, zone: &TimeZone) -> (Standing, String) {
    let account = known.account;
    if let Some(at) = &account.archived_at {
        return match day(at).parse::<Date>() {
            Ok(day) => (Standing::Ended, format!("account archived {day}")),
            // That an account is over is its own word or nobody's.
            Err(_) => (Standing::Unclear, format!("account archived `{at}`, which is no day")),
        };
    }
    let Some(status) = known.status else {
        let id = account
            .account_status_id
            .map(|id| format!(" {}", id.0))
            .unwrap_or_default();
        return (
            Standing::Unclear,
            format!("account status{id} is not in the list of statuses"),
        );
    };
    let said = format!("account status {}", status.name);
    if status.activates_account {
        return match account.is_delinquent {
            true => (Standing::Delinquent, format!("{said}, delinquent")),
            false => (Standing::Active, said),
        };
    }
    let said = format!("{said}, which does not activate");
    let Some(disconnected) = known.disconnected else {
        return match &account.activation_date {
            None => (Standing::Lead, format!("{said}, never activated")),
            Some(_) => (Standing::Suspended, said),
        };
    };
    let said = format!("{said}, disconnected {}", day(disconnected));
    let Some(activated) = &account.activation_date else {
        return (Standing::Unclear, format!("{said}, though never activated"));
    };
    match is_newer(disconnected, activated, zone) {
        None => (Standing::Unclear, format!("{said}, activated {activated}: no dates")),
        // It came back since, and rests now.
        Some(false) => (Standing::Suspended, said),
        Some(true) if known.has_address => (
            Standing::Unclear,
            format!("{said}, though it has a serviceable address"),
        ),
        Some(true) => (Standing::Ended, said),
    }
}

/// Whether a disconnection came after an activation. On the same day it did: otherwise the account would be active again.
fn is_newer(disconnected: &str, activated: &str, zone: &TimeZone) -> Option<bool> {
    let disconnected: Timestamp = disconnected.parse().ok()?;
    let activated: Date = day(activated).parse().ok()?;
    Some(disconnected.to_zoned(zone.clone()).date() >= activated)
}

/// The day of a moment as Sonar writes it.
fn day(moment: &str) -> &str {
    moment.split(['T', ' ']).next().unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::super::rows::Id;
    use super::*;

    /// Every row of the table in docs/billing-sonar.md, and what is between its rows.
    #[test]
    fn each_row_of_the_table_has_its_standing() {
        const ON: Option<bool> = Some(true);
        const OFF: Option<bool> = Some(false);
        const FEB: Option<&str> = Some("2026-02-01");
        const OLD: Option<&str> = Some("2025-12-24T23:30:00+00:00");
        const NEW: Option<&str> = Some("2026-06-30T08:00:00+00:00");
        let mut said = Vec::new();
        for (activates, delinquent, archived, activated, disconnected, has_address, expected) in [
            (ON, false, None, FEB, None, true, Standing::Active),
            (ON, false, None, None, None, true, Standing::Active),
            (ON, false, None, FEB, NEW, false, Standing::Active),
            (ON, true, None, FEB, None, true, Standing::Delinquent),
            (OFF, false, None, None, None, true, Standing::Lead),
            (OFF, true, None, FEB, None, true, Standing::Suspended),
            (OFF, false, None, FEB, None, false, Standing::Suspended),
            (OFF, false, None, FEB, OLD, false, Standing::Suspended),
            (OFF, false, None, FEB, NEW, false, Standing::Ended),
            (OFF, false, None, FEB, NEW, true, Standing::Unclear),
            (OFF, false, None, None, NEW, false, Standing::Unclear),
            (OFF, false, None, FEB, Some("soon"), false, Standing::Unclear),
            (ON, false, NEW, FEB, None, true, Standing::Ended),
            (OFF, false, NEW, None, None, true, Standing::Ended),
            (ON, false, Some("soon"), FEB, None, true, Standing::Unclear),
            (ON, false, Some(""), FEB, None, true, Standing::Unclear),
            (None, false, None, FEB, None, true, Standing::Unclear),
        ] {
            let account = Account {
                id: Id(2001),
                name: "Ada Example".to_owned(),
                account_status_id: Some(Id(7)),
                company_id: None,
                parent_account_id: None,
                activation_date: activated.map(str::to_owned),
                archived_at: archived.map(str::to_owned),
                is_delinquent: delinquent,
            };
            let status = activates.map(|activates_account| Status {
                id: Id(7),
                name: if activates_account { "Active" } else { "On holiday" }.to_owned(),
                activates_account,
            });
            let known = Known {
                account: &account,
                status: status.as_ref(),
                disconnected,
                has_address,
            };
            let (found, words) = standing(&known, &TimeZone::UTC);
            assert_eq!(found, expected, "{words}");
            said.push(format!("{found:?}: {words}"));
        }
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn a_disconnection_is_of_the_day_that_the_operator_has() {
        let zone = TimeZone::get("Pacific/Auckland").unwrap();
        let evening = "2026-01-31T20:00:00+00:00";
        assert_eq!(is_newer(evening, "2026-02-01", &TimeZone::UTC), Some(false));
        assert_eq!(is_newer(evening, "2026-02-01", &zone), Some(true));
        assert_eq!(is_newer(evening, "yesterday", &zone), None);
    }
}
