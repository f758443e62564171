use std::collections::BTreeMap;

use clap::Parser;

use super::*;
use crate::cli::simulate_control::{self, SimulateControlArgs};
use crate::domain::{Mbps, VlanId, VlanSet};
use crate::inventory::drift::Drift;
use crate::inventory::model::{
    External, History, Mode, OnFailure, Policies, State, Subscriber, SubscriberEndpoint, Transport, Unsaved,
};

#[derive(Debug, clap::Parser)]
struct Simulate {
    #[command(flatten)]
    args: SimulateArgs,
}

#[derive(Debug, clap::Parser)]
struct Control {
    #[command(flatten)]
    args: SimulateControlArgs,
}

fn device(key: &str, model: &str) -> Device {
    Device {
        subscriber_model: crate::domain::SubscriberModel::EndpointAware,
        key: key.to_owned(),
        was: None,
        site: None,
        model: Model::by_name(model).unwrap(),
        address: "127.0.0.1".to_owned(),
        transport: Transport {
            ssh_port: 0,
            snmp_port: 0,
            snmp: true,
            legacy_algorithms: false,
        },
        credentials: "factory".to_owned(),
        host_key: None,
        mode: Mode::Manage,
        paused: None,
        window: None,
        protect: false,
        allow_assumed: false,
        hostname: None,
        ports: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        drift: Drift::default(),
        labels: BTreeMap::new(),
        external: External::default(),
    }
}

fn subscriber(key: &str, device: &str, last_octet: u8, port: PortBinding) -> Subscriber {
    Subscriber {
        double_tag: None,
        trunk: false,
        key: key.to_owned(),
        was: None,
        device: device.to_owned(),
        name: key.to_owned(),
        description: None,
        endpoint: Some(SubscriberEndpoint {
            management_access: None,
            mac: MacAddr::new([0, 0x0e, 0xd8, 0, 0, last_octet]),
            name: None,
            description: None,
            id: None,
        }),
        port,
        plan: "unthrottled".to_owned(),
        vlan: VlanId::try_from(100).unwrap(),
        tagged: false,
        remapped_vlan: None,
        allowed_vlans: VlanSet::default(),
        port2_vlan: None,
        poe: None,
        state: State::Active,
        id: None,
        protect: false,
        labels: BTreeMap::new(),
        external: External::default(),
        hold: None,
        ended: None,
    }
}

fn inventory() -> Inventory {
    let port = |number: u64| PortBinding::Port(PortNumber::try_from(number).unwrap());
    let subscribers = [
        subscriber("s-1", "maple-m", 1, port(1)),
        subscriber("s-2", "maple-m", 2, PortBinding::Auto),
        subscriber("s-3", "maple-m", 3, PortBinding::Unassigned),
        subscriber("s-4", "elm", 4, port(3)),
    ];
    Inventory {
        id: "test".to_owned(),
        policies: Policies {
            unsaved: Unsaved::Report,
            on_failure: OnFailure::default(),
            suspension: None,
            max_rate: Mbps::MAX,
            guards: crate::inventory::guards::Guards::default(),
            waves: crate::inventory::rollout::Waves::default(),
            rules: BTreeMap::new(),
            history: History::default(),
            drift: Drift::default(),
        },
        headroom: crate::inventory::Headroom::default(),
        sites: BTreeMap::new(),
        devices: [device("maple-m", "GAM-4-MX"), device("elm", "GAM-12-C")]
            .into_iter()
            .map(|device| (device.key.clone(), device))
            .collect(),
        plans: BTreeMap::new(),
        subscribers: subscribers.into_iter().collect(),
        billing: BTreeMap::new(),
    }
}

#[test]
fn endpoints_are_plugged_in_where_they_belong() {
    let specs = specs(&inventory(), "1.5.4", |_| None).unwrap();
    assert_eq!(specs[0].name, "elm");
    assert_eq!(specs[0].firmware.to_string(), "GAM-12/24-C_v1.5.4");
    let maple = &specs[1];
    assert_eq!(maple.firmware.to_string(), "GAM-4/8-M_v1.5.4");
    let ports: Vec<u16> = maple.plugged.iter().map(|(_, port)| port.get()).collect();
    // Port 1 of a copper device is full, so the one on `auto` is on port 2; the unassigned one is nowhere.
    assert_eq!(ports, [1, 2]);
}

#[test]
fn an_address_that_is_a_name_cannot_be_simulated() {
    let mut inventory = inventory();
    inventory.devices.get_mut("elm").unwrap().address = "gam.example.net".to_owned();
    let error = specs(&inventory, "1.8.2", |_| None).unwrap_err();
    assert!(error.to_string().contains("elm"), "{error}");
}

#[test]
fn blank_and_state_exclude_each_other() {
    let error = Simulate::try_parse_from(["simulate", "-i", "x", "--blank", "--state", "y"]).unwrap_err();
    assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict);
    let parsed = Simulate::try_parse_from(["simulate", "-i", "x", "--blank"]).unwrap();
    assert!(parsed.args.blank && parsed.args.firmware.is_none());
}

