//! What people were told of, and what is still on its way to them: by follower, that is by repository and branch, so that one
//! database can serve several daemons.
//!
//! What is remembered and what is to be sent are written in one transaction: nothing is told twice, and nothing is lost,
//! wherever the process ends. What an entry says is its writer's; this is a queue for each channel, in order.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use super::{Store, StoreError, written};

/// Something to be told to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the channel.
    pub channel: String,
    /// What it says.
    pub body: String,
    /// Entries of the same channel with the same name, of which no sending was begun, are replaced by this one: only the
    /// newest is worth telling.
    pub replaces: Option<String>,
}

/// Entries that are sent together, again and again until somebody has taken them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Names it, the same over restarts.
    pub delivery: String,
    /// When the oldest of them was written.
    pub since: Timestamp,
    /// What they say, oldest first.
    pub bodies: Vec<String>,
}

/// What a channel has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Nothing,
    /// Something, at that moment: others may come to it before.
    At(Timestamp),
    /// This, now.
    Send(Batch),
}

/// How entries become batches.
#[derive(Debug, Clone, Copy)]
pub struct Gathering {
    /// How long an entry waits for others, in seconds.
    pub seconds: u32,
    /// The most that are sent together.
    pub at_most: u16,
}

/// Something to keep in mind: its key, and its value, or `None` to forget it.
pub type Note = (String, Option<String>);

