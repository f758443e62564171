//! Nothing bigger is applied than what was reviewed: a forge, a CI job, a daemon and devices, from the change request to what is held
//! back and let go again.

use crate::daemon::{Daemon, Service, short};
use crate::fleet::SERVICES;
use crate::review::{Job, push_change};
use crate::support::forge_server::{ForgeServer, Kind, TOKEN};

const KEY: &str = "canary-review";
const HELD: &str = "<!-- gamops:held:v1:test -->";

/// How a forge brings a change request into its branch.
#[derive(Clone, Copy)]
enum Way {
    Merge,
    Squash,
}

fn service(server: &ForgeServer, kind: &str, more: &str) -> Service {
    Service::new(&format!(
        "observed: {{ publish: true }}\ndevices: {{ retry: 1s, retry_at_most: 1s }}\n\
         forge: {{ kind: {kind}, base: \"{}\", repository: isp/network, credentials: forge }}\n\
         reviewed: {{ credentials: review{more} }}\n",
        server.base()
    ))
}

fn start(service: &Service) -> Daemon<'_> {
    service.start_with(&[
        ("GAMOPS_CRED_FORGE_PASSWORD", TOKEN),
        ("GAMOPS_CRED_REVIEW_PASSWORD", KEY),
    ])
}

/// Starts a daemon and waits until the first commit is applied and published.
fn applied(service: &Service) -> Daemon<'_> {
    let first = short(&service.origin.push("one"));
    let daemon = start(service);
    daemon.until_applied(&first);
    daemon.until("published", |status| {
        status["publishing"]["failing"].is_null() && !status["publishing"]["published"].is_null()
    });
    daemon
}

fn without(subscribers: &[&str]) -> String {
    let is_kept = |line: &&str| !subscribers.iter().any(|key| line.contains(&format!("  {key}:")));
    SERVICES
        .lines()
        .filter(is_kept)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// What the CI job does about a change request.
fn preview(job: &Job) {
    let lines = [
        "git fetch --quiet origin '+refs/gamops/*:refs/gamops/*'".to_owned(),
        "gamops preview".to_owned(),
    ];
    let secrets = [("GAMOPS_FORGE_TOKEN", TOKEN), ("GAMOPS_REVIEW_KEY", KEY)];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let ran = job.run(&lines, &secrets).expect(0);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"));
}

/// Brings the change into `main`, which is not pushed yet.
fn merge(service: &Service, server: &ForgeServer, head: &str, way: Way) {
    match way {
        Way::Merge => drop(
            service
                .origin
                .git(&["merge", "--quiet", "--no-ff", "--message", "merged", "change"]),
        ),
        Way::Squash => {
            service.origin.git(&["merge", "--quiet", "--squash", "change"]);
            service.origin.git(&["commit", "--quiet", "--message", "squashed (#7)"]);
        }
    }
    server.merge(&service.origin.git(&["rev-parse", "HEAD"]), head);
}

fn held(server: &ForgeServer) -> Vec<String> {
    let all = server.comments().into_iter().map(|(_, body)| body);
    all.filter(|body| body.starts_with(HELD)).collect()
}

/// What was sent to a device to change it.
fn sent(service: &Service, device: &str) -> usize {
    let commands = service.fleet.device(device).counters().commands;
    commands.iter().filter(|line| line.contains("ghn ")).count()
}

fn a_race_is_held_back_said_once_and_let_go(kind: Kind, name: &str, way: Way) {
    let server = ForgeServer::start(kind);
    let service = service(&server, name, "");
    let daemon = applied(&service);
    let head = push_change(&service, &without(&["s-1"]), "one less");
    preview(&Job::new(&service, &server, kind));
    assert!(
        server.comments()[0].1.contains("<!-- gamops:sealed:v1 "),
        "{:?}",
        server.comments()
    );

    // Somebody removes another one on the branch that it goes into; nobody has seen both together.
    service.origin.write("services.yaml", &without(&["s-3"]));
    service
        .origin
        .git(&["commit", "--quiet", "--all", "--message", "another one less"]);
    merge(&service, &server, &head, way);
    let before = sent(&service, "maple");
    service.origin.push("nothing more");
    let is_held = |status: &serde_json::Value| status["devices"]["maple"]["state"] == "refused";
    let status = daemon.until("held back", is_held);
    assert_eq!(
        status["devices"]["maple"]["reason"],
        "its plan is bigger than the one that was reviewed: 5 objects, destroyed; shown were 3 objects, destroyed"
    );
    assert_eq!(status["devices"]["harbour"]["state"], "in-sync");
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("bigger than the one that was reviewed");
    daemon.until("said", |_| !held(&server).is_empty());
    let said = held(&server);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("| `maple` | 3 objects, destroyed | 5 objects, destroyed | `Gamops-Allow: unreviewed=5` |"),
        "{}",
        said[0]
    );

    // It stays so and is not said again: not by another round, not over a restart.
    let _ = service.run(&["reconcile", "maple"]).expect(0);
    assert_eq!(daemon.signal("TERM"), Some(0));
    let daemon = start(&service);
    daemon.until("held back again", |status| {
        is_held(status) && !status["devices"]["maple"]["read"].is_null()
    });
    assert_eq!((held(&server), sent(&service, "maple")), (said, before));

    let meant = short(&service.origin.push("meant\n\nGamops-Allow: unreviewed=5"));
    daemon.until_applied(&meant);
    assert!(sent(&service, "maple") > before);
    let left = service.fleet.ghn_lines("maple").join("\n");
    assert!(
        !left.contains("s-1") && !left.contains("s-3") && left.contains("s-2"),
        "{left}"
    );
    daemon.until("said", |_| held(&server)[0].contains("No longer held back"));
    assert_eq!(held(&server).len(), 1);
    assert!(!service.log().contains("canary"), "{}", service.log());
}

