//! Where Sonar is known to differ from itself, or is documented nowhere.

use std::collections::BTreeSet;

/// How the simulated Sonar behaves where the real one may do one thing or another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SonarKnobs {
    /// Ids are numbers in answers, and not texts.
    pub ids_are_numbers: bool,
    /// How many rows a page has for which nothing is said, nested lists included.
    pub default_page: u64,
    /// The most rows that a page has.
    pub most_rows: u64,
    /// Whether a page that was cut to `most_rows` says so in `records_per_page`, or repeats what was asked for.
    pub says_clamped: bool,
    /// Whether a list without rows has no page, or one.
    pub empty_has_no_page: bool,
    /// Whether several `EQ` on one attribute in one search object are alternatives, or all have to fit.
    pub several_eq_are_or: bool,
    /// Whether a token that is wrong is answered with status 200 and `errors`, or with 401.
    pub bad_token_is_200: bool,
    /// Requests within 60 seconds above which all are refused; `None`: never, as at present.
    pub limit: Option<usize>,
    /// Lists at the root that the token's role may not read: nothing stands in their place.
    pub unreadable: BTreeSet<String>,
    /// Whether reading one of `unreadable` fails the whole query.
    pub unreadable_fails: bool,
}

impl Default for SonarKnobs {
    fn default() -> Self {
        Self {
            ids_are_numbers: false,
            default_page: 10,
            most_rows: 1000,
            says_clamped: true,
            empty_has_no_page: false,
            several_eq_are_or: false,
            bad_token_is_200: false,
            limit: None,
            unreadable: BTreeSet::new(),
            unreadable_fails: false,
        }
    }
}
