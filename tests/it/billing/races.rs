//! Others write to the branch at the same time, and nobody's commit is lost.

use std::os::unix::fs::PermissionsExt as _;

use gamops::domain::BillingKind;

use super::office::Office;
use crate::support::git_server::HttpServer;

/// A hook of the repository that lets somebody else be quicker: whoever pushes finds, so many times, that the branch moved in that moment.
fn somebody_is_quicker(office: &Office, times: u32) {
    let script = format!(
        "#!/bin/sh
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
export GIT_AUTHOR_NAME=Bob GIT_AUTHOR_EMAIL=bob@example.org GIT_COMMITTER_NAME=Bob GIT_COMMITTER_EMAIL=bob@example.org
set -e
number=$(ls races 2>/dev/null | wc -l)
[ \"$number\" -lt {times} ] || exit 0
mkdir -p races
touch races/$number
export GIT_INDEX_FILE=racing
tip=$(git rev-parse refs/heads/main)
git read-tree $tip
text=$(echo $number | git hash-object -w --stdin)
git update-index --add --cacheinfo 100644,$text,notes/$number
git update-ref refs/heads/main $(git commit-tree -p $tip -m \"note $number\" $(git write-tree)) $tip
"
    );
    let hook = office.origin.bare().join("hooks/pre-receive");
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn whoever_is_quicker_keeps_what_was_written_and_it_is_decided_anew_on_that() {
    for kind in BillingKind::ALL {
        let office = Office::new(kind, 3, "");
        let server = office.block_on(HttpServer::start(&office.origin, None));
        office.settings(&server.url("isp.git"));
        let _ = office.sync(&[]).expect(0);
        office.system.suspend(1002);
        somebody_is_quicker(&office, 3);
        let _ = office.sync(&[]).expect(0);
        let log = office.git(&["log", "--format=%s", "main"]);
        let subjects: Vec<&str> = log.lines().collect();
        assert_eq!(subjects.len(), 5, "{log}");
        assert!(subjects[0].starts_with(&format!("{}: h-1002 ", kind.key())), "{log}");
        assert_eq!(&subjects[1..], ["note 2", "note 1", "note 0", "as billing has it"]);
        assert_eq!(office.git(&["ls-tree", "--name-only", "main:notes"]), "0\n1\n2");
        assert_eq!(office.suspended(), [1002]);
    }
}

#[test]
fn whoever_loses_every_race_gives_up_for_this_time() {
    let office = Office::new(BillingKind::Splynx, 3, "");
    let server = office.block_on(HttpServer::start(&office.origin, None));
    office.settings(&server.url("isp.git"));
    let _ = office.sync(&[]).expect(0);
    office.system.suspend(1002);
    somebody_is_quicker(&office, 1000);
    let _ = office.sync(&[]).expect(1).says("the branch moved 10 times");
    let log = office.git(&["log", "--format=%an %s", "main"]);
    assert!(
        !log.contains("gamops") && log.matches("Bob note").count() == 10,
        "{log}"
    );
    somebody_is_quicker(&office, 0);
    let _ = office.changes_only(&[1002], 1, |office| office.sync(&[])).expect(0);
}

#[test]
fn two_who_sync_at_once_make_one_commit() {
    for kind in BillingKind::ALL {
        let office = Office::new(kind, 6, "");
        let _ = office.sync(&[]).expect(0);
        let many = [1001, 1002, 1004];
        many.iter().for_each(|account| office.system.suspend(*account));
        office.changes_only(&many, 3, |office| {
            let children: Vec<_> = (0..3).map(|_| office.begin_sync()).collect();
            for child in children {
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
        });
    }
}

#[test]
fn a_person_who_writes_all_the_time_keeps_every_word() {
    let office = Office::new(BillingKind::Splynx, 6, "");
    let _ = office.sync(&[]).expect(0);
    std::thread::scope(|scope| {
        let person = scope.spawn(|| {
            for number in 0..6 {
                while !office.origin.try_push(&format!("notes/{number}"), "by hand\n") {}
            }
        });
        for account in 1001..=1006 {
            office.system.suspend(account);
            let _ = office.sync(&[]).expect(0);
        }
        person.join().unwrap();
    });
    assert_eq!(
        office.commits(),
        1 + 6 + 6,
        "{}",
        office.git(&["log", "--oneline", "main"])
    );
    assert_eq!(
        office.git(&["ls-tree", "--name-only", "main:notes"]),
        "0\n1\n2\n3\n4\n5"
    );
    assert_eq!(office.suspended(), [1001, 1002, 1003, 1004, 1005, 1006]);
}
