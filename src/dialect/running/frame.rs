//! The frame around a configuration: pager remains, `Building configuration...`, `!`, `end`.
//!
//! Knows nothing of what the lines mean. Its one promise: a text that is not whole is an error.

use super::Incomplete;
use crate::dialect::redact;

/// One line of a configuration, frame and terminal noise taken off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1 in the text as read.
    pub(super) number: usize,
    /// Whether it belongs to the section above it.
    pub(super) indented: bool,
    /// Content without blanks at either end; never empty.
    pub(super) text: String,
}

/// The lines between the frame, in printed order, without `!` and empty lines.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, Incomplete> {
    let mut lines = Vec::new();
    let mut ended = false;
    let mut last = 0;
    for (index, raw) in raw_lines(text).enumerate() {
        let number = index + 1;
        let shown = as_shown(raw);
        let shown = without_pager(&shown);
        let content = shown.trim();
        if content.is_empty() {
            continue;
        }
        last = number;
        if ended {
            if is_prompt(content) {
                continue;
            }
            return Err(Incomplete::AfterEnd { line: number });
        }
        let indented = shown.starts_with(' ');
        match content {
            "end" if !indented => ended = true,
            _ if content.starts_with('!') || is_heading(content) => {}
            _ if content.starts_with('%') && !indented => {
                return Err(Incomplete::Interrupted {
                    line: number,
                    text: redact::line(content),
                });
            }
            _ => lines.push(Line {
                number,
                indented,
                text: content.to_owned(),
            }),
        }
    }
    if ended {
        Ok(lines)
    } else {
        Err(Incomplete::NoEnd { lines: last })
    }
}

/// The lines as they were read, from the first that holds more than the heading.
pub(super) fn body(text: &str) -> impl Iterator<Item = &str> {
    raw_lines(text).skip_while(|line| line.trim().is_empty() || is_heading(line.trim()))
}

/// Output lines end in CRLF; files may have either half alone.
fn raw_lines(text: &str) -> impl Iterator<Item = &str> {
    let separator = if text.contains('\n') { '\n' } else { '\r' };
    text.split(separator)
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// What a terminal shows of a line: the pager and the line editor wipe their own text with carriage returns
/// and backspaces, and what was wiped is not configuration.
fn as_shown(raw: &str) -> String {
    if !raw.contains(|c: char| c.is_control()) {
        return raw.to_owned();
    }
    let mut shown: Vec<char> = Vec::with_capacity(raw.len());
    let mut column: usize = 0;
    for character in raw.chars() {
        match character {
            '\r' => column = 0,
            '\u{8}' => column = column.saturating_sub(1),
            '\t' => write_at(&mut shown, &mut column, ' '),
            control if control.is_control() => {}
            visible => write_at(&mut shown, &mut column, visible),
        }
    }
    shown.into_iter().collect()
}

fn write_at(shown: &mut Vec<char>, column: &mut usize, character: char) {
    match shown.get_mut(*column) {
        Some(place) => *place = character,
        None => shown.push(character),
    }
    *column += 1;
}

/// Takes off a pager line that was not wiped.
fn without_pager(shown: &str) -> &str {
    const PAGER: &str = "-- more --";
    const KEYS: &str = ", next page: Space, continue: g, quit: ^C";
    match shown.strip_prefix(PAGER) {
        Some(rest) => rest.strip_prefix(KEYS).unwrap_or(rest),
        None => shown,
    }
}

/// `Building configuration...`, on old firmware without the dots, and the echo of the command itself.
fn is_heading(content: &str) -> bool {
    content.trim_end_matches('.') == "Building configuration"
        || content.starts_with("show running-config")
        || content == "more flash:startup-config"
}

/// A prompt has no blank inside: host name, mode in brackets, `#` or `>`.
fn is_prompt(content: &str) -> bool {
    content.ends_with(['#', '>']) && !content.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        lines(text).unwrap().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_the_pager_wiped_is_not_configuration() {
        let wiped = format!("\r{}\r", " ".repeat(60));
        let text = format!(
            "Building configuration...\r\na\r\n-- more --, next page: Space, continue: g, quit: ^C{wiped} b\r\nend\r\n# "
        );
        assert_eq!(texts(&text), ["a", "b"]);
        assert!(lines(&text).unwrap()[1].indented);
        assert_eq!(
            texts("a\n-- more --, next page: Space, continue: g, quit: ^Cb\nend"),
            ["a", "b"]
        );
        assert_eq!(texts("a\n-- more --\nb\nend"), ["a", "b"]);
    }

    #[test]
    fn a_text_without_end_is_refused() {
        assert_eq!(lines("a\nb\n"), Err(Incomplete::NoEnd { lines: 2 }));
        assert_eq!(lines(""), Err(Incomplete::NoEnd { lines: 0 }));
        assert_eq!(lines("a\n end\n"), Err(Incomplete::NoEnd { lines: 2 }));
        assert_eq!(lines("a\nendpoint\n"), Err(Incomplete::NoEnd { lines: 2 }));
    }

    #[test]
    fn text_after_end_is_refused_unless_it_is_the_prompt() {
        assert_eq!(texts("a\nend\n\ngam-maple(config)# "), ["a"]);
        assert_eq!(lines("a\nend\nb"), Err(Incomplete::AfterEnd { line: 3 }));
    }

    #[test]
    fn an_error_in_between_is_refused() {
        assert!(matches!(
            lines("a\n% Busy\nend"),
            Err(Incomplete::Interrupted { line: 2, .. })
        ));
    }

    #[test]
    fn only_the_heading_may_differ_between_two_texts_that_say_the_same() {
        let same = |one: &str, other: &str| body(one).eq(body(other));
        assert!(same(
            "\r\nBuilding configuration...\r\na\r\n!\r\nend\r\n",
            "a\n!\nend\n"
        ));
        assert!(!same("a\nend\n", " a\nend\n"));
        assert!(!same("a\nb\nend\n", "a\nend\n"));
        assert!(!same("a\nend\n", "a\n"));
    }

    #[test]
    fn lines_may_end_in_carriage_returns_only() {
        assert_eq!(texts("a\rb\rend\r"), ["a", "b"]);
    }
}