#[test]
fn on_github_squashed() {
    a_race_is_held_back_said_once_and_let_go(Kind::GitHub, "github", Way::Squash);
}

#[test]
fn on_gitlab_merged() {
    a_race_is_held_back_said_once_and_let_go(Kind::GitLab, "gitlab", Way::Merge);
}

#[test]
fn on_forgejo_merged() {
    a_race_is_held_back_said_once_and_let_go(Kind::Gitea, "gitea", Way::Merge);
}

#[test]
fn what_was_reviewed_is_applied_though_devices_were_changed_by_hand_meanwhile() {
    let server = ForgeServer::start(Kind::GitHub);
    let service = service(&server, "github", "");
    let daemon = applied(&service);
    let head = push_change(&service, &without(&["s-1"]), "one less");
    preview(&Job::new(&service, &server, Kind::GitHub));
    service.fleet.device("maple").execute("ghn subscriber 2 vid 998");
    service.fleet.device("maple").execute("ghn subscriber 3 vid 999");
    merge(&service, &server, &head, Way::Merge);
    let merged = short(&service.origin.push("nothing more"));
    daemon.until("applied", |status| {
        let maple = &status["devices"]["maple"];
        maple["commit"] == *merged && maple["state"] == "drifted"
    });
    let left = service.fleet.ghn_lines("maple").join("\n");
    assert!(!left.contains("s-1") && left.contains("vid 998"), "{left}");
    assert_eq!(held(&server), Vec::<String>::new());
}

#[test]
fn a_forged_plan_is_not_believed_and_a_late_one_is_found() {
    let server = ForgeServer::start(Kind::GitHub);
    let service = service(&server, "github", "");
    let daemon = applied(&service);
    let head = push_change(&service, &SERVICES.replace("vlan: 101", "vlan: 111"), "another VLAN");
    let job = Job::new(&service, &server, Kind::GitHub);
    let document = format!(
        "{{\"inventory\":\"test\",\"request\":7,\"head\":\"{head}\",\"shown\":[[{{\"change\":{{\"objects\":9,\"destroyed\":9}},\
         \"all\":{{\"objects\":9,\"destroyed\":9}}}},[\"maple\"]]]}}"
    );
    let forged = gamops::forge::seal::seal(&gamops::domain::Secret::new("a guess"), &document);
    server.write_comment(&format!("hello\n<!-- gamops:plan:v1:test -->\n{forged}"));
    merge(&service, &server, &head, Way::Merge);
    let merged = short(&service.origin.push("nothing more"));
    let status = daemon.until("held back", |status| status["devices"]["maple"]["state"] == "refused");
    assert_eq!(
        status["devices"]["maple"]["reason"],
        "its plan was not reviewed: 1 object, none destroyed; change request 7 has no comment with a plan of its last commit that this \
         daemon can believe"
    );
    assert!(service.holds(101));
    // The job was slow. Nobody has to do anything.
    preview(&job);
    daemon.until_applied(&merged);
    assert!(service.holds(111));
}

#[test]
fn a_commit_without_a_review_is_applied_where_the_settings_say_so_and_by_order() {
    let server = ForgeServer::start(Kind::GitHub);
    let service_that_refuses = service(&server, "github", "");
    let daemon = applied(&service_that_refuses);
    let pushed = service_that_refuses.push_vlan(111);
    daemon.until("held back", |status| status["devices"]["maple"]["state"] == "refused");
    assert_eq!(server.comments(), [], "there is no change request to say it on");
    // Whoever orders it has seen the plan.
    let work = service_that_refuses.origin.work().to_string_lossy().into_owned();
    let _ = service_that_refuses
        .run(&["apply", "--inventory", &work, "--target", "maple", "--auto-approve"])
        .expect(0);
    daemon.until_applied(&pushed);
    drop(daemon);

    let service_that_applies = service(&server, "github", ", without: apply");
    let daemon = applied(&service_that_applies);
    let pushed = service_that_applies.push_vlan(112);
    daemon.until_applied(&pushed);
}
