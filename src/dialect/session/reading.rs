//! From bytes to a reply: one command at a time.

use crate::dialect::command::{READ_RUNNING, READ_RUNNING_ALL_DEFAULTS, READ_STARTUP};

use super::screen::Screen;
use super::{Prompt, Reply, classify, is_question};

/// What the bytes so far amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Showing {
    /// In the middle of something.
    Output,
    /// The pager waits for a key: answer `g`.
    Pager,
    /// The last line is the prompt. It may still be output that happens to look like one and goes on, so
    /// wait for silence where [`Reading::could_go_on`] says so.
    Prompt(Prompt),
    /// More than any reply can be; what came after that is not kept.
    TooMuch,
}

/// What a device says between login and its first prompt: a banner perhaps, perhaps paged.
#[derive(Debug, Clone)]
pub struct Greeting {
    screen: Screen,
}

impl Default for Greeting {
    fn default() -> Self {
        Self::new()
    }
}

impl Greeting {
    /// Nothing heard yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            screen: Screen::holding(""),
        }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.screen.push(bytes);
    }

    /// What they amount to. A prompt is a guess here: any line that ends in `# ` fits. Send an empty line
    /// and see whether the very same comes back.
    #[must_use]
    pub fn showing(&self) -> Showing {
        showing(&self.screen, |_| true)
    }

    /// Notes that the pager was given its key.
    pub fn pager_answered(&mut self) {
        self.screen.pager_answered();
    }

    /// How many empty lines brought the very same prompt back: it stands on so many lines, and again on the last.
    #[must_use]
    pub fn confirmations(&self, prompt: &Prompt) -> usize {
        let prompt = prompt.to_string();
        if self.screen.current() != prompt {
            return 0;
        }
        self.screen.lines().rev().take_while(|line| *line == prompt).count()
    }

    /// The line that tells that all sessions are taken: `Only 4 connections allowed` in the family.
    #[must_use]
    pub fn too_many_sessions(&self) -> Option<String> {
        self.screen
            .lines()
            .chain([self.screen.current()])
            .find(|line| line.trim_start().starts_with("Only ") && line.contains("connections allowed"))
            .map(|line| line.trim().to_owned())
    }
}

/// The reply does not begin with the echo of the command: what we read belongs to something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the device echoed something else than the command")]
pub struct OutOfStep;

/// One command and what comes back for it.
#[derive(Debug, Clone)]
pub struct Reading {
    screen: Screen,
    prompt: Prompt,
    command: String,
}

impl Reading {
    /// Starts where `prompt` stands on the screen and `command` is about to be sent.
    #[must_use]
    pub fn of(prompt: &Prompt, command: &str) -> Self {
        Self {
            screen: Screen::holding(&prompt.to_string()),
            prompt: prompt.clone(),
            command: command.to_owned(),
        }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.screen.push(bytes);
    }

    /// What they amount to. Only the learnt host name makes a prompt, in whatever mode; a command that
    /// changes the host name accepts any, to be confirmed by the caller.
    #[must_use]
    pub fn showing(&self) -> Showing {
        if self.screen.lines().len() == 0 {
            // Still on the line of the echo, which begins with the prompt.
            return if self.screen.overflowed() {
                Showing::TooMuch
            } else {
                Showing::Output
            };
        }
        let renames = renames(&self.command);
        showing(&self.screen, |found| {
            if renames {
                found.mode == self.prompt.mode
            } else {
                found.hostname == self.prompt.hostname
            }
        })
    }

    /// Whether what looks like the prompt may be output that goes on: there was output, or the prompt is
    /// so bare that output may begin like it. Behind the `end` that closes a configuration nothing goes on.
    #[must_use]
    pub fn could_go_on(&self) -> bool {
        if shows_configuration(&self.command) && self.screen.lines().next_back().is_some_and(|line| line == "end") {
            return false;
        }
        self.screen.lines().len() > 1 || (self.prompt.hostname.is_empty() && is_question(&self.command))
    }

    /// Notes that the pager was given its key.
    pub fn pager_answered(&mut self) {
        self.screen.pager_answered();
    }

    /// What came of the command, once its prompt is back.
    ///
    /// # Errors
    ///
    /// [`OutOfStep`] when the first line is not the echo of the command: earlier output ran into it, or
    /// somebody else types on this line. Nothing read may be believed then.
    pub fn finish(self) -> Result<Reply, OutOfStep> {
        let mut lines = self.screen.lines();
        let echo = lines.next().ok_or(OutOfStep)?;
        if !is_echo(&self.prompt, &self.command, &echo, self.screen.first_was_edited()) {
            return Err(OutOfStep);
        }
        let lines: Vec<String> = lines.map(std::borrow::Cow::into_owned).collect();
        Ok(classify(&self.prompt, &self.command, &lines))
    }
}

fn showing(screen: &Screen, expected: impl Fn(&Prompt) -> bool) -> Showing {
    if screen.overflowed() {
        return Showing::TooMuch;
    }
    if screen.at_pager() {
        return Showing::Pager;
    }
    match Prompt::parse(&screen.current()) {
        Some(prompt) if expected(&prompt) => Showing::Prompt(prompt),
        _ => Showing::Output,
    }
}

/// How much of a line that scrolled sideways must still be seen. The cursor is behind its end, so the end
/// of the command always shows.
const SEEN_WHEN_SCROLLED: usize = 4;

fn is_echo(prompt: &Prompt, command: &str, line: &str, edited: bool) -> bool {
    let expected = format!("{prompt}{command}");
    if line.trim_end() == expected.trim_end() {
        return true;
    }
    if !edited {
        return false;
    }
    let tail_start = command
        .char_indices()
        .rev()
        .nth(SEEN_WHEN_SCROLLED - 1)
        .map_or(0, |(at, _)| at);
    command
        .get(tail_start..)
        .is_some_and(|tail| line.contains(tail.trim_end()))
}

/// Whether a command prints a whole configuration, which closes with `end` at the start of a line of its own (CLI
/// guide). A banner of several lines might hold such a line and the prompt below it; cut into packets exactly there, the
/// rest of it meets the next command's echo, and the session ends there instead of being believed.
fn shows_configuration(command: &str) -> bool {
    [READ_RUNNING, READ_RUNNING_ALL_DEFAULTS, READ_STARTUP].contains(&command)
}

/// Whether a command changes the host name, and with it the prompt, at once.
fn renames(command: &str) -> bool {
    let mut words = command.split_whitespace();
    match words.next() {
        Some("hostname") => true,
        Some("no") => words.next() == Some("hostname"),
        _ => false,
    }
}

/// A command holds a character that acts on the line editor instead of being part of it. Our bug: texts
/// are checked where commands are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{character:?} must not be sent to a device: its line editor acts on it")]
pub struct UnsafeCommand {
    /// The first such character.
    pub character: char,
}

/// Checks that a command is one line of printable ASCII without `?`, which asks for help at once.
///
/// # Errors
///
/// [`UnsafeCommand`] naming the first character that is not.
pub fn check_command(command: &str) -> Result<(), UnsafeCommand> {
    match command
        .chars()
        .find(|&character| character == '?' || !(' '..='~').contains(&character))
    {
        Some(character) => Err(UnsafeCommand { character }),
        None => Ok(()),
    }
}
