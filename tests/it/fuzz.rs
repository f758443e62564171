//! Texts from outside, damaged: cut off anywhere, bits flipped, lines doubled, lost, exchanged, run into each other. No
//! reader panics or hangs; a text that is not whole is never taken for one; what is read has one meaning.
//!
//! `PROPTEST_CASES=200000 cargo test --test it fuzz::` tries more of it than the usual 256 each; `tests/run` fixes the
//! seed.

mod damage;

use std::net::UdpSocket;
use std::num::NonZeroU8;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gamops::diagnostic::{Colour, Severity, SourceFile};
use gamops::dialect::session::{Greeting, Prompt, Reading, Reply, Showing};
use gamops::dialect::{command, running, snmp, version};
use gamops::domain::{Model, Secret, SnmpValue};
use gamops::inventory;
use gamops::inventory::model::Inventory;
use gamops::inventory::rollout::Waves;
use gamops::observed::{Capabilities, Change, Identity, RunningConfig};
use gamops::plan::impact::duration::Timings;
use gamops::plan::json::plan_json;
use gamops::plan::model::{DeviceChanges, DevicePlan, Outcome, Plan};
use gamops::plan::{Inputs, Readings, file, plan_device, plan_text};
use gamops::transport::credentials::Settings;
use gamops::transport::snmp::{Agent, Version, get};
use proptest::prelude::*;

use damage::{damaged, damages};

const CONFIG: &str = include_str!("../fixtures/dialect/gam-4-cx-1.5.4/show-running-config.txt");
const VERSION: &str = include_str!("../fixtures/dialect/gam-4-cx-1.5.4/show-version.txt");

/// As a terminal gets it: the pager in between, wiped.
fn paged(text: &str) -> String {
    let pager = format!(
        "-- more --, next page: Space, continue: g, quit: ^C\r{}\r",
        " ".repeat(51)
    );
    let mut paged = String::new();
    for (number, line) in text.lines().enumerate() {
        if number % 9 == 8 {
            paged.push_str(&pager);
        }
        paged.push_str(line);
        paged.push_str("\r\n");
    }
    paged
}

const INVENTORY: &str = "\
format: 1
inventory: fuzz
defaults: { credentials: factory, mode: manage }
policies: { suspension: { vlan: 3900 } }
devices:
  maple: # a comment
    model: GAM-4-CX
    address: 192.0.2.1
    labels: { house: \"12\" }
    ports: { 3: { name: riser B } }
plans:
  gold: { rate: 500 Mbps, description: 'all of it' }
  \"silver\": { down: 100 Mbps, up: 20 Mbps }
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:1c:95:08\", port: 4, plan: gold, vlan: 101 }
  s-2:
    device: maple
    endpoint: 00:0e:d8:1c:95:09
    port: auto
    plan: silver
    vlan: 102
    tagged: true
    description: >-
      flat 2
    state: suspended
";

fn source(path: &str, bytes: &[u8]) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: String::from_utf8_lossy(bytes).into_owned(),
    }
}

static FLEET: LazyLock<Inventory> = LazyLock::new(|| {
    let loaded = inventory::load(&[source("gamops.yaml", INVENTORY.as_bytes())]);
    let files = [source("gamops.yaml", INVENTORY.as_bytes())];
    let report = loaded.report.render_text(&files, Colour::Off, 100);
    loaded.inventory.expect(&report)
});

fn render(change: &Change) -> Result<Vec<String>, String> {
    command::commands(change).map_err(|error| error.to_string())
}

