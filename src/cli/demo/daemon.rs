//! The daemon of a demo: this same program, run as a service would be.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

use crate::daemon::status::Status;
use crate::transport::http::Method;

use super::super::status::ask;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long after a look at the daemon's status the next one is.
const PAUSE: Duration = Duration::from_millis(50);

/// Names of environment variables and their values.
pub(super) type Secrets = Vec<(&'static str, &'static str)>;

/// A daemon that runs, and commands beside it. Ends when dropped.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
    folder: PathBuf,
    secrets: Secrets,
    url: String,
    log: PathBuf,
}

impl Daemon {
    /// Starts it in a folder with the settings `daemon.yaml`, which have it listen at this address. What it says goes to a file.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or this program not be started.
    pub(super) fn start(folder: &Path, listen: &str, secrets: Secrets, log: PathBuf) -> anyhow::Result<Self> {
        let file = std::fs::File::create(&log).with_context(|| format!("writing {}", log.display()))?;
        let mut command = program(folder, &secrets, &["daemon", "--settings", "daemon.yaml"])?;
        let child = command.stdout(Stdio::null()).stderr(file).spawn();
        Ok(Self {
            child: child.context("starting the daemon")?,
            folder: folder.to_owned(),
            secrets,
            url: format!("http://{listen}"),
            log,
        })
    }

    /// Waits until its status is like this, and gives what was found in it.
    ///
    /// # Errors
    ///
    /// It ended, or it takes too long: what it said.
    pub(super) async fn until<T>(&mut self, what: &str, is: impl Fn(&Status) -> Option<T>) -> anyhow::Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(ended) = self.child.try_wait().context("looking after the daemon")? {
                bail!("the daemon ended ({ended}) before {what}:\n{}", self.logged());
            }
            let status = ask(&self.url, Method::Get, "status", String::new()).await;
            let status = status.ok().and_then(|text| serde_json::from_str::<Status>(&text).ok());
            if let Some(found) = status.as_ref().and_then(&is) {
                return Ok(found);
            }
            if Instant::now() > deadline {
                let patience = PATIENCE.as_secs();
                bail!(
                    "there was not {what} within {patience} s; the daemon says:\n{}",
                    self.logged()
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Runs another command of this program beside it, and gives what it said.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub(super) async fn beside(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = program(&self.folder, &self.secrets, arguments)?;
        let ran = command.env("GAMOPS_DAEMON", &self.url).output().await;
        let Output { stdout, stderr, .. } = ran.with_context(|| format!("running gamops {}", arguments.join(" ")))?;
        Ok([stdout, stderr]
            .map(|said| String::from_utf8_lossy(&said).into_owned())
            .concat())
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("ending the daemon")
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// This program in a folder, with nothing of what the operator told it for himself.
fn program(folder: &Path, secrets: &Secrets, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("finding this program")?);
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| name.starts_with("GAMOPS_") || name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join(".gamops"))
        .envs(secrets.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}
