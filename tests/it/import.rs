//! From devices that scripts configured to an inventory whose plan is "No changes".

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gamops::domain::Model;
use gamops::sim::{DeviceSpec, Likeness};

use crate::fleet::{Given, Ran, TWO, TestFleet};

/// What a technician typed into two devices over the years.
const MAPLE: &str = "\
hostname maple-a
ghn port 1 name \"Riser A\"
ghn port 3 shutdown
ghn bw-profile 2 name \"Home 200\" rate-downstream 212 rate-upstream 53 description \"most homes\"
ghn bw-profile 3 name \"gold\" rate-downstream 530 rate-upstream 530
ghn bw-profile 4 name \"profile 4\" rate-downstream 106 rate-upstream 106
ghn bw-profile 5 name \"old\" rate-downstream 15 rate-upstream 15
ghn endpoint 1 mac-address 00:0e:d8:00:00:01 name \"Positron_000001\" port 1
ghn endpoint 2 mac-address 00:0e:d8:00:00:02 name \"Kitchen\" port 1
ghn endpoint 3 mac-address 00:0e:d8:00:00:03 name \"Positron_000003\" port 2
ghn endpoint 4 mac-address 00:0e:d8:00:00:04 name \"Positron_000004\"
ghn endpoint 5 mac-address 00:0e:d8:00:00:05 name \"Positron_000005\" port auto
ghn subscriber 1 name \"101\" endpoint 1 vid 101 bw-profile 2
ghn subscriber 2 name \"Dr. Lindqvist (left)\" endpoint 2 vid 102 bw-profile 3 tagged allowed-vlan 400,2000-2002 poe disable
ghn subscriber 3 name \"s-3\" endpoint 3 vid 103 bw-profile 4 description \"Apt 3: rear\"
ghn subscriber 4 name \"captive\" bw-profile unthrottled
ghn subscriber 5 name \"O'Hara & Sons\" endpoint 5 vid 105 bw-profile 2
copy running-config startup-config
";

const HARBOUR: &str = "\
ghn port 2 mode siso name \"Apt 2\"
ghn bw-profile 7 name \"gold\" rate-downstream 530 rate-upstream 530
ghn bw-profile 8 name \"Silver\" rate-downstream 530 rate-upstream 530
ghn endpoint 11 mac-address 00:0e:d8:00:01:01 name \"Positron_000101\" port 1
ghn endpoint 12 mac-address 00:0e:d8:00:01:02 name \"Positron_000102\" port 2
ghn subscriber 21 name \"101\" endpoint 11 vid 240 bw-profile 7
ghn subscriber 22 name \"102\" endpoint 12 vid 240 bw-profile 8 port2-vid 241 remapped-vid 340
copy running-config startup-config
";

fn address(fleet: &TestFleet, key: &str) -> String {
    let device = fleet.device(key);
    format!("127.0.0.1:{}/{}", device.ssh_addr().port(), device.snmp_addr().port())
}

/// A folder for an inventory beside the fleet's own.
fn folder(fleet: &TestFleet) -> PathBuf {
    fleet.inventory().with_file_name("my-isp")
}

fn import(fleet: &TestFleet, more: &[&str]) -> Ran {
    let folder = folder(fleet);
    let mut arguments = vec!["import", "-i", folder.to_str().unwrap()];
    arguments.extend(more);
    fleet.run(&arguments)
}

fn plan(fleet: &TestFleet) -> Ran {
    fleet.run(&["plan", "--detailed-exitcode", "-i", folder(fleet).to_str().unwrap()])
}

/// Every file below a folder, with its content.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// Sets every device of the imported inventory to `manage`.
fn manage(fleet: &TestFleet) {
    for (name, text) in files(&folder(fleet)) {
        std::fs::write(folder(fleet).join(name), text.replace("mode: observe", "mode: manage")).unwrap();
    }
}

