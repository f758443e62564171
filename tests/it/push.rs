//! Files put under a reference of a repository, by real servers of Git.

use std::collections::BTreeMap;
use std::time::Duration;

use gamops::domain::Secret;
use gamops::repo::remote::{
    self, Access, Addition, Advanced, Destination, Edit, Mirror, Publication, PushError, Tip, Trouble, push,
};
use gamops::repo::signature::{Signers, When};
use gamops::transport::http::Http;
use gamops::transport::ssh::{HostKeyCheck, HostKeyPolicy, PrivateKey};
use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::signature::Keys;
use crate::support::git_server::{HttpServer, Origin, SshServer};

fn http(basic: Option<(String, Secret)>) -> Access {
    Access::Http {
        http: Http::new(None).unwrap(),
        basic,
    }
}

fn ssh(server: &SshServer) -> Access {
    Access::Ssh {
        key: PrivateKey::parse(&Secret::new(server.key()), None).unwrap(),
        host_key: HostKeyCheck {
            pinned: Some(server.host_key().parse().unwrap()),
            policy: HostKeyPolicy::Strict,
        },
    }
}

async fn put(address: &str, access: Access, files: &[(&str, &str)]) -> Result<(), PushError> {
    let publication = Publication {
        reference: "refs/gamops/observed",
        files: files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        message: "What was observed\n".to_owned(),
        at: Timestamp::from_second(1_795_849_107).unwrap(),
    };
    let to = Destination {
        address: address.parse().unwrap(),
        access,
        within: Duration::from_secs(60),
        signed_with: None,
    };
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || push(&publication, &to, &runtime))
        .await
        .unwrap()
}

/// Puts files twice: each time they take the place of all that was there, and nothing leads back to it.
async fn replaces(origin: &Origin, address: &str, access: Access) {
    let git = |arguments: &[&str]| {
        let bare = origin.bare();
        let bare = bare.to_string_lossy();
        origin.git(&[&["--git-dir", &bare], arguments].concat())
    };
    put(
        address,
        access.clone(),
        &[("devices/a.json", "1\n"), ("devices/b.json", "2\n"), ("top", "3\n")],
    )
    .await
    .unwrap();
    assert_eq!(
        git(&["ls-tree", "-r", "--name-only", "refs/gamops/observed"]),
        "devices/a.json\ndevices/b.json\ntop"
    );
    put(address, access, &[("devices/a.json", "4\n")]).await.unwrap();
    assert_eq!(
        git(&["ls-tree", "-r", "--name-only", "refs/gamops/observed"]),
        "devices/a.json"
    );
    assert_eq!(git(&["show", "refs/gamops/observed:devices/a.json"]), "4");
    assert_eq!(git(&["rev-list", "--count", "refs/gamops/observed"]), "1");
}

#[tokio::test]
async fn a_folder_takes_it_bare_and_with_a_work_tree() {
    let origin = Origin::new();
    origin.push("one");
    replaces(&origin, &origin.bare().to_string_lossy(), Access::Open).await;
    let work = origin.work().to_string_lossy().into_owned();
    put(&work, Access::Open, &[("a", "1\n")]).await.unwrap();
    assert_eq!(origin.git(&["show", "refs/gamops/observed:a"]), "1");
}

