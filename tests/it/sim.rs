//! The simulated device over real SSH, in process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

use std::sync::Arc;
use std::time::Duration;

use gamops::domain::{Firmware, MacAddr, Model, PortNumber};
use gamops::sim::{Counted, DeviceSpec, ExecChannel, Fault, Fleet, FleetOptions, Knobs, Moment, SimDevice, SimError};
use russh::client::{self, AuthResult, Handle, Msg};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelMsg, Disconnect};

/// Every wait of these tests ends here: generous, since machines are slow and nothing waits this long when
/// all is well.
const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) fn spec(name: &str) -> DeviceSpec {
    let firmware: Firmware = "GAM-12/24-C_v1.8.2".parse().unwrap();
    DeviceSpec::new(name, Model::by_name("GAM-12-C").unwrap(), firmware)
}

pub(crate) async fn start(specs: Vec<DeviceSpec>) -> Fleet {
    Fleet::start(specs, FleetOptions::default()).await.unwrap()
}

async fn one(knobs: impl FnOnce(&mut Knobs)) -> (Fleet, Arc<SimDevice>) {
    let mut spec = spec("maple-a");
    spec.hostname = "gam-maple".to_owned();
    knobs(&mut spec.knobs);
    let fleet = start(vec![spec]).await;
    let device = fleet.device("maple-a").unwrap();
    (fleet, device)
}

struct AnyKey;

impl client::Handler for AnyKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// An SSH connection, logged in.
async fn login(device: &SimDevice, user: &str, password: &str) -> Result<Handle<AnyKey>, String> {
    login_with(client::Config::default(), device, user, password).await
}

