//! Edits of a whole inventory: the right file, all or nothing, valid before and after.

use super::*;

fn files() -> Vec<SourceFile> {
    let file = |path: &str, text: &str| SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    vec![
        file(
            "inv/gamops.yaml",
            "format: 1\ninventory: test\ndefaults: {credentials: factory}\nplans:\n  gold: {rate: 200 Mbps}\n",
        ),
        file(
            "inv/a.yaml",
            "devices:\n  a: {model: GAM-12-C, address: 192.0.2.1}\nsubscribers:\n  s-1: {device: a, plan: gold, vlan: 10}\n  s-3: {device: a, plan: gold, vlan: 10}\n",
        ),
        file(
            "inv/b.yaml",
            "devices:\n  b: {model: GAM-12-C, address: 192.0.2.2}\nsubscribers:\n  t-1: {device: b, plan: gold, vlan: 10}\n",
        ),
    ]
}

fn texts(edits: &[Edit]) -> Vec<String> {
    let edited = edit(&files(), edits).unwrap();
    edited.files.into_iter().map(|file| file.text).collect()
}

#[test]
fn edits_find_their_files() {
    let before: Vec<String> = files().into_iter().map(|file| file.text).collect();
    let after = texts(&[
        set("subscribers.t-1.vlan", Value::Number(20)),
        set("defaults.vlan", Value::Number(30)),
        remove("subscribers.s-1"),
        set("subscribers.s-3.poe", Value::from("enable")),
    ]);
    assert_eq!(after[0], before[0].replace("factory}", "factory, vlan: 30}"));
    assert_eq!(
        after[1],
        before[1]
            .replace("  s-1: {device: a, plan: gold, vlan: 10}\n", "")
            .replace("vlan: 10}", "vlan: 10, poe: enable}")
    );
    assert_eq!(after[2], before[2].replace("vlan: 10", "vlan: 20"));
}

#[test]
fn a_new_entry_goes_where_it_is_told_else_where_most_of_its_kind_are() {
    let new = |device: &str| Value::map([("device", Value::from(device)), ("plan", Value::from("gold"))]);
    let most = texts(&[insert("subscribers.s-2", new("a"))]);
    assert!(
        most[1].contains("\n  s-2: {device: a, plan: gold}\n  s-3"),
        "{}",
        most[1]
    );
    let beside = texts(&[Edit::Insert {
        path: path("subscribers.s-2"),
        value: new("b"),
        beside: Some(path("devices.b")),
    }]);
    assert!(
        beside[2].contains("\n  s-2: {device: b, plan: gold}\n  t-1"),
        "{}",
        beside[2]
    );
    // What was put in can be edited by the next, and is not put in twice.
    let again = [
        insert("subscribers.s-2", new("a")),
        set("subscribers.s-2.vlan", Value::Number(9)),
    ];
    assert!(texts(&again)[1].contains("s-2: {device: a, plan: gold, vlan: 9}"));
    let twice = [insert("subscribers.s-1", new("a"))];
    let error = edit(&files(), &twice).unwrap_err().to_string();
    assert_eq!(error, "inv/a.yaml:4:3: `subscribers.s-1` is there already");
}

#[test]
fn an_entry_that_is_not_there_is_named_with_its_nearest() {
    let error = edit(&files(), &[set("subscribers.s-33.vlan", Value::Number(9))]).unwrap_err();
    let EditError::Refused { message, help, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(message, "the inventory has no `s-33` under `subscribers`");
    assert_eq!(help, "did you mean `s-3`?");
}

#[test]
fn an_inventory_is_valid_before_and_after() {
    let mut broken = files();
    broken[2].text.push_str("nonsense: 1\n");
    let one = [set("subscribers.s-1.vlan", Value::Number(20))];
    assert!(matches!(edit(&broken, &one), Err(EditError::InvalidBefore(report)) if report.errors() == 1));
    // Both are made before it is asked whether all is well: what one breaks the other mends.
    let gone = remove("plans.gold");
    let EditError::InvalidAfter { report, files: after } = edit(&files(), std::slice::from_ref(&gone)).unwrap_err()
    else {
        panic!("a plan in use was taken away");
    };
    assert_eq!((report.errors(), after[0].text.contains("gold")), (3, false));
    let mended = [
        gone,
        set("subscribers.s-1.plan", Value::from("unthrottled")),
        set("subscribers.s-3.plan", Value::from("unthrottled")),
        set("subscribers.t-1.plan", Value::from("unthrottled")),
    ];
    assert!(edit(&files(), &mended).unwrap().inventory.plans.is_empty());
}

#[test]
fn a_place_is_found_in_its_file() {
    let found = find(&files(), &path("subscribers.t-1.vlan")).unwrap();
    let place = found.place;
    assert_eq!((&*place.file, place.line, place.column), ("inv/b.yaml", 4, 32));
    assert!(!found.is_map && find(&files(), &path("subscribers.t-1")).unwrap().is_map);
    assert_eq!(find(&files(), &path("subscribers.t-1.poe")), None);
    assert_eq!(find(&files(), &path("subscribers.t-2")), None);
}
