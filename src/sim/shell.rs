//! The command interpreter: modes, prompts, and what each command does to the device.
//!
//! Takes whole lines and gives text; the screen is `terminal`'s business. A command that takes time (a save)
//! or ends the session says so in its [`Reply`], and the caller sees to it.

mod edit;
mod files;

pub(super) use files::{CopyJob, DEFAULT};

use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::MacAddr;

use super::commands::{Act, Grammars};
use super::grammar::{Continuations, Grammar, Match, SyntaxError, SyntaxErrorKind, ports, split};
use super::refusal::Refusal;
use super::show::{self, ghn};
use super::state::State;

/// Where in the command tree a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Exec,
    Config,
    Interface,
    InterfaceVlan,
    Vlan,
    Line,
    SnmpHost,
}

impl Mode {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Exec => "",
            Self::Config => "(config)",
            Self::Interface => "(config-if)",
            Self::InterfaceVlan => "(config-if-vlan)",
            Self::Vlan => "(config-vlan)",
            Self::Line => "(config-line)",
            Self::SnmpHost => "(config-snmps-host)",
        }
    }
}

/// The screen as the session has set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Screen {
    /// Columns.
    pub(super) width: usize,
    /// Lines; 0 turns the pager off.
    pub(super) length: usize,
    /// Idle time until logout, when `terminal exec-timeout` set one; zero is never.
    pub(super) idle: Option<Duration>,
}

/// What a command leaves to its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing: show the prompt.
    Prompt,
    /// Finish this copy after the time that it takes, with [`Shell::finish_copy`].
    Copy(CopyJob),
    /// Restart the device, as factory-fresh if so asked.
    Reload {
        /// Forget the startup configuration.
        defaults: bool,
    },
    /// End the session.
    Close,
}

/// The answer to one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// Text, lines ended by `\n`; empty on success of most commands.
    pub(super) output: String,
    /// What is left to do.
    pub(super) then: Then,
}

impl Reply {
    fn text(output: String) -> Self {
        Self {
            output,
            then: Then::Prompt,
        }
    }

    fn nothing() -> Self {
        Self::text(String::new())
    }

    fn error(text: impl std::fmt::Display) -> Self {
        Self::text(format!("% {text}\n"))
    }
}

/// One session's interpreter.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    mode: Mode,
    /// Headings of the sections that a submode is about.
    targets: Vec<String>,
    privilege: u8,
    /// Reads a file, all of whose words the device knows.
    loading: bool,
    pub(super) screen: Screen,
}

impl Shell {
    /// A session that has just logged in: exec mode, 80 by 24 whatever the pty says.
    pub(super) const fn new(privilege: u8) -> Self {
        Self {
            mode: Mode::Exec,
            targets: Vec::new(),
            privilege,
            loading: false,
            screen: Screen {
                width: 80,
                length: 24,
                idle: None,
            },
        }
    }

    /// An interpreter for a configuration text: privileged, in config mode.
    pub(super) const fn for_loading() -> Self {
        let mut shell = Self::new(15);
        shell.mode = Mode::Config;
        shell.loading = true;
        shell
    }

    /// The prompt: host name, mode, `#` or `>`, a blank.
    pub(super) fn prompt(&self, state: &State) -> String {
        let sign = if self.privilege == 15 { '#' } else { '>' };
        format!("{}{}{sign} ", state.running.hostname, self.mode.suffix())
    }

    /// Leaves every mode, as ^Z does.
    pub(super) fn leave_all(&mut self) {
        self.mode = Mode::Exec;
        self.targets.clear();
    }

    /// Whether a line changes, or tries to change, the configuration where this session stands.
    pub(super) fn is_configuration(&self, line: &str) -> bool {
        let line = line.trim_start();
        let first = line.split_whitespace().next().unwrap_or_default();
        self.mode != Mode::Exec && !line.starts_with(['!', '#']) && !matches!(first, "" | "exit" | "end" | "do")
    }

    /// Whether a line asks for the running configuration.
    pub(super) fn shows_running(&self, line: &str, state: &State) -> bool {
        let line = line.split('|').next().unwrap_or_default().trim_start();
        let line = line.strip_prefix("do ").unwrap_or(line);
        let found = state.grammars.exec.parse(line, self.privilege);
        found.is_ok_and(|found| matches!(found.act, Act::ShowRunning | Act::ShowRunningInterface))
    }

