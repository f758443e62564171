//! Output longer than the screen.

use std::collections::VecDeque;

use crate::sim::shell::Screen;

use super::rows;

const LONG: &str = "-- more --, next page: Space, continue: g, quit: ^C";
const SHORT: &str = "-- more --";

/// The keys that the pager tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// One line more.
    Line,
    /// All the rest.
    All,
    /// No more.
    Quit,
    /// One page more: space and nearly everything else.
    Page,
}

impl Key {
    pub(super) const fn of(byte: u8) -> Self {
        match byte {
            b'\r' | b'\n' => Self::Line,
            b'g' => Self::All,
            b'q' | 0x03 => Self::Quit,
            _ => Self::Page,
        }
    }
}

/// What is left of an output.
pub(super) struct Pager {
    lines: VecDeque<String>,
    prompt: &'static str,
}

impl Pager {
    pub(super) fn new(text: &str) -> Self {
        Self {
            lines: text.lines().map(str::to_owned).collect(),
            prompt: LONG,
        }
    }

    /// Shows a page: two lines less than the screen has, or everything when its length is 0. Whether there
    /// is more, and the question was asked.
    pub(super) fn page(&mut self, screen: &Screen, output: &mut Vec<u8>) -> bool {
        let room = match screen.length {
            0 => usize::MAX,
            length => length.saturating_sub(2).max(1),
        };
        self.show(room, screen, output)
    }

    /// Answers the question. Whether it was asked again.
    pub(super) fn press(&mut self, key: Key, screen: &Screen, output: &mut Vec<u8>) -> bool {
        let blanks = " ".repeat(self.prompt.len());
        output.extend(format!("\r{blanks}\r").bytes());
        match key {
            Key::Quit => false,
            Key::All => self.show(usize::MAX, screen, output),
            Key::Line => self.show(1, screen, output),
            Key::Page => self.page(screen, output),
        }
    }

    fn show(&mut self, room: usize, screen: &Screen, output: &mut Vec<u8>) -> bool {
        let mut used = 0;
        while let Some(line) = self.lines.front() {
            let rows = rows(line, screen);
            if used > 0 && used + rows > room {
                break;
            }
            used += rows;
            output.extend(line.bytes());
            output.extend(b"\r\n");
            self.lines.pop_front();
            if used >= room {
                break;
            }
        }
        if self.lines.is_empty() {
            return false;
        }
        self.prompt = if screen.width > LONG.len() + 2 { LONG } else { SHORT };
        output.extend(self.prompt.bytes());
        true
    }
}
