//! The rows of a list, page after page: all of them, or an error. Pure.

use serde::Deserialize;
use serde_json::Value;

use super::ask::Part;

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Page {
    page_info: PageInfo,
    entities: Vec<Value>,
}

/// What Sonar says of a page.
#[derive(Debug, Clone, Deserialize)]
struct PageInfo {
    page: u64,
    total_pages: u64,
    total_count: u64,
}

/// What Sonar says of a list of which no row is asked for.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Count {
    page_info: Total,
}

#[derive(Debug, Clone, Deserialize)]
struct Total {
    total_count: u64,
}

impl Count {
    pub(super) const fn rows(&self) -> u64 {
        self.page_info.total_count
    }
}

/// A page does not go on where the last one ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The list has changed since.
    Moved(String),
    /// It is not what was asked for.
    Nonsense(String),
}

/// How far a part of a list was read.
#[derive(Debug)]
pub(super) struct Walk {
    /// What is read.
    pub(super) part: Part,
    /// The id of the last row that was read.
    pub(super) after: u64,
    /// How many rows have to follow; `None` before the first page.
    left: Option<u64>,
    /// The rows that were read.
    pub(super) rows: Vec<Value>,
}

impl Walk {
    pub(super) const fn new(part: Part) -> Self {
        Self {
            part,
            after: 0,
            left: None,
            rows: Vec::new(),
        }
    }

    /// Whether all of it was read.
    pub(super) fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// Takes the rows after the last one.
    pub(super) fn take(&mut self, page: Page) -> Result<(), Unfit> {
        let info = page.page_info;
        let (here, left) = (page.entities.len() as u64, info.total_count);
        if let Some(expected) = self.left.filter(|expected| *expected != left) {
            return Err(Unfit::Moved(format!("{expected} rows were left, and now {left} are")));
        }
        if info.page != 1 || here > left {
            let what = format!(
                "sent page {} with {here} of {left} rows, where page 1 was asked for",
                info.page
            );
            return Err(Unfit::Nonsense(what));
        }
        if here == 0 && left > 0 {
            return Err(Unfit::Nonsense(format!("says that {left} rows follow, and sends none")));
        }
        // Without rows there may be one page or none.
        if (info.total_pages > 1) != (here < left) {
            let what = format!("it sent {here} of {left} rows as one of {} pages", info.total_pages);
            return Err(Unfit::Moved(what));
        }
        for row in &page.entities {
            let found = row.get("id").unwrap_or(&Value::Null);
            let next = id(found).filter(|next| *next > self.after);
            let Some(next) = next else {
                let what = format!("sent row {found} after row {}, out of its order", self.after);
                return Err(Unfit::Nonsense(what));
            };
            self.after = next;
            if let Some((field, wanted)) = self.part.only
                && row.get(field).and_then(id) != Some(wanted)
            {
                let what = format!(
                    "sent row {}, of which `{field}` is not {wanted} as was asked for",
                    self.after
                );
                return Err(Unfit::Nonsense(what));
            }
        }
        self.rows.extend(page.entities);
        self.left = Some(left - here);
        Ok(())
    }
}

/// An id, which Sonar writes as a text, and at times as a number.
pub(super) fn id(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::ask::List;
    use super::*;

    const ALL: Part = Part {
        list: List::Accounts,
        only: None,
    };

    fn page(ids: &[u64], left: u64, pages: u64) -> Page {
        let entities: Vec<Value> = ids.iter().map(|id| json!({ "id": id.to_string() })).collect();
        let info = json!({ "page": 1, "total_pages": pages, "total_count": left, "records_per_page": 2 });
        serde_json::from_value(json!({ "page_info": info, "entities": entities })).unwrap()
    }

    #[test]
    fn a_list_is_read_to_its_end() {
        let mut walk = Walk::new(ALL);
        walk.take(page(&[1, 5], 3, 2)).unwrap();
        assert!(!walk.is_done());
        walk.take(page(&[9], 1, 1)).unwrap();
        assert!(walk.is_done());
        assert_eq!((walk.rows.len(), walk.after), (3, 9));
        for pages in [0, 1] {
            let mut empty = Walk::new(ALL);
            empty.take(page(&[], 0, pages)).unwrap();
            assert!(empty.is_done());
        }
    }

    #[test]
    fn what_does_not_go_on_where_it_ended_is_refused() {
        for (next, what) in [
            (page(&[9], 2, 2), "3 rows were left, and now 2 are"),
            (page(&[9, 10, 11], 3, 7), "it sent 3 of 3 rows as one of 7 pages"),
            (page(&[9, 10], 3, 1), "it sent 2 of 3 rows as one of 1 pages"),
            (page(&[], 3, 2), "says that 3 rows follow, and sends none"),
            (page(&[5, 6], 3, 2), "sent row \"5\" after row 5, out of its order"),
            (page(&[7, 6], 3, 2), "sent row \"6\" after row 7, out of its order"),
        ] {
            let mut walk = Walk::new(ALL);
            walk.take(page(&[1, 5], 5, 3)).unwrap();
            let (Unfit::Moved(said) | Unfit::Nonsense(said)) = walk.take(next).unwrap_err();
            assert_eq!(said, what);
        }
    }

    #[test]
    fn a_row_that_was_not_asked_for_is_refused() {
        let mut walk = Walk::new(Part {
            list: List::Accounts,
            only: Some(("id", 4)),
        });
        assert!(matches!(walk.take(page(&[5], 1, 1)), Err(Unfit::Nonsense(_))));
    }

    proptest! {
        /// Whatever page sizes a server chooses, all rows come, each once.
        #[test]
        fn no_row_is_lost(count in 0u64..60, sizes in prop::collection::vec(1usize..9, 60)) {
            let ids: Vec<u64> = (1..=count).map(|number| number * 3).collect();
            let mut walk = Walk::new(ALL);
            for size in sizes {
                let rest: Vec<u64> = ids.iter().copied().filter(|id| *id > walk.after).collect();
                let here = &rest[..size.min(rest.len())];
                walk.take(page(here, rest.len() as u64, rest.len().div_ceil(size) as u64)).unwrap();
                if walk.is_done() {
                    break;
                }
            }
            prop_assert_eq!(walk.rows.iter().filter_map(|row| id(&row["id"])).collect::<Vec<_>>(), ids);
        }
    }
}
