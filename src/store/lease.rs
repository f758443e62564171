//! One device, one run: who may change a device now, and until when that is believed without a sign of life.
//!
//! A lease has a number that only grows. Whoever takes a device over gets the next one, and with the old one nothing
//! more can be written down, so nothing more is sent: a holder that was asleep finds out at its next step. Beside the
//! lease each process keeps a file locked, which the system gives back however the process ends: on the machine where
//! it ran its leases end with it, at once, and elsewhere when they expire.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::domain::MacAddr;

use super::batch::Report;
use super::journal::RunId;
use super::{Store, StoreError, host_name, written};

/// The number of a lease: a later one on the same device is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(i64);

/// Who asks for a device, and for how long.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Who, as people read it: `alice@noc1`.
    pub who: String,
    /// The run that it is for.
    pub run: RunId,
    /// How long it holds without being renewed.
    pub ttl: Duration,
}

/// Who holds a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who, as people read it.
    pub who: String,
    /// The machine.
    pub host: String,
    /// The process there.
    pub pid: u32,
    /// The run that it is for.
    pub run: RunId,
    /// Since when, UTC.
    pub since: String,
    /// When it ends unless it is renewed, UTC.
    pub expires: String,
}

impl fmt::Display for Holder {
    /// `alice@noc1, process 4711, since 2026-11-27T12:03:11Z, run 17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            who, pid, run, since, ..
        } = self;
        write!(f, "{who}, process {pid}, since {}, run {run}", to_the_second(since))
    }
}

/// The right to change a device, until it is dropped, expires, or is taken over.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    mac: MacAddr,
    token: Token,
}

impl Lease {
    /// Its number.
    #[must_use]
    pub const fn token(&self) -> Token {
        self.token
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (mac, token) = (self.mac, self.token);
        // Nobody waits for it: where the process ends before it is done, the lease ends with the process.
        let _ = self.store.jobs.send(Box::new(move |db| {
            let _ = db.ok()?.execute(
                "UPDATE leases SET holder = NULL WHERE mac = ?1 AND token = ?2",
                params![mac.to_string(), token.0],
            );
            Some(Box::new(|_| ()) as Report)
        }));
    }
}

/// A sign of life of this process: a file that it keeps locked as long as it lives.
#[derive(Debug)]
pub(super) struct Presence {
    host: String,
    /// The locked file; `None` beside a database in memory, which no other process can share.
    file: Option<tempfile::NamedTempFile>,
}

