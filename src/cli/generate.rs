//! `gamops completions` and `gamops man`: what a shell and a manual know of the command line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap_complete::Shell;

use super::answer;
use super::exit::Exit;

/// Print a shell's completions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops completions bash > ~/.local/share/bash-completion/completions/gamops
  gamops completions zsh > ~/.zfunc/_gamops
  gamops completions fish > ~/.config/fish/completions/gamops.fish")]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Write the manual pages, one for each command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  gamops man ~/.local/share/man/man1 && man gamops-plan")]
pub(super) struct ManArgs {
    /// Folder to write them to; made where it is missing.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs, mut command: clap::Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "gamops", &mut script);
    answer(&String::from_utf8(script).context("writing the completions")?);
    Ok(Exit::Done)
}

pub(super) fn man(args: &ManArgs, command: clap::Command) -> anyhow::Result<Exit> {
    let folder = &args.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    clap_mangen::generate_to(command, folder)
        .with_context(|| format!("writing manual pages to {}", folder.display()))?;
    answer(&format!(
        "{} manual pages are in {}.\n",
        pages(folder)?,
        folder.display()
    ));
    Ok(Exit::Done)
}

fn pages(folder: &Path) -> anyhow::Result<usize> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let ours = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("gamops");
    Ok(entries
        .filter_map(Result::ok)
        .filter(|entry| ours(&entry.file_name()))
        .count())
}
