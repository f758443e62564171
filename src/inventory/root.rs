//! The root file: which one it is, and which files it asks for.

use globset::{GlobBuilder, GlobMatcher};

use crate::diagnostic::SourceFile;

use super::decode::{Context, Decode as _, Spanned, Text};
use super::document::{self, Span};
use super::findings::{Findings, Loc};
use super::raw::RawFile;
use super::rules;

/// Name of the file that marks the root of an inventory.
pub const ROOT_FILE: &str = "gamops.yaml";

/// What is included when the root file does not say.
const DEFAULT_INCLUDE: &str = "**/*.yaml";

/// Whether a path is that of a root file.
pub(super) fn is_root(path: &str) -> bool {
    path == ROOT_FILE || path.strip_suffix(ROOT_FILE).is_some_and(|folder| folder.ends_with('/'))
}

/// Which of these paths is that of the root file: the one nearest to the top.
pub(super) fn find<'p>(paths: impl Iterator<Item = &'p str>) -> Option<usize> {
    (paths.enumerate())
        .filter(|(_, path)| is_root(path))
        .min_by_key(|(_, path)| path.matches('/').count())
        .map(|(number, _)| number)
}

/// Whether a key of the top level may stand in the root file only: it holds for the whole inventory.
pub(super) fn is_root_key(key: &str) -> bool {
    matches!(
        key,
        "format" | "inventory" | "include" | "defaults" | "policies" | "billing"
    )
}

/// The folder of the root file as it stands before every path, with its slash; empty for the current one.
pub(super) fn folder(root: &str) -> &str {
    root.strip_suffix(ROOT_FILE).unwrap_or("")
}

/// Which files below the root folder belong to the inventory.
#[derive(Debug, Default)]
pub struct Include {
    globs: Vec<GlobMatcher>,
}

impl Include {
    /// Reads `include` from the text of a root file. What is wrong with that text, or with a glob, is not
    /// said here: [`super::load`] says it, with the place.
    #[must_use]
    pub fn from_root_file(text: &str) -> Self {
        let mut findings = Findings::default();
        let Some(node) = document::parse(0, text, &mut findings).root else {
            return Self::default();
        };
        let mut context = Context {
            file: 0,
            findings: &mut findings,
            field: String::new(),
            key_span: Span::default(),
        };
        let include = RawFile::decode(&node, &mut context).and_then(|raw| raw.include);
        let globs = match include {
            None => glob(DEFAULT_INCLUDE).ok().into_iter().collect(),
            Some(list) => list.value.iter().filter_map(|item| glob(&item.value.0).ok()).collect(),
        };
        Self { globs }
    }

    /// Whether a path, relative to the root folder and with `/` between its parts, is included. Folders
    /// and files whose name begins with a dot never are.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        !path.split('/').any(|part| part.starts_with('.')) && self.globs.iter().any(|glob| glob.is_match(path))
    }
}

fn glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
    Ok(GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()?
        .compile_matcher())
}

/// Refuses every root file but the first.
pub(super) fn refuse_second(sources: &[&SourceFile], root: Option<usize>, findings: &mut Findings) {
    let start = |number: usize| Loc::new(u32::try_from(number).unwrap_or(u32::MAX), Span::default());
    for (number, source) in sources.iter().enumerate() {
        if root != Some(number) && is_root(&source.path) {
            let draft = findings.add(
                &rules::SECOND_ROOT,
                start(number),
                "this is a second gamops.yaml".to_owned(),
            );
            draft.help("remove it, or leave its folder out of `include`; an inventory has one root");
            if let Some(root) = root {
                draft.related(start(root), "the root is here");
            }
        }
    }
}

/// Checks the globs against the files that came.
pub(super) fn check(includes: &[Spanned<Text>], root: &str, sources: &[&SourceFile], findings: &mut Findings) {
    for include in includes {
        match glob(&include.value.0) {
            Err(error) => {
                findings
                    .add(
                        &rules::INVALID_GLOB,
                        include.at,
                        format!("this is not a glob: {}", error.kind()),
                    )
                    .help("write paths below the folder of gamops.yaml, such as `sites/*.yaml` or `**/*.yaml`");
            }
            Ok(_) if include.value.0.starts_with('/') || include.value.0.split('/').any(|part| part == "..") => {
                findings
                    .add(
                        &rules::INVALID_GLOB,
                        include.at,
                        "this leads out of the inventory".to_owned(),
                    )
                    .help("write paths below the folder of gamops.yaml, such as `sites/*.yaml`");
            }
            Ok(glob) => {
                let relative = |source: &&SourceFile| source.path.strip_prefix(folder(root)).map(str::to_owned);
                if !sources.iter().filter_map(relative).any(|path| glob.is_match(path)) {
                    findings
                        .add(&rules::EMPTY_GLOB, include.at, "no file matches this".to_owned())
                        .help("correct the path, or remove the line");
                }
            }
        }
    }
}
