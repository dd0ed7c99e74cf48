//! How many dependencies there are, and that each is justified. Must not ask a server.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Finding;
use super::tree::{Tree, is_named};

const DIRECT: usize = 80;
const LOCKED: usize = 450;
const JUSTIFICATIONS: &str = "docs/dependencies.md";

pub(crate) fn within_budget(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let direct = direct(tree).len();
    if direct > DIRECT {
        let what = format!("{direct} direct dependencies, at most {DIRECT}");
        findings.push(Finding::new("Cargo.toml", 0, what));
    }
    for (path, text) in tree.files.iter().filter(|(path, _)| is_named(path, "Cargo.lock")) {
        let locked = text.lines().filter(|line| *line == "[[package]]").count();
        if locked > LOCKED {
            let what = format!("{locked} locked packages, at most {LOCKED}");
            findings.push(Finding::new(path, 0, what));
        }
    }
    findings
}

pub(crate) fn justified(tree: &Tree) -> Vec<Finding> {
    let direct = direct(tree);
    let lines = justifications(tree);
    let unjustified =
        direct.iter().filter(|(name, _)| !lines.contains_key(*name)).map(|(name, path)| {
            Finding::new(path, 0, format!("`{name}` has no line in {JUSTIFICATIONS}"))
        });
    let stale = lines
        .iter()
        .filter(|(name, _)| !direct.contains_key(*name))
        .map(|(name, line)| Finding::new(JUSTIFICATIONS, *line, format!("nothing uses `{name}`")));
    let unused = declared(tree)
        .into_iter()
        .filter(|name| !direct.contains_key(name))
        .map(|name| Finding::new("Cargo.toml", 0, format!("no crate uses `{name}`")));
    unjustified.chain(stale).chain(unused).collect()
}

pub(crate) fn used(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let folder = package.manifest.trim_end_matches("Cargo.toml");
        let sources: Vec<_> =
            tree.rust.iter().filter(|(path, _)| path.starts_with(folder)).collect();
        for dependency in package.dependencies.iter().filter(|d| d.name != package.name) {
            let named = dependency.name.replace('-', "_");
            let is_named = sources.iter().any(|(_, s)| s.mentions.iter().any(|m| m.has(&named)));
            if !is_named {
                let what = format!("no source of `{}` names `{named}`", package.name);
                findings.push(Finding::new(&package.manifest, 0, what));
            }
        }
    }
    findings
}

pub(crate) fn none_in_browsers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, manifest) in node_manifests(tree) {
        let loaded = names(&manifest["dependencies"]);
        findings.extend(
            loaded.map(|name| Finding::new(path, 0, format!("`{name}` would reach a browser"))),
        );
    }
    findings
}

/// What the packages name, Rust's and Node's, with a manifest that names it.
fn direct(tree: &Tree) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for package in &tree.packages {
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.local) {
            found.insert(dependency.name.clone(), package.manifest.clone());
        }
    }
    for (path, manifest) in node_manifests(tree) {
        for kind in ["dependencies", "devDependencies"] {
            found.extend(names(&manifest[kind]).map(|name| (name, path.to_owned())));
        }
    }
    found
}

fn node_manifests(tree: &Tree) -> impl Iterator<Item = (&str, Value)> {
    let manifests =
        tree.ending(&["package.json"]).filter(|(path, _)| is_named(path, "package.json"));
    manifests.map(|(path, text)| (path, serde_json::from_str(text).unwrap_or_default()))
}

fn names(object: &Value) -> impl Iterator<Item = String> {
    object.as_object().into_iter().flat_map(|object| object.keys().cloned())
}

/// The names in the table's first column, in backticks, with their lines.
fn justifications(tree: &Tree) -> BTreeMap<String, usize> {
    let text = tree.files.get(JUSTIFICATIONS).map(String::as_str).unwrap_or_default();
    text.lines()
        .enumerate()
        .filter_map(|(i, line)| {
            let (name, reason) = line.strip_prefix("| `")?.split_once("` |")?;
            let is_reason = reason.chars().any(char::is_alphabetic);
            is_reason.then(|| (name.to_owned(), i + 1))
        })
        .collect()
}

/// What the workspace's manifest declares for its crates to use, folders aside.
fn declared(tree: &Tree) -> BTreeSet<String> {
    let manifest = tree.files.get("Cargo.toml").map(String::as_str).unwrap_or_default();
    manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.contains("path ="))
        .filter_map(|line| line.split_once(" =").map(|(name, _)| name.to_owned()))
        .collect()
}
