//! The first day with a real GAM, as `docs/first-day.md` tells it: every command of the page, in its order, against a
//! simulated device that somebody configured by hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gamops::domain::Model;
use gamops::sim::{DeviceSpec, Fleet, FleetOptions, SimDevice};

use crate::faults::wait_until;
use crate::fleet::{Ran, program};

/// A command of the page, and what the page shows of its answer.
struct Step {
    command: String,
    shown: Vec<String>,
}

/// The steps of the page: lines behind `$ ` in its console blocks, each with the lines under it.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_console = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_console = line == "```console";
        } else if in_console {
            match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step {
                    command: command.to_owned(),
                    shown: Vec::new(),
                }),
                None => steps.last_mut().unwrap().shown.push(line.to_owned()),
            }
        }
    }
    steps
}

/// The words of a command as a shell reads them: blanks part them, double quotes hold them together.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in command.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    words
}

/// What the operator does in an editor before a command: the page says so in words.
fn edit(inventory: &Path, command: &str, replace: &[(&str, &str)]) {
    let file = inventory.join("sites/maple-a.yaml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    for (from, to) in replace {
        assert_eq!(text.matches(from).count(), 1, "before `{command}`: `{from}` in\n{text}");
        text = text.replace(from, to);
    }
    std::fs::write(file, text).unwrap();
}

struct Day {
    fleet: Option<Fleet>,
    runtime: tokio::runtime::Runtime,
    home: tempfile::TempDir,
    folder: PathBuf,
}

impl Day {
    fn begin() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let model = Model::by_name("GAM-12-C").unwrap();
        let mut spec = DeviceSpec::new("maple-a", model, "GAM-12/24-C_v1.8.2".parse().unwrap());
        spec.hostname = "maple-a".to_owned();
        let fleet = runtime
            .block_on(Fleet::start(vec![spec], FleetOptions::default()))
            .unwrap();
        let maple = fleet.device("maple-a").unwrap();
        // As somebody left it who had never heard of gamops.
        let said = maple.execute(
            "username ops privilege 15 password unencrypted canary-password\n\
             ghn bw-profile 2 name \"home 200\" rate-downstream 212 rate-upstream 53\n\
             ghn endpoint 1 name \"Positron_2A1013\" mac-address 00:0e:d8:2a:10:13 port 1\n\
             ghn endpoint 2 name \"Positron_2A1014\" mac-address 00:0e:d8:2a:10:14 port 1\n\
             ghn subscriber 1 name \"s-10401\" vid 210 endpoint 1 bw-profile 2 description \"Apt 1\"\n\
             ghn subscriber 2 name \"s-10402\" vid 211 endpoint 2 bw-profile unthrottled\n\
             copy running-config startup-config",
        );
        assert!(!said.contains("% Inv"), "{said}");
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().to_owned();
        // `gamops init --git` commits under the name that Git has for the operator.
        std::fs::write(
            folder.join(".gitconfig"),
            "[user]\n\tname = Nell\n\temail = nell@example.org\n",
        )
        .unwrap();
        Self {
            fleet: Some(fleet),
            runtime,
            home,
            folder,
        }
    }

    fn maple(&self) -> std::sync::Arc<SimDevice> {
        self.fleet.as_ref().unwrap().device("maple-a").unwrap()
    }

    /// A command of the page, ready to run where the operator would be by now.
    fn command(&self, step: &Step) -> Command {
        let (ssh, snmp) = (self.maple().ssh_addr().port(), self.maple().snmp_addr().port());
        let command = step
            .command
            .replace("10.20.0.0/24", &format!("127.0.0.1 --snmp-port {snmp}"))
            .replace("10.20.0.11", &format!("127.0.0.1:{ssh}/{snmp}"));
        let words = words(&command);
        assert_eq!(words[0], "gamops", "{command}");
        let mut command = program(self.home.path());
        command
            .args(&words[1..])
            .current_dir(&self.folder)
            .env("GAMOPS_CRED_FIELD_USERNAME", "ops")
            .env("GAMOPS_CRED_FIELD_PASSWORD", "canary-password");
        command
    }

    /// Whether a run waits to be confirmed.
    fn waits(&self) -> bool {
        let state = self.home.path().join(".local/state/gamops/my-isp.db");
        let Ok(database) = rusqlite::Connection::open(state) else {
            return false;
        };
        let deadline = database.query_row("SELECT deadline FROM confirmations", [], |row| {
            row.get::<_, Option<String>>(0)
        });
        deadline.is_ok_and(|deadline| deadline.is_some())
    }
}

/// Checks that a command said what the page shows, and no secret.
fn check(step: &Step, ran: Ran) {
    let ran = ran.expect(0);
    for line in &step.shown {
        let said = ran.stdout.contains(line.trim_end()) || ran.stderr.contains(line.trim_end());
        assert!(
            said,
            "`{}` does not say `{line}`:\n{}\n{}",
            step.command, ran.stdout, ran.stderr
        );
    }
    assert!(
        !ran.stdout.contains("canary") && !ran.stderr.contains("canary"),
        "{}",
        step.command
    );
}

impl Drop for Day {
    fn drop(&mut self) {
        if let Some(fleet) = self.fleet.take() {
            self.runtime.block_on(fleet.stop());
        }
    }
}

#[test]
fn every_command_of_the_page_does_what_the_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/first-day.md");
    let steps = steps(&std::fs::read_to_string(page).unwrap());
    assert!(steps.len() > 12, "the page has {} commands", steps.len());
    let mut day = Day::begin();
    let before = day.maple().running_config();
    let mut managed = false;
    // The apply that waits in the other terminal.
    let mut waiting = None;
    for step in &steps {
        if let Some(folder) = step.command.strip_prefix("cd ") {
            day.folder = day.folder.join(folder);
            assert!(day.folder.is_dir(), "{folder}");
            continue;
        }
        if step.command == "gamops plan --target maple-a" && !managed {
            assert_eq!(
                day.maple().running_config(),
                before,
                "a device that is observed was changed"
            );
            edit(&day.folder, &step.command, &[("mode: observe", "mode: manage")]);
            managed = true;
        }
        if step.command.starts_with("gamops plan --target maple-a/subscriber/") {
            edit(
                &day.folder,
                &step.command,
                &[("description: Apt 1", "description: Apt 1 left")],
            );
        }
        let mut command = day.command(step);
        if step.command.contains("--confirm-within") {
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            wait_until("the run waits to be confirmed", || day.waits());
            waiting = Some((step, child));
            continue;
        }
        check(step, command.output().unwrap().into());
        if let Some((applying, child)) = waiting.take() {
            check(applying, child.wait_with_output().unwrap().into());
        }
    }
    // What was changed was taken back, and nothing else was ever touched.
    assert_eq!(day.maple().running_config(), before);
    assert_eq!(day.maple().counters().rejected_logins, 0);
}
