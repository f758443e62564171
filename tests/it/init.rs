//! `gamops init`: a new inventory repository, made by the program and read by it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fleet::{Ran, TWO, TestFleet, program};

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        program(self.0.path()).args(arguments).output().unwrap().into()
    }

    fn init(&self, more: &[&str]) -> Ran {
        self.run(
            &[
                &["init", "new", "--no-input", "--id", "my-isp", "--site", "maple"],
                more,
            ]
            .concat(),
        )
    }
}

/// Every file below a folder but Git's own, by its path.
fn files(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, into: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".git") {
            } else if path.is_dir() {
                walk(root, &path, into);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                into.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

const DEVICE: &[&str] = &["--device", "maple-a", "--model", "GAM-24-C", "--address", "10.20.0.11"];

#[test]
fn what_it_writes_validates_without_a_finding_and_reads_well() {
    let home = Home::new();
    let ran = home
        .init(&[DEVICE, &["--time-zone", "Europe/Berlin", "--ci", "github"]].concat())
        .expect(0);
    insta::assert_snapshot!("told", ran.stdout);
    let checked = home.run(&["validate", "new"]).expect(0);
    assert_eq!(
        (checked.stdout.trim(), checked.stderr.trim()),
        ("Valid: 1 device, 0 subscribers, 0 plans in 2 files", "")
    );
    let mut written = files(&home.path("new"));
    let schema = written.remove("schema/inventory.schema.json").unwrap();
    assert_eq!(schema, home.run(&["schema", "inventory"]).expect(0).stdout);
    let all: Vec<String> = written
        .iter()
        .map(|(path, text)| format!("===== {path}\n{text}"))
        .collect();
    insta::assert_snapshot!("files", all.join("\n"));
    // The editor's schema is where the first line says.
    for (path, text) in written.iter().filter(|(path, _)| path.ends_with(".yaml")) {
        let (_, schema) = text.lines().next().unwrap().split_once("$schema=").unwrap();
        let folder = home.path("new").join(path).parent().unwrap().to_owned();
        assert!(folder.join(schema).is_file(), "{path}: {schema}");
    }
}

#[test]
fn its_examples_are_valid_once_the_comment_signs_are_gone() {
    let home = Home::new();
    let _ = home.init(&[]).expect(0);
    let site = home.path("new/sites/maple.yaml");
    let text = std::fs::read_to_string(&site).unwrap();
    let is_yaml = |line: &str| {
        let key = line.trim_start().split(':').next().unwrap_or_default();
        line.contains(':') && !key.contains(' ') && !key.is_empty()
    };
    let uncommented: String = text
        .lines()
        .map(|line| {
            match line
                .strip_prefix("# ")
                .filter(|rest| is_yaml(rest) && !rest.starts_with(['y', '$']))
            {
                Some(rest) => format!("{rest}\n"),
                None => format!("{line}\n"),
            }
        })
        .collect();
    std::fs::write(&site, &uncommented).unwrap();
    let _ = home
        .run(&["validate", "new"])
        .expect(0)
        .says("Valid: 1 device, 1 subscriber, 1 plan in 2 files\n");
}

#[test]
fn every_recipe_is_the_one_of_the_documentation() {
    for (ci, path) in [
        ("github", ".github/workflows/gamops.yml"),
        ("gitlab", ".gitlab-ci.yml"),
        ("forgejo", ".forgejo/workflows/gamops.yml"),
    ] {
        let home = Home::new();
        let _ = home.init(&["--ci", ci]).expect(0);
        let recipe = std::fs::read_to_string(home.path("new").join(path)).unwrap();
        // The one that is tested as it stands, by a change that is reviewed, merged and applied.
        let packaged = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("packaging/ci/{ci}.yml"));
        assert_eq!(recipe, std::fs::read_to_string(packaged).unwrap(), "{ci}");
        let readme = std::fs::read_to_string(home.path("new/README.md")).unwrap();
        assert!(
            readme.contains("## Pull requests\n") && !readme.contains("{{"),
            "{readme}"
        );
        // It is no file of the inventory.
        let _ = home.run(&["validate", "new"]).expect(0).says("in 2 files");
    }
}

#[test]
fn it_overwrites_nothing() {
    let home = Home::new();
    std::fs::create_dir_all(home.path("new/sites")).unwrap();
    std::fs::write(home.path("new/sites/maple.yaml"), "mine").unwrap();
    let _ = home
        .init(&[])
        .expect(1)
        .says("sites/maple.yaml is there already")
        .says("nothing was written");
    assert_eq!(
        files(&home.path("new")),
        BTreeMap::from([("sites/maple.yaml".to_owned(), "mine".to_owned())])
    );
}

