//! `show version` text to typed values.

use crate::domain::{Firmware, InvalidFirmware, InvalidMacAddr, MacAddr, Model};

/// What `show version` tells (CLI guide; seen on 1.5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionInfo {
    /// Base MAC, printed with dashes.
    pub mac: MacAddr,
    /// The model, where the text names exactly one. `Product` alone names a family only.
    pub model: Option<&'static Model>,
    /// Running firmware.
    pub firmware: Firmware,
    /// System name; empty where the device has none.
    pub system_name: String,
    /// Revision of the running code, such as `24791`.
    pub code_revision: Option<String>,
    /// Uptime as printed, such as `13d 07:19:55`.
    pub uptime: Option<String>,
    /// Its clock as printed, such as `1970-01-14T07:20:31+00:00`.
    pub clock: Option<String>,
}

/// The text is not a `show version` that we can rely on. The device's or the session's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// A line that identifies the device is missing.
    #[error("`show version` has no `{0}` line")]
    Missing(&'static str),
    /// The base MAC is none.
    #[error("`show version` has a `MAC Address` line that cannot be read")]
    Mac(#[source] InvalidMacAddr),
    /// The firmware version is none.
    #[error("`show version` has a version line that cannot be read")]
    Firmware(#[source] InvalidFirmware),
}

/// Lines that hold an operator's own words: a site may well be called after another model.
const OPERATORS_WORDS: &[&str] = &["System Contact", "System Name", "System Location"];

/// Reads the answer to `show version`.
///
/// Takes the firmware from `Software Version`, else from the active image; old firmware prints only `_v1.1.0`
/// for the image and the family in `Software Version`.
///
/// # Errors
///
/// [`DialectError`] when MAC address or firmware are missing or cannot be read: a device that we cannot
/// identify is not one to change.
pub fn parse(text: &str) -> Result<VersionInfo, DialectError> {
    let mut section = "";
    let mut fields: Vec<(&str, &str, &str)> = Vec::new();
    let mut models = String::new();
    let mut previous = "";
    for line in text.lines().map(str::trim) {
        if line.len() > 3 && line.bytes().all(|byte| byte == b'-') {
            // A heading is underlined; the rule above `SID` has no heading over it.
            section = if previous.contains(':') { "" } else { previous };
        }
        let (label, value) = line
            .split_once(':')
            .map_or((line, ""), |(label, value)| (label.trim(), value.trim()));
        fields.push((section, label, value));
        if !OPERATORS_WORDS.contains(&label) {
            models.push_str(line);
            models.push('\n');
        }
        previous = line;
    }
    let field = |label: &str| {
        fields
            .iter()
            .find(|(_, name, _)| *name == label)
            .map(|(_, _, value)| *value)
    };
    let active = fields
        .iter()
        .find(|(section, label, _)| *section == "Active Image" && *label == "Version")
        .map(|(_, _, value)| *value);
    let firmware = field("Software Version")
        .or(active)
        .ok_or(DialectError::Missing("Software Version"))?;
    let present = |label: &str| field(label).filter(|value| !value.is_empty()).map(str::to_owned);
    Ok(VersionInfo {
        mac: field("MAC Address")
            .ok_or(DialectError::Missing("MAC Address"))?
            .parse()
            .map_err(DialectError::Mac)?,
        model: model_in(&models),
        firmware: firmware.parse().map_err(DialectError::Firmware)?,
        system_name: field("System Name").unwrap_or_default().to_owned(),
        code_revision: present("Code Revision"),
        uptime: present("System Uptime"),
        clock: present("System Time"),
    })
}

/// The one model that a text names, with or without a power suffix. `None` when it names none or several.
pub(super) fn model_in(text: &str) -> Option<&'static Model> {
    let mut named = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '/'))
        .filter_map(Model::by_name);
    let first = named.next()?;
    named.all(|next| next == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = include_str!("../../tests/fixtures/dialect/gam-4-cx-1.5.4/show-version.txt");
    const OLD: &str = include_str!("../../tests/fixtures/dialect/gam-24-m-1.1.0/show-version.txt");

    #[test]
    fn firmware_1_5_4_is_read() {
        assert_eq!(
            parse(NEW),
            Ok(VersionInfo {
                mac: "00:0e:d8:1a:b9:e2".parse().unwrap(),
                model: Model::by_name("GAM-4-CX"),
                firmware: "GAM-4/8-C_v1.5.4".parse().unwrap(),
                system_name: String::new(),
                code_revision: Some("24791".into()),
                uptime: Some("13d 07:19:55".into()),
                clock: Some("1970-01-14T07:20:31+00:00".into()),
            })
        );
    }

    #[test]
    fn an_operators_words_name_no_model() {
        let read = parse(OLD).unwrap();
        assert_eq!(read.model, None);
        assert_eq!(read.system_name, "GAM-12-C");
        assert_eq!(read.firmware.to_string(), "GAM-xx-M_v1.1.0");
    }

    #[test]
    fn the_active_image_stands_in_for_a_missing_software_version() {
        let text = OLD.replace("Software Version", "Something Else");
        assert_eq!(parse(&text).unwrap().firmware.to_string(), "_v1.1.0");
        let text = NEW.replace("Software Version", "Something Else").replace("\n", "\r\n");
        assert_eq!(parse(&text).unwrap().firmware.to_string(), "GAM-4/8-C_v1.5.4");
    }

    #[test]
    fn two_models_are_none() {
        assert_eq!(model_in("GAM-12-C, formerly GAM-12-M"), None);
        assert_eq!(model_in("Positron GAM-4/8-C Switch"), None);
        assert_eq!(model_in("(GAM-12-M)").map(|model| model.name), Some("GAM-12-M"));
    }

    #[test]
    fn what_does_not_identify_a_device_is_an_error() {
        assert_eq!(parse(""), Err(DialectError::Missing("Software Version")));
        assert_eq!(
            parse("Software Version : GAM-4/8-C_v1.5.4"),
            Err(DialectError::Missing("MAC Address"))
        );
        assert!(matches!(
            parse(&NEW.replace("00-0e-d8-1a-b9-e2", "?")),
            Err(DialectError::Mac(_))
        ));
        assert!(matches!(
            parse(&NEW.replace("_v1.5.4", "")),
            Err(DialectError::Firmware(_))
        ));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(\\PC|[\r\n:-]){0,200}") {
            let _ = parse(&text);
        }
    }
}
