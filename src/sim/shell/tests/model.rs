//! The port-aware model, and words that are guesses.

use crate::domain::{MacAddr, PortNumber};
use crate::sim::knobs::AssumedWords;

use super::*;

fn port_aware(change: impl FnOnce(&mut Knobs)) -> Session {
    Session::on("GAM-4-MX", "GAM-4/8-M_v1.8.2", |knobs| {
        knobs.port_aware = true;
        change(knobs);
    })
}

impl Session {
    fn plug(&mut self, last: u8, port: u64) {
        let mac = MacAddr::new([0, 0x0e, 0xd8, 0, 0, last]);
        let port = PortNumber::try_from(port).unwrap();
        self.state.plug(mac, port, None, Duration::from_secs(u64::from(last)));
    }

    fn ghn_lines(&self) -> String {
        let running = self.running();
        let lines = running.lines().filter(|line| line.starts_with("ghn "));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    fn reboot(&mut self) {
        let text = self.state.saved_text();
        let written = Duration::ZERO;
        self.state.flash.insert(STARTUP.to_owned(), File { text, written });
        let rejected = self.state.boot();
        assert!(rejected.is_empty(), "{rejected:?}");
    }
}

#[test]
fn endpoints_write_their_own_lines_and_serve_the_subscriber_of_their_port() {
    let mut session = port_aware(|_| {}).configured("ghn subscriber 7 name s-7 vid 107 port 2");
    session.plug(0x21, 2);
    session.plug(0x31, 3);
    insta::assert_snapshot!(session.ghn_lines(), @r#"
    ghn subscriber-model port-aware
    ghn endpoint 1 name "Positron_000021" mac-address 00:0e:d8:00:00:21 port 2
    ghn endpoint 2 name "Positron_000031" mac-address 00:0e:d8:00:00:31 port 3
    ghn subscriber 7 name "s-7" vid 107 port 2 bw-profile 1 poe enable
    "#);
    assert_eq!(session.state.running.serving(7), Some(1));
    assert!(session.running().contains(
        "interface G.hn 1/2\n switchport trunk native vlan 4095\n switchport trunk allowed vlan 2,107,4094\n"
    ));
    // Another endpoint on the same pair takes over; the one before keeps its line and has no port.
    session.plug(0x22, 2);
    assert_eq!(session.state.running.serving(7), Some(3));
    assert!(
        session
            .ghn_lines()
            .contains("ghn endpoint 1 name \"Positron_000021\" mac-address 00:0e:d8:00:00:21\n")
    );
    session.reboot();
    assert_eq!(session.state.running.serving(7), Some(3));
}

#[test]
fn a_learned_endpoint_can_stand_beside_the_port() {
    let mut session = port_aware(|knobs| knobs.print_learned_endpoint = true);
    session.plug(1, 4);
    let mut session = session.configured("ghn subscriber 1 name a port 4");
    let line = "ghn subscriber 1 name \"a\" vid 4094 port 4 endpoint 1 bw-profile 1 poe enable\n";
    assert!(session.ghn_lines().contains(line), "{}", session.ghn_lines());
    session.reboot();
    assert!(session.ghn_lines().contains(line), "{}", session.ghn_lines());
}

#[test]
fn the_port_aware_model_refuses_what_belongs_to_the_other() {
    let mut session = port_aware(|_| {});
    session.plug(1, 1);
    let mut session = session.configured("ghn subscriber 1 name a port 1\nghn subscriber 2 name b");
    for (line, refusal) in [
        (
            "ghn subscriber 2 port 1",
            "% G.hn port is already assigned to another subscriber\n",
        ),
        ("ghn subscriber 2 port 5", "% Invalid G.hn port\n"),
        ("ghn subscriber 2 endpoint 1", "% Invalid G.hn subscriber model\n"),
        (
            "ghn endpoint 1 port 3",
            "% Auto-endpoint subscriber already assigned to another port\n",
        ),
    ] {
        assert_eq!(session.line(line), refusal, "{line}");
    }
    let mut session = session.configured("no ghn subscriber 1 port\nghn subscriber 2 port 1");
    assert_eq!(session.state.running.serving(2), Some(1));
    session.line("end");
    assert!(session.line("show ghn subscriber 2").contains("Endpoint Id: 1\n"));

    let mut plain = Session::copper().configured("ghn subscriber 1 name a");
    assert_eq!(
        plain.line("ghn subscriber 1 port 1"),
        "% Invalid G.hn subscriber model\n"
    );
    let mut coax = Session::coax().configured("ghn subscriber-model endpoint-aware");
    assert_eq!(
        coax.line("ghn subscriber-model port-aware"),
        "% Invalid G.hn subscriber model\n"
    );
}

#[test]
fn changing_the_model_rewrites_subscribers_and_endpoints_and_back() {
    let mut session = Session::copper();
    session.plug(1, 1);
    let session = session.configured(
        "ghn endpoint 5 mac-address 00:0e:d8:00:00:01 port 1\nghn endpoint 6 mac-address 00:0e:d8:00:00:02 port 2\n\
         ghn subscriber 1 name a endpoint 5\nghn subscriber 2 name b endpoint 6\nghn subscriber 3 name c",
    );
    let session = session.configured("ghn subscriber-model port-aware");
    let lines = session.ghn_lines();
    for line in [
        "ghn endpoint 5 name \"Positron_000001\" mac-address 00:0e:d8:00:00:01 port 1\n",
        "ghn endpoint 6 name \"Positron_000002\" mac-address 00:0e:d8:00:00:02\n",
        "ghn subscriber 1 name \"a\" vid 4094 port 1 bw",
        "ghn subscriber 2 name \"b\" vid 4094 port 2 bw",
        "ghn subscriber 3 name \"c\" vid 4094 bw",
    ] {
        assert!(lines.contains(line), "no {line} in\n{lines}");
    }
    let session = session.configured("ghn subscriber-model endpoint-aware");
    let lines = session.ghn_lines();
    for line in [
        "port 1\n",
        "mac-address 00:0e:d8:00:00:02 port auto\n",
        "ghn subscriber 1 name \"a\" vid 4094 endpoint 5 bw",
        "ghn subscriber 2 name \"b\" vid 4094 bw",
    ] {
        assert!(lines.contains(line), "no {line} in\n{lines}");
    }
    assert!(!lines.contains("subscriber-model"));
}

#[test]
fn trunk_and_double_tags_are_set_checked_printed_and_taken_back() {
    let mut session = Session::copper().configured(
        "ghn subscriber 1 name a vid 100 allowed-vlan 200\nghn subscriber 1 trunk outer-vid 900 nni 1\n\
         ghn subscriber 2 name b outer-vid 901\nno ghn subscriber 2 outer-vid",
    );
    let line = "ghn subscriber 1 name \"a\" vid 100 bw-profile 1 trunk outer-vid 900 nni 1 poe enable\n";
    assert!(session.ghn_lines().contains(line), "{}", session.ghn_lines());
    assert!(
        session
            .ghn_lines()
            .contains("name \"b\" vid 4094 bw-profile 1 poe enable\n")
    );
    assert_eq!(session.line("ghn subscriber 1 nni 2"), "% Invalid NNI port\n");
    assert_eq!(
        session.line("ghn subscriber 1 outer-vid 3841"),
        "% Invalid outer tag VID\n"
    );
    session.reboot();
    assert!(session.ghn_lines().contains(line), "{}", session.ghn_lines());
    // A list takes the place of trunk mode, as trunk mode does of a list.
    let session = session.configured("ghn subscriber 1 allowed-vlan 300\nno ghn subscriber 1 nni");
    let line = "vid 100 bw-profile 1 allowed-vlan 300 outer-vid 900 poe enable\n";
    assert!(session.ghn_lines().contains(line), "{}", session.ghn_lines());
}

#[test]
fn guessed_words_are_refused_or_taken_and_ignored_as_the_knob_says() {
    const GUESSED: [&str; 5] = [
        "ghn subscriber 1 trunk",
        "ghn subscriber 1 outer-vid 900",
        "ghn subscriber 1 nni 1",
        "ghn subscriber 1 poe force",
        "ghn subscriber-model port-aware",
    ];
    for (words, taken) in [(AssumedWords::Refused, false), (AssumedWords::Ignored, true)] {
        let mut session = Session::on("GAM-4-MX", "GAM-4/8-M_v1.8.2", |knobs| knobs.assumed_words = words)
            .configured("ghn subscriber 1 name a vid 100 poe disable");
        let before = session.running();
        for line in GUESSED {
            assert_eq!(session.line(line).is_empty(), taken, "{words:?} {line}");
        }
        assert_eq!(session.running(), before, "{words:?}");
    }
    // Words come with the firmware that has what they do.
    let mut old = Session::on("GAM-4-MX", "GAM-4/8-M_v1.2.0", |_| {}).configured("ghn subscriber 1 name a");
    for line in GUESSED {
        assert!(old.line(line).contains("word detected"), "{line}");
    }
}

#[test]
fn without_the_word_port_it_is_the_start_of_port2_vid() {
    let mut session = Session::on("GAM-4-MX", "GAM-4/8-M_v1.5.4", |knobs| {
        knobs.assumed_words = AssumedWords::Refused;
    })
    .configured("ghn subscriber 1 name a vid 100");
    assert_eq!(session.line("ghn subscriber 1 port 3"), "");
    assert!(session.ghn_lines().contains(" port2-vid 3 "), "{}", session.ghn_lines());
}

#[test]
fn a_startup_configuration_may_use_guessed_words_whatever_the_knob() {
    let text = "ghn subscriber-model port-aware\nghn subscriber 1 name a port 3\n";
    let firmware = "GAM-4/8-M_v1.8.2".parse().unwrap();
    let mut spec = DeviceSpec::new("maple-a", Model::by_name("GAM-4-MX").unwrap(), firmware);
    spec.knobs.assumed_words = AssumedWords::Refused;
    let mut state = State::new(spec, Some(text.to_owned()));
    assert!(state.boot().is_empty());
    assert!(state.running.port_aware);
    assert_eq!(state.running.service_port(1), Some(3));
}

proptest::proptest! {
    #[test]
    fn a_port_has_one_line_whatever_is_plugged(moves in proptest::collection::vec((1u8..9, 1u64..5), 1..20)) {
        let mut session = port_aware(|_| {});
        for (last, port) in &moves {
            session.plug(*last, *port);
        }
        for port in 1..=4 {
            proptest::prop_assert!(session.state.running.endpoints_on(port) <= 1);
        }
        let before = session.running();
        session.reboot();
        proptest::prop_assert_eq!(session.running(), before);
    }
}
