//! Git as benches use it, whatever the machine's own settings are.

use std::path::Path;
use std::process::Command;

/// What Git answers, without the last line's end. Ends the bench where Git says no.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let who = |role: &str| {
        [
            (format!("GIT_{role}_NAME"), "a"),
            (format!("GIT_{role}_EMAIL"), "a@example.org"),
        ]
    };
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs(who("AUTHOR"))
        .envs(who("COMMITTER"))
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
