//! What YAML readers make of text without quotes: the traps.
//!
//! YAML 1.2 and 1.1 disagree on a good deal (`no`, `0123`, `1_000`, `12:30`), and editors, forges and scripts read either.
//! Where the answer depends on the reader, an inventory is made to say what it means.

use crate::inventory::findings::{Findings, Loc};
use crate::inventory::rules;

/// What a scalar without quotes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inventory) enum Plain {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false` to every reader.
    Bool(bool),
    /// `yes`, `no`, `on`, `off`, `y`, `n`: text to YAML 1.2, a boolean to YAML 1.1.
    OldBool,
    /// A decimal integer as people write it.
    Integer,
    /// A decimal fraction as people write it.
    Fraction,
    /// A number to YAML 1.2, in a form that other readers take for another number or for text: `0123`, `0x64`,
    /// `1e3`, `.inf`.
    OddNumber,
    /// Text to YAML 1.2 and a number to YAML 1.1: `1_000`, `12:30:00`, `0b11`.
    OldNumber,
    /// Text to every reader.
    Text,
}

/// Classifies the text of a scalar that stood without quotes.
pub(in crate::inventory) fn classify(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "on" | "On" | "ON" | "off" | "Off" | "OFF" | "y" | "Y" | "n"
        | "N" => return Plain::OldBool,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN"
        | ".NAN" => return Plain::OddNumber,
        _ => {}
    }
    let first = text.as_bytes().first().copied().unwrap_or(b' ');
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return Plain::Text;
    }
    number(text)
}

fn number(text: &str) -> Plain {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits(unsigned) {
        let leading_zero = unsigned.len() > 1 && unsigned.starts_with('0');
        return if leading_zero || text.starts_with('+') {
            Plain::OddNumber
        } else {
            Plain::Integer
        };
    }
    if let Some(hex) = text.strip_prefix("0x") {
        let hex_digits = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        return if hex_digits { Plain::OddNumber } else { Plain::Text };
    }
    if let Some(octal) = text.strip_prefix("0o") {
        let octal_digits = !octal.is_empty() && octal.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        return if octal_digits { Plain::OddNumber } else { Plain::Text };
    }
    if let Some((whole, fraction)) = unsigned.split_once('.')
        && digits(whole)
        && digits(fraction)
    {
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        return if leading_zero || text.starts_with('+') {
            Plain::OddNumber
        } else {
            Plain::Fraction
        };
    }
    if float(unsigned) {
        Plain::OddNumber
    } else if old_number(unsigned) {
        Plain::OldNumber
    } else {
        Plain::Text
    }
}

/// `[0-9]*.?[0-9]*` with at least one digit, and an exponent perhaps.
fn float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let dots = mantissa.bytes().filter(|byte| *byte == b'.').count();
    let number = mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && dots <= 1;
    let exponent_fits = exponent.is_none_or(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    number && exponent_fits && (dots == 1 || exponent.is_some())
}

/// Underscores, base 60 and base 2, which only YAML 1.1 reads as numbers.
fn old_number(text: &str) -> bool {
    if let Some(binary) = text.strip_prefix("0b") {
        return !binary.is_empty() && binary.bytes().all(|byte| matches!(byte, b'0' | b'1' | b'_'));
    }
    if text.contains(':') {
        let mut groups = text.split(':');
        let lead = groups.next().unwrap_or("");
        return lead.starts_with(|first: char| ('1'..='9').contains(&first))
            && lead.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
            && groups.all(|group| group.len() <= 2 && group.parse::<u8>().is_ok_and(|value| value < 60));
    }
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.contains('_')
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// What is wrong with `text` where text was wanted and no quotes were set; nothing when every reader sees text.
pub(in crate::inventory) fn check_text(field: &str, text: &str, at: Loc, findings: &mut Findings) -> bool {
    match classify(text) {
        Plain::Text | Plain::Null => return true,
        Plain::OldBool => findings
            .add(
                &rules::YAML_BOOLEAN,
                at,
                format!("`{field}: {text}` is a boolean to many YAML readers"),
            )
            .help(format!("write it in quotes: \"{text}\"")),
        Plain::Bool(_) => findings
            .add(
                &rules::YAML_UNQUOTED,
                at,
                format!("`{field}` needs text, and `{text}` without quotes is a boolean"),
            )
            .help(format!("write it in quotes: \"{text}\"")),
        Plain::Integer | Plain::Fraction | Plain::OddNumber => findings
            .add(
                &rules::YAML_UNQUOTED,
                at,
                format!("`{field}` needs text, and `{text}` without quotes is a number"),
            )
            .help(format!("write it in quotes: \"{text}\"")),
        Plain::OldNumber => findings
            .add(
                &rules::YAML_NUMBER,
                at,
                format!("`{field}: {text}` is a number to some YAML readers"),
            )
            .help(format!("write it in quotes: \"{text}\"")),
    };
    false
}

/// What is wrong with a key that stands without quotes. A plain decimal number is fine: every reader
/// gives it back as it was written.
pub(in crate::inventory) fn check_key(key: &str, at: Loc, findings: &mut Findings) {
    let rule = match classify(key) {
        Plain::Text | Plain::Integer => return,
        Plain::Bool(_) | Plain::OldBool => &rules::YAML_BOOLEAN,
        Plain::Null | Plain::Fraction | Plain::OddNumber | Plain::OldNumber => &rules::YAML_NUMBER,
    };
    findings
        .add(
            rule,
            at,
            format!("the key `{key}` without quotes is not text to every YAML reader"),
        )
        .help(format!("write it in quotes: \"{key}\""));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reader_s_view_is_known() {
        for (text, kind) in [
            ("yes", Plain::OldBool),
            ("TRUE", Plain::Bool(true)),
            ("100", Plain::Integer),
            ("-3", Plain::Integer),
            ("2.5", Plain::Fraction),
            ("0123", Plain::OddNumber),
            ("+5", Plain::OddNumber),
            ("0x64", Plain::OddNumber),
            ("0o17", Plain::OddNumber),
            ("12e5", Plain::OddNumber),
            ("1.", Plain::OddNumber),
            (".5", Plain::OddNumber),
            ("1_000", Plain::OldNumber),
            ("12:34:56:12:34:56", Plain::OldNumber),
            ("0b11", Plain::OldNumber),
            ("00:0e:d8:1c:95:08", Plain::Text),
            ("00:10:20:30:40:50", Plain::Text),
            ("500M", Plain::Text),
            ("1G", Plain::Text),
            ("127.0.0.1", Plain::Text),
            ("-", Plain::Text),
            (".", Plain::Text),
            ("0x", Plain::Text),
            ("~", Plain::Null),
        ] {
            assert_eq!(classify(text), kind, "{text}");
        }
    }
}
