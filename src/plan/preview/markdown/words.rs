//! Other people's words in Markdown: names of devices and subscribers, reasons, descriptions. Whatever they hold, they end up as
//! text: no markup, no mention of anybody, no reference, no way out of a fold or a comment.

use crate::domain::steers;

/// The most bytes of one such text outside of folds.
const SHOWN: usize = 300;

/// A text as a code span, in which no forge looks for markup, mentions or references. `|` is escaped where it stands in a table.
pub(in crate::plan) fn code(text: &str, in_table: bool) -> String {
    let mut line = plain(text, SHOWN);
    if in_table {
        // A span with a backslash in it would show it outside of a table; inside, it is what keeps the cell together.
        line = line.replace('|', "\\|");
    }
    let fence = "`".repeat(longest_run(&line) + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') || line.trim().is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// Several texts as code spans with commas between; of many only the first, and how many more.
pub(in crate::plan) fn codes<T: AsRef<str>>(texts: &[T], at_most: usize, in_table: bool) -> String {
    let shown: Vec<String> = (texts.iter().take(at_most))
        .map(|text| code(text.as_ref(), in_table))
        .collect();
    let more = texts.len().saturating_sub(at_most);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A text inside a line of HTML.
pub(super) fn html(text: &str) -> String {
    let escaped = plain(text, SHOWN)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('`', "&#96;");
    format!("<code>{escaped}</code>")
}

/// Lines as a block of code, in which nothing is read as Markdown.
pub(super) fn block(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut out = format!("{fence}{language}\n");
    for line in lines {
        out.push_str(&plain(line, usize::MAX));
        out.push('\n');
    }
    out.push_str(&fence);
    out.push('\n');
    out
}

/// One line of at most so many bytes, without characters that steer a terminal or turn the direction of writing.
fn plain(text: &str, at_most: usize) -> String {
    let kept = &text[..text.floor_char_boundary(at_most)];
    let mut out: String = kept.chars().map(|c| if steers(c) { ' ' } else { c }).collect();
    if kept.len() < text.len() {
        out.push('…');
    }
    out
}

/// The longest row of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_code_span() {
        for (text, span) in [
            ("maple-a", "`maple-a`"),
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            ("a|b", "`a\\|b`"),
            ("@everyone <!-- x --> </details>", "`@everyone <!-- x --> </details>`"),
            ("two\nlines\r\n\u{202e}", "`two lines   `"),
            ("", "`  `"),
        ] {
            assert_eq!(code(text, true), span, "{text:?}");
        }
        assert_eq!(code("a|b", false), "`a|b`");
        assert_eq!(code(&"x".repeat(400), false).chars().count(), 303);
        assert_eq!(codes(&["a", "b", "c"], 2, false), "`a`, `b` and 1 more");
    }

    #[test]
    fn nothing_gets_out_of_a_summary_or_a_block() {
        assert_eq!(html("</summary>`&"), "<code>&lt;/summary&gt;&#96;&amp;</code>");
        let lines = ["+ name \"```\"".to_owned(), "</details>".to_owned()];
        assert_eq!(block("diff", &lines), "````diff\n+ name \"```\"\n</details>\n````\n");
    }
}
