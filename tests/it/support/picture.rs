//! What a running configuration gives to whom, read with nothing of the driver.

use std::collections::{BTreeMap, BTreeSet};

/// A configuration, as far as it concerns subscribers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Every line of profiles, endpoints and subscribers.
    pub(crate) lines: BTreeSet<String>,
    /// By name of the subscriber: what it is given, numbers resolved to what they stand for. Who has no endpoint that
    /// exists is not here: he has no service.
    pub(crate) services: BTreeMap<String, String>,
}

impl Picture {
    pub(crate) fn of(config: &str) -> Self {
        let mut picture = Self::default();
        let mut objects: BTreeMap<(&str, &str), Vec<(&str, &str)>> = BTreeMap::new();
        for line in config.lines().map(str::trim_end) {
            let Some((kind, rest)) = line.strip_prefix("ghn ").and_then(|rest| rest.split_once(' ')) else {
                continue;
            };
            if !["bw-profile", "endpoint", "subscriber"].contains(&kind) {
                continue;
            }
            picture.lines.insert(line.to_owned());
            let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            objects.insert((kind, id), fields(rest));
        }
        let get = |object: &[(&str, &str)], word: &str| {
            let found = object.iter().find(|(name, _)| *name == word);
            found.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
        };
        for ((kind, _), fields) in &objects {
            if *kind != "subscriber" {
                continue;
            }
            let mut service = Vec::new();
            let mut served = false;
            for (word, value) in fields {
                let said = match *word {
                    "name" | "description" => continue,
                    "endpoint" => {
                        let Some(endpoint) = objects.get(&("endpoint", *value)) else {
                            continue;
                        };
                        served = true;
                        format!("at {} port {}", get(endpoint, "mac-address"), get(endpoint, "port"))
                    }
                    "bw-profile" => match objects.get(&("bw-profile", *value)) {
                        Some(profile) => {
                            format!("{}/{}", get(profile, "rate-downstream"), get(profile, "rate-upstream"))
                        }
                        None => (*value).to_owned(),
                    },
                    _ => format!("{word} {value}"),
                };
                service.push(said);
            }
            if served {
                picture.services.insert(get(fields, "name"), service.join(", "));
            }
        }
        picture
    }

    /// Who has which service, apart from numbers.
    pub(crate) fn named(self) -> BTreeMap<String, String> {
        self.services
    }
}

/// Words that stand alone.
const FLAGS: [&str; 3] = ["tagged", "untagged", "trunk"];

/// Keywords with their values, quotes taken off.
fn fields(text: &str) -> Vec<(&str, &str)> {
    let mut fields = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = word(rest);
        rest = after;
        if FLAGS.contains(&word) {
            fields.push((word, ""));
            continue;
        }
        let (value, after) = self::word(rest);
        rest = after;
        fields.push((word, value));
    }
    fields
}

fn word(text: &str) -> (&str, &str) {
    let (word, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => text.split_once(' ').unwrap_or((text, "")),
    };
    (word, rest.trim_start())
}