fn configured() -> TestFleet {
    let fleet = TestFleet::start(TWO, "");
    for (key, lines) in [("maple", MAPLE), ("harbour", HARBOUR)] {
        let said = fleet.device(key).execute(lines);
        assert!(
            said.lines()
                .all(|line| !line.starts_with('%') || line.starts_with("% Saving")),
            "{said}"
        );
    }
    fleet
}

#[test]
fn two_devices_are_written_as_a_careful_operator_would_have() {
    let fleet = configured();
    let before = ["maple", "harbour"].map(|key| fleet.device(key).running_config());
    let (maple, harbour) = (address(&fleet, "maple"), address(&fleet, "harbour"));
    let ran = import(&fleet, &[&maple, &format!("harbour={harbour}")]).expect(0);
    let mut all = ran.stdout;
    for (name, text) in files(&folder(&fleet)) {
        let _ = write!(all, "\n----- {name}\n{text}");
    }
    let home = fleet.inventory().parent().unwrap().to_string_lossy().into_owned();
    insta::with_settings!({filters => vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"_port: \d+", "_port: PORT"),
        (home.as_str(), "HOME"),
    ]}, {
        insta::assert_snapshot!("two_devices", all);
    });

    // They were pinned as a plan would have, and nothing is to do on them, looked at or managed.
    let planned = plan(&fleet).expect(0).says("No changes.");
    assert!(!planned.stdout.contains("UPDATE"), "{}", planned.stdout);
    manage(&fleet);
    let _ = plan(&fleet)
        .expect(0)
        .says("No changes.")
        .says("adopt     subscriber 1 \"101\"");
    let isp = folder(&fleet);
    let _ = fleet
        .run(&["apply", "--auto-approve", "-i", isp.to_str().unwrap()])
        .expect(0);
    let after = ["maple", "harbour"].map(|key| fleet.device(key).running_config());
    assert_eq!(after, before, "taking over sends nothing");
    let owned = plan(&fleet).expect(0).says("No changes.");
    assert!(!owned.stdout.contains("adopt "), "{}", owned.stdout);

    // Once more there is nothing left to do, and nothing is touched.
    let written = files(&isp);
    let again = import(&fleet, &[&maple, &harbour]).expect(0);
    let again = again.says("harbour").says("in the inventory already, and as it says");
    // What was left alone still is.
    let _ = again
        .says("left alone: subscriber 5 \"O'Hara & Sons\" with endpoint 00:0e:d8:00:00:05: `name` holds `'`")
        .says("Nothing to import: what is named above is left alone");
    let logins = fleet.device("harbour").counters().logins;
    let _ = import(&fleet, &[&harbour]).expect(0).says("Nothing to import");
    assert_eq!(files(&isp), written);
    // Nobody logs in there as if it were a stranger: once, and by what it was pinned as.
    assert_eq!(fleet.device("harbour").counters().logins, logins + 1);
}

/// An inventory of the second device as somebody wrote it by hand.
const BY_HAND: &str = "\
# Harbour Street 12, since 2019.
plans:
  gold: {rate: 500 Mbps}          # the old name
  silver: {name: Silver, rate: 500 Mbps}

devices:
  harbour:
    model: GAM-12-M
    address: 127.0.0.1
    transport: {ssh_port: SSH, snmp_port: SNMP}
    # The riser is old copper.
    ports:
      2: {mode: siso, name: Apt 2}

subscribers:
  # Pays in cash.
  s-1001:
    name: \"101\"
    device: harbour
    endpoint: 00:0e:d8:00:01:01   # the grey one
    port: 1
    plan: gold
    vlan: 240

  # The shop: do not call before ten.
  s-1002: {name: '102', device: harbour, endpoint: 00:0e:d8:00:01:02, port: 2, plan: silver, vlan: 240, port2_vlan: 241, remapped_vlan: 340}
";

