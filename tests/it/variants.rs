//! Devices that print and default differently, in every combination, on each firmware: what was applied is in sync.

use gamops::sim::{DeviceSpec, InUse};

use crate::fleet::{Given, TestFleet};

const FIRMWARES: [&str; 3] = ["GAM-4/8-C_v1.2.0", "GAM-4/8-C_v1.5.4", "GAM-4/8-C_v1.8.2"];

/// One bit for each knob of which nobody knows how real devices have it set.
const COMBINATIONS: usize = 32;

/// The knobs that the device's name asks for: `d-<firmware>-<bits>`.
fn tune(spec: &mut DeviceSpec) {
    let mut words = spec.name.split('-').skip(1).map(|word| word.parse::<usize>().unwrap());
    let (firmware, bits) = (words.next().unwrap(), words.next().unwrap());
    let bit = |number: usize| bits >> number & 1 == 1;
    spec.firmware = FIRMWARES[firmware].parse().unwrap();
    spec.knobs.print_default_profile = bit(0);
    spec.knobs.print_poe = bit(1);
    spec.knobs.print_bw_profile = bit(2);
    spec.knobs.print_unassigned_port = bit(3);
    spec.knobs.default_profile = bit(4).then_some(1);
    spec.knobs.empty_description = bit(0) != bit(4);
    spec.knobs.in_use = [InUse::Clear, InUse::Dangle, InUse::Refuse][(bits + firmware) % 3];
    spec.knobs.future_word = firmware == 2;
    if bit(1) != bit(3) {
        spec.plugged = vec![(mac(&spec.name, 3).parse().unwrap(), 2.try_into().unwrap())];
    }
}

fn mac(device: &str, last: usize) -> String {
    let mut words = device.split('-').skip(1).map(|word| word.parse::<usize>().unwrap());
    let (firmware, bits) = (words.next().unwrap(), words.next().unwrap());
    format!("00:0e:d8:{firmware:02x}:{bits:02x}:{last:02x}")
}

fn services(keys: &[&str], lines: &[(usize, &str)]) -> String {
    let mut text =
        "plans: { gold: { rate: 500 Mbps }, silver: { rate: 100 Mbps }, bronze: { rate: 20 Mbps } }\nsubscribers:\n"
            .to_owned();
    for key in keys {
        for (number, rest) in lines {
            // `@n` stands for the n-th endpoint of this device.
            let rest = (1..=9).fold((*rest).to_owned(), |rest, last| {
                rest.replace(&format!("@{last}"), &format!("endpoint: \"{}\"", mac(key, last)))
            });
            text.push_str(&format!("  {key}-s{number}: {{ device: {key}, {rest} }}\n"));
        }
    }
    text
}

#[test]
fn however_a_device_prints_and_defaults_what_was_applied_is_in_sync() {
    let keys: Vec<&'static str> = (0..FIRMWARES.len())
        .flat_map(|firmware| (0..COMBINATIONS).map(move |bits| &*format!("d-{firmware}-{bits}").leak()))
        .collect();
    let given: Vec<Given> = keys
        .iter()
        .map(|key| Given {
            key,
            model: "GAM-4-CX",
            tune,
        })
        .collect();
    let first = services(
        &keys,
        &[
            (1, "@1, port: 1, plan: gold, vlan: 101, poe: disable"),
            (
                2,
                "@2, port: 1, plan: silver, vlan: 102, tagged: true, description: Apt 2",
            ),
            (
                3,
                "@3, port: auto, plan: unthrottled, vlan: 103, allowed_vlans: [200, 201]",
            ),
            (
                4,
                "@4, port: 2, plan: bronze, vlan: 104, port2_vlan: 204, remapped_vlan: 304",
            ),
        ],
    );
    let fleet = TestFleet::start(&given, &first);
    let _ = fleet.apply();
    fleet.expect_in_sync();

    for key in keys.iter().filter(|key| key.starts_with("d-2-")) {
        let lines = "ghn subscriber 1 future-word 5\ncopy running-config startup-config";
        fleet.device(key).execute(lines);
    }
    // An exchange of endpoints, another plan, another VLAN, one that goes, one that comes.
    fleet.write(
        "services.yaml",
        &services(
            &keys,
            &[
                (1, "@2, port: 1, plan: unthrottled, vlan: 111"),
                (2, "@1, port: 1, plan: bronze, vlan: 102"),
                (3, "@3, port: auto, plan: gold, vlan: 103, tagged: true"),
                (5, "@4, port: 2, plan: bronze, vlan: 105"),
            ],
        ),
    );
    let _ = fleet.apply();
    fleet.expect_in_sync();
    for key in keys.iter().filter(|key| key.starts_with("d-2-")) {
        let held = fleet.ghn_lines(key).join("\n");
        assert!(held.contains("future-word 5"), "{key} lost a word:\n{held}");
    }
}
