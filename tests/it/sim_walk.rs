//! net-snmp walks the simulated device's tables, and finds in them what the command line says.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

use gamops::domain::{MacAddr, PortNumber};
use gamops::sim::{EndpointModel, GhnSubtree, SimDevice};

use crate::sim_interop::{device, snmp, text};

const VENDOR: &str = ".1.3.6.1.4.1.20095.2001";

/// All rows below an object, without `No Such` lines.
async fn rows(device: &SimDevice, below: &str) -> Vec<String> {
    let output = snmp("snmpbulkwalk", device.snmp_addr(), "public", &[below]).await;
    assert!(output.status.success(), "{below}: {}", text(&output.stderr));
    let seen = text(&output.stdout);
    // A walk that goes back or in circles ends with a complaint.
    assert!(!seen.contains("OID not increasing"), "{seen}");
    let lines = seen
        .lines()
        .filter(|line| line.starts_with(below) && !line.contains("No Such"));
    lines.map(str::to_owned).collect()
}

fn mac(last: u8) -> MacAddr {
    MacAddr::new([0, 0x0e, 0xd8, 0, 0, last])
}

fn port(number: u64) -> PortNumber {
    PortNumber::try_from(number).unwrap()
}

const LINES: &str = "ghn bw-profile 2 name gold rate-downstream 106 rate-upstream 53\n\
    ghn endpoint 1 mac-address 00:0e:d8:00:00:01 port 1\nghn endpoint 2 mac-address 00:0e:d8:00:00:02 port 2\n\
    ghn subscriber 5 name \"s 5\" vid 100 endpoint 1 bw-profile 2";

#[tokio::test]
async fn net_snmp_finds_every_table_whole() {
    let (_fleet, device) = device(|spec| spec.knobs.ghn_subtree = GhnSubtree::Present).await;
    device.execute(LINES);
    device.plug_model(mac(1), port(1), Some(EndpointModel::G1002CPlus));
    device.plug(mac(9), port(3));
    for (table, count) in [
        // 12 G.hn ports, 2 uplinks, MGMT.
        (".1.3.6.1.2.1.1", 7),
        (".1.3.6.1.2.1.17.1.4.1.2", 15),
        (".1.3.6.1.2.1.17.4.3.1.1", 14),
        (".1.3.6.1.2.1.17.7.1.2.2.1.2", 14),
        (".11.1.3.1.1", 15 * 9),
        (".11.1.5.2.1", 15 * 14),
        (".13.1.2.2.1.1.2", 15),
        (".24.1.3.5", 9),
        (".28.1.3.1.1", 3 * 7),
        (".101.1.3.2.1", 4),
        (".143.1.2.5", 4),
        (".143.1.2.10.1", 12 * 16),
        (".143.1.2.20.1", 2 * 8),
        (".143.1.2.30.1", 2 * 7),
        (".143.1.2.40.1", 23),
        (".143.1.2.50", 8),
        (".143.1.3.10.10.1", 12 * 7),
        // Holes where endpoint 2 is missing: three columns of sixteen.
        (".143.1.3.20.10.1", 16 + 13),
        (".143.1.3.30.10.1", 16 + 13 + 16),
        // An absent endpoint has its address and that it is absent.
        (".143.1.3.20.20.1.20", 2),
        (".143.1.3.20.20.1.30", 1),
        // Two Ethernet ports, and the word that two more are not known.
        (".143.1.3.20.30.1", 8 + 2),
        (".143.1.3.20.40.1", 3),
        (".143.1.3.20.50.1", 7),
        (".143.1.5.10.10.1", 12 * 6),
        (".143.1.5.30.20.1", 2 * 8),
        // LOS of endpoint 2.
        (".145.1.3.1.1", 11),
        (".145.1.3.2.1.10", 4),
    ] {
        let below = if table.starts_with(".1.3") {
            table.to_owned()
        } else {
            format!("{VENDOR}{table}")
        };
        let seen = rows(&device, &below).await;
        assert_eq!(seen.len(), count, "{table}\n{}", seen.join("\n"));
    }
}

/// Every table and group of the vendor's that simulated devices have.
const TABLES: &[&str] = &[
    ".11.1.2.1.1",
    ".11.1.3.1.1",
    ".11.1.5.2.1",
    ".13.1.2.2.1.1",
    ".24.1.2.1",
    ".24.1.2.2",
    ".24.1.3.1",
    ".24.1.3.2.1",
    ".24.1.3.4",
    ".24.1.3.5",
    ".24.1.3.7.1",
    ".24.1.3.8.1",
    ".28.1.3.1.1",
    ".28.1.3.2",
    ".28.1.3.3.1",
    ".101.1.3.1",
    ".101.1.3.2.1",
    ".101.1.3.3",
    ".145.1.3.1.1",
    ".145.1.3.2.1",
];

/// Those of the G.hn module, which a device may keep to itself.
const GHN_TABLES: &[&str] = &[
    ".143.1.2.5",
    ".143.1.2.10.1",
    ".143.1.2.20.1",
    ".143.1.2.30.1",
    ".143.1.2.40.1",
    ".143.1.2.50",
    ".143.1.3.10.10.1",
    ".143.1.3.10.20.1",
    ".143.1.3.20.10.1",
    ".143.1.3.20.20.1",
    ".143.1.3.20.30.1",
    ".143.1.3.20.40.1",
    ".143.1.3.20.50.1",
    ".143.1.3.30.10.1",
    ".143.1.3.30.20.1",
    ".143.1.3.30.30.1",
    ".143.1.3.30.40.1",
    ".143.1.3.30.50.1",
    ".143.1.3.40",
    ".143.1.5.10.10.1",
    ".143.1.5.20.10.1",
    ".143.1.5.20.20.1",
    ".143.1.5.30.10.1",
    ".143.1.5.30.20.1",
];

