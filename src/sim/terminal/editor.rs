//! The line being typed: echo, cursor, sideways scrolling.

const BACKSPACE: u8 = 0x08;
const BELL: u8 = 0x07;
/// The longest line that the editor takes.
const LONGEST: usize = 4096;

/// How far into an escape sequence the input is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// After ESC.
    Begun,
    /// After ESC and `[` or `O`, with whatever digits.
    Sequence,
}

/// One line, of printable ASCII only: every other byte is a key or rings the bell.
#[derive(Debug, Default)]
pub(super) struct Editor {
    prompt: String,
    /// Columns left for the line: screen width less one, less the prompt.
    room: usize,
    line: String,
    cursor: usize,
    /// First character that is on the screen.
    first: usize,
    escape: Escape,
    /// How far back in the history the line is from; 0 is a new one.
    recalled: usize,
}

impl Editor {
    /// A new, empty line.
    pub(super) fn start(&mut self, prompt: &str, width: usize) {
        *self = Self {
            prompt: prompt.to_owned(),
            room: width.saturating_sub(1 + prompt.len()).max(4),
            ..Self::default()
        };
    }

    /// Prints the prompt.
    pub(super) fn show_prompt(&self, output: &mut Vec<u8>) {
        output.extend(self.prompt.bytes());
    }

    /// The finished line.
    pub(super) fn take(&mut self) -> String {
        self.cursor = 0;
        self.first = 0;
        std::mem::take(&mut self.line)
    }

    /// What stands left of the cursor.
    pub(super) fn before_cursor(&self) -> &str {
        self.line.get(..self.cursor).unwrap_or_default()
    }

    /// Prints prompt and line on a fresh line, the cursor where it was.
    pub(super) fn redraw(&self, output: &mut Vec<u8>) {
        self.show_prompt(output);
        self.show_line(0, output);
    }

    /// Takes bytes of escape sequences: arrows, Home and End. Whether the byte was one.
    pub(super) fn escape(&mut self, byte: u8, history: &[String], output: &mut Vec<u8>) -> bool {
        match (self.escape, byte) {
            (Escape::None, 0x1b) => self.escape = Escape::Begun,
            (Escape::None, _) => return false,
            (Escape::Begun, b'[' | b'O') => self.escape = Escape::Sequence,
            (Escape::Begun, _) => self.escape = Escape::None,
            (Escape::Sequence, b'0'..=b'9' | b';') => {}
            (Escape::Sequence, _) => {
                self.escape = Escape::None;
                match byte {
                    b'A' => self.recall(self.recalled + 1, history, output),
                    b'B' => self.recall(self.recalled.saturating_sub(1), history, output),
                    b'C' => self.move_to(self.cursor + 1, output),
                    b'D' => self.move_to(self.cursor.saturating_sub(1), output),
                    b'H' => self.move_to(0, output),
                    b'F' => self.move_to(self.line.len(), output),
                    _ => output.push(BELL),
                }
            }
        }
        true
    }

    /// One key that is neither a line end nor help.
    pub(super) fn key(&mut self, byte: u8, output: &mut Vec<u8>) {
        match byte {
            0x20..=0x7e => self.insert(byte, output),
            BACKSPACE | 0x7f => self.erase(self.cursor.saturating_sub(1), output),
            0x01 => self.move_to(0, output),
            0x02 => self.move_to(self.cursor.saturating_sub(1), output),
            0x04 if self.cursor < self.line.len() => {
                self.cursor += 1;
                self.erase(self.cursor - 1, output);
            }
            0x05 => self.move_to(self.line.len(), output),
            0x06 => self.move_to(self.cursor + 1, output),
            0x0b => {
                let column = self.column();
                self.line.truncate(self.cursor);
                self.show_over(column, output);
            }
            0x15 => self.erase(0, output),
            0x17 => {
                let kept = self.before_cursor().trim_end().rfind(' ').map_or(0, |blank| blank + 1);
                self.erase(kept, output);
            }
            _ => output.push(BELL),
        }
    }

    fn insert(&mut self, byte: u8, output: &mut Vec<u8>) {
        if self.line.len() >= LONGEST {
            output.push(BELL);
            return;
        }
        let at_end = self.cursor == self.line.len();
        let column = self.column();
        self.line.insert(self.cursor, char::from(byte));
        self.cursor += 1;
        if at_end && column + 1 < self.room {
            output.push(byte);
        } else {
            self.show_over(column, output);
        }
    }

    /// Deletes from `from` to the cursor.
    fn erase(&mut self, from: usize, output: &mut Vec<u8>) {
        if from == self.cursor {
            output.push(BELL);
            return;
        }
        let column = self.column();
        self.line.replace_range(from..self.cursor, "");
        self.cursor = from;
        self.show_over(column, output);
    }

    fn move_to(&mut self, to: usize, output: &mut Vec<u8>) {
        if to > self.line.len() || to == self.cursor {
            output.push(BELL);
            return;
        }
        let column = self.column();
        self.cursor = to;
        self.show_over(column, output);
    }

    fn recall(&mut self, back: usize, history: &[String], output: &mut Vec<u8>) {
        let line = match back {
            0 => "",
            _ => match history.len().checked_sub(back).and_then(|index| history.get(index)) {
                Some(line) => line,
                None => {
                    output.push(BELL);
                    return;
                }
            },
        };
        let column = self.column();
        self.recalled = back;
        line.clone_into(&mut self.line);
        self.cursor = self.line.len();
        self.show_over(column, output);
    }

    /// The cursor's column, counted from the end of the prompt.
    fn column(&self) -> usize {
        self.cursor - self.first
    }

    /// Goes back `column` places, scrolls so that the cursor is on the screen, and prints what is to be seen.
    fn show_over(&mut self, column: usize, output: &mut Vec<u8>) {
        output.extend(std::iter::repeat_n(BACKSPACE, column));
        let step = (self.room / 3).max(1);
        while self.cursor < self.first + usize::from(self.first > 0) {
            self.first = self.first.saturating_sub(step);
        }
        while self.cursor - self.first >= self.room {
            self.first += step;
        }
        self.show_line(self.room, output);
    }

    /// Prints the visible part, `$` where more lies beyond an edge, blanks up to `width`, and puts the cursor
    /// back into its place.
    fn show_line(&self, width: usize, output: &mut Vec<u8>) {
        let end = self.line.len().min(self.first + self.room);
        let mut seen: Vec<u8> = self.line.as_bytes()[self.first..end].to_vec();
        if self.first > 0
            && let Some(edge) = seen.first_mut()
        {
            *edge = b'$';
        }
        if end < self.line.len()
            && let Some(edge) = seen.last_mut()
        {
            *edge = b'$';
        }
        let blanks = width.saturating_sub(seen.len());
        let back = seen.len() + blanks - self.column();
        output.extend(&seen);
        output.extend(std::iter::repeat_n(b' ', blanks));
        output.extend(std::iter::repeat_n(BACKSPACE, back));
    }
}
