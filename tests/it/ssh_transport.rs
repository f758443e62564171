//! The SSH client against a scripted peer: host keys, logins, algorithms, dead ends.

use std::borrow::Cow;
use std::error::Error as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gamops::domain::Secret;
use gamops::transport::Retry;
use gamops::transport::ssh::{Connect, Connection, HostKeyCheck, HostKeyPolicy, Incoming, Login, SshError};
use russh::{MethodKind, Preferred, cipher, kex, mac};
use tokio::net::TcpListener;

use crate::support::ssh_peer::{Peer, Running, Shell, host_key_text, serve};

async fn idle(mut shell: Shell) {
    while shell.key().await.is_some() {}
}

async fn quiet_peer(peer: Peer) -> Running {
    serve(peer, idle).await
}

async fn refusal(to: &Connect) -> SshError {
    Connection::open(to).await.unwrap_err()
}

/// A message and all its causes, in both forms.
fn everything(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" / {error} {error:?}"));
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_new_key_is_accepted_and_handed_over_for_pinning() {
    let peer = quiet_peer(Peer::default()).await;
    let first = Connection::open(&peer.connect()).await.unwrap();
    assert!(first.is_newly_met());
    assert_eq!(first.host_key().to_string(), host_key_text(1));
    let mut again = peer.connect();
    again.host_key = HostKeyCheck {
        pinned: Some(first.host_key().clone()),
        policy: HostKeyPolicy::Strict,
    };
    let second = Connection::open(&again).await.unwrap();
    assert!(!second.is_newly_met());
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn an_unknown_key_is_refused_by_the_strict_policy_before_any_login() {
    let peer = quiet_peer(Peer::default()).await;
    let mut to = peer.connect();
    to.host_key.policy = HostKeyPolicy::Strict;
    let error = refusal(&to).await;
    assert!(matches!(error, SshError::HostKeyUnknown { .. }), "{error:?}");
    assert!(
        error.to_string().contains(&format!("host_key: {}", host_key_text(1))),
        "{error}"
    );
    assert_eq!(peer.counters.none.load(Ordering::SeqCst) + peer.counters.guesses(), 0);
}

#[tokio::test]
async fn a_changed_key_never_proceeds_to_the_password() {
    let peer = quiet_peer(Peer {
        key: 2,
        ..Peer::default()
    })
    .await;
    for policy in [HostKeyPolicy::AcceptNew, HostKeyPolicy::Strict] {
        let mut to = peer.connect();
        to.host_key = HostKeyCheck {
            pinned: host_key_text(1).parse().ok(),
            policy,
        };
        let error = refusal(&to).await;
        let SshError::HostKeyChanged { pinned, offered, .. } = &error else {
            panic!("{error:?}")
        };
        let message = error.to_string();
        assert!(
            message.contains(&pinned.fingerprint()) && message.contains(&offered.fingerprint()),
            "{message}"
        );
        assert_ne!(pinned.fingerprint(), offered.fingerprint());
        assert_eq!(error.retry(), Retry::AfterChange);
    }
    assert_eq!(peer.counters.none.load(Ordering::SeqCst) + peer.counters.guesses(), 0);
}

#[tokio::test]
async fn a_rejected_password_is_tried_once() {
    for methods in [
        vec![MethodKind::Password],
        vec![MethodKind::Password, MethodKind::KeyboardInteractive],
        vec![MethodKind::KeyboardInteractive],
    ] {
        let peer = quiet_peer(Peer {
            methods: methods.clone(),
            ..Peer::default()
        })
        .await;
        let mut to = peer.connect();
        to.login = Login::Password(Secret::new("canary-wrong"));
        let error = refusal(&to).await;
        assert!(matches!(error, SshError::Rejected { .. }), "{methods:?}: {error:?}");
        assert_eq!(error.retry(), Retry::AfterChange);
        assert_eq!(peer.counters.guesses(), 1, "{methods:?}");
        assert!(!everything(&error).contains("canary"), "{}", everything(&error));
        assert!(!format!("{to:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_peer_that_hangs_up_on_the_password_is_not_asked_again_either() {
    let peer = quiet_peer(Peer {
        hangs_up: true,
        ..Peer::default()
    })
    .await;
    let mut to = peer.connect();
    to.login = Login::Password(Secret::new("wrong"));
    let error = refusal(&to).await;
    assert!(matches!(error, SshError::ClosedAtLogin { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::AfterChange);
    assert_eq!(peer.counters.guesses(), 1);
}

#[tokio::test]
async fn an_empty_password_gets_in_by_none_or_as_a_password() {
    for open in [true, false] {
        let peer = quiet_peer(Peer {
            open,
            password: "",
            ..Peer::default()
        })
        .await;
        Connection::open(&peer.connect()).await.unwrap().close().await;
        assert_eq!(peer.counters.guesses(), usize::from(!open));
    }
}

#[tokio::test]
async fn keyboard_interactive_serves_where_no_password_method_is() {
    let peer = quiet_peer(Peer {
        methods: vec![MethodKind::KeyboardInteractive],
        ..Peer::default()
    })
    .await;
    Connection::open(&peer.connect()).await.unwrap().close().await;
    assert_eq!(peer.counters.guesses(), 1);
}

#[tokio::test]
async fn a_peer_without_password_login_says_what_it_offers() {
    let peer = quiet_peer(Peer {
        methods: vec![MethodKind::PublicKey],
        ..Peer::default()
    })
    .await;
    let error = refusal(&peer.connect()).await;
    assert!(matches!(error, SshError::NoPasswordLogin { .. }), "{error:?}");
    assert!(error.to_string().ends_with("only: publickey"), "{error}");
    assert_eq!(peer.counters.guesses(), 0);
}

#[tokio::test]
async fn an_old_server_is_reached_only_with_the_legacy_switch() {
    let old = Preferred {
        kex: Cow::Borrowed(&[kex::DH_G14_SHA1]),
        cipher: Cow::Borrowed(&[cipher::AES_128_CBC]),
        mac: Cow::Borrowed(&[mac::HMAC_SHA1]),
        ..Preferred::DEFAULT
    };
    let peer = quiet_peer(Peer {
        preferred: old,
        ..Peer::default()
    })
    .await;
    let mut to = peer.connect();
    let error = refusal(&to).await;
    let SshError::NoCommonAlgorithm { kind, ours, theirs, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (*kind, theirs.as_slice()),
        ("key exchange", &["diffie-hellman-group14-sha1".to_owned()][..])
    );
    assert!(ours.iter().any(|name| name == "curve25519-sha256"));
    assert!(
        error.to_string().contains("`transport.legacy_algorithms: true`"),
        "{error}"
    );
    assert_eq!(error.retry(), Retry::AfterChange);
    to.legacy_algorithms = true;
    Connection::open(&to).await.unwrap().close().await;
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_connect_error() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = quiet_peer(Peer::default()).await;
    let mut to = peer.connect();
    to.port = free.local_addr().unwrap().port();
    drop(free);
    let error = refusal(&to).await;
    assert!(matches!(error, SshError::Connect { .. }), "{error:?}");
    assert!(error.source().is_some());
    assert_eq!(error.retry(), Retry::Soon);
}

#[tokio::test]
async fn a_name_without_address_is_a_resolve_error() {
    let peer = quiet_peer(Peer::default()).await;
    let mut to = peer.connect();
    to.host = "no-such-host.invalid".to_owned();
    assert!(matches!(refusal(&to).await, SshError::Resolve { .. }));
}

#[tokio::test]
async fn a_listener_that_never_speaks_is_given_up_on() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = quiet_peer(Peer::default()).await;
    let mut to = peer.connect();
    to.port = silent.local_addr().unwrap().port();
    to.within = Duration::from_secs(1);
    let error = refusal(&to).await;
    let SshError::TimedOut { step, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*step, "the key exchange");
}

#[tokio::test]
async fn a_peer_that_is_given_up_on_is_hung_up_on() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let stuck = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = stuck.local_addr().unwrap().port();
    let heard_the_end = tokio::spawn(async move {
        let (mut stream, _) = stuck.accept().await.unwrap();
        // Says hello, and then nothing more: our key exchange never finishes.
        stream.write_all(b"SSH-2.0-stuck\r\n").await.unwrap();
        let mut bytes = [0; 4096];
        while !matches!(stream.read(&mut bytes).await, Ok(0) | Err(_)) {}
    });
    let peer = quiet_peer(Peer::default()).await;
    let mut to = peer.connect();
    to.port = port;
    to.within = Duration::from_secs(1);
    assert!(matches!(refusal(&to).await, SshError::TimedOut { .. }));
    tokio::time::timeout(Duration::from_secs(10), heard_the_end)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_listener_that_is_no_ssh_server_is_a_handshake_error() {
    use tokio::io::AsyncWriteExt as _;
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = web.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = web.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let peer = quiet_peer(Peer::default()).await;
    let mut to = peer.connect();
    to.port = port;
    let error = refusal(&to).await;
    assert!(matches!(error, SshError::Handshake { .. }), "{error:?}");
}

#[tokio::test]
async fn bytes_pass_both_ways_and_a_cut_wire_is_told_apart_from_silence() {
    let peer = serve(Peer::default(), |mut shell| async move {
        let line = shell.unechoed().await.unwrap();
        shell.send(format!("heard {line}")).await;
        shell.key().await;
        shell.cut();
    })
    .await;
    let mut connection = Connection::open(&peer.connect()).await.unwrap();
    connection.send(b"hello\r").await.unwrap();
    assert_eq!(connection.receive().await, Incoming::Bytes(b"heard hello".to_vec()));
    connection.send(b"x").await.unwrap();
    assert_eq!(connection.receive().await, Incoming::Closed);
    for _ in 0..2 {
        assert!(matches!(connection.why_closed().await, SshError::Lost { .. }));
    }
    connection.close().await;
}

#[test]
fn an_ipv6_address_is_shown_in_brackets() {
    let to = Connect {
        host: "2001:db8::1".to_owned(),
        port: 22,
        user: String::new(),
        login: Login::Password(Secret::default()),
        legacy_algorithms: false,
        host_key: HostKeyCheck::default(),
        within: Duration::from_secs(1),
    };
    assert_eq!(to.address(), "[2001:db8::1]:22");
}
