//! The last bytes that a device sent: the evidence that goes into an error.

use std::collections::VecDeque;

use super::tape::Tape;
use crate::dialect::redact;
use crate::dialect::session::Prompt;

/// How many bytes are kept.
const KEPT: usize = 2048;

/// The newest bytes of a conversation.
#[derive(Debug, Default)]
pub(super) struct Received {
    bytes: VecDeque<u8>,
    /// Whether older bytes were let go.
    cut: bool,
    /// All of it, where it is kept.
    tape: Tape,
}

impl Received {
    /// One that also keeps all that comes.
    pub(super) fn on_tape() -> Self {
        Self {
            tape: Tape::running(),
            ..Self::default()
        }
    }

    /// Notes that what comes from now on is for this command.
    pub(super) fn next(&mut self, prompt: &Prompt, command: &str) {
        self.clear();
        self.tape.next(prompt, command);
    }

    /// Everything that came, where it is kept.
    pub(super) fn tape(&self) -> &Tape {
        &self.tape
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.cut = false;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.tape.push(bytes);
        let newest = bytes.get(bytes.len().saturating_sub(KEPT)..).unwrap_or_default();
        let surplus = (self.bytes.len() + newest.len()).saturating_sub(KEPT);
        self.cut |= surplus > 0 || newest.len() < bytes.len();
        self.bytes.drain(..surplus);
        self.bytes.extend(newest);
    }

    /// The bytes as text on one line: secrets masked, and control characters escaped, so that nothing of
    /// them acts on the terminal that shows it.
    pub(super) fn escaped(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        // A line without its beginning could hold a secret without the word that tells.
        let whole = match text.split_once('\n') {
            Some((_, rest)) if self.cut => rest,
            None if self.cut => "",
            _ => &text,
        };
        let mut escaped = String::with_capacity(whole.len());
        for character in redact::secrets(whole).chars() {
            if character.is_control() || character == '\\' {
                escaped.extend(character.escape_default());
            } else {
                escaped.push(character);
            }
        }
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_bytes_are_kept() {
        let mut received = Received::default();
        received.push(b"first\n");
        received.push(&[b'a'; 3000]);
        received.push(b"\nlast");
        assert_eq!(received.escaped(), "last");
        received.clear();
        received.push(b"next");
        assert_eq!(received.escaped(), "next");
    }

    #[test]
    fn nothing_in_it_acts_on_a_terminal() {
        let mut received = Received::default();
        received.push(b"gam# \x1b[2J\r\n\x07\xff\\");
        assert_eq!(
            received.escaped(),
            r"gam# \u{1b}[2J\r\n\u{7}".to_owned() + "\u{fffd}\\\\"
        );
    }

    #[test]
    fn no_secret_is_in_it_however_the_text_was_cut() {
        let line = "username admin privilege 15 password encrypted canary-91c2\r\n";
        for start in 0..line.len() {
            let mut received = Received::default();
            received.push(&[b'x'; KEPT]);
            received.push(&line.as_bytes()[start..]);
            received.push(&[b'.'; KEPT / 2]);
            received.push(b"\r\nsnmp-server community canary-91c2");
            assert!(!received.escaped().contains("canary"), "{}", received.escaped());
        }
    }
}
