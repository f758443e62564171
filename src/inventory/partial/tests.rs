use super::*;
use crate::inventory::load;

const ROOT: &str = "
format: 1
inventory: test
defaults: {credentials: factory, mode: manage, vlan: 300}
plans: {home: {rate: 200 Mbps}}
";
const MAPLE: &str = "
devices: {maple: {model: GAM-12-M, address: 192.0.2.1}}
subscribers:
  m-1: {device: maple, port: 1, plan: home, endpoint: 00:0e:d8:00:00:01}
  m-2: {device: maple, port: 2, plan: home, endpoint: 00:0e:d8:00:00:02}
";
const OAK: &str = "
devices: {oak: {model: GAM-12-M, address: 192.0.2.2}}
subscribers:
  o-1: {device: oak, port: 1, plan: home, endpoint: 00:0e:d8:00:01:01}
";

/// The texts under a commit's name.
fn tree(commit: &str, files: &[(&str, &str)]) -> Vec<SourceFile> {
    let root = [("gamops.yaml", ROOT)];
    let files = root.iter().chain(files).map(|(path, text)| SourceFile {
        path: format!("{commit}:./{path}"),
        text: (*text).to_owned(),
    });
    files.collect()
}

fn of(before: &[(&str, &str)], now: &[(&str, &str)]) -> Option<Partial> {
    let (before, now) = (tree("aaa", before), tree("bbb", now));
    let inventory = load(&before).inventory.expect("valid");
    let report = load(&now).report;
    assert!(!report.is_valid());
    partial(&now, &report, &inventory, &before, &mut Cache::default())
}

fn held(partial: &Partial) -> Vec<(&str, &str)> {
    let held = partial.stale.held.iter();
    held.map(|(device, reason)| (device.as_str(), reason.as_str()))
        .collect()
}

const BOTH: [(&str, &str); 2] = [("maple.yaml", MAPLE), ("oak.yaml", OAK)];

#[test]
fn a_broken_file_counts_as_it_was_and_its_device_is_left_alone() {
    for broken in [
        MAPLE.replace(
            "plan: home, endpoint: 00:0e:d8:00:00:01",
            "plan: hone, endpoint: 00:0e:d8:00:00:01",
        ),
        MAPLE.replace("devices: {", "devices: {{"),
        String::from("devices: [1]"),
    ] {
        let oak = OAK.replace("port: 1", "port: 3");
        let partial = of(&BOTH, &[("maple.yaml", &broken), ("oak.yaml", &oak)]).expect(&broken);
        assert_eq!(held(&partial), [("maple", "maple.yaml is not valid")]);
        let texts: Vec<_> = partial
            .files
            .iter()
            .map(|file| (file.path.as_str(), file.text.as_str()))
            .collect();
        let expected = [
            ("bbb:./gamops.yaml", ROOT),
            ("bbb:./oak.yaml", oak.as_str()),
            ("bbb:./maple.yaml", MAPLE),
        ];
        assert_eq!(texts, expected);
        assert_eq!(partial.inventory.subscribers.len(), 3);
    }
}

#[test]
fn a_broken_site_holds_its_devices_in_whatever_file_they_are() {
    let maple = format!("sites: {{forest: {{time_zone: Europe/Berlin}}}}\n{MAPLE}");
    let broken = maple.replace("port: 1", "port: 99");
    let elm = "devices: {elm: {model: GAM-12-M, address: 192.0.2.3, site: forest}}\n";
    let before = [("elm.yaml", elm), ("maple.yaml", maple.as_str()), ("oak.yaml", OAK)];
    let now = [("elm.yaml", elm), ("maple.yaml", &broken), ("oak.yaml", OAK)];
    let reason = "maple.yaml is not valid";
    assert_eq!(
        held(&of(&before, &now).expect("something")),
        [("elm", reason), ("maple", reason)]
    );
}

#[test]
fn of_two_files_that_do_not_go_together_the_one_that_was_changed_is_broken() {
    // The finding is in the second file, which is as it was.
    let broken = MAPLE.replace("00:0e:d8:00:00:01", "00:0e:d8:00:01:01");
    let partial = of(&BOTH, &[("maple.yaml", &broken), ("oak.yaml", OAK)]).expect("something");
    assert_eq!(held(&partial), [("maple", "maple.yaml is not valid")]);
    let oak = OAK.replace("port: 1", "port: 3");
    assert!(
        of(&BOTH, &[("maple.yaml", &broken), ("oak.yaml", &oak)]).is_none(),
        "nobody can tell which"
    );
}

