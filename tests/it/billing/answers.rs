//! What the clerk's commits and notes say to those who look at them: a signature to the daemon, what became of a change to billing.

use gamops::domain::BillingKind;
use gamops::sim::splynx::Table;

use super::Isp;
use super::system::System;
use crate::signature::{Keys, push_signed};

impl Isp {
    /// Has the settings say something else.
    fn resettle(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.service.path()).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(self.service.path(), text.replace(from, to)).unwrap();
    }

    /// The notes on account 1001.
    fn notes(&self) -> Vec<String> {
        match &self.system {
            System::Splynx(splynx) => {
                let rows = splynx.rows(Table::Notes).into_iter();
                rows.filter(|row| row["customer_id"] == 1001)
                    .map(|row| row["comment"].as_str().unwrap_or_default().to_owned())
                    .collect()
            }
            System::Sonar(sonar) => sonar.notes(1001),
        }
    }
}

/// An account hears once what became of each of its changes, and nothing of what was before it was to.
fn is_answered(kind: BillingKind) {
    let isp = Isp::new(kind, "");
    isp.resettle("poll: 1h", "poll: 1h, notes: true");
    let daemon = isp.start();
    isp.until_in_force(&daemon, 1);
    let expected = |state: &str| {
        let commit = &isp.git(&["rev-parse", "main"])[..12];
        let begins = format!("gamops: s-1 {state}: on device maple since 20");
        let ends = format!("read back and verified. [{commit} s-1 done]");
        move |note: &String| note.starts_with(&begins) && note.ends_with(&ends)
    };

    isp.does(|splynx| splynx.customer(1001).block(), |sonar| sonar.suspend(1001));
    isp.until_in_force(&daemon, 2);
    let is_suspended = expected("suspended");
    daemon.until("a note", |_| !isp.notes().is_empty());
    assert!(isp.notes().iter().all(&is_suspended), "{:?}", isp.notes());
    assert!(isp.saved("maple", "s-1").contains("vid 998 "));

    // A process that knows of it only what was kept says nothing again, and goes on where the last one was.
    assert_eq!(daemon.signal("TERM"), Some(0));
    let daemon = isp.start();
    isp.does(|splynx| splynx.customer(1001).pay(), |sonar| sonar.activate(1001));
    isp.until_in_force(&daemon, 3);
    let is_restored = expected("restored");
    daemon.until("another note", |_| isp.notes().len() > 1);
    let notes = isp.notes();
    assert!(
        notes.len() == 2 && notes.iter().any(&is_suspended) && notes.iter().any(is_restored),
        "{notes:?}"
    );
}

#[test]
fn an_account_of_splynx_is_told_what_became_of_its_changes() {
    is_answered(BillingKind::Splynx);
}

#[test]
fn an_account_of_sonar_is_told_what_became_of_its_changes() {
    is_answered(BillingKind::Sonar);
}

#[test]
fn where_only_signed_commits_count_those_for_billing_are_signed() {
    let (isp, keys) = (Isp::new(BillingKind::Splynx, ""), Keys::new());
    let (alice, gamops) = (keys.ssh("alice", "ed25519"), keys.ssh("gamops", "ed25519"));
    let list = format!("alice@example.org {alice}\ngamops@example.org namespaces=\"git\" {gamops}\n");
    let signers = keys.write("signers", &list);
    let lists = format!(
        "poll: 1s, sign_with: signer, signed_by: {{ ssh: \"{}\" }}",
        signers.display()
    );
    isp.resettle("poll: 1s", &lists);
    push_signed(&isp.service.origin, &keys, "alice", "five customers, signed");
    let path = keys.path("gamops");
    let daemon = isp.start_with(&[("GAMOPS_CRED_SIGNER_KEY_FILE", path.to_str().unwrap())]);
    let before: usize = isp.git(&["rev-list", "--count", "main"]).trim().parse().unwrap();

    isp.does(|splynx| splynx.customer(1001).block(), |sonar| sonar.suspend(1001));
    isp.until_in_force(&daemon, before + 1);
    let status = daemon.until("who signed it", |status| !status["in_force"]["signed_by"].is_null());
    let signed_by = status["in_force"]["signed_by"].as_str().unwrap();
    assert!(signed_by.starts_with("gamops@example.org (SHA256:"), "{signed_by}");
}