/// The second device, in an inventory that was written by hand.
fn by_hand(mode: &str) -> TestFleet {
    let fleet = configured();
    let device = fleet.device("harbour");
    let text = BY_HAND
        .replace("SSH", &device.ssh_addr().port().to_string())
        .replace("SNMP", &device.snmp_addr().port().to_string());
    std::fs::create_dir_all(folder(&fleet)).unwrap();
    let root = format!("format: 1\ninventory: my-isp\ndefaults: {{credentials: factory, mode: {mode}}}\n");
    std::fs::write(folder(&fleet).join("gamops.yaml"), root).unwrap();
    std::fs::write(folder(&fleet).join("harbour.yaml"), text).unwrap();
    let _ = plan(&fleet).expect(0).says("No changes.");
    fleet
}

#[test]
fn a_second_import_is_an_edit_that_keeps_every_comment() {
    let fleet = by_hand("observe");
    let harbour = address(&fleet, "harbour");
    let _ = import(&fleet, &[&harbour]).expect(0).says("and as it says");
    // What somebody did since: a value, a subscriber with a profile of her own, one on the spare box, a box in stock, a port, and one
    // that nobody can write down.
    let said = fleet.device("harbour").execute(
        "ghn subscriber 21 vid 299 description \"Moved in May\"\n\
         ghn bw-profile 9 name \"Home 100\" rate-downstream 106 rate-upstream 106\n\
         ghn endpoint 13 mac-address 00:0e:d8:00:01:03 name \"Positron_000103\" port 3\n\
         ghn subscriber 23 name \"103\" endpoint 13 vid 243 bw-profile 9 description \"Rear: left\"\n\
         ghn endpoint 14 mac-address 00:0e:d8:00:01:04 name \"Positron_000104\"\n\
         ghn endpoint 15 mac-address 00:0e:d8:00:01:05 name \"Positron_000105\" port 5\n\
         ghn subscriber 25 name \"O'Hara\" endpoint 15 vid 245 bw-profile 9\n\
         ghn port 3 name \"Apt 3\"\n\
         copy running-config startup-config",
    );
    assert!(!said.contains("% Inv"), "{said}");
    let before = files(&folder(&fleet));
    let held = fleet.device("harbour").running_config();
    let shown = import(&fleet, &[&harbour]).expect(0);
    let shown = shown.says("The inventory was not edited: there is no terminal to ask for approval");
    assert_eq!(files(&folder(&fleet)), before, "shown, and not written");
    let home = fleet.inventory().parent().unwrap().to_string_lossy().into_owned();
    insta::with_settings!({filters => vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"_port: \d+", "_port: PORT"),
        (home.as_str(), "HOME"),
    ]}, {
        insta::assert_snapshot!("second_import", shown.stdout);
    });

    let _ = import(&fleet, &[&harbour, "--auto-approve"])
        .expect(0)
        .says("The next commit is yours.");
    let text = files(&folder(&fleet))["harbour.yaml"].clone();
    for line in BY_HAND.lines().filter(|line| line.contains('#')) {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
    let _ = plan(&fleet).expect(0).says("No changes.");
    manage(&fleet);
    let _ = plan(&fleet).expect(0).says("No changes.");
    let after = files(&folder(&fleet));
    let third = import(&fleet, &[&harbour, "--auto-approve"]).expect(0);
    let third = third
        .says("left alone: subscriber 25 \"O'Hara\"")
        .says("Nothing to import");
    assert!(!third.stdout.contains("+++"), "{}", third.stdout);
    assert_eq!(files(&folder(&fleet)), after, "there is nothing to edit the third time");
    assert_eq!(fleet.device("harbour").running_config(), held, "nothing was sent");
}

