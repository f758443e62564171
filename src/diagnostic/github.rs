//! The form of a report that GitHub, Gitea and Forgejo show beside the lines: workflow commands,
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>.

use std::fmt::Write as _;

use super::{Report, Severity, SourceFile};

impl Report {
    /// The report as workflow commands, one a line. `sources`: the texts that it is about.
    #[must_use]
    pub fn github(&self, sources: &[SourceFile]) -> String {
        let mut out = String::new();
        for finding in &self.findings {
            let place = &finding.primary;
            let level = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let text = match &finding.help {
                Some(help) => format!("{}\nhelp: {help}", finding.message),
                None => finding.message.clone(),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "::{level} file={},line={},col={},endColumn={},title={}::{}",
                property(&place.file),
                place.line,
                place.column,
                place.end_column(sources),
                property(finding.rule.0),
                data(&text)
            );
        }
        out
    }
}

/// What ends a line would end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What separates properties would begin another.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_a_command_or_begins_a_property() {
        assert_eq!(data("50 % of\n::error::x"), "50 %25 of%0A::error::x");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}
