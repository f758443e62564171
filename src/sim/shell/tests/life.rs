//! The life of endpoints: quarantine, discovery, alarms, displays, counters; and the files of a factory device.

use crate::domain::{MacAddr, PortNumber};
use crate::sim::alarm::Event;
use crate::sim::config::presence;
use crate::sim::endpoint::{EndpointModel, Presence};

use super::*;

const MAC: MacAddr = MacAddr::new([0, 0x0e, 0xd8, 0, 0, 1]);

fn one(session: Session) -> Session {
    let mut session = session.configured(
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01 port 1 allow-management-access\nghn subscriber 1 name a endpoint 1",
    );
    session.line("end");
    session
}

impl Session {
    fn at(&mut self, seconds: u64, port: Option<u64>, model: Option<EndpointModel>) {
        let uptime = Duration::from_secs(seconds);
        match port {
            Some(port) => self.state.plug(MAC, PortNumber::try_from(port).unwrap(), model, uptime),
            None => self.state.unplug(MAC, uptime),
        }
    }

    fn presence(&self) -> Presence {
        presence(&self.state.running.endpoints[&1], &self.state.plugged)
    }

    fn alarms(&self) -> Vec<(u32, &'static str)> {
        let active = self.state.alarms.active.iter();
        active.map(|(row, alarm)| (*row, alarm.condition.word())).collect()
    }
}

#[test]
fn alarms_are_raised_and_cleared_as_endpoints_come_and_go() {
    let mut session = one(Session::coax());
    assert_eq!(session.presence(), Presence::NotDetected);
    assert_eq!(session.alarms(), [(1, "LOS")]);
    session.at(3700, Some(2), None);
    assert_eq!(session.presence(), Presence::WrongPort);
    assert_eq!(session.alarms(), [(2, "PORTMISMATCH")]);
    session.at(3800, Some(1), None);
    assert_eq!(session.presence(), Presence::Ok);
    assert_eq!(session.alarms(), []);
    session.at(3900, Some(1), Some(EndpointModel::Unknown));
    assert_eq!(session.alarms(), [(3, "HWMISMAT")]);
    session.at(4000, None, None);
    assert_eq!(session.alarms(), [(4, "LOS")]);
    let events: Vec<Event> = session.state.alarms.log().map(|(_, logged)| logged.event).collect();
    use Event::{Changed, Clearing, Raising};
    // The first alarm became major when the endpoint got its subscriber.
    assert_eq!(
        events,
        [
            Raising, Changed, Clearing, Raising, Clearing, Raising, Clearing, Raising
        ]
    );
    assert_eq!(session.line("show alarm log").lines().count(), 2 + events.len());
    assert!(session.line("show alarm active").contains("MJ   YES   CPE-1      LOS "));
    // A port that is shut down is not watched.
    let mut session = session.configured("ghn port 1 shutdown");
    assert_eq!(session.alarms(), []);
    // A restart begins with what is wrong then.
    session.state.boot();
    assert_eq!(session.alarms(), []);
}

