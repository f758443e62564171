//! Which path is what. Pure.

use super::world::Table;

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Check,
    /// Logging in, or what renews or ends a login.
    Tokens(Option<String>),
    /// A list; of a customer where the number is not 0.
    List(Table, u64),
    /// A row: of a customer where the first number is not 0, and its id.
    One(Table, u64, u64),
    /// A page for people.
    LoginPage,
    Unknown,
}

/// Lists that stand by themselves.
const LISTS: [(&str, Table); 10] = [
    ("tariffs/internet", Table::Tariffs),
    ("customers/customer", Table::Customers),
    ("customers/customer-notes", Table::Notes),
    ("inventory/items", Table::Items),
    ("administration/locations", Table::Locations),
    ("administration/partners", Table::Partners),
    ("networking/monitoring", Table::Hardware),
    ("networking/network-sites", Table::NetworkSites),
    ("support/tickets", Table::Tickets),
    ("logs/changes", Table::Changes),
];

impl Route {
    pub(super) fn of(path: &str) -> Self {
        if path == "/admin/login" {
            return Self::LoginPage;
        }
        let Some(path) = path.strip_prefix("/api/2.0/admin/") else {
            return Self::Unknown;
        };
        if path == "api/check" {
            return Self::Check;
        }
        if let Some(rest) = path.strip_prefix("auth/tokens") {
            return match rest.strip_prefix('/') {
                Some(token) => Self::Tokens(Some(token.to_owned())),
                None if rest.is_empty() => Self::Tokens(None),
                None => Self::Unknown,
            };
        }
        let below = path
            .strip_prefix("customers/customer/")
            .and_then(|rest| rest.split_once('/'));
        if let Some((customer, what)) = below {
            return of_customer(customer, what).unwrap_or(Self::Unknown);
        }
        for (name, table) in LISTS {
            if path == name {
                return Self::List(table, 0);
            }
            if let Some(id) = path.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')) {
                return one(table, id).unwrap_or(Self::Unknown);
            }
        }
        Self::Unknown
    }

    /// The list that it is about.
    pub(super) const fn table(&self) -> Option<Table> {
        match self {
            Self::List(table, _) | Self::One(table, ..) => Some(*table),
            _ => None,
        }
    }
}

/// `7`, or `1001--7` for the seventh of customer 1001.
fn one(table: Table, id: &str) -> Option<Route> {
    Some(match id.split_once("--") {
        Some((customer, id)) => Route::One(table, customer.parse().ok()?, id.parse().ok()?),
        None => Route::One(table, 0, id.parse().ok()?),
    })
}

fn of_customer(customer: &str, what: &str) -> Option<Route> {
    let customer = customer.parse().ok()?;
    Some(match what.split_once("--") {
        Some(("internet-services", id)) => Route::One(Table::Services, customer, id.parse().ok()?),
        None if what == "internet-services" => Route::List(Table::Services, customer),
        None if what == "logs-changes" => Route::List(Table::Changes, customer),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_documentation() {
        for (path, route) in [
            ("api/check", Route::Check),
            ("auth/tokens", Route::Tokens(None)),
            ("auth/tokens/1011", Route::Tokens(Some("1011".to_owned()))),
            ("tariffs/internet", Route::List(Table::Tariffs, 0)),
            ("tariffs/internet/7", Route::One(Table::Tariffs, 0, 7)),
            ("customers/customer/1001", Route::One(Table::Customers, 0, 1001)),
            (
                "customers/customer/0/internet-services",
                Route::List(Table::Services, 0),
            ),
            (
                "customers/customer/1001/internet-services--5001",
                Route::One(Table::Services, 1001, 5001),
            ),
            ("customers/customer-notes/1001--3", Route::One(Table::Notes, 1001, 3)),
            ("customers/customer/x", Route::Unknown),
            ("customers/customer/1001/voice-services", Route::Unknown),
            ("auth/tokensx", Route::Unknown),
            ("", Route::Unknown),
        ] {
            assert_eq!(Route::of(&format!("/api/2.0/admin/{path}")), route, "{path}");
        }
        assert_eq!(Route::of("/api/1.0/admin/tariffs/internet"), Route::Unknown);
    }
}
