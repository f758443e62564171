use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::dialect::command;
use crate::dialect::running;
use crate::observed::{DeviceConfig, Kind};
use crate::plan::impact::duration::Work;
use crate::plan::pause::Ordered;
use crate::plan::{a_case, any_capabilities, plan_device};

/// A device with all that can be known of one.
fn sighting(managed: DeviceConfig, records: Vec<Record>, capabilities: Capabilities) -> Sighting {
    let running = RunningConfig {
        warnings: running::oddities(&managed),
        managed: Arc::new(managed),
        other: Vec::new(),
    };
    let moment = Timestamp::from_second(1_795_849_107).unwrap();
    let ordered = Ordered {
        by: "alice@noc1".to_owned(),
        since: moment,
        of_all: false,
        of_daemon: false,
    };
    Sighting {
        identity: Identity {
            mac: "00:0e:d8:00:00:01".parse().unwrap(),
            model: Model::by_name("GAM-12-M"),
            firmware: "GAM-12/24-M_v1.8.2".parse().unwrap(),
            serial: Some("X1".to_owned()),
        },
        host_key: "SHA256:abc".to_owned(),
        running: Arc::new(running),
        startup: None,
        capabilities,
        records: Arc::new(records),
        unfinished: true,
        timings: Timings::of([(
            Work {
                kind: Kind::Subscriber,
                deletes: true,
            },
            Duration::from_millis(730),
        )]),
        pauses: vec![Paused {
            reason: "splicing".to_owned(),
            until: Some(moment),
            ordered: Some(ordered),
        }],
    }
}

fn again(sighting: &Sighting) -> Sighting {
    let text = Document::of(sighting).text().unwrap();
    let read = Document::parse(&text).unwrap().sighting().unwrap();
    assert_eq!(
        Document::of(&read).text().unwrap(),
        text,
        "the same device, the same bytes"
    );
    read
}

/// A plan but for the fingerprint of all that the device runs, which takes lines that are not published.
fn plan(sighting: &Sighting, desired: &Arc<DesiredDevice>) -> String {
    let inputs = sighting.inputs(desired, running::canonical, Timestamp::UNIX_EPOCH, None);
    let changes = plan_device(inputs, &|change| {
        command::commands(change).map_err(|error| error.to_string())
    });
    let shown = format!("{changes:#?}");
    shown.split("    basis: Basis").next().unwrap_or_default().to_owned()
}

proptest! {
    #[test]
    fn what_is_read_again_gives_the_same_plan((desired, device, records) in a_case(), capabilities in any_capabilities()) {
        let mut live = sighting(device.clone(), records, capabilities);
        let desired = Arc::new(desired);
        for startup in [None, Some(Arc::clone(&live.running)), Some(Arc::new(RunningConfig::default()))] {
            live.startup = startup;
            prop_assert_eq!(plan(&again(&live), &desired), plan(&live, &desired));
        }
    }
}

#[test]
fn lines_words_and_remarks_of_a_configuration_are_not_published() {
    let text = "version 1\nhostname maple\nusername admin privilege 15 password encrypted CANARYhash\nsnmp-server community CANARYcommunity ro\n\
                ghn subscriber 7 name \"s-7\" CANARYword vid 107\ninterface 10GigabitEthernet 1/1\n switchport mode trunk\n \
                switchport trunk allowed vlan 100-200\n description CANARYdescription\n switchport trunk allowed vlan CANARYlist\nend\n";
    let running = running::parse(text).unwrap();
    assert!(!running.warnings.is_empty());
    let mut live = sighting(
        DeviceConfig::default(),
        Vec::new(),
        Capabilities::of_firmware(&"A_v1.8.2".parse().unwrap()),
    );
    let mut saved = running.clone();
    saved.other.retain(|line| !line.starts_with("snmp-server"));
    (live.running, live.startup) = (Arc::new(running), Some(Arc::new(saved)));
    let text = Document::of(&live).text().unwrap();
    assert!(!text.contains("CANARY"), "{text}");

    let read = again(&live);
    assert_eq!(
        read.running.other,
        [
            "interface 10GigabitEthernet 1/1",
            " switchport mode trunk",
            " switchport trunk allowed vlan 100-200"
        ]
    );
    let unknown = read.running.managed.subscribers.values().map(|one| one.unknown.len());
    let had = live.running.managed.subscribers.values().map(|one| one.unknown.len());
    assert!(unknown.eq(had.clone()) && had.sum::<usize>() > 0);
    assert!(
        read.running
            .warnings
            .iter()
            .any(|warning| warning.contains("not published"))
    );
    // That something there is unsaved is not lost.
    assert!(!read.running.is_same_as(read.startup.as_ref().unwrap()));
    let mut saved = RunningConfig::clone(&live.running);
    let managed = Arc::make_mut(&mut saved.managed);
    managed
        .subscribers
        .values_mut()
        .for_each(|one| one.unknown[0].push('2'));
    live.startup = Some(Arc::new(saved));
    let read = again(&live);
    assert!(!read.running.is_same_as(read.startup.as_ref().unwrap()));
}

#[test]
fn what_is_no_observed_device_is_refused() {
    let live = sighting(
        DeviceConfig::default(),
        Vec::new(),
        Capabilities::of_firmware(&"A_v1.8.2".parse().unwrap()),
    );
    let text = Document::of(&live).text().unwrap();
    let refused = |text: &str| match Document::parse(text).and_then(|document| document.sighting()) {
        Ok(_) => panic!("{text}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(refused("{}"), "it is no observed device");
    assert_eq!(
        refused(&text.replace("\"format\": 1", "\"format\": 2")),
        "it is of format 2, and this gamops reads format 1"
    );
    assert_eq!(
        refused(&text.replace("\"running\"", "\"ran\"")),
        "it is no observed device"
    );
    assert_eq!(
        refused(&text.replace("GAM-12-M\"", "GAM-13-M\"")),
        "it names the unknown model `GAM-13-M`"
    );
    assert!(refused(&text.replace("\"unknown\"", "\"no\"")).contains("`startup` belongs to `saved: no`"));
    let line = text.replace("\"uplinks\": {}", "\"uplinks\": {\"1\": [\"username admin\"]}");
    assert!(refused(&line).contains("is no line about the VLANs of an uplink"));
}
