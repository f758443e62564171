//! Laws of loading, and defaults.

use proptest::prelude::*;

use super::*;
use crate::domain::VlanId;
use crate::inventory::model::Mode;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

const ROOT: &str = "
format: 1
inventory: test
defaults: {credentials: factory, mode: manage, vlan: 300, transport: {ssh_port: 2222, snmp: false}}
devices:
  a: {model: gam-12-c-ac, address: 192.0.2.1}
  b: {model: GAM-12-M, address: 192.0.2.2, mode: observe, credentials: field, transport: {ssh_port: 22}}
plans:
  home: {rate: 200 Mbps}
subscribers:
  s-1: {device: a, plan: home}
  s-2: {device: b, plan: home, vlan: 400, paused_: 1}
";

#[test]
fn a_device_s_own_settings_come_before_the_defaults() {
    let text = ROOT.replace(", paused_: 1", "");
    let loaded = load(&[file("gamops.yaml", &text)]);
    assert_eq!(loaded.report.findings(), []);
    let inventory = loaded.inventory.unwrap();
    let (a, b) = (&inventory.devices["a"], &inventory.devices["b"]);
    assert_eq!((a.mode, b.mode), (Mode::Manage, Mode::Observe));
    assert_eq!((a.credentials.as_str(), b.credentials.as_str()), ("factory", "field"));
    assert_eq!((a.transport.ssh_port, b.transport.ssh_port), (2222, 22));
    assert!(!a.transport.snmp && !b.transport.snmp);
    assert_eq!(a.model.name, "GAM-12-C");
    let vlan = |key: &str| inventory.subscribers[key].vlan;
    assert_eq!(vlan("s-1"), VlanId::try_from(300).unwrap());
    assert_eq!(vlan("s-2"), VlanId::try_from(400).unwrap());
}

#[test]
fn an_error_takes_the_inventory_away() {
    let loaded = load(&[file("gamops.yaml", ROOT)]);
    assert!(loaded.inventory.is_none());
    assert_eq!(loaded.report.errors(), 1);
}

#[test]
fn a_broken_file_is_not_blamed_on_those_who_refer_into_it() {
    let text = ROOT.replace(", paused_: 1", "").replace("device: b", "device: c");
    let broken = file("more.yaml", "devices:\n  c: [\n");
    let report = load(&[file("gamops.yaml", &text), broken]).report;
    let rules: Vec<&str> = report.findings().iter().map(|finding| finding.rule.0).collect();
    assert_eq!(rules, ["yaml-syntax"]);
}

#[test]
fn unreadable_defaults_are_not_blamed_on_the_devices() {
    let text = ROOT
        .replace(", paused_: 1", "")
        .replace("defaults: {", "defaults: [x]\nsites: {m: {}}\n# {");
    let report = load(&[file("gamops.yaml", &text)]).report;
    let rules: Vec<&str> = report.findings().iter().map(|finding| finding.rule.0).collect();
    assert_eq!(rules, ["wrong-type"]);
}

#[test]
fn without_any_file_the_missing_root_is_the_only_finding() {
    let report = load(&[]).report;
    assert_eq!(report.findings().len(), 1);
    assert_eq!(report.findings()[0].rule.0, "no-root");
    assert!(!report.render_text(&[], crate::diagnostic::Colour::Off, 100).is_empty());
}

#[test]
fn a_root_below_a_folder_is_found() {
    let text = ROOT.replace(", paused_: 1", "");
    assert!(
        load(&[file("inv/gamops.yaml", &text), file("inv/b.yaml", "")])
            .inventory
            .is_some()
    );
}

