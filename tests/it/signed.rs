//! A daemon that takes only signed commits, and what it says of others.

use crate::daemon::{Service, short};
use crate::fleet::SERVICES;
use crate::signature::{Keys, commit_signed, push_raw, push_signed};

/// The services with another VLAN for the first subscriber, not committed yet.
fn vlan(service: &Service, vlan: u16) {
    let text = SERVICES.replace("vlan: 101", &format!("vlan: {vlan}"));
    service.origin.write("services.yaml", &text);
}

/// Settings of a service that takes only what the keys in `signers` and `keys/` sign.
pub(crate) fn signed_only(service: &Service, keys: &Keys) {
    let text = std::fs::read_to_string(service.path()).unwrap();
    let lists = format!(
        "poll: 1s, signed_by: {{ ssh: \"{}\", openpgp: \"{}\" }}",
        keys.path("signers").display(),
        keys.path("keys").display()
    );
    std::fs::write(service.path(), text.replace("poll: 1s", &lists)).unwrap();
}

#[test]
fn only_what_a_listed_key_signed_reaches_the_devices() {
    let (service, keys) = (Service::new(""), Keys::new());
    let (alice, mallory) = (keys.ssh("alice", "ed25519"), keys.ssh("mallory", "ed25519"));
    keys.write("signers", &format!("alice@example.org namespaces=\"git\" {alice}\n"));
    keys.write("keys/bob.asc", &keys.openpgp("bob"));
    signed_only(&service, &keys);
    let _ = service
        .run(&["settings", "check", &service.path().to_string_lossy()])
        .expect(0);

    let first = short(&push_signed(&service.origin, &keys, "alice", "one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    assert!(service.holds(101));
    let rejected = |commit: &str, why: &str| {
        let status = daemon.until(why, |status| status["rejected"]["commit"] == *short(commit));
        let reason = status["rejected"]["reason"].as_str().unwrap();
        assert!(reason.contains(why), "{reason}");
        assert_eq!(status["in_force"]["commit"], *first);
        assert!(
            status["in_force"]["signed_by"]
                .as_str()
                .unwrap()
                .starts_with("alice@example.org (SHA256:")
        );
    };
    vlan(&service, 131);
    rejected(
        &service.origin.push("unsigned"),
        "it is not signed; only commits signed by",
    );
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("NOT VALID")
        .says("it is not signed");
    let by_mallory = push_signed(&service.origin, &keys, "mallory", "hello");
    rejected(&by_mallory, "which is not listed");
    // Kept from the daemon, which would be right to take it.
    commit_signed(&service.origin, &keys, "alice", "as alice wrote it");
    let genuine = service.origin.git(&["cat-file", "commit", "HEAD"]);
    let forged = genuine.replace("as alice wrote it", "Gamops-Allow: destroy=9");
    rejected(&push_raw(&service.origin, &format!("{forged}\n")), "it was forged");
    assert!(service.holds(101));

    // The list is read anew: the same commit counts once its key is on it.
    service.origin.git(&["update-ref", "refs/heads/main", &by_mallory]);
    service.origin.git(&["reset", "--quiet", "--hard"]);
    service.origin.git(&[
        "push",
        "--quiet",
        "--force",
        &service.origin.bare().to_string_lossy(),
        "main",
    ]);
    rejected(&by_mallory, "which is not listed");
    keys.write(
        "signers",
        &format!("alice@example.org {alice}\nmallory@example.org {mallory}\n"),
    );
    daemon.until_applied(&short(&by_mallory));
    assert!(service.holds(131));

    vlan(&service, 132);
    let by_bob = short(&push_signed(&service.origin, &keys, "bob", "with OpenPGP"));
    daemon.until_applied(&by_bob);
    let status = daemon.until("well", |status| status["rejected"].is_null());
    assert!(
        status["in_force"]["signed_by"]
            .as_str()
            .unwrap()
            .starts_with("bob@example.org (")
    );
    assert_eq!(daemon.signal("TERM"), Some(0), "{}", service.log());

    // A new process puts it in force again, by its signature.
    service.origin.push("unsigned");
    let daemon = service.start();
    daemon.until("still in force", |status| {
        status["in_force"]["commit"] == *by_bob && !status["rejected"].is_null()
    });
    assert_eq!(daemon.signal("TERM"), Some(0));
    // Where nobody can check it, nothing is believed.
    std::fs::remove_file(keys.path("keys/bob.asc")).unwrap();
    let path = service.path();
    let _ = service
        .run(&["settings", "check", &path.to_string_lossy()])
        .expect(3)
        .says("lists no key");
    let daemon = service.start();
    daemon.until("no list", |status| {
        status["in_force"].is_null()
            && status["unreachable"]["reason"]
                .as_str()
                .is_some_and(|why| why.contains("lists no key"))
    });
}

#[test]
fn without_gpgv_an_openpgp_signature_is_not_believed_and_that_is_said() {
    let (service, keys) = (Service::new(""), Keys::new());
    keys.write(
        "signers",
        &format!("alice@example.org {}\n", keys.ssh("alice", "ed25519")),
    );
    keys.write("keys/bob.asc", &keys.openpgp("bob"));
    signed_only(&service, &keys);
    push_signed(&service.origin, &keys, "bob", "one");
    let nowhere = tempfile::tempdir().unwrap();
    let daemon = service.start_with(&[("PATH", &nowhere.path().to_string_lossy())]);
    let status = daemon.until("without gpgv", |status| !status["unreachable"].is_null());
    let reason = status["unreachable"]["reason"].as_str().unwrap();
    assert!(reason.contains("`gpgv` is not installed"), "{reason}");
    assert!(status["in_force"].is_null());
}

#[test]
fn a_folder_without_commits_is_not_followed_where_signatures_are_asked_for() {
    let (service, keys) = (Service::new(""), Keys::new());
    keys.write(
        "signers",
        &format!("alice@example.org {}\n", keys.ssh("alice", "ed25519")),
    );
    keys.write("keys/bob.asc", &keys.openpgp("bob"));
    signed_only(&service, &keys);
    let text = std::fs::read_to_string(service.path()).unwrap();
    let bare = service.origin.bare().to_string_lossy().into_owned();
    let folder = service.fleet.inventory().to_string_lossy().into_owned();
    std::fs::write(service.path(), text.replace(&bare, &folder)).unwrap();
    let path = service.path();
    let ran = service.run(&["daemon", "--settings", &path.to_string_lossy()]);
    assert_ne!(ran.code, 0);
    let _ = ran.says("is no Git repository");
}
