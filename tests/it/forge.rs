//! Forges, over real HTTP to fakes that were written from their documentation.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gamops::domain::Secret;
use gamops::forge::{Commented, Forge, ForgeKind, Proposal, State, Status};
use gamops::transport::Retry;
use tokio::runtime::Runtime;

use crate::daemon::Service;
use crate::fleet::SERVICES;
use crate::signature::{Keys, push_signed};
use crate::signed::signed_only;
use crate::support::forge_server::{ForgeServer, Kind, TOKEN};

const KINDS: [(Kind, ForgeKind); 3] = [
    (Kind::GitHub, ForgeKind::GitHub),
    (Kind::GitLab, ForgeKind::GitLab),
    (Kind::Gitea, ForgeKind::Gitea),
];

fn forge(server: &ForgeServer, kind: ForgeKind, token: &str) -> Forge {
    Forge::new(kind, Some(&server.base()), "isp/network", Secret::new(token), None).unwrap()
}

/// Waits for what a forge says.
fn on<T>(asked: impl Future<Output = T>) -> T {
    // One for all: a client's connections belong to the runtime that it was first used in.
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap()).block_on(asked)
}

fn status(state: State, description: &str) -> Status {
    Status {
        commit: "4f1c".repeat(10),
        context: "gamops/applied".to_owned(),
        state,
        description: description.to_owned(),
        target: Some("https://noc.example.org/".to_owned()),
    }
}

#[test]
fn each_forge_is_told_how_a_commit_stands() {
    for (kind, name) in KINDS {
        let server = ForgeServer::start(kind);
        let forge = forge(&server, name, TOKEN);
        on(forge.set_status(&status(State::Pending, "being applied"))).unwrap();
        // GitLab refuses what is so already; that is no error.
        on(forge.set_status(&status(State::Pending, "being applied"))).unwrap();
        on(forge.set_status(&status(State::Failure, &"long ".repeat(99)))).unwrap();
        let statuses = server.statuses();
        let failed = if kind == Kind::GitLab { "failed" } else { "failure" };
        assert_eq!(
            (statuses[0].1.as_str(), statuses.last().unwrap().1.as_str()),
            ("pending", failed)
        );
        assert!(statuses.last().unwrap().2.ends_with('…'));
    }
}

#[test]
fn one_comment_is_kept_up_to_date_however_many_there_are() {
    const MARKER: &str = "<!-- gamops:plan:v1 -->";
    for (kind, name) in KINDS {
        let server = ForgeServer::start(kind);
        let forge = forge(&server, name, TOKEN);
        for number in 0..250 {
            server.write_comment(&format!("chatter {number}"));
        }
        let first = format!("{MARKER}\n1 to add");
        assert_eq!(on(forge.keep_comment(7, MARKER, &first)).unwrap(), Commented::Written);
        assert_eq!(on(forge.keep_comment(7, MARKER, &first)).unwrap(), Commented::Unchanged);
        let second = format!("{MARKER}\n2 to add");
        assert_eq!(on(forge.keep_comment(7, MARKER, &second)).unwrap(), Commented::Edited);
        let ours: Vec<String> = (server.comments().into_iter().map(|(_, body)| body))
            .filter(|body| body.contains(MARKER))
            .collect();
        assert_eq!(ours, [second]);
        assert_eq!(server.comments().len(), 251);
    }
}

#[test]
fn a_change_request_is_opened_once() {
    for (kind, name) in KINDS {
        let server = ForgeServer::start(kind);
        let forge = forge(&server, name, TOKEN);
        let proposal = Proposal {
            from: "gamops/adopt".to_owned(),
            into: "main".to_owned(),
            title: "Adopt drift".to_owned(),
            body: "What was found.".to_owned(),
        };
        let opened = on(forge.propose(&proposal)).unwrap();
        assert_eq!((opened.number, opened.page.as_str()), (8, "https://forge/8"));
        let again = on(forge.propose(&proposal)).unwrap_err();
        assert!(again.to_string().contains("is there one already?"), "{again}");
        assert_eq!(server.proposals().len(), 1);
    }
}

