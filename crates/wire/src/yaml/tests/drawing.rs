//! How faults are drawn, and how they are told to programs.

use pilotage_domain::definition::fault::{Fault, FaultCode};
use pilotage_domain::definition::node::{Place, Span};
use serde_json::json;

use crate::yaml::{Colour, load, render, to_json};

fn fault(line: u32, from: u32, to: u32) -> Fault {
    let span = Span { start: Place { line, column: from }, end: Place { line, column: to } };
    Fault {
        span,
        code: FaultCode::UnknownKey,
        path: "a.b".to_owned(),
        message: "what is wrong".to_owned(),
    }
}

fn drawn(text: &str, fault: Fault) -> String {
    render("x.yaml", text, &[fault], Colour::Plain)
}

#[test]
fn a_fault_is_drawn_under_its_place() {
    let text = "format: 1\nproduct: p\nversion: 1\njourney:\n  activation: done\n  milestones: [{ id: done, reachd: { event: page_view } }]\n";
    let faults = load(text).expect_err("a typing error");
    assert_eq!(
        render("x.yaml", text, &faults, Colour::Plain),
        "\
x.yaml:6:16: error[missing_key]: a milestone needs the key `reached`: Once this holds, the milestone is reached.
6 |   milestones: [{ id: done, reachd: { event: page_view } }]
  |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
x.yaml:6:28: error[unknown_key]: a milestone has no key \"reachd\"; did you mean `reached`?
6 |   milestones: [{ id: done, reachd: { event: page_view } }]
  |                            ^^^^^^
x.yaml: 2 errors, 0 warnings
"
    );
}

#[test]
fn tabs_and_wide_characters_keep_the_caret_in_place() {
    assert!(drawn("\tab: x", fault(1, 2, 4)).contains("1 |     ab: x\n  |     ^^\n"));
    assert!(drawn("名前: x", fault(1, 5, 6)).contains("1 | 名前: x\n  |       ^\n"));
    assert!(drawn("a: 名前", fault(1, 4, 6)).contains("1 | a: 名前\n  |    ^^^^\n"));
    assert!(drawn("e\u{301}: x", fault(1, 5, 6)).contains("  |    ^\n"));
}

#[test]
fn a_place_over_several_lines_gets_one_caret() {
    let mut long = fault(1, 3, 3);
    long.span.end.line = 4;
    assert!(drawn("a: |\n b\n", long).contains("1 | a: |\n  |   ^\n"));
}

#[test]
fn a_long_line_is_drawn_around_the_place() {
    let text = format!("{}HERE{}", "x".repeat(500), "y".repeat(500));
    let drawn = drawn(&text, fault(1, 501, 505));
    let lines: Vec<_> = drawn.lines().collect();
    assert_eq!(lines[1].chars().count(), 4 + 1 + 160);
    assert_eq!(lines[1].find("HERE").map(|at| at - '…'.len_utf8() + 1), lines[2].find("^^^^"));
}

#[test]
fn nothing_of_the_file_commands_the_terminal() {
    let mut fault = fault(1, 1, 2);
    fault.message = "found \u{1b}[2J".to_owned();
    let drawn = render("\u{1b}]0;x\u{7}", "a\u{1b}[31m: \u{202e}x\u{9b}", &[fault], Colour::Plain);
    assert!(!drawn.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{drawn:?}");
}

#[test]
fn a_place_beyond_the_text_is_still_told() {
    assert_eq!(
        drawn("", fault(9, 9, 10)),
        "x.yaml:9:9: error[unknown_key]: what is wrong\nx.yaml: 1 error, 0 warnings\n"
    );
}

#[test]
fn colours_are_only_around_the_words() {
    let coloured = render("x.yaml", "ab: x", &[fault(1, 1, 3)], Colour::Ansi);
    assert!(coloured.contains("\u{1b}[1;31merror[unknown_key]\u{1b}[0m"));
    let plain: String =
        coloured.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |p| p.1)).collect();
    assert_eq!(plain, drawn("ab: x", fault(1, 1, 3)));
}

#[test]
fn lines_end_as_the_parser_says() {
    for end in ["\n", "\r\n", "\r"] {
        assert!(
            drawn(&format!("a: 1{end}b: 2{end}"), fault(2, 1, 2)).contains("2 | b: 2\n"),
            "{end:?}"
        );
    }
    assert!(drawn("\u{feff}a: 1", fault(1, 1, 2)).contains("1 | a: 1\n  | ^\n"));
}

#[test]
fn programs_are_told_the_same() {
    let mut warning = fault(2, 1, 2);
    warning.code = FaultCode::NeverEligible;
    assert_eq!(
        to_json("x.yaml", &[fault(1, 2, 4), warning]),
        json!({
            "file": "x.yaml", "errors": 1, "warnings": 1,
            "faults": [
                { "code": "unknown_key", "severity": "error", "line": 1, "column": 2, "endLine": 1, "endColumn": 4, "path": "a.b", "message": "what is wrong" },
                { "code": "never_eligible", "severity": "warning", "line": 2, "column": 1, "endLine": 2, "endColumn": 2, "path": "a.b", "message": "what is wrong" },
            ],
        })
    );
}
