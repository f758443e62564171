//! The models that exist, and firmware versions.

use std::fmt;
use std::str::FromStr;

/// What the G.hn signal runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// Television cable, point to multipoint: up to 16 endpoints on a port.
    Coax,
    /// Telephone pairs, point to point: one endpoint on a port.
    Copper,
}

impl Medium {
    /// How many endpoints one port takes (JSON-RPC guide; error 36 above it).
    #[must_use]
    pub const fn endpoints_per_port(self) -> usize {
        match self {
            Self::Coax => 16,
            Self::Copper => 1,
        }
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Coax => "coax",
            Self::Copper => "copper",
        })
    }
}

/// One product of the GAM family, as the vendor's MIB and installation guide list them.
#[derive(Debug, PartialEq, Eq)]
pub struct Model {
    /// The name that an inventory uses, such as `GAM-12-C`.
    pub name: &'static str,
    /// What its ports run over.
    pub medium: Medium,
    /// How many G.hn ports it has.
    pub ports: u16,
    /// How many 10G uplinks it has. Assumed to be one on the 8-port models.
    pub uplinks: u16,
    /// Last number of `sysObjectID` 1.3.6.1.4.1.20095.2000.1.N; the first is what current units answer,
    /// the others are variants of the same product (LC, OPTI, LBE).
    pub product_ids: &'static [u32],
}

/// Every model that an inventory can name.
pub static MODELS: &[Model] = &[
    Model {
        name: "GAM-4-MX",
        medium: Medium::Copper,
        ports: 4,
        uplinks: 1,
        product_ids: &[17],
    },
    Model {
        name: "GAM-4-MRX",
        medium: Medium::Copper,
        ports: 4,
        uplinks: 1,
        product_ids: &[1, 5, 6, 25],
    },
    Model {
        name: "GAM-4-CX",
        medium: Medium::Coax,
        ports: 4,
        uplinks: 1,
        product_ids: &[18],
    },
    Model {
        name: "GAM-4-CRX",
        medium: Medium::Coax,
        ports: 4,
        uplinks: 1,
        product_ids: &[2, 3, 4],
    },
    Model {
        name: "GAM-8-MX",
        medium: Medium::Copper,
        ports: 8,
        uplinks: 1,
        product_ids: &[19],
    },
    Model {
        name: "GAM-8-MRX",
        medium: Medium::Copper,
        ports: 8,
        uplinks: 1,
        product_ids: &[7, 8, 9, 26],
    },
    Model {
        name: "GAM-8-CX",
        medium: Medium::Coax,
        ports: 8,
        uplinks: 1,
        product_ids: &[20],
    },
    Model {
        name: "GAM-8-CRX",
        medium: Medium::Coax,
        ports: 8,
        uplinks: 1,
        product_ids: &[10, 11, 12],
    },
    Model {
        name: "GAM-8-MVX",
        medium: Medium::Copper,
        ports: 8,
        uplinks: 1,
        product_ids: &[21, 22],
    },
    Model {
        name: "GAM-8-MDVX",
        medium: Medium::Copper,
        ports: 8,
        uplinks: 1,
        product_ids: &[23, 24],
    },
    Model {
        name: "GAM-12-M",
        medium: Medium::Copper,
        ports: 12,
        uplinks: 2,
        product_ids: &[13, 27],
    },
    Model {
        name: "GAM-12-C",
        medium: Medium::Coax,
        ports: 12,
        uplinks: 2,
        product_ids: &[14],
    },
    Model {
        name: "GAM-24-M",
        medium: Medium::Copper,
        ports: 24,
        uplinks: 2,
        product_ids: &[15],
    },
    Model {
        name: "GAM-24-C",
        medium: Medium::Coax,
        ports: 24,
        uplinks: 2,
        product_ids: &[16],
    },
];

impl Model {
    /// Finds a model by its name, with or without a suffix that names the power entry
    /// (`GAM-4-CX-AC` is a `GAM-4-CX`). Letters may be of either case.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let upper = name.to_ascii_uppercase();
        let mut parts = upper.splitn(4, '-');
        let base = [parts.next()?, parts.next()?, parts.next()?].join("-");
        MODELS.iter().find(|model| model.name == base)
    }

    /// Finds a model by the last number of its `sysObjectID`.
    #[must_use]
    pub fn by_product_id(id: u32) -> Option<&'static Self> {
        MODELS.iter().find(|model| model.product_ids.contains(&id))
    }

    /// The ports the model has, ascending.
    pub fn port_numbers(&self) -> impl Iterator<Item = super::PortNumber> + use<> {
        super::PortNumber::all().take(usize::from(self.ports))
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl serde::Serialize for Model {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// A firmware version such as `GAM-4/8-C_v1.5.4`: a family, `_v`, three numbers.
///
/// Versions compare by their numbers; the family takes no part, since the same number means the same
/// features across families.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Firmware {
    /// Everything before the last `_v`: `GAM-4/8-C`.
    pub family: String,
    /// Major, minor and patch number.
    pub version: (u16, u16, u16),
}

/// The text holds no `_v` followed by three numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a firmware version such as GAM-4/8-C_v1.5.4")]
pub struct InvalidFirmware(String);

impl Firmware {
    /// Whether this firmware is at least the given version.
    #[must_use]
    pub fn at_least(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.version >= (major, minor, patch)
    }
}

impl FromStr for Firmware {
    type Err = InvalidFirmware;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidFirmware(text.to_owned());
        let (family, numbers) = text.rsplit_once("_v").ok_or_else(invalid)?;
        let mut parts = numbers.splitn(3, '.').map(|part| part.parse::<u16>().ok());
        match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten()) {
            (Some(major), Some(minor), Some(patch)) => Ok(Self {
                family: family.to_owned(),
                version: (major, minor, patch),
            }),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        write!(f, "{}_v{major}.{minor}.{patch}", self.family)
    }
}

impl serde::Serialize for Firmware {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_suffix_does_not_make_another_model() {
        assert_eq!(Model::by_name("GAM-4-CX-AC").unwrap().name, "GAM-4-CX");
        assert_eq!(Model::by_name("gam-12-m").unwrap().name, "GAM-12-M");
        assert!(Model::by_name("GAM-5-CX").is_none());
        assert!(Model::by_name("GAM").is_none());
    }

    #[test]
    fn no_two_models_share_a_product_id() {
        let mut ids: Vec<u32> = MODELS.iter().flat_map(|model| model.product_ids).copied().collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=27).collect::<Vec<u32>>());
    }

    #[test]
    fn firmware_versions_order_by_number() {
        let seen: Firmware = "GAM-4/8-C_v1.5.4".parse().unwrap();
        assert!(seen.at_least(1, 5, 4) && !seen.at_least(1, 8, 0));
        assert_eq!(seen.to_string(), "GAM-4/8-C_v1.5.4");
        assert_eq!("_v1.1.0".parse::<Firmware>().unwrap().family, "");
        assert!("1.1.0".parse::<Firmware>().is_err());
        assert!("GAM_v1.1".parse::<Firmware>().is_err());
    }
}
