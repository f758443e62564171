//! The few things a terminal does that matter for reading: CR, backspace, wiping, escape sequences.
//!
//! Bytes are taken one at a time, so how they were cut into packets cannot matter.

use std::borrow::Cow;

/// More than any reply can be: a full running-config of 384 endpoints and subscribers is about 150 KB.
/// Beyond it the peer is not a GAM, and its bytes are no longer kept.
const LARGEST_REPLY: usize = 8 * 1024 * 1024;

/// A longer escape sequence is noise, and ends here, so that noise cannot swallow all that follows.
const LONGEST_ESCAPE: usize = 64;

/// The pager's words. On a narrow terminal nothing follows them (sister products' source).
const PAGER: &str = "-- more --";
const PAGER_KEYS: &str = "-- more --, next page: Space, continue: g, quit: ^C";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Started,
    /// `ESC [`, with the number of bytes taken.
    Control(usize),
    /// `ESC ]`, with the number of bytes taken.
    Title(usize),
}

/// What the bytes so far look like on a terminal of endless width.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    lines: Vec<Vec<u8>>,
    current: Vec<u8>,
    cursor: usize,
    escape: Escape,
    /// Something on the current line was written over: it is not simply what was sent, in order.
    edited: bool,
    /// The first line was edited.
    first_edited: bool,
    /// The pager's words stand or stood on the current line and have been answered.
    paged: bool,
    size: usize,
}

impl Screen {
    /// A screen whose current line already holds `text`, the cursor behind it.
    pub(super) fn holding(text: &str) -> Self {
        Self {
            lines: Vec::new(),
            current: text.as_bytes().to_vec(),
            cursor: text.len(),
            escape: Escape::None,
            edited: false,
            first_edited: false,
            paged: false,
            size: 0,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.size = self.size.saturating_add(1);
            if self.overflowed() {
                return;
            }
            self.take(byte);
        }
    }

    /// Whether more came than any reply can be.
    pub(super) fn overflowed(&self) -> bool {
        self.size > LARGEST_REPLY
    }

    /// The finished lines, oldest first, without line ends.
    pub(super) fn lines(&self) -> impl ExactSizeIterator<Item = Cow<'_, str>> + DoubleEndedIterator {
        self.lines.iter().map(|line| String::from_utf8_lossy(line))
    }

    /// The line that the cursor is on.
    pub(super) fn current(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.current)
    }

    /// Whether the first line was redrawn while it was written, as a line that scrolls sideways is.
    pub(super) fn first_was_edited(&self) -> bool {
        if self.lines.is_empty() {
            self.edited
        } else {
            self.first_edited
        }
    }

    /// Whether the pager waits for a key.
    pub(super) fn at_pager(&self) -> bool {
        !self.paged && self.cursor == self.current.len() && is_pager(&self.current)
    }

    /// Notes that the pager was given its key.
    pub(super) fn pager_answered(&mut self) {
        self.paged = true;
    }

    fn take(&mut self, byte: u8) {
        match self.escape {
            Escape::None => self.take_plain(byte),
            Escape::Started => {
                self.escape = match byte {
                    b'[' => Escape::Control(0),
                    b']' => Escape::Title(0),
                    _ => Escape::None,
                }
            }
            Escape::Control(length) => {
                self.escape = if (0x40..=0x7e).contains(&byte) || length >= LONGEST_ESCAPE {
                    Escape::None
                } else {
                    Escape::Control(length + 1)
                };
            }
            Escape::Title(length) => {
                self.escape = match byte {
                    0x07 => Escape::None,
                    0x1b => Escape::Started,
                    _ if length >= LONGEST_ESCAPE => Escape::None,
                    _ => Escape::Title(length + 1),
                };
            }
        }
    }

    fn take_plain(&mut self, byte: u8) {
        match byte {
            b'\n' => self.finish_line(),
            b'\r' => self.carriage_return(),
            0x08 => {
                self.cursor = self.cursor.saturating_sub(1);
            }
            0x1b => self.escape = Escape::Started,
            b'\t' | 0x20..=0x7e | 0x80.. => {
                match self.current.get_mut(self.cursor) {
                    Some(place) => {
                        *place = byte;
                        self.edited = true;
                    }
                    None => self.current.push(byte),
                }
                self.cursor += 1;
            }
            // Bells and other control characters show nothing.
            _ => {}
        }
    }

    fn carriage_return(&mut self) {
        if self.current.is_empty() {
            return;
        }
        // CR, blanks, CR is how the pager wipes its words: what follows starts on a clean line.
        if self.current.iter().all(|&byte| byte == b' ') {
            self.current.clear();
            self.paged = false;
        }
        self.cursor = 0;
    }

    fn finish_line(&mut self) {
        let mut line = std::mem::take(&mut self.current);
        if self.paged {
            // Wiped with fewer blanks than it had, or not at all.
            line.truncate(line.trim_ascii_end().len());
        }
        if self.lines.is_empty() {
            self.first_edited = self.edited;
        }
        if !(self.paged && (line.is_empty() || is_pager(&line))) {
            self.lines.push(line);
        }
        self.cursor = 0;
        self.edited = false;
        self.paged = false;
    }
}

fn is_pager(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    line == PAGER.as_bytes() || line == PAGER_KEYS.as_bytes()
}
