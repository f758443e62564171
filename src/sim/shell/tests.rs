use crate::domain::{Firmware, Model};
use crate::sim::knobs::{InUse, Knobs};
use crate::sim::spec::DeviceSpec;
use crate::sim::state::{File, STARTUP};

use super::*;

struct Session {
    state: State,
    shell: Shell,
}

impl Session {
    fn on(model: &str, firmware: &str, knobs: impl FnOnce(&mut Knobs)) -> Self {
        let firmware: Firmware = firmware.parse().unwrap();
        let mut spec = DeviceSpec::new("maple-a", Model::by_name(model).unwrap(), firmware);
        spec.hostname = "gam".to_owned();
        knobs(&mut spec.knobs);
        let mut state = State::new(spec, None);
        assert!(state.boot().is_empty());
        Self {
            state,
            shell: Shell::new(15),
        }
    }

    fn coax() -> Self {
        Self::on("GAM-4-CX", "GAM-4/8-C_v1.5.4", |_| {})
    }

    fn copper() -> Self {
        Self::on("GAM-4-MX", "GAM-4/8-M_v1.8.2", |_| {})
    }

    fn line(&mut self, line: &str) -> String {
        self.shell
            .execute(line, &mut self.state, Duration::from_secs(3600))
            .output
    }

    /// Runs lines in config mode, all of which must be taken.
    fn configured(mut self, lines: &str) -> Self {
        self.shell.configure();
        for line in lines.lines() {
            assert_eq!(self.line(line), "", "{line}");
        }
        self
    }

    fn running(&self) -> String {
        self.state.running_text()
    }

    fn prompt(&self) -> String {
        self.shell.prompt(&self.state)
    }
}

/// Each message that a command line can reach, the lines that lead up to it, and the line that meets it.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("Invalid G.hn port", "", "ghn port 5 name x"),
    ("Non-existing G.hn subscriber", "", "no ghn subscriber 7"),
    (
        "Non-existing G.hn endpoint (no such endpoint configured)",
        "",
        "ghn subscriber 1 name a endpoint 3",
    ),
    (
        "G.hn endpoint is already assigned to another subscriber",
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01\nghn subscriber 1 name a endpoint 1",
        "ghn subscriber 2 name b endpoint 1",
    ),
    ("Invalid G.hn subscriber name", "", "ghn subscriber 1 vid 100"),
    (
        "Non-unique G.hn subscriber name",
        "ghn subscriber 1 name a",
        "ghn subscriber 2 name a",
    ),
    (
        "Non-unique G.hn endpoint name",
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01 name a",
        "ghn endpoint 2 mac-address 00:0e:d8:00:00:02 name a",
    ),
    (
        "Non-unique G.hn bandwidth profile name",
        "",
        "ghn bw-profile 2 name \"Default BW Profile\"",
    ),
    ("Non-unique G.hn port name", "ghn port 1 name a", "ghn port 2 name a"),
    ("Invalid G.hn bandwidth profile", "", "no ghn bw-profile 1"),
    (
        "Non-existing G.hn bandwidth profile",
        "",
        "ghn subscriber 1 name a bw-profile 3",
    ),
    (
        "Invalid G.hn bandwidth profile name",
        "",
        "ghn bw-profile 2 rate-downstream 100",
    ),
    (
        "Invalid G.hn bandwidth profile downstream bandwidth",
        "",
        "ghn bw-profile 2 name a rate-downstream 9",
    ),
    (
        "Invalid G.hn bandwidth profile upstream bandwidth",
        "",
        "ghn bw-profile 2 name a rate-upstream 2000",
    ),
    ("Invalid G.hn data VLAN id", "", "ghn subscriber 1 name a vid 3841"),
    (
        "Invalid G.hn remapped data VLAN id",
        "",
        "ghn subscriber 1 name a remapped-vid 4094",
    ),
    (
        "Invalid G.hn port #2 VLAN id",
        "",
        "ghn subscriber 1 name a port2-vid 2",
    ),
    (
        "G.hn VLAN cannot be the same as port #2 VLAN id",
        "ghn subscriber 1 name a port2-vid 300",
        "ghn subscriber 1 vid 300",
    ),
    (
        "Too many allowed tagged VLAN",
        "",
        "ghn subscriber 1 name a allowed-vlan 1000-1012",
    ),
    ("Invalid G.hn endpoint MAC address", "", "ghn endpoint 1 name a"),
    (
        "Invalid G.hn endpoint MAC address",
        "",
        "ghn endpoint 1 mac-address 00:00:00:00:00:00",
    ),
    (
        "Non-unique G.hn endpoint MAC address",
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01",
        "ghn endpoint 2 mac-address 00:0E:D8:00:00:01",
    ),
    (
        "Maximum number of G.hn endpoint reached for the system",
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01\nghn endpoint 2 mac-address 00:0e:d8:00:00:02",
        "ghn endpoint 3 mac-address 00:0e:d8:00:00:03",
    ),
    (
        "Maximum number of G.hn banbdwidth profile reached for the system",
        "ghn bw-profile 2 name a",
        "ghn bw-profile 3 name b",
    ),
    (
        "Maximum number of G.hn subscriber reached for the system",
        "ghn subscriber 1 name a\nghn subscriber 2 name b",
        "ghn subscriber 3 name c",
    ),
    (
        "Maximum number of G.hn endpoint reached for that port",
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01 port 2",
        "ghn endpoint 2 mac-address 00:0e:d8:00:00:02 port 2",
    ),
    (
        "Invalid G.hn VectorBoost parameter",
        "",
        "ghn vectorboost engine cdta min-down-up-rate 8 max-down-up-rate 3",
    ),
    ("Invalid G.hn powermask notch Id", "", "no ghn notch 3"),
    (
        "Invalid G.hn powermask notch parameter",
        "",
        "ghn notch 1 startfreq 4.5 stopfreq 101 depth 20",
    ),
    (
        "Invalid G.hn powermask notch parameter",
        "",
        "ghn notch 1 startfreq 4.5 stopfreq 20 depth 20.3",
    ),
];

