//! Faults as people read them on a terminal, and as programs read them. Must let nothing from the file reach a terminal
//! that could command it.

use std::fmt::Write;

use pilotage_domain::definition::fault::{Fault, Severity};
use pilotage_domain::definition::node::{Place, Span, invisible};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

/// How wide a tab is drawn.
const TAB: &str = "    ";
/// The most characters of a source line that are drawn.
const WINDOW: usize = 160;
/// How many of them stand before the place, where the line is longer than that.
const BEFORE: usize = 60;

/// Whether to draw in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal.
    Ansi,
    /// For a file or a pipe.
    Plain,
}

impl Colour {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// Every fault with the line that it is in and a caret under its place, then a line that counts them.
pub fn render(file: &str, text: &str, faults: &[Fault], colour: Colour) -> String {
    let lines = lines(text);
    let mut out = String::new();
    for fault in faults {
        heading(&mut out, file, fault, colour);
        let line =
            usize::try_from(fault.span.start.line).ok().and_then(|n| lines.get(n.checked_sub(1)?));
        if let Some(line) = line {
            source(&mut out, line, fault, colour);
        }
    }
    let (errors, warnings) = count(faults);
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    line(
        &mut out,
        format_args!(
            "{}: {}, {}",
            safe(file),
            plural(errors, "error"),
            plural(warnings, "warning")
        ),
    );
    out
}

/// `{ file, errors, warnings, faults: [{ code, severity, line, column, endLine, endColumn, path, message }] }`; lines and
/// columns count from 1, columns in characters, the end is the place after the last one.
pub fn to_json(file: &str, faults: &[Fault]) -> Value {
    let (errors, warnings) = count(faults);
    let fault = |fault: &Fault| {
        let Span { start, end } = fault.span;
        json!({
            "code": fault.code.as_str(),
            "severity": severity(fault),
            "line": start.line,
            "column": start.column,
            "endLine": end.line,
            "endColumn": end.column,
            "path": fault.path,
            "message": fault.message,
        })
    };
    let faults: Vec<Value> = faults.iter().map(fault).collect();
    json!({ "file": file, "errors": errors, "warnings": warnings, "faults": faults })
}

fn count(faults: &[Fault]) -> (usize, usize) {
    let errors = faults.iter().filter(|fault| fault.code.severity() == Severity::Error).count();
    (errors, faults.len() - errors)
}

fn severity(fault: &Fault) -> &'static str {
    match fault.code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn tint(fault: &Fault) -> &'static str {
    match fault.code.severity() {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A String can't refuse what is written to it.
    let _ = writeln!(out, "{text}");
}

fn heading(out: &mut String, file: &str, fault: &Fault, colour: Colour) {
    let Place { line: at, column } = fault.span.start;
    let kind = colour.paint(tint(fault), &format!("{}[{}]", severity(fault), fault.code));
    let place = colour.paint("1", &format!("{}:{at}:{column}:", safe(file)));
    line(out, format_args!("{place} {kind}: {}", safe(&fault.message)));
}

/// The source line and, under it, carets under the place: one where it goes on in the next line.
fn source(out: &mut String, text: &str, fault: &Fault, colour: Colour) {
    let Span { start, end } = fault.span;
    let from = start.column.saturating_sub(1) as usize;
    let to = if end.line == start.line { end.column.saturating_sub(1) as usize } else { from };
    let first = if text.chars().count() > WINDOW { from.saturating_sub(BEFORE) } else { 0 };
    let part = |from: usize, to: usize| -> String {
        text.chars().skip(from).take(to.saturating_sub(from)).collect()
    };
    let dots = if first > 0 { "…" } else { "" };
    let shown = format!("{dots}{}", drawn(&part(first, first + WINDOW)));
    let indent = format!("{dots}{}", drawn(&part(first, from))).width();
    let width = drawn(&part(from, to.min(first + WINDOW))).width().max(1);
    let number = start.line.to_string();
    let carets = colour.paint(tint(fault), &"^".repeat(width));
    line(out, format_args!("{number} | {shown}"));
    line(out, format_args!("{:pad$} | {:indent$}{carets}", "", "", pad = number.len()));
}

/// The lines as the parser counts them: ended by LF, CR LF or CR.
fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).collect()
}

fn drawn(text: &str) -> String {
    safe(&text.replace('\t', TAB))
}

/// The text without anything that a terminal would obey rather than show.
fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || invisible(c) { '\u{fffd}' } else { c }).collect()
}
