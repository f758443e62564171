//! Splits one configuration line into words, quotes taken into account.

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect) struct Word {
    /// Its meaning: without the quotes.
    pub(in crate::dialect) text: String,
    /// As printed, quotes included.
    pub(in crate::dialect) raw: String,
    /// Whether it was in quotes, and so cannot be a keyword.
    pub(in crate::dialect) quoted: bool,
}

/// The words of a line, left to right.
///
/// A quote opens at the start of a word and closes before a blank or the end of the line; a quote anywhere
/// else belongs to the text. Old firmware writes `\"` for a quote inside: it is read so wherever another
/// closing quote follows, and as a backslash before the closing quote elsewhere. A quote that never closes
/// is a letter like any other.
pub(in crate::dialect) fn split(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, length) = quoted(rest).unwrap_or_else(|| {
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let raw = rest[..length].to_owned();
            let text = raw.clone();
            (
                Word {
                    text,
                    raw,
                    quoted: false,
                },
                length,
            )
        });
        words.push(word);
        rest = rest[length..].trim_start();
    }
    words
}

/// Reads a quoted word at the start of `text`: the word and how many bytes it takes.
fn quoted(text: &str) -> Option<(Word, usize)> {
    let body = text.strip_prefix('"')?;
    let closes = |at: usize| body[at + 1..].chars().next().is_none_or(char::is_whitespace);
    let escaped = |at: usize| body[..at].ends_with('\\');
    let candidates = || body.match_indices('"').map(|(at, _)| at).filter(|at| closes(*at));
    let end = candidates().find(|at| !escaped(*at)).or_else(|| candidates().next())?;
    let word = Word {
        text: body[..end].replace("\\\"", "\""),
        raw: text[..end + 2].to_owned(),
        quoted: true,
    };
    Some((word, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        split(line).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn quotes_hold_blanks_and_comment_signs() {
        assert_eq!(texts(r#"  a "b  c! #d"  e"#), ["a", "b  c! #d", "e"]);
        assert_eq!(texts(r#"name """#), ["name", ""]);
    }

    #[test]
    fn both_ways_of_writing_a_quote_are_read() {
        assert_eq!(texts(r#"name "12\" riser" vid 5"#), ["name", "12\" riser", "vid", "5"]);
        assert_eq!(texts(r#"name "12"riser" vid 5"#), ["name", "12\"riser", "vid", "5"]);
        assert_eq!(texts(r#"name "path\" vid 5"#), ["name", "path\\", "vid", "5"]);
    }

    #[test]
    fn a_quote_that_never_closes_is_a_letter() {
        assert_eq!(texts(r#"name "oops vid 5"#), ["name", "\"oops", "vid", "5"]);
    }
}
