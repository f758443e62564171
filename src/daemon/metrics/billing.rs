//! What Prometheus reads of billing. What is not known yet has no sample; what is counted begins with 0.

use std::collections::BTreeMap;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::billing::Why;
use crate::domain::BillingKind;

use super::super::billing::{Billed, Knocked};
use super::Seconds;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSystem {
    system: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Open {
    system: &'static str,
    why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Webhook {
    system: &'static str,
    outcome: &'static str,
}

type BySystem<'s> = &'s BTreeMap<BillingKind, Billed>;

/// How it stands with each billing system. Where there is none, there is nothing to read.
pub(super) fn register(registry: &mut Registry, systems: BySystem<'_>) {
    if systems.is_empty() {
        return;
    }
    let mut gauge = |name: &str, help: &str, of: &dyn Fn(&Billed) -> Option<usize>| {
        registry.register(name, help, gauges(systems, of));
    };
    gauge(
        "billing_accounts",
        "Accounts that the billing system told of",
        &|billed| billed.swept.map(|_| billed.accounts),
    );
    gauge(
        "billing_services",
        "Services that the billing system told of",
        &|billed| billed.swept.map(|_| billed.services),
    );
    let failing = "Whether the billing system cannot be asked";
    gauge("billing_failing", failing, &|billed| {
        Some(usize::from(billed.failing.is_some()))
    });
    let unwritten = "Whether what the billing system says cannot be written";
    gauge("billing_unwritten", unwritten, &|billed| {
        Some(usize::from(billed.unwritten.is_some()))
    });
    let distrusted = "Whether what the billing system said last is not believed";
    gauge("billing_distrusted", distrusted, &|billed| {
        Some(usize::from(billed.distrusted.is_some()))
    });
    let clock = "Whether it is not sure what time it is, so that nothing is done that depends on it";
    gauge("billing_clock_unsure", clock, &|billed| {
        Some(usize::from(billed.clock.is_some()))
    });
    gauge(
        "billing_waiting",
        "Webhooks that are still to be looked at",
        &|billed| Some(billed.waiting),
    );
    let proposals = "Changes that were proposed and wait for people";
    gauge("billing_proposals", proposals, &|billed| {
        billed.believed.map(|_| billed.proposals.len())
    });

    let looked = Family::<OfSystem, Seconds>::default();
    for (system, billed) in systems {
        if let Some(swept) = billed.swept {
            looked
                .get_or_create(&of(*system))
                .set(swept.as_duration().as_secs_f64());
        }
    }
    registry.register(
        "billing_looked_timestamp_seconds",
        "When all of the billing system was last looked at with success",
        looked,
    );
    let open = Family::<Open, Gauge>::default();
    for (system, billed) in systems.iter().filter(|(_, billed)| billed.believed.is_some()) {
        for why in Why::ALL {
            let number = billed.open.get(&why).copied().unwrap_or_default();
            let labels = Open {
                system: system.key(),
                why: why.word(),
            };
            open.get_or_create(&labels).set(signed(number));
        }
    }
    registry.register("billing_open", "What is left open, by its reason", open);

    let (commits, webhooks) = (
        Family::<OfSystem, Counter>::default(),
        Family::<Webhook, Counter>::default(),
    );
    for (system, billed) in systems {
        commits.get_or_create(&of(*system)).inc_by(billed.commits);
        for outcome in Knocked::ALL {
            let number = billed.knocks.get(&outcome).copied().unwrap_or_default();
            let labels = Webhook {
                system: system.key(),
                outcome: outcome.word(),
            };
            webhooks.get_or_create(&labels).inc_by(number);
        }
    }
    registry.register(
        "billing_commits",
        "Commits that were made for the billing system",
        commits,
    );
    registry.register("billing_webhooks", "Webhooks that came, by what came of them", webhooks);
}

const fn of(system: BillingKind) -> OfSystem {
    OfSystem { system: system.key() }
}

fn gauges(systems: BySystem<'_>, value: &dyn Fn(&Billed) -> Option<usize>) -> Family<OfSystem, Gauge> {
    let family = Family::<OfSystem, Gauge>::default();
    for (system, billed) in systems {
        if let Some(value) = value(billed) {
            family.get_or_create(&of(*system)).set(signed(value));
        }
    }
    family
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
