//! Our SSH client against dropbear, the server that devices of the family run.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use gamops::device::{DeviceError, Session};
use gamops::domain::Secret;
use gamops::transport::ssh::{Connect, HostKeyCheck, HostKeyPolicy, Login, SshError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::program::{Server, find, free_tcp_port, run};
use crate::support::user::{RIGHT, User};

const CLI: &str = include_str!("support/cli.sh");

/// A dropbear with a host key of its own, on loopback; whoever logs in gets the emulated command line.
struct Dropbear {
    server: Server,
    port: u16,
    // The key and the command line lie here as long as the server runs.
    _folder: tempfile::TempDir,
}

impl Dropbear {
    async fn start(kind_of_key: &str, options: &[&str]) -> Self {
        let dropbear = find("dropbear", "dropbear-bin");
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let key = folder.path().join("host_key");
        run(Command::new(find("dropbearkey", "dropbear-bin"))
            .args(["-t", kind_of_key, "-f"])
            .arg(&key));
        let cli = folder.path().join("cli.sh");
        std::fs::write(&cli, CLI).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let port = free_tcp_port();
            let mut command = Command::new(&dropbear);
            command
                .args(["-F", "-E", "-m", "-p"])
                .arg(format!("127.0.0.1:{port}"))
                .arg("-r")
                .arg(&key);
            command
                .arg("-P")
                .arg(folder.path().join("pid"))
                .arg("-c")
                .arg(format!("sh {}", cli.display()))
                .args(options);
            let mut server = Server::start(&mut command, &folder.path().join("log"));
            while !server.has_ended() {
                if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                    return Self {
                        server,
                        port,
                        _folder: folder,
                    };
                }
                assert!(Instant::now() < deadline, "dropbear does not listen: {}", server.log());
                tokio::task::yield_now().await;
            }
            // Somebody else took the port; any other reason shows here in the end.
            assert!(Instant::now() < deadline, "dropbear does not start: {}", server.log());
        }
    }

    fn connect(&self, user: &User, password: &str) -> Connect {
        Connect {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: user.name().to_owned(),
            login: Login::Password(Secret::new(password)),
            legacy_algorithms: false,
            host_key: HostKeyCheck {
                pinned: None,
                policy: HostKeyPolicy::AcceptNew,
            },
            within: Duration::from_secs(20),
        }
    }

    async fn open(&self, to: &Connect) -> Session {
        match Session::open(to).await {
            Ok(session) => session,
            Err(error) => panic!("{error:?}\n{}", self.server.log()),
        }
    }
}

#[tokio::test]
async fn a_session_with_dropbear_reads_configures_and_saves() {
    let user = User::create(RIGHT);
    let dropbear = Dropbear::start("ed25519", &[]).await;
    let mut session = dropbear.open(&dropbear.connect(&user, "right")).await;
    assert_eq!(session.prompt().hostname, "gam-ssh");
    let command = format!(
        "ghn subscriber 1 name \"{}\" vid 100 bw-profile unthrottled",
        "s".repeat(31)
    );
    session
        .configure(std::slice::from_ref(&command), &CancellationToken::new())
        .await
        .unwrap();
    assert!(session.save().await.unwrap().said.is_some());
    assert_eq!(
        session.ask("more flash:startup-config").await.unwrap(),
        format!("{command}\nend\n")
    );
    session.close().await;
}

#[tokio::test]
async fn dropbear_lets_a_user_without_password_in_and_rejects_a_wrong_one_once() {
    let nobody = User::create("");
    let dropbear = Dropbear::start("rsa", &["-B"]).await;
    dropbear.open(&dropbear.connect(&nobody, "")).await.close().await;

    let user = User::create(RIGHT);
    let error = Session::open(&dropbear.connect(&user, "wrong")).await.unwrap_err();
    let DeviceError::Open(cause) = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(**cause, SshError::Rejected { .. }), "{error:?}");
    let tries = dropbear.server.log().matches("Bad password attempt").count();
    assert!(tries <= 1, "{}", dropbear.server.log());
}
