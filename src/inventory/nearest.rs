//! What somebody most likely meant.

use super::model::Inventory;

impl Inventory {
    /// `; did you mean `maple-a`?` where a device is near enough to what somebody wrote, else nothing.
    #[must_use]
    pub fn device_hint(&self, wanted: &str) -> String {
        let hint = did_you_mean(wanted, self.devices.keys().map(String::as_str));
        hint.map(|hint| format!("; {hint}")).unwrap_or_default()
    }
}

/// The known word nearest to `word`, if any is near enough to be worth naming.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // A word that nobody would read is not worth comparing with every key of a fleet.
    if word.len() > 80 {
        return None;
    }
    let known: Vec<&str> = known.into_iter().collect();
    let lower = word.to_lowercase();
    let same = known
        .iter()
        .copied()
        .find(|candidate| candidate.to_lowercase() == lower);
    same.or_else(|| similar::get_close_matches(word, &known, 1, 0.6).into_iter().next())
}

/// ` (did you mean `x`?)`-style help for a reference to a `what` that does not exist.
pub(super) fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(word, known).map(|name| format!("did you mean `{name}`?"))
}
