//! Which room may see which, and which library lives where. Must not look into sources.

use super::Finding;
use super::tree::{Package, Tree};

/// A crate of the workspace.
struct Room {
    name: &'static str,
    /// The rooms that it may see.
    sees: &'static [&'static str],
    /// The only libraries that its code (not its tests) may use, where that is settled.
    libraries: Option<&'static [&'static str]>,
}

/// The table of the house. A new crate needs a line here, and one sentence that says which dependency it forbids.
const ROOMS: &[Room] = &[
    Room {
        name: "pilotage-domain",
        sees: &[],
        // Each of these computes and nothing else.
        libraries: Some(&[
            "hmac",
            "regex",
            "semver",
            "serde",
            "sha2",
            "siphasher",
            "thiserror",
            "unicode-segmentation",
        ]),
    },
    Room { name: "pilotage-wire", sees: &["pilotage-domain"], libraries: None },
    Room { name: "pilotage-engine", sees: &["pilotage-domain", "pilotage-wire"], libraries: None },
    Room { name: "pilotage-adapters", sees: UP_TO_ENGINE, libraries: None },
    Room { name: "pilotage-http", sees: UP_TO_ENGINE, libraries: None },
    Room { name: "pilotage-sim", sees: UP_TO_ENGINE, libraries: None },
    Room {
        name: "pilotage",
        sees: &[
            "pilotage-domain",
            "pilotage-wire",
            "pilotage-engine",
            "pilotage-adapters",
            "pilotage-http",
            "pilotage-sim",
        ],
        libraries: None,
    },
    Room { name: "xtask", sees: &[], libraries: None },
];

/// What the rooms around the engine see; never one another.
const UP_TO_ENGINE: &[&str] = &["pilotage-domain", "pilotage-wire", "pilotage-engine"];

/// Libraries that one room alone may know.
const HOMES: &[(&str, &[&str])] = &[
    ("rusqlite", &["pilotage-adapters"]),
    ("parquet", &["pilotage-adapters"]),
    ("axum", &["pilotage-http"]),
    ("tokio", &["pilotage-engine", "pilotage-adapters", "pilotage-http", "pilotage"]),
    ("anyhow", &["pilotage", "xtask"]),
    ("rand", &["pilotage"]),
    ("clap", &["pilotage", "xtask"]),
];

/// The packages under `crates/` and xtask; those beside the workspace (benches, fuzzing) are nobody's room.
fn in_the_house(tree: &Tree) -> impl Iterator<Item = &Package> {
    tree.packages.iter().filter(|package| {
        package.manifest.starts_with("crates/") || package.manifest.starts_with("xtask/")
    })
}

fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

pub(crate) fn sees_only_its_own(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in in_the_house(tree) {
        let Some(room) = room(&package.name) else {
            let what = format!("the crate `{}` has no line in the table of rooms", package.name);
            findings.push(Finding::new(&package.manifest, 0, what));
            continue;
        };
        for seen in package.dependencies.iter().filter(|dependency| dependency.local) {
            // A crate may name itself, to turn a feature on for its own tests.
            if seen.name != package.name && !room.sees.contains(&seen.name.as_str()) {
                let what = format!("`{}` must not see `{}`", package.name, seen.name);
                findings.push(Finding::new(&package.manifest, 0, what));
            }
        }
    }
    findings
}

pub(crate) fn libraries_stay_at_home(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in in_the_house(tree) {
        let allowed = room(&package.name).and_then(|room| room.libraries);
        for library in package.dependencies.iter().filter(|d| !d.local && !d.dev) {
            let name = library.name.as_str();
            let away = HOMES
                .iter()
                .any(|(of, homes)| *of == name && !homes.contains(&package.name.as_str()));
            if away || allowed.is_some_and(|allowed| !allowed.contains(&name)) {
                let what = format!("`{}` must not use `{name}`", package.name);
                findings.push(Finding::new(&package.manifest, 0, what));
            }
        }
    }
    findings
}

pub(crate) fn lints_are_on(tree: &Tree) -> Vec<Finding> {
    in_the_house(tree)
        .filter_map(|package| tree.files.get_key_value(&package.manifest))
        .filter(|(_, text)| !text.lines().any(|line| line.starts_with("[lints")))
        .map(|(path, _)| Finding::new(path, 0, "the crate has no [lints]"))
        .collect()
}
