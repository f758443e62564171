//! An inventory in a repository somewhere else, over every transport, from real servers of Git.

use std::time::Duration;

use gamops::domain::Secret;
use gamops::repo::remote::{Access, Mirror, Moved, Origin, RemoteError, Tip, Trouble};
use gamops::transport::http::Http;
use gamops::transport::ssh::{HostKeyCheck, HostKeyPolicy, PrivateKey, SshError};
use tokio::runtime::Handle;

use crate::support::git_server::{self, GitDaemon, HttpServer, SshServer};

const ROOT: &str = "format: 1\ninventory: isp\ninclude: [\"*.yaml\"]\n";

/// A mirror in a folder of its own.
struct Given {
    _folder: tempfile::TempDir,
    mirror: Mirror,
}

impl Given {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mirror = Mirror::open(&folder.path().join("mirror.git")).unwrap();
        Self {
            _folder: folder,
            mirror,
        }
    }

    async fn fetch(&self, address: &str, access: Access) -> Result<Tip, RemoteError> {
        self.fetch_from(Origin {
            address: address.parse().unwrap(),
            branch: "main".to_owned(),
            access,
            within: Duration::from_secs(60),
            at_most: 64 * 1024 * 1024,
        })
        .await
    }

    async fn fetch_from(&self, origin: Origin) -> Result<Tip, RemoteError> {
        let (mirror, runtime) = (self.mirror.clone(), Handle::current());
        tokio::task::spawn_blocking(move || mirror.fetch(&origin, &runtime))
            .await
            .unwrap()
    }

    /// The texts of the inventory at a commit.
    fn texts(&self, commit: &str, folder: &str) -> Vec<(String, String)> {
        let revision = self.mirror.inventory(commit, folder).unwrap();
        let prefix = format!("{}:", revision.commit);
        let files = revision.files.into_iter();
        files
            .map(|file| (file.path.strip_prefix(&prefix).unwrap().to_owned(), file.text))
            .collect()
    }
}

fn open() -> Access {
    Access::Http {
        http: Http::new(None).unwrap(),
        basic: None,
    }
}

fn trouble(fetched: Result<Tip, RemoteError>) -> Trouble {
    match fetched {
        Err(RemoteError::Remote { trouble, .. }) => trouble,
        other => panic!("{other:?}"),
    }
}

/// Fetches twice, before and after a push, and reads both commits.
async fn follows(origin: &git_server::Origin, address: &str, access: Access) {
    origin.write("gamops.yaml", ROOT);
    origin.write("isp/gamops.yaml", ROOT);
    origin.write("isp/a.yaml", "plans: {}\n");
    let first = origin.push("one");
    let given = Given::new();
    let tip = given.fetch(address, access.clone()).await.unwrap();
    assert_eq!((tip.commit.as_str(), tip.moved), (first.as_str(), Moved::First));
    assert_eq!(given.fetch(address, access.clone()).await.unwrap().moved, Moved::Not);

    origin.write("isp/a.yaml", "sites: {}\n");
    let second = origin.push("two");
    let tip = given.fetch(address, access).await.unwrap();
    assert_eq!((tip.commit.as_str(), tip.moved), (second.as_str(), Moved::Forward));
    let is = |texts: Vec<(String, String)>, a: &str| {
        let wanted = [("isp/gamops.yaml", ROOT), ("isp/a.yaml", a)];
        assert_eq!(texts, wanted.map(|(path, text)| (path.to_owned(), text.to_owned())));
    };
    is(given.texts(&first, "isp"), "plans: {}\n");
    is(given.texts(&second, "isp/"), "sites: {}\n");
}

#[tokio::test]
async fn a_folder_is_followed() {
    let origin = git_server::Origin::new();
    follows(&origin, &origin.bare().to_string_lossy(), Access::Open).await;
    let origin = git_server::Origin::new();
    follows(&origin, &format!("file://{}", origin.work().display()), Access::Open).await;
}

#[tokio::test]
async fn git_daemon_is_followed() {
    let origin = git_server::Origin::new();
    let server = GitDaemon::start(&origin).await;
    follows(&origin, &server.url(), Access::Open).await;
}

#[tokio::test]
async fn http_is_followed_with_a_token_and_without() {
    let origin = git_server::Origin::new();
    let server = HttpServer::start(&origin, None).await;
    follows(&origin, &server.url("isp.git"), open()).await;

    let origin = git_server::Origin::new();
    // `alice:canary-token` in base64.
    let server = HttpServer::start(&origin, Some("Basic YWxpY2U6Y2FuYXJ5LXRva2Vu")).await;
    let access = Access::Http {
        http: Http::new(None).unwrap(),
        basic: Some(("alice".to_owned(), Secret::new("canary-token"))),
    };
    follows(&origin, &server.url("isp.git"), access).await;
}

#[tokio::test]
async fn ssh_is_followed_with_keys_of_either_kind() {
    for kind in ["ed25519", "rsa"] {
        let origin = git_server::Origin::new();
        let server = SshServer::start(&origin, kind).await;
        follows(&origin, &server.url(), ssh(&server, &server.key(), &server.host_key())).await;
    }
}

