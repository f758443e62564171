//! What each firmware answered to words that nobody had seen before.

use rusqlite::params;

use crate::domain::Firmware;
use crate::observed::{Answer, AssumedWord};

use super::{Store, StoreError, now};

const fn text_of(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "offered",
        Answer::No => "refused",
        Answer::Ignored => "ignored",
        Answer::Unknown => "unknown",
    }
}

fn answer_of(text: &str) -> Answer {
    match text {
        "offered" => Answer::Yes,
        "refused" => Answer::No,
        "ignored" => Answer::Ignored,
        // A text from elsewhere says nothing.
        _ => Answer::Unknown,
    }
}

impl Store {
    /// Remembers what a firmware answered, in place of what it answered before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn learn(&self, firmware: &Firmware, answers: Vec<(AssumedWord, Answer)>) -> Result<(), StoreError> {
        if answers.is_empty() {
            return Ok(());
        }
        let firmware = firmware.to_string();
        self.call(move |db| {
            for (word, answer) in answers {
                db.prepare_cached(
                    "INSERT INTO capabilities (firmware, word, answer, updated) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (firmware, word) DO UPDATE SET answer = excluded.answer, updated = excluded.updated",
                )?
                .execute(params![firmware, word.text(), text_of(answer), now()])?;
            }
            Ok(())
        })
        .await
    }

    /// What devices of this firmware, the whole version text, answered. Words that this version does not say are
    /// left out.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn learned(&self, firmware: &Firmware) -> Result<Vec<(AssumedWord, Answer)>, StoreError> {
        let firmware = firmware.to_string();
        self.call(move |db| {
            let mut query =
                db.prepare_cached("SELECT word, answer FROM capabilities WHERE firmware = ?1 ORDER BY word")?;
            let rows = query.query_map([firmware], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            let mut answers = Vec::new();
            for row in rows {
                let (word, answer) = row?;
                if let Some(word) = AssumedWord::of_text(&word) {
                    answers.push((word, answer_of(&answer)));
                }
            }
            Ok(answers)
        })
        .await
    }
}
