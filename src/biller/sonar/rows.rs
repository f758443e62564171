//! The rows of Sonar's lists, as far as they are read. Fields that are not named here are neither asked for nor looked at.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::walk;

/// An id of Sonar's: digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(pub(super) u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let id = walk::id(&value).ok_or_else(|| D::Error::custom(format!("{value} is no id")))?;
        Ok(Self(id))
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Account {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) account_status_id: Option<Id>,
    pub(super) company_id: Option<Id>,
    pub(super) parent_account_id: Option<Id>,
    /// A date; `None` where it has never been active.
    pub(super) activation_date: Option<String>,
    pub(super) archived_at: Option<String>,
    pub(super) is_delinquent: bool,
}

/// A status of accounts, as the operator defined it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Status {
    pub(super) id: Id,
    pub(super) name: String,
    /// Whether accounts with it are to have service: all of it that means something to a program.
    pub(super) activates_account: bool,
}

/// A service that an account has. There is no status: it is there or it is not.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AccountService {
    pub(super) id: Id,
    pub(super) account_id: Id,
    pub(super) service_id: Id,
}

/// Something that is sold.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Service {
    pub(super) id: Id,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) data_service_detail: Option<Rates>,
}

/// Rates in kbit/s. Zero, or none, is not known.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Rates {
    pub(super) download_speed_kilobits_per_second: Option<Value>,
    pub(super) upload_speed_kilobits_per_second: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Address {
    pub(super) id: Id,
    /// The account that has it.
    pub(super) addressable_id: Option<Id>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) serviceable: bool,
    pub(super) line1: Option<String>,
    pub(super) city: Option<String>,
    pub(super) zip: Option<String>,
}

/// An item of the inventory, at an address.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Item {
    pub(super) id: Id,
    /// The address.
    pub(super) inventoryitemable_id: Option<Id>,
    pub(super) account_service_id: Option<Id>,
    pub(super) inventory_model: Option<Named>,
    pub(super) inventory_model_field_data: ItemFields,
}

/// The fields of an item, as they come with it. All of them only where their number says so.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ItemFields {
    page_info: Total,
    pub(super) entities: Vec<ItemField>,
}

impl ItemFields {
    pub(super) fn is_whole(&self) -> bool {
        self.page_info.total_count == self.entities.len() as u64
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Total {
    total_count: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ItemField {
    /// The item, where it was not asked for with it.
    pub(super) inventory_item_id: Option<Id>,
    pub(super) value: String,
    pub(super) inventory_model_field: FieldName,
}

/// What a field of an item is called by whoever made the model.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct FieldName {
    pub(super) name: String,
    #[serde(default)]
    pub(super) primary: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct UninventoriedMac {
    pub(super) account_id: Option<Id>,
    pub(super) account_service_id: Option<Id>,
    pub(super) mac_address: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct DisconnectionLog {
    pub(super) account_id: Id,
    pub(super) disconnected_at: String,
}

/// A field that the operator added to accounts or addresses.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CustomField {
    pub(super) customfielddataable_id: Id,
    pub(super) value: Option<String>,
    pub(super) custom_field: Named,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    pub(super) account_service_id: Id,
    pub(super) value: Option<String>,
    pub(super) service_metadatum: Named,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RadiusAccount {
    pub(super) account_id: Option<Id>,
    pub(super) account_service_id: Option<Id>,
    pub(super) username: String,
}
