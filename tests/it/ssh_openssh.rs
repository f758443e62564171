//! Our SSH client against OpenSSH's own server: a peer that we did not write.
//!
//! Logging in with a password needs a system user, so this test runs as root, makes a throw-away user, and
//! removes it again. It fails, and says why, where that is not possible.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gamops::device::{DeviceError, Session};
use gamops::dialect::session::RefusalKind;
use gamops::domain::Secret;
use gamops::transport::ssh::{Connect, HostKeyCheck, HostKeyPolicy, Login, SshError};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::support::program::{Server, find, free_tcp_port, run};
use crate::support::user::{RIGHT, User};

const CLI: &str = include_str!("support/cli.sh");

/// An sshd with a configuration of its own, on loopback.
struct Sshd {
    server: Server,
    port: u16,
    folder: tempfile::TempDir,
}

impl Sshd {
    async fn start(kind_of_key: &str, options: &str) -> Self {
        let sshd = find("sshd", "openssh-server");
        // Privilege separation wants this folder, which the service's own start script makes.
        std::fs::create_dir_all("/run/sshd").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let key = folder.path().join("host_key");
        run(Command::new(find("ssh-keygen", "openssh-client"))
            .args(["-q", "-N", "", "-C", "", "-t", kind_of_key, "-f"])
            .arg(&key));
        let cli = folder.path().join("cli.sh");
        std::fs::write(&cli, CLI).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let port = free_tcp_port();
            let config = folder.path().join("sshd_config");
            let text = format!(
                "ListenAddress 127.0.0.1:{port}\nHostKey {}\nPidFile none\nUsePAM no\nStrictModes no\n\
                 PasswordAuthentication yes\nKbdInteractiveAuthentication no\nPubkeyAuthentication no\n\
                 PrintMotd no\nPrintLastLog no\nLogLevel VERBOSE\nForceCommand sh {}\n{options}\n",
                key.display(),
                cli.display()
            );
            std::fs::write(&config, text).unwrap();
            let mut server = start(&sshd, &config, &folder.path().join("log"));
            while !server.has_ended() {
                if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                    return Self { server, port, folder };
                }
                assert!(Instant::now() < deadline, "sshd does not listen: {}", server.log());
                tokio::task::yield_now().await;
            }
            // Somebody else took the port; any other reason shows here in the end.
            assert!(Instant::now() < deadline, "sshd does not start: {}", server.log());
        }
    }

    fn connect(&self, user: &User, password: &str) -> Connect {
        Connect {
            host: "localhost".to_owned(),
            port: self.port,
            user: user.name().to_owned(),
            login: Login::Password(Secret::new(password)),
            legacy_algorithms: false,
            host_key: HostKeyCheck {
                pinned: self.host_key().parse().ok(),
                policy: HostKeyPolicy::Strict,
            },
            within: Duration::from_secs(20),
        }
    }

    fn host_key(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("host_key.pub"))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// Waits until sshd has logged `text`, and returns how often it did.
    async fn logged(&self, text: &str) -> usize {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let count = self.server.log().matches(text).count();
            if count > 0 {
                return count;
            }
            assert!(
                Instant::now() < deadline,
                "sshd never logged {text:?}: {}",
                self.server.log()
            );
            tokio::task::yield_now().await;
        }
    }
}

fn start(sshd: &Path, config: &Path, log: &Path) -> Server {
    Server::start(Command::new(sshd).arg("-D").arg("-e").arg("-f").arg(config), log)
}

async fn open(sshd: &Sshd, to: &Connect) -> Session {
    match Session::open(to).await {
        Ok(session) => session,
        Err(error) => panic!("{error:?}\n{}", sshd.server.log()),
    }
}

