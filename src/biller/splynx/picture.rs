//! Whether what was read page after page is one picture. Pure.

/// The id after which to go on, from the ids of a page that was asked for after `after`.
///
/// # Errors
///
/// What is wrong: the page repeats rows, goes back, or is not in the order of ids. Nothing can be said then about what is missing.
pub(super) fn next_after(after: u64, ids: impl Iterator<Item = u64>) -> Result<u64, String> {
    let mut last = after;
    for id in ids {
        if id <= last {
            return Err(format!("row {id} comes after row {last}"));
        }
        last = id;
    }
    Ok(last)
}

/// How a list was found, as far as the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// How many rows were counted before.
    pub(super) before: Option<u64>,
    /// How many were read.
    pub(super) read: u64,
    /// How many were counted after.
    pub(super) after: Option<u64>,
}

/// What is wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is no list of what is there.
    Empty(String),
    /// It changed meanwhile.
    Moved(String),
}

impl Found {
    /// Whether every row was read. New rows do no harm where they were read as well: they are at the end. Whether fewer rows are there because one was
    /// deleted or because the key may see less, nobody can say.
    pub(super) fn check(self) -> Result<(), Wrong> {
        let Self { before, read, after } = self;
        let (before, after) = match (before, after) {
            (None, None) => return Ok(()),
            (Some(before), Some(after)) => (before, after),
            _ => {
                return Err(Wrong::Moved(
                    "its rows are counted at one time and not at another".to_owned(),
                ));
            }
        };
        if read == 0 && before > 0 && after > 0 {
            return Err(Wrong::Empty(format!("sends no row, and counts {after}")));
        }
        if after < before {
            return Err(Wrong::Moved(format!("it had {before} rows, then {after}")));
        }
        if read != after {
            return Err(Wrong::Moved(format!("{read} rows were read, and {after} are there")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_on() {
        assert_eq!(next_after(0, [1, 2, 9].into_iter()), Ok(9));
        assert_eq!(next_after(9, [].into_iter()), Ok(9));
        for page in [[9, 10], [8, 9], [11, 10], [10, 10]] {
            assert!(next_after(9, page.into_iter()).is_err(), "{page:?}");
        }
    }

    #[test]
    fn counts_agree_or_it_is_no_picture() {
        let found = |before, read, after| Found { before, read, after }.check();
        for (before, read, after) in [
            (None, 3, None),
            (Some(3), 3, Some(3)),
            (Some(3), 4, Some(4)),
            (Some(0), 0, Some(0)),
        ] {
            assert_eq!(found(before, read, after), Ok(()));
        }
        for (before, read, after) in [
            (Some(3), 2, Some(3)),
            (Some(3), 3, Some(4)),
            (Some(3), 2, Some(2)),
            (Some(3), 3, Some(2)),
            (Some(3), 0, Some(0)),
            (Some(0), 0, Some(3)),
            (Some(3), 3, None),
            (None, 3, Some(3)),
        ] {
            assert!(
                matches!(found(before, read, after), Err(Wrong::Moved(_))),
                "{before:?} {read} {after:?}"
            );
        }
        assert_eq!(
            found(Some(3), 0, Some(3)),
            Err(Wrong::Empty("sends no row, and counts 3".to_owned()))
        );
    }
}
