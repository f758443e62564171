//! What may be sent. Every value that becomes part of a line passes through here.

use crate::domain::{VlanId, VlanSet};
use crate::observed::ObjectId;

use super::{Unsendable, line, word};

/// The command line's own range is 3 to 4094 (CLI guide); which of those are wise is the inventory's rule.
pub(super) fn checked_vlan(object: ObjectId, field: &'static str, vlan: VlanId) -> Result<VlanId, Unsendable> {
    if vlan.get() < 3 {
        Err(value(object, field, vlan))
    } else {
        Ok(vlan)
    }
}

/// `none`, or the list as the device writes one. At most 14 VLANs fit (CLI guide), which bounds its length.
pub(super) fn allowed_list(object: ObjectId, vlans: &VlanSet) -> Result<String, Unsendable> {
    if vlans.is_empty() {
        return Ok("none".to_owned());
    }
    for vlan in vlans.iter() {
        checked_vlan(object, word::ALLOWED.text, vlan)?;
    }
    let list = vlans.to_string();
    check_length(object, "list of allowed VLANs", &list, 1, line::LIST_MAX)?;
    Ok(list)
}

/// Printable ASCII without the characters that the line editor or some firmware acts on.
pub(super) fn safe_text(
    object: ObjectId,
    field: &'static str,
    text: &str,
    min: usize,
    max: usize,
) -> Result<String, Unsendable> {
    let odd = |c: &char| !matches!(c, ' '..='~') || matches!(c, '"' | '\\' | '?');
    if let Some(character) = text.chars().find(odd) {
        return Err(Unsendable::Character {
            object,
            field,
            character,
        });
    }
    check_length(object, field, text, min, max)?;
    Ok(text.to_owned())
}

pub(super) fn check_length(
    object: ObjectId,
    field: &'static str,
    text: &str,
    min: usize,
    max: usize,
) -> Result<(), Unsendable> {
    let length = text.len();
    if (min..=max).contains(&length) {
        Ok(())
    } else {
        Err(Unsendable::Length {
            object,
            field,
            length,
            min,
            max,
        })
    }
}

/// Words that we do not know, we cannot say: they must be the same on both sides.
pub(super) fn same_unknown(object: ObjectId, from: &[String], to: &[String]) -> Result<(), Unsendable> {
    if from == to {
        Ok(())
    } else {
        Err(no_words(object, "write settings that this version does not know"))
    }
}

pub(super) fn no_words(object: ObjectId, what: &'static str) -> Unsendable {
    Unsendable::NoWords { object, what }
}

pub(super) fn value(object: ObjectId, field: &'static str, value: impl ToString) -> Unsendable {
    Unsendable::Value {
        object,
        field,
        value: value.to_string(),
    }
}
