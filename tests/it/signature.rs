//! Who signed a commit: keys and commits made by `ssh-keygen`, `gpg` and `git` themselves.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gamops::repo::remote::{Access, Mirror, Origin as From};
use gamops::repo::signature::{Refusal, Signer, Signers, SignersError, When};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;

use crate::support::git_server::Origin;
use crate::support::program::{find, run};

/// People's keys, in a folder of their own.
pub(crate) struct Keys {
    folder: tempfile::TempDir,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let keys = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        // What git runs to sign with OpenPGP: nobody's own keys are looked at.
        let home = keys.path("gnupg");
        std::fs::create_dir(&home).unwrap();
        run(Command::new("chmod").arg("700").arg(&home));
        let script = format!(
            "#!/bin/sh\nexec {} --homedir {} --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' $FAKED \"$@\"\n",
            find("gpg", "gpg").display(),
            home.display()
        );
        std::fs::write(keys.path("gpg"), script).unwrap();
        run(Command::new("chmod").arg("755").arg(keys.path("gpg")));
        keys
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Makes an SSH key and gives its public half.
    pub(crate) fn ssh(&self, name: &str, kind: &str) -> String {
        let path = self.path(name);
        let mut command = Command::new(find("ssh-keygen", "openssh-client"));
        run(command.args(["-q", "-N", "", "-C", "", "-t", kind, "-f"]).arg(&path));
        std::fs::read_to_string(path.with_extension("pub"))
            .unwrap()
            .trim()
            .to_owned()
    }

    /// Runs gpg, as if at another time where one is given, and gives what it printed.
    pub(crate) fn gpg(&self, at: Option<&str>, arguments: &[&str]) -> String {
        let mut command = Command::new(self.path("gpg"));
        command.args(arguments).stdin(std::process::Stdio::null());
        if let Some(at) = at {
            command.env("FAKED", format!("--faked-system-time {at}"));
        }
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "gpg {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes an OpenPGP key that signs, and gives its public half, armoured.
    pub(crate) fn openpgp(&self, name: &str) -> String {
        self.gpg(
            None,
            &[
                "--quick-gen-key",
                &format!("{name}@example.org"),
                "ed25519",
                "sign",
                "never",
            ],
        );
        self.public(name)
    }

    fn public(&self, name: &str) -> String {
        self.gpg(None, &["--armor", "--export", &format!("{name}@example.org")])
    }

    /// How git is told to sign with a key: one made by [`Self::ssh`], otherwise one of [`Self::openpgp`].
    pub(crate) fn signing(&self, name: &str) -> Vec<String> {
        let (format, key) = match self.path(name).is_file() {
            true => ("ssh", self.path(name).to_string_lossy().into_owned()),
            false => ("openpgp", format!("{name}@example.org")),
        };
        let settings = [
            format!("gpg.format={format}"),
            format!("user.signingkey={key}"),
            format!("gpg.program={}", self.path("gpg").display()),
        ];
        settings
            .into_iter()
            .flat_map(|setting| ["-c".to_owned(), setting])
            .collect()
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // gpg starts an agent for its home folder.
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.path("gnupg"))
            .args(["--kill", "all"])
            .status();
    }
}

/// Commits all of the work tree signed by a key.
pub(crate) fn commit_signed(origin: &Origin, keys: &Keys, name: &str, message: &str) {
    origin.git(&["add", "--all"]);
    let signing = keys.signing(name);
    let mut arguments: Vec<&str> = signing.iter().map(String::as_str).collect();
    arguments.extend(["commit", "--quiet", "--allow-empty", "--gpg-sign", "--message", message]);
    origin.git(&arguments);
}

/// The same, pushed; gives the commit's id.
pub(crate) fn push_signed(origin: &Origin, keys: &Keys, name: &str, message: &str) -> String {
    commit_signed(origin, keys, name, message);
    origin.git(&["push", "--quiet", "--force", &origin.bare().to_string_lossy(), "main"]);
    origin.git(&["rev-parse", "HEAD"])
}

/// Pushes a commit object made by hand.
pub(crate) fn push_raw(origin: &Origin, text: &str) -> String {
    let file = origin.bare().join("raw");
    std::fs::write(&file, text).unwrap();
    let id = origin.git(&["hash-object", "-t", "commit", "-w", &file.to_string_lossy()]);
    origin.git(&["update-ref", "refs/heads/main", &id]);
    origin.git(&["push", "--quiet", "--force", &origin.bare().to_string_lossy(), "main"]);
    id
}

