//! Texts of strangers, as they may be shown.

/// Whether a character steers a terminal, shows nothing, or turns the direction of writing: nothing that text from outside may bring along.
#[must_use]
pub fn steers(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A text of strangers as one line. What steers is left out and not replaced, so that a secret with something invisible in it is that
/// secret again, for whoever looks for secrets afterwards. Blanks and ends of lines of any kind become one blank.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|char: char| char.is_whitespace()) {
        let gap = line.len();
        line.extend(word.chars().filter(|char| !steers(*char)));
        if gap > 0 && line.len() > gap {
            line.insert(gap, ' ');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_says_is_one_line_that_can_be_printed_anywhere() {
        for (text, line) in [
            ("", ""),
            (" \u{1b} \r\n", ""),
            (
                "ERROR:\u{1b}[31m no\r\n\n  such\trepository\u{fffd}",
                "ERROR:[31m no such repository\u{fffd}",
            ),
            ("one\u{2028}two\u{85}three\u{a0}four", "one two three four"),
            ("canary\u{1b}-\u{200b}token\u{feff}", "canary-token"),
            ("gr\u{fc}n \u{202e}kcab", "gr\u{fc}n kcab"),
        ] {
            assert_eq!(one_line(text), line, "{text:?}");
        }
    }
}
