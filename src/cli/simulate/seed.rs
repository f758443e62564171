//! The file form of what simulated billing systems start with. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Error as _, MapAccess, Visitor};

use crate::diagnostic::SourceFile;
use crate::inventory::place_of;
use crate::sim::billing::{Opening, Seed, SeedCustomer, SeedOffer, SeedService};

/// What is sold, and to whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    offers: Entries<Offer>,
    #[serde(default)]
    customers: Entries<Customer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offer {
    name: String,
    down_kbps: u64,
    up_kbps: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    name: String,
    #[serde(default)]
    street: String,
    #[serde(default)]
    city: String,
    #[serde(default)]
    zip: String,
    /// The operator's own fields.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    services: Entries<Service>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    #[default]
    Active,
    Suspended,
    Left,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    offer: u64,
    /// The MAC of the box that was handed out, in whatever form a person writes it.
    #[serde(default)]
    equipment: Option<String>,
}

/// Things by their ids, in the order of the file. No id is there twice.
#[derive(Debug)]
struct Entries<T>(Vec<(u64, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ById<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ById<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("entries by their ids, which are numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
                while let Some(id) = map.next_key::<u64>()? {
                    if !seen.insert(id) {
                        return Err(A::Error::custom(format!("the id {id} is there twice")));
                    }
                    entries.push((id, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(ById(PhantomData))
    }
}

/// Reads a seed.
///
/// # Errors
///
/// `FILE:LINE:COLUMN: what is wrong`, of the first thing that is. Operator's fault.
pub(in crate::cli) fn read(source: &SourceFile) -> Result<Opening, String> {
    let file: File = serde_yaml::from_str(&source.text).map_err(|error| placed(source, &error))?;
    check(source, &file)?;
    let with = |status: Status| {
        let customers = file.customers.0.iter();
        let with = customers.filter(move |(_, customer)| customer.status == status);
        with.map(|(id, _)| *id).collect::<BTreeSet<u64>>()
    };
    let (suspended, left) = (with(Status::Suspended), with(Status::Left));
    let offers = file.offers.0.into_iter().map(|(id, offer)| SeedOffer {
        id,
        name: offer.name,
        down_kbps: offer.down_kbps,
        up_kbps: offer.up_kbps,
    });
    let customers = file.customers.0.into_iter().map(|(id, customer)| SeedCustomer {
        id,
        name: customer.name,
        street: customer.street,
        city: customer.city,
        zip: customer.zip,
        fields: customer.fields.into_iter().collect(),
        services: (customer.services.0.into_iter())
            .map(|(id, service)| SeedService {
                id,
                offer: service.offer,
                mac: service.equipment,
            })
            .collect(),
    });
    Ok(Opening {
        seed: Seed {
            offers: offers.collect(),
            customers: customers.collect(),
        },
        suspended,
        left,
    })
}

/// What is wrong with the text, with its place in front.
fn placed(source: &SourceFile, error: &serde_yaml::Error) -> String {
    let Some(location) = error.location() else {
        return format!("{}: {error}", source.path);
    };
    let (line, column) = (location.line(), location.column());
    let words = error.to_string();
    // It says the same behind.
    let words = words.trim_end_matches(&format!(" at line {line} column {column}"));
    format!("{}:{line}:{column}: {words}", source.path)
}

/// Whether what is named is there, and ids are one service's.
fn check(source: &SourceFile, file: &File) -> Result<(), String> {
    let wrong = |path: &[&str], what: String| match place_of(source, path) {
        Some(place) => format!("{}:{}:{}: {what}", source.path, place.line, place.column),
        None => format!("{}: {what}", source.path),
    };
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    for (account, customer) in &file.customers.0 {
        for (id, service) in &customer.services.0 {
            let (account_key, id_key) = (account.to_string(), id.to_string());
            let path = ["customers", &account_key, "services", &id_key, "offer"];
            if !file.offers.0.iter().any(|(offer, _)| *offer == service.offer) {
                let offers: Vec<String> = file.offers.0.iter().map(|(id, _)| id.to_string()).collect();
                let what = format!(
                    "there is no offer {}; `offers` has {}",
                    service.offer,
                    offers.join(", ")
                );
                return Err(wrong(&path, what));
            }
            if let Some(other) = seen.insert(*id, *account) {
                let what = format!("the service {id} is there twice: customer {other} has it as well");
                return Err(wrong(&path[..4], what));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(text: &str) -> Result<Opening, String> {
        read(&SourceFile {
            path: "seed.yaml".to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_seed_is_read_as_it_is_written() {
        let text = "offers:\n  1: {name: Fiber 100, down_kbps: 100000, up_kbps: 50000}\ncustomers:\n  1001:\n    name: Ada\n    \
                    city: Elm Park\n    fields: {building: B}\n    status: suspended\n    services: {5001: {offer: 1, equipment: 000ED8-000001}}\n  \
                    1002: {name: Grace, status: left}\n";
        let opening = seed(text).unwrap();
        assert_eq!(opening.suspended, [1001].into());
        assert_eq!(opening.left, [1002].into());
        insta::assert_debug_snapshot!(opening.seed);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let with = |customers: &str| {
            format!(
                "offers:\n  1: {{name: Fiber, down_kbps: 100, up_kbps: 50}}\n  2: {{name: More, down_kbps: 1, up_kbps: 1}}\ncustomers:\n{customers}"
            )
        };
        let cases = [
            (
                "offers: {}\ncustomer: {}\n".to_owned(),
                "seed.yaml:2:1: unknown field `customer`",
            ),
            (
                with("  1001: {name: Ada, mail: x}\n"),
                "seed.yaml:5:21: customers.1001: unknown field `mail`",
            ),
            (
                with("  1001: {name: Ada, services: {5001: {offer: 7}}}\n"),
                "seed.yaml:5:39: there is no offer 7; `offers` has 1, 2",
            ),
            (
                with(
                    "  1001: {name: Ada, services: {5001: {offer: 1}}}\n  1002: {name: G, services: {5001: {offer: 1}}}\n",
                ),
                "seed.yaml:6:30: the service 5001 is there twice: customer 1001 has it as well",
            ),
            (
                with("  1001: {name: Ada}\n  1001: {name: Bob}\n"),
                "the id 1001 is there twice",
            ),
            (with("  ada: {name: Ada}\n"), "seed.yaml:5:3: "),
            (
                with("  1001: {name: Ada, status: gone}\n"),
                "expected one of `active`, `suspended`, `left`",
            ),
            ("offers: {1: {name: Fiber}\n".to_owned(), "seed.yaml:"),
        ];
        for (text, what) in cases {
            let said = seed(&text).unwrap_err();
            assert!(said.contains(what), "{text}\n{said}");
        }
    }
}
