//! Bytes as hexadecimal digits, as signatures and fingerprints are written.

/// In lower case, two digits a byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |number: u8| char::from_digit(u32::from(number), 16).unwrap_or_default();
    (bytes.iter())
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

/// The bytes of digits in either case; `None` where the text is something else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_bytes_and_bytes_are_digits() {
        let bytes = [0x00, 0x9f, 0xe0, 0xff];
        assert_eq!(hex(&bytes), "009fe0ff");
        for text in ["009fe0ff", "009FE0FF"] {
            assert_eq!(unhex(text).as_deref(), Some(&bytes[..]));
        }
        assert_eq!(unhex("").as_deref(), Some(&[][..]));
        for text in ["0", "009", "0g", "+1", " 1", "é"] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