impl Presence {
    fn begin(folder: Option<&Path>) -> Result<Self, StoreError> {
        let host = host_name();
        let Some(folder) = folder else {
            return Ok(Self { host, file: None });
        };
        let failed = |source| StoreError::Presence {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.as_file().lock().map_err(failed)?;
        Ok(Self { host, file: Some(file) })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn name(&self) -> String {
        let name = self.file.as_ref().and_then(|file| file.path().file_name());
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Whether the process that kept this file locked is gone. A file that nobody keeps is taken away.
fn is_gone(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => {
                let _ = fs::remove_file(path);
                true
            }
            // What cannot be told is left to the clock.
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Whether a process that keeps a file locked is gone, as far as that can be told: one of this machine, which shows it in `folder`.
pub(super) fn is_known_gone(folder: Option<&Path>, host: &str, file: &str) -> Option<bool> {
    let folder = folder.filter(|_| host == host_name())?;
    Some(is_gone(&folder.join(file)))
}

impl Store {
    /// Takes the right to change a device; `now` is the caller's clock. `Err` inside: who holds it, where that is
    /// somebody who is alive as far as can be told, and whose time is not over.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database, or the file that says that this process lives, cannot be used.
    pub async fn lease(
        &self,
        mac: MacAddr,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Result<Lease, Holder>, StoreError> {
        let presence = self.presence()?;
        let folder = self.presences();
        let taken = self
            .call(move |db| {
                let found = found(db, mac)?;
                if let Some(holder) = found.as_ref().and_then(|found| found.alive(folder.as_deref(), now)) {
                    return Ok(Err(holder.clone()));
                }
                let token = found.map_or(0, |found| found.token) + 1;
                db.execute(
                    "INSERT INTO leases (mac, token, holder, host, pid, presence, run, since, expires)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                     ON CONFLICT (mac) DO UPDATE SET token = excluded.token, holder = excluded.holder,
                         host = excluded.host, pid = excluded.pid, presence = excluded.presence, run = excluded.run,
                         since = excluded.since, expires = excluded.expires",
                    params![
                        mac.to_string(),
                        token,
                        wanted.who,
                        presence.host,
                        std::process::id(),
                        presence.name(),
                        wanted.run.0,
                        written(now),
                        written(later(now, wanted.ttl)),
                    ],
                )?;
                Ok(Ok(Token(token)))
            })
            .await?;
        Ok(taken.map(|token| Lease {
            store: self.clone(),
            mac,
            token,
        }))
    }

    /// Who holds a device now, if anybody alive does.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn holder(&self, mac: MacAddr, now: Timestamp) -> Result<Option<Holder>, StoreError> {
        let folder = self.presences();
        self.call(move |db| {
            let found = found(db, mac)?;
            Ok(found.and_then(|found| found.alive(folder.as_deref(), now).cloned()))
        })
        .await
    }

    /// Shows a sign of life. `false`: somebody else has taken the device over.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; the lease goes on until it expires.
    pub async fn renew(&self, mac: MacAddr, token: Token, ttl: Duration, now: Timestamp) -> Result<bool, StoreError> {
        self.call(move |db| {
            let renewed = db.execute(
                "UPDATE leases SET expires = ?3 WHERE mac = ?1 AND token = ?2 AND holder IS NOT NULL",
                params![mac.to_string(), token.0, written(later(now, ttl))],
            )?;
            Ok(renewed > 0)
        })
        .await
    }

    /// Goes on with a run on a device under another lease than the one that began it: whoever is alive does what became
    /// of a run that waits.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used, or somebody else has taken the device over.
    pub async fn resume_device(&self, run: RunId, device: &str, token: Token) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            db.execute(
                "UPDATE device_runs SET lease = ?3 WHERE run = ?1 AND device = ?2",
                params![run.0, device, token.0],
            )?;
            fence(db, run, &device)
        })
        .await
    }

    /// The folder in which the processes of this machine show that they live.
    pub(super) fn presences(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|file| file.presences.clone())
    }

    pub(super) fn presence(&self) -> Result<Arc<Presence>, StoreError> {
        if let Some(presence) = self.presence.get() {
            return Ok(Arc::clone(presence));
        }
        let begun = Arc::new(Presence::begin(
            self.file.as_ref().map(|file| file.presences.as_path()),
        )?);
        // Two at once: one of them stays, the other's file goes away with it.
        Ok(Arc::clone(self.presence.get_or_init(|| begun)))
    }
}

/// What is on record of the leases on a device.
struct Found {
    /// The number of the last one.
    token: i64,
    /// Who holds it and by which file that shows, if anybody does.
    held: Option<(Holder, String)>,
}

impl Found {
    /// Who holds it, unless that is over by the clock or its process is gone. `folder` is where the processes of this
    /// machine show that they live.
    fn alive(&self, folder: Option<&Path>, now: Timestamp) -> Option<&Holder> {
        let (holder, file) = self.held.as_ref()?;
        let is_dead = is_known_gone(folder, &holder.host, file).unwrap_or_default();
        let is_over = holder.expires.parse::<Timestamp>().is_ok_and(|expires| expires <= now);
        (!is_dead && !is_over).then_some(holder)
    }
}

fn found(db: &Transaction<'_>, mac: MacAddr) -> Result<Option<Found>, StoreError> {
    let row = db
        .query_row(
            "SELECT token, holder, host, pid, presence, run, since, expires FROM leases WHERE mac = ?1",
            [mac.to_string()],
            |row| {
                let who: Option<String> = row.get(1)?;
                let token = row.get(0)?;
                let Some(who) = who else {
                    return Ok(Found { token, held: None });
                };
                let holder = Holder {
                    who,
                    host: row.get(2)?,
                    pid: row.get(3)?,
                    run: RunId(row.get(5)?),
                    since: row.get(6)?,
                    expires: row.get(7)?,
                };
                let held = Some((holder, row.get(4)?));
                Ok(Found { token, held })
            },
        )
        .optional()?;
    Ok(row)
}

/// Refuses to write anything down for a run on a device that somebody else has taken over.
pub(super) fn fence(db: &Transaction<'_>, run: RunId, device: &str) -> Result<(), StoreError> {
    let fenced: Option<(String, Option<i64>)> = db
        .prepare_cached("SELECT mac, lease FROM device_runs WHERE run = ?1 AND device = ?2")?
        .query_row(params![run.0, device], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match fenced {
        Some((mac, Some(token))) => fence_of(db, &mac, Token(token)),
        _ => Ok(()),
    }
}

/// The same for a lease by its number.
pub(super) fn fence_of(db: &Transaction<'_>, mac: &str, token: Token) -> Result<(), StoreError> {
    let now: Option<(i64, Option<String>)> = db
        .prepare_cached("SELECT token, holder FROM leases WHERE mac = ?1")?
        .query_row([mac], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match now {
        Some((now, Some(_))) if now == token.0 => Ok(()),
        Some((_, Some(holder))) => Err(StoreError::TakenOver { holder }),
        _ => Err(StoreError::TakenOver {
            holder: "another run".to_owned(),
        }),
    }
}

impl Token {
    pub(super) const fn number(self) -> i64 {
        self.0
    }
}

fn later(now: Timestamp, ttl: Duration) -> Timestamp {
    let ttl = SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX);
    now.saturating_add(ttl).unwrap_or(Timestamp::MAX)
}

impl Holder {
    /// When it ends by itself unless it is renewed, to the second.
    #[must_use]
    pub fn ends(&self) -> String {
        to_the_second(&self.expires)
    }
}

/// A time as the database has it, without the milliseconds.
fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}
