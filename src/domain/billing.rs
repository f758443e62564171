//! Billing systems and what they call a subscriber's service.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A billing system that gamops speaks with. An inventory knows at most one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BillingKind {
    /// Splynx, by its REST API 2.0.
    Splynx,
    /// Sonar, by the GraphQL API of its version 2.
    Sonar,
}

impl BillingKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Splynx, Self::Sonar];

    /// Its key in the inventory and in the settings.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Splynx => "splynx",
            Self::Sonar => "sonar",
        }
    }
}

impl fmt::Display for BillingKind {
    /// Its name: `Splynx`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Splynx => "Splynx",
            Self::Sonar => "Sonar",
        })
    }
}

/// An internet service of an account: what one subscriber of an inventory is to a billing system. As text `ACCOUNT/SERVICE`, each an id
/// in digits: `1001/5001`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceRef {
    /// The account's id. Stays when the service is exchanged for another.
    pub account: String,
    /// The service's id. A change of plan, and in Splynx a pause, may give the customer another.
    pub service: String,
}

impl fmt::Display for ServiceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.service)
    }
}

/// The text names no service of an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of an account and one of its services, such as `1001/5001`")]
pub struct InvalidServiceRef(pub String);

impl FromStr for ServiceRef {
    type Err = InvalidServiceRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        match text.split_once('/') {
            Some((account, service)) if is_id(account) && is_id(service) => Ok(Self {
                account: account.to_owned(),
                service: service.to_owned(),
            }),
            _ => Err(InvalidServiceRef(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_by_its_account_and_itself() {
        let service: ServiceRef = "1001/5001".parse().unwrap();
        assert_eq!((service.account.as_str(), service.service.as_str()), ("1001", "5001"));
        assert_eq!(service.to_string(), "1001/5001");
        for wrong in ["5001", "1001/", "/5001", "a/5", "1/2/3", "1 /2", ""] {
            assert_eq!(wrong.parse::<ServiceRef>(), Err(InvalidServiceRef(wrong.to_owned())));
        }
    }
}
