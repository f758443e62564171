//! The machine form of a report.

use serde::Serialize;

use super::{Finding, Place, Report, RuleId, Severity};

/// Version of the JSON form: a new minor number adds fields, a new major number changes meaning.
const FORMAT_VERSION: &str = "1.0";

#[derive(Serialize)]
struct JsonReport<'r> {
    format_version: &'static str,
    valid: bool,
    errors: usize,
    warnings: usize,
    files: usize,
    findings: Vec<JsonFinding<'r>>,
}

#[derive(Serialize)]
struct JsonFinding<'r> {
    rule: RuleId,
    severity: Severity,
    message: &'r str,
    primary: JsonPlace<'r>,
    related: Vec<JsonRelated<'r>>,
    help: Option<&'r str>,
}

#[derive(Serialize)]
struct JsonPlace<'r> {
    file: &'r str,
    line: usize,
    column: usize,
    start: usize,
    end: usize,
}

#[derive(Serialize)]
struct JsonRelated<'r> {
    label: &'r str,
    #[serde(flatten)]
    place: JsonPlace<'r>,
}

impl<'r> From<&'r Place> for JsonPlace<'r> {
    fn from(place: &'r Place) -> Self {
        Self {
            file: &place.file,
            line: place.line,
            column: place.column,
            start: place.span.start,
            end: place.span.end,
        }
    }
}

impl<'r> From<&'r Finding> for JsonFinding<'r> {
    fn from(finding: &'r Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity,
            message: &finding.message,
            primary: (&finding.primary).into(),
            related: finding
                .related
                .iter()
                .map(|(place, label)| JsonRelated {
                    label,
                    place: place.into(),
                })
                .collect(),
            help: finding.help.as_deref(),
        }
    }
}

impl Serialize for Report {
    /// `{format_version, valid, errors, warnings, files, findings: [{rule, severity, message, primary, related,
    /// help}]}`; a place is `{file, line, column, start, end}`, lines and columns from 1, `start` and `end` in
    /// bytes.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonReport {
            format_version: FORMAT_VERSION,
            valid: self.is_valid(),
            errors: self.errors(),
            warnings: self.warnings(),
            files: self.files,
            findings: self.findings.iter().map(JsonFinding::from).collect(),
        }
        .serialize(serializer)
    }
}