/// Pieces that fall together into texts that are nearly inventories.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("devices:\n".to_owned()),
        Just("  a: {model: GAM-12-C, address: 192.0.2.1}\n".to_owned()),
        Just("    endpoints: {x: {mac: \"00:0e:d8:00:00:01\", port: auto, id: 3}}\n".to_owned()),
        Just("plans:\n  home:\n    rate: 200 Mbps\n".to_owned()),
        Just("subscribers:\n".to_owned()),
        Just("  s: {device: a, plan: home, vlan: 30, allowed_vlans: [3, \"5-9\"]}\n".to_owned()),
        Just("policies: {suspension: {plan: home}, max_rate: 1999}\n".to_owned()),
        Just("defaults: {headroom: 7%, vlan: 2}\n".to_owned()),
        Just("include: ['**/*.yaml', '[']\n".to_owned()),
        Just("format: 1\ninventory: x\n".to_owned()),
        "[a-z_]{1,9}: [ -~é]{0,12}\n",
        "\\PC{0,12}",
        Just("    ".to_owned()),
        Just("\t".to_owned()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_loading_panic(one in pieces(), other in pieces()) {
        let sources = [file("gamops.yaml", &one), file("b.yaml", &other)];
        let loaded = load(&sources);
        prop_assert_eq!(loaded.inventory.is_some(), loaded.report.is_valid());
        if let Some(inventory) = &loaded.inventory {
            prop_assert_eq!(compile_all(inventory).len(), inventory.devices.len());
        }
        let drawn = loaded.report.render_text(&sources, crate::diagnostic::Colour::On, 80);
        prop_assert_eq!(drawn.is_empty(), loaded.report.findings().is_empty());
    }

    #[test]
    fn the_order_of_files_changes_nothing(one in pieces(), other in pieces(), third in pieces()) {
        let sources = [file("gamops.yaml", &one), file("b.yaml", &other), file("c/d.yaml", &third)];
        let mut reversed = sources.to_vec();
        reversed.reverse();
        let (forward, backward) = (load(&sources), load(&reversed));
        prop_assert_eq!(forward.report, backward.report);
        prop_assert_eq!(forward.inventory, backward.inventory);
    }

    #[test]
    fn a_cache_changes_nothing_but_the_time(
        one in pieces(), other in pieces(), third in pieces(), edited in pieces(), number in 0_usize..3,
    ) {
        let mut sources = vec![file("gamops.yaml", &one), file("b.yaml", &other), file("c/d.yaml", &third)];
        let mut cache = Cache::default();
        let _ = load_cached(&sources, &mut cache);
        sources[number].text = edited;
        let check = |sources: &[SourceFile], cache: &mut Cache| {
            let (cached, fresh) = (load_cached(sources, cache), load(sources));
            prop_assert_eq!(cached.report, fresh.report);
            prop_assert_eq!(cached.inventory, fresh.inventory);
            Ok(())
        };
        check(&sources, &mut cache)?;
        sources.remove(number);
        check(&sources, &mut cache)?;
        sources.push(file("a.yaml", "plans: {extra: {rate: 20M}}"));
        check(&sources, &mut cache)?;
    }
}

#[test]
fn what_later_rooms_need_is_in_the_model() {
    let text = ROOT.replace(
        ", paused_: 1",
        ", external: {splynx: 771, sonar: \"x-1\"}, labels: {sla: 4h}",
    ) + "sites: {m: {groups: [north], time_zone: America/Montreal, vlans: {homes: [\"300-302\"]}}}\n";
    let loaded = load(&[file("gamops.yaml", &text)]);
    assert_eq!(loaded.report.findings(), []);
    let inventory = loaded.inventory.unwrap();
    let subscriber = &inventory.subscribers["s-2"];
    assert_eq!(subscriber.external.splynx.as_deref(), Some("771"));
    assert_eq!(subscriber.external.sonar.as_deref(), Some("x-1"));
    assert_eq!(subscriber.labels["sla"], "4h");
    let site = &inventory.sites["m"];
    assert_eq!(
        (
            site.groups.as_slice(),
            site.time_zone.as_ref().and_then(|zone| zone.iana_name())
        ),
        (&["north".to_owned()][..], Some("America/Montreal"))
    );
    assert_eq!(site.vlans["homes"].len(), 3);
}
