//! The screen of one session: bytes in, bytes out.
//!
//! Echo, line editing, sideways scrolling, help, the pager. No I/O and no clock: the caller feeds bytes, takes
//! what is to be sent, runs the lines that come out and hands back their text. Knows nothing of commands but
//! what [`Shell::continuations`] tells it.

mod editor;
mod pager;

use std::collections::VecDeque;

use super::shell::{Screen, Shell};
use super::state::State;

use editor::Editor;
use pager::{Key, Pager};

/// What a terminal has for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// Nothing until more bytes come.
    Wait,
    /// A whole line: run it and call [`Terminal::finish`].
    Line(String),
}

enum Phase {
    /// At the prompt, a line being typed.
    Editing,
    /// A line was handed out; what is typed meanwhile waits.
    Running,
    /// In the middle of output that is longer than the screen.
    Paging(Pager),
}

/// One session's screen.
pub(super) struct Terminal {
    phase: Phase,
    editor: Editor,
    /// Typed but not yet looked at.
    input: VecDeque<u8>,
    /// Whether the last byte was a CR, so that an LF after it is no second line end.
    after_return: bool,
    history: Vec<String>,
    output: Vec<u8>,
}

impl Terminal {
    /// A terminal that is about to print its first text: call [`Terminal::finish`] with the banner.
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Running,
            editor: Editor::default(),
            input: VecDeque::new(),
            after_return: false,
            history: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Takes typed bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.input.extend(bytes);
    }

    /// Takes what is to be sent.
    pub(super) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Whether the pager is waiting for a key.
    #[cfg(test)]
    pub(super) fn is_paging(&self) -> bool {
        matches!(self.phase, Phase::Paging(_))
    }

    /// Shows the text of the line that was run, lines ended by `\n`, and then the prompt.
    pub(super) fn finish(&mut self, text: &str, shell: &Shell, state: &State) {
        let mut pager = Pager::new(text);
        if pager.page(&shell.screen, &mut self.output) {
            self.phase = Phase::Paging(pager);
        } else {
            self.prompt(shell, state);
        }
    }

    fn prompt(&mut self, shell: &Shell, state: &State) {
        self.phase = Phase::Editing;
        self.editor.start(&shell.prompt(state), shell.screen.width);
        self.editor.show_prompt(&mut self.output);
    }

    /// Looks at typed bytes until a line is whole or they run out.
    pub(super) fn advance(&mut self, shell: &mut Shell, state: &State) -> Event {
        loop {
            if matches!(self.phase, Phase::Running) {
                return Event::Wait;
            }
            let Some(byte) = self.input.pop_front() else {
                return Event::Wait;
            };
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            if after_return && (byte == b'\n' || byte == 0) {
                continue;
            }
            if let Phase::Paging(pager) = &mut self.phase {
                if pager.press(Key::of(byte), &shell.screen, &mut self.output) {
                    continue;
                }
                self.prompt(shell, state);
                continue;
            }
            if let Some(line) = self.edit(byte, shell, state) {
                self.phase = Phase::Running;
                return Event::Line(line);
            }
        }
    }

    /// One byte at the prompt. A whole line comes back when it ends one.
    fn edit(&mut self, byte: u8, shell: &mut Shell, state: &State) -> Option<String> {
        let output = &mut self.output;
        if self.editor.escape(byte, &self.history, output) {
            return None;
        }
        match byte {
            b'\r' | b'\n' => {
                output.extend(b"\r\n");
                let line = self.editor.take();
                if !line.trim().is_empty() && self.history.last() != Some(&line) {
                    self.history.push(line.clone());
                    if self.history.len() > 32 {
                        self.history.remove(0);
                    }
                }
                return Some(line);
            }
            b'?' => self.help(shell, state),
            b'\t' => self.complete(shell, state),
            // ^C drops the line, ^Z drops it and leaves every mode.
            0x03 => {
                output.extend(b"\r\n");
                self.prompt(shell, state);
            }
            0x1a => {
                output.extend(b"\r\n");
                shell.leave_all();
                self.prompt(shell, state);
            }
            _ => self.editor.key(byte, output),
        }
        None
    }

    /// `?`: what may come next, at once and without Enter, then the line again.
    fn help(&mut self, shell: &Shell, state: &State) {
        let found = shell.continuations(self.editor.before_cursor(), state);
        self.output.extend(b"\r\n");
        let end = found.end.then(|| "<cr>".to_owned());
        let mut none = true;
        for item in found.words.iter().chain(&found.values).chain(&end) {
            none = false;
            self.output.extend(format!("    {item}\r\n").bytes());
        }
        if none {
            self.output.extend(b"% No available command.\r\n");
        }
        self.editor.redraw(&mut self.output);
    }

    /// Tab: the rest of the word when it is the start of one only; all that fit when of several.
    fn complete(&mut self, shell: &Shell, state: &State) {
        let found = shell.continuations(self.editor.before_cursor(), state);
        match found.words.as_slice() {
            [word] => {
                let rest = word.get(found.begun.len()..).unwrap_or_default().to_owned();
                for byte in rest.bytes().chain([b' ']) {
                    self.editor.key(byte, &mut self.output);
                }
            }
            [] => self.output.push(0x07),
            _ => self.help(shell, state),
        }
    }
}

/// The rows that a line takes on this screen.
fn rows(line: &str, screen: &Screen) -> usize {
    line.len().div_ceil(screen.width.max(1)).max(1)
}

#[cfg(test)]
mod tests;
