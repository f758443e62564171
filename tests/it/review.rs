//! A change from its pull request to the devices: the recipes run as they stand, the comment is kept up to date, and what it showed
//! is what the daemon sends after the merge.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::daemon::{Service, short};
use crate::fleet::{Ran, SERVICES};
use crate::support::forge_server::{ForgeServer, Kind, TOKEN};
use crate::support::git_server::git_in;

/// The commands of a recipe, in order, with what it puts into their environment.
fn commands(recipe: &str) -> (Vec<String>, Vec<(String, String)>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/ci").join(recipe);
    let recipe: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut lines, mut environment) = (Vec::new(), Vec::new());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    if let Some(hooks) = recipe.pointer("/repos/0/hooks") {
        lines.extend(hooks.as_array().unwrap().iter().map(|hook| text(&hook["entry"])));
    }
    if let Some(script) = recipe.pointer("/preview/script") {
        lines.extend(script.as_array().unwrap().iter().map(text));
    }
    for step in recipe
        .pointer("/jobs/preview/steps")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        lines.extend(step["run"].as_str().into_iter().flat_map(str::lines).map(str::to_owned));
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            assert!(text(value).starts_with("${{"), "{value}");
            environment.push((name.clone(), TOKEN.to_owned()));
        }
    }
    assert!(!lines.is_empty());
    (lines, environment)
}

/// A job of a CI: a clone at the last commit of a change request.
pub(crate) struct Job {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Job {
    pub(crate) fn new(service: &Service, server: &ForgeServer, kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bare = service.origin.bare();
        git_in(folder.path(), &["clone", "--quiet", &bare.to_string_lossy(), "clone"]);
        let clone = folder.path().join("clone");
        git_in(&clone, &["checkout", "--quiet", "--detach", "origin/change"]);
        let head = git_in(&clone, &["rev-parse", "HEAD"]);
        let event = json!({ "pull_request": {
            "head": { "sha": head, "repo": { "full_name": "isp/network" } },
            "base": { "sha": git_in(&clone, &["rev-parse", "origin/main"]) },
        } });
        let path = folder.path().join("event.json");
        std::fs::write(&path, event.to_string()).unwrap();
        let event = path.to_string_lossy().into_owned();
        let mut environment: Vec<(&str, String)> = vec![("HOME", folder.path().to_string_lossy().into_owned())];
        match kind {
            Kind::GitHub | Kind::Gitea => environment.extend([
                ("GITHUB_ACTIONS", "true".to_owned()),
                ("GITHUB_REPOSITORY", "isp/network".to_owned()),
                ("GITHUB_API_URL", server.base()),
                ("GITHUB_SERVER_URL", "https://forge.example.org".to_owned()),
                ("GITHUB_RUN_ID", "77".to_owned()),
                ("GITHUB_REF", "refs/pull/7/merge".to_owned()),
                ("GITHUB_BASE_REF", "main".to_owned()),
                ("GITHUB_EVENT_PATH", event),
            ]),
            Kind::GitLab => environment.extend([
                ("GITLAB_CI", "true".to_owned()),
                ("CI_API_V4_URL", server.base()),
                ("CI_PROJECT_PATH", "isp/network".to_owned()),
                ("CI_MERGE_REQUEST_PROJECT_PATH", "isp/network".to_owned()),
                ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "isp/network".to_owned()),
                ("CI_MERGE_REQUEST_IID", "7".to_owned()),
                ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main".to_owned()),
                ("CI_COMMIT_SHA", head),
                ("CI_JOB_URL", "https://forge.example.org/jobs/1".to_owned()),
                // A variable of the project.
                ("GITLAB_TOKEN", TOKEN.to_owned()),
            ]),
        }
        if kind == Kind::Gitea {
            environment.push(("FORGEJO_ACTIONS", "true".to_owned()));
        }
        Self {
            folder,
            environment: environment
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }

    fn clone(&self) -> PathBuf {
        self.folder.path().join("clone")
    }

    /// Runs lines one after the other, as a runner does, until one fails.
    pub(crate) fn run(&self, lines: &[String], more: &[(String, String)]) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_gamops")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("sh")
            .args(["-ec", &lines.join("\n")])
            .current_dir(self.clone())
            .env_clear()
            .env("PATH", format!("{}:{path}", program.display()))
            .envs(self.environment.iter().chain(more).map(|(name, value)| (name, value)))
            .output();
        output.unwrap().into()
    }

