//! Texts that only who has a secret can have written: HMAC-SHA256, in hex, as forges sign their webhooks. Pure.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::{Secret, hex, unhex};

/// What stands around a sealed document, so that nobody sees it on a page.
const OPEN: &str = "<!-- gamops:sealed:v1 ";
const CLOSE: &str = " -->";

/// A document, in one line and without `-->`, with the proof that whoever has the key wrote it.
#[must_use]
pub fn seal(key: &Secret, document: &str) -> String {
    format!("{OPEN}{} {document}{CLOSE}", code(key, document.as_bytes()))
}

/// The documents in a text that were sealed with this key. With an empty key anybody could have, so there are none.
#[must_use]
pub fn sealed<'t>(key: &Secret, text: &'t str) -> Vec<&'t str> {
    let parts = text.split(OPEN).skip(1);
    let parts = parts.filter_map(|part| part.split_once(CLOSE)?.0.split_once(' '));
    let genuine = parts.filter(|(hex, document)| is_code(key, document.as_bytes(), hex));
    genuine.map(|(_, document)| document).collect()
}

/// The code of a text.
#[must_use]
pub fn code(key: &Secret, text: &[u8]) -> String {
    // A key of any length will do for this code: it is there.
    mac(key, text)
        .map(|mac| hex(&mac.finalize().into_bytes()))
        .unwrap_or_default()
}

/// Whether this is the code of a text, in constant time.
#[must_use]
pub fn is_code(key: &Secret, text: &[u8], hex: &str) -> bool {
    !key.is_empty() && unhex(hex).is_some_and(|code| mac(key, text).is_some_and(|mac| mac.verify_slice(&code).is_ok()))
}

fn mac(key: &Secret, text: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    mac.update(text);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_code_is_the_one_in_githubs_documentation() {
        let key = Secret::new("It's a Secret to Everybody");
        let hex = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(code(&key, b"Hello, World!"), hex);
        assert!(is_code(&key, b"Hello, World!", hex));
        for other in ["", "7", "zz", &hex[2..]] {
            assert!(!is_code(&key, b"Hello, World!", other), "{other}");
        }
        assert!(!is_code(&key, b"Hello, World?", hex));
        let nothing = Secret::default();
        assert!(!is_code(&nothing, b"x", &code(&nothing, b"x")));
    }

    #[test]
    fn what_somebody_else_wrote_or_changed_is_not_there() {
        let key = Secret::new("k");
        let (one, two) = (seal(&key, "{\"a\":1}"), seal(&key, "{\"b\":2}"));
        let text = format!("hello\n{one}\n{}\n{two}", seal(&Secret::new("other"), "{\"c\":3}"));
        assert_eq!(sealed(&key, &text), ["{\"a\":1}", "{\"b\":2}"]);
        assert!(sealed(&key, &text.replace("\"a\":1", "\"a\":9")).len() == 1);
        assert!(sealed(&Secret::default(), &text).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_only_what_was_sealed_is_found(text in any::<String>(), document in "[a-z {}\":,0-9]{0,40}") {
            let key = Secret::new("k");
            prop_assert!(sealed(&key, &text).is_empty());
            let whole = format!("{text}\n{}", seal(&key, &document));
            prop_assert_eq!(sealed(&key, &whole), vec![document.as_str()]);
        }
    }
}
