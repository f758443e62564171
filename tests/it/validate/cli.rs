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
fn a_folder_without_root_is_an_error_that_says_so() {
    let args = Args {
        path: package().join("tests"),
        format: Format::Text,
    };
    let error = run(&args, Style::default(), &mut Vec::new()).unwrap_err();
    assert!(format!("{error:#}").contains("has no gamops.yaml"), "{error:#}");
}