impl Store {
    /// What is kept in mind for a follower: keys and values.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn kept_in_mind(&self, follower: &str) -> Result<Vec<(String, String)>, StoreError> {
        let follower = follower.to_owned();
        self.call(move |db| {
            let mut query = db.prepare_cached("SELECT key, value FROM told WHERE follower = ?1 ORDER BY key")?;
            let rows = query.query_map([follower], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Keeps things in mind and queues what is to be told of them: all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn tell(
        &self,
        follower: &str,
        notes: Vec<Note>,
        entries: Vec<Entry>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let follower = follower.to_owned();
        self.call(move |db| {
            for (key, value) in notes {
                match value {
                    Some(value) => db.execute(
                        "INSERT INTO told (follower, key, value) VALUES (?1, ?2, ?3)
                         ON CONFLICT (follower, key) DO UPDATE SET value = excluded.value",
                        params![follower, key, value],
                    )?,
                    None => db.execute("DELETE FROM told WHERE follower = ?1 AND key = ?2", [&follower, &key])?,
                };
            }
            for entry in entries {
                if entry.replaces.is_some() {
                    db.execute(
                        "DELETE FROM outbox WHERE follower = ?1 AND channel = ?2 AND replaces = ?3 AND delivery IS NULL",
                        params![follower, entry.channel, entry.replaces],
                    )?;
                }
                db.execute(
                    "INSERT INTO outbox (follower, channel, body, replaces, written) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![follower, entry.channel, entry.body, entry.replaces, written(now)],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// What a channel has to do next. What is given to be sent stays as it is, under one name, until it is
    /// [done](Self::told).
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn next_to_tell(
        &self,
        follower: &str,
        channel: &str,
        gathering: Gathering,
        now: Timestamp,
    ) -> Result<Next, StoreError> {
        let (follower, channel) = (follower.to_owned(), channel.to_owned());
        self.call(move |db| {
            if let Some(batch) = begun(db, &follower, &channel)? {
                return Ok(Next::Send(batch));
            }
            let oldest = "SELECT id, written FROM outbox WHERE follower = ?1 AND channel = ?2 ORDER BY id LIMIT 1";
            let mut query = db.prepare_cached(oldest)?;
            let mut rows = query.query([&follower, &channel])?;
            let Some(row) = rows.next()? else {
                return Ok(Next::Nothing);
            };
            let (id, since): (i64, Timestamp) = (row.get(0)?, moment(row, 1)?);
            let wait = jiff::SignedDuration::from_secs(gathering.seconds.into());
            let due = since.saturating_add(wait).unwrap_or(since);
            // A clock that was set back is no reason to wait for ever.
            if now < due && now >= since {
                return Ok(Next::At(due));
            }
            // Row numbers are never used twice; the moment tells databases apart.
            let delivery = format!("{id}-{}", since.as_millisecond());
            db.execute(
                "UPDATE outbox SET delivery = ?3 WHERE id IN
                    (SELECT id FROM outbox WHERE follower = ?1 AND channel = ?2 ORDER BY id LIMIT ?4)",
                params![follower, channel, delivery, gathering.at_most],
            )?;
            Ok(begun(db, &follower, &channel)?.map_or(Next::Nothing, Next::Send))
        })
        .await
    }

    /// Forgets a batch: somebody has taken it, or nobody ever will.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn told(&self, follower: &str, channel: &str, delivery: &str) -> Result<(), StoreError> {
        let keys = [follower.to_owned(), channel.to_owned(), delivery.to_owned()];
        self.call(move |db| {
            db.execute(
                "DELETE FROM outbox WHERE follower = ?1 AND channel = ?2 AND delivery = ?3",
                keys,
            )?;
            Ok(())
        })
        .await
    }

    /// Forgets what is older than `before`, and what is for none of these channels; how many entries that were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn give_up_telling(
        &self,
        follower: &str,
        channels: Vec<String>,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        let follower = follower.to_owned();
        let channels = super::to_json(&channels, "names of channels")?;
        self.call(move |db| {
            Ok(db.execute(
                "DELETE FROM outbox WHERE follower = ?1
                 AND (written < ?2 OR channel NOT IN (SELECT value FROM json_each(?3)))",
                params![follower, written(before), channels],
            )?)
        })
        .await
    }
}

/// The batch of which the sending was begun.
fn begun(db: &Transaction<'_>, follower: &str, channel: &str) -> Result<Option<Batch>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT delivery, written, body FROM outbox
         WHERE follower = ?1 AND channel = ?2 AND delivery IS NOT NULL ORDER BY id",
    )?;
    let mut rows = query.query([follower, channel])?;
    let mut batch: Option<Batch> = None;
    while let Some(row) = rows.next()? {
        let body: String = row.get(2)?;
        match &mut batch {
            Some(batch) => batch.bodies.push(body),
            None => {
                batch = Some(Batch {
                    delivery: row.get(0)?,
                    since: moment(row, 1)?,
                    bodies: vec![body],
                });
            }
        }
    }
    Ok(batch)
}

/// A moment as it was written; one that cannot be read is long ago.
fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let text: String = row.get(column)?;
    Ok(text.parse().unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn entry(channel: &str, body: &str, replaces: Option<&str>) -> Entry {
        Entry {
            channel: channel.to_owned(),
            body: body.to_owned(),
            replaces: replaces.map(str::to_owned),
        }
    }

    const TEN_SECONDS: Gathering = Gathering {
        seconds: 10,
        at_most: 3,
    };

    async fn next(store: &Store, channel: &str, seconds: i64) -> Next {
        store
            .next_to_tell("here", channel, TEN_SECONDS, at(seconds))
            .await
            .unwrap()
    }

    fn bodies(next: Next) -> (String, Vec<String>) {
        match next {
            Next::Send(batch) => (batch.delivery, batch.bodies),
            next => panic!("{next:?}"),
        }
    }

    #[tokio::test]
    async fn what_comes_together_goes_together_and_in_order() {
        let store = Store::in_memory().unwrap();
        assert_eq!(next(&store, "noc", 0).await, Next::Nothing);
        let first = vec![entry("noc", "1", None), entry("other", "x", None)];
        store.tell("here", vec![], first, at(0)).await.unwrap();
        assert_eq!(next(&store, "noc", 1).await, Next::At(at(10)));
        let more = ["2", "3", "4"].map(|body| entry("noc", body, None)).to_vec();
        store.tell("here", vec![], more, at(9)).await.unwrap();
        let (delivery, sent) = bodies(next(&store, "noc", 10).await);
        assert_eq!(sent, ["1", "2", "3"]);
        // Until it is taken it stays the same, whatever comes after it.
        let late = vec![entry("noc", "5", None)];
        store.tell("here", vec![], late, at(11)).await.unwrap();
        assert_eq!(bodies(next(&store, "noc", 99).await), (delivery.clone(), sent));
        store.told("here", "noc", &delivery).await.unwrap();
        let (second, sent) = bodies(next(&store, "noc", 99).await);
        assert_eq!(sent, ["4", "5"]);
        assert_ne!(second, delivery);
        assert_eq!(bodies(next(&store, "other", 99).await).1, ["x"]);
    }

    #[tokio::test]
    async fn only_the_newest_of_what_replaces_each_other_is_sent() {
        let store = Store::in_memory().unwrap();
        for (seconds, body) in [(0, "pending"), (1, "success")] {
            let entries = vec![entry("forge", body, Some("c1")), entry("forge", body, Some("c2"))];
            store.tell("here", vec![], entries, at(seconds)).await.unwrap();
        }
        let (delivery, sent) = bodies(next(&store, "forge", 20).await);
        assert_eq!(sent, ["success", "success"]);
        // What is on its way is not called back.
        let entries = vec![entry("forge", "failure", Some("c1"))];
        store.tell("here", vec![], entries, at(21)).await.unwrap();
        assert_eq!(bodies(next(&store, "forge", 40).await).1.len(), 2);
        store.told("here", "forge", &delivery).await.unwrap();
        assert_eq!(bodies(next(&store, "forge", 40).await).1, ["failure"]);
    }

    #[tokio::test]
    async fn what_is_old_or_for_nobody_is_given_up() {
        let store = Store::in_memory().unwrap();
        store
            .tell("here", vec![], vec![entry("noc", "old", None)], at(0))
            .await
            .unwrap();
        let new = vec![entry("noc", "new", None), entry("gone", "x", None)];
        store.tell("here", vec![], new, at(100)).await.unwrap();
        store
            .tell("there", vec![], vec![entry("noc", "theirs", None)], at(0))
            .await
            .unwrap();
        let given_up = store.give_up_telling("here", vec!["noc".to_owned()], at(50)).await;
        assert_eq!(given_up.unwrap(), 2);
        assert_eq!(bodies(next(&store, "noc", 200).await).1, ["new"]);
    }

    #[tokio::test]
    async fn what_is_kept_in_mind_is_each_followers_own() {
        let store = Store::in_memory().unwrap();
        let note = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        let notes = vec![note("a", Some("1")), note("b", Some("2"))];
        store.tell("here", notes, vec![], at(0)).await.unwrap();
        let notes = vec![note("a", Some("3")), note("b", None)];
        store.tell("here", notes, vec![], at(0)).await.unwrap();
        assert_eq!(
            store.kept_in_mind("here").await.unwrap(),
            [("a".to_owned(), "3".to_owned())]
        );
        assert_eq!(store.kept_in_mind("there").await.unwrap(), []);
    }
}
