//! Words that nobody has seen: tried only where the operator allows it, told apart by what came of them, and never
//! tried twice in vain.

use gamops::domain::PoeMode;
use gamops::sim::{AssumedWords, DeviceSpec};

use crate::fleet::{Given, TestFleet, UNGUARDED};

/// A setting that takes an assumed word.
struct Setting {
    /// First part of its devices' keys.
    key: &'static str,
    model: &'static str,
    /// More about the device, indented by four.
    device: &'static str,
    /// The setting in the inventory, after a comma.
    wish: &'static str,
    /// The lines that set it.
    commands: &'static [&'static str],
    /// How the device prints it.
    shown: &'static str,
    /// The words, as gamops calls them.
    words: &'static [&'static str],
    /// The lines that take it back, and their words.
    back: &'static [&'static str],
    back_words: &'static [&'static str],
}

const SETTINGS: &[Setting] = &[
    Setting {
        key: "port",
        model: "GAM-12-M",
        device: "    subscriber_model: port-aware\n",
        wish: ", port: 3",
        commands: &["ghn subscriber 1 port 3 port2-vid none"],
        shown: " port 3",
        words: &["port"],
        back: &["no ghn subscriber 1 port"],
        back_words: &["no port"],
    },
    Setting {
        key: "trunk",
        model: "GAM-4-CX",
        device: "",
        wish: ", trunk: true",
        commands: &["ghn subscriber 1 trunk"],
        shown: " trunk",
        words: &["trunk"],
        back: &["no ghn subscriber 1 trunk"],
        back_words: &["no trunk"],
    },
    Setting {
        key: "outer",
        model: "GAM-4-CX",
        device: "",
        wish: ", double_tag: { outer_vlan: 500 }",
        commands: &["ghn subscriber 1 outer-vid 500"],
        shown: " outer-vid 500",
        words: &["outer-vid"],
        back: &["ghn subscriber 1 outer-vid none"],
        back_words: &["outer-vid none"],
    },
    Setting {
        key: "uplink",
        model: "GAM-12-M",
        device: "",
        wish: ", double_tag: { outer_vlan: 500, uplink: 2 }",
        commands: &["ghn subscriber 1 outer-vid 500", "ghn subscriber 1 nni 2"],
        shown: " outer-vid 500 nni 2",
        words: &["outer-vid", "nni"],
        back: &["ghn subscriber 1 nni default", "ghn subscriber 1 outer-vid none"],
        back_words: &["nni default", "outer-vid none"],
    },
    Setting {
        key: "poe-enable",
        model: "GAM-4-CX",
        device: "",
        wish: ", poe: enable",
        commands: &["ghn subscriber 1 poe enable"],
        shown: " poe enable",
        words: &["poe enable | force"],
        back: &[],
        back_words: &[],
    },
    Setting {
        key: "poe-force",
        model: "GAM-4-CX",
        device: "",
        wish: ", poe: force",
        commands: &["ghn subscriber 1 poe force"],
        shown: " poe force",
        words: &["poe enable | force"],
        back: &[],
        back_words: &[],
    },
];

/// What a firmware makes of the words, each with a version of its own, since what one answers is remembered of all.
const ANSWERS: [(&str, AssumedWords, &str); 3] = [
    ("offered", AssumedWords::Offered, "GAM-4/8-C_v1.8.0"),
    ("refused", AssumedWords::Refused, "GAM-4/8-C_v1.8.1"),
    ("ignored", AssumedWords::Ignored, "GAM-4/8-C_v1.8.2"),
];

/// One device: what is tried on it, and whether it holds it from the start and is to lose it.
struct Trial {
    key: &'static str,
    setting: &'static Setting,
    answer: AssumedWords,
    back: bool,
}

impl Trial {
    fn all() -> Vec<Self> {
        let mut trials = Vec::new();
        for setting in SETTINGS {
            for (name, answer, _) in ANSWERS {
                for back in [false, true]
                    .into_iter()
                    .filter(|back| !back || !setting.back.is_empty())
                {
                    let way = if back { "-back" } else { "" };
                    trials.push(Self {
                        key: format!("{}{way}-{name}", setting.key).leak(),
                        setting,
                        answer,
                        back,
                    });
                }
            }
        }
        trials
    }

    fn subscriber(&self) -> String {
        let wish = if self.back { "" } else { self.setting.wish };
        let key = self.key;
        format!("  s-{key}: {{ device: {key}, plan: unthrottled, vlan: 101{wish} }}\n")
    }

    fn commands(&self) -> &'static [&'static str] {
        if self.back {
            self.setting.back
        } else {
            self.setting.commands
        }
    }

    fn words(&self) -> &'static [&'static str] {
        if self.back {
            self.setting.back_words
        } else {
            self.setting.words
        }
    }
}