#[test]
fn every_refusal_is_met_in_the_vendor_s_words_and_changes_nothing() {
    for (text, before, line) in REFUSALS {
        let mut session = Session::on("GAM-4-MX", "GAM-4/8-M_v1.8.2", |knobs| {
            knobs.max_endpoints = 2;
            knobs.max_subscribers = 2;
            knobs.max_profiles = 2;
        })
        .configured(before);
        let held = session.running();
        assert_eq!(session.line(line), format!("% {text}\n"), "{line}");
        assert_eq!(session.running(), held, "{line}");
    }
}

#[test]
fn a_coax_port_takes_sixteen_endpoints_and_no_mode() {
    let mut session = Session::coax();
    session.shell.configure();
    for id in 1..=16 {
        let line = format!("ghn endpoint {id} mac-address 00:0e:d8:00:00:{id:02x} port 1");
        assert_eq!(session.line(&line), "");
    }
    let refused = session.line("ghn endpoint 17 mac-address 00:0e:d8:00:00:17 port 1");
    assert_eq!(refused, "% Maximum number of G.hn endpoint reached for that port\n");
    assert_eq!(session.line("ghn port 1 mode siso"), "% Invalid G.hn port mode\n");
}

#[test]
fn numbers_out_of_range_are_words_that_do_not_exist() {
    let mut session = Session::copper();
    session.shell.configure();
    for line in [
        "ghn bw-profile 16 name a",
        "ghn subscriber 385 name a",
        "ghn subscriber 1 vid 2",
        "ghn subscriber 1 vid 4095",
        "ghn endpoint 1 description \"\"",
    ] {
        assert!(session.line(line).contains("% Invalid word detected"), "{line}");
    }
}

#[test]
fn the_caret_stands_under_the_word_behind_the_prompt() {
    let mut session = Session::coax();
    session.line("configure terminal");
    assert_eq!(
        session.line("ghn subscribr 1"),
        "                 ^\n% Invalid word detected at '^' marker.\n\n"
    );
    assert_eq!(session.line("ghn subscriber"), "% Incomplete command.\n\n");
    assert!(
        session
            .line("n")
            .contains("% Ambiguous word detected at '^' marker.\n\n")
    );
    let partial = session.line("ghn endpoint 1 mac-address 00:0e");
    assert!(
        partial.contains("% Incomplete word detected at '^' marker.\n\n"),
        "{partial}"
    );
}

