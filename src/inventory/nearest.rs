//! What somebody most likely meant.

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
