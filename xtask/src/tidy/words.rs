//! Words and paths that must not stand in any text file. Must not look at what the text means.

use super::Finding;
use super::tree::{Tree, is_named};

/// Another trade's words; whole words, in any case, also as parts of identifiers (`TourStep`, `tour_step`).
const FORBIDDEN: &[(&str, &str)] = &[
    ("nudge", "guide"),
    ("nudges", "guides"),
    ("tour", "walk-through, or guides"),
    ("tours", "walk-throughs, or guides"),
    ("tip", "guide"),
    ("tips", "guides"),
    ("registry", "catalogue"),
    ("registries", "catalogues"),
    ("impression", "exposure"),
    ("impressions", "exposures"),
];

/// Roots of folders that exist on one machine and not on the next.
const MACHINE_ROOTS: &[&str] = &["/work", "/tmp", "/farm", "/root"];

/// Machines write these, word for word as their tools want them.
fn is_by_hand(path: &str) -> bool {
    !is_named(path, "Cargo.lock") && !is_named(path, "package-lock.json")
}

pub(crate) fn forbidden(tree: &Tree) -> Vec<Finding> {
    in_lines(tree, |line| {
        let word = words(line).into_iter().find_map(|word| {
            FORBIDDEN.iter().find(|(forbidden, _)| word.eq_ignore_ascii_case(forbidden))
        });
        word.map(|(word, instead)| format!("the word \"{word}\": say {instead}"))
    })
}

/// The words of a line; `tourStep` and `tour_step` are two each.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for run in line.split(|c: char| !c.is_alphanumeric()) {
        let mut start = 0;
        let mut before_is_lower = false;
        for (i, c) in run.char_indices() {
            if before_is_lower && c.is_uppercase() {
                words.push(&run[start..i]);
                start = i;
            }
            before_is_lower = c.is_lowercase();
        }
        words.push(&run[start..]);
    }
    words
}

pub(crate) fn machine_paths(tree: &Tree) -> Vec<Finding> {
    in_lines(tree, |line| {
        let root = MACHINE_ROOTS.iter().find(|root| names_folder(line, root));
        root.map(|root| format!("a path under {root}"))
    })
}

/// Whether the line has a path that begins at this root, not one that goes through a folder of that name.
fn names_folder(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + root.len()..].chars().next();
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let comes_from = |c: char| goes_on(c) || matches!(c, '.' | '/' | '}' | ')' | '*' | '~');
        !before.is_some_and(comes_from) && !after.is_some_and(goes_on)
    })
}

fn in_lines(tree: &Tree, fault: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files.iter().filter(|(path, _)| is_by_hand(path)) {
        for (i, line) in text.lines().enumerate() {
            findings.extend(fault(line).map(|what| Finding::new(path, i + 1, what)));
        }
    }
    findings
}
