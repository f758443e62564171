//! A typed line as words with their places.

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The text, without its quotes.
    pub(crate) text: String,
    /// Offset of its first byte in the line.
    pub(crate) at: usize,
    /// Whether it stood in double quotes: then it can be a string only, never a keyword.
    pub(crate) quoted: bool,
    /// What is wrong with its quotes, if anything.
    pub(crate) fault: Option<QuoteFault>,
}

/// A quote that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuoteFault {
    /// The string never ends.
    Open,
    /// The closing quote is followed by something else than a blank.
    Glued,
}

/// Splits a line at blanks; a string in double quotes is one word. A backslash means nothing: only old
/// versions of the family honoured it, and the driver must not depend on it.
pub(crate) fn split(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut characters = line.char_indices().peekable();
    while let Some(&(at, first)) = characters.peek() {
        if first == ' ' || first == '\t' {
            characters.next();
            continue;
        }
        let mut word = Word {
            text: String::new(),
            at,
            quoted: first == '"',
            fault: None,
        };
        if word.quoted {
            characters.next();
            word.fault = Some(QuoteFault::Open);
            for (_, character) in characters.by_ref() {
                if character == '"' {
                    word.fault = None;
                    break;
                }
                word.text.push(character);
            }
            if let Some(&(_, next)) = characters.peek()
                && next != ' '
                && next != '\t'
            {
                word.fault = Some(QuoteFault::Glued);
            }
        }
        while let Some(&(_, character)) = characters.peek() {
            if character == ' ' || character == '\t' {
                break;
            }
            word.text.push(character);
            characters.next();
        }
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_blanks_together_and_places_are_kept() {
        let words = split(r#"  ghn port 3 name "riser B" shutdown"#);
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["ghn", "port", "3", "name", "riser B", "shutdown"]);
        assert_eq!(words[0].at, 2);
        assert!(words[4].quoted && words[4].fault.is_none());
    }

    #[test]
    fn broken_quotes_are_marked() {
        assert_eq!(split(r#"name "a"#)[1].fault, Some(QuoteFault::Open));
        assert_eq!(split(r#"name "a"b"#)[1].fault, Some(QuoteFault::Glued));
        assert_eq!(split(r#"name "" x"#)[1].text, "");
    }
}