#[test]
fn a_command_wider_than_the_screen_is_printed_again_above_the_caret() {
    let mut session = Session::coax();
    session.line("configure terminal");
    let line = format!("ghn subscriber 1 name {} tagged tagged tagged", "x".repeat(31));
    let reply = session.line(&line);
    // The second `tagged` is one too many; it begins in the first row, which is repeated.
    let rows: Vec<&str> = reply.lines().collect();
    assert_eq!(rows[0].len(), 79);
    assert!(rows[0].ends_with("tagged tagge"), "{reply}");
    assert_eq!(rows[1].find('^'), Some(79 - "tagge".len()));
    let late = format!(
        "ghn subscriber 1 name {} description {} wrong",
        "x".repeat(31),
        "y".repeat(40)
    );
    let reply = session.line(&late);
    let rows: Vec<&str> = reply.lines().collect();
    assert_eq!(rows[1].find("wrong"), rows[2].find('^'), "{reply}");
}

#[test]
fn prompts_follow_mode_and_host_name() {
    let mut session = Session::coax();
    for (line, prompt) in [
        ("", "gam# "),
        ("configure terminal", "gam(config)# "),
        ("interface vlan 100", "gam(config-if-vlan)# "),
        // A submode falls back to global commands, and so to another submode.
        ("interface 10GigabitEthernet 1/1", "gam(config-if)# "),
        ("vlan 10", "gam(config-vlan)# "),
        ("snmp-server host nms", "gam(config-snmps-host)# "),
        ("line vty 0 15", "gam(config-line)# "),
        ("exit", "gam(config)# "),
        ("hostname other", "other(config)# "),
        ("no hostname", "(config)# "),
        ("end", "# "),
    ] {
        assert_eq!(session.line(line), "", "{line}");
        assert_eq!(session.prompt(), prompt, "{line}");
    }
    assert_eq!(
        session.shell.execute("exit", &mut session.state, Duration::ZERO).then,
        Then::Close
    );
}

#[test]
fn do_runs_exec_commands_and_marks_their_faults_where_they_stand() {
    let mut session = Session::coax();
    session.line("configure terminal");
    assert!(
        session
            .line("do show ghn bw-profile 1")
            .starts_with("Name: Default BW Profile\n")
    );
    assert_eq!(session.prompt(), "gam(config)# ");
    assert_eq!(
        session.line("do show nonsense"),
        format!("{:21}^\n% Invalid word detected at '^' marker.\n\n", "")
    );
}

#[test]
fn configuration_is_not_taken_at_the_exec_prompt_nor_from_a_low_user() {
    let mut session = Session::coax();
    assert!(session.line("ghn subscriber 1 name a").contains("Invalid word"));
    session.shell.privilege = 5;
    assert_eq!(session.prompt(), "gam> ");
    assert!(session.line("configure terminal").contains("Invalid word"));
    assert!(session.line("show version").contains("Software Version"));
}

#[test]
fn an_existing_object_changes_only_in_what_is_given() {
    let session = Session::copper().configured(
        "ghn endpoint 3 mac-address 00-0E-D8-1C-95-0A\n\
         ghn endpoint 3 description \"unit 117\" port 2 allow-management-access\n\
         ghn subscriber 3 allowed-vlan 1000,2001,2000 tagged remapped-vid 210 vid 200 name \"s 3\" endpoint 3\n\
         ghn subscriber 3 description later bw-profile unthrottled\n\
         ghn port 2 shutdown mode siso name \"riser B\"\n\
         no ghn port 2 shutdown\n\
         ghn notch 1 startfreq 4.5 stopfreq 20 depth 20\n\
         ghn vectorboost engine cdta enable down-up-weight 70",
    );
    let running = session.running();
    for line in [
        "ghn port 2 mode siso name \"riser B\"\n",
        "ghn endpoint 3 name \"Positron_1C950A\" mac-address 00:0e:d8:1c:95:0a port 2 description \"unit 117\" allow-management-access\n",
        "ghn subscriber 3 name \"s 3\" vid 200 tagged remapped-vid 210 endpoint 3 bw-profile unthrottled allowed-vlan 1000,2000-2001 poe enable description \"later\"\n",
        " switchport trunk allowed vlan 2,200,1000,2000-2001,4094\n",
        "ghn notch 1 startfreq 4.5 stopfreq 20 depth 20\n",
        "ghn vectorboost engine cdta down-up-weight 70\n",
    ] {
        assert!(running.contains(line), "no {line} in\n{running}");
    }
}