#[test]
fn an_endpoint_s_status_is_in_the_shape_of_the_guide() {
    let mut session = one(Session::copper());
    session.at(60, Some(1), Some(EndpointModel::G1002MPlus));
    insta::assert_snapshot!(session.line("show ghn endpoint 1 status"), @r#"
    Discovered Endpoint on G.hn port 1
    Endpoint MAC: 00:0e:d8:00:00:01
    Model                                  : G1002-M+
    Serial no                              : 23878657
    FW Version                             : G1002MP-GNT-GNOW SPIRIT.v7_10_r713+7_positron_28146
    Downstream Current Allocated Bandwidth :  572 Mbps
    Upstream Current Allocated Bandwidth   :  561 Mbps
    Downstream Max Allocatable Bandwidth   : 1145 Mbps
    Upstream Max Allocatable Bandwidth     : 1123 Mbps
    Downstream Current Usage               :    3 Mbps
    Upstream Current Usage                 :    1 Mbps
    Downstream Number of Allocated Bands   : 1
    Upstream Number of Allocated Bands     : 1
    Estimated Wire Length                  : 21 m
    Uptime                                 : 0 days, 0h 59m 0s
    "#);
    assert_eq!(
        session.line("show ghn port 1 status"),
        "Active Links: 1\nDiscovered Endpoint MAC:\n    00:0e:d8:00:00:01\n"
    );
    assert!(
        session
            .line("show ghn endpoint 1 configuration")
            .contains("Management Access: Yes\n")
    );
    let mut session = session.configured("no ghn endpoint 1 allow-management-access");
    session.line("end");
    assert!(
        session
            .line("show ghn endpoint 1 configuration")
            .contains("Management Access: No\n")
    );
}

#[test]
fn counters_grow_with_time_and_begin_again_when_cleared() {
    let mut session = one(Session::copper());
    session.at(3000, Some(1), None);
    // The session's clock stands at 3600.
    for what in ["port 1", "endpoint 1"] {
        let show = format!("show ghn {what} statistics");
        let seen = session.line(&show);
        assert!(seen.contains("rx_bytes            : 75000000\n"), "{seen}");
        assert_eq!(session.line(&format!("clear ghn {what} statistics")), "");
        assert!(session.line(&show).contains("rx_bytes            : 0\n"));
    }
    assert!(
        session
            .line("clear ghn port 5 statistics")
            .starts_with("% Invalid G.hn port")
    );
    assert!(
        session
            .line("clear ghn endpoint 2 statistics")
            .starts_with("% Non-existing")
    );
}

#[test]
fn a_service_limit_level_is_kept_within_its_four() {
    let mut session = Session::coax().configured("ghn bw-profile 2 name gold service-limit-level 4");
    let line = "ghn bw-profile 2 name \"gold\" rate-downstream 10 rate-upstream 10 service-limit-level 4\n";
    assert!(session.running().contains(line));
    assert!(
        session
            .line("ghn bw-profile 2 service-limit-level 5")
            .contains("Invalid word")
    );
}

#[test]
fn a_device_without_startup_configuration_shows_what_it_boots() {
    for (model, firmware, port_aware) in [
        ("GAM-4-CX", "GAM-4/8-C_v1.5.4", false),
        ("GAM-24-M", "GAM-12/24-M_v1.2.0", false),
        ("GAM-12-M", "GAM-12/24-M_v1.8.2", true),
    ] {
        let mut session = Session::on(model, firmware, |knobs| knobs.port_aware = port_aware);
        let text = session.line("more flash:default-config");
        assert!(
            text.starts_with("hostname gam\n") && text.ends_with("\nend\n"),
            "{text}"
        );
        let listed = format!("r- 1970-01-01 00:00:00 {:>8} default-config\n", text.len());
        assert!(session.line("dir").contains(&listed), "{}", session.line("dir"));
        assert!(
            session
                .line("dir")
                .ends_with(&format!("1 files, {} bytes total.\n", text.len()))
        );
        // About what the guide's listing shows: 316 bytes.
        assert!((250..600).contains(&text.len()), "{} bytes", text.len());
        let before = session.running();
        assert_eq!(before.contains("ghn subscriber-model port-aware"), port_aware);
        let written = Duration::ZERO;
        session.state.flash.insert(STARTUP.to_owned(), File { text, written });
        assert!(session.state.boot().is_empty());
        assert_eq!(session.running(), before);
        assert!(
            session
                .line("delete flash:default-config")
                .contains("Permission denied")
        );
    }
}

#[test]
fn a_restarted_endpoint_is_away_for_a_while_and_comes_back_where_it_was_younger() {
    let mut session = one(Session::coax());
    session.at(100, Some(1), None);
    let restart = |session: &mut Session, seconds| session.state.restart_endpoint(MAC, Duration::from_secs(seconds));
    let after = |session: &mut Session, seconds| {
        session.state.catch_up(Duration::from_secs(seconds));
        session.presence()
    };
    restart(&mut session, 200);
    assert_eq!(after(&mut session, 201), Presence::NotDetected);
    assert_eq!(after(&mut session, 210), Presence::Ok);
    assert_eq!(session.state.plugged[&MAC].since, Duration::from_secs(202));
    // Carried away meanwhile, it does not come back by itself.
    restart(&mut session, 300);
    session.at(301, None, None);
    assert_eq!(after(&mut session, 400), Presence::NotDetected);
}
