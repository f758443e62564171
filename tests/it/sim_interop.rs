//! The simulated device against programs that nobody here wrote: OpenSSH's client and net-snmp.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::time::Duration;

use gamops::sim::{Fault, Fleet, SimDevice};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::sim::{spec, start};

/// Runs a program that must be there.
async fn run(program: &str, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| {
            panic!("cannot run {program}: {error}; install it with `apt-get install -y openssh-client snmp`")
        });
    let mut stdin = child.stdin.take().unwrap();
    // A program that has ended closes its input: that is its business.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    tokio::time::timeout(Duration::from_secs(60), child.wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("{program} did not end"))
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

/// Drives a device with OpenSSH's client. The password goes in by a helper program, as `ssh` reads none from
/// its input.
async fn ssh(device: &SimDevice, password: &str, options: &[&str], input: &str) -> Output {
    ssh_command(device, password, options, None, input).await
}

async fn ssh_command(
    device: &SimDevice,
    password: &str,
    options: &[&str],
    command: Option<&str>,
    input: &str,
) -> Output {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let ask = folder.path().join("askpass");
    std::fs::write(&ask, format!("#!/bin/sh\necho '{password}'\n")).unwrap();
    std::fs::set_permissions(&ask, std::fs::Permissions::from_mode(0o700)).unwrap();
    let address = device.ssh_addr();
    let (port, host) = (address.port().to_string(), address.ip().to_string());
    let mut arguments = vec![
        "-F",
        "none",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "PubkeyAuthentication=no",
        "-o",
        "NumberOfPasswordPrompts=1",
        "-p",
        &port,
        "-l",
        "admin",
    ];
    arguments.extend(options);
    arguments.push(&host);
    arguments.extend(command);
    let environment = [("SSH_ASKPASS", ask.to_str().unwrap()), ("SSH_ASKPASS_REQUIRE", "force")];
    run("ssh", &arguments, &environment, input).await
}

const SESSION: &str = "terminal length 0\nconfigure terminal\nghn endpoint 1 mac-address 00:0e:d8:1c:95:08 port 4\n\
                       ghn subscriber 1 name \"s 1\" vid 100 endpoint 1 bw-profile unthrottled\nend\n\
                       copy running-config startup-config\nshow running-config\nexit\n";

pub(crate) async fn device(change: impl FnOnce(&mut gamops::sim::DeviceSpec)) -> (Fleet, std::sync::Arc<SimDevice>) {
    let mut spec = spec("maple-a");
    spec.hostname = "gam-maple".to_owned();
    change(&mut spec);
    let fleet = start(vec![spec]).await;
    let device = fleet.device("maple-a").unwrap();
    (fleet, device)
}

