//! When a maintenance window is open, and which changes have to wait for it.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::VlanId;
use crate::inventory::model::{Device, Inventory, Suspension};
use crate::inventory::window::Window;

/// One time that a window is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// A window that is closed now, or that was open when the plan was made.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// The window.
    pub window: &'a Window,
    /// When it is open, or will be next.
    pub opening: Opening,
    /// Whether that is now.
    pub is_open: bool,
    /// The VLAN that suspended subscribers are put into: who is in it has no service to lose.
    pub garden: Option<VlanId>,
}

impl<'a> State<'a> {
    /// How a window stands at a moment.
    #[must_use]
    pub fn at(window: &'a Window, now: Timestamp, garden: Option<VlanId>) -> Option<Self> {
        let is_open = open(window, now);
        Some(Self {
            window,
            opening: is_open.or_else(|| next(window, now))?,
            is_open: is_open.is_some(),
            garden,
        })
    }
}

/// How the window of a device stands at a moment. `None`: it may be changed at any time.
#[must_use]
pub fn of<'d>(device: &'d Device, inventory: &Inventory, now: Timestamp) -> Option<State<'d>> {
    let garden = match inventory.policies.suspension {
        Some(Suspension::Vlan(vlan)) => Some(vlan),
        _ => None,
    };
    State::at(device.window.as_ref()?, now, garden)
}

/// How many days ahead a window is looked for. One day of the week is at most 7 away; a zone may skip a day of the calendar
/// (Samoa had no 30 December 2011).
const AHEAD: i32 = 15;

/// The opening that a moment lies in, if the window is open then. Of two that overlap, the later one.
#[must_use]
pub fn open(window: &Window, now: Timestamp) -> Option<Opening> {
    // No window is longer than a week.
    openings(window, now, -8, 1)
        .filter(|opening| (opening.from..opening.until).contains(&now))
        .last()
}

/// The first opening that begins after a moment. `None` only at the end of time.
#[must_use]
pub fn next(window: &Window, now: Timestamp) -> Option<Opening> {
    openings(window, now, -1, AHEAD).find(|opening| opening.from > now)
}

/// The openings that begin on days around a moment, in order.
fn openings(window: &Window, now: Timestamp, first: i32, last: i32) -> impl Iterator<Item = Opening> {
    let today = now.to_zoned(window.zone.clone()).date();
    (first..=last).filter_map(move |offset| {
        let day = today.checked_add(offset.days()).ok()?;
        window.days.contains(day.weekday()).then(|| opening(window, day))?
    })
}

fn opening(window: &Window, day: Date) -> Option<Opening> {
    let local = day.to_datetime(window.start);
    // A time that the clocks skip becomes one after the jump, of a time that comes twice the first is taken.
    let from = window.zone.to_ambiguous_timestamp(local).compatible().ok()?;
    let until = from.checked_add(std::time::Duration::from(window.length)).ok()?;
    Some(Opening { from, until })
}

/// A moment as it is told: `Sat 2026-11-28 02:00 CET (2026-11-28T01:00Z)`.
#[must_use]
pub fn moment(window: &Window, at: Timestamp) -> String {
    let local = at.to_zoned(window.zone.clone());
    format!("{} ({})", local.strftime("%a %Y-%m-%d %H:%M %Z"), utc(at))
}

