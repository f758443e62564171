//! Masks secrets in device text, before anybody stores or shows it.
//!
//! Owns the list of words that a secret follows. Errs on the side of masking: after such a word the whole
//! rest of the line goes, since a password may hold blanks and a community may be called `ro`. Quoted text
//! is never taken for such a word, so that a subscriber named `"key account"` stays readable.

/// What stands where a secret stood.
pub const MASK: &str = "***";

/// Words that a secret follows, lower case (CLI guide: users, SNMP; the others from the same family).
const SECRET_FOLLOWS: &[&str] = &[
    "password",
    "passphrase",
    "passwd",
    "encrypted",
    "unencrypted",
    "community",
    "md5",
    "sha",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "aes",
    "aes128",
    "aes192",
    "aes256",
    "des",
    "3des",
    "secret",
    "key",
    "psk",
];

/// Words that may stand between a word above and its secret and say nothing about it.
const TELL_NOTHING: &[&str] = &["encrypted", "unencrypted", "v1", "v2", "v2c", "v3"];

/// The text with every secret masked; line ends and all other bytes stay as they are.
#[must_use]
pub fn secrets(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|with_end| {
            let content = with_end.trim_end_matches(['\n', '\r']);
            line(content) + &with_end[content.len()..]
        })
        .collect()
}

/// One line, without its end, with secrets masked.
#[must_use]
pub fn line(text: &str) -> String {
    let masked = match secret_start(text) {
        Some(at) if at < text.len() => format!("{}{MASK}", &text[..at]),
        _ => text.to_owned(),
    };
    without_url_credentials(&masked)
}

/// Where the first secret of the line begins.
fn secret_start(text: &str) -> Option<usize> {
    let words = words(text);
    let named = |index: usize, any_of: &[&str]| {
        words
            .get(index)
            .is_some_and(|(_, word)| any_of.contains(&word.to_ascii_lowercase().as_str()))
    };
    // In the family's access tables the "name" of a v1 or v2c security mapping is the community itself.
    let mapping = (0..words.len()).any(|index| named(index, &["security-to-group"]));
    for (index, (at, word)) in words.iter().enumerate() {
        if let Some((before, _)) = word.split_once('=')
            && is_secret_word(before)
        {
            return Some(at + before.len() + 1);
        }
        // A trap host says `version v2 <community>`.
        let trap_version = named(index, &["v1", "v2", "v2c"]) && index > 0 && named(index - 1, &["version"]);
        if !(is_secret_word(word.trim_end_matches(':')) || trap_version || (mapping && named(index, &["name"]))) {
            continue;
        }
        let mut secret = index + 1;
        while secret + 1 < words.len() && named(secret, TELL_NOTHING) {
            secret += 1;
        }
        // `password none` says that there is no secret.
        if secret + 1 == words.len() && named(secret, &["none"]) {
            continue;
        }
        if let Some((at, _)) = words.get(secret) {
            return Some(*at);
        }
    }
    None
}

fn is_secret_word(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    SECRET_FOLLOWS.contains(&word.as_str())
        || word
            .rsplit_once('-')
            .is_some_and(|(_, last)| matches!(last, "password" | "secret" | "key" | "community"))
}

/// The unquoted words of a line and where they start; quoted text is stepped over, an open quote ends
/// with the line.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' if quoted => quoted = false,
            '"' if start.is_none() => {
                // A secret may itself be quoted: its place counts, its text is no keyword.
                words.push((at, "\""));
                quoted = true;
            }
            _ if quoted => {}
            blank if blank.is_whitespace() => {
                if let Some(from) = start.take() {
                    words.push((from, &text[from..at]));
                }
            }
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    if let Some(from) = start {
        words.push((from, &text[from..]));
    }
    words
}

/// Masks `user:password` in `scheme://user:password@host`.
fn without_url_credentials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let authority = after
            .find(|c: char| c.is_whitespace() || c == '/' || c == '"')
            .unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(sign) => {
                out.push_str(MASK);
                &after[sign..]
            }
            None => after,
        };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_any_documented_line_survives() {
        for text in [
            "username admin privilege 15 password encrypted CANARY",
            "username ops privilege 5 password unencrypted CANARY with CANARY blanks",
            "USERNAME ops PRIVILEGE 5 PASSWORD UNENCRYPTED \"CANARY\"",
            "snmp-server community v2c CANARY rw",
            "snmp-server community v2c CANARY",
            "snmp-server community CANARY ip-range 10.0.0.0 255.0.0.0 CANARY",
            "no snmp-server community CANARY",
            "snmp-server user bob engine-id 800007e5017f000001 md5 CANARY priv des CANARY",
            "snmp-server user bob engine-id 800007e5017f000001 sha CANARY",
            "snmp-server security-to-group model v2c name CANARY group readers",
            " version v2 CANARY",
            "radius-server host 192.0.2.1 key CANARY",
            "enable secret 5 CANARY",
            "controller announcement url 1 https://bob:CANARY@controller.example/announce",
            "copy ftp://bob:CAN@ARY@192.0.2.1/x startup-config CAN",
            "password: CANARY",
            "auth-key=CANARY",
        ] {
            let masked = secrets(text);
            assert!(!masked.contains("CANARY") && !masked.contains("ARY@"), "{masked}");
            assert!(masked.contains(MASK), "{masked}");
        }
    }

    #[test]
    fn what_is_no_secret_stays_byte_for_byte() {
        let text = "hostname gam\r\nusername a privilege 15 password none\r\n\
                    ghn subscriber 1 name \"key community\" vid 100 description \"md5 of sha\"\r\n\
                    snmp-server community v2c secret1 ro\n\n vlan 1-4 \r";
        let expected = text.replace("secret1 ro", MASK);
        assert_eq!(secrets(text), expected);
    }

    #[test]
    fn user_and_kind_of_password_stay_readable() {
        assert_eq!(
            line("username admin privilege 15 password encrypted c2VjdXJpdHk="),
            "username admin privilege 15 password encrypted ***"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC*") {
            let _ = secrets(&text);
        }
    }
}