#[test]
fn what_a_device_does_not_have_leaves_the_inventory_only_when_that_is_asked() {
    let fleet = by_hand("manage");
    let harbour = address(&fleet, "harbour");
    let isp = folder(&fleet);
    let isp = isp.to_str().unwrap();
    let _ = fleet.run(&["apply", "--auto-approve", "-i", isp]).expect(0);
    // One is gone from the device; one is new in the inventory, and waits for an apply.
    let _ = fleet.device("harbour").execute("no ghn subscriber 22");
    let path = folder(&fleet).join("harbour.yaml");
    let waiting = "\n  # Moves in on Monday.\n  s-1003: {device: harbour, endpoint: 00:0e:d8:00:01:09, port: 4, plan: gold, vlan: 249}\n";
    let text = std::fs::read_to_string(&path).unwrap() + waiting;
    std::fs::write(&path, &text).unwrap();
    let _ = import(&fleet, &[&harbour, "--auto-approve"])
        .expect(0)
        .says("left alone: harbour/subscriber/s-1002: the inventory has it, and the device does not")
        .says("`gamops import` with `--remove-missing`")
        .says("Nothing to import");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let _ = import(&fleet, &[&harbour, "--remove-missing", "--auto-approve"])
        .expect(0)
        .says("no longer on the device, taken out: subscriber/s-1002")
        .says("left alone: harbour/subscriber/s-1003: the inventory has it, the device does not, and no apply has made it yet");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("s-1002") && text.ends_with(waiting), "{text}");
    // The box is still there, and serves nobody.
    assert!(text.contains("spare-000102"), "{text}");
    let left = plan(&fleet).expect(2);
    assert!(
        !left.stdout.contains("DESTROY  subscriber")
            && !left.stdout.contains("DESTROY  endpoint")
            && left.stdout.contains("s-1003"),
        "{}",
        left.stdout
    );
    let _ = import(&fleet, &[&harbour, "--remove-missing"])
        .expect(0)
        .says("Nothing to import");
}

#[test]
fn a_device_that_cannot_be_read_keeps_no_other_from_being_imported() {
    let fleet = configured();
    let maple = address(&fleet, "maple");
    let ran = import(&fleet, &[&maple, "127.0.0.1:1", &maple]).expect(5);
    let ran = ran.says("127.0.0.1:1  NOT IMPORTED").says("it is the same device as");
    assert!(ran.stdout.contains("maple-a"), "{}", ran.stdout);
    let _ = plan(&fleet).expect(0).says("No changes.");
    let none = import(&fleet, &["127.0.0.1:1"]).expect(1);
    let _ = none.says("Nothing to import");
}

#[test]
fn a_saved_session_is_imported_without_a_device() {
    let fleet = configured();
    let session = |key: &str| {
        let said = fleet.device(key).execute("show version\nshow running-config");
        let at = said.find("Building configuration").unwrap();
        let (version, running) = said.split_at(at);
        format!("maple-a# show version\n{version}maple-a# show running-config\n{running}maple-a# \n")
    };
    std::fs::create_dir_all(fleet.inventory().join("captures")).unwrap();
    let path = fleet.inventory().join("captures/maple.log");
    let path = path.to_str().unwrap();
    // The configuration alone does not say which model it is of.
    let session = session("maple");
    let (_, running) = session.split_once("show running-config\n").unwrap();
    fleet.write("captures/maple.log", running);
    let refused = import(&fleet, &["--from-file", path]).expect(1);
    let _ = refused
        .says("which exact model it is was not said")
        .says("help: name it with `--model`");
    let other = import(&fleet, &["--from-file", path, "--model", "GAM-4-XX"]);
    let _ = other.expect(64).says("there is no model `GAM-4-XX`");
    fleet.write("captures/maple.log", &session);
    let other = import(&fleet, &["--from-file", path, "--model", "GAM-24-C"]);
    let _ = other.expect(1).says("the device is a GAM-4-CX, and not a GAM-24-C");
    let _ = import(&fleet, &["--from-file", path]).expect(0);
    let written = &files(&folder(&fleet))["devices/maple-a.yaml"];
    assert!(
        written.contains("# ? The address is the one in its configuration."),
        "{written}"
    );

    // The device itself is as its file said.
    let moved = written.replace(
        "address: 192.168.10.1",
        &format!(
            "address: 127.0.0.1\n    transport: {{ssh_port: {}, snmp: false}}",
            fleet.device("maple").ssh_addr().port()
        ),
    );
    std::fs::write(folder(&fleet).join("devices/maple-a.yaml"), moved).unwrap();
    let _ = plan(&fleet).expect(0).says("No changes.");

    // It is the device of that name, and there is nothing to do.
    let _ = import(&fleet, &["--from-file", path])
        .expect(0)
        .says("in the inventory already");

    // Half a configuration is none.
    fleet.write("captures/maple.log", session.rsplit_once("\nend").unwrap().0);
    let cut = import(&fleet, &["--from-file", path, "--model", "GAM-4-CX"]).expect(1);
    let _ = cut.says("without `end`").says("help: save the whole answer");
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let fleet = configured();
    let maple = address(&fleet, "maple");
    std::fs::create_dir_all(folder(&fleet)).unwrap();
    std::fs::write(folder(&fleet).join("notes.yaml"), "mine: true\n").unwrap();
    let _ = import(&fleet, &[&maple])
        .expect(1)
        .says("which would become part of a new inventory");
    assert_eq!(files(&folder(&fleet)).len(), 1);

    // An inventory that does not read the folder has a file there by chance.
    std::fs::remove_file(folder(&fleet).join("notes.yaml")).unwrap();
    std::fs::write(folder(&fleet).join("gamops.yaml"), "format: 1\ninventory: my-isp\n").unwrap();
    std::fs::create_dir(folder(&fleet).join("devices")).unwrap();
    std::fs::write(folder(&fleet).join("devices/maple-a.yaml"), "sites: {}\n").unwrap();
    let _ = import(&fleet, &[&maple]).expect(0);
    let files = files(&folder(&fleet));
    assert_eq!(files["devices/maple-a.yaml"], "sites: {}\n");
    assert!(files["devices/maple-a-2.yaml"].contains("mode: observe"));
}

