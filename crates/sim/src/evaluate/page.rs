//! An evaluation for people: a table for the terminal, a page with pictures. Must load nothing from anywhere.

use std::fmt::Write;

use askama::Template;

use super::{Estimate, Evaluated};
use crate::page::{Bar, Span, bars, spans};

/// The numbers as lines of plain text.
pub fn table(told: &Evaluated) -> String {
    let mut text = format!("policy {}: {} of {} rows\n", told.policy, told.used, told.rows);
    for (what, count) in told.left_out.named().into_iter().filter(|(_, count)| *count > 0) {
        // Writing to memory can't fail; so below.
        let _ = writeln!(text, "  {count} left out: {what}");
    }
    let _ = writeln!(
        text,
        "effective sample size {:.1}, largest weight {:.2}, mean weight {:.4}",
        told.effective_sample_size, told.largest_weight, told.mean_weight
    );
    if told.propensities_doubtful {
        let _ = writeln!(text, "{DOUBT}");
    }
    if let Some(refused) = &told.refused {
        let _ = writeln!(text, "\nno answer: {}", refused.told());
        return text;
    }
    text += "\nestimator        value    95 % interval        standard error  lambda\n";
    let logged = told.logged.iter().map(|estimate| ("as logged", estimate));
    let others = told.estimates.iter().map(|estimate| (estimate.estimator.name(), estimate));
    for (name, estimate) in logged.chain(others) {
        let Estimate { value, low, high, standard_error, .. } = estimate;
        let interval = format!("{low:.5} … {high:.5}");
        let _ = writeln!(
            text,
            "{name:12} {value:>9.5}    {interval:20} {standard_error:>14.5}  {}",
            lambda(estimate)
        );
    }
    text
}

const DOUBT: &str = "the weights do not average 1: the log's propensities are not the probabilities of its draws, or the log is not whole";

fn lambda(estimate: &Estimate) -> String {
    estimate.lambda.map(|lambda| lambda.to_string()).unwrap_or_default()
}

impl super::LeftOut {
    /// Each reason in words, with its count.
    fn named(&self) -> [(&'static str, usize); 6] {
        [
            ("nothing was drawn", self.not_drawn),
            ("of the group static, whose decisions are no draws", self.fixed),
            ("not drawn uniformly", self.not_uniform),
            ("the same draw as an earlier row", self.repeated),
            ("a reward may still come", self.not_mature),
            ("there was nothing left to win", self.no_reward),
        ]
    }
}

#[derive(Template)]
#[template(path = "evaluate.html")]
struct Page<'a> {
    told: &'a Evaluated,
    doubt: Option<&'static str>,
    left_out: Vec<(&'static str, usize)>,
    summary: Vec<(&'static str, String)>,
    refused: Option<String>,
    lines: Vec<Line>,
    spans: Option<crate::page::Spans>,
    weights: crate::page::Bars,
}

struct Line {
    name: &'static str,
    value: String,
    low: String,
    high: String,
    error: String,
    lambda: String,
}

/// A page of its own.
pub fn html(told: &Evaluated) -> String {
    let logged = told.logged.iter().map(|estimate| ("as logged", estimate));
    let all: Vec<(&'static str, &Estimate)> =
        logged.chain(told.estimates.iter().map(|e| (e.estimator.name(), e))).collect();
    let line = |(name, estimate): &(&'static str, &Estimate)| Line {
        name,
        value: format!("{:.5}", estimate.value),
        low: format!("{:.5}", estimate.low),
        high: format!("{:.5}", estimate.high),
        error: format!("{:.5}", estimate.standard_error),
        lambda: lambda(estimate),
    };
    let span = |(name, estimate): &(&'static str, &Estimate)| Span {
        name: (*name).to_owned(),
        low: estimate.low,
        value: estimate.value,
        high: estimate.high,
    };
    let bar = |(at_most, count): &(f64, usize)| Bar {
        name: if *at_most > 0.0 { format!("≤ {at_most}") } else { "0".to_owned() },
        parts: vec![*count as f64],
    };
    let page = Page {
        told,
        doubt: told.propensities_doubtful.then_some(DOUBT),
        left_out: told.left_out.named().into_iter().filter(|(_, count)| *count > 0).collect(),
        summary: vec![
            ("rows reckoned with", format!("{} of {}", told.used, told.rows)),
            ("users, or rows where none are named", told.users.to_string()),
            ("effective sample size", format!("{:.1}", told.effective_sample_size)),
            ("largest weight", format!("{:.2}", told.largest_weight)),
            ("mean weight", format!("{:.4}", told.mean_weight)),
        ],
        refused: told.refused.as_ref().map(super::Refusal::told),
        lines: all.iter().map(line).collect(),
        spans: spans(&all.iter().map(span).collect::<Vec<_>>()),
        weights: bars(&["rows"], &told.weights.iter().map(bar).collect::<Vec<_>>()),
    };
    // Writing to memory can't fail, and nothing in the page does anything else.
    page.render().expect("a page is always writable")
}
