//! Gathering from a simulated device over real SSH and SNMP.

use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use gamops::device::{DeviceError, Session, gather, read_running, read_startup};
use gamops::domain::{Model, ProfileId, Secret};
use gamops::observed::{Answer, Evidence, ProfileRef};
use gamops::sim::{Counted, DeviceSpec, Fault, Fleet, FleetOptions, Moment, SimDevice};
use gamops::transport::Retry;
use gamops::transport::snmp::{Agent, Version};
use gamops::transport::ssh::{Connect, HostKeyCheck, Login};
use tokio_util::sync::CancellationToken;

const LINES: &str = "\
hostname gam-maple
ghn endpoint 1 name \"apt 1\" mac-address 00:0e:d8:1c:95:08 port 4
ghn subscriber 1 name \"s-1\" vid 100 endpoint 1 bw-profile unthrottled poe disable
ghn subscriber 2 name \"s-2\" vid 200
";

struct Given {
    fleet: Fleet,
    device: Arc<SimDevice>,
}

async fn device(change: impl FnOnce(&mut DeviceSpec)) -> Given {
    let model = Model::by_name("GAM-4-CX").unwrap();
    let mut spec = DeviceSpec::new("maple", model, "GAM-4/8-C_v1.5.4".parse().unwrap());
    change(&mut spec);
    let fleet = Fleet::start(vec![spec], FleetOptions::default()).await.unwrap();
    let device = fleet.device("maple").unwrap();
    Given { fleet, device }
}

impl Given {
    async fn session(&self) -> Session {
        Session::open(&self.connect()).await.unwrap()
    }

    fn connect(&self) -> Connect {
        Connect {
            host: self.device.ssh_addr().ip().to_string(),
            port: self.device.ssh_addr().port(),
            user: "admin".to_owned(),
            login: Login::Password(Secret::default()),
            legacy_algorithms: false,
            host_key: HostKeyCheck::default(),
            within: Duration::from_secs(20),
        }
    }

    fn agent(&self) -> Agent {
        Agent {
            host: self.device.snmp_addr().ip().to_string(),
            port: self.device.snmp_addr().port(),
            version: Version::V2c,
            community: Secret::new("public"),
            timeout: Duration::from_millis(500),
            attempts: NonZeroU8::new(4).unwrap(),
        }
    }
}

#[tokio::test]
async fn one_login_tells_who_it_is_and_what_it_holds() {
    let given = device(|_| {}).await;
    given.device.execute(LINES);
    let mut session = given.session().await;
    let observation = gather(&mut session, Some(&given.agent())).await.unwrap();
    let identity = &observation.identity;
    assert_eq!(identity.mac, given.device.spec().base_mac());
    assert_eq!(identity.model, Model::by_name("GAM-4-CX"));
    assert_eq!(identity.firmware.to_string(), "GAM-4/8-C_v1.5.4");
    assert_eq!(identity.serial, Some(given.device.spec().serial()));
    assert_eq!(observation.host_key, *session.host_key());
    let managed = &observation.running.managed;
    assert_eq!(
        (
            managed.hostname.as_str(),
            managed.endpoints.len(),
            managed.subscribers.len()
        ),
        ("gam-maple", 1, 2)
    );
    assert_eq!(observation.capabilities.poe_disable.answer, Answer::Yes);
    assert_eq!(observation.capabilities.poe_disable.evidence, Evidence::Seen);
    // The startup configuration is still the factory's.
    assert_ne!(
        observation.startup.map(|startup| startup.managed.clone()),
        Some(managed.clone())
    );
    session.close().await;
    assert_eq!(given.device.counters().logins, 1);
    given.fleet.stop().await;
}

#[tokio::test]
async fn after_saving_running_and_startup_are_the_same() {
    let given = device(|_| {}).await;
    let mut session = given.session().await;
    let commands: Vec<String> = LINES.lines().map(str::to_owned).collect();
    session.configure(&commands, &CancellationToken::new()).await.unwrap();
    session.save().await.unwrap();
    let observation = gather(&mut session, None).await.unwrap();
    assert_eq!(
        observation.startup.as_ref().map(|startup| &startup.managed),
        Some(&observation.running.managed)
    );
    assert_eq!(observation.running.managed.subscribers.len(), 2);
    assert_eq!(given.device.counters().saves, 1);
    session.close().await;
}

