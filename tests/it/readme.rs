//! The README says what is so.

use std::path::Path;

use gamops::cli::exit::Exit;

use crate::fleet::{Ran, program};

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn the_exit_codes_are_all_there() {
    let codes = [
        Exit::Done,
        Exit::Failed,
        Exit::Changes,
        Exit::Invalid,
        Exit::Refused,
        Exit::Partial,
        Exit::Stale,
        Exit::Usage,
    ];
    let rows: Vec<u8> = readme()
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok())
        .collect();
    assert_eq!(rows, codes.map(|code| code as u8));
}

#[test]
fn every_command_is_named_and_explains_itself() {
    let home = tempfile::tempdir().unwrap();
    let help = Ran::from(program(home.path()).arg("--help").output().unwrap())
        .expect(0)
        .stdout;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        // A command stands two blanks in; the lines of its text stand further right.
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .collect();
    assert!(commands.contains(&"plan"), "{help}");
    for command in commands {
        let _ = Ran::from(program(home.path()).args([command, "--help"]).output().unwrap())
            .expect(0)
            .says("Example");
        assert!(
            readme().contains(&format!("| `gamops {command}")),
            "the README does not name `{command}`"
        );
    }
}

#[test]
fn the_example_is_as_the_tour_shows_it() {
    let home = tempfile::tempdir().unwrap();
    let mut validate = program(home.path());
    validate
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["validate", "inventory-example"]);
    let said = Ran::from(validate.output().unwrap()).expect(0).stdout;
    assert!(
        readme().contains(&format!("$ gamops validate inventory-example\n{said}")),
        "{said}"
    );
}

#[test]
fn the_demo_runs_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let ran = Ran::from(program(home.path()).arg("demo").output().unwrap()).expect(0);
    let ran = ran
        .says("6 simulated devices are up")
        .says("Resources: 142 added, 16 changed, 0 destroyed.");
    let ran = ran
        .says("No changes.")
        .says("changed on the device behind gamops's back");
    let _ = ran
        .says("Resources: 0 added, 1 changed, 0 destroyed.")
        .says("What to try next:");
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert!(left.is_empty(), "the demo left something in the home folder: {left:?}");
}

#[test]
fn the_demo_with_billing_runs_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = program(home.path());
    let ran = Ran::from(demo.args(["demo", "--billing"]).output().unwrap()).expect(0);
    let parts = [
        "a Splynx at http://127.0.0.1:",
        "name \"c-1001-5001\" vid 101 ",
        "no subscriber",
        "splynx: c-1004-5004 ",
        "+  c-1004-5004:",
        "name \"c-1004-5004\" vid 104 ",
        "splynx: c-1004-5004 suspended",
        "Billing-Change: suspend c-1004-5004 state=suspended",
        "name \"c-1004-5004\" vid 3900 ",
        "splynx: c-1004-5004 restored",
        "name \"c-1004-5004\" vid 104 ",
        "SPLYNX NOT BELIEVED since ",
        "everybody has the service that they had",
        "What to try next:",
    ];
    let mut rest = ran.stdout.as_str();
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("no `{part}` in its place in\n{}", ran.stdout);
        };
        rest = after;
    }
    assert!(
        !ran.stdout.contains("this is a bug") && !ran.stderr.contains("error"),
        "{}",
        ran.stderr
    );
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().collect();
    assert!(left.is_empty(), "the demo left something in the home folder: {left:?}");
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let _ = Ran::from(program(home.path()).args(["completions", shell]).output().unwrap())
            .expect(0)
            .says("host-key-policy");
    }
    let folder = home.path().join("man");
    let _ = Ran::from(program(home.path()).arg("man").arg(&folder).output().unwrap()).expect(0);
    let page = std::fs::read_to_string(folder.join("gamops-plan.1")).unwrap();
    assert!(page.contains("detailed\\-exitcode"), "{page}");
}