#[test]
fn settings_are_taken_back() {
    let session = Session::copper().configured(
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01 port 1 allow-management-access\n\
         ghn subscriber 1 name a endpoint 1 vid 200 tagged remapped-vid 210 allowed-vlan 1000 port2-vid 300 bw-profile 1\n\
         ghn subscriber 1 untagged remapped-vid none allowed-vlan none port2-vid none bw-profile unthrottled poe disable\n\
         no ghn subscriber 1 endpoint\n\
         no ghn endpoint 1 port\n\
         no ghn endpoint 1 allow-management-access",
    );
    let running = session.running();
    assert!(
        running.contains("ghn subscriber 1 name \"a\" vid 200 bw-profile unthrottled poe disable\n"),
        "{running}"
    );
    assert!(running.contains("mac-address 00:0e:d8:00:00:01\n"), "{running}");
}

#[test]
fn deleting_what_is_in_use_does_what_the_knob_says() {
    let setup = "ghn bw-profile 2 name gold\nghn endpoint 1 mac-address 00:0e:d8:00:00:01\n\
                 ghn subscriber 1 name a endpoint 1 bw-profile 2";
    for (in_use, line) in [
        (
            InUse::Clear,
            "ghn subscriber 1 name \"a\" vid 4094 bw-profile unthrottled",
        ),
        (
            InUse::Dangle,
            "ghn subscriber 1 name \"a\" vid 4094 endpoint 1 bw-profile 2",
        ),
        (
            InUse::Refuse,
            "ghn subscriber 1 name \"a\" vid 4094 endpoint 1 bw-profile 2",
        ),
    ] {
        let mut session = Session::on("GAM-4-MX", "GAM-4/8-M_v1.8.2", |knobs| knobs.in_use = in_use).configured(setup);
        let refused = in_use == InUse::Refuse;
        assert_eq!(session.line("no ghn endpoint 1").starts_with('%'), refused);
        assert_eq!(session.line("no ghn bw-profile 2").starts_with('%'), refused);
        assert!(session.running().contains(line), "{in_use:?}\n{}", session.running());
        assert_eq!(session.running().contains("ghn endpoint 1"), refused);
    }
}

#[test]
fn firmware_and_knobs_decide_which_words_exist_and_are_printed() {
    let mut old = Session::on("GAM-4-MX", "GAM-4/8-M_v1.2.0", |_| {});
    old.shell.configure();
    assert!(old.line("ghn subscriber 1 name a poe disable").contains("Invalid word"));
    assert_eq!(old.line("ghn subscriber 1 name a"), "");
    assert!(!old.running().contains("poe"));
    assert!(old.running().contains("snmp-server community v2c public ro\n"));

    let odd = Session::on("GAM-4-MX", "GAM-4/8-M_v1.8.2", |knobs| {
        knobs.print_default_profile = true;
        knobs.print_poe = false;
        knobs.print_bw_profile = false;
        knobs.print_unassigned_port = true;
        knobs.future_word = true;
        knobs.empty_description = true;
    })
    .configured(
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01 description x\nghn endpoint 1 description \"\"\n\
         ghn subscriber 1 name a future-word 7\nghn subscriber 2 name b poe force bw-profile unthrottled",
    );
    let running = odd.running();
    for line in [
        "ghn bw-profile 1 name \"Default BW Profile\" rate-downstream 10 rate-upstream 10\n",
        "mac-address 00:0e:d8:00:00:01 port unassigned\n",
        "ghn subscriber 1 name \"a\" vid 4094 future-word 7\n",
        "ghn subscriber 2 name \"b\" vid 4094 bw-profile unthrottled poe force\n",
    ] {
        assert!(running.contains(line), "no {line} in\n{running}");
    }
}

