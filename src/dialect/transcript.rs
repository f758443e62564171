//! A session that somebody saved to a file: the running configuration in it, and `show version` where it is there.
//!
//! People save what their terminal showed: prompts, the commands' echo, other commands before and after. A file that
//! holds the configuration alone is the simplest case of it.

use super::version::{self, DialectError, VersionInfo};

/// The parts of a saved session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcript<'t> {
    /// From the start of the configuration through its `end`; without an `end`, all that follows the start.
    pub running: &'t str,
    before: &'t str,
    after: &'t str,
}

impl<'t> Transcript<'t> {
    /// Finds the last whole configuration: it begins behind the echo of `show running-config` or at `Building
    /// configuration`, else at the first line, and ends with the line `end`.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let mut starts = 0;
        let mut ends = None;
        for (at, line) in lines(text) {
            let shown = line.trim_end();
            if is_start(shown) {
                (starts, ends) = (at + line.len(), None);
            } else if shown == "end" && ends.is_none() {
                ends = Some(at + line.len());
            }
        }
        let ends = ends.unwrap_or(text.len());
        Self {
            running: &text[starts..ends],
            before: &text[..starts],
            after: &text[ends..],
        }
    }

    /// What `show version` said, where the session has its answer.
    ///
    /// # Errors
    ///
    /// [`DialectError`] where something that looks like the answer cannot be read.
    pub fn version(&self) -> Result<Option<VersionInfo>, DialectError> {
        let is_answer = |part: &&str| part.lines().any(|line| line.trim_start().starts_with("MAC Address"));
        let answer = [self.after, self.before].into_iter().find(is_answer);
        answer.map(version::parse).transpose()
    }
}

/// Each line with its line end, and where it begins. A file may have either half of CRLF alone.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = if text.contains('\n') { '\n' } else { '\r' };
    let mut at = 0;
    text.split_inclusive(end).map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

/// `gam-maple# show running-config`, the command alone, or the heading that follows it. A prompt has no blank, so no line of a
/// configuration is taken for one, whatever its names hold.
fn is_start(line: &str) -> bool {
    let is_prompt = |before: &str| {
        let before = before.trim_end();
        before.is_empty() || before.ends_with(['#', '>']) && !before.contains(char::is_whitespace)
    };
    let echo = line.find("show running-config").and_then(|at| line.get(..at));
    line.trim_end_matches('.') == "Building configuration" || echo.is_some_and(is_prompt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = include_str!("../../tests/fixtures/dialect/gam-4-cx-1.5.4/show-version.txt");
    const RUNNING: &str = "hostname maple-a\nghn bw-profile 2 name \"Gold\"\nend\n";

    #[test]
    fn a_configuration_alone_is_all_of_it() {
        let transcript = Transcript::of(RUNNING);
        assert_eq!(transcript.running, RUNNING);
        assert_eq!(transcript.version(), Ok(None));
    }

    #[test]
    fn a_saved_session_is_cut_where_the_configuration_begins_and_ends() {
        let text = format!(
            "maple-a# show version\n{VERSION}\nmaple-a# show running-config\nBuilding configuration...\n{RUNNING}maple-a# exit\n"
        );
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let transcript = Transcript::of(&text);
            assert_eq!(transcript.running.replace('\r', ""), RUNNING);
            let version = transcript.version().unwrap().unwrap();
            assert_eq!(version.mac.to_string(), "00:0e:d8:1a:b9:e2");
        }
    }

    #[test]
    fn version_may_come_after_and_the_last_configuration_counts() {
        let text = format!(
            "# show running-config\nhostname old\nend\n# show running-config\n{RUNNING}# show version\n{VERSION}"
        );
        let transcript = Transcript::of(&text);
        assert_eq!(transcript.running, RUNNING);
        assert!(transcript.version().unwrap().is_some());
    }

    #[test]
    fn a_name_that_looks_like_a_prompt_begins_nothing() {
        let text = "hostname maple-a\nghn subscriber 1 name \"x# show running-config\"\nend\n";
        assert_eq!(Transcript::of(text).running, text);
    }

    #[test]
    fn without_an_end_the_rest_is_handed_on_and_refused_by_its_reader() {
        let transcript = Transcript::of("# show running-config\nhostname maple-a\n");
        assert_eq!(transcript.running, "hostname maple-a\n");
        assert!(super::super::running::parse(transcript.running).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|[\r\n#>]|end|show running-config){0,60}") {
            let transcript = Transcript::of(&text);
            let _ = transcript.version();
            proptest::prop_assert_eq!(format!("{}{}{}", transcript.before, transcript.running, transcript.after), text);
        }
    }
}