/// The plan for a device that holds this.
fn plan_for(config: &RunningConfig) -> DeviceChanges {
    let desired = Arc::new(inventory::compile(&FLEET, "maple").unwrap());
    let firmware: gamops::domain::Firmware = "GAM-4/8-C_v1.5.4".parse().unwrap();
    plan_device(
        Inputs {
            desired: &desired,
            readings: Readings {
                running: &Arc::new(config.clone()),
                startup: Some(config),
                write: running::canonical,
            },
            identity: &Identity {
                mac: "00:0e:d8:00:00:01".parse().unwrap(),
                model: Model::by_name("GAM-4-CX"),
                firmware: firmware.clone(),
                serial: None,
            },
            capabilities: &Capabilities::of_firmware(&firmware),
            records: &Arc::default(),
            unfinished: false,
            timings: &Timings::default(),
            pauses: &[],
            remembered: None,
            now: jiff::Timestamp::UNIX_EPOCH,
            window: None,
            targets: None,
            leave: gamops::plan::drift::Leave::default(),
        },
        &render,
    )
}

fn plan_of(config: &RunningConfig) -> Plan {
    Plan {
        inventory: "fuzz".to_owned(),
        commit: Some("3f0c2d81aa4e".to_owned()),
        targets: Vec::new(),
        moves: Vec::new(),
        waves: Waves::default(),
        trips: Vec::new(),
        rulings: Vec::new(),
        notes: Vec::new(),
        windows_ignored: false,
        devices: vec![DevicePlan {
            device: "maple".to_owned(),
            address: "192.0.2.1:22".to_owned(),
            model: "GAM-4-CX",
            host_key: None,
            outcome: Outcome::Read(Box::new(plan_for(config))),
        }],
    }
}