#[tokio::test]
async fn a_run_says_when_all_are_up_and_keeps_state_between_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (state, socket) = (folder.path().join("state"), folder.path().join("control"));
    let (state, control) = (state.to_str().unwrap(), socket.to_str().unwrap());
    let args = ["simulate", "-i", "x", "--state", state, "--control", control];
    let args = Simulate::try_parse_from(args).unwrap().args;
    for hostname in ["first", "second"] {
        let mut out = Vec::new();
        let end = async {
            let running = order(&socket, &["running-config"]).await.unwrap();
            // The second run finds what the first one saved.
            assert!(running.contains("hostname first"), "{running}");
            let saved = order(&socket, &["execute", "copy running-config startup-config"]).await;
            assert!(saved.unwrap().contains("% Saving"));
            Ok(())
        };
        let initial = |_: &Device| Some(format!("hostname {hostname}\n"));
        run_until(&args, &inventory(), initial, &mut out, end).await.unwrap();
        assert!(String::from_utf8(out).unwrap().ends_with("2 devices are up\n"));
        assert!(!socket.exists());
    }
}

#[tokio::test]
async fn devices_are_like_the_one_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control");
    for (like, version, line) in [
        (
            "gam-1.2.0",
            "Software Version : GAM-12/24-C_v1.2.0",
            "snmp-server community v2c public ro",
        ),
        ("gam-1.5.4", "Software Version : GAM-12/24-C_v1.5.4", "ip-range"),
        ("gam-1.8.2", "Software Version : GAM-12/24-C_v1.8.2", "ip-range"),
        (
            "hostile",
            "Software Version : GAM-12/24-C_v1.8.2",
            "ghn bw-profile 1 name",
        ),
    ] {
        let args = ["simulate", "--like", like, "--control", socket.to_str().unwrap()];
        let args = Simulate::try_parse_from(args).unwrap().args;
        let end = async {
            let shown = order(&socket, &["execute", "show version"]).await.unwrap();
            assert!(shown.contains(version), "{like}: {shown}");
            let running = order(&socket, &["running-config"]).await.unwrap();
            assert!(running.contains(line), "{like}: {running}");
            let plug = ["plug", "00:0e:d8:00:00:09", "3", "--model", "G1002-C+"];
            assert_eq!(order(&socket, &plug).await, Ok(String::new()));
            Ok(())
        };
        run_until(&args, &inventory(), |_| None, &mut Vec::new(), end)
            .await
            .unwrap();
    }
    let error = Simulate::try_parse_from(["simulate", "--like", "gam-9"]).unwrap_err();
    assert!(error.to_string().contains("gam-1.5.4"), "{error}");
    let error = Control::try_parse_from(["c", "s", "elm", "plug", "00:0e:d8:00:00:09", "3", "--model", "G1"]);
    assert!(error.unwrap_err().to_string().contains("G1002-C+"));
}

async fn order(socket: &std::path::Path, words: &[&str]) -> Result<String, String> {
    let mut line = vec!["simulate-control", socket.to_str().unwrap(), "elm"];
    line.extend(words);
    let args = Control::try_parse_from(line).map_err(|error| error.to_string())?.args;
    let mut out = Vec::new();
    simulate_control::run(&args, &mut out)
        .await
        .map_err(|error| format!("{error:#}"))?;
    Ok(String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn a_running_fleet_obeys_its_control_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control");
    let fleet = Fleet::start(
        specs(&inventory(), "1.8.2", |_| Some("hostname elm\n".to_owned())).unwrap(),
        FleetOptions::default(),
    )
    .await
    .unwrap();
    let simulation = Arc::new(Simulation {
        fleet,
        billing: crate::sim::billing::Systems::default(),
    });
    let mut table = Vec::new();
    write_table(&simulation.fleet, &mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(table.starts_with("DEVICE   MODEL     SSH "), "{table}");
    assert!(table.ends_with("2 devices are up\n"), "{table}");

    let task = listen(&socket, Arc::clone(&simulation)).await.unwrap();
    assert!(listen(&socket, Arc::clone(&simulation)).await.is_err());
    assert_eq!(
        order(&socket, &["execute", "ghn subscriber 9 name x"]).await,
        Ok(String::new())
    );
    let running = order(&socket, &["running-config"]).await.unwrap();
    assert!(running.contains("ghn subscriber 9"), "{running}");
    assert_eq!(order(&socket, &["reboot"]).await, Ok(String::new()));
    let running = order(&socket, &["running-config"]).await.unwrap();
    assert!(running.contains("hostname elm") && !running.contains("ghn subscriber 9"));
    let fault = ["fault", "drop", "at=3", "when=in-output", "of=configuration"];
    assert_eq!(order(&socket, &fault).await, Ok(String::new()));
    assert_eq!(order(&socket, &["clear-faults"]).await, Ok(String::new()));
    assert!(order(&socket, &["fault", "drop", "when=never"]).await.is_err());
    let unplugged = order(&socket, &["plug", "00:0e:d8:00:00:09", "13"]).await;
    assert_eq!(unplugged, Err("a GAM-12-C has no G.hn port 13".to_owned()));
    assert!(order(&socket, &["counters"]).await.unwrap().contains("\"boots\": 2"));
    task.abort();

    // A socket left behind by a simulator that is gone is replaced.
    let _ = task.await;
    // A process that another test starts has the socket as well, until it is a program of its own.
    while tokio::net::UnixStream::connect(&socket).await.is_ok() {
        tokio::task::yield_now().await;
    }
    listen(&socket, simulation).await.unwrap().abort();
}