#[test]
fn the_report_is_there_for_programs_too() {
    let fleet = configured();
    let ran = import(
        &fleet,
        &[&address(&fleet, "maple"), "--format", "json", "--layout", "one-file"],
    )
    .expect(0);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["devices"][0]["outcome"], "taken_in");
    assert_eq!(report["devices"][0]["subscribers"], 4);
    assert_eq!(report["files"][1]["path"], "fleet.yaml");
}

const MODELS: [&str; 5] = ["GAM-24-C", "GAM-12-C", "GAM-24-M", "GAM-4-CX", "GAM-12-M"];

/// The model that all devices of the full fleet have, where somebody measures with the largest one.
const FULL_MODEL: &str = "GAMOPS_FULL_MODEL";

/// The variant that a device's name asks for: `v-<number>`.
fn variant(spec: &mut DeviceSpec) {
    let number: usize = spec.name.rsplit('-').next().unwrap().parse().unwrap();
    let likeness = Likeness::ALL[number % Likeness::ALL.len()];
    spec.firmware = format!("GAM-4/8-C_v{}", likeness.firmware()).parse().unwrap();
    likeness.apply(spec);
    spec.knobs.old_algorithms = false;
    spec.knobs.first_output_paged = false;
    spec.knobs.print_bw_profile |= number.is_multiple_of(3);
    spec.knobs.print_default_profile ^= number.is_multiple_of(2);
    spec.knobs.print_unassigned_port ^= number.is_multiple_of(5);
    spec.knobs.port_aware = number % 10 == 2;
    spec.startup_config = Some(filled(spec, number));
}

