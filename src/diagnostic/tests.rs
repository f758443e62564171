//! Places, order and drawing.

use super::*;

fn source(text: &str) -> SourceFile {
    SourceFile {
        path: "a.yaml".to_owned(),
        text: text.to_owned(),
    }
}

fn finding(place: Place) -> Finding {
    Finding {
        rule: RuleId("some-rule"),
        severity: Severity::Error,
        message: "this is wrong".to_owned(),
        primary: place,
        related: Vec::new(),
        help: None,
    }
}

fn drawn(text: &str, span: Range<usize>) -> String {
    let source = source(text);
    let place = Locator::new(&source).place(span);
    Report::new(vec![finding(place)], 1, Vec::new()).render_text(&[source], Colour::Off, 80)
}

#[test]
fn columns_count_characters_and_lines_end_before_their_carriage_return() {
    let source = source("ab\r\n日本: x\r\n");
    let locator = Locator::new(&source);
    let place = locator.place(12..13);
    assert_eq!((place.line, place.column), (2, 5));
    let whole = locator.place(0..13);
    assert_eq!(whole.span, 0..2);
}

#[test]
fn a_span_outside_the_text_or_within_a_character_is_moved_inside() {
    let source = source("日");
    let locator = Locator::new(&source);
    assert_eq!(locator.place(1..2).span, 0..0);
    assert_eq!(locator.place(90..99).span, 3..3);
}

#[test]
fn the_end_of_the_file_and_an_empty_file_can_be_pointed_at() {
    insta::assert_snapshot!(drawn("a: 1\n", 5..5), @"
    error[some-rule]: this is wrong
     --> a.yaml:2:1
      |
    2 |
      | ^
    ");
    insta::assert_snapshot!(drawn("", 0..0), @"
    error[some-rule]: this is wrong
     --> a.yaml:1:1
      |
    1 |
      | ^
    ");
}

#[test]
fn the_caret_is_under_its_text_behind_tabs_and_wide_characters() {
    let text = "日本\tkey: value\r\n";
    let at = text.find("value").unwrap();
    let picture = drawn(text, at..at + 5);
    let lines: Vec<&str> = picture.lines().collect();
    let shown = lines.iter().find(|line| line.contains("value")).unwrap();
    let carets = lines.iter().find(|line| line.contains('^')).unwrap();
    // Every wide character takes two columns and one place in the string.
    let before = shown.find("value").map(|at| shown[..at].chars().count()).unwrap() + 2;
    assert_eq!(carets.find('^'), Some(before), "{picture}");
    assert_eq!(carets.matches('^').count(), 5);
}

#[test]
fn a_very_long_line_is_cut_around_the_place() {
    let text = format!("{}needle{}", "x".repeat(20_000), "y".repeat(20_000));
    let picture = drawn(&text, 20_000..20_006);
    assert!(picture.lines().all(|line| line.chars().count() < 200), "{picture}");
    assert!(picture.contains("needle"));
}

#[test]
fn a_secret_is_starred_out_in_every_drawing() {
    let text = "password: hunter2\nadress: x\n";
    let source = source(text);
    let locator = Locator::new(&source);
    let mut first = finding(locator.place(18..24));
    first.related.push((locator.place(0..8), "here".to_owned()));
    let secrets = vec![(Arc::from("a.yaml"), 10..17)];
    let report = Report::new(vec![first], 1, secrets);
    let picture = report.render_text(&[source], Colour::Off, 80);
    assert!(picture.contains("password: *******"), "{picture}");
    assert!(!picture.contains("hunter2"));
}

#[test]
fn places_far_apart_are_drawn_as_two_pieces() {
    let text = "x: 1\n".repeat(1000);
    let source = source(&text);
    let locator = Locator::new(&source);
    let mut finding = finding(locator.place(4500..4501));
    finding.related.push((locator.place(0..1), "first here".to_owned()));
    let picture = Report::new(vec![finding], 1, Vec::new()).render_text(&[source], Colour::Off, 80);
    insta::assert_snapshot!(picture, @"
    error[some-rule]: this is wrong
       --> a.yaml:901:1
        |
    901 | x: 1
        | ^
        |
       ::: a.yaml:1:1
        |
      1 | x: 1
        | - first here
    ");
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let source = source("a: 1\n");
    let report = Report::new(vec![finding(Locator::new(&source).place(0..1))], 1, Vec::new());
    let sources = [source];
    assert!(!report.render_text(&sources, Colour::Off, 80).contains('\u{1b}'));
    assert!(report.render_text(&sources, Colour::On, 80).contains('\u{1b}'));
}

#[test]
fn a_report_is_sorted_and_says_nothing_twice() {
    let source = source("a: 1\nb: 2\n");
    let locator = Locator::new(&source);
    let (late, early) = (finding(locator.place(5..6)), finding(locator.place(0..1)));
    let report = Report::new(vec![late.clone(), early.clone(), late.clone()], 1, Vec::new());
    assert_eq!(report.findings(), [early, late]);
}