#[tokio::test]
async fn a_walk_of_all_that_is_the_vendors_passes_every_table() {
    for subtree in [GhnSubtree::Present, GhnSubtree::Absent] {
        let tune = move |spec: &mut gamops::sim::DeviceSpec| spec.knobs.ghn_subtree = subtree;
        let (_fleet, device) = device(tune).await;
        device.execute(LINES);
        device.execute("copy running-config startup-config");
        device.plug_model(mac(1), port(1), Some(EndpointModel::G1002CPlus));
        let seen = rows(&device, VENDOR).await;
        let has = |table: &str| seen.iter().any(|row| row.starts_with(&format!("{VENDOR}{table}.")));
        for table in TABLES {
            assert!(has(table), "nothing of {table}");
        }
        for table in GHN_TABLES {
            assert_eq!(has(table), subtree == GhnSubtree::Present, "{table}");
        }
        let is_known = |row: &&String| {
            let known = |table: &&&str| row.starts_with(&format!("{VENDOR}{table}."));
            TABLES.iter().chain(GHN_TABLES).any(|table| known(&table))
        };
        let unknown: Vec<&String> = seen.iter().filter(|row| !is_known(row)).collect();
        assert!(unknown.is_empty(), "tables that no test names: {unknown:?}");
    }
}

#[tokio::test]
async fn net_snmp_walks_four_thousand_interfaces_and_asks_for_one() {
    let (_fleet, device) = device(|_| {}).await;
    let names = rows(&device, ".1.3.6.1.2.1.2.2.1.2").await;
    assert_eq!(names.len(), 4095 + 15);
    assert!(
        names[4094].ends_with("2.4095 = STRING: \"VLAN 4095\""),
        "{}",
        names[4094]
    );
    assert!(
        names[4095].ends_with(".1000001 = STRING: \"G.hn 1/1\""),
        "{}",
        names[4095]
    );
    assert!(names[4109].ends_with("\"Gi 1/1\""), "{}", names[4109]);
}

#[tokio::test]
async fn what_snmp_says_of_configuration_and_endpoints_is_what_the_command_line_says() {
    let (_fleet, device) = device(|spec| spec.knobs.ghn_subtree = GhnSubtree::Present).await;
    device.execute(LINES);
    device.plug(mac(1), port(1));
    let status = device.execute("show ghn endpoint 1 status");
    let says = |label: &str| {
        let line = status.lines().find(|line| line.starts_with(label)).unwrap();
        line.split_once(" : ").unwrap().1.trim().to_owned()
    };
    for (label, column) in [
        ("Serial no", 50),
        ("FW Version", 70),
        ("Downstream Max Allocatable Bandwidth", 150),
        ("Upstream Max Allocatable Bandwidth", 160),
    ] {
        let below = format!("{VENDOR}.143.1.3.20.20.1.{column}.1");
        let output = snmp("snmpget", device.snmp_addr(), "public", &[&below]).await;
        let seen = text(&output.stdout);
        let value = seen.trim().rsplit_once(": ").unwrap().1.trim_matches('"');
        assert_eq!(value, says(label).trim_end_matches(" Mbps"), "{label}: {seen}");
    }
    // The bytes of the port between two readings of the command line, since time goes on.
    let bytes = || -> u64 {
        let shown = device.execute("show ghn port 1 statistics");
        let line = shown.lines().find(|line| line.starts_with("rx_bytes")).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let before = bytes();
    let below = format!("{VENDOR}.143.1.5.10.10.1.20.1000001");
    let output = snmp("snmpget", device.snmp_addr(), "public", &[&below]).await;
    let seen: u64 = text(&output.stdout).trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!((before..=bytes()).contains(&seen), "{before} {seen}");

    // `dir` and the files, `show alarm active` and the alarms.
    device.execute("copy running-config startup-config");
    let listed = device.execute("dir");
    let total = listed.lines().last().unwrap();
    let used = rows(&device, &format!("{VENDOR}.101.1.3.1.2")).await;
    let used = used[0].rsplit(' ').next().unwrap().to_owned();
    assert_eq!(total, format!("2 files, {used} bytes total."));
    let alarms = device.execute("show alarm active");
    let entities = rows(&device, &format!("{VENDOR}.145.1.3.1.1.4")).await;
    assert_eq!(entities.len(), 1);
    assert!(
        entities[0].ends_with("\"CPE-2\"") && alarms.contains(" CPE-2 "),
        "{alarms}"
    );
    device.plug(mac(2), port(2));
    assert!(rows(&device, &format!("{VENDOR}.145.1.3.1.1.4")).await.is_empty());
    // What each profile is called, in both.
    let names = rows(&device, &format!("{VENDOR}.143.1.2.30.1.30")).await;
    assert!(names[1].ends_with("30.2 = STRING: \"gold\""), "{names:?}");
    assert!(device.execute("show ghn bw-profile 2").starts_with("Name: gold\n"));
}