#[test]
fn what_goes_wrong_is_said_with_what_to_do_and_without_the_token() {
    let server = ForgeServer::start(Kind::GitHub);
    let good = forge(&server, ForgeKind::GitHub, TOKEN);
    let well = status(State::Success, "2 devices in sync");
    let wrong = on(forge(&server, ForgeKind::GitHub, "canary-wrong").set_status(&well)).unwrap_err();
    assert!(
        wrong
            .to_string()
            .contains("status 401 (Bad credentials); is the token right"),
        "{wrong}"
    );
    assert_eq!(wrong.retry(), Retry::AfterChange);
    let headers = |headers: &[(&'static str, &str)]| {
        headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    for (mood, what, retry) in [
        (
            (200, vec![], "<html>Sign in</html>"),
            "is no JSON; is the address of the API right?",
            Retry::Soon,
        ),
        (
            (200, vec![], "{\"error\": \"insufficient_scope\"}"),
            "answered with an error: insufficient_scope",
            Retry::Soon,
        ),
        (
            (302, headers(&[("Location", "/login")]), ""),
            "sends elsewhere",
            Retry::Soon,
        ),
        (
            (
                403,
                headers(&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "9999999999")]),
                "{}",
            ),
            "its limit of calls is reached",
            Retry::Soon,
        ),
        (
            (403, vec![], "{\"message\": \"no\"}"),
            "the token may not do that",
            Retry::AfterChange,
        ),
        ((502, vec![], "<html>Bad gateway</html>"), "status 502", Retry::Soon),
    ] {
        server.mood(mood);
        let error = on(good.set_status(&well)).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(what) && text.contains("/repos/isp/network/statuses/"),
            "{text}"
        );
        assert!(!format!("{text}{error:?}{wrong:?}").contains("canary"), "{error:?}");
        assert_eq!(error.retry(), retry, "{text}");
    }
    on(good.set_status(&well)).unwrap();
}

/// The daemon with this forge in its settings.
fn service(server: &ForgeServer) -> Service {
    Service::new(&format!(
        "tell: {{ retry: 1s }}\nforge: {{ kind: github, base: \"{}\", repository: isp/network, credentials: forge }}\n",
        server.base()
    ))
}

/// Waits until the forge was told this of a commit.
#[track_caller]
fn until_told(service: &Service, server: &ForgeServer, commit: &str, state: &str, words: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let is_it = |(of, is, says): &(String, String, String)| of == commit && is == state && says.contains(words);
    while !server.statuses().last().is_some_and(is_it) {
        assert!(
            Instant::now() < deadline,
            "never told {state} of {commit}: {:?}\n{}",
            server.statuses(),
            service.log()
        );
        std::thread::yield_now();
    }
}

#[test]
fn the_daemon_says_on_the_forge_how_its_commits_fare() {
    let server = ForgeServer::start(Kind::GitHub);
    let service = service(&server);
    let token = [("GAMOPS_CRED_FORGE_PASSWORD", TOKEN)];
    // It is in a bad mood at first; what there is to say is said later.
    server.mood((503, vec![], "busy"));
    let first = service.origin.push("one");
    let daemon = service.start_with(&token);
    until_told(&service, &server, &first, "success", "2 devices in sync");
    service
        .origin
        .write("services.yaml", &SERVICES.replace("plan: gold", "plan: glod"));
    let bad = service.origin.push("bad");
    until_told(&service, &server, &bad, "failure", "unknown-plan");
    service.write_two_less();
    let refused = service.origin.push("two less");
    until_told(&service, &server, &refused, "failure", "refused: guard");
    let meant = service.origin.push("meant\n\nGamops-Allow: destroy=2");
    until_told(&service, &server, &meant, "success", "2 devices in sync");

    // Only what changes is said: not again after a restart, however many rounds are made.
    assert_eq!(daemon.signal("TERM"), Some(0));
    let said = server.calls();
    let daemon = service.start_with(&token);
    for _ in 0..2 {
        let before = daemon.until("up", |status| status["rounds"].is_object())["rounds"].clone();
        let _ = service.run(&["reconcile"]).expect(0);
        daemon.until("another round", |status| status["rounds"] != before);
    }
    assert_eq!(daemon.signal("TERM"), Some(0));
    let again: Vec<_> = server
        .statuses()
        .into_iter()
        .filter(|(commit, ..)| *commit == meant)
        .collect();
    assert_eq!(server.calls(), said, "{again:?}");
    assert!(!service.log().contains("canary-token"), "{}", service.log());
}

#[test]
fn of_a_commit_whose_signature_does_not_count_the_forge_is_told_too() {
    let server = ForgeServer::start(Kind::GitHub);
    let (service, keys) = (service(&server), Keys::new());
    let alice = keys.ssh("alice", "ed25519");
    keys.write("signers", &format!("alice@example.org {alice}\n"));
    keys.write("keys/bob.asc", &keys.openpgp("bob"));
    signed_only(&service, &keys);
    let first = push_signed(&service.origin, &keys, "alice", "one");
    let _daemon = service.start_with(&[("GAMOPS_CRED_FORGE_PASSWORD", TOKEN)]);
    until_told(&service, &server, &first, "success", "2 devices in sync");
    let unsigned = service.origin.push("unsigned");
    until_told(&service, &server, &unsigned, "failure", "it is not signed");
}