#[tokio::test]
async fn http_takes_it_with_a_token() {
    let origin = Origin::new();
    origin.push("one");
    // `alice:canary-token` in base64.
    let server = HttpServer::start(&origin, Some("Basic YWxpY2U6Y2FuYXJ5LXRva2Vu")).await;
    let basic = Some(("alice".to_owned(), Secret::new("canary-token")));
    replaces(&origin, &server.url("isp.git"), http(basic)).await;
    let refused = put(&server.url("isp.git"), http(None), &[("a", "1\n")])
        .await
        .unwrap_err();
    assert!(
        matches!(
            &refused,
            PushError::Remote {
                trouble: Trouble::LoginRefused { given: false },
                ..
            }
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn ssh_takes_it() {
    let origin = Origin::new();
    origin.push("one");
    let server = SshServer::start(&origin, "ed25519").await;
    replaces(&origin, &server.url(), ssh(&server)).await;
}

#[tokio::test]
async fn a_server_with_rules_is_quoted() {
    let origin = Origin::new();
    origin.push("one");
    let hook = origin.bare().join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\n[ \"$1\" != refs/gamops/observed ]\n").unwrap();
    std::process::Command::new("chmod")
        .arg("755")
        .arg(&hook)
        .status()
        .unwrap();
    let server = SshServer::start(&origin, "ed25519").await;
    let refused = put(&server.url(), ssh(&server), &[("a", "1\n")]).await.unwrap_err();
    assert!(
        matches!(&refused, PushError::Refused { reason, .. } if reason == "hook declined"),
        "{refused:?}"
    );
}

/// Does the same with a repository of this machine, and over HTTP and SSH.
async fn through_each(work: impl AsyncFn(&Origin, &str, Access)) {
    let origin = || {
        let origin = Origin::new();
        origin.write("top", "as it was\n");
        origin.push("one");
        origin
    };
    let here = origin();
    work(&here, &here.bare().to_string_lossy(), Access::Open).await;
    let there = origin();
    let server = HttpServer::start(&there, Some("Basic YWxpY2U6Y2FuYXJ5LXRva2Vu")).await;
    let basic = Some(("alice".to_owned(), Secret::new("canary-token")));
    work(&there, &server.url("isp.git"), http(basic)).await;
    let there = origin();
    let server = SshServer::start(&there, "ed25519").await;
    work(&there, &server.url(), ssh(&server)).await;
}

/// Proposes an edit, then another one, and one after somebody else has written to the branch.
async fn proposes(origin: &Origin, address: &str, access: Access) {
    const BRANCH: &str = "gamops/adopt/a";
    const MARK: &str = "Gamops-Drift";
    let git = |arguments: &[&str]| {
        let bare = origin.bare();
        let bare = bare.to_string_lossy();
        origin.git(&[&["--git-dir", &bare], arguments].concat())
    };
    let followed = Branch::of(address, access.clone());
    let (tip, mirror) = (followed.fetch().await, &followed.mirror);
    let propose = async |text: &str| {
        let edit = Edit {
            onto: tip.commit.clone(),
            branch: BRANCH.to_owned(),
            files: [("sites/a.yaml".to_owned(), format!("{text}\n"))].into(),
            message: "a: adopted\n\nWhy: drift\n".to_owned(),
            marked_by: MARK,
            mark: text.to_owned(),
            at: Timestamp::from_second(1_795_849_107).unwrap(),
        };
        let to = Destination {
            address: address.parse().unwrap(),
            access: access.clone(),
            within: Duration::from_secs(60),
            signed_with: None,
        };
        let (mirror, runtime) = (mirror.clone(), Handle::current());
        tokio::task::spawn_blocking(move || mirror.propose(&edit, &to, &runtime))
            .await
            .unwrap()
    };
    for text in ["one", "two"] {
        let commit = propose(text).await.unwrap();
        assert_eq!(git(&["rev-parse", BRANCH]), commit);
        assert_eq!(git(&["show", &format!("{BRANCH}:sites/a.yaml")]), text);
        assert_eq!(git(&["show", &format!("{BRANCH}:top")]), "as it was");
        assert_eq!(git(&["rev-list", "--count", &format!("main..{BRANCH}")]), "1");
        assert_eq!(mirror.proposed(BRANCH, MARK), Some((commit, text.to_owned())));
        assert_eq!(mirror.proposed(BRANCH, "Other-Mark"), None);
        let trailers = git(&["log", "-1", "--format=%(trailers:unfold)", BRANCH]);
        assert_eq!(trailers.trim(), format!("Why: drift\n{MARK}: {text}"), "one paragraph");
    }
    git(&["branch", "--force", BRANCH, "main"]);
    let taken = propose("three").await.unwrap_err();
    assert!(matches!(&taken, PushError::Taken { .. }), "{taken:?}");
    assert_eq!(git(&["rev-parse", BRANCH]), tip.commit);
}

#[tokio::test]
async fn an_edit_goes_to_a_branch_of_its_own_and_what_others_put_there_stays() {
    through_each(proposes).await;
}

/// A mirror of a repository, and what it takes to write to its branch.
struct Branch {
    mirror: Mirror,
    address: String,
    access: Access,
    signed_with: Option<PrivateKey>,
    _folder: tempfile::TempDir,
}

impl Branch {
    fn of(address: &str, access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            mirror: Mirror::open(&folder.path().join("mirror.git")).unwrap(),
            address: address.to_owned(),
            access,
            signed_with: None,
            _folder: folder,
        }
    }

    async fn fetch(&self) -> Tip {
        let followed = remote::Origin {
            address: self.address.parse().unwrap(),
            branch: "main".to_owned(),
            access: self.access.clone(),
            within: Duration::from_secs(60),
            at_most: 64 * 1024 * 1024,
        };
        let (mirror, runtime) = (self.mirror.clone(), Handle::current());
        let fetched = tokio::task::spawn_blocking(move || mirror.fetch(&followed, &runtime));
        fetched.await.unwrap().unwrap()
    }

    /// Puts a commit for each text on top of a commit.
    async fn advance(&self, onto: &str, texts: &[&str]) -> Result<Advanced, PushError> {
        let addition = |text: &&str| Addition {
            files: [("sites/a.yaml".to_owned(), format!("{text}\n"))].into(),
            message: format!("a: {text}\n\nBilling-System: splynx\n"),
            at: Timestamp::from_second(1_795_849_107).unwrap(),
        };
        let additions: Vec<Addition> = texts.iter().map(addition).collect();
        let to = Destination {
            address: self.address.parse().unwrap(),
            access: self.access.clone(),
            within: Duration::from_secs(60),
            signed_with: self.signed_with.clone(),
        };
        let (mirror, runtime, onto) = (self.mirror.clone(), Handle::current(), onto.to_owned());
        tokio::task::spawn_blocking(move || mirror.advance("main", &onto, &additions, &to, &runtime))
            .await
            .unwrap()
    }
}

/// Commits on top of a branch; then somebody else is quicker.
async fn advances(origin: &Origin, address: &str, access: Access) {
    let git = |arguments: &[&str]| {
        let bare = origin.bare();
        let bare = bare.to_string_lossy();
        origin.git(&[&["--git-dir", &bare], arguments].concat())
    };
    let branch = Branch::of(address, access);
    let first = branch.fetch().await.commit;
    let Advanced::By(commits) = branch.advance(&first, &["one", "two"]).await.unwrap() else {
        panic!("nobody else writes");
    };
    assert_eq!(
        git(&["rev-list", "--reverse", &format!("{first}..main")]),
        commits.join("\n")
    );
    assert_eq!(git(&["show", "main:sites/a.yaml"]), "two");
    assert_eq!(git(&["show", &format!("{}:sites/a.yaml", commits[0])]), "one");
    assert_eq!(git(&["show", "main:top"]), "as it was");

    // What was made for a tip that is no more is put nowhere.
    assert_eq!(branch.advance(&first, &["late"]).await.unwrap(), Advanced::Moved);
    assert_eq!(git(&["rev-parse", "main"]), commits[1]);
    let tip = branch.fetch().await.commit;
    assert_eq!(tip, commits[1]);
    let messages = branch.mirror.messages(&tip, Some(&first)).unwrap().unwrap();
    let texts: Vec<&str> = messages
        .iter()
        .filter_map(|message| message.text.lines().next())
        .collect();
    assert_eq!(texts, ["a: two", "a: one"], "the newest first");
    assert_eq!(branch.mirror.messages(&tip, Some(&tip)).unwrap(), Some(Vec::new()));
    assert_eq!(
        branch.mirror.messages(&first, Some(&tip)).unwrap(),
        None,
        "it was rewritten"
    );
}

#[tokio::test]
async fn commits_go_on_top_of_a_branch_and_never_in_the_place_of_what_is_there() {
    through_each(advances).await;
}

#[tokio::test]
async fn commits_are_signed_so_that_git_itself_takes_them() {
    let (origin, keys) = (Origin::new(), Keys::new());
    origin.push("one");
    let mut branch = Branch::of(&origin.bare().to_string_lossy(), Access::Open);
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let public = keys.ssh(kind, kind);
        let signers = keys.write("signers", &format!("gamops@localhost namespaces=\"git\" {public}\n"));
        let private = Secret::new(std::fs::read_to_string(keys.path(kind)).unwrap());
        branch.signed_with = Some(PrivateKey::parse(&private, None).unwrap());
        let tip = branch.fetch().await.commit;
        let Advanced::By(commits) = branch.advance(&tip, &[kind, "more"]).await.unwrap() else {
            panic!("nobody else writes");
        };
        let bare = origin.bare();
        for commit in &commits {
            let list = format!("gpg.ssh.allowedSignersFile={}", signers.display());
            origin.git(&[
                "-c",
                &list,
                "--git-dir",
                &bare.to_string_lossy(),
                "verify-commit",
                commit,
            ]);
        }
        let signers = Signers::read(Some(&signers), None).unwrap();
        branch.fetch().await;
        let signed = branch.mirror.signed(&commits[1]).unwrap();
        let judged = signers.judge(&signed, When::Now(Timestamp::now())).await.unwrap();
        assert_eq!(judged.unwrap().name, "gamops@localhost");
    }
}

#[tokio::test]
async fn a_server_with_rules_for_the_branch_is_quoted() {
    let origin = Origin::new();
    origin.push("one");
    let hook = origin.bare().join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\n[ \"$1\" != refs/heads/main ]\n").unwrap();
    std::process::Command::new("chmod")
        .arg("755")
        .arg(&hook)
        .status()
        .unwrap();
    let server = SshServer::start(&origin, "ed25519").await;
    let branch = Branch::of(&server.url(), ssh(&server));
    let tip = branch.fetch().await.commit;
    let refused = branch.advance(&tip, &["one"]).await.unwrap_err();
    assert!(
        matches!(&refused, PushError::NotTaken { branch, reason, .. } if branch == "main" && reason == "hook declined"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_files_of_a_branch_that_is_checked_out_follow_and_nobodys_work_is_lost() {
    let origin = Origin::new();
    origin.write("top", "as it was\n");
    origin.push("one");
    let branch = Branch::of(&origin.work().to_string_lossy(), Access::Open);
    let first = branch.fetch().await.commit;
    std::fs::write(origin.work().join("notes"), "not in Git\n").unwrap();
    assert!(matches!(
        branch.advance(&first, &["one"]).await.unwrap(),
        Advanced::By(_)
    ));
    assert_eq!(origin.git(&["show", "HEAD:sites/a.yaml"]), "one");
    assert_eq!(
        std::fs::read_to_string(origin.work().join("sites/a.yaml")).unwrap(),
        "one\n"
    );
    assert_eq!(origin.git(&["status", "--porcelain"]), "?? notes");

    std::fs::write(origin.work().join("top"), "being written\n").unwrap();
    let tip = branch.fetch().await.commit;
    let refused = branch.advance(&tip, &["two"]).await.unwrap_err();
    assert!(
        matches!(&refused, PushError::CheckedOut { file, .. } if file == "top"),
        "{refused:?}"
    );
    assert_eq!(origin.git(&["rev-parse", "HEAD"]), tip);
    assert_eq!(
        std::fs::read_to_string(origin.work().join("top")).unwrap(),
        "being written\n"
    );
}
