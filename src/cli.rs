//! Words, exit codes and pages: the thin edge that people and scripts touch.
//!
//! stdout is the answer, stderr is the story.

mod action;
mod adopt;
mod apply;
mod backup;
mod beside;
mod billing;
mod confirm;
mod context;
mod daemon;
mod demo;
mod discover;
mod doctor;
mod edits;
pub mod exit;
mod file;
mod generate;
mod history;
mod import;
mod init;
mod kept;
mod log;
mod observed;
mod pause;
mod plan;
mod preview;
mod progress;
mod rebind;
mod rehearse;
mod replace;
mod results;
pub mod schema;
mod settings;
mod show;
pub mod simulate;
pub mod simulate_control;
mod since;
mod status;
mod swap_endpoint;
mod tell;
mod trust;
mod undo;
pub mod validate;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, Parser, Subcommand};
use tracing::Instrument as _;

use crate::diagnostic::Colour;
use crate::store::StoreError;
use crate::store::host_name;
use exit::Exit;

/// The stack of the thread that runs the program: the tree of an inventory nested as deeply as the parser
/// allows is walked by recursion.
const STACK: usize = 16 * 1024 * 1024;

/// Keeps Positron GAM devices as a Git repository of YAML says they should be.
///
/// Start with `gamops demo`: it shows the whole loop on simulated devices and needs nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "gamops",
    version,
    propagate_version = true,
    after_help = "Examples:
  gamops demo                                     see the loop work on simulated devices
  gamops validate inventory-example               check an inventory
  gamops plan -i inventory-example                show what would change
  gamops apply -i inventory-example               show it, ask, change it, verify, save

Exit codes: 0 done, 1 error, 2 changes (plan --detailed-exitcode), 3 invalid inventory,
4 refused by a guard or policy, 5 some devices done and some not, 6 plan stale, 64 usage."
)]
struct Cli {
    /// When to colour output. `NO_COLOR` and `CLICOLOR_FORCE` are honoured in `auto`.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,

    /// Say more of what goes on, on stderr; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// How what goes on is written on stderr: for people, or a JSON document a line.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        env = "GAMOPS_LOG_FORMAT"
    )]
    log_format: log::LogFormat,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Validate(validate::Args),
    Plan(plan::Args),
    Preview(preview::Args),
    Apply(apply::Args),
    Confirm(confirm::Args),
    Show(show::Args),
    Discover(discover::Args),
    Doctor(doctor::Args),
    Backup(backup::Args),
    History(history::Args),
    Import(import::Args),
    Undo(undo::Args),
    Trust(trust::Args),
    Replace(replace::Args),
    Rebind(rebind::Args),
    Rehearse(rehearse::Args),
    Daemon(daemon::Args),
    Status(status::StatusArgs),
    Billing(billing::Args),
    Reconcile(status::ReconcileArgs),
    Settings(daemon::SettingsArgs),
    Tell(tell::Args),
    RebootEndpoint(action::RebootArgs),
    CyclePoe(action::CycleArgs),
    ClearCounters(action::ClearArgs),
    Pause(pause::Args),
    Resume(pause::ResumeArgs),
    Adopt(adopt::Args),
    SwapEndpoint(swap_endpoint::Args),
    Schema(schema::Args),
    Simulate(simulate::SimulateArgs),
    SimulateControl(simulate_control::SimulateControlArgs),
    Demo(demo::Args),
    Completions(generate::CompletionsArgs),
    Man(generate::ManArgs),
}

/// Runs the program: reads the command line, does it, says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    // The main thread's stack is the system's choice; ours is not.
    let run = std::thread::Builder::new().stack_size(STACK).spawn(start);
    match run.map(std::thread::JoinHandle::join) {
        Ok(Ok(exit)) => exit.into(),
        // A panic has said its piece on stderr already.
        Ok(Err(_)) | Err(_) => Exit::Failed.into(),
    }
}

fn start() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors; the rest must not be mistaken for `changes`.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print();
            return exit;
        }
    };
    match cli.color {
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        ColorChoice::Auto => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(log_and_run(cli)),
        Err(source) => Err(anyhow::Error::new(source).context("starting the runtime")),
    };
    result.unwrap_or_else(|error| {
        // A reader that has gone (`gamops validate | head`) has seen what it wanted.
        let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
            cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
        };
        if error.chain().any(broken_pipe) {
            return Exit::Done;
        }
        say(&format!("error: {error:#}"));
        let of_store = |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<StoreError>()?.help();
        if let Some(help) = error.chain().find_map(of_store) {
            say(&format!("  help: {help}"));
        }
        Exit::Failed
    })
}

