//! The last bytes that a device sent: the evidence that goes into an error.

use std::collections::VecDeque;

/// How many bytes are kept.
const KEPT: usize = 2048;

/// The newest bytes of a conversation.
#[derive(Debug, Default)]
pub(super) struct Received(VecDeque<u8>);

impl Received {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let newest = bytes.get(bytes.len().saturating_sub(KEPT)..).unwrap_or_default();
        let surplus = (self.0.len() + newest.len()).saturating_sub(KEPT);
        self.0.drain(..surplus);
        self.0.extend(newest);
    }

    /// The bytes as text on one line: control characters escaped, so that nothing of them acts on the
    /// terminal that shows it.
    pub(super) fn escaped(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().copied().collect();
        String::from_utf8_lossy(&bytes)
            .chars()
            .flat_map(|character| {
                let plain = !character.is_control() && character != '\\';
                let escaped = (!plain).then(|| character.escape_default());
                plain
                    .then_some(character)
                    .into_iter()
                    .chain(escaped.into_iter().flatten())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_bytes_are_kept() {
        let mut received = Received::default();
        received.push(&[b'a'; 3000]);
        received.push(b"end");
        let text = received.escaped();
        assert_eq!(text.len(), KEPT);
        assert!(text.ends_with("aend"));
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
}