#[test]
fn what_holds_for_others_has_to_be_valid() {
    let with_plan = format!("{MAPLE}plans: {{fast: {{rate: 500 Mbps}}}}\n");
    let broken = with_plan.replace("port: 1", "port: 99");
    let before = [("maple.yaml", with_plan.as_str()), ("oak.yaml", OAK)];
    assert!(of(&before, &[("maple.yaml", &broken), ("oak.yaml", OAK)]).is_none());
    // The plan that both use is gone: neither file was touched.
    let mut now = tree("bbb", &BOTH);
    now[0].text = ROOT.replace("home", "hame");
    let before = tree("aaa", &BOTH);
    let inventory = load(&before).inventory.expect("valid");
    let report = load(&now).report;
    assert!(partial(&now, &report, &inventory, &before, &mut Cache::default()).is_none());
}

#[test]
fn a_device_that_is_gone_may_be_in_the_broken_file() {
    let broken = MAPLE.replace("port: 1", "port: 99");
    assert!(of(&BOTH, &[("elm.yaml", &broken), ("oak.yaml", OAK)]).is_none());
    assert!(
        of(&BOTH[..1], &[("maple.yaml", &broken)]).is_none(),
        "nothing would be left to do"
    );
}

#[test]
fn a_subscriber_that_is_gone_may_be_in_the_broken_file() {
    let without: String = OAK
        .lines()
        .filter(|line| !line.contains("o-1"))
        .map(|line| format!("{line}\n"))
        .collect();
    let without = without.replace("subscribers:\n", "");
    let third = OAK
        .replace("oak", "elm")
        .replace("192.0.2.2", "192.0.2.3")
        .replace("o-1", "e-1")
        .replace(":01:01", ":02:01");
    let before = [("elm.yaml", third.as_str()), ("maple.yaml", MAPLE), ("oak.yaml", OAK)];
    let broken = "subscribers:\n  o-1: {device: oak, port: 1, plan: hone, endpoint: 00:0e:d8:00:01:01}\n";
    let now = [
        ("elm.yaml", third.as_str()),
        ("maple.yaml", MAPLE),
        ("more.yaml", broken),
        ("oak.yaml", &without),
    ];
    let partial = of(&before, &now).expect("something");
    let reason = "subscriber o-1 is gone, and more.yaml is not valid: it may be in there";
    assert_eq!(held(&partial), [("oak", reason)]);
    // Renamed it is not gone.
    let broken = "subscribers:\n  o-2: {device: oak, port: 2, plan: hone, endpoint: 00:0e:d8:00:01:02}\n";
    let renamed = OAK.replace("o-1: {", "o-9: {was: o-1, ");
    let now = [
        ("elm.yaml", third.as_str()),
        ("maple.yaml", MAPLE),
        ("more.yaml", broken),
        ("oak.yaml", &renamed),
    ];
    assert_eq!(held(&of(&before, &now).expect("something")), []);
}

#[test]
fn a_move_is_made_on_both_devices_or_on_none() {
    let third = OAK
        .replace("oak", "elm")
        .replace("192.0.2.2", "192.0.2.3")
        .replace("o-1", "e-1")
        .replace(":01:01", ":02:01");
    let moved: String = OAK
        .replace("o-1: {device: oak", "o-1: {device: maple")
        .replace("port: 1", "port: 3");
    let broken = MAPLE.replace("port: 1", "port: 99");
    let before = [("elm.yaml", third.as_str()), ("maple.yaml", MAPLE), ("oak.yaml", OAK)];
    let now = [
        ("elm.yaml", third.as_str()),
        ("maple.yaml", &broken),
        ("oak.yaml", &moved),
    ];
    let partial = of(&before, &now).expect("something");
    let reason = "subscriber o-1 moves between it and a device whose file is not valid";
    assert_eq!(held(&partial), [("maple", "maple.yaml is not valid"), ("oak", reason)]);
}