/// Makes the device that its name asks for: `<setting>[-back]-<answer>`.
fn tune(spec: &mut DeviceSpec) {
    let (key, answer) = spec.name.rsplit_once('-').unwrap();
    let (_, words, firmware) = ANSWERS.into_iter().find(|(name, ..)| *name == answer).unwrap();
    let setting = SETTINGS
        .iter()
        .find(|setting| setting.key == key.trim_end_matches("-back"))
        .unwrap();
    spec.firmware = firmware.parse().unwrap();
    spec.knobs.assumed_words = words;
    spec.knobs.port_aware = setting.key == "port";
    // No PoE of its own is shown, so that nothing tells whether it knows the words.
    spec.knobs.default_poe = PoeMode::Disable;
    if key.ends_with("-back") {
        let line = format!(
            "ghn subscriber 1 name \"s-{}\" vid 101 bw-profile unthrottled{}\n",
            spec.name, setting.shown
        );
        spec.startup_config = Some(line);
    }
}

/// What a run of `apply` said of one device in its results.
fn results<'t>(text: &'t str, device: &str) -> Vec<&'t str> {
    let head = format!("  {device}  ");
    let is_head = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&head));
    let first = lines.next();
    first
        .into_iter()
        .chain(lines.take_while(|line| !is_head(line)))
        .collect()
}

fn sent(fleet: &TestFleet, device: &str) -> Vec<String> {
    let commands = fleet.device(device).counters().commands;
    commands
        .into_iter()
        .filter(|command| command.contains("ghn subscriber"))
        .collect()
}

#[test]
fn an_assumed_word_is_tried_where_allowed_judged_by_what_came_of_it_and_not_tried_again() {
    let trials = Trial::all();
    let given: Vec<Given> = trials
        .iter()
        .map(|trial| Given {
            key: trial.key,
            model: trial.setting.model,
            tune,
        })
        .collect();
    let services: String = trials.iter().map(Trial::subscriber).collect();
    let fleet = TestFleet::start(&given, &format!("subscribers:\n{services}"));
    fleet.write("gamops.yaml", UNGUARDED);
    for trial in trials.iter().filter(|trial| trial.back) {
        fleet.device(trial.key).execute("copy running-config startup-config");
    }
    let devices = |more: &str| {
        let own: Vec<String> = trials
            .iter()
            .map(|trial| format!("{}{more}", trial.setting.device))
            .collect();
        fleet.devices_with(given.iter().zip(own.iter().map(String::as_str)))
    };

    // Not allowed: nothing of it is said, and the plan tells why.
    fleet.write("devices.yaml", &devices(""));
    let applied = fleet.apply();
    let notes = applied.stdout.matches("nobody has seen this firmware take").count();
    assert_eq!(notes, trials.len(), "{}", applied.stdout);
    for trial in &trials {
        let said = sent(&fleet, trial.key);
        assert!(
            !said.iter().any(|line| trial.commands().contains(&line.as_str())),
            "{said:?}"
        );
    }
    fleet.expect_in_sync();

    fleet.write("devices.yaml", &devices("    allow_assumed: true\n"));
    let applied = fleet.run(&["apply", "--auto-approve"]).expect(5);
    for trial in &trials {
        let lines = results(&applied.stdout, trial.key).join("\n");
        assert!(
            lines.contains("verified, saved"),
            "{}: {lines}\n{}",
            trial.key,
            applied.stdout
        );
        let why = match trial.answer {
            AssumedWords::Offered => None,
            AssumedWords::Refused => Some("this firmware does not know"),
            AssumedWords::Ignored => Some("and ignores it"),
        };
        let told = |word: &&&str| {
            let mut told = lines.lines().filter(|line| line.contains("NOT APPLIED"));
            told.any(|line| line.contains(&format!("`{word}`")) && why.is_some_and(|why| line.contains(why)))
        };
        let expected = match trial.answer {
            AssumedWords::Offered => 0,
            AssumedWords::Refused | AssumedWords::Ignored => trial.words().len(),
        };
        assert_eq!(
            trial.words().iter().filter(told).count(),
            expected,
            "{}: {lines}",
            trial.key
        );
        let held = fleet.ghn_lines(trial.key).join("\n");
        let is_set = held.contains(trial.setting.shown);
        assert_eq!(
            is_set,
            trial.back != (trial.answer == AssumedWords::Offered),
            "{}: {held}",
            trial.key
        );
        assert!(!held.contains("port2-vid"), "{}: {held}", trial.key);
    }
    fleet.expect_in_sync();

    // Once is enough: neither another plan nor another apply says any of it again.
    let before: Vec<Vec<String>> = trials.iter().map(|trial| sent(&fleet, trial.key)).collect();
    let again = fleet.apply();
    for (trial, before) in trials.iter().zip(before) {
        assert_eq!(sent(&fleet, trial.key), before, "{}", trial.key);
    }
    for trial in &trials {
        let (first, after) = (trial.words()[0], trial.words().last().unwrap());
        let told = |why: &str, word: &str| again.stdout.contains(&format!("this firmware {why} `{word}`"));
        let is_told = match trial.answer {
            AssumedWords::Offered => continue,
            AssumedWords::Refused => told("has refused", first),
            AssumedWords::Ignored => told("takes", first) || told("takes", after),
        };
        assert!(is_told, "{}: {}", trial.key, again.stdout);
    }
}