    fn recipe(&self, name: &str) -> Ran {
        let (lines, environment) = commands(name);
        self.run(&lines, &environment)
    }
}

/// Pushes a branch with a change, made from `main`.
pub(crate) fn push_change(service: &Service, services: &str, message: &str) -> String {
    service.origin.git(&["checkout", "--quiet", "-B", "change", "main"]);
    service.origin.write("services.yaml", services);
    service
        .origin
        .git(&["commit", "--quiet", "--all", "--message", message]);
    let bare = service.origin.bare();
    service
        .origin
        .git(&["push", "--quiet", "--force", &bare.to_string_lossy(), "change"]);
    let id = service.origin.git(&["rev-parse", "HEAD"]);
    service.origin.git(&["checkout", "--quiet", "main"]);
    id
}

/// The comments of gamops.
fn ours(server: &ForgeServer) -> Vec<(u64, String)> {
    let all = server.comments().into_iter();
    all.filter(|(_, body)| body.starts_with("<!-- gamops:plan:v1:test -->"))
        .collect()
}

/// The commands that a comment shows for a device.
fn shown(comment: &str, device: &str) -> Vec<String> {
    let head = format!("in this order: <code>{device}</code>");
    let (_, rest) = comment.split_once(&head).unwrap_or_else(|| panic!("{comment}"));
    let (_, rest) = rest.split_once("```text\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    block.lines().map(str::to_owned).collect()
}

fn reviewed_merged_and_applied(kind: Kind, recipe: &str) {
    let server = ForgeServer::start(kind);
    for number in 0..40 {
        server.write_comment(&format!("chatter {number}"));
    }
    let service = Service::new("observed: { publish: true }\n");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    daemon.until("published", |status| {
        status["publishing"]["failing"].is_null() && !status["publishing"]["published"].is_null()
    });

    let change = SERVICES.replace("vlan: 101", "vlan: 111");
    let head = push_change(&service, &change, "another VLAN");
    let ran = Job::new(&service, &server, kind).recipe(recipe).expect(0);
    let _ = ran
        .says("This change: 0 to add, 1 to change, 0 to destroy.")
        .says("The comment on change request 7 was written.");
    let written = ours(&server);
    assert_eq!(written.len(), 1, "{written:?}");
    assert!(
        written[0]
            .1
            .contains("**This change: 0 to add, 1 to change, 0 to destroy**, on 1 device."),
        "{}",
        written[0].1
    );
    let said = server.statuses_by_context();
    let is_said = |context: &str| {
        said.iter()
            .any(|one| one.0 == head && one.1 == context && one.2 == "success")
    };
    assert!(is_said("gamops/validate") && is_said("gamops/plan"), "{said:?}");

    // A second push brings the same comment up to date.
    let change = change.replace("  s-5:", "  s-6:");
    push_change(&service, &change, "and another subscriber");
    let _ = Job::new(&service, &server, kind)
        .recipe(recipe)
        .expect(0)
        .says("was brought up to date");
    let edited = ours(&server);
    assert_eq!((edited.len(), edited[0].0), (1, written[0].0));
    assert!(edited[0].1.contains("- `harbour/subscriber/s-5`"), "{}", edited[0].1);
    assert_eq!(server.comments().len(), 41);

    // What was shown is sent once it is merged, and nothing else.
    let before = ["maple", "harbour"].map(|device| service.fleet.device(device).counters().commands.len());
    service
        .origin
        .git(&["merge", "--quiet", "--no-ff", "--message", "merged", "change"]);
    let merged = short(&service.origin.push("nothing more"));
    daemon.until_applied(&merged);
    for (device, before) in ["maple", "harbour"].into_iter().zip(before) {
        let sent = service.fleet.device(device).counters().commands.split_off(before);
        let sent: Vec<String> = sent.into_iter().filter(|line| line.contains("ghn ")).collect();
        assert_eq!(sent, shown(&edited[0].1, device), "{device}");
    }
}

#[test]
fn a_change_is_reviewed_on_github_merged_and_applied_as_it_was_shown() {
    reviewed_merged_and_applied(Kind::GitHub, "github.yml");
}

#[test]
fn a_change_is_reviewed_on_gitlab_merged_and_applied_as_it_was_shown() {
    reviewed_merged_and_applied(Kind::GitLab, "gitlab.yml");
}

#[test]
fn a_change_is_reviewed_on_forgejo_merged_and_applied_as_it_was_shown() {
    reviewed_merged_and_applied(Kind::Gitea, "forgejo.yml");
}

#[test]
fn what_cannot_be_applied_fails_the_job_and_a_fork_only_prints() {
    let server = ForgeServer::start(Kind::GitHub);
    let service = Service::new("");
    service.origin.push("one");
    let _ = service.fleet.apply();
    crate::preview::publish(&service.fleet, &service.origin.bare(), "2026-11-28T10:00:00Z");
    let job = || Job::new(&service, &server, Kind::GitHub);
    let last = |context: &str| {
        let said = server.statuses_by_context().into_iter().rev();
        said.into_iter()
            .find(|one| one.1 == context)
            .map(|one| (one.2, one.3))
            .unwrap()
    };

    // More than a guard lets go at once.
    let guarded = SERVICES
        .lines()
        .filter(|line| !line.contains("s-1:") && !line.contains("s-2:") && !line.contains("s-3:"));
    let guarded: String = guarded.map(|line| format!("{line}\n")).collect();
    service.origin.git(&["checkout", "--quiet", "main"]);
    let root = std::fs::read_to_string(service.origin.work().join("gamops.yaml")).unwrap();
    service.origin.write(
        "gamops.yaml",
        &format!("{root}policies: {{ guards: {{ destroy_per_device: {{ count: 1 }} }} }}\n"),
    );
    service.origin.push("guarded");
    push_change(&service, &guarded, "three less");
    let _ = job()
        .recipe("github.yml")
        .expect(4)
        .says("Refused by guard destroy-per-device");
    assert!(ours(&server)[0].1.contains("**Refused by guard destroy-per-device**"));
    let (state, description) = last("gamops/plan");
    assert!(
        state == "failure" && description.starts_with("refused: guard destroy-per-device"),
        "{description}"
    );

    // What is not valid has no plan, and the comment does not show an old one.
    push_change(
        &service,
        &SERVICES.replace("plan: gold, vlan: 101", "plan: glod, vlan: 101"),
        "broken",
    );
    let ran = job().run(
        &["gamops preview".to_owned()],
        &[("GITHUB_TOKEN".to_owned(), TOKEN.to_owned())],
    );
    assert_eq!(ran.expect(3).stdout, "");
    assert!(
        ours(&server)[0].1.contains("### No plan: the inventory is not valid"),
        "{}",
        ours(&server)[0].1
    );
    assert!(
        last("gamops/validate").1.contains("unknown-plan at"),
        "{:?}",
        last("gamops/validate")
    );
    let _ = job()
        .recipe("github.yml")
        .expect(3)
        .says("::error file=services.yaml,line=5,")
        .says("title=unknown-plan::");
    let _ = job()
        .recipe("pre-commit-config.yaml")
        .expect(3)
        .says("error[unknown-plan]");

    // A job without a token prints, into the summary of the step too; nothing goes to the forge.
    push_change(&service, &SERVICES.replace("vlan: 101", "vlan: 111"), "fine");
    let calls = server.calls();
    let fork = job();
    let summary = fork.folder.path().join("summary.md");
    let with_summary = [("GITHUB_STEP_SUMMARY".to_owned(), summary.to_string_lossy().into_owned())];
    let lines = [
        "git fetch --quiet origin '+refs/gamops/*:refs/gamops/*'".to_owned(),
        "gamops preview".to_owned(),
    ];
    let _ = fork
        .run(&lines, &with_summary)
        .expect(0)
        .says("it only prints")
        .says("vlan: 101 -> 111");
    assert!(std::fs::read_to_string(summary).unwrap().contains("vid {101 -> 111}"));
    assert_eq!(server.calls(), calls);
    // A fork's job may have a token that may only read. That fails a job of one's own, and not the fork's.
    let wrong = [("GITHUB_TOKEN".to_owned(), "canary-wrong".to_owned())];
    let ran = fork.run(&lines, &wrong).expect(1).says("is the token right");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"));
    let event = fork.folder.path().join("event.json");
    let text = std::fs::read_to_string(&event)
        .unwrap()
        .replace("isp/network", "somebody/network");
    std::fs::write(&event, text).unwrap();
    let _ = fork
        .run(&lines, &wrong)
        .expect(0)
        .says("since a job for a fork may not write there");
}