    /// Goes to the mode that understands the line: this one if it does, else config, else exec.
    pub(super) fn seek(&mut self, line: &str, state: &State) {
        let line = line.split(" | ").next().unwrap_or_default();
        for mode in [self.mode, Mode::Config, Mode::Exec] {
            let mut there = self.clone();
            if mode != self.mode {
                there.mode = mode;
                there.targets.clear();
            }
            if there.parse(line, &state.grammars).is_ok() {
                *self = there;
                return;
            }
        }
    }

    /// Enters config mode, as `configure terminal` does.
    fn configure(&mut self) {
        self.mode = Mode::Config;
        self.targets.clear();
    }

    fn grammar<'g>(&self, grammars: &'g Grammars) -> &'g Grammar<Act> {
        match self.mode {
            Mode::Exec => &grammars.exec,
            Mode::Config => self.config_grammar(grammars),
            Mode::Interface => &grammars.interface,
            Mode::InterfaceVlan => &grammars.interface_vlan,
            Mode::Vlan => &grammars.vlan,
            Mode::Line => &grammars.line,
            Mode::SnmpHost => &grammars.snmp_host,
        }
    }

    const fn config_grammar<'g>(&self, grammars: &'g Grammars) -> &'g Grammar<Act> {
        if self.loading {
            &grammars.loading
        } else {
            &grammars.config
        }
    }

    /// Reads a line in this mode; in a submode, failing that, as a global command. The flag says which.
    fn parse(&self, line: &str, grammars: &Grammars) -> Result<(Match<Act>, bool), SyntaxError> {
        match self.grammar(grammars).parse(line, self.privilege) {
            Ok(found) => Ok((found, false)),
            Err(error) if matches!(self.mode, Mode::Exec | Mode::Config) => Err(error),
            Err(error) => match self.config_grammar(grammars).parse(line, self.privilege) {
                Ok(found) => Ok((found, true)),
                Err(global) => Err(if global.at > error.at { global } else { error }),
            },
        }
    }

    /// What may come next on a line being typed.
    pub(super) fn continuations(&self, line: &str, state: &State) -> Continuations {
        let mut found = self.grammar(&state.grammars).continuations(line, self.privilege);
        if !matches!(self.mode, Mode::Exec | Mode::Config) {
            let global = state.grammars.config.continuations(line, self.privilege);
            if found.begun.is_empty() {
                found.begun = global.begun;
            }
            found.words.extend(global.words);
            found.values.extend(global.values);
            found.end |= global.end;
            for list in [&mut found.words, &mut found.values] {
                list.sort();
                list.dedup();
            }
        }
        found
    }

    /// Runs one line. `uptime` is how long the device has been up.
    pub(super) fn execute(&mut self, line: &str, state: &mut State, uptime: Duration) -> Reply {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['!', '#']) {
            return Reply::nothing();
        }
        let bar = split(line)
            .into_iter()
            .find(|word| word.text.starts_with('|') && !word.quoted)
            .map(|word| word.at);
        let (command, filter) = match bar {
            // Elsewhere a bar is text: in a contact or a location.
            Some(at) if self.mode == Mode::Exec => (&line[..at], Some(at)),
            _ => (line, None),
        };
        let (found, global) = match self.parse(command, &state.grammars) {
            Ok(found) => found,
            Err(error) => return Reply::text(self.caret(line, error, state)),
        };
        let filter = match filter
            .map(|at| Filter::read(&found, &line[at + 1..]).ok_or(at))
            .transpose()
        {
            Ok(filter) => filter,
            Err(at) => {
                let kind = SyntaxErrorKind::Invalid;
                return Reply::text(self.caret(line, SyntaxError { kind, at }, state));
            }
        };
        if global {
            self.mode = Mode::Config;
            self.targets.clear();
        }
        let mut reply = self.run(&found, line, state, uptime);
        if let Some(filter) = filter {
            reply.output = filter.apply(&reply.output);
        }
        // What a file says of endpoints is read whole before the device has its own say.
        if !self.loading {
            state.settle(uptime);
        }
        reply
    }

    /// The caret under the offending word and the message; a line wider than the screen is printed again,
    /// wrapped, so that the caret has something to stand under.
    fn caret(&self, line: &str, error: SyntaxError, state: &State) -> String {
        let text = match error.kind {
            SyntaxErrorKind::IncompleteCommand => return "% Incomplete command.\n\n".to_owned(),
            SyntaxErrorKind::Nothing => return "% No available command.\n\n".to_owned(),
            SyntaxErrorKind::Invalid => "Invalid",
            SyntaxErrorKind::Ambiguous => "Ambiguous",
            SyntaxErrorKind::IncompleteWord => "Incomplete",
        };
        let prompt = self.prompt(state);
        let mut output = String::new();
        let (columns, mut at) = (self.screen.width.max(2) - 1, prompt.len() + error.at);
        if prompt.len() + line.len() > columns {
            let whole: Vec<char> = format!("{prompt}{line}").chars().collect();
            for row in whole.chunks(columns) {
                output.extend(row.iter());
                output.push('\n');
                if at < columns {
                    break;
                }
                at -= columns;
            }
        }
        let _ = write!(output, "{:at$}^\n% {text} word detected at '^' marker.\n\n", "");
        output
    }

    fn run(&mut self, found: &Match<Act>, line: &str, state: &mut State, uptime: Duration) -> Reply {
        match found.act {
            Act::Configure => self.configure(),
            Act::Exit => match self.mode {
                Mode::Exec => return self.close(),
                Mode::Config => self.leave_all(),
                _ => self.configure(),
            },
            Act::End => self.leave_all(),
            Act::Logout => return self.close(),
            Act::Do => return self.run_in_exec(found, line, state, uptime),
            Act::Accept => {}
            Act::TerminalWidth => {
                if let Some(width) = found.number("width") {
                    self.screen.width = width;
                }
            }
            Act::TerminalLength => self.screen.length = found.number("length").unwrap_or(0),
            Act::TerminalTimeout => {
                let minutes = found.number::<u64>("minutes").unwrap_or(0);
                let seconds = found.number::<u64>("seconds").unwrap_or(0);
                self.screen.idle = Some(Duration::from_secs(minutes * 60 + seconds));
            }
            Act::ShowVersion => return Reply::text(show::version(state, uptime)),
            Act::ShowRunning => {
                return Reply::text(state.running.print(&state.spec, found.has("all-defaults")));
            }
            Act::ShowRunningInterface => {
                let wanted = interface_headings(found);
                return Reply::text(state.running.print_sections(&state.spec, &wanted));
            }
            Act::ShowDiscover => return Reply::text(ghn::discover(state)),
            Act::ShowPort => return show_or_refuse(ghn::port(state, found, uptime)),
            Act::ShowProfile => return show_or_refuse(ghn::profile(state, found)),
            Act::ShowEndpoint => return show_or_refuse(ghn::endpoint(state, found, uptime)),
            Act::ShowSubscriber => return show_or_refuse(ghn::subscriber(state, found)),
            Act::ShowVectorboost => return Reply::text(ghn::vectorboost(state)),
            Act::ShowVectorboostState => return Reply::text("READY\n".to_owned()),
            Act::ShowNotch => return Reply::text(ghn::notches(state)),
            Act::ShowAlarms => return Reply::text(show::alarms(state)),
            Act::ShowAlarmLog => return Reply::text(show::alarm_log(state)),
            Act::ShowVlan => return Reply::text(show::vlans(state)),
            Act::Dir => return Reply::text(show::directory(state)),
            Act::More => return files::more(found, state),
            Act::Copy => return files::copy(found, state),
            Act::Delete => return files::delete(found, state),
            Act::Reload => {
                return Reply {
                    output: String::new(),
                    then: Then::Reload {
                        defaults: found.has("defaults"),
                    },
                };
            }
            Act::RebootEndpoint => return reboot_endpoint(found, state, uptime),
            Act::ClearEndpoint => return clear_endpoint(found, state, uptime),
            Act::ClearPort => match found.number("id") {
                Some(id) if id <= state.spec.model.ports => state.clear_port(id, uptime),
                _ => return Reply::error(Refusal::INVALID_PORT),
            },
            _ => return self.configure_with(found, state),
        }
        Reply::nothing()
    }

    fn close(&self) -> Reply {
        Reply {
            output: String::new(),
            then: Then::Close,
        }
    }

    /// `do <command>`: an exec command from a configuration mode. Its mode stays as it is.
    fn run_in_exec(&mut self, found: &Match<Act>, line: &str, state: &mut State, uptime: Duration) -> Reply {
        let rest = found.value("rest").unwrap_or_default();
        let at = line.find(rest).unwrap_or(0);
        let mut exec = Self {
            mode: Mode::Exec,
            targets: Vec::new(),
            ..self.clone()
        };
        if let Err(error) = exec.parse(rest.split('|').next().unwrap_or_default(), &state.grammars) {
            let error = SyntaxError {
                at: error.at + at,
                ..error
            };
            return Reply::text(self.caret(line, error, state));
        }
        let reply = exec.execute(rest, state, uptime);
        self.screen = exec.screen;
        reply
    }
}

