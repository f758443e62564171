//! Finding GAMs in ranges of addresses, whether an inventory knows them or not.
//!
//! Needs no inventory and no database: [`discover`] asks and says what it found, [`Known`] tells afterwards which of it
//! an inventory has.

mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::device::{Answered, Community, Pace, Probed, probe};
use crate::transport::ssh::hello;

pub use known::{By, Known, Place};

/// How many addresses are waited for at once. With the usual rate and patience a few hundred questions are out at a time.
const AT_ONCE: usize = 1024;

/// How long an SSH server may take to introduce itself.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Where to look, and how.
#[derive(Debug, Clone)]
pub struct Search {
    /// The addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// UDP port of SNMP.
    pub snmp_port: u16,
    /// TCP port of SSH, to say hello to where SNMP is silent. `None`: that is not tried.
    pub ssh_port: Option<u16>,
    /// The communities to ask with.
    pub communities: Vec<Community>,
    /// How long to wait for each answer.
    pub patience: Duration,
    /// Most questions a second.
    pub rate: NonZeroU16,
}

/// A GAM that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gam {
    /// Its address.
    pub address: IpAddr,
    /// UDP port of SNMP.
    pub snmp_port: u16,
    /// What it answered.
    pub answered: Answered,
}

/// An SSH server where SNMP was silent. It may be a GAM or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshOnly {
    /// Its address.
    pub address: IpAddr,
    /// TCP port.
    pub ssh_port: u16,
    /// What it says it is, such as `SSH-2.0-dropbear_2019.78`.
    pub software: String,
}

/// What came of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovered {
    /// How many addresses were asked: all of them unless it was stopped.
    pub asked: usize,
    /// The GAMs, by address.
    pub gams: Vec<Gam>,
    /// SSH servers at silent addresses, by address.
    pub ssh_only: Vec<SshOnly>,
    /// How many answered and are no GAM.
    pub others: usize,
    /// How many did not answer SNMP; those of `ssh_only` included.
    pub silent: usize,
    /// How many there is no way to from here, by reason.
    pub no_way: BTreeMap<String, usize>,
}

/// Asks every address who it is. `tell` hears after each how many are done. Once `stop` is called for, no further answer
/// is waited for, and what was found until then is given back.
pub async fn discover(search: &Search, stop: &CancellationToken, tell: impl Fn(usize)) -> Discovered {
    let pace = Pace::per_second(search.rate);
    let mut found = Discovered::default();
    let answers = futures::stream::iter(search.addresses.iter().copied())
        .map(|address| look(search, address, &pace))
        .buffer_unordered(AT_ONCE)
        .take_until(stop.cancelled());
    tokio::pin!(answers);
    while let Some((address, probed, software)) = answers.next().await {
        found.asked += 1;
        match probed {
            Probed::Gam(answered) => found.gams.push(Gam {
                address,
                snmp_port: search.snmp_port,
                answered: *answered,
            }),
            Probed::Other => found.others += 1,
            Probed::Silent => found.silent += 1,
            Probed::NoWay(reason) => *found.no_way.entry(reason).or_default() += 1,
        }
        if let Some((ssh_port, software)) = software {
            found.ssh_only.push(SshOnly {
                address,
                ssh_port,
                software,
            });
        }
        tell(found.asked);
    }
    found.gams.sort_by_key(|gam| gam.address);
    found.ssh_only.sort_by_key(|one| one.address);
    found
}

async fn look(search: &Search, address: IpAddr, pace: &Pace) -> (IpAddr, Probed, Option<(u16, String)>) {
    let probed = probe(address, search.snmp_port, &search.communities, search.patience, pace).await;
    let software = match (&probed, search.ssh_port) {
        (Probed::Silent, Some(port)) => {
            // Nobody there, or no SSH server, is what was to be found out.
            let heard = hello(&address.to_string(), port, HELLO_WITHIN).await;
            heard.ok().map(|hello| (port, hello.software))
        }
        _ => None,
    };
    (address, probed, software)
}
