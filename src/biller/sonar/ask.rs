//! What Sonar is asked, as the bodies of requests. Pure.
//!
//! Flat lists that are joined by id, never nested ones: a nested list is paged too, and may be cut without a word. Every list is read in
//! the order of its ids, each page being "the first rows after the last one that was read": rows that come or go meanwhile push
//! nothing from one page to another, as they would with numbered pages.

use serde_json::{Map, Value, json};

/// How many rows a page is asked to have. Sonar may send fewer; a client in the field calls 1,000 the most it gives.
const ROWS: u64 = 1000;

/// A list of Sonar's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum List {
    Accounts,
    AccountStatuses,
    AccountServices,
    Services,
    Addresses,
    InventoryItems,
    FieldData,
    UninventoriedMacs,
    DisconnectionLogs,
    AccountFields,
    AddressFields,
    Metadata,
    RadiusAccounts,
}

impl List {
    /// Its name at the root of a query.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::AccountStatuses => "account_statuses",
            Self::AccountServices => "account_services",
            Self::Services => "services",
            Self::Addresses => "addresses",
            Self::InventoryItems => "inventory_items",
            Self::FieldData => "inventory_model_field_data",
            Self::UninventoriedMacs => "uninventoried_mac_addresses",
            Self::DisconnectionLogs => "disconnection_logs",
            Self::AccountFields | Self::AddressFields => "custom_field_data",
            Self::Metadata => "service_metadata_values",
            Self::RadiusAccounts => "radius_accounts",
        }
    }

    /// What narrows it, or widens it, whatever is asked for.
    const fn always(self) -> &'static str {
        match self {
            Self::Accounts => "include_archived: true, ",
            Self::Addresses => "addressable_type: Account, ",
            Self::InventoryItems => "inventoryitemable_type: Address, ",
            Self::AccountFields => "customfielddataable_type: Account, ",
            Self::AddressFields => "customfielddataable_type: Address, ",
            _ => "",
        }
    }

    /// What is read of each row: nothing that gamops has no use for, so never a password, an e-mail address or a telephone number.
    const fn fields(self) -> &'static str {
        match self {
            Self::Accounts => {
                "id name account_status_id company_id parent_account_id activation_date archived_at is_delinquent"
            }
            Self::AccountStatuses => "id name activates_account",
            Self::AccountServices => "id account_id service_id",
            Self::Services => {
                "id name type data_service_detail { download_speed_kilobits_per_second upload_speed_kilobits_per_second }"
            }
            Self::Addresses => "id addressable_id type serviceable line1 city zip",
            // The nested list is asked for whole, and for its count: where it is cut, `FieldData` has the rest.
            Self::InventoryItems => {
                "id inventoryitemable_id account_service_id inventory_model { name } inventory_model_field_data(paginator: {page: 1, records_per_page: 100}) \
                 { page_info { total_count } entities { id value inventory_model_field { name primary } } }"
            }
            Self::FieldData => "id inventory_item_id value inventory_model_field { name primary }",
            Self::UninventoriedMacs => "id account_id account_service_id mac_address",
            Self::DisconnectionLogs => "id account_id disconnected_at",
            Self::AccountFields | Self::AddressFields => "id customfielddataable_id value custom_field { name }",
            Self::Metadata => "id account_service_id value service_metadatum { name }",
            Self::RadiusAccounts => "id account_id account_service_id username",
        }
    }
}

/// The rows of a list that are wanted: all, or those of which a field has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Part {
    /// The list.
    pub(super) list: List,
    /// The field, which is read of each row too, and the id that it has.
    pub(super) only: Option<(&'static str, u64)>,
}

/// Asks for the next rows of each part: those with an id above `after`. The answer has them under [`name`].
pub(super) fn pages(wanted: &[(Part, u64)]) -> Value {
    let mut query = Query::new();
    query.declare("page", "Paginator", json!({ "page": 1, "records_per_page": ROWS }));
    for (number, (part, after)) in wanted.iter().enumerate() {
        let only = query.only(number, part);
        let after = json!([{ "integer_fields": [{ "attribute": "id", "operator": "GT", "search_value": after }] }]);
        query.declare(&format!("after{number}"), "[Search]", after);
        query.fields += &format!(
            " {}: {}({}{only}paginator: $page, search: $after{number}, sorter: [{{attribute: \"id\", direction: ASC}}]) \
             {{ page_info {{ page total_pages total_count }} entities {{ {} }} }}",
            name(number),
            part.list.root(),
            part.list.always(),
            part.list.fields(),
        );
    }
    query.body("query")
}