async fn judge(origin: &Origin, signers: &Signers, when: When) -> Result<Signer, Refusal> {
    let folder = tempfile::tempdir().unwrap();
    let mirror = Mirror::open(folder.path()).unwrap();
    let from = From {
        address: origin.bare().to_string_lossy().parse().unwrap(),
        branch: "main".to_owned(),
        access: Access::Open,
        within: Duration::from_secs(60),
        at_most: 64 * 1024 * 1024,
    };
    let runtime = Handle::current();
    let signed = tokio::task::spawn_blocking(move || {
        let tip = mirror.fetch(&from, &runtime).unwrap();
        mirror.signed(&tip.commit).unwrap()
    });
    signers.judge(&signed.await.unwrap(), when).await.unwrap()
}

fn now() -> When {
    When::Now(Timestamp::now())
}

fn read(ssh: Option<&Path>, openpgp: Option<&Path>) -> Result<Signers, SignersError> {
    Signers::read(ssh, openpgp)
}

#[tokio::test]
async fn ssh_keys_of_every_usual_kind_sign() {
    let (origin, keys) = (Origin::new(), Keys::new());
    for kind in ["ed25519", "rsa", "ecdsa"] {
        let public = keys.ssh(kind, kind);
        let list = keys.write("signers", &format!("{kind}@example.org {public}\n"));
        push_signed(&origin, &keys, kind, "one");
        let signer = judge(&origin, &read(Some(&list), None).unwrap(), now()).await.unwrap();
        assert_eq!(signer.name, format!("{kind}@example.org"));
        let printed = Command::new("ssh-keygen")
            .arg("-lf")
            .arg(keys.path(kind))
            .output()
            .unwrap();
        assert!(
            String::from_utf8(printed.stdout).unwrap().contains(&signer.key),
            "{}",
            signer.key
        );
    }
}

#[tokio::test]
async fn an_ssh_signature_counts_only_for_its_commit_its_key_its_time_and_its_use() {
    let (origin, keys) = (Origin::new(), Keys::new());
    let (alice, bob) = (keys.ssh("alice", "ed25519"), keys.ssh("bob", "ed25519"));
    let list = |options: &str, key: &str| {
        let file = keys.write("signers", &format!("alice@example.org {options} {key}\n"));
        read(Some(&file), None).unwrap()
    };
    let listed = list("", &alice);
    origin.push("unsigned");
    assert_eq!(judge(&origin, &listed, now()).await, Err(Refusal::Unsigned));

    push_signed(&origin, &keys, "alice", "pay alice");
    assert!(judge(&origin, &listed, now()).await.is_ok());
    let unlisted = judge(&origin, &list("", &bob), now()).await;
    assert!(
        matches!(&unlisted, Err(Refusal::UnknownKey { key }) if key.starts_with("SHA256:")),
        "{unlisted:?}"
    );
    let other_use = judge(&origin, &list("namespaces=\"file\"", &alice), now()).await;
    assert!(matches!(other_use, Err(Refusal::OtherUse { .. })), "{other_use:?}");
    let early = judge(&origin, &list("valid-after=\"21260101Z\"", &alice), now()).await;
    assert!(matches!(early, Err(Refusal::Early { .. })), "{early:?}");
    // The commit says that it was made before; whoever has the key could write that. One that was judged then stays good.
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let until = (Timestamp::now() + SignedDuration::from_hours(1)).strftime("%Y%m%d%H%M%SZ");
    let expiring = list(&format!("valid-before=\"{until}\""), &alice);
    assert!(judge(&origin, &expiring, now()).await.is_ok());
    let expired = judge(&origin, &expiring, When::Now(tomorrow)).await;
    assert!(matches!(expired, Err(Refusal::Expired { .. })), "{expired:?}");
    assert!(judge(&origin, &expiring, When::Made).await.is_ok());

    let original = origin.git(&["cat-file", "commit", "HEAD"]);
    push_raw(&origin, &format!("{}\n", original.replace("pay alice", "pay bob")));
    assert_eq!(judge(&origin, &listed, now()).await, Err(Refusal::Bad));
    // Another commit's signature, on a commit that is well otherwise.
    push_signed(&origin, &keys, "alice", "another");
    let other = origin.git(&["cat-file", "commit", "HEAD"]);
    let signature = |text: &str| {
        let (_, rest) = text.split_once("gpgsig ").unwrap();
        rest.split_once("-----END SSH SIGNATURE-----").unwrap().0.to_owned()
    };
    push_raw(
        &origin,
        &format!("{}\n", other.replace(&signature(&other), &signature(&original))),
    );
    assert_eq!(judge(&origin, &listed, now()).await, Err(Refusal::Bad));
    push_raw(
        &origin,
        &format!(
            "{}\n",
            other.replace(&signature(&other), "-----BEGIN SSH SIGNATURE-----\n AAAA\n ")
        ),
    );
    let broken = judge(&origin, &listed, now()).await;
    assert!(matches!(broken, Err(Refusal::Unreadable(_))), "{broken:?}");
}

