//! The thread that owns the connection. Jobs that wait at the same time share a transaction, and with it the wait for
//! the disk: of a fleet that is changed side by side, each device writes down two things a command.
//!
//! A job hears that it is done when it is on the disk, whoever shared the transaction with it; one that fails is taken
//! back by itself.

use std::collections::VecDeque;

use rusqlite::{Connection, Transaction, TransactionBehavior, ffi};
use tokio::sync::mpsc::UnboundedReceiver;

/// The most jobs that share a transaction.
const TOGETHER: usize = 64;

/// A piece of work. It gets its transaction, or why there is none. `None` where it failed, and has said so.
pub(super) type Job = Box<dyn FnOnce(Result<&Transaction<'_>, rusqlite::Error>) -> Option<Report> + Send>;

/// Tells whoever waits for a job whether it is on the disk.
pub(super) type Report = Box<dyn FnOnce(Result<(), rusqlite::Error>)>;

/// Works until the last sender is gone. A job in hand is always finished.
pub(super) fn work(connection: &mut Connection, queue: &mut UnboundedReceiver<Job>) {
    let mut jobs = VecDeque::new();
    while let Some(first) = jobs.pop_front().or_else(|| queue.blocking_recv()) {
        jobs.push_front(first);
        while jobs.len() < TOGETHER
            && let Ok(job) = queue.try_recv()
        {
            jobs.push_back(job);
        }
        together(connection, &mut jobs);
    }
}

/// Does jobs in one transaction: all of them, or those up to the one with which the transaction was lost.
fn together(connection: &mut Connection, jobs: &mut VecDeque<Job>) {
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            for job in jobs.drain(..) {
                job(Err(same(&error)));
            }
            return;
        }
    };
    let mut reports = Vec::with_capacity(jobs.len());
    while let Some(job) = jobs.pop_front() {
        if let Err(error) = one(&transaction, job, &mut reports) {
            tell(reports, Err(&error));
            return;
        }
    }
    match transaction.commit() {
        Ok(()) => tell(reports, Ok(())),
        Err(error) => tell(reports, Err(&error)),
    }
}

/// Does one job, and takes back what a failing one did. An error means that the transaction is gone, with all that was
/// done in it: SQLite takes it back by itself where the disk is full, among other things.
fn one(transaction: &Transaction<'_>, job: Job, reports: &mut Vec<Report>) -> Result<(), rusqlite::Error> {
    if let Err(error) = transaction.execute_batch("SAVEPOINT job") {
        job(Err(same(&error)));
        return Err(error);
    }
    let report = job(Ok(transaction));
    let end = match &report {
        Some(_) => "RELEASE job",
        None => "ROLLBACK TO job; RELEASE job",
    };
    reports.extend(report);
    if transaction.is_autocommit() {
        let why = "a step of the same transaction could not be written".to_owned();
        return Err(rusqlite::Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_IOERR),
            Some(why),
        ));
    }
    transaction.execute_batch(end)
}

fn tell(reports: Vec<Report>, result: Result<(), &rusqlite::Error>) {
    for report in reports {
        report(result.map_err(same));
    }
}

/// The same error once more: each job hears it.
fn same(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, words) => rusqlite::Error::SqliteFailure(*code, words.clone()),
        other => rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(other.to_string())),
    }
}
