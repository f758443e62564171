//! The command: exit codes, summaries, formats.

use std::path::Path;

use clap::Parser as _;
use gamops::cli::validate::{Args, Format, Style, run};

use super::package;

fn validate(path: &Path, format: Format) -> (u8, String) {
    let args = Args {
        path: path.to_owned(),
        format,
    };
    let mut out = Vec::new();
    let code = run(&args, Style::default(), &mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

#[derive(clap::Parser)]
struct Validate {
    #[command(flatten)]
    args: Args,
}

#[derive(clap::Parser)]
struct Schema {
    #[command(flatten)]
    args: gamops::cli::schema::Args,
}

#[test]
fn arguments_are_read_as_documented() {
    let args = Validate::try_parse_from(["validate"]).unwrap().args;
    assert_eq!((args.path.as_path(), args.format), (Path::new("."), Format::Text));
    let args = Validate::try_parse_from(["validate", "--format", "json", "inv"])
        .unwrap()
        .args;
    assert_eq!((args.path.as_path(), args.format), (Path::new("inv"), Format::Json));
    assert!(Validate::try_parse_from(["validate", "--format", "xml"]).is_err());
    let args = Schema::try_parse_from(["schema", "inventory"]).unwrap().args;
    assert_eq!(args.format, gamops::cli::schema::Format::Inventory);
}

#[test]
fn the_example_is_valid_without_a_warning() {
    let (code, text) = validate(&package().join("inventory-example"), Format::Text);
    assert_eq!(text, "Valid: 6 devices, 60 subscribers, 5 plans in 7 files\n");
    assert_eq!(code, 0);
}

#[test]
fn errors_exit_3_and_are_counted() {
    let (code, text) = validate(&package().join("tests/broken/duplicate-mac"), Format::Text);
    assert_eq!(code, 3);
    assert_eq!(text.lines().last(), Some("2 errors in 2 files"), "{text}");
}

#[test]
fn warnings_alone_exit_0() {
    let (code, text) = validate(&package().join("tests/broken/warnings-only"), Format::Text);
    assert_eq!(code, 0);
    let summary = text.lines().last().unwrap();
    assert!(
        summary.starts_with("Valid: ") && summary.ends_with(" warnings"),
        "{summary}"
    );
}

#[test]
fn the_json_form_carries_what_the_text_says() {
    let (code, text) = validate(&package().join("tests/broken/duplicate-mac"), Format::Json);
    assert_eq!(code, 3);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["format_version"], "1.0");
    assert_eq!(json["valid"], false);
    assert_eq!(json["errors"], 2);
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "duplicate-mac");
    assert_eq!(finding["severity"], "error");
    for field in ["file", "line", "column", "start", "end"] {
        assert!(!finding["primary"][field].is_null(), "{field}");
    }
    assert!(finding["related"][0]["label"].is_string());
}

#[test]
fn scanners_and_jobs_are_told_the_same_in_their_own_forms() {
    let broken = package().join("tests/broken/duplicate-mac");
    let (code, text) = validate(&broken, Format::Sarif);
    assert_eq!(code, 3);
    let sarif: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (_, json) = validate(&broken, Format::Json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(
        run["results"].as_array().unwrap().len(),
        json["findings"].as_array().unwrap().len()
    );
    let (result, finding) = (&run["results"][0], &json["findings"][0]);
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&finding["rule"], &finding["severity"])
    );
    assert!(
        run["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .contains(&serde_json::json!({ "id": finding["rule"] }))
    );
    let location = |location: &serde_json::Value| location["physicalLocation"].clone();
    let region = &location(&result["locations"][0])["region"];
    let primary = &finding["primary"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"]),
        (&primary["line"], &primary["column"])
    );
    // The text of it is plain ASCII, so that bytes are characters.
    let length = primary["end"].as_u64().unwrap() - primary["start"].as_u64().unwrap();
    assert_eq!(
        region["endColumn"].as_u64().unwrap() - region["startColumn"].as_u64().unwrap(),
        length
    );
    assert_eq!(
        result["relatedLocations"][0]["message"]["text"],
        finding["related"][0]["label"]
    );

    let (code, text) = validate(&broken, Format::Github);
    assert_eq!(code, 3);
    let first = text.lines().next().unwrap();
    let place = format!(
        "line={},col={},endColumn={}",
        primary["line"], primary["column"], region["endColumn"]
    );
    assert!(
        first.starts_with("::error file=") && first.contains(&place) && first.contains("title=duplicate-mac::"),
        "{first}"
    );
    assert_eq!(
        text.lines().filter(|line| line.starts_with("::")).count(),
        run["results"].as_array().unwrap().len()
    );
}

#[test]
fn a_folder_without_root_is_an_error_that_says_so() {
    let args = Args {
        path: package().join("tests"),
        format: Format::Text,
    };
    let error = run(&args, Style::default(), &mut Vec::new()).unwrap_err();
    assert!(format!("{error:#}").contains("has no gamops.yaml"), "{error:#}");
}