#[tokio::test]
async fn an_openpgp_signature_counts_only_for_its_commit_and_a_key_that_is_listed_and_valid() {
    let (origin, keys) = (Origin::new(), Keys::new());
    for name in ["alice", "bob", "carol"] {
        keys.write(&format!("listed/{name}.asc"), &keys.openpgp(name));
    }
    std::fs::remove_file(keys.path("listed/bob.asc")).unwrap();
    let listed = || read(None, Some(&keys.path("listed"))).unwrap();

    push_signed(&origin, &keys, "alice", "pay alice");
    let signer = judge(&origin, &listed(), now()).await.unwrap();
    assert_eq!(signer.name, "alice@example.org");
    let known = keys.gpg(None, &["--with-colons", "--list-keys", "alice@example.org"]);
    assert!(known.contains(&format!(":{}:", signer.key)), "{known}");
    let original = origin.git(&["cat-file", "commit", "HEAD"]);
    push_raw(&origin, &format!("{}\n", original.replace("pay alice", "pay bob")));
    assert_eq!(judge(&origin, &listed(), now()).await, Err(Refusal::Bad));

    push_signed(&origin, &keys, "bob", "unlisted");
    let unlisted = judge(&origin, &listed(), now()).await;
    assert!(
        matches!(&unlisted, Err(Refusal::UnknownKey { key }) if key.len() == 40),
        "{unlisted:?}"
    );

    push_signed(&origin, &keys, "carol", "revoked later");
    assert!(judge(&origin, &listed(), now()).await.is_ok());
    let home = keys.path("gnupg/openpgp-revocs.d");
    let known = keys.gpg(None, &["--with-colons", "--list-keys", "carol@example.org"]);
    let fingerprint = known
        .lines()
        .find_map(|line| line.strip_prefix("fpr:::::::::"))
        .unwrap();
    let certificate = std::fs::read_to_string(home.join(format!("{}rev", fingerprint.replace(':', ".")))).unwrap();
    let certificate = keys.write("revocation", &certificate.replace("\n:-----", "\n-----"));
    keys.gpg(None, &["--import", &certificate.to_string_lossy()]);
    keys.write("listed/carol.asc", &keys.public("carol"));
    let revoked = judge(&origin, &listed(), now()).await;
    assert!(matches!(revoked, Err(Refusal::Revoked { .. })), "{revoked:?}");

    let past = Some("20260101T000000");
    keys.gpg(
        past,
        &["--quick-gen-key", "dora@example.org", "ed25519", "sign", "2026-02-01"],
    );
    keys.write("listed/dora.asc", &keys.public("dora"));
    let script = std::fs::read_to_string(keys.path("gpg")).unwrap();
    keys.write("gpg", &script.replace("$FAKED", "--faked-system-time 20260115T000000"));
    push_signed(&origin, &keys, "dora", "in time, or so it says");
    keys.write("gpg", &script);
    let expired = judge(&origin, &listed(), now()).await;
    assert!(matches!(expired, Err(Refusal::Expired { .. })), "{expired:?}");
    assert!(judge(&origin, &listed(), When::Made).await.is_ok());

    // Neither kind stands for the other.
    let list = keys.write(
        "signers",
        &format!("alice@example.org {}\n", keys.ssh("ssh", "ed25519")),
    );
    let other = judge(&origin, &read(Some(&list), None).unwrap(), now()).await;
    assert!(matches!(other, Err(Refusal::OtherKind { .. })), "{other:?}");
}

#[test]
fn a_list_that_cannot_be_used_says_where_and_why() {
    let keys = Keys::new();
    let message = |ssh: Option<&Path>, openpgp: Option<&Path>| read(ssh, openpgp).unwrap_err().to_string();
    let list = keys.write("signers", "# nobody yet\n");
    assert!(message(Some(&list), None).ends_with("signers lists no key, so that no commit could ever count"));
    let list = keys.write("signers", "# alice\nalice ssh-ed25519\n");
    assert!(message(Some(&list), None).contains("signers:2: no line of allowed signers"));
    keys.write("listed/readme", "who may\n");
    assert!(message(None, Some(&keys.path("listed"))).contains("listed/readme: this is no OpenPGP public key"));
    assert!(message(None, Some(&keys.path("gone"))).contains("reading the keys"));
}
