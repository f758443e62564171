//! What is asked of Splynx's API 2.0. Pure.
//!
//! Names and filters as PHP's `http_build_query` writes them: `main_attributes[id][0]=>` and `main_attributes[id][1]=500` for `id > 500`.

use serde_json::json;

use crate::transport::http::Method;

use super::super::Note;

/// How many rows a page has.
pub(super) const PAGE: usize = 500;

/// How many ids one request may name.
pub(super) const NAMED: usize = 100;

/// Every status that a service may have: what is not named may be left out of a list.
const STATUSES: [&str; 5] = ["active", "stopped", "pending", "disabled", "hidden"];

/// A list of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Tariffs,
    Locations,
    Partners,
    Hardware,
    NetworkSites,
    Customers,
    Services,
    Items,
    Notes,
}

/// A request: path below `/api/2.0/admin/`, names and values of the query, and body (JSON; empty for none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Of which list it is a part.
    pub(super) list: List,
}

impl List {
    const fn path(self) -> &'static str {
        match self {
            Self::Tariffs => "tariffs/internet",
            Self::Locations => "administration/locations",
            Self::Partners => "administration/partners",
            Self::Hardware => "networking/monitoring",
            Self::NetworkSites => "networking/network-sites",
            Self::Customers => "customers/customer",
            // Those of customer 0 are those of all customers.
            Self::Services => "customers/customer/0/internet-services",
            Self::Items => "inventory/items",
            Self::Notes => "customers/customer-notes",
        }
    }

    /// What to do where the key may not read it. Names as on the page of the key.
    pub(super) const fn permission(self) -> &'static str {
        match self {
            Self::Tariffs => "; give the API key the permission Tariff plans → Internet (view)",
            Self::Locations => "; give the API key the permission Administration → Locations (view)",
            Self::Partners => "; give the API key the permission Administration → Partners (view)",
            Self::Hardware => "; give the API key the permission Networking → Monitoring (view)",
            Self::NetworkSites => "; give the API key the permission Networking → Network sites (view)",
            Self::Customers => "; give the API key the permission Customers → Customer (view)",
            Self::Services => "; give the API key the permission Customers → Customer internet services (view)",
            Self::Items => "; give the API key the permission Inventory → Items (view)",
            Self::Notes => "; give the API key the permission Customers → Customer notes (view, add)",
        }
    }

    /// All of it, in the order of ids as far as the filter goes.
    fn call(self) -> Call {
        Call {
            method: Method::Get,
            path: self.path().to_owned(),
            query: Vec::new(),
            body: Vec::new(),
            list: self,
        }
    }

    /// The rows of it that are looked at, unordered.
    fn filtered(self) -> Call {
        match self {
            Self::Services => self.call().within("status", STATUSES),
            // In stock, it is nobody's.
            Self::Items => self.call().compared("customer_id", ">", "0"),
            _ => self.call(),
        }
    }

    /// All that is looked at, at once.
    pub(super) fn whole(self) -> Call {
        self.filtered()
    }

    /// The next rows after an id. By ids and not by an offset: rows that come or go meanwhile do not shift the others.
    pub(super) fn page(self, after: u64) -> Call {
        self.filtered()
            .compared("id", ">", &after.to_string())
            .and("order[id]", "ASC")
            .and("limit", &PAGE.to_string())
    }

    /// The row with the highest id.
    pub(super) fn last(self) -> Call {
        self.filtered().and("order[id]", "DESC").and("limit", "1")
    }

    /// How many rows there are, in the head of the answer.
    pub(super) fn count(self) -> Call {
        Call {
            method: Method::Head,
            ..self.filtered()
        }
    }
}

