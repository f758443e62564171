//! Finding devices, through the whole program: simulated GAMs, an agent that is none, and silence, side by side.

use std::net::{Ipv4Addr, SocketAddr};

use gamops::domain::Model;
use gamops::sim::{DeviceSpec, Fault, Fleet, FleetOptions, GhnSubtree};
use serde_json::Value;

use crate::fleet::{Ran, program};
use crate::support::program::{free_tcp_port, free_udp_port};
use crate::support::snmpd::Snmpd;

/// A network of loopback addresses: `.1` is a coax device, `.2` a port-aware one on copper, `.3` one whose SNMP is silent,
/// `.4` an agent that is no GAM; nobody has the others.
struct Network {
    fleet: Option<Fleet>,
    _other: Snmpd,
    snmp_port: u16,
    ssh_port: u16,
    runtime: tokio::runtime::Runtime,
    home: tempfile::TempDir,
}

const HOST: fn(u8) -> Ipv4Addr = |last| Ipv4Addr::new(127, 77, 20, last);

impl Network {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (fleet, other, snmp_port, ssh_port) = runtime.block_on(async {
            loop {
                let (snmp, ssh) = (free_udp_port(), free_tcp_port());
                // Somebody else may have one of the ports by now.
                let Ok(fleet) = Fleet::start(specs(snmp, ssh), FleetOptions::default()).await else {
                    continue;
                };
                match Snmpd::start_at((HOST(4), snmp).into(), "public", "").await {
                    Ok(other) => return (fleet, other, snmp, ssh),
                    Err(_) => fleet.stop().await,
                }
            }
        });
        fleet.device("quiet").unwrap().set_fault(Fault::SnmpSilence);
        Self {
            fleet: Some(fleet),
            _other: other,
            snmp_port,
            ssh_port,
            runtime,
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn discover(&self, arguments: &[&str]) -> Ran {
        let (snmp, ssh) = (self.snmp_port.to_string(), self.ssh_port.to_string());
        let mut command = program(self.home.path());
        command
            .args(["discover", "--rate", "500", "--snmp-port", &snmp])
            .args(arguments);
        if arguments.contains(&"--ssh") {
            command.args(["--ssh-port", &ssh]);
        }
        command.output().unwrap().into()
    }

    /// Writes an inventory into the program's folder.
    fn write_inventory(&self, devices: &str) {
        let root = "format: 1\ninventory: found\ndefaults: { credentials: factory }\n";
        std::fs::write(self.home.path().join("gamops.yaml"), format!("{root}{devices}")).unwrap();
    }

    fn device(&self, key: &str, model: &str, last: u8) -> String {
        let ports = format!("ssh_port: {}, snmp_port: {}", self.ssh_port, self.snmp_port);
        format!(
            "  {key}: {{ model: {model}, address: {}, transport: {{ {ports} }} }}\n",
            HOST(last)
        )
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(fleet) = self.fleet.take() {
            self.runtime.block_on(fleet.stop());
        }
    }
}

fn specs(snmp: u16, ssh: u16) -> Vec<DeviceSpec> {
    let spec = |name: &str, model: &str, firmware: &str, last| {
        let mut spec = DeviceSpec::new(name, Model::by_name(model).unwrap(), firmware.parse().unwrap());
        spec.hostname = format!("gam-{name}");
        spec.snmp = SocketAddr::from((HOST(last), snmp));
        spec.ssh = SocketAddr::from((HOST(last), ssh));
        spec
    };
    let mut copper = spec("oak", "GAM-24-M", "GAM-12/24-M_v1.8.0", 2);
    copper.knobs.ghn_subtree = GhnSubtree::Present;
    copper.knobs.port_aware = true;
    vec![
        spec("maple", "GAM-4-CX", "GAM-4/8-C_v1.8.2", 1),
        copper,
        spec("quiet", "GAM-4-CX", "GAM-4/8-C_v1.8.2", 3),
    ]
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn gams_are_told_from_other_agents_and_from_silence() {
    let network = Network::start();
    let ran = network.discover(&["--cidr", "127.77.20.0/29", "--ssh"]).expect(0);
    // The versions of the simulator's SSH library and of gamops come and go.
    let shown = ran.stdout.lines().map(|line| match line.split_once("SSH-2.0-") {
        Some((before, _)) => format!("{before}SSH-2.0-(software)\n"),
        None => format!("{line}\n"),
    });
    insta::assert_snapshot!("found", shown.collect::<String>());
    assert!(
        ran.stderr.contains("asking 6 addresses, 500 questions a second"),
        "{}",
        ran.stderr
    );
}

#[test]
fn programs_read_it_as_json() {
    let network = Network::start();
    let ran = network
        .discover(&["--cidr", "127.77.20.2", "127.77.20.4/31", "--format", "json"])
        .expect(0);
    let found = json(&ran);
    assert_eq!(found["asked"], 3);
    assert_eq!(found["others"], 1);
    assert_eq!(found["silent"], 1);
    let oak = &found["gams"][0];
    for (key, value) in [
        ("address", "127.77.20.2"),
        ("model", "GAM-24-M"),
        ("firmware", "GAM-12/24-M_v1.8.0"),
        ("name", "gam-oak"),
        ("operating_mode", "port-aware"),
        ("snmp_version", "2c"),
        ("credentials", "factory"),
    ] {
        assert_eq!(oak[key], value, "{oak}");
    }
    assert_eq!(oak["product"], 15);
    assert_eq!(oak["inventory"], Value::Null);
}

#[test]
fn the_inventory_knows_them_by_address_and_once_met_by_mac() {
    let network = Network::start();
    network.write_inventory(&format!("devices:\n{}", network.device("maple-a", "GAM-4-CX", 1)));
    let all = ["--cidr", "127.77.20.0/29", "--format", "json"];
    let places = |ran: &Ran| {
        let found = json(ran);
        let gams = found["gams"].as_array().unwrap().iter();
        gams.map(|gam| gam["inventory"].clone()).collect::<Vec<Value>>()
    };
    let by_address = places(&network.discover(&all).expect(0));
    assert_eq!(by_address[0]["device"], "maple-a");
    assert_eq!(by_address[0]["by"], "address");
    assert_eq!(by_address[1], Value::Null);
    assert!(
        !network.home.path().join(".local").exists(),
        "discovering made a database"
    );

    let mut plan = program(network.home.path());
    let _ = Ran::from(plan.arg("plan").output().unwrap()).expect(0);
    let by_mac = places(&network.discover(&all).expect(0));
    assert_eq!(by_mac[0]["by"], "mac");
    assert_eq!(by_mac[0]["address"], Value::Null);

    // The inventory has it somewhere else by now, and another device at the place of the first.
    network.write_inventory(&format!("devices:\n{}", network.device("maple-a", "GAM-4-CX", 2)));
    let moved = network.discover(&["--cidr", "127.77.20.0/29"]).expect(0);
    let moved = moved.says("maple-a, there at 127.77.20.2");
    let _ = moved.says("address of maple-a, which is pinned to");
}

#[test]
fn a_community_comes_by_the_name_of_its_credentials_and_is_shown_nowhere() {
    let network = Network::start();
    let quiet = ["--cidr", "127.77.20.1", "--credentials", "field"];
    let mut command = program(network.home.path());
    command
        .args(["discover", "--snmp-port", &network.snmp_port.to_string()])
        .args(quiet)
        .env("GAMOPS_CRED_FIELD_COMMUNITY", "canary-91c2");
    let ran = Ran::from(command.output().unwrap()).expect(0);
    assert!(
        !format!("{}{}", ran.stdout, ran.stderr).contains("canary"),
        "it was shown"
    );
    let ran = ran.says("Asked 1 address: 0 GAMs, 0 devices of another kind, 1 silent.");
    let _ = ran.says("another community");

    let _ = network
        .discover(&quiet)
        .expect(1)
        .says("credentials `field` have no user name");
}

#[test]
fn more_than_a_16_is_refused_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let run = |range: &str| {
        Ran::from(
            program(home.path())
                .args(["discover", "--cidr", range])
                .output()
                .unwrap(),
        )
    };
    let _ = run("10.0.0.0/15")
        .expect(64)
        .says("131070 addresses")
        .says("one /16 after the other");
    let _ = run("fd00::/64").expect(64).says("65536 are asked in one run");
    let _ = run("10.0.0.0/33").expect(64).says("is not a range of addresses");
}

#[test]
fn what_is_found_in_a_range_is_imported() {
    let network = Network::start();
    let (snmp, ssh) = (network.snmp_port.to_string(), network.ssh_port.to_string());
    let ports = ["--snmp-port", &snmp, "--ssh-port", &ssh];
    let run = |arguments: &[&str]| Ran::from(program(network.home.path()).args(arguments).output().unwrap());
    let import = ["import", "-i", "isp", "--cidr", "127.77.20.0/29"];
    let ran = run(&[&import[..], &ports[..]].concat()).expect(0);
    let ran = ran.says("2 GAMs answer SNMP there").says("Taken in: 2 devices");
    assert!(ran.stdout.contains("127.77.20.1"), "{}", ran.stdout);
    let _ = run(&["plan", "-i", "isp", "--detailed-exitcode"])
        .expect(0)
        .says("No changes.");
    let _ = run(&[&import[..], &ports[..]].concat())
        .expect(0)
        .says("Nothing to import");
}
