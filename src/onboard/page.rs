//! A file that is being written, and what each of its lines is about.

use super::draft::{Field, Item};
use super::entry::Line;

/// Columns at which comments are broken.
const WIDTH: usize = 110;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct About {
    /// Whose line it is.
    pub(super) item: Item,
    /// The setting, where the entry can do without it.
    pub(super) field: Option<Field>,
}

/// One file.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// Path below the folder of the root file.
    pub(super) path: String,
    /// What has been written.
    pub(super) text: String,
    /// How many decisions it asks for.
    pub(super) questions: usize,
    lines: Vec<Option<About>>,
}

impl Page {
    pub(super) fn new(path: String) -> Self {
        Self {
            path,
            text: String::new(),
            questions: 0,
            lines: Vec::new(),
        }
    }

    /// What a line, counted from 1, is about.
    pub(super) fn about(&self, line: usize) -> Option<About> {
        self.lines.get(line.checked_sub(1)?).copied().flatten()
    }

    /// A line of its own.
    pub(super) fn line(&mut self, depth: usize, text: &str) {
        self.push(depth, text, None);
    }

    /// A line of an entry that the entry cannot do without.
    pub(super) fn of(&mut self, item: Item, depth: usize, text: &str) {
        self.push(depth, text, Some(About { item, field: None }));
    }

    /// A whole entry whose key stands in by `depth` steps.
    pub(super) fn entry(&mut self, item: Item, depth: usize, lines: &[Line]) {
        for line in lines {
            let field = line.field;
            self.push(depth + line.depth, &line.text, Some(About { item, field }));
        }
    }

    /// An empty line, unless there is one already.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.push(0, "", None);
        }
    }

    /// A comment, broken into lines.
    pub(super) fn comment(&mut self, depth: usize, text: &str) {
        self.broken(depth, "# ", text);
    }

    /// A comment about something that a person has to decide.
    pub(super) fn question(&mut self, depth: usize, text: &str) {
        self.questions += 1;
        self.broken(depth, "# ? ", text);
    }

    /// One of the things that the comment above lists.
    pub(super) fn item(&mut self, text: &str) {
        self.broken(0, "# - ", text);
    }

    fn broken(&mut self, depth: usize, mark: &str, text: &str) {
        let room = WIDTH.saturating_sub(2 * depth + mark.len());
        let mut line = String::new();
        let mut mark = mark.to_owned();
        for word in text.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.push(depth, &format!("{mark}{line}"), None);
                line.clear();
                mark = format!("#{}", " ".repeat(mark.len() - 1));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.push(depth, &format!("{mark}{line}"), None);
    }

    fn push(&mut self, depth: usize, text: &str, about: Option<About>) {
        if !text.is_empty() {
            self.text.extend(std::iter::repeat_n("  ", depth));
            self.text.push_str(text);
        }
        self.text.push('\n');
        self.lines.push(about);
    }
}