fn ssh(_: &SshServer, key: &str, host_key: &str) -> Access {
    Access::Ssh {
        key: PrivateKey::parse(&Secret::new(key), None).unwrap(),
        host_key: HostKeyCheck {
            pinned: host_key.parse().ok(),
            policy: HostKeyPolicy::Strict,
        },
    }
}

#[tokio::test]
async fn a_rewritten_branch_is_told_from_one_that_went_on() {
    let origin = git_server::Origin::new();
    origin.write("gamops.yaml", ROOT);
    origin.push("one");
    let given = Given::new();
    let address = origin.bare().to_string_lossy().into_owned();
    given.fetch(&address, Access::Open).await.unwrap();
    origin.git(&["commit", "--quiet", "--amend", "--allow-empty", "--message", "another"]);
    let rewritten = origin.push("and more");
    let tip = given.fetch(&address, Access::Open).await.unwrap();
    assert_eq!((tip.commit, tip.moved), (rewritten, Moved::Rewritten));
}

#[tokio::test]
async fn a_branch_that_is_not_there_is_named_with_those_that_are() {
    let origin = git_server::Origin::new();
    let given = Given::new();
    let address = origin.bare().to_string_lossy().into_owned();
    let error = given.fetch(&address, Access::Open).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("{address} has no branch `main`; it has no branch at all")
    );

    origin.write("gamops.yaml", ROOT);
    origin.push("one");
    let first = given.fetch(&address, Access::Open).await.unwrap();
    origin.git(&["push", "--quiet", &address, "main:mian", ":main"]);
    let error = given.fetch(&address, Access::Open).await.unwrap_err().to_string();
    assert_eq!(error, format!("{address} has no branch `main`; did you mean `mian`?"));
    // What was fetched stays.
    assert_eq!(given.texts(&first.commit, "").len(), 1);
}

#[tokio::test]
async fn what_a_server_refuses_is_told_in_words_and_without_the_token() {
    let origin = git_server::Origin::new();
    let server = HttpServer::start(&origin, Some("Basic YWxpY2U6Y2FuYXJ5LXRva2Vu")).await;
    let given = Given::new();
    let refused = trouble(given.fetch(&server.url("isp.git"), open()).await);
    assert!(matches!(refused, Trouble::LoginRefused { given: false }), "{refused:?}");
    let wrong = Access::Http {
        http: Http::new(None).unwrap(),
        basic: Some(("alice".to_owned(), Secret::new("canary-wrong"))),
    };
    let error = given.fetch(&server.url("isp.git"), wrong).await.unwrap_err();
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    let refused = trouble(Err(error));
    assert!(matches!(refused, Trouble::LoginRefused { given: true }), "{refused:?}");

    let server = HttpServer::start(&origin, None).await;
    let refused = trouble(given.fetch(&server.url("other.git"), open()).await);
    assert!(matches!(refused, Trouble::NoRepository), "{refused:?}");
    let refused = trouble(given.fetch(&server.url("login/isp.git"), open()).await);
    assert_eq!(
        refused.to_string(),
        "what answers is no Git server: it sent `text/html`"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_no_more_than_that() {
    let given = Given::new();
    let port = crate::support::program::free_tcp_port();
    let refused = trouble(given.fetch(&format!("http://127.0.0.1:{port}/isp.git"), open()).await);
    assert!(matches!(refused, Trouble::Http(_)), "{refused:?}");
}

#[tokio::test]
async fn over_ssh_a_wrong_key_a_changed_host_key_and_a_missing_repository_are_told_apart() {
    let origin = git_server::Origin::new();
    let (server, other) = (
        SshServer::start(&origin, "ed25519").await,
        SshServer::start(&origin, "ed25519").await,
    );
    let given = Given::new();
    let refused = trouble(
        given
            .fetch(&server.url(), ssh(&server, &other.key(), &server.host_key()))
            .await,
    );
    assert!(
        matches!(refused, Trouble::Ssh(SshError::KeyRejected { .. })),
        "{refused:?}"
    );
    let refused = trouble(
        given
            .fetch(&server.url(), ssh(&server, &server.key(), &other.host_key()))
            .await,
    );
    assert!(
        matches!(refused, Trouble::Ssh(SshError::HostKeyChanged { .. })),
        "{refused:?}"
    );
    let missing = format!("{}-gone", server.url());
    let refused = trouble(
        given
            .fetch(&missing, ssh(&server, &server.key(), &server.host_key()))
            .await,
    );
    assert!(
        matches!(&refused, Trouble::Said(said) if said.contains("does not appear to be a git repository")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn more_than_is_good_for_anybody_is_not_taken() {
    let origin = git_server::Origin::new();
    origin.write("gamops.yaml", ROOT);
    // Noise, so that nothing makes it small.
    let mut noise = String::new();
    for number in 0..20_000_u64 {
        noise.push_str(&(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_string());
    }
    origin.write("big.txt", &noise);
    origin.push("one");
    let server = HttpServer::start(&origin, None).await;
    let given = Given::new();
    let fetched = given.fetch_from(Origin {
        address: server.url("isp.git").parse().unwrap(),
        branch: "main".to_owned(),
        access: open(),
        within: Duration::from_secs(60),
        at_most: 10_000,
    });
    let refused = trouble(fetched.await);
    assert!(matches!(refused, Trouble::TooMuch { at_most: 10_000 }), "{refused:?}");
}
