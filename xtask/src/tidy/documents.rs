//! The documents: numbered decisions, links that lead somewhere. Must not judge prose.

use super::Finding;
use super::tree::Tree;

const DECISIONS: &str = "docs/adr/";

pub(crate) fn decisions_are_numbered(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let decisions = tree
        .files
        .iter()
        .filter_map(|(path, text)| Some((path, path.strip_prefix(DECISIONS)?, text)));
    for (i, (path, name, text)) in decisions.enumerate() {
        let number = format!("{:04}", i + 1);
        if !(name.starts_with(&format!("{number}-")) && name.ends_with(".md")) {
            findings.push(Finding::new(path, 0, format!("the next decision is {number}-*.md")));
        } else if !text.starts_with(&format!("# {number} ")) {
            findings.push(Finding::new(
                path,
                1,
                format!("the title does not start with `# {number} `"),
            ));
        }
    }
    findings
}

pub(crate) fn links_lead_somewhere(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(&[".md"]) {
        for (line, target) in links(text) {
            if let Some(what) = fault(tree, path, target) {
                findings.push(Finding::new(path, line, what));
            }
        }
        for (line, source) in named_sources(text) {
            if !tree
                .files
                .keys()
                .any(|known| known == source || known.ends_with(&format!("/{source}")))
            {
                findings.push(Finding::new(path, line, format!("there is no file `{source}`")));
            }
        }
    }
    findings
}

/// The sources that a document names between backticks, by the end of their paths: `rules/gate.rs`.
fn named_sources(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let names = line.split('`').skip(1).step_by(2);
        let is_source = |name: &&str| {
            let plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
            name.contains('/')
                && (name.ends_with(".rs") || name.ends_with(".js"))
                && name.chars().all(plain)
        };
        found.extend(names.filter(is_source).map(|name| (i + 1, name.trim_start_matches('/'))));
    }
    found
}

/// The targets of a document's links and pictures with their lines; code is not searched.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (i, line) in text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        // Every second piece between backticks is code.
        for piece in line.split('`').step_by(2) {
            for (open, close) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
                let targets = piece.split(open).skip(1);
                found.extend(targets.filter_map(|rest| Some((i + 1, rest.split_once(close)?.0))));
            }
        }
    }
    found
}

fn fault(tree: &Tree, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { from.to_owned() } else { resolve(from, file) };
    let folder = format!("{}/", path.trim_end_matches('/'));
    match tree.files.get(&path) {
        None if path.is_empty() || tree.files.keys().any(|known| known.starts_with(&folder)) => {
            None
        }
        None => Some(format!("the link to `{target}` leads nowhere")),
        Some(text) => {
            let missing =
                !heading.is_empty() && path.ends_with(".md") && !has_heading(text, heading);
            missing.then(|| format!("`{path}` has no heading #{heading}"))
        }
    }
}

/// The path from the root of what `file` names in the folder of `from`.
fn resolve(from: &str, file: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn has_heading(text: &str, wanted: &str) -> bool {
    text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == wanted)
}

/// How a heading is named in a link: lower case, words joined by hyphens, signs left out.
fn slug(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    title
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
