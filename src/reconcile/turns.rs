//! Who may be changed at the same time: so many devices in all, and so many of one site.

use std::collections::BTreeMap;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::Parallelism;

/// The turns of one stage.
pub(super) struct Turns<'a> {
    all: Semaphore,
    of_site: BTreeMap<&'a str, Semaphore>,
}

/// A device's turn; it ends when this is dropped.
#[must_use]
pub(super) struct Turn<'t> {
    _of_site: Option<SemaphorePermit<'t>>,
    _of_all: Option<SemaphorePermit<'t>>,
}

impl<'a> Turns<'a> {
    /// For devices of these sites. Devices without a site are held up by nobody's neighbours.
    pub(super) fn new(parallelism: Parallelism, sites: impl Iterator<Item = &'a str>) -> Self {
        let of_site = parallelism.changing_per_site.map(|most| {
            sites
                .map(|site| (site, Semaphore::new(most.max(1))))
                .collect::<BTreeMap<_, _>>()
        });
        Self {
            all: Semaphore::new(parallelism.changing.max(1)),
            of_site: of_site.unwrap_or_default(),
        }
    }

    /// Waits until it is a device's turn. First within its site, so that a site with many devices keeps no other one waiting.
    pub(super) async fn turn(&self, site: Option<&str>) -> Turn<'_> {
        let of_site = match site.and_then(|site| self.of_site.get(site)) {
            None => None,
            // Only a closed one refuses, and nobody closes these.
            Some(of_site) => of_site.acquire().await.ok(),
        };
        Turn {
            _of_site: of_site,
            _of_all: self.all.acquire().await.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it would be a device's turn now.
    async fn is_turn<'t>(turns: &'t Turns<'_>, site: Option<&str>) -> Option<Turn<'t>> {
        tokio::select! {
            biased;
            turn = turns.turn(site) => Some(turn),
            () = std::future::ready(()) => None,
        }
    }

    #[tokio::test]
    async fn a_site_takes_no_more_turns_than_it_may_and_holds_up_no_other() {
        let parallelism = Parallelism {
            changing: 3,
            changing_per_site: Some(1),
            ..Parallelism::default()
        };
        let turns = Turns::new(parallelism, ["maple", "oak", "maple"].into_iter());
        let first = is_turn(&turns, Some("maple")).await;
        assert!(first.is_some());
        assert!(is_turn(&turns, Some("maple")).await.is_none());
        let other = is_turn(&turns, Some("oak")).await;
        let of_none = is_turn(&turns, None).await;
        assert!(other.is_some() && of_none.is_some());
        // Three in all.
        assert!(is_turn(&turns, None).await.is_none());
        drop(first);
        assert!(is_turn(&turns, Some("maple")).await.is_some());
    }

    #[tokio::test]
    async fn without_a_limit_for_sites_only_the_whole_counts() {
        let parallelism = Parallelism {
            changing: 2,
            ..Parallelism::default()
        };
        let turns = Turns::new(parallelism, std::iter::once("maple"));
        let two = (
            is_turn(&turns, Some("maple")).await,
            is_turn(&turns, Some("maple")).await,
        );
        assert!(two.0.is_some() && two.1.is_some());
        assert!(is_turn(&turns, Some("maple")).await.is_none());
    }
}
