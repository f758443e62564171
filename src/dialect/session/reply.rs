//! What a reply means.

use super::refusal::kind_of;
use super::{Prompt, Refusal};

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It was done, or it was a question. The output, each line ended by `\n`; empty for most changes,
    /// since success prints nothing.
    Done(String),
    /// It was done, and the device said so in `%` lines that are known to be good: saving, rebooting an
    /// endpoint. These lines as printed, joined by `\n`.
    Notice(String),
    /// It was refused.
    Refused(Refusal),
}

impl Reply {
    /// The output of a command that was done.
    ///
    /// # Errors
    ///
    /// The refusal, when it was refused.
    pub fn done(self) -> Result<String, Refusal> {
        match self {
            Self::Done(output) => Ok(output),
            Self::Notice(lines) => Ok(lines + "\n"),
            Self::Refused(refusal) => Err(refusal),
        }
    }

    /// What the device said: the output, the good `%` lines, or the refusal.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Done(text) | Self::Notice(text) => text,
            Self::Refused(refusal) => &refusal.text,
        }
    }
}

/// Whether a command only asks. What such a command prints is the device's content, in which a line may
/// begin with `%` (a login banner, say); a refusal of it stands at its start, never in the middle.
#[must_use]
pub fn is_question(command: &str) -> bool {
    matches!(command.split_whitespace().next(), Some("show" | "more" | "dir"))
}

/// Reads the lines between the echo of a command and the next prompt.
///
/// A `%` line that is not known to be good refuses: after a change, silence is the only success.
#[must_use]
pub fn classify(prompt: &Prompt, command: &str, lines: &[String]) -> Reply {
    let mut notices = Vec::new();
    let mut caret_line = None;
    for (index, line) in lines.iter().enumerate() {
        if let Some(column) = caret_column(line) {
            caret_line = Some((index, column));
            continue;
        }
        let Some(text) = line.strip_prefix('%').map(str::trim) else {
            if is_question(command) && caret_line.is_none() && !line.trim().is_empty() && !is_reprint(command, line) {
                break;
            }
            continue;
        };
        if is_good(text) {
            notices.push(line.trim_end());
            continue;
        }
        // Above the caret stands either nothing, and the caret is under the echo, or the command again,
        // wrapped, and then its column says little.
        let caret = caret_line.and_then(|(at, column)| {
            let under_echo = lines.iter().take(at).all(|above| above.trim().is_empty());
            under_echo.then(|| column.checked_sub(prompt.to_string().chars().count()))?
        });
        return Reply::Refused(Refusal {
            text: line.trim_end().to_owned(),
            kind: kind_of(line),
            word: caret.and_then(|at| word_at(command, at)),
            caret,
        });
    }
    if notices.is_empty() {
        Reply::Done(lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect())
    } else {
        Reply::Notice(notices.join("\n"))
    }
}

/// A line of blanks and one `^`.
fn caret_column(line: &str) -> Option<usize> {
    let blanks = line.trim_end().strip_suffix('^')?;
    blanks.bytes().all(|byte| byte == b' ').then_some(blanks.len())
}

/// Whether a line can be part of the command printed again, wrapped, above a caret.
fn is_reprint(command: &str, line: &str) -> bool {
    let line = line.trim();
    let tail = line.rsplit_once("# ").map_or(line, |(_, tail)| tail);
    command.contains(tail.trim())
}

fn word_at(command: &str, at: usize) -> Option<String> {
    let rest: String = command.chars().skip(at).collect();
    rest.split_whitespace().next().map(str::to_owned)
}

/// `%` lines that report success (sister products' source; CLI guide for the second).
fn is_good(text: &str) -> bool {
    let saving = text
        .strip_prefix("Saving ")
        .and_then(|rest| rest.split_once(" bytes to "));
    let rebooting = text.strip_prefix("Rebooting G.hn Endpoint ");
    saving.is_some_and(|(size, _)| !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()))
        || rebooting.is_some_and(|rest| rest.contains(" with MAC: "))
}