/// Keywords may be shortened, so where `port` is no word of its own it is `port2-vid`.
#[test]
fn a_port_is_never_taken_for_the_second_ports_vlan() {
    let given = [Given {
        key: "lodge",
        model: "GAM-12-M",
        tune: |spec| {
            spec.knobs.port_aware = true;
            spec.knobs.assumed_words = AssumedWords::Refused;
        },
    }];
    let services = "\
subscribers:
  s-1: { device: lodge, port: 3, plan: unthrottled, vlan: 101, port2_vlan: 201 }
  s-2: { device: lodge, port: 4, plan: unthrottled, vlan: 102 }
  s-3: { device: lodge, port: 5, plan: unthrottled, vlan: 103, port2_vlan: 203 }
";
    let fleet = TestFleet::start(&given, services);
    let lodge = fleet.device("lodge");
    lodge.execute("ghn subscriber 9 name \"x\"\nghn subscriber 9 port 7");
    let wrong = "ghn subscriber 9 name \"x\" vid 4094 bw-profile 1 port2-vid 7 poe enable";
    assert!(
        fleet.ghn_lines("lodge").iter().any(|line| line == wrong),
        "{:?}",
        fleet.ghn_lines("lodge")
    );
    lodge.execute("no ghn subscriber 9");

    fleet.write(
        "devices.yaml",
        &fleet.devices(&given, "    subscriber_model: port-aware\n    allow_assumed: true\n"),
    );
    let _ = fleet.run(&["apply", "--auto-approve"]).expect(5).says("NOT APPLIED");
    let held: Vec<String> = fleet
        .ghn_lines("lodge")
        .into_iter()
        .filter(|line| line.starts_with("ghn subscriber "))
        .collect();
    assert_eq!(
        held,
        [
            "ghn subscriber 1 name \"s-1\" vid 101 bw-profile unthrottled port2-vid 201 poe enable",
            "ghn subscriber 2 name \"s-2\" vid 102 bw-profile unthrottled poe enable",
            "ghn subscriber 3 name \"s-3\" vid 103 bw-profile unthrottled port2-vid 203 poe enable",
        ]
    );
    let tried = lodge
        .counters()
        .commands
        .iter()
        .filter(|line| line.contains(" port "))
        .count();
    assert_eq!(
        tried,
        1,
        "one answer is enough for a firmware: {:?}",
        lodge.counters().commands
    );
    fleet.expect_in_sync();
}

#[test]
fn an_exchange_that_takes_a_word_which_the_device_refused_is_refused_before_anything_is_sent() {
    let given = [Given {
        key: "lodge",
        model: "GAM-12-M",
        tune: |spec| {
            spec.knobs.port_aware = true;
            spec.knobs.assumed_words = AssumedWords::Refused;
            let line = |number: u8| {
                format!(
                    "ghn subscriber {number} name \"s-{number}\" vid 10{number} port {number} bw-profile unthrottled\n"
                )
            };
            spec.startup_config = Some([1, 2].map(line).concat());
        },
    }];
    let services = |first: u8, second: u8| {
        format!(
            "subscribers:\n  s-1: {{ device: lodge, port: {first}, plan: unthrottled, vlan: 101 }}\n  s-2: {{ device: lodge, port: {second}, plan: unthrottled, vlan: 102 }}\n"
        )
    };
    let fleet = TestFleet::start(&given, &services(1, 2));
    fleet.device("lodge").execute("copy running-config startup-config");
    let devices = |more: &str| fleet.devices(&given, &format!("    subscriber_model: port-aware\n{more}"));
    fleet.write("devices.yaml", &devices(""));
    let _ = fleet.apply();
    let held = fleet.ghn_lines("lodge");
    fleet.write("services.yaml", &services(2, 1));
    for (more, why) in [
        ("", "nobody has seen this firmware take `no port`"),
        ("    allow_assumed: true\n", "this firmware has refused `no port`"),
    ] {
        fleet.write("devices.yaml", &devices(more));
        if !more.is_empty() {
            let _ = fleet.run(&["apply", "--auto-approve"]).expect(5);
        }
        let sent = fleet.device("lodge").counters().commands.len();
        let _ = fleet
            .run(&["apply", "--auto-approve"])
            .expect(4)
            .says("REFUSED[no-words-for-it]")
            .says(why);
        let sent = fleet.device("lodge").counters().commands.split_off(sent);
        assert!(!sent.iter().any(|line| line.contains("ghn subscriber")), "{sent:?}");
        assert_eq!(fleet.ghn_lines("lodge"), held);
    }
}