/// Runs a command with what goes on told as the command line says. What a daemon does has no end, so each of its rounds is a trace.
async fn log_and_run(cli: Cli) -> anyhow::Result<Exit> {
    let of_daemon = matches!(cli.command, Command::Daemon(_));
    let traces = log::begin(
        cli.verbose,
        cli.log_format,
        of_daemon,
        &tokio::runtime::Handle::current(),
    )?;
    let span = match of_daemon {
        true => tracing::Span::none(),
        false => tracing::info_span!("gamops", command = std::env::args().nth(1).unwrap_or_default()),
    };
    let result = run(cli.command).instrument(span).await;
    traces.end().await;
    result
}

async fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Validate(args) => {
            // Colours are stripped at the stream where they do not belong.
            let style = validate::Style {
                colour: Colour::On,
                ..validate::Style::default()
            };
            let code = validate::run(&args, style, &mut anstream::stdout())?;
            Ok(if code == 0 { Exit::Done } else { Exit::Invalid })
        }
        Command::Init(args) => init::run(args),
        Command::Plan(args) => plan::run(args).await,
        Command::Preview(args) => preview::run(args).await,
        Command::Apply(args) => apply::run(args).await,
        Command::Confirm(args) => confirm::run(args).await,
        Command::Show(args) => show::run(args).await,
        Command::Discover(args) => discover::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Backup(args) => backup::run(args).await,
        Command::History(args) => history::run(args).await,
        Command::Import(args) => import::run(args).await,
        Command::Undo(args) => undo::run(args).await,
        Command::Trust(args) => trust::run(args).await,
        Command::Replace(args) => replace::run(args).await,
        Command::Rebind(args) => rebind::run(args).await,
        Command::Rehearse(args) => rehearse::run(args).await,
        Command::Daemon(args) => daemon::run(args).await,
        Command::Status(args) => status::status(args).await,
        Command::Billing(args) => billing::run(args).await,
        Command::Reconcile(args) => status::reconcile(args).await,
        Command::Settings(args) => daemon::settings(&args),
        Command::Tell(args) => tell::run(args).await,
        Command::RebootEndpoint(args) => action::reboot(args).await,
        Command::CyclePoe(args) => action::cycle(args).await,
        Command::ClearCounters(args) => action::clear(args).await,
        Command::Pause(args) => pause::run(args).await,
        Command::Resume(args) => pause::resume(args).await,
        Command::Adopt(args) => adopt::run(args).await,
        Command::SwapEndpoint(args) => swap_endpoint::run(args).await,
        Command::Schema(args) => {
            schema::run(&args, &mut std::io::stdout())?;
            Ok(Exit::Done)
        }
        Command::Simulate(args) => {
            let inventory = match context::load(&args.inventory)? {
                Ok(inventory) => inventory,
                Err(exit) => return Ok(exit),
            };
            let initial = |device: &_| context::as_wished(&inventory, device);
            simulate::run(&args, &inventory, initial, &mut std::io::stdout()).await?;
            Ok(Exit::Done)
        }
        Command::SimulateControl(args) => {
            simulate_control::run(&args, &mut std::io::stdout()).await?;
            Ok(Exit::Done)
        }
        Command::Demo(args) => demo::run(args).await,
        Command::Completions(args) => generate::completions(&args, Cli::command()),
        Command::Man(args) => generate::man(&args, Cli::command()),
    }
}

/// Prints the answer. A reader that has gone (`gamops plan | head`) is no error.
fn answer(text: &str) {
    use std::io::Write as _;
    let mut out = anstream::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Who runs this, as the system tells it: `alice@noc1`.
fn actor() -> String {
    let name = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
    let user = name("SUDO_USER").or_else(|| name("USER")).or_else(|| name("LOGNAME"));
    format!("{}@{}", user.as_deref().unwrap_or("unknown"), host_name())
}

/// Whether nobody is there who could be asked for approval; that is said then, with what to do instead.
fn nobody_to_ask(help: &str) -> bool {
    let nobody = !std::io::IsTerminal::is_terminal(&std::io::stdin());
    if nobody {
        say(&format!(
            "error: there is no terminal to ask for approval\n  help: {help}"
        ));
    }
    nobody
}

/// Prints a line of the story.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Asks a question that only `yes` answers; Ctrl-C is a no.
async fn ask(question: &str) -> anyhow::Result<bool> {
    use std::io::{BufRead as _, Write as _};
    let question = format!("{question} Only `yes` is accepted: ");
    let (answer, answered) = tokio::sync::oneshot::channel();
    // A thread of its own and not the runtime's: the program must be able to end while it still waits for a line.
    std::thread::spawn(move || {
        let read = || {
            let mut err = anstream::stderr().lock();
            err.write_all(question.as_bytes())?;
            err.flush()?;
            drop(err);
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            Ok::<String, std::io::Error>(line)
        };
        let _ = answer.send(read());
    });
    tokio::select! {
        line = answered => Ok(line??.trim() == "yes"),
        // Once anybody has listened for it, Ctrl-C no longer ends the program by itself.
        _ = tokio::signal::ctrl_c() => {
            say("");
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_has_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                help.contains("Example"),
                "`gamops {} --help` has no example",
                command.get_name()
            );
        }
    }
}