#[tokio::test]
async fn what_an_absent_profile_means_is_asked_once_and_filled_in() {
    let given = device(|spec| {
        spec.knobs.print_bw_profile = false;
        spec.knobs.default_profile = Some(1);
    })
    .await;
    given.device.execute(LINES);
    let mut session = given.session().await;
    let observation = gather(&mut session, None).await.unwrap();
    let default = ProfileRef::Profile(ProfileId::DEVICE_DEFAULT);
    assert_eq!(observation.capabilities.default_subscriber_profile, Some(default));
    let profiles = |running: &gamops::observed::RunningConfig| -> Vec<Option<ProfileRef>> {
        running
            .managed
            .subscribers
            .values()
            .map(|subscriber| subscriber.profile)
            .collect()
    };
    assert_eq!(
        profiles(&observation.running),
        [Some(ProfileRef::Unthrottled), Some(default)]
    );
    let asked = |word: &str| {
        given
            .device
            .counters()
            .commands
            .iter()
            .filter(|line| line.contains(word))
            .count()
    };
    assert_eq!(asked("all-defaults"), 1);
    let again = read_running(&mut session, &observation.capabilities).await.unwrap();
    assert_eq!(again.managed, observation.running.managed);
    assert_eq!(asked("all-defaults"), 1);
    session.close().await;
}

#[tokio::test]
async fn a_silent_agent_keeps_nothing_from_being_read() {
    let given = device(|_| {}).await;
    given.device.set_fault(Fault::SnmpSilence);
    let mut session = given.session().await;
    let agent = Agent {
        timeout: Duration::from_millis(50),
        ..given.agent()
    };
    let observation = gather(&mut session, Some(&agent)).await.unwrap();
    assert_eq!(observation.identity.serial, None);
    assert_eq!(observation.identity.mac, given.device.spec().base_mac());
    session.close().await;
}

#[tokio::test]
async fn an_agent_of_another_device_is_a_contradiction() {
    let given = device(|_| {}).await;
    let spec = DeviceSpec::new(
        "oak",
        Model::by_name("GAM-4-CX").unwrap(),
        "GAM-4/8-C_v1.5.4".parse().unwrap(),
    );
    let fleet = Fleet::start(vec![spec], FleetOptions::default()).await.unwrap();
    let oak = fleet.device("oak").unwrap();
    let agent = Agent {
        port: oak.snmp_addr().port(),
        ..given.agent()
    };
    let mut session = given.session().await;
    let error = gather(&mut session, Some(&agent)).await.unwrap_err();
    let DeviceError::Contradiction { what, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*what, "base MAC");
    assert_eq!(error.retry(), Retry::AfterChange);
    assert!(error.help("maple").unwrap().contains("`maple`"));
    session.close().await;
}

#[tokio::test]
async fn a_reading_that_breaks_off_gives_no_configuration() {
    let given = device(|_| {}).await;
    given.device.execute(LINES);
    for at in 1..=3 {
        let mut session = given.session().await;
        given.device.set_fault(Fault::Drop {
            at,
            of: Counted::Any,
            when: Moment::InOutput,
        });
        let error = gather(&mut session, None).await.unwrap_err();
        assert!(matches!(error, DeviceError::Lost { .. }), "{at}: {error:?}");
        given.device.clear_faults();
        session.close().await;
    }
}

#[tokio::test]
async fn a_reading_in_small_pieces_is_the_same_reading() {
    let given = device(|_| {}).await;
    given.device.execute(LINES);
    let mut session = given.session().await;
    let whole = gather(&mut session, None).await.unwrap();
    for size in [1, 3, 7] {
        given.device.set_fault(Fault::Pieces { size, pause_millis: 0 });
        let pieces = gather(&mut session, None).await.unwrap();
        assert_eq!(
            (pieces.running, pieces.startup),
            (whole.running.clone(), whole.startup.clone())
        );
        given.device.clear_faults();
    }
    session.close().await;
}

#[tokio::test]
async fn a_startup_configuration_that_is_not_shown_is_unknown() {
    let given = device(|_| {}).await;
    given.device.set_fault(Fault::Refuse {
        containing: "more".to_owned(),
        text: "File not found".to_owned(),
    });
    let mut session = given.session().await;
    let observation = gather(&mut session, None).await.unwrap();
    assert_eq!(observation.startup, None);
    assert_eq!(
        read_startup(&mut session, &observation.capabilities).await.unwrap(),
        None
    );
    session.close().await;
}

#[tokio::test]
async fn a_paged_banner_a_bare_prompt_and_old_algorithms_do_not_hinder() {
    let given = device(|spec| {
        spec.knobs.banner = Some("Property of Maple ISP # 7".to_owned());
        spec.knobs.first_output_paged = true;
        spec.knobs.old_algorithms = true;
    })
    .await;
    let mut to = given.connect();
    to.legacy_algorithms = true;
    let mut session = Session::open(&to).await.unwrap();
    assert_eq!(session.prompt().to_string(), "# ");
    gather(&mut session, None).await.unwrap();
    session.close().await;
}

#[tokio::test]
async fn a_fifth_session_is_refused_with_the_device_s_words() {
    for silent in [false, true] {
        let given = device(|spec| {
            spec.knobs.sessions = 1;
            spec.knobs.silent_limit = silent;
        })
        .await;
        let first = given.session().await;
        let error = Session::open(&given.connect()).await.unwrap_err();
        match error {
            DeviceError::TooManySessions { .. } => assert!(!silent),
            DeviceError::ClosedAtStart { .. } => assert!(silent),
            error => panic!("{error:?}"),
        }
        first.close().await;
    }
}
