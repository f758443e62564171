//! Sonar: the client against the simulated one, over real HTTP.

mod book;
mod faults;
mod hooks;
mod life;
mod protocol;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use gamops::biller::{Auth, BillerError, BillingSystem, Connection, Extra, Sonar};
use gamops::billing::{Book, Standing};
use gamops::domain::Secret;
use gamops::sim::billing::Seed;
use gamops::sim::sonar::{Sonar as Fake, TOKEN};
use tokio::runtime::Runtime;

/// One for all: a client's connections belong to the runtime that it was first used in.
fn on<T>(asked: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap()).block_on(asked)
}

fn start(seed: &Seed) -> Fake {
    let fake = on(Fake::start(seed)).unwrap();
    fake.set_clock("2026-03-01T09:00:00Z".parse().unwrap());
    fake
}

fn connection(url: &str, token: &str) -> Connection {
    Connection {
        url: url.to_owned(),
        key: None,
        secret: Secret::new(token),
        hook_secret: None,
        authorities: None,
        auth: Auth::default(),
        above: 0,
        extras: Extra::ALL.into(),
        zone: jiff::tz::TimeZone::UTC,
        within: Duration::from_secs(30),
    }
}

fn client(fake: &Fake) -> Sonar {
    Sonar::new(&connection(&fake.url(), TOKEN)).unwrap()
}

fn sweep(fake: &Fake) -> Result<Book, BillerError> {
    on(client(fake).sweep())
}

fn look(fake: &Fake, accounts: &[u64]) -> Result<Book, BillerError> {
    let accounts: BTreeSet<String> = accounts.iter().map(u64::to_string).collect();
    on(client(fake).look(&accounts))
}

/// The standing of an account's service, swept and looked at by id.
fn standing(fake: &Fake, account: u64, service: u64) -> (Standing, String) {
    let books = [sweep(fake).unwrap(), look(fake, &[account]).unwrap()];
    let found = books.map(|book| {
        let service = &book.accounts[&account.to_string()].services[&service.to_string()];
        (service.standing, service.words.clone())
    });
    assert_eq!(found[0], found[1]);
    found[0].clone()
}

/// The texts of a service's clues from one source.
fn clues(book: &Book, service: u64, source: &str) -> Vec<String> {
    let found = book.services().find(|(name, ..)| name.service == service.to_string());
    let (_, _, service) = found.unwrap();
    (service.clues.iter())
        .filter(|clue| clue.source == source)
        .map(|clue| clue.text.clone())
        .collect()
}

/// A book as a person would read it.
fn shown(book: &Book) -> String {
    let mut text = String::new();
    for (id, offer) in &book.offers {
        writeln!(
            text,
            "offer {id} {}: {:?} / {:?} kbit/s",
            offer.name, offer.down_kbps, offer.up_kbps
        )
        .unwrap();
    }
    for (id, account) in &book.accounts {
        writeln!(text, "account {id} {}", account.name).unwrap();
        for (name, fact) in &account.facts {
            writeln!(text, "  {name}: {fact}").unwrap();
        }
        for (id, service) in &account.services {
            let offer = service.offer.as_deref().unwrap_or("-");
            writeln!(
                text,
                "  service {id} of offer {offer}: {:?} ({})",
                service.standing, service.words
            )
            .unwrap();
            for clue in &service.clues {
                writeln!(text, "    {}: {}", clue.source, clue.text).unwrap();
            }
        }
    }
    text
}