impl Call {
    fn and(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    fn is(self, attribute: &str, value: &str) -> Self {
        self.and(&format!("main_attributes[{attribute}]"), value)
    }

    fn compared(self, attribute: &str, operator: &str, value: &str) -> Self {
        self.and(&format!("main_attributes[{attribute}][0]"), operator)
            .and(&format!("main_attributes[{attribute}][1]"), value)
    }

    fn within(self, attribute: &str, values: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let call = self.and(&format!("main_attributes[{attribute}][0]"), "IN");
        values.into_iter().enumerate().fold(call, |call, (at, value)| {
            call.and(&format!("main_attributes[{attribute}][1][{at}]"), value.as_ref())
        })
    }

    /// Its address below that of the API's administration.
    pub(super) fn url(&self, base: &str) -> String {
        let mut url = self.called(base);
        if !self.query.is_empty() {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(&self.query);
            url.push('?');
            url.push_str(&query.finish());
        }
        url
    }

    /// The same for messages: without the query, which nobody can read.
    pub(super) fn called(&self, base: &str) -> String {
        format!("{base}/api/2.0/admin/{}", self.path)
    }
}

/// A customer.
pub(super) fn customer(id: u64) -> Call {
    let call = List::Customers.call();
    Call {
        path: format!("{}/{id}", call.path),
        ..call
    }
}

/// Some customers, at most [`NAMED`].
pub(super) fn customers(ids: &[u64]) -> Call {
    List::Customers
        .call()
        .within("id", ids.iter().map(u64::to_string))
        .and("order[id]", "ASC")
}

/// A customer's services, whatever their status.
pub(super) fn services_of(customer: u64) -> Call {
    let call = List::Services.filtered();
    Call {
        path: format!("customers/customer/{customer}/internet-services"),
        ..call
    }
}

/// A customer's equipment.
pub(super) fn items_of(customer: u64) -> Call {
    List::Items.call().is("customer_id", &customer.to_string())
}

/// A customer's notes.
pub(super) fn notes_of(customer: u64) -> Call {
    List::Notes.call().is("customer_id", &customer.to_string())
}

/// A new note. Its time is the server's own.
pub(super) fn note(customer: u64, note: &Note) -> Call {
    let body = json!({
        "customer_id": customer,
        "type": "service",
        "class": "default",
        "title": "gamops",
        "comment": note.text,
    });
    Call {
        method: Method::Post,
        body: body.to_string().into_bytes(),
        ..List::Notes.call()
    }
}

/// Splynx's `POST admin/auth/tokens`, and `GET` of the token that renews.
pub(super) const TOKENS: &str = "auth/tokens";

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(call: &Call) -> String {
        let pairs: Vec<String> = (call.query.iter())
            .map(|(name, value)| format!("  {name}={value}"))
            .collect();
        let body = String::from_utf8_lossy(&call.body).into_owned();
        let lines = [vec![format!("{:?} {}", call.method, call.path)], pairs, vec![body]];
        lines.concat().join("\n").trim_end().to_owned()
    }

    #[test]
    fn calls_are_as_splynx_documents_them() {
        let text = Note {
            account: "1001".to_owned(),
            text: "GAM mdu-7 port 3 provisioned. ref=git:1a2b3c4".to_owned(),
            mark: "git:1a2b3c4".to_owned(),
        };
        let calls = [
            List::Tariffs.whole(),
            List::Customers.page(0),
            List::Services.page(5_001),
            List::Services.count(),
            List::Items.page(7),
            List::Items.last(),
            customer(1_001),
            customers(&[1_001, 1_002]),
            services_of(1_001),
            items_of(1_001),
            notes_of(1_001),
            note(1_001, &text),
        ];
        insta::assert_snapshot!(calls.iter().map(shown).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_query_is_written_as_php_writes_it() {
        let url = List::Customers.page(17).url("https://isp.splynx.app");
        assert_eq!(
            url,
            "https://isp.splynx.app/api/2.0/admin/customers/customer?main_attributes%5Bid%5D%5B0%5D=%3E\
             &main_attributes%5Bid%5D%5B1%5D=17&order%5Bid%5D=ASC&limit=500"
        );
        assert_eq!(
            List::Customers.page(17).called("https://isp.splynx.app"),
            "https://isp.splynx.app/api/2.0/admin/customers/customer"
        );
    }
}
