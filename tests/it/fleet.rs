//! A simulated fleet, an inventory for it, and the `gamops` program run against both as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};

use gamops::domain::{Firmware, Model};
use gamops::sim::{DeviceSpec, Fleet, FleetOptions, SimDevice};

/// A device of a test fleet.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    pub(crate) key: &'static str,
    pub(crate) model: &'static str,
    pub(crate) tune: fn(&mut DeviceSpec),
}

impl Given {
    pub(crate) const fn new(key: &'static str, model: &'static str) -> Self {
        Self {
            key,
            model,
            tune: |_| {},
        }
    }
}

/// Two factory-fresh devices, one of each medium.
pub(crate) const TWO: &[Given] = &[Given::new("maple", "GAM-4-CX"), Given::new("harbour", "GAM-12-M")];

/// Five subscribers on the two devices, three plans, one spare endpoint.
pub(crate) const SERVICES: &str = "\
plans:
  gold: { rate: 500 Mbps }
  silver: { rate: 100 Mbps, name: \"silver 100\" }
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101 }
  s-2: { device: maple, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: silver, vlan: 102, tagged: true }
  s-3: { device: maple, endpoint: \"00:0e:d8:00:00:03\", port: 2, plan: unthrottled, vlan: 103, description: Apt 3 }
  s-4: { device: harbour, endpoint: \"00:0e:d8:00:00:04\", port: 1, plan: gold, vlan: 104 }
  s-5: { device: harbour, endpoint: \"00:0e:d8:00:00:05\", port: 2, plan: gold, vlan: 105, port2_vlan: 205 }
";

/// The root file of an inventory whose plans may change as many devices as they like.
pub(crate) const UNGUARDED: &str = "\
format: 1
inventory: test
defaults: { credentials: factory, mode: manage }
policies: { guards: { change_devices: unlimited, destroy_per_fleet: unlimited } }
";

/// A running fleet with an inventory beside it.
pub(crate) struct TestFleet {
    // Dropped before the runtime that its tasks run on.
    fleet: Option<Fleet>,
    runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
    keys: Vec<&'static str>,
}

/// What a run of the program came to.
#[must_use]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails the test, showing everything, unless the program ended like this.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Fails the test unless the answer holds this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "no `{text}` in\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

impl From<Output> for Ran {
    /// Every answer of the program comes by here. A plan among them has to fit its schema, whatever it was asked for.
    fn from(output: Output) -> Self {
        let ran = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        if ran.stdout.contains("\"plan_sha256\": \"") {
            let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            // On record of a run it is one of several things.
            let plan = document
                .get("plan")
                .filter(|plan| plan.is_object())
                .unwrap_or(&document);
            fits_plan_schema(plan);
        }
        ran
    }
}

impl TestFleet {
    /// Starts the devices blank and writes an inventory that manages them and holds `services`.
    pub(crate) fn start(given: &[Given], services: &str) -> Self {
        let firmware: Firmware = "GAM-4/8-C_v1.8.2".parse().unwrap();
        let specs = given.iter().map(|given| {
            let mut spec = DeviceSpec::new(given.key, Model::by_name(given.model).unwrap(), firmware.clone());
            (given.tune)(&mut spec);
            spec
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let fleet = runtime
            .block_on(Fleet::start(specs.collect(), FleetOptions::default()))
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let test = Self {
            fleet: Some(fleet),
            runtime,
            folder,
            keys: given.iter().map(|given| given.key).collect(),
        };
        test.write(
            "gamops.yaml",
            "format: 1\ninventory: test\ndefaults: { credentials: factory, mode: manage }\n",
        );
        test.write("devices.yaml", &test.devices(given, ""));
        test.write("services.yaml", services);
        test
    }

    /// The `devices` file; `more` is added to each device, indented by four.
    pub(crate) fn devices(&self, given: &[Given], more: &str) -> String {
        self.devices_with(given.iter().map(|given| (given, more)))
    }

    /// The `devices` file with lines of each device's own, indented by four.
    pub(crate) fn devices_with<'g>(&self, given: impl IntoIterator<Item = (&'g Given, &'g str)>) -> String {
        let mut text = "devices:\n".to_owned();
        for (Given { key, model, .. }, more) in given {
            let device = self.device(key);
            text.push_str(&format!(
                "  {key}:\n    model: {model}\n    address: 127.0.0.1\n    transport: {{ ssh_port: {}, snmp_port: {} }}\n{more}",
                device.ssh_addr().port(),
                device.snmp_addr().port()
            ));
        }
        text
    }

    pub(crate) fn device(&self, key: &str) -> Arc<SimDevice> {
        self.fleet.as_ref().unwrap().device(key).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let folder = self.inventory();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), text).unwrap();
    }

    pub(crate) fn inventory(&self) -> PathBuf {
        self.folder.path().join("inventory")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    /// A command line ready to run: this inventory, this state, nothing of the machine's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.folder.path());
        command
            .args(arguments)
            .env("GAMOPS_STATE", self.state())
            // Simulated devices share the cores with all tests: a login must not wait for too many others.
            .env("GAMOPS_PARALLELISM", "32")
            .env("GAMOPS_INVENTORY", self.inventory());
        command
    }

    /// Commits all of the inventory, in a repository of its own; gives the short id.
    pub(crate) fn commit(&self, message: &str) -> String {
        let folder = self.inventory();
        let repository = git2::Repository::open(&folder).unwrap_or_else(|_| git2::Repository::init(&folder).unwrap());
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("t", "t@example.org").unwrap();
        let parent = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
        let id = repository.commit(Some("HEAD"), &who, &who, message, &tree, &Vec::from_iter(&parent));
        id.unwrap().to_string()[..12].to_owned()
    }

    /// Runs the program.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Applies what the inventory says and expects it to work.
    #[track_caller]
    pub(crate) fn apply(&self) -> Ran {
        self.run(&["apply", "--auto-approve"]).expect(0)
    }

    /// Expects that nothing is left to do, and that every device would survive a reboot as it is.
    #[track_caller]
    pub(crate) fn expect_in_sync(&self) {
        let _ = self.run(&["plan", "--detailed-exitcode"]).expect(0).says("No changes.");
        for key in &self.keys {
            assert_eq!(
                self.ghn_lines(key),
                ghn_lines(&self.device(key).startup_config().unwrap_or_default()),
                "{key}"
            );
        }
    }

    /// The managed lines of a device's running configuration.
    pub(crate) fn ghn_lines(&self, key: &str) -> Vec<String> {
        ghn_lines(&self.device(key).running_config())
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

impl Drop for TestFleet {
    fn drop(&mut self) {
        if let Some(fleet) = self.fleet.take() {
            self.runtime.block_on(fleet.stop());
        }
    }
}

/// Fails the test unless the document is a plan as the schema in the repository has it.
#[track_caller]
pub(crate) fn fits_plan_schema(plan: &serde_json::Value) {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/plan.schema.json");
        let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    let wrong: Vec<String> = schema.iter_errors(plan).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{plan:#}");
}

/// The managed lines of a configuration.
pub(crate) fn ghn_lines(config: &str) -> Vec<String> {
    let managed = |line: &&str| line.starts_with("ghn ") || line.starts_with("hostname ");
    config
        .lines()
        .filter(managed)
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// The program with an empty environment and a home of its own.
pub(crate) fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gamops"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("USER", "tester")
        .current_dir(home)
        .stdin(std::process::Stdio::null());
    command
}