/// A configuration that fills a device to its model's limit, as a script would have written it.
fn filled(spec: &DeviceSpec, number: usize) -> String {
    let ports = usize::from(spec.model.ports);
    let per_port = spec.model.medium.endpoints_per_port();
    let is_port_aware =
        spec.knobs.port_aware && spec.model.medium.endpoints_per_port() == 1 && spec.firmware.at_least(1, 4, 0);
    let mut text = format!("hostname tower-{number}\n");
    let rates = [(53, 11), (106, 21), (212, 53), (200, 200), (317, 41)];
    for (index, (down, up)) in rates.into_iter().enumerate() {
        let slot = index + 2;
        let name = ["Basic", "Home 100", "Home 200", "profile 5", "Legacy"][index];
        let _ = writeln!(
            text,
            "ghn bw-profile {slot} rate-upstream {up} name \"{name}\" rate-downstream {down}"
        );
    }
    // Slower than an inventory can say, on some.
    let stale = number % 7 == 3;
    let _ = writeln!(
        text,
        "ghn bw-profile 9 name \"stale\" rate-downstream {} rate-upstream 10",
        if stale { 10 } else { 1060 }
    );
    for index in 0..ports * per_port {
        let id = index + 1;
        let port = index / per_port + 1;
        let mac = format!("00:0e:d8:{number:02x}:{:02x}:{:02x}", id / 256, id % 256);
        let name = match index % 40 {
            7 => format!("Apt {id} / {number}"),
            11 => format!("{number}-{id} (shop)"),
            13 => format!("O'Neil & Co {number}-{id}"),
            _ => format!("s-{number}-{id}"),
        };
        let vlan = if index % 50 == 49 { 4094 } else { 100 + index % 3000 };
        let profile = match index % 9 {
            8 => "unthrottled".to_owned(),
            7 if index == 7 => "9".to_owned(),
            slot => (slot % 5 + 2).to_string(),
        };
        if is_port_aware {
            let _ = writeln!(
                text,
                "ghn subscriber {id} name \"{name}\" port {port} vid {vlan} bw-profile {profile}"
            );
            continue;
        }
        let _ = writeln!(
            text,
            "ghn endpoint {id} mac-address {mac} name \"Positron_{}\" port {port}",
            &mac.replace(':', "").to_uppercase()[6..]
        );
        let tag = if index % 6 == 0 {
            " tagged allowed-vlan 3500-3503"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "ghn subscriber {id} vid {vlan}{tag} bw-profile {profile} endpoint {id} name \"{name}\""
        );
    }
    if spec.knobs.future_word {
        text.push_str("ghn subscriber 1 future-word 5\n");
    }
    text
}

#[test]
fn fifty_full_devices_in_every_variant_are_imported_and_change_nothing() {
    let of_all = std::env::var(FULL_MODEL).ok().map(|name| {
        Model::by_name(&name)
            .unwrap_or_else(|| panic!("{FULL_MODEL}: there is no {name}"))
            .name
    });
    let given: Vec<Given> = (0..50)
        .map(|number| Given {
            key: &*format!("v-{number}").leak(),
            model: of_all.unwrap_or(MODELS[number % MODELS.len()]),
            tune: variant,
        })
        .collect();
    let fleet = TestFleet::start(&given, "");
    let full = Model::by_name(given[0].model).unwrap();
    let places = usize::from(full.ports) * full.medium.endpoints_per_port();
    assert_eq!(
        fleet
            .ghn_lines("v-0")
            .iter()
            .filter(|line| line.starts_with("ghn subscriber"))
            .count(),
        places
    );

    let addresses: Vec<String> = given.iter().map(|given| address(&fleet, given.key)).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let began = Instant::now();
    let imported = import(&fleet, &addresses).expect(0).says("Taken in: 50 devices");
    let taken = imported
        .stdout
        .lines()
        .find(|line| line.starts_with("Taken in"))
        .unwrap();
    println!("{taken} It took {:.1} s.", began.elapsed().as_secs_f64());
    let _ = fleet.run(&["validate", folder(&fleet).to_str().unwrap()]).expect(0);
    let _ = plan(&fleet).expect(0).says("No changes.");
    manage(&fleet);
    let _ = plan(&fleet).expect(0).says("No changes.");
    let before = files(&folder(&fleet));
    let again = import(&fleet, &addresses).expect(0);
    let again = again.says("Nothing to import");
    assert!(!again.stdout.contains("+++"), "{}", again.stdout);
    assert_eq!(files(&folder(&fleet)), before);
}