fn show_or_refuse(shown: Result<String, Refusal>) -> Reply {
    match shown {
        Ok(text) => Reply::text(text),
        Err(refusal) => Reply::error(refusal),
    }
}

fn interface_headings(found: &Match<Act>) -> Vec<String> {
    let kind = ["GigabitEthernet", "10GigabitEthernet", "G.hn"]
        .into_iter()
        .find(|kind| found.has(kind));
    match (kind, found.value("ports"), found.value("vlans")) {
        (Some(kind), Some(list), _) => ports(list)
            .unwrap_or_default()
            .into_iter()
            .map(|port| format!("interface {kind} 1/{port}"))
            .collect(),
        (_, _, Some(list)) => edit::vlans(list)
            .into_iter()
            .map(|vlan| format!("interface vlan {vlan}"))
            .collect(),
        _ => Vec::new(),
    }
}

/// The endpoint that a command names by its MAC or id, configured or only seen.
fn named_endpoint(found: &Match<Act>, state: &State) -> Result<(u16, MacAddr), Refusal> {
    let by_mac = found.value("mac").and_then(|mac| mac.parse().ok());
    let endpoint = state.running.endpoints.iter().find(|(id, endpoint)| match by_mac {
        Some(mac) => endpoint.mac == mac,
        None => found.number("id") == Some(**id),
    });
    let (id, mac) = match (endpoint, by_mac) {
        (Some((id, endpoint)), _) => (*id, endpoint.mac),
        (None, Some(mac)) if state.plugged.contains_key(&mac) => (0, mac),
        _ => return Err(Refusal::NO_SUCH_ENDPOINT),
    };
    if state.plugged.contains_key(&mac) {
        Ok((id, mac))
    } else {
        Err(Refusal::ENDPOINT_NOT_FOUND)
    }
}

