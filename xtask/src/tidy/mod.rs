//! The house's rules that a program can check, each with a number and a reason. Must not change a file.

mod bans;
mod dependencies;
mod documents;
mod exceptions;
mod rooms;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use exceptions::Exceptions;
use tree::Tree;

/// One rule.
struct Rule {
    /// Its name in messages and in the list of exceptions.
    number: &'static str,
    /// Why there is such a rule.
    reason: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

/// A place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// From 1; 0 where it is the file as a whole.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

const RULES: &[Rule] = &[
    Rule {
        number: "T01",
        reason: "data flows one way: each room sees only the rooms that the table in rooms.rs names",
        check: rooms::sees_only_its_own,
    },
    Rule {
        number: "T02",
        reason: "a library is known to one room, so that it can be replaced there",
        check: rooms::libraries_stay_at_home,
    },
    Rule {
        number: "T03",
        reason: "a crate without lints is a crate where anything goes",
        check: rooms::lints_are_on,
    },
    Rule {
        number: "T04",
        reason: "the first line tells a stranger what the file is for and what it must not do",
        check: shape::first_line,
    },
    Rule {
        number: "T05",
        reason: "a long file is two files that have not been told apart yet",
        check: shape::file_length,
    },
    Rule {
        number: "T06",
        reason: "a function that fits a screen can be checked at a glance",
        check: shape::function_length,
    },
    Rule {
        number: "T07",
        reason: "a long list of parameters wants to be a type",
        check: shape::parameters,
    },
    Rule {
        number: "T08",
        reason: "`f(true)` says nothing where it is called: use an enum, or two functions",
        check: shape::no_bool_parameter,
    },
    Rule {
        number: "T09",
        reason: "the same input must give the same output, live, in replay and in simulation",
        check: bans::rooms_stay_pure,
    },
    Rule {
        number: "T10",
        reason: "a lint that is silenced without a reason can't be reviewed",
        check: bans::silenced_lints_say_why,
    },
    Rule {
        number: "T11",
        reason: "a test that is skipped, retried or waits for luck proves nothing",
        check: bans::tests_run,
    },
    Rule {
        number: "T12",
        reason: "what is not finished is an issue, not a comment",
        check: bans::nothing_unfinished,
    },
    Rule {
        number: "T13",
        reason: "one word has one meaning; this one belongs to another trade",
        check: words::forbidden,
    },
    Rule {
        number: "T14",
        reason: "a path of one machine breaks on every other",
        check: words::machine_paths,
    },
    Rule {
        number: "T15",
        reason: "each dependency is code that somebody here must answer for",
        check: dependencies::within_budget,
    },
    Rule {
        number: "T16",
        reason: "each dependency is justified in one line of docs/dependencies.md, and nothing else is",
        check: dependencies::justified,
    },
    Rule {
        number: "T17",
        reason: "a dependency that no source names is weight without work",
        check: dependencies::used,
    },
    Rule {
        number: "T18",
        reason: "what a page loads is ours alone: small, and nobody else's to change",
        check: dependencies::none_in_browsers,
    },
    Rule {
        number: "T19",
        reason: "decisions are found by their numbers",
        check: documents::decisions_are_numbered,
    },
    Rule {
        number: "T20",
        reason: "a dead link is worse than none",
        check: documents::links_lead_somewhere,
    },
    Rule {
        number: "T21",
        reason: "copy comes from people: text that becomes a page's code is an open door",
        check: bans::text_stays_text,
    },
];

/// Checks the repository, prints what it finds, and says whether all is well.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let start = Instant::now();
    let tree = Tree::read(root)?;
    let findings = check(&tree);
    for line in &findings {
        println!("{line}");
    }
    let (rules, files) = (RULES.len(), tree.files.len());
    let taken = start.elapsed().as_secs_f64();
    match findings.len() {
        0 => println!("tidy: {rules} rules hold in {files} files ({taken:.1} s)"),
        n => println!("tidy: {n} findings in {files} files ({taken:.1} s)"),
    }
    Ok(findings.is_empty())
}

/// Every finding that no exception covers, and every exception that covers none, as lines to print.
fn check(tree: &Tree) -> Vec<String> {
    let mut exceptions = Exceptions::of(tree);
    let mut lines = Vec::new();
    for (rule, mut findings) in RULES.iter().zip(found(tree)) {
        findings.sort();
        findings.retain(|finding| !exceptions.cover(rule.number, &finding.path));
        lines.extend(findings.iter().map(|f| line(rule.number, rule.reason, f)));
    }
    let reason = "the list of exceptions may only shrink";
    lines.extend(exceptions.faults().iter().map(|f| line("T00", reason, f)));
    lines
}

/// What each rule finds, in the rules' order; they look at the tree at the same time.
fn found(tree: &Tree) -> Vec<Vec<Finding>> {
    std::thread::scope(|scope| {
        let checks: Vec<_> = RULES.iter().map(|rule| scope.spawn(|| (rule.check)(tree))).collect();
        // A rule that panics takes the others with it: what is not looked at must not pass.
        checks.into_iter().map(|check| check.join().expect("a rule panicked")).collect()
    })
}

fn line(number: &str, reason: &str, finding: &Finding) -> String {
    let Finding { path, line, what } = finding;
    let place = if *line == 0 { path.clone() } else { format!("{path}:{line}") };
    format!("{place}: {number} {what} ({reason})")
}
