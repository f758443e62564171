//! The form of a report that code scanners take: SARIF 2.1.0, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Finding, Place, Report, Severity, SourceFile};

/// Where the schema of the format is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

impl Report {
    /// The report as SARIF. `sources`: the texts that it is about.
    ///
    /// Lines and columns count from 1, columns in characters; the end is the first column that is not meant any more.
    #[must_use]
    pub fn sarif(&self, sources: &[SourceFile]) -> Value {
        let rules: BTreeSet<&str> = self.findings.iter().map(|finding| finding.rule.0).collect();
        let rules: Vec<Value> = rules.into_iter().map(|id| json!({ "id": id })).collect();
        let results: Vec<Value> = self.findings.iter().map(|finding| result(finding, sources)).collect();
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "gamops", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        })
    }
}

fn result(finding: &Finding, sources: &[SourceFile]) -> Value {
    let text = match &finding.help {
        Some(help) => format!("{}; {help}", finding.message),
        None => finding.message.clone(),
    };
    let related: Vec<Value> = finding
        .related
        .iter()
        .enumerate()
        .map(|(id, (place, label))| {
            let mut location = location(place, sources);
            location["id"] = json!(id);
            location["message"] = json!({ "text": label });
            location
        })
        .collect();
    json!({
        "ruleId": finding.rule.0,
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": { "text": text },
        "locations": [location(&finding.primary, sources)],
        "relatedLocations": related,
    })
}

fn location(place: &Place, sources: &[SourceFile]) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.file) },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.end_column(sources),
            },
        },
    })
}

/// A path as a reference: what has a meaning there is written by its number.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let path: String = path
        .bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    if path.starts_with('/') {
        format!("file://{path}")
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("sites/maple a.yaml"), "sites/maple%20a.yaml");
        assert_eq!(uri("/srv/é.yaml"), "file:///srv/%C3%A9.yaml");
    }
}