fn assert_session(output: &Output, device: &SimDevice) {
    let (seen, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{seen}\n{errors}");
    for part in [
        "gam-maple(config)# ",
        "% Saving ",
        "ghn subscriber 1 name \"s 1\" vid 100 endpoint 1 bw-profile unthrottled poe enable\n",
    ] {
        assert!(seen.contains(part), "no {part:?} in\n{seen}\n{errors}");
    }
    assert!(device.startup_config().unwrap().contains("ghn subscriber 1"));
}

#[tokio::test]
async fn openssh_drives_a_whole_session_with_and_without_a_pty() {
    for options in [["-tt"].as_slice(), &["-T"]] {
        let (_fleet, device) = device(|_| {}).await;
        let output = ssh(&device, "", options, SESSION).await;
        assert_session(&output, &device);
    }
}

#[tokio::test]
async fn openssh_comes_in_with_a_password_only() {
    let (_fleet, device) = device(|_| {}).await;
    device.execute("username admin privilege 15 password unencrypted secret");
    assert_session(&ssh(&device, "secret", &["-tt"], SESSION).await, &device);
    let output = ssh(&device, "wrong", &["-tt"], SESSION).await;
    assert!(text(&output.stderr).contains("Permission denied"));
}

#[tokio::test]
async fn openssh_needs_its_old_algorithms_for_an_old_device() {
    let (_fleet, device) = device(|spec| spec.knobs.old_algorithms = true).await;
    let output = ssh(&device, "", &["-tt"], SESSION).await;
    assert!(
        text(&output.stderr).contains("no matching key exchange method"),
        "{output:?}"
    );
    let old = [
        "-tt",
        "-o",
        "KexAlgorithms=+diffie-hellman-group14-sha1",
        "-o",
        "HostKeyAlgorithms=+ssh-rsa",
        "-o",
        "Ciphers=+aes128-cbc",
        "-o",
        "MACs=+hmac-sha1",
    ];
    assert_session(&ssh(&device, "", &old, SESSION).await, &device);
}

#[tokio::test]
async fn openssh_s_command_is_not_run() {
    let (_fleet, device) = device(|_| {}).await;
    let output = ssh_command(&device, "", &["-T"], Some("show running-config"), "exit\n").await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(device.counters().commands, ["exit"]);
}

pub(crate) async fn snmp(program: &str, address: SocketAddr, community: &str, oids: &[&str]) -> Output {
    let agent = address.to_string();
    let mut arguments = vec![
        "-v2c",
        "-c",
        community,
        "-On",
        "-Oe",
        "-t",
        "1",
        "-r",
        "2",
        agent.as_str(),
    ];
    arguments.extend(oids);
    run(program, &arguments, &[("MIBS", "")], "").await
}

#[tokio::test]
async fn net_snmp_reads_who_the_device_is() {
    let (_fleet, device) = device(|_| {}).await;
    device.execute("snmp-server contact Roger, ext 5\nsnmp-server location left rack");
    let oids = [
        ".1.3.6.1.2.1.1.1.0",
        ".1.3.6.1.2.1.1.2.0",
        ".1.3.6.1.2.1.1.4.0",
        ".1.3.6.1.2.1.1.5.0",
        ".1.3.6.1.4.1.20095.2001.24.1.3.5.1.0",
        ".1.3.6.1.4.1.20095.2001.24.1.3.5.3.0",
        ".1.3.6.1.4.1.20095.2001.28.1.3.1.1.4.1",
        ".1.3.6.1.4.1.20095.2001.143.1.2.5.10.0",
    ];
    let output = snmp("snmpget", device.snmp_addr(), "public", &oids).await;
    let seen = text(&output.stdout);
    let mac: Vec<String> = device
        .spec()
        .base_mac()
        .octets()
        .iter()
        .map(|octet| format!("{octet:02X}"))
        .collect();
    for part in [
        ".1.1.0 = STRING: \"GAM-12-C GigaBit Ethernet Switch\"".to_owned(),
        ".1.2.0 = OID: .1.3.6.1.4.1.20095.2000.1.14".to_owned(),
        ".1.4.0 = STRING: \"Roger, ext 5\"".to_owned(),
        ".1.5.0 = STRING: \"gam-maple\"".to_owned(),
        format!(".5.1.0 = Hex-STRING: {}", mac.join(" ")),
        format!(".5.3.0 = STRING: \"{}\"", device.spec().serial()),
        "= STRING: \"GAM-12/24-C_v1.8.2\"".to_owned(),
        "No Such Object".to_owned(),
    ] {
        assert!(seen.contains(&part), "no {part:?} in\n{seen}{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn net_snmp_walks_the_port_table_in_order() {
    let (_fleet, device) = device(|_| {}).await;
    device.execute("ghn port 2 shutdown");
    let base = ".1.3.6.1.4.1.20095.2001.11.1.2.1.1";
    for program in ["snmpwalk", "snmpbulkwalk"] {
        let output = snmp(program, device.snmp_addr(), "public", &[base]).await;
        let seen = text(&output.stdout);
        // 12 G.hn ports, 2 uplinks, MGMT; 10 columns.
        assert_eq!(seen.lines().count(), 150, "{seen}{}", text(&output.stderr));
        for row in [
            "2.1000001 = INTEGER: 2",
            "2.1000002 = INTEGER: 1",
            "3.1000013 = INTEGER: 8",
            "11.1000013 = INTEGER: 3",
            "11.1000015 = INTEGER: 1",
            "7.1000001 = Gauge32: 2014",
        ] {
            assert!(seen.contains(row), "no {row} in\n{seen}");
        }
    }
}

#[tokio::test]
async fn net_snmp_hears_nothing_with_a_wrong_community_or_a_silent_device() {
    let (_fleet, device) = device(|_| {}).await;
    let name = [".1.3.6.1.2.1.1.5.0"];
    let address = device.snmp_addr();
    let output = snmp("snmpget", address, "guess", &name).await;
    assert!(text(&output.stderr).contains("Timeout: No Response"), "{output:?}");
    device.set_fault(Fault::SnmpSilence);
    let output = snmp("snmpget", address, "public", &name).await;
    assert!(text(&output.stderr).contains("Timeout: No Response"), "{output:?}");
    device.clear_faults();
    device.execute("no snmp-server community public\nsnmp-server community watch ip-range 0.0.0.0 0.0.0.0 watch");
    let output = snmp("snmpget", address, "public", &name).await;
    assert!(text(&output.stderr).contains("Timeout: No Response"), "{output:?}");
    let output = snmp("snmpget", address, "watch", &name).await;
    assert!(text(&output.stdout).contains("gam-maple"), "{output:?}");
}
