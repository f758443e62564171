//! What operators keep beside customers and is nobody's business here.

/// Whether a field of the operator's own is named like something private: a password, an address of mail, a telephone number, an account at
/// a bank. Such fields are dropped where an answer is read.
pub(super) fn is_private(name: &str) -> bool {
    let name = name.to_lowercase();
    ["pass", "secret", "mail", "phone", "mobile", "iban", "card"]
        .iter()
        .any(|word| name.contains(word))
}
