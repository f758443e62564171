//! `gamops init`: a new inventory repository.

mod answers;
mod texts;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

use crate::repo;

use super::exit::Exit;
use super::{answer, say};
use answers::{Answers, Person, Said};
use texts::NewFile;

/// Make a new inventory repository: root file, first site, schema for editors, a recipe for CI.
///
/// Asks for what the flags do not say. It overwrites nothing: where one of its files is there already, nothing is written at
/// all. What it writes validates as it is, and its devices are observed only.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops init my-isp                                # asks
  gamops init my-isp --no-input --id my-isp --site maple --ci gitlab --git
  gamops init my-isp --site maple --device maple-a --model GAM-12-C --address 10.20.0.11")]
pub(super) struct Args {
    /// Folder to write into; made where it is missing.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Name of the inventory; it names the state database.
    #[arg(long, value_name = "NAME")]
    id: Option<String>,

    /// Key of the first site.
    #[arg(long, value_name = "KEY")]
    site: Option<String>,

    /// Its time zone, such as America/Montreal.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,

    /// Key of the first device; without one there is an example in a comment.
    #[arg(long, value_name = "KEY")]
    device: Option<String>,

    /// Its model, such as GAM-12-C.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,

    /// Its address.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,

    /// Name of the credentials, `field` unless said. Their values are never in the inventory.
    #[arg(long, value_name = "NAME")]
    credentials: Option<String>,

    /// For whom to write a recipe that checks each pull request and shows its plan there.
    #[arg(long, value_name = "WHERE", default_value = "none")]
    ci: Ci,

    /// Also make it a Git repository, with a first commit.
    #[arg(long)]
    git: bool,

    /// Ask nothing: `--id` and `--site` are needed then.
    #[arg(long)]
    no_input: bool,
}

/// Where the recipe is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ci {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Forgejo Actions.
    Forgejo,
    /// No recipe.
    None,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let asks = !args.no_input;
    if asks && !std::io::stdin().is_terminal() {
        say(
            "error: there is no terminal to ask at\n  help: say all of it with flags: `gamops init DIR --no-input --id NAME --site KEY`",
        );
        return Ok(Exit::Usage);
    }
    if args.git && !may_commit(&args.folder)? {
        return Ok(Exit::Failed);
    }
    let said = Said {
        id: args.id,
        site: args.site,
        time_zone: args.time_zone,
        device: args.device,
        model: args.model,
        address: args.address,
        credentials: args.credentials,
    };
    let answers = if asks {
        match Answers::ask(&said, &suggested_id(&args.folder), &mut Terminal) {
            Some(answers) => answers,
            None => {
                say("\nNothing was written.");
                return Ok(Exit::Failed);
            }
        }
    } else {
        match Answers::of_flags(said) {
            Ok(answers) => answers,
            Err(problem) => {
                say(&format!("error: {problem}"));
                return Ok(Exit::Usage);
            }
        }
    };
    let files = texts::all_files(&answers, args.ci)?;
    let pairs: Vec<(&str, &str)> = files.iter().map(|NewFile { path, text }| (&**path, &**text)).collect();
    if let Err(error) = repo::write_new(&args.folder, &pairs) {
        say(&format!(
            "error: {:#}\n  help: nothing was written; name an empty folder",
            anyhow::Error::new(error)
        ));
        return Ok(Exit::Failed);
    }
    let commit = match args.git {
        true => {
            let made = repo::first_commit(&args.folder, &pairs, "A new inventory", repo::By::Operator);
            Some(made.context("the files are written; making the first commit of them failed")?)
        }
        false => None,
    };
    answer(&told(&args.folder, &answers, &files, commit.as_deref()));
    Ok(Exit::Done)
}

/// Whether a repository can be made and committed to; why not, is said.
fn may_commit(folder: &Path) -> anyhow::Result<bool> {
    if repo::is_in_repository(folder)? {
        say(&format!(
            "error: {} is in a Git repository already\n  help: leave `--git` out, and commit the files there",
            folder.display()
        ));
        return Ok(false);
    }
    if !repo::knows_committer() {
        say(
            "error: Git knows no name and e-mail address to commit under; nothing was written\n  help: `git config --global user.name NAME` and `user.email ADDRESS`, or leave `--git` out",
        );
        return Ok(false);
    }
    Ok(true)
}

/// The folder's name as a name for the inventory.
fn suggested_id(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_default();
    let name = absolute.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = name.unwrap_or_default().chars().map(letter).collect();
    let name = name.trim_matches(|letter: char| !letter.is_ascii_lowercase());
    if name.is_empty() {
        "my-isp".to_owned()
    } else {
        name.to_owned()
    }
}

/// What was made, and what comes next.
fn told(folder: &Path, answers: &Answers, files: &[NewFile], commit: Option<&str>) -> String {
    let paths: String = files.iter().map(|file| format!("  {}\n", file.path)).collect();
    let shown = folder.display();
    let committed = match commit {
        Some(commit) => format!("Committed as {commit}.\n"),
        None => String::new(),
    };
    let site = format!("{}/sites/{}.yaml", shown, answers.site);
    let first = match &answers.device {
        Some(device) => format!(
            "look at the first device, which changes nothing: gamops plan -i {shown} --target {}",
            device.key
        ),
        None => format!(
            "put the first device into {site}, or take in one that is in service: gamops import -i {shown} ADDRESS"
        ),
    };
    format!(
        "Written to {shown}:\n{paths}{committed}\nNext:\n  1. check it: gamops validate {shown}\n  2. give the credentials `{}` their values: {shown}/README.md says where\n  3. {first}\n  4. write subscribers into {site}, and set `mode: manage` when the plan says what you expect\n",
        answers.credentials
    )
}

/// Whoever sits at the terminal. Ctrl-C ends the program: nothing is written before the last answer.
struct Terminal;

impl Person for Terminal {
    fn ask(&mut self, question: &str) -> Option<String> {
        use std::io::{BufRead as _, Write as _};
        let mut err = anstream::stderr().lock();
        err.write_all(question.as_bytes()).and_then(|()| err.flush()).ok()?;
        drop(err);
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).ok()?;
        (read > 0).then_some(line)
    }

    fn tell(&mut self, line: &str) {
        say(line);
    }
}