#[tokio::test]
async fn a_session_with_openssh_reads_configures_and_saves() {
    let user = User::create(RIGHT);
    let sshd = Sshd::start("ed25519", "").await;
    let mut session = open(&sshd, &sshd.connect(&user, "right")).await;
    assert_eq!(session.prompt().hostname, "gam-ssh");
    assert!(!session.is_newly_met());
    // Longer than a terminal of 80 columns: the echo must still be whole.
    let command = format!(
        "ghn subscriber 1 name \"{}\" vid 100 bw-profile unthrottled",
        "s".repeat(31)
    );
    let commands = [
        command.clone(),
        "ghn port 9 shutdown".to_owned(),
        "ghn port 1 shutdown".to_owned(),
    ];
    let refused = session
        .configure(&commands, &CancellationToken::new())
        .await
        .unwrap_err();
    let DeviceError::Refused { refusal, .. } = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refusal.kind, RefusalKind::Semantic(5));
    assert!(session.save().await.unwrap().said.is_some());
    let running = session.ask("show running-config").await.unwrap();
    assert_eq!(
        running,
        format!("Building configuration...\nhostname gam-ssh\n{command}\n!\nend\n")
    );
    assert_eq!(
        session.ask("more flash:startup-config").await.unwrap(),
        format!("{command}\nend\n")
    );
    session.close().await;
}

#[tokio::test]
async fn openssh_counts_one_failed_password_for_a_wrong_one() {
    let user = User::create(RIGHT);
    let sshd = Sshd::start("ed25519", "").await;
    let error = Session::open(&sshd.connect(&user, "wrong")).await.unwrap_err();
    let DeviceError::Open(cause) = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(**cause, SshError::Rejected { .. }), "{error:?}");
    assert_eq!(sshd.logged("Failed password").await, 1);
}

#[tokio::test]
async fn a_user_without_password_gets_in_with_an_empty_one() {
    let user = User::create("");
    let sshd = Sshd::start("ed25519", "PermitEmptyPasswords yes").await;
    open(&sshd, &sshd.connect(&user, "")).await.close().await;
}

#[tokio::test]
async fn an_openssh_restricted_to_old_algorithms_needs_the_legacy_switch() {
    let user = User::create(RIGHT);
    let old = "KexAlgorithms diffie-hellman-group14-sha1\nCiphers aes128-cbc\nMACs hmac-sha1\nHostKeyAlgorithms ssh-rsa\n\
               RequiredRSASize 1024";
    let sshd = Sshd::start("rsa", old).await;
    let mut to = sshd.connect(&user, "right");
    let error = Session::open(&to).await.unwrap_err();
    let DeviceError::Open(cause) = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(**cause, SshError::NoCommonAlgorithm { .. }), "{error:?}");
    to.legacy_algorithms = true;
    let session = open(&sshd, &to).await;
    assert!(session.host_key().to_string().starts_with("ssh-rsa "));
    session.close().await;
}

#[tokio::test]
async fn every_old_key_exchange_and_cipher_works_with_openssh() {
    let user = User::create(RIGHT);
    for (exchange, cipher) in [
        ("diffie-hellman-group1-sha1", "3des-cbc"),
        ("diffie-hellman-group-exchange-sha1", "aes256-cbc"),
        ("diffie-hellman-group14-sha1", "aes128-ctr"),
    ] {
        let sshd = Sshd::start("ed25519", &format!("KexAlgorithms {exchange}\nCiphers {cipher}")).await;
        let mut to = sshd.connect(&user, "right");
        to.legacy_algorithms = true;
        open(&sshd, &to).await.close().await;
    }
}

#[tokio::test]
async fn another_key_than_the_pinned_one_is_refused_before_openssh_sees_a_login() {
    let user = User::create(RIGHT);
    let sshd = Sshd::start("ed25519", "").await;
    let other = Sshd::start("ed25519", "").await;
    let mut to = sshd.connect(&user, "right");
    to.host_key = HostKeyCheck {
        pinned: other.host_key().parse().ok(),
        policy: HostKeyPolicy::AcceptNew,
    };
    let error = Session::open(&to).await.unwrap_err();
    let DeviceError::Open(cause) = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(**cause, SshError::HostKeyChanged { .. }), "{error:?}");
    assert!(!sshd.server.log().contains("for gamops"), "{}", sshd.server.log());
}

#[tokio::test]
async fn a_killed_server_is_a_lost_connection() {
    let user = User::create(RIGHT);
    let sshd = Sshd::start("ed25519", "ClientAliveInterval 0").await;
    let mut session = open(&sshd, &sshd.connect(&user, "right")).await;
    // The session lives in processes of its own: end those of the throw-away user.
    run(Command::new(find("pkill", "procps")).args(["-KILL", "-u", user.name()]));
    let ended = timeout_at(
        Instant::now() + Duration::from_secs(20),
        session.run("show running-config"),
    )
    .await;
    assert!(matches!(ended, Ok(Err(DeviceError::Lost { .. }))), "{ended:?}");
}