#[test]
fn a_configuration_that_is_cut_off_anywhere_is_no_configuration() {
    for text in [CONFIG.to_owned(), CONFIG.replace('\n', "\r\n"), paged(CONFIG)] {
        let whole = running::parse(&text).unwrap();
        for end in 0..=text.len() {
            let cut = running::parse(&String::from_utf8_lossy(&text.as_bytes()[..end]));
            if text[end..].trim().is_empty() {
                assert_eq!(cut.unwrap().managed, whole.managed, "cut at {end}");
            } else {
                assert!(cut.is_err(), "cut at {end}: {:?}", &text[end.saturating_sub(30)..end]);
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_read_of_a_damaged_configuration_has_one_meaning_and_a_plan(damages in damages(), pages: bool) {
        let text = if pages { paged(CONFIG) } else { CONFIG.to_owned() };
        let damaged = damaged(text.as_bytes(), &damages);
        if let Ok(config) = running::parse(&String::from_utf8_lossy(&damaged)) {
            let text = running::render(&config.managed);
            // What cannot be said in quotes is said of the object as a warning, and is not written back.
            if !text.replace('"', "").contains(['\\', '\u{fffd}']) && text.lines().all(|line| line.matches('"').count() % 2 == 0) {
                let again = running::parse(&text).unwrap();
                prop_assert_eq!(&again.managed, &config.managed, "{}", text);
            }
            let plan = plan_of(&config);
            let _ = (plan_text(&plan), plan_json(&plan));
        }
    }

    #[test]
    fn a_version_text_is_read_or_refused(damages in damages()) {
        let damaged = damaged(VERSION.as_bytes(), &damages);
        if let Err(error) = version::parse(&String::from_utf8_lossy(&damaged)) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

/// What a device sends for a command: the echo, the output, the prompt.
fn conversation(command: &str, output: &str) -> Vec<u8> {
    format!("{command}\r\n{output}gam-maple# ").into_bytes()
}

fn prompt() -> Prompt {
    Prompt::parse("gam-maple# ").unwrap()
}

#[test]
fn a_reply_that_is_cut_off_anywhere_is_never_finished() {
    let refusal = "                       ^\r\n% Invalid word detected at '^' marker.\r\n\r\n";
    let conversations = [
        ("show running-config", paged(CONFIG)),
        ("show version", VERSION.replace('\n', "\r\n")),
        ("ghn subscriber 1 name \"s-1\" vid 100", String::new()),
        ("ghn subscriber 1 nam \"s-1\"", refusal.to_owned()),
    ];
    for (command, output) in conversations {
        let bytes = conversation(command, &output);
        let mut reading = Reading::of(&prompt(), command);
        for (end, byte) in bytes.iter().enumerate() {
            let showing = reading.showing();
            match showing {
                Showing::Pager => reading.pager_answered(),
                showing => assert_eq!(showing, Showing::Output, "{command}, cut at {end}"),
            }
            reading.push(&[*byte]);
        }
        assert_eq!(reading.showing(), Showing::Prompt(prompt()), "{command}");
        let reply = reading.finish().unwrap();
        assert_eq!(matches!(reply, Reply::Refused(_)), output == refusal, "{reply:?}");
    }
}

proptest! {
    #[test]
    fn however_bytes_are_packed_they_mean_the_same(damages in damages(), size in 1..400usize, big: bool) {
        let (command, output) = if big {
            ("show running-config", paged(CONFIG))
        } else {
            ("ghn subscriber 1 name \"s-1\" vid 100", "% Saving 1435 bytes to flash:startup-config\r\n".to_owned())
        };
        let bytes = damaged(&conversation(command, &output), &damages);
        let mut whole = Reading::of(&prompt(), command);
        whole.push(&bytes);
        let mut pieces = Reading::of(&prompt(), command);
        let mut greeting = Greeting::new();
        for piece in bytes.chunks(size) {
            pieces.push(piece);
            greeting.push(piece);
            let _ = (pieces.showing(), greeting.showing(), greeting.too_many_sessions());
        }
        prop_assert_eq!(pieces.showing(), whole.showing());
        prop_assert_eq!(pieces.finish(), whole.finish());
    }

    #[test]
    fn a_refusal_is_never_taken_for_success(damages in damages(), before in 0..3usize) {
        // The damage is anywhere but in the refusal itself.
        let command = "ghn subscriber 1 name \"s-1\" vid 100";
        let noise = damaged(CONFIG.as_bytes(), &damages);
        let noise = String::from_utf8_lossy(&noise).replace(['\r', '\u{1b}', '\u{8}'], "");
        let noise: Vec<&str> = noise.lines().take(before).collect();
        let refusal = "% Maximum number of G.hn subscriber reached for the system";
        let lines: Vec<String> = noise.iter().chain([&refusal]).map(|line| (*line).to_owned()).collect();
        let reply = gamops::dialect::session::classify(&prompt(), command, &lines);
        prop_assert!(matches!(reply, Reply::Refused(_)), "{:?}", reply);
    }
}

/// Loads it, draws all findings, and compiles what is valid.
fn load(files: &[SourceFile]) -> Result<(), TestCaseError> {
    let loaded = inventory::load(files);
    let has_error = loaded
        .report
        .findings()
        .iter()
        .any(|one| one.severity == Severity::Error);
    prop_assert_eq!(loaded.inventory.is_none(), has_error);
    let text = loaded.report.render_text(files, Colour::Off, 100);
    prop_assert!(!has_error || text.contains("error["), "{}", text);
    for finding in loaded.report.findings() {
        prop_assert!(!finding.message.is_empty());
        let places = finding.related.iter().map(|(place, _)| place).chain([&finding.primary]);
        for place in places {
            if let Some(file) = files.iter().find(|file| *file.path == *place.file) {
                prop_assert!(
                    file.text.get(place.span.clone()).is_some(),
                    "{:?} is not in the text",
                    place
                );
            }
        }
    }
    if let Some(inventory) = &loaded.inventory {
        let _ = inventory::compile_all(inventory);
    }
    Ok(())
}

#[test]
fn an_inventory_that_is_cut_off_anywhere_is_read_or_refused() {
    for end in 0..=INVENTORY.len() {
        load(&[source("gamops.yaml", &INVENTORY.as_bytes()[..end])]).unwrap();
    }
}

proptest! {
    #[test]
    fn a_damaged_inventory_is_read_or_refused(damages in damages()) {
        load(&[source("gamops.yaml", &damaged(INVENTORY.as_bytes(), &damages))])?;
    }

    #[test]
    fn a_damaged_file_of_many_is_read_or_refused(damages in damages(), which: prop::sample::Index) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory-example");
        let mut files = gamops::repo::read_inventory(&folder).unwrap();
        let which = which.index(files.len());
        let damaged = damaged(files[which].text.as_bytes(), &damages);
        files[which].text = String::from_utf8_lossy(&damaged).into_owned();
        load(&files)?;
    }

    #[test]
    fn a_damaged_plan_says_what_it_said_or_is_refused(damages in damages()) {
        static PLAN: LazyLock<String> = LazyLock::new(|| {
            let plan = plan_json(&plan_of(&running::parse(CONFIG).unwrap()));
            serde_json::to_string_pretty(&plan).unwrap()
        });
        let damaged = damaged(PLAN.as_bytes(), &damages);
        match file::read(&String::from_utf8_lossy(&damaged)) {
            Ok(plan) => {
                let original: serde_json::Value = serde_json::from_str(&PLAN).unwrap();
                prop_assert_eq!(serde_json::to_value(plan).unwrap(), original);
            }
            Err(unusable) => prop_assert!(!unusable.help().is_empty() && !unusable.to_string().is_empty()),
        }
    }

    #[test]
    fn a_damaged_settings_file_is_read_or_refused_and_never_quoted(damages in damages()) {
        const SETTINGS: &str = "\
credentials:
  field: { username: ops, password: canary-4711, community: canary-4712 }
  \"core\":
    username: ops
    password: |
      canary-4713
  files: { username: ops, password_file: /run/secrets/gam }
";
        let damaged = damaged(SETTINGS.as_bytes(), &damages);
        let text = String::from_utf8_lossy(&damaged);
        match Settings::parse(Path::new("/etc/gamops/settings.yaml"), &text) {
            Ok(_) => {}
            Err(error) => {
                let said = format!("{error} {error:?}");
                prop_assert!(said.contains("settings.yaml") && !said.contains("canary"), "{}", said);
            }
        }
    }

    #[test]
    fn whatever_an_snmp_agent_answers_is_no_more_than_an_identity(
        bindings in prop::collection::vec((0..snmp::IDENTITY.len(), value(), any::<bool>()), 0..12),
    ) {
        let bindings: Vec<(Vec<u64>, SnmpValue)> = bindings
            .into_iter()
            .map(|(oid, value, longer)| {
                let more: &[u64] = if longer { &[7] } else { &[] };
                ([snmp::IDENTITY[oid], more].concat(), value)
            })
            .collect();
        let _ = snmp::identity(&bindings);
    }
}

fn value() -> impl Strategy<Value = SnmpValue> {
    prop_oneof![
        any::<i64>().prop_map(SnmpValue::Integer),
        any::<u64>().prop_map(SnmpValue::Unsigned),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(SnmpValue::Bytes),
        "GAM-[0-9]{1,2}-[CMX]{1,3}.{0,9}".prop_map(|text| SnmpValue::Bytes(text.into_bytes())),
        prop::collection::vec(any::<u64>(), 0..20).prop_map(SnmpValue::Oid),
        any::<u32>().prop_map(SnmpValue::Ticks),
        Just(SnmpValue::Absent),
    ]
}

proptest! {
    // Each damaged answer is waited for: the client must not take it, and nothing better comes.
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_datagram_is_no_answer_or_an_answer(damages in damages()) {
        let agent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = agent.local_addr().unwrap().port();
        let answering = std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            let (length, from) = agent.recv_from(&mut buffer).unwrap();
            let mut answer = buffer[..length].to_vec();
            // A response is a request with another tag: the first context tag behind the community.
            if let Some(tag) = answer.iter().position(|byte| *byte == 0xa0) {
                answer[tag] = 0xa2;
            }
            agent.send_to(&damaged(&answer, &damages), from).unwrap();
        });
        let to = Agent {
            host: "127.0.0.1".to_owned(),
            port,
            version: Version::V2c,
            community: Secret::new("public".to_owned()),
            timeout: Duration::from_millis(20),
            attempts: NonZeroU8::MIN,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(get(&to, snmp::IDENTITY));
        answering.join().unwrap();
        if let Err(error) = answer {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