#[test]
fn the_factory_running_config_is_as_the_family_prints_one() {
    insta::assert_snapshot!(Session::coax().running(), @r#"
    Building configuration...
    hostname gam
    username admin privilege 15 password none
    !
    vlan 1
    !
    snmp-server community public ip-range 0.0.0.0 0.0.0.0 public
    snmp-server community private ip-range 0.0.0.0 0.0.0.0 private
    !
    interface GigabitEthernet 1/1
    !
    interface G.hn 1/1
     switchport trunk native vlan 4095
     switchport trunk allowed vlan 2,4094
     switchport mode trunk
    !
    interface G.hn 1/2
     switchport trunk native vlan 4095
     switchport trunk allowed vlan 2,4094
     switchport mode trunk
    !
    interface G.hn 1/3
     switchport trunk native vlan 4095
     switchport trunk allowed vlan 2,4094
     switchport mode trunk
    !
    interface G.hn 1/4
     switchport trunk native vlan 4095
     switchport trunk allowed vlan 2,4094
     switchport mode trunk
    !
    interface 10GigabitEthernet 1/1
     switchport trunk allowed vlan 3-4094
     switchport mode trunk
    !
    interface vlan 1
     ip address 192.168.10.1 255.255.255.0
    !
    end
    "#);
}

#[test]
fn all_defaults_prints_what_is_otherwise_left_out() {
    let mut session = Session::coax().configured("ghn subscriber 1 name a bw-profile unthrottled");
    session.line("end");
    let text = session.line("show running-config all-defaults | include ghn");
    insta::assert_snapshot!(text, @r#"
    ghn port 1
    ghn port 2
    ghn port 3
    ghn port 4
    ghn bw-profile 1 name "Default BW Profile" rate-downstream 10 rate-upstream 10
    ghn subscriber 1 name "a" vid 4094 untagged remapped-vid none bw-profile unthrottled allowed-vlan none port2-vid none poe enable
    "#);
}

#[test]
fn parts_of_the_configuration_can_be_asked_for() {
    let mut session = Session::coax();
    assert_eq!(
        session.line("show running-config interface 10GigabitEthernet 1/1"),
        "Building configuration...\ninterface 10GigabitEthernet 1/1\n switchport trunk allowed vlan 3-4094\n switchport mode trunk\n!\nend\n"
    );
    assert_eq!(session.line("show running-config | begin end"), "end\n");
    assert!(!session.line("show running-config | exclude vlan").contains("vlan"));
    assert!(session.line("show version | nonsense x").contains("Invalid word"));
    // Nothing happens where the filter makes no sense.
    assert!(
        session
            .line("copy running-config flash:a | include x")
            .contains("Invalid word")
    );
    assert!(!session.state.copying);
}

#[test]
fn a_saved_configuration_boots_into_the_same_running_configuration() {
    let mut session = Session::copper().configured(
        "hostname second\nusername noc privilege 10 password unencrypted hunter2\n\
         ntp server 1 ip-address 192.0.2.1\nntp enable\nlogging host 192.0.2.2\nno ip ssh\n\
         snmp-server location left rack, top\nno snmp-server community private\n\
         vlan 10,20-22\nname guests\nip route 0.0.0.0 0.0.0.0 192.0.2.254\n\
         interface 10GigabitEthernet 1/1\nswitchport trunk allowed vlan remove 100\nswitchport trunk allowed vlan add 1\nshutdown\n\
         interface vlan 10\nip address 192.0.2.10 255.255.255.0\n\
         snmp-server host nms\nhost 192.0.2.3 traps\n\
         line vty 0 15\nexec-timeout 0\n\
         ghn port 3 name \"riser B\" mode siso\nghn bw-profile 2 name gold rate-downstream 0 service-limit-level 2\n\
         ghn endpoint 1 mac-address 00:0e:d8:00:00:01 port auto\n\
         ghn subscriber 1 name \"s 1\" vid 100 endpoint 1 bw-profile 2 port2-vid 300 description \"#1 of ! many\"\n\
         ghn vectorboost engine vdsl-coexistence yes\nghn vectorboost engine cdta disable max-down-up-rate 7",
    );
    session.line("end");
    let Then::Copy(job) = session
        .shell
        .execute("copy running-config startup-config", &mut session.state, Duration::ZERO)
        .then
    else {
        panic!("no copy");
    };
    assert!(session.line("copy running-config flash:a").contains("in progress"));
    let saved = Shell::finish_copy(job, &mut session.state, Duration::from_secs(3661));
    assert!(saved.starts_with("% Saving ") && saved.ends_with(" bytes to flash:startup-config\n"));
    assert!(session.line("dir").contains("1970-01-01 01:01:01"));
    let before = session.running();
    assert!(!before.contains("hunter2"));
    assert!(
        before.contains(" switchport trunk allowed vlan 1,3-99,101-4094\n"),
        "{before}"
    );
    session.line("configure terminal");
    session.line("hostname third");
    let rejected = session.state.boot();
    assert!(rejected.is_empty(), "{rejected:?}");
    assert_eq!(session.running(), before);
}

#[test]
fn files_in_flash_are_listed_shown_copied_and_deleted() {
    let mut session = Session::coax();
    let copied = session
        .shell
        .execute("copy running-config flash:before", &mut session.state, Duration::ZERO);
    assert_eq!(copied.output, "Building configuration...\n");
    let Then::Copy(job) = copied.then else {
        panic!("{copied:?}")
    };
    assert!(!job.is_save());
    Shell::finish_copy(job, &mut session.state, Duration::ZERO);
    assert!(session.line("more flash:before").starts_with("hostname gam\n"));
    assert!(session.line("dir").contains(" before\n2 files, "));
    assert_eq!(session.line("delete flash:before"), "");
    assert!(session.line("delete flash:before").starts_with("% "));
    assert!(session.line("copy flash:none startup-config").starts_with("% "));
}

#[test]
fn a_reload_says_whether_to_forget() {
    let mut session = Session::coax();
    for (line, defaults) in [
        ("reload", false),
        ("reload cold", false),
        ("reload defaults keep-ip", true),
    ] {
        let reply = session.shell.execute(line, &mut session.state, Duration::ZERO);
        assert_eq!(reply.then, Then::Reload { defaults }, "{line}");
    }
}

#[test]
fn the_displays_show_what_is_configured_and_plugged() {
    let mut session = Session::copper().configured(
        "ghn endpoint 1 mac-address 00:0e:d8:00:00:01 port 1\nghn endpoint 2 mac-address 00:0e:d8:00:00:02 port 2\n\
         ghn subscriber 1 name a endpoint 1",
    );
    session.line("end");
    let port = |number: u64| crate::domain::PortNumber::try_from(number).unwrap();
    let hour = Duration::from_secs(3600);
    session
        .state
        .plug("00:0e:d8:00:00:02".parse().unwrap(), port(3), None, hour);
    session
        .state
        .plug("00:0e:d8:00:00:09".parse().unwrap(), port(4), None, hour);
    insta::assert_snapshot!(session.line("show ghn discover all"), @r#"
    Port MACAddress        Configured IsUP
    -----------------------------------------
      1   00:0E:D8:00:00:01 yes        no
      3   00:0E:D8:00:00:02 yes        yes
      4   00:0E:D8:00:00:09 no         yes
    "#);
    insta::assert_snapshot!(session.line("show alarm active"), @r#"
    Sev SvAff Entity     Alarm           Occurrence Date/Time      Description
    --- ----- ---------- --------------- ------------------------- -----------
    MJ   YES   CPE-1      LOS             1970-01-01T01:00:00+00:00 Endpoint (CPE) loss of signal (missing)
    MN   NO    CPE-2      PORTMISMATCH    1970-01-01T01:00:00+00:00 Endpoint (CPE) on wrong port
    "#);
    assert_eq!(
        session.line("show ghn subscriber 1"),
        "Name: a\nDescription: \nVlan: 4094 Untagged\nEndpoint Id: 1\nBW profile Id: 1\nAllowed Vlan: \n"
    );
    assert_eq!(
        session.line("show ghn endpoint 2 configuration"),
        "MAC: 00:0e:d8:00:00:02\nName: Positron_000002\nDescription: \nManagement Access: No\nGAM port Id: 2\n"
    );
    assert!(
        session
            .line("show ghn endpoint 1 status")
            .starts_with("% Endpoint not found")
    );
    assert_eq!(
        session.line("reboot ghn endpoint 2"),
        "% Rebooting G.hn Endpoint 2 with MAC: 00:0e:d8:00:00:02\n"
    );
    let version = session.line("show version");
    assert!(version.starts_with("GAM-4-MX GigaBit Ethernet Switch\n"), "{version}");
    for part in [
        "Product          : Positron GAM-4/8-M Switch",
        "Code Revision    : 28146",
        "00d 01:00:00",
    ] {
        assert!(version.contains(part), "{version}");
    }
    for line in [
        "show ghn port 1 configuration",
        "show ghn port 1 statistics",
        "show ghn port 1 status",
        "show ghn vectorboost engine configuration",
        "show ghn notch configuration",
        "show vlan",
    ] {
        assert!(session.line(line).lines().count() > 1, "{line}");
    }
}

#[test]
fn terminal_settings_are_the_session_s_own() {
    let mut session = Session::coax();
    session.line("terminal width 512");
    session.line("terminal length 0");
    session.line("terminal exec-timeout 1 30");
    assert_eq!(
        session.shell.screen,
        Screen {
            width: 512,
            length: 0,
            idle: Some(Duration::from_secs(90))
        }
    );
    assert!(session.line("terminal width 513").contains("Invalid word"));
    assert!(session.line("terminal length 2").contains("Invalid word"));
}

proptest::proptest! {
    #[test]
    fn no_line_makes_the_shell_panic(lines in proptest::collection::vec(".{0,60}", 1..5)) {
        let mut session = Session::coax();
        session.shell.configure();
        for line in lines {
            session.line(&line);
            session.line(&format!("ghn subscriber 1 {line}"));
            session.line(&format!("do show {line}"));
        }
    }

    #[test]
    fn whatever_is_configured_boots_again_as_it_was(picks in proptest::collection::vec(0..LINES.len(), 0..30)) {
        let mut session = Session::copper();
        session.shell.configure();
        for pick in picks {
            session.line(LINES[pick]);
        }
        let before = session.running();
        let text = session.state.saved_text();
        session.state.flash.insert(STARTUP.to_owned(), File { text, written: Duration::ZERO });
        let rejected = session.state.boot();
        proptest::prop_assert!(rejected.is_empty(), "{rejected:?}");
        proptest::prop_assert_eq!(session.running(), before);
    }
}

/// Lines of which some are refused, depending on what came before.
const LINES: &[&str] = &[
    "hostname a",
    "no hostname",
    "ghn endpoint 1 mac-address 00:0e:d8:00:00:01 port 1",
    "ghn endpoint 1 port auto name \"a ! b\"",
    "ghn endpoint 2 mac-address 00:0e:d8:00:00:01",
    "ghn endpoint 2 mac-address 00:0e:d8:00:00:02 port 1 allow-management-access",
    "ghn endpoint 2 port unassigned description \"a | b\"",
    "no ghn endpoint 1",
    "no ghn endpoint 2 port",
    "ghn bw-profile 2 name gold rate-downstream 100",
    "ghn bw-profile 2 name silver rate-upstream 0",
    "ghn bw-profile 3 name gold",
    "no ghn bw-profile 2",
    "ghn subscriber 1 name a vid 100 endpoint 1",
    "ghn subscriber 1 endpoint 2 bw-profile 2 tagged",
    "ghn subscriber 2 name b vid 200 endpoint 1 allowed-vlan 300-303 bw-profile unthrottled",
    "ghn subscriber 2 untagged port2-vid 100 remapped-vid 400 poe force",
    "no ghn subscriber 1",
    "no ghn subscriber 2 endpoint",
    "ghn port 1 name \"# 1\" shutdown",
    "ghn port 2 mode siso",
    "no ghn port 1",
    "vlan 10-12",
    "no vlan 11",
    "interface vlan 20",
    "ip address 192.0.2.1 255.255.255.0",
    "no interface vlan 1",
    "interface 10GigabitEthernet 1/1",
    "switchport trunk allowed vlan except 5",
    "no switchport mode",
    "snmp-server contact a | b",
    "no snmp-server community public",
    "username x privilege 1 password unencrypted y z",
    "logging level info",
    "no logging level",
];
