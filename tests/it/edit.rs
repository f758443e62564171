//! Edits of the example inventory, which people wrote: one line each, and back again to the same bytes; then on disk.

use std::path::Path;

use gamops::diagnostic::SourceFile;
use gamops::inventory::edit::{Edit, KeyPath, Value, edit, find};
use gamops::inventory::load;
use gamops::repo::{Rewrite, read_inventory, rewrite};

fn example() -> Vec<SourceFile> {
    read_inventory(&Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory-example")).unwrap()
}

/// The lines in which two inventories differ, before and after.
fn differing<'f>(before: &'f [SourceFile], after: &'f [SourceFile]) -> Vec<(&'f str, &'f str)> {
    let lines = |file: &'f SourceFile| file.text.split_inclusive('\n');
    (before.iter().zip(after))
        .flat_map(|(one, other)| lines(one).zip(lines(other)))
        .filter(|(one, other)| one != other)
        .collect()
}

#[test]
fn every_subscriber_gets_another_box_in_one_line_and_the_old_one_back_in_the_same() {
    let files = example();
    let inventory = load(&files).inventory.unwrap();
    let endpoint = |key: &str, mac: &str| {
        let endpoint = KeyPath::new(["subscribers", key, "endpoint"]);
        let is_map = find(&files, &endpoint).unwrap().is_map;
        [Edit::Set {
            path: if is_map { endpoint.to("mac") } else { endpoint },
            value: Value::from(mac),
        }]
    };
    let mut swapped = 0;
    for subscriber in inventory.subscribers.values() {
        let Some(old) = subscriber.endpoint.as_ref().map(|endpoint| endpoint.mac.to_string()) else {
            continue;
        };
        let after = edit(&files, &endpoint(&subscriber.key, "00:0e:d8:77:77:77")).unwrap();
        let lines = differing(&files, &after.files);
        assert_eq!(lines.len(), 1, "{}: {lines:?}", subscriber.key);
        assert_eq!(lines[0].0.replace(&old, "00:0e:d8:77:77:77"), lines[0].1);
        assert_eq!(
            edit(&after.files, &endpoint(&subscriber.key, &old)).unwrap().files,
            files
        );
        swapped += 1;
    }
    assert!(swapped > 50, "{swapped} had one");
}

#[test]
fn a_subscriber_that_comes_and_goes_leaves_no_trace() {
    let files = example();
    let path = KeyPath::new(["subscribers", "s-10405a"]);
    let new = Edit::Insert {
        path: path.clone(),
        value: Value::map([
            ("device", Value::from("maple-a")),
            ("endpoint", Value::from("00:0e:d8:77:77:77")),
            ("port", Value::Number(2)),
            ("plan", Value::from("giga")),
            ("vlan", Value::Number(210)),
        ]),
        beside: Some(KeyPath::new(["devices", "maple-a"])),
    };
    let there = edit(&files, &[new]).unwrap();
    let maple = there
        .files
        .iter()
        .find(|file| file.path.ends_with("maple.yaml"))
        .unwrap();
    assert!(
        maple.text.contains(
            "    vlan: 210\n\n  s-10405a:\n    device: maple-a\n    endpoint: 00:0e:d8:77:77:77\n    port: 2\n    plan: giga\n    vlan: 210\n\n  s-10406:\n"
        ),
        "{}",
        maple.text
    );
    assert_eq!(edit(&there.files, &[Edit::Remove { path }]).unwrap().files, files);
}

#[test]
fn what_is_written_is_what_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("inventory");
    for file in example() {
        let below = file.path.split_once("inventory-example/").unwrap().1;
        let path = root.join(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.text).unwrap();
    }
    let files = read_inventory(&root).unwrap();
    let edits = ["s-10401", "s-15001"].map(|key| Edit::Set {
        path: KeyPath::new(["subscribers", key, "description"]),
        value: Value::from("moved in: today"),
    });
    let after = edit(&files, &edits).unwrap();
    let changed: Vec<Rewrite<'_>> = (files.iter().zip(&after.files))
        .filter(|(before, after)| before.text != after.text)
        .map(|(before, after)| Rewrite {
            path: &before.path,
            before: &before.text,
            after: &after.text,
        })
        .collect();
    assert_eq!(changed.len(), 2);
    rewrite(&root, &changed).unwrap();
    assert_eq!(read_inventory(&root).unwrap(), after.files);
}