async fn login_with(
    config: client::Config,
    device: &SimDevice,
    user: &str,
    password: &str,
) -> Result<Handle<AnyKey>, String> {
    let config = Arc::new(config);
    let connect = client::connect(config, device.ssh_addr(), AnyKey);
    let mut handle = tokio::time::timeout(DEADLINE, connect)
        .await
        .map_err(|_| "no answer".to_owned())?
        .map_err(|error| error.to_string())?;
    match handle.authenticate_password(user, password).await {
        Ok(AuthResult::Success) => Ok(handle),
        Ok(AuthResult::Failure { .. }) => Err("rejected".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A shell on a device.
struct Client {
    channel: Channel<Msg>,
    seen: String,
    // Held: dropping it ends the connection.
    _handle: Handle<AnyKey>,
}

impl Client {
    async fn open(device: &SimDevice) -> Self {
        let handle = login(device, "admin", "").await.unwrap();
        let channel = handle.channel_open_session().await.unwrap();
        channel.request_pty(false, "vt100", 200, 50, 0, 0, &[]).await.unwrap();
        channel.request_shell(true).await.unwrap();
        Self {
            channel,
            seen: String::new(),
            _handle: handle,
        }
    }

    async fn type_text(&mut self, text: &str) {
        self.channel.data_bytes(text.as_bytes().to_vec()).await.unwrap();
    }

    /// Reads until the output ends in `end`; all of it since the last call comes back. `Err` holds what was
    /// read until the other side closed.
    async fn read_to(&mut self, end: &str) -> Result<String, String> {
        let read = async {
            while !self.seen.ends_with(end) {
                match self.channel.wait().await {
                    Some(ChannelMsg::Data { data }) => self.seen.push_str(&String::from_utf8_lossy(&data)),
                    Some(ChannelMsg::Close) | None => return Err(std::mem::take(&mut self.seen)),
                    Some(_) => {}
                }
            }
            Ok(std::mem::take(&mut self.seen))
        };
        match tokio::time::timeout(DEADLINE, read).await {
            Ok(read) => read,
            Err(_) => panic!("never saw {end:?}, only {:?}", self.seen),
        }
    }

    /// Sends a line; the output up to the next prompt comes back, without echo and prompt.
    async fn command(&mut self, line: &str, prompt: &str) -> Result<String, String> {
        self.type_text(&format!("{line}\r")).await;
        let text = self.read_to(prompt).await?;
        let text = text.split_once("\r\n").map(|(_, rest)| rest.to_owned()).unwrap_or(text);
        let output = text.strip_suffix(prompt).unwrap_or(&text);
        Ok(output.replace("\r\n", "\n"))
    }
}

/// Polls until a condition holds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let poll = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, poll).await.is_ok(), "never: {what}");
}

#[tokio::test]
async fn a_session_configures_saves_and_survives_a_reboot() {
    let (fleet, device) = one(|_| {}).await;
    let mut client = Client::open(&device).await;
    client.read_to("gam-maple# ").await.unwrap();
    assert_eq!(client.command("terminal length 0", "gam-maple# ").await.unwrap(), "");
    assert_eq!(client.command("terminal width 512", "gam-maple# ").await.unwrap(), "");
    client
        .command("configure terminal", "gam-maple(config)# ")
        .await
        .unwrap();
    for line in [
        r#"ghn bw-profile 2 name "100/100" rate-downstream 106 rate-upstream 106"#,
        r#"ghn endpoint 1 mac-address 00:0E:D8:1C:95:08 port 4"#,
        r#"ghn subscriber 1 vid 100 bw-profile 2 endpoint 1 poe disable name "s-1""#,
    ] {
        assert_eq!(client.command(line, "gam-maple(config)# ").await.unwrap(), "", "{line}");
    }
    assert_eq!(client.command("hostname other", "other(config)# ").await.unwrap(), "");
    client.command("end", "other# ").await.unwrap();
    let saved = client
        .command("copy running-config startup-config", "other# ")
        .await
        .unwrap();
    let size = device.startup_config().unwrap().len();
    assert_eq!(
        saved,
        format!("Building configuration...\n% Saving {size} bytes to flash:startup-config\n")
    );
    let running = client.command("show running-config", "other# ").await.unwrap();
    assert!(
        running.starts_with("Building configuration...\nhostname other\n"),
        "{running}"
    );
    assert!(running.ends_with("!\nend\n"), "{running}");
    for line in [
        r#"ghn bw-profile 2 name "100/100" rate-downstream 106 rate-upstream 106"#,
        r#"ghn endpoint 1 name "Positron_1C9508" mac-address 00:0e:d8:1c:95:08 port 4"#,
        r#"ghn subscriber 1 name "s-1" vid 100 endpoint 1 bw-profile 2 poe disable"#,
        "interface G.hn 1/4\n switchport trunk native vlan 4095\n switchport trunk allowed vlan 2,100,4094",
    ] {
        assert!(running.contains(line), "no {line} in\n{running}");
    }
    let counters = device.counters();
    assert_eq!(
        (counters.logins, counters.saves, counters.running_config_reads),
        (1, 1, 1)
    );
    assert_eq!(counters.commands[0], "terminal length 0");

    device.execute("ghn subscriber 2 name unsaved");
    device.reboot().await;
    assert!(
        client.command("show version", "# ").await.is_err(),
        "the session outlived the reboot"
    );
    assert_eq!(
        format!("Building configuration...\n{}", device.startup_config().unwrap()),
        device.running_config()
    );
    assert!(!device.running_config().contains("unsaved"));
    Client::open(&device).await.read_to("other# ").await.unwrap();
    fleet.stop().await;
}

#[tokio::test]
async fn the_echo_of_a_long_line_scrolls_and_the_command_still_works() {
    let (_fleet, device) = one(|_| {}).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    client.command("configure terminal", "(config)# ").await.unwrap();
    let description = "a description that is a good deal longer than the width of the screen allows";
    let line = format!(r#"ghn endpoint 1 mac-address 00:0e:d8:00:00:01 description "{description}""#);
    client.type_text(&format!("{line}\r")).await;
    let seen = client.read_to("(config)# ").await.unwrap();
    assert!(
        !seen.contains(&line) && seen.contains('$') && seen.contains('\u{8}'),
        "{seen:?}"
    );
    assert!(device.running_config().contains(description));
}

#[tokio::test]
async fn long_output_waits_at_the_pager() {
    let (_fleet, device) = one(|_| {}).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    client.type_text("show version\r").await;
    let page = client
        .read_to("-- more --, next page: Space, continue: g, quit: ^C")
        .await
        .unwrap();
    assert_eq!(page.matches("\r\n").count(), 1 + 22);
    client.type_text("g").await;
    assert!(client.read_to("gam-maple# ").await.unwrap().contains("Code Revision"));
}

#[tokio::test]
async fn a_wrong_password_is_rejected_and_a_set_one_counts() {
    let (_fleet, device) = one(|_| {}).await;
    assert_eq!(
        login(&device, "admin", "guess").await.err().as_deref(),
        Some("rejected")
    );
    device.execute("username admin privilege 15 password unencrypted secret");
    assert!(login(&device, "admin", "").await.is_err());
    assert!(login(&device, "admin", "secret").await.is_ok());
    assert!(!device.running_config().contains("secret"));
    device.set_fault(Fault::RefuseLogins);
    assert!(login(&device, "admin", "secret").await.is_err());
}

#[tokio::test]
async fn a_user_without_password_may_be_let_in_unasked() {
    let (_fleet, device) = one(|knobs| knobs.none_login = true).await;
    let config = Arc::new(client::Config::default());
    let mut handle = client::connect(config, device.ssh_addr(), AnyKey).await.unwrap();
    assert!(matches!(
        handle.authenticate_none("admin").await,
        Ok(AuthResult::Success)
    ));
}

#[tokio::test]
async fn an_old_device_takes_old_algorithms_only() {
    let (_fleet, device) = one(|knobs| knobs.old_algorithms = true).await;
    let modern = login(&device, "admin", "").await.err().unwrap();
    assert!(modern.contains("No common"), "{modern}");
    let old = client::Config {
        preferred: russh::Preferred {
            kex: vec![russh::kex::DH_G14_SHA1].into(),
            key: vec![russh::keys::Algorithm::Rsa { hash: None }].into(),
            cipher: vec![russh::cipher::AES_128_CBC].into(),
            mac: vec![russh::mac::HMAC_SHA1].into(),
            ..russh::Preferred::default()
        },
        ..client::Config::default()
    };
    assert!(login_with(old, &device, "admin", "").await.is_ok());
}

#[tokio::test]
async fn a_save_goes_on_when_its_session_is_gone() {
    let (_fleet, device) = one(|knobs| knobs.save_delay = Duration::from_millis(200)).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    client.type_text("copy running-config startup-config\r").await;
    client.read_to("Building configuration...\r\n").await.unwrap();
    drop(client);
    until("it is saved", || device.startup_config().is_some()).await;
    assert!(device.execute("copy running-config flash:mine").contains("% Saving"));
}

#[tokio::test]
async fn one_session_too_many_is_told_so() {
    let (_fleet, device) = one(|_| {}).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Client::open(&device).await;
        client.read_to("# ").await.unwrap();
        clients.push(client);
    }
    let mut fifth = Client::open(&device).await;
    assert_eq!(
        fifth.read_to("# ").await,
        Err("Only 4 connections allowed\r\n".to_owned())
    );
    let first = clients.remove(0);
    first
        ._handle
        .disconnect(Disconnect::ByApplication, "", "")
        .await
        .unwrap();
    until("a place is free", || device.counters().sessions == 3).await;
    Client::open(&device).await.read_to("# ").await.unwrap();
}

#[tokio::test]
async fn exit_and_idleness_end_a_session() {
    let (_fleet, device) = one(|knobs| knobs.idle = Duration::from_millis(300)).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    assert!(client.command("exit", "# ").await.is_err());
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    assert!(client.read_to("never").await.is_err());
}

#[tokio::test]
async fn an_exec_channel_does_what_the_knob_says() {
    for (exec_channel, end) in [(ExecChannel::Ignored, "gam-maple# "), (ExecChannel::Works, "end\r\n")] {
        let (_fleet, device) = one(|knobs| knobs.exec_channel = exec_channel).await;
        let handle = login(&device, "admin", "").await.unwrap();
        let channel = handle.channel_open_session().await.unwrap();
        channel.exec(true, "show running-config").await.unwrap();
        let mut client = Client {
            channel,
            seen: String::new(),
            _handle: handle,
        };
        let seen = client.read_to(end).await.unwrap();
        assert_eq!(seen.contains("hostname"), exec_channel == ExecChannel::Works, "{seen}");
    }
    let (_fleet, device) = one(|knobs| knobs.exec_channel = ExecChannel::Closed).await;
    let handle = login(&device, "admin", "").await.unwrap();
    let channel = handle.channel_open_session().await.unwrap();
    channel.exec(true, "show version").await.unwrap();
    let mut client = Client {
        channel,
        seen: String::new(),
        _handle: handle,
    };
    assert_eq!(client.read_to("# ").await, Err(String::new()));
}

#[tokio::test]
async fn the_first_output_can_be_paged_already() {
    let (_fleet, device) = one(|knobs| {
        knobs.banner = Some("Authorised staff only".to_owned());
        knobs.first_output_paged = true;
    })
    .await;
    let mut client = Client::open(&device).await;
    assert!(
        client
            .read_to("quit: ^C")
            .await
            .unwrap()
            .starts_with("Authorised staff only\r\n")
    );
    client.type_text("g").await;
    client.read_to("gam-maple# ").await.unwrap();
}

async fn dropped(of: Counted, at: u32, when: Moment) -> (Arc<SimDevice>, String, bool) {
    let (_fleet, device) = one(|_| {}).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    device.set_fault(Fault::Drop { at, of, when });
    let mut seen = String::new();
    for (line, prompt) in [
        ("configure terminal", "(config)# "),
        ("ghn endpoint 1 mac-address 00:0e:d8:00:00:01", "(config)# "),
        ("ghn subscriber 1 name first endpoint 1", "(config)# "),
        ("do show running-config", "(config)# "),
    ] {
        match client.command(line, prompt).await {
            Ok(_) => {}
            Err(rest) => {
                seen = rest;
                break;
            }
        }
    }
    let took_effect = device.running_config().contains("ghn subscriber 1");
    // The fault is spent: the next session works.
    Client::open(&device).await.read_to("gam-maple# ").await.unwrap();
    (device, seen, took_effect)
}

#[tokio::test]
async fn a_connection_drops_before_or_after_a_command_took_effect() {
    let (_, seen, took_effect) = dropped(Counted::Configuration, 2, Moment::Before).await;
    assert!(!took_effect && !seen.contains("# "), "{seen:?}");
    let (_, _, took_effect) = dropped(Counted::Any, 3, Moment::After).await;
    assert!(took_effect);
}

#[tokio::test]
async fn a_connection_drops_in_the_middle_of_output() {
    let (_fleet, device) = one(|_| {}).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    client.command("terminal length 0", "# ").await.unwrap();
    device.set_fault(Fault::Drop {
        at: 1,
        of: Counted::Any,
        when: Moment::InOutput,
    });
    let seen = client.command("show running-config", "gam-maple# ").await.unwrap_err();
    assert!(
        seen.contains("Building configuration") && !seen.contains("\r\nend\r\n"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn commands_are_refused_ignored_garbled_or_never_answered() {
    let (_fleet, device) = one(|_| {}).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    device.set_fault(Fault::Refuse {
        containing: "subscriber 1".to_owned(),
        text: "G.hn internal error".to_owned(),
    });
    device.set_fault(Fault::Ignore {
        containing: "subscriber 2".to_owned(),
    });
    client
        .command("configure terminal", "gam-maple(config)# ")
        .await
        .unwrap();
    let refused = client
        .command("ghn subscriber 1 name a", "gam-maple(config)# ")
        .await
        .unwrap();
    assert_eq!(refused, "% G.hn internal error\n");
    assert_eq!(
        client
            .command("ghn subscriber 2 name b", "gam-maple(config)# ")
            .await
            .unwrap(),
        ""
    );
    assert!(!device.running_config().contains("ghn subscriber"));
    device.clear_faults();
    device.set_fault(Fault::Garbage { at: 1, behind: None });
    client.type_text("do show version | include MAC\r").await;
    let seen = client.read_to("gam-maple(config)# ").await.unwrap();
    assert!(seen.contains('\u{fffd}'), "{seen:?}");
    device.set_fault(Fault::Hang { at: 1 });
    client.type_text("end\r").await;
    let silent = tokio::time::timeout(Duration::from_millis(200), client.read_to("# ")).await;
    assert!(silent.is_err(), "{silent:?}");
}

#[tokio::test]
async fn output_comes_in_small_pieces_and_slowly() {
    let (_fleet, device) = one(|_| {}).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    device.set_fault(Fault::Pieces {
        size: 3,
        pause_millis: 1,
    });
    device.set_fault(Fault::Slow { millis: 50 });
    let before = std::time::Instant::now();
    let seen = client.command("show ghn bw-profile 1", "gam-maple# ").await.unwrap();
    assert_eq!(
        seen,
        "Name: Default BW Profile\nDescription: \nDS: 10 Mbps\nUS: 10 Mbp\n"
    );
    assert!(before.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_rebooting_device_refuses_connections_for_a_while() {
    let (_fleet, device) = one(|knobs| knobs.down_time = Duration::from_millis(1500)).await;
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    client.type_text("reload cold\r").await;
    assert!(client.read_to("gam-maple# ").await.is_err());
    let address = device.ssh_addr();
    let refused = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, refused).await.unwrap();
    until("it is up again", || std::net::TcpStream::connect(address).is_ok()).await;
    assert_eq!(device.counters().boots, 2);
}

#[tokio::test]
async fn a_reload_to_defaults_is_factory_fresh() {
    let (_fleet, device) = one(|_| {}).await;
    device.execute("ghn subscriber 1 name a\ncopy running-config startup-config");
    assert!(device.startup_config().is_some());
    let mut client = Client::open(&device).await;
    client.read_to("# ").await.unwrap();
    client.type_text("reload defaults\r").await;
    assert!(client.read_to("never").await.is_err());
    until("it has restarted", || device.counters().boots == 2).await;
    assert_eq!(device.startup_config(), None);
    assert!(!device.running_config().contains("subscriber"));
}

#[tokio::test]
async fn two_sessions_cannot_copy_at_once() {
    let (_fleet, device) = one(|knobs| knobs.save_delay = Duration::from_millis(500)).await;
    let mut first = Client::open(&device).await;
    first.read_to("# ").await.unwrap();
    let mut second = Client::open(&device).await;
    second.read_to("# ").await.unwrap();
    first.type_text("copy running-config startup-config\r").await;
    first.read_to("Building configuration...\r\n").await.unwrap();
    let busy = second.command("copy running-config flash:mine", "# ").await.unwrap();
    assert!(busy.contains("I/O operation is in progress"), "{busy}");
    assert!(first.read_to("# ").await.unwrap().contains("% Saving"));
}

#[tokio::test]
async fn an_endpoint_on_auto_finds_its_port_when_plugged_in() {
    let (_fleet, device) = one(|_| {}).await;
    let mac: MacAddr = "00:0e:d8:1c:95:08".parse().unwrap();
    device.execute("ghn endpoint 1 mac-address 00:0e:d8:1c:95:08 port auto");
    assert!(device.running_config().contains("port auto"));
    device.plug(mac, PortNumber::try_from(7).unwrap());
    assert!(device.running_config().contains("95:08 port 7"));
    assert!(
        device
            .execute("show ghn discover all")
            .contains("00:0E:D8:1C:95:08 yes        yes")
    );
    device.unplug(mac);
    assert!(device.execute("show alarm active").contains("CPE-1"));
}

#[tokio::test]
async fn state_outlives_the_process_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let options = FleetOptions {
        state_dir: Some(folder.path().join("state")),
    };
    let mut blank = spec("maple-a");
    blank.startup_config = Some("hostname first\n".to_owned());
    let fleet = Fleet::start(vec![blank.clone()], options.clone()).await.unwrap();
    let device = fleet.device("maple-a").unwrap();
    device.execute("hostname second\ncopy running-config startup-config\nhostname third");
    fleet.stop().await;
    let fleet = Fleet::start(vec![blank], options).await.unwrap();
    let device = fleet.device("maple-a").unwrap();
    assert!(device.running_config().contains("hostname second\n"));
    fleet.stop().await;
}

#[tokio::test]
async fn a_taken_address_and_a_bad_startup_line_are_named() {
    let fleet = start(vec![spec("a")]).await;
    let mut second = spec("b");
    second.ssh = fleet.device("a").unwrap().ssh_addr();
    let error = Fleet::start(vec![second], FleetOptions::default()).await.unwrap_err();
    assert!(matches!(error, SimError::Listen { .. }));
    assert!(error.to_string().contains("SSH of simulated device b"), "{error}");
    let mut third = spec("c");
    third.startup_config = Some("ghn subscriber 1 vid 100\n".to_owned());
    let error = Fleet::start(vec![third], FleetOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("Invalid G.hn subscriber name"), "{error}");
}