#[test]
fn the_first_commit_holds_everything_that_was_written_and_nothing_else() {
    let home = Home::new();
    let _ = home.init(&["--git"]).expect(1).says("Git knows no name");
    assert!(!home.path("new").exists());
    std::fs::write(
        home.path(".gitconfig"),
        "[user]\n\tname = Nell\n\temail = nell@example.org\n",
    )
    .unwrap();
    std::fs::create_dir(home.path("new")).unwrap();
    std::fs::write(home.path("new/passwords.txt"), "hunter2").unwrap();
    let ran = home.init(&["--git", "--ci", "forgejo"]).expect(0);
    let repository = git2::Repository::open(home.path("new")).unwrap();
    let commit = repository.head().unwrap().peel_to_commit().unwrap();
    assert!(
        ran.stdout
            .contains(&format!("Committed as {:.12}", commit.id().to_string())),
        "{}",
        ran.stdout
    );
    assert_eq!(
        (commit.author().name(), repository.head().unwrap().shorthand()),
        (Ok("Nell"), Ok("main"))
    );
    let tree = commit.tree().unwrap();
    for path in [
        "gamops.yaml",
        "sites/maple.yaml",
        ".gitignore",
        ".forgejo/workflows/gamops.yml",
    ] {
        assert!(tree.get_path(Path::new(path)).is_ok(), "{path}");
    }
    let others: Vec<String> = (repository.statuses(None).unwrap().iter())
        .map(|entry| entry.path().unwrap().to_owned())
        .collect();
    assert_eq!(others, ["passwords.txt"]);
    let _ = home
        .run(&["init", "new/deeper", "--no-input", "--id", "a", "--site", "b", "--git"])
        .expect(1)
        .says("is in a Git repository already");
    assert!(!home.path("new/deeper").exists());
}

#[test]
fn what_makes_no_sense_is_said_and_nothing_is_written() {
    let home = Home::new();
    let _ = home
        .run(&["init", "new"])
        .expect(64)
        .says("there is no terminal to ask at");
    let _ = home
        .run(&["init", "new", "--no-input", "--site", "a"])
        .expect(64)
        .says("give `--id NAME`");
    let _ = home
        .init(&["--model", "GAM-12-C"])
        .expect(64)
        .says("give `--device KEY`");
    let _ = home
        .init(&["--device", "maple-a", "--model", "GAM-13-C", "--address", "10.0.0.1"])
        .expect(64)
        .says("GAM-13-C");
    let _ = home
        .init(&["--time-zone", "Europe/Berlim"])
        .expect(64)
        .says("Europe/Berlim");
    let _ = home.init(&["--credentials", "a\nb"]).expect(64).says("holds more than");
    assert!(!home.path("new").exists());
}

/// What somebody typed into a device, whose subscribers and endpoints are called after `name`.
fn typed(name: &str, board: u8) -> String {
    format!(
        "ghn bw-profile 2 name \"home 200\" rate-downstream 212 rate-upstream 53\n\
         ghn endpoint 1 name \"Positron_{board:02X}1013\" mac-address 00:0e:d8:{board:02x}:10:13 port 1\n\
         ghn subscriber 1 name \"s-{name}\" vid 210 endpoint 1 bw-profile 2\n\
         copy running-config startup-config"
    )
}

#[test]
fn running_devices_are_imported_into_what_it_made_in_each_layout() {
    let fleet = TestFleet::start(TWO, "");
    let mut addresses = Vec::new();
    for (device, key, board) in [("maple", "maple-a", 1), ("harbour", "maple-b", 2)] {
        let device = fleet.device(device);
        let said = device.execute(&typed(key, board));
        assert!(!said.contains("% Inv"), "{said}");
        let (ssh, snmp) = (device.ssh_addr().port(), device.snmp_addr().port());
        addresses.push(format!("{key}=127.0.0.1:{ssh}/{snmp}"));
    }
    let both: Vec<&str> = addresses.iter().map(String::as_str).collect();
    for (layout, taken_in, expected) in [
        ("per-device", &both[..], &["maple-a", "maple-b"][..]),
        ("per-site", &both[..], &["maple-devices"]),
        ("per-site", &both[1..], &["maple-b"]),
        ("one-file", &both[..], &["fleet"]),
    ] {
        let home = Home::new();
        let _ = home
            .init(&["--credentials", "factory"])
            .expect(0)
            .says("gamops import -i new ADDRESS");
        let made = files(&home.path("new"));
        let _ = home
            .run(&[&["import", "-i", "new", "--layout", layout], taken_in].concat())
            .expect(0)
            .says("is \"No changes\".");
        let mut written = files(&home.path("new"));
        for (path, text) in made {
            assert_eq!(written.remove(&path), Some(text), "{layout} changed {path}");
        }
        let _ = written.remove("sites/plans.yaml");
        let expected: Vec<String> = expected.iter().map(|name| format!("sites/{name}.yaml")).collect();
        assert_eq!(Vec::from_iter(written.keys().cloned()), expected, "{layout}");

        let checked = home.run(&["validate", "new"]).expect(0);
        assert_eq!(checked.stderr.trim(), "", "{layout}");
        let plan = ["plan", "-i", "new", "--detailed-exitcode"];
        let _ = home.run(&plan).expect(0).says("No changes.");
        for (path, text) in &written {
            std::fs::write(
                home.path("new").join(path),
                text.replace("mode: observe", "mode: manage"),
            )
            .unwrap();
        }
        let _ = home.run(&plan).expect(0).says("No changes.");
    }
}