fn reboot_endpoint(found: &Match<Act>, state: &mut State, uptime: Duration) -> Reply {
    match named_endpoint(found, state) {
        Err(refusal) => Reply::error(refusal),
        Ok((id, mac)) => {
            state.restart_endpoint(mac, uptime);
            // Begins with a percent sign and is no error.
            Reply::error(format!("Rebooting G.hn Endpoint {id} with MAC: {mac}"))
        }
    }
}

fn clear_endpoint(found: &Match<Act>, state: &mut State, uptime: Duration) -> Reply {
    match named_endpoint(found, state) {
        Err(refusal) => Reply::error(refusal),
        Ok((_, mac)) => {
            if let Some(plug) = state.plugged.get_mut(&mac) {
                plug.counted_since = uptime;
            }
            Reply::nothing()
        }
    }
}

/// What follows a bar: which lines of an output are shown.
struct Filter<'a> {
    verb: &'static str,
    text: &'a str,
}

impl<'a> Filter<'a> {
    /// `begin X`, `include X`, `exclude X` behind a command that shows something, else `None`.
    fn read(command: &Match<Act>, filter: &'a str) -> Option<Self> {
        let shows = command.arguments.first()?;
        if !["show", "more", "dir"].contains(&&*shows.label) {
            return None;
        }
        let (begun, text) = filter.trim().split_once(' ')?;
        let verb = ["begin", "include", "exclude"]
            .into_iter()
            .find(|verb| verb.starts_with(begun))?;
        let text = text.trim();
        Some(Self { verb, text })
    }

    fn apply(&self, output: &str) -> String {
        let lines = output.lines();
        let holds = |line: &&str| line.contains(self.text);
        let kept: Vec<&str> = match self.verb {
            "begin" => lines.skip_while(|line| !holds(line)).collect(),
            "include" => lines.filter(holds).collect(),
            _ => lines.filter(|line| !holds(line)).collect(),
        };
        kept.iter().flat_map(|line| [*line, "\n"]).collect()
    }
}

#[cfg(test)]
mod tests;
