//! How what comes from outside is put into a sentence.

use crate::domain::one_line;

/// Most characters of a text from outside that are shown.
const MOST: usize = 80;
/// Most things that a list names.
const NAMED: usize = 8;

/// A text from outside, in one line, without what a terminal or a commit would take for something else, and not too long.
pub(super) fn said(text: &str) -> String {
    let text = one_line(text);
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain(['…']).collect()
}

/// `a, b and c`; of many the first, and how many more.
pub(super) fn listed<S: AsRef<str>>(things: impl IntoIterator<Item = S>, joint: &str) -> String {
    let mut things: Vec<String> = things
        .into_iter()
        .map(|thing| format!("`{}`", said(thing.as_ref())))
        .collect();
    let more = things.len().saturating_sub(NAMED);
    if more > 0 {
        things.truncate(NAMED);
        things.push(format!("{more} more"));
    }
    match things.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} {joint} {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_in_its_line() {
        assert_eq!(
            said("Ann\r\nBilling-Set: s-1 plan=x\t\u{1b}[31m\u{202e}y"),
            "Ann Billing-Set: s-1 plan=x [31my"
        );
        assert_eq!(said(&"é".repeat(100)).chars().count(), 81);
        assert_eq!(said("  "), "");
    }

    #[test]
    fn a_long_list_says_how_much_it_leaves_out() {
        assert_eq!(listed([""; 0], "and"), "none");
        assert_eq!(listed(["a"], "and"), "`a`");
        assert_eq!(listed(["a", "b", "c"], "or"), "`a`, `b` or `c`");
        let many: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        assert!(listed(&many, "and").ends_with("`7` and 2 more"));
    }
}
