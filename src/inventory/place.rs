//! Where a key stands in a text that is no inventory but is written in the same way.

use crate::diagnostic::{Locator, Place, SourceFile};

use super::document::{self, Value};
use super::findings::Findings;

/// Where a key stands, by the keys that lead to it. `None` where the text has no such key, or cannot be read.
#[must_use]
pub fn place_of(file: &SourceFile, path: &[&str]) -> Option<Place> {
    let mut node = document::parse(0, &file.text, &mut Findings::default()).root?;
    let mut found = None;
    for key in path {
        let Value::Mapping(entries) = node.value else {
            return None;
        };
        let entry = entries.into_iter().find(|entry| entry.key == *key)?;
        found = Some(entry.key_span);
        node = entry.value;
    }
    Some(Locator::new(file).place(found?.range()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_those_that_lead_to_it() {
        let file = SourceFile {
            path: "seed.yaml".to_owned(),
            text: "# ours\noffers:\n  1: {name: Fiber}\ncustomers:\n  1001:\n    services: {5001: {offer: 7}}\n"
                .to_owned(),
        };
        let at = |path: &[&str]| place_of(&file, path).map(|place| (place.line, place.column));
        assert_eq!(at(&["offers", "1", "name"]), Some((3, 7)));
        assert_eq!(at(&["customers", "1001", "services", "5001", "offer"]), Some((6, 23)));
        assert_eq!(at(&["offers", "2"]), None);
        assert_eq!(at(&["offers", "1", "name", "x"]), None);
        assert_eq!(at(&[]), None);
    }
}