/// A moment in UTC, to the minute.
#[must_use]
pub fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%MZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &str, start: &str, length: &str, zone: &str) -> Window {
        Window {
            key: "night".to_owned(),
            days: days.parse().unwrap(),
            start: start.parse().unwrap(),
            length: length.parse().unwrap(),
            zone: crate::inventory::window::zone(zone).unwrap(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The opening that a moment lies in, else the next one, each in UTC with what it is.
    fn seen(window: &Window, now: &str) -> String {
        let show = |what: &str, opening: Opening| format!("{what} {} {}", utc(opening.from), utc(opening.until));
        match open(window, at(now)) {
            Some(opening) => show("open", opening),
            None => show("next", next(window, at(now)).unwrap()),
        }
    }

    #[test]
    fn a_window_opens_and_closes_to_the_second() {
        let night = window("mon-sun", "02:00", "3h", "Europe/Berlin");
        let winter = "2026-11-28T01:00Z 2026-11-28T04:00Z";
        for (now, is) in [
            ("2026-11-28T00:59:59Z", format!("next {winter}")),
            ("2026-11-28T01:00:00Z", format!("open {winter}")),
            ("2026-11-28T03:59:59.999Z", format!("open {winter}")),
            (
                "2026-11-28T04:00:00Z",
                "next 2026-11-29T01:00Z 2026-11-29T04:00Z".to_owned(),
            ),
        ] {
            assert_eq!(seen(&night, now), is, "{now}");
        }
    }

    #[test]
    fn days_are_those_on_which_it_begins() {
        // Friday to Saturday over midnight, and nothing from Saturday to Sunday.
        let friday = window("fri", "23:00", "4h", "Europe/Berlin");
        assert_eq!(
            seen(&friday, "2026-11-28T01:30:00Z"),
            "open 2026-11-27T22:00Z 2026-11-28T02:00Z"
        );
        assert_eq!(
            seen(&friday, "2026-11-28T23:00:00Z"),
            "next 2026-12-04T22:00Z 2026-12-05T02:00Z"
        );
        // Here it is Friday already, there still Thursday.
        let there = window("thu", "20:00", "1h", "America/Los_Angeles");
        assert_eq!(
            seen(&there, "2026-11-27T04:30:00Z"),
            "open 2026-11-27T04:00Z 2026-11-27T05:00Z"
        );
    }

    #[test]
    fn a_start_that_the_clocks_skip_is_taken_as_much_later() {
        // On 2026-03-29 the clocks of Berlin go from 02:00 CET to 03:00 CEST, at 01:00 UTC.
        let night = window("mon-sun", "02:30", "2h", "Europe/Berlin");
        assert_eq!(
            seen(&night, "2026-03-29T01:00:00Z"),
            "next 2026-03-29T01:30Z 2026-03-29T03:30Z"
        );
        assert_eq!(
            seen(&night, "2026-03-29T03:00:00Z"),
            "open 2026-03-29T01:30Z 2026-03-29T03:30Z"
        );
        // The day before and the day after as always.
        assert_eq!(
            seen(&night, "2026-03-28T01:30:00Z"),
            "open 2026-03-28T01:30Z 2026-03-28T03:30Z"
        );
        assert_eq!(
            seen(&night, "2026-03-29T23:00:00Z"),
            "next 2026-03-30T00:30Z 2026-03-30T02:30Z"
        );
    }

    #[test]
    fn of_a_start_that_comes_twice_the_first_is_meant() {
        // On 2026-10-25 the clocks of Berlin go from 03:00 CEST back to 02:00 CET, at 01:00 UTC.
        let night = window("mon-sun", "02:30", "1h", "Europe/Berlin");
        assert_eq!(
            seen(&night, "2026-10-25T00:45:00Z"),
            "open 2026-10-25T00:30Z 2026-10-25T01:30Z"
        );
        // The second 02:30 is when it ends, not when it begins again.
        assert_eq!(
            seen(&night, "2026-10-25T01:30:00Z"),
            "next 2026-10-26T01:30Z 2026-10-26T02:30Z"
        );
    }

    #[test]
    fn it_is_open_for_its_length_whatever_the_clocks_do_meanwhile() {
        let night = window("mon-sun", "01:00", "3h", "Europe/Berlin");
        // By the clocks from 01:00 to 05:00, and in autumn from 01:00 to 03:00.
        assert_eq!(
            seen(&night, "2026-03-29T01:00:00Z"),
            "open 2026-03-29T00:00Z 2026-03-29T03:00Z"
        );
        assert_eq!(
            seen(&night, "2026-10-25T01:00:00Z"),
            "open 2026-10-24T23:00Z 2026-10-25T02:00Z"
        );
    }

    #[test]
    fn odd_zones_are_as_good_as_others() {
        let nepal = window("mon-sun", "02:00", "1h", "Asia/Kathmandu");
        assert_eq!(
            seen(&nepal, "2026-11-27T20:00:00Z"),
            "next 2026-11-27T20:15Z 2026-11-27T21:15Z"
        );
        assert_eq!(
            moment(&nepal, at("2026-11-27T20:15:00Z")),
            "Sat 2026-11-28 02:00 +0545 (2026-11-27T20:15Z)"
        );
        // Half an hour of summer time.
        let island = window("sun", "01:45", "2h", "Australia/Lord_Howe");
        assert_eq!(
            seen(&island, "2026-10-03T14:00:00Z"),
            "next 2026-10-03T15:15Z 2026-10-03T17:15Z"
        );
        // A day that never was.
        let samoa = window("fri", "12:00", "1h", "Pacific/Apia");
        assert_eq!(
            seen(&samoa, "2011-12-24T00:00:00Z"),
            "next 2011-12-30T22:00Z 2011-12-30T23:00Z"
        );
    }

    #[test]
    fn a_long_window_is_open_for_days() {
        let weekend = window("fri", "22:00", "56h", "UTC");
        assert_eq!(
            seen(&weekend, "2026-11-29T12:00:00Z"),
            "open 2026-11-27T22:00Z 2026-11-30T06:00Z"
        );
        assert_eq!(
            seen(&weekend, "2026-11-30T06:00:00Z"),
            "next 2026-12-04T22:00Z 2026-12-07T06:00Z"
        );
        let always = window("mon-sun", "00:00", "24h", "UTC");
        assert_eq!(
            seen(&always, "2026-11-29T00:00:00Z"),
            "open 2026-11-29T00:00Z 2026-11-30T00:00Z"
        );
        let week = window("mon", "00:00", "168h", "UTC");
        assert_eq!(
            seen(&week, "2026-11-29T23:59:59Z"),
            "open 2026-11-23T00:00Z 2026-11-30T00:00Z"
        );
    }

    #[test]
    fn at_the_end_of_time_nothing_breaks() {
        let night = window("mon-sun", "02:00", "3h", "Europe/Berlin");
        for now in [Timestamp::MIN, Timestamp::MAX] {
            let _ = (open(&night, now), next(&night, now));
        }
    }

    #[test]
    fn moments_are_told_in_both_times() {
        let night = window("mon-sun", "02:00", "3h", "Europe/Berlin");
        assert_eq!(
            moment(&night, at("2026-11-28T01:00:00Z")),
            "Sat 2026-11-28 02:00 CET (2026-11-28T01:00Z)"
        );
        assert_eq!(
            moment(&night, at("2026-07-28T00:00:00Z")),
            "Tue 2026-07-28 02:00 CEST (2026-07-28T00:00Z)"
        );
    }
}