/// Asks how many rows each part has. The answer has them under [`name`].
pub(super) fn counts(parts: &[Part]) -> Value {
    let mut query = Query::new();
    query.declare("page", "Paginator", json!({ "page": 1, "records_per_page": 1 }));
    for (number, part) in parts.iter().enumerate() {
        let only = query.only(number, part);
        query.fields += &format!(
            " {}: {}({}{only}paginator: $page) {{ page_info {{ total_count }} }}",
            name(number),
            part.list.root(),
            part.list.always(),
        );
    }
    query.body("query")
}

/// Asks for the notes of an account that hold a mark.
pub(super) fn notes(account: u64, mark: &str) -> Value {
    let mut query = Query::new();
    let holds = json!([{ "string_fields": [
        { "attribute": "message", "search_value": mark, "match": true, "partial_matching": true }
    ] }]);
    query.declare("account", "Int64Bit", json!(account));
    query.declare("holds", "[Search]", holds);
    query.declare("page", "Paginator", json!({ "page": 1, "records_per_page": 100 }));
    query.fields += " accounts(id: $account, include_archived: true) { page_info { total_count } entities { id \
                     notes(paginator: $page, search: $holds) { page_info { total_count } entities { id message } } } }";
    query.body("query")
}

/// Writes a note to an account.
pub(super) fn create_note(account: u64, text: &str) -> Value {
    let mut query = Query::new();
    let input = json!({ "message": text, "noteable_type": "Account", "noteable_id": account, "priority": "NORMAL" });
    query.declare("input", "CreateNoteMutationInput", input);
    query.fields += " createNote(input: $input) { id }";
    query.body("mutation")
}

/// Under which name an answer has the part of this number.
pub(super) fn name(number: usize) -> String {
    format!("part{number}")
}

/// A query while it is put together.
struct Query {
    declared: Vec<String>,
    variables: Map<String, Value>,
    fields: String,
}

impl Query {
    fn new() -> Self {
        Self {
            declared: Vec::new(),
            variables: Map::new(),
            fields: String::new(),
        }
    }

    fn declare(&mut self, name: &str, kind: &str, value: Value) {
        self.declared.push(format!("${name}: {kind}"));
        self.variables.insert(name.to_owned(), value);
    }

    /// The argument that leaves only the rows of a part.
    fn only(&mut self, number: usize, part: &Part) -> String {
        let Some((field, id)) = part.only else {
            return String::new();
        };
        self.declare(&format!("only{number}"), "Int64Bit", json!(id));
        format!("{field}: $only{number}, ")
    }

    fn body(self, what: &str) -> Value {
        let query = format!("{what}({}) {{{} }}", self.declared.join(", "), self.fields);
        json!({ "query": query, "variables": self.variables })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &Value) -> String {
        serde_json::to_string_pretty(body).unwrap()
    }

    #[test]
    fn a_list_is_asked_for_in_the_order_of_its_ids() {
        let all = Part {
            list: List::AccountStatuses,
            only: None,
        };
        insta::assert_snapshot!("list", shown(&pages(&[(all, 0)])));
    }

    #[test]
    fn rows_of_several_accounts_are_asked_for_in_one_request() {
        let of = |id| Part {
            list: List::Accounts,
            only: Some(("id", id)),
        };
        insta::assert_snapshot!("several", shown(&pages(&[(of(2001), 0), (of(2002), 17)])));
        insta::assert_snapshot!("counts", shown(&counts(&[of(2001)])));
    }

    #[test]
    fn notes_are_searched_and_written() {
        insta::assert_snapshot!("notes", shown(&notes(2001, "git:1a2b3c4")));
        insta::assert_snapshot!("create_note", shown(&create_note(2001, "Provisioned. git:1a2b3c4")));
    }

    #[test]
    fn nothing_private_is_asked_for() {
        let lists = [
            List::Accounts,
            List::AccountStatuses,
            List::AccountServices,
            List::Services,
            List::Addresses,
            List::InventoryItems,
            List::FieldData,
            List::UninventoriedMacs,
            List::DisconnectionLogs,
            List::AccountFields,
            List::AddressFields,
            List::Metadata,
            List::RadiusAccounts,
        ];
        for list in lists {
            let asked = pages(&[(Part { list, only: None }, 0)]).to_string();
            for private in ["password", "email", "phone", "contact", "card", "bank"] {
                assert!(!asked.contains(private), "{asked}");
            }
        }
    }
}
