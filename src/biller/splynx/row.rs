//! Rows of Splynx, as far as they are looked at, in every form in which its versions write them. Pure.
//!
//! Ids, rates and flags are numbers in some versions and texts in others, an empty map is an empty list, no date is a date of zeros.
//! What is not named here is dropped where it is read: passwords, e-mail addresses, telephone numbers, prices.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::private::is_private;

/// A tariff: what is sold.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tariff {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) title: Loose,
    /// In kbit/s.
    #[serde(default)]
    pub(super) speed_download: Loose,
    #[serde(default)]
    pub(super) speed_upload: Loose,
}

/// A customer: an account.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Customer {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) status: Loose,
    #[serde(default)]
    pub(super) name: Loose,
    #[serde(default)]
    pub(super) partner_id: Loose,
    #[serde(default)]
    pub(super) location_id: Loose,
    #[serde(default)]
    pub(super) street_1: Loose,
    #[serde(default)]
    pub(super) zip_code: Loose,
    #[serde(default)]
    pub(super) city: Loose,
    #[serde(default)]
    pub(super) customer_labels: Labels,
    #[serde(default)]
    pub(super) additional_attributes: Fields,
}

/// An internet service.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Service {
    pub(super) id: Id,
    pub(super) customer_id: Id,
    #[serde(default)]
    pub(super) tariff_id: Loose,
    #[serde(default)]
    pub(super) status: Loose,
    #[serde(default)]
    pub(super) start_date: Day,
    #[serde(default)]
    pub(super) end_date: Day,
    #[serde(default)]
    pub(super) login: Loose,
    #[serde(default)]
    pub(super) mac: Loose,
    #[serde(default)]
    pub(super) port_id: Loose,
    #[serde(default)]
    pub(super) access_device: Loose,
    #[serde(default)]
    pub(super) additional_attributes: Fields,
}

/// A piece of equipment.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Item {
    pub(super) id: Id,
    pub(super) customer_id: Id,
    #[serde(default)]
    pub(super) service_id: Loose,
    #[serde(default)]
    pub(super) status: Loose,
    #[serde(default)]
    pub(super) barcode: Loose,
    #[serde(default)]
    pub(super) serial_number: Loose,
}

/// A location, a partner, a network site or a piece of network hardware.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Place {
    pub(super) id: Id,
    /// What network sites and hardware are called.
    #[serde(default)]
    title: Loose,
    /// What locations and partners are called.
    #[serde(default)]
    name: Loose,
    #[serde(default)]
    pub(super) network_site_id: Loose,
}

impl Place {
    /// What it is called.
    pub(super) fn called(&self) -> &str {
        match self.name.text() {
            "" => self.title.text(),
            name => name,
        }
    }
}

/// A note on a customer.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Written {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) comment: Loose,
}

/// A row that has an id.
pub(super) trait Row {
    fn id(&self) -> u64;
}

macro_rules! rows {
    ($($row:ty),*) => { $(impl Row for $row { fn id(&self) -> u64 { self.id.0 } })* };
}
rows!(Tariff, Customer, Service, Item, Place, Written);

/// An id: a whole number, as number or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(pub(super) u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Loose::deserialize(deserializer)?;
        text.id()
            .map(Self)
            .ok_or_else(|| D::Error::custom("an id that is none"))
    }
}

/// A text, a number, a flag or nothing. White space around it is not part of it; lists and maps count as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loose(String);

impl Loose {
    /// The text; empty for nothing.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// An id or another whole number that is not 0: 0 means none.
    pub(super) fn id(&self) -> Option<u64> {
        let is_digits = !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_digit());
        self.0.parse().ok().filter(|id| is_digits && *id > 0)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Loose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose(text.trim().to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Loose, E> {
                Ok(Loose(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Loose, E> {
                Ok(Loose(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Loose, E> {
                Ok(Loose(number.to_string()))
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Loose, E> {
                Ok(Loose(if flag { "1" } else { "0" }.to_owned()))
            }

            fn visit_unit<E: Error>(self) -> Result<Loose, E> {
                Ok(Loose::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose::default())
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A date without a zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Day {
    /// None: nothing, zeros, or the first day of 1970.
    #[default]
    Never,
    /// A day.
    On(Date),
    /// Something else.
    Odd(String),
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Loose::deserialize(deserializer)?;
        let day = text.text().split([' ', 'T']).next().unwrap_or_default();
        Ok(match day {
            "" | "0" | "0000-00-00" | "1970-01-01" => Self::Never,
            day => day.parse().map_or_else(|_| Self::Odd(text.0.clone()), Self::On),
        })
    }
}

/// An operator's own fields by name. Those that are named like a secret or like a way to reach somebody are dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map, or an empty list for an empty one")
            }

            fn visit_unit<E: Error>(self) -> Result<Fields, E> {
                Ok(Fields::default())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Fields, E> {
                match text {
                    "" => Ok(Fields::default()),
                    _ => Err(E::custom("a text where fields should be")),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Fields, A::Error> {
                match list.next_element::<IgnoredAny>()? {
                    None => Ok(Fields::default()),
                    Some(_) => Err(A::Error::custom("a list where fields should be")),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Loose>()? {
                    if !value.0.is_empty() && !is_private(&name) {
                        fields.insert(name, value.0);
                    }
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_any(Map)
    }
}

/// The names of a customer's labels: a list of `{id, label, color}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Labels(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Label {
            #[serde(default)]
            label: Loose,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Labels(Vec<Label>),
            Other(IgnoredAny),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Labels(labels) => Self(
                (labels.into_iter().map(|label| label.label.0))
                    .filter(|label| !label.is_empty())
                    .collect(),
            ),
            Form::Other(_) => Self::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn service(row: Value) -> Service {
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn numbers_and_texts_are_the_same() {
        let typed = service(json!({
            "id": 5001, "customer_id": 1001, "tariff_id": 7, "status": "active", "start_date": "2024-02-01", "end_date": "0000-00-00",
            "port_id": 0, "access_device": 12, "additional_attributes": {"gam_port": 3},
        }));
        let stringly = service(json!({
            "id": "5001", "customer_id": "1001", "tariff_id": "7", "status": "active", "start_date": "2024-02-01", "end_date": null,
            "port_id": "0", "access_device": "12", "additional_attributes": {"gam_port": "3"},
        }));
        assert_eq!(format!("{typed:?}"), format!("{stringly:?}"));
    }

    #[test]
    fn an_empty_map_is_an_empty_list() {
        for empty in [json!([]), json!({}), json!(null), json!("")] {
            let row = service(json!({ "id": 1, "customer_id": 1, "additional_attributes": empty }));
            assert_eq!(row.additional_attributes, Fields::default());
        }
    }

    #[test]
    fn what_is_private_is_not_kept() {
        let customer: Customer = serde_json::from_value(json!({
            "id": 1001, "name": "Ada Example", "login": "c1001", "password": "canary", "email": "canary@example.net",
            "billing_email": "canary@example.net", "phone": "canary",
            "additional_attributes": { "wifi_password": "canary", "second_phone": "canary", "unit": "4" },
        }))
        .unwrap();
        let row = service(json!({ "id": 1, "customer_id": 1, "password": "canary", "login": "c1001_1" }));
        let all = format!("{customer:?} {row:?}");
        assert!(!all.contains("canary"), "{all}");
        assert_eq!(customer.additional_attributes.0["unit"], "4");
    }

    #[test]
    fn a_row_without_an_id_is_none() {
        for row in [
            json!({ "customer_id": 1 }),
            json!({ "id": 0, "customer_id": 1 }),
            json!({ "id": "1/../2", "customer_id": 1 }),
            json!({ "id": -1, "customer_id": 1 }),
            json!({ "id": "+1", "customer_id": 1 }),
            json!({ "id": 1, "customer_id": [] }),
        ] {
            assert!(serde_json::from_value::<Service>(row.clone()).is_err(), "{row}");
        }
    }

    #[test]
    fn days_are_read_in_every_form() {
        for (text, day) in [
            ("0000-00-00", Day::Never),
            ("0000-00-00 00:00:00", Day::Never),
            ("1970-01-01", Day::Never),
            ("", Day::Never),
            ("2025-06-15", Day::On(jiff::civil::date(2025, 6, 15))),
            ("2025-06-15 14:40:00", Day::On(jiff::civil::date(2025, 6, 15))),
            ("15.06.2025", Day::Odd("15.06.2025".to_owned())),
        ] {
            assert_eq!(serde_json::from_value::<Day>(json!(text)).unwrap(), day, "{text}");
        }
        assert_eq!(serde_json::from_value::<Day>(json!(null)).unwrap(), Day::Never);
    }

    #[test]
    fn labels_are_known_by_name() {
        let labels: Labels = serde_json::from_value(json!([{ "id": 2, "label": "MDU", "color": "#0a0" }])).unwrap();
        assert_eq!(labels.0, ["MDU"]);
        for other in [json!([]), json!(null), json!("x"), json!([1, 2])] {
            assert_eq!(serde_json::from_value::<Labels>(other).unwrap(), Labels::default());
        }
    }
}
