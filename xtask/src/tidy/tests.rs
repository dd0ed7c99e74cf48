//! Planted violations: every rule finds what it is for, and nothing in what only looks like it.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Dependency, Package, Tree};
use super::{RULES, check};

fn tree(files: &[(&str, &str)]) -> Tree {
    tree_with(files, Vec::new())
}

fn tree_with(files: &[(&str, &str)], packages: Vec<Package>) -> Tree {
    let files: BTreeMap<String, String> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Tree::of(files, packages)
}

/// A package that names these, each `local:`, `dev:` or plain.
fn package(name: &str, manifest: &str, dependencies: &[&str]) -> Package {
    let dependency = |named: &&str| Dependency {
        name: named.rsplit(':').next().unwrap_or_default().to_owned(),
        local: named.starts_with("local:"),
        dev: named.starts_with("dev:"),
    };
    Package {
        name: name.to_owned(),
        manifest: manifest.to_owned(),
        dependencies: dependencies.iter().map(dependency).collect(),
    }
}

/// The rules that complain about the tree.
fn broken(tree: &Tree) -> BTreeSet<&'static str> {
    RULES.iter().filter(|rule| !(rule.check)(tree).is_empty()).map(|rule| rule.number).collect()
}

/// One file each that breaks one rule.
const PLANTED: &[(&str, &str, &str)] = &[
    ("T04", "crates/a/src/lib.rs", "use std::fmt;\n"),
    ("T04", "crates/a/src/lib.rs", "\n//! Late.\n"),
    ("T04", "web/a.js", "import './b.js';\n"),
    ("T07", "a.rs", "//! A.\nfn f(a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A) {}\n"),
    (
        "T07",
        "a.rs",
        "//! A.\nimpl S { fn f(&self, a: A, b: A, c: A, d: A, e: A, f: A, g: A) {} }\n",
    ),
    ("T08", "a.rs", "//! A.\npub fn f(quick: bool) {}\n"),
    ("T08", "a.rs", "//! A.\nimpl S { pub fn f(&self, quick: bool) {} }\n"),
    ("T08", "a.rs", "//! A.\npub trait T { fn f(&self, quick: bool); }\n"),
    (
        "T09",
        "crates/domain/src/a.rs",
        "//! A.\nfn f() { let now = std::time::SystemTime::now(); }\n",
    ),
    ("T09", "crates/domain/src/a.rs", "//! A.\nuse std::{fmt, time::Instant};\n"),
    ("T09", "crates/domain/src/a.rs", "//! A.\nuse std::{collections::{BTreeMap, HashMap}};\n"),
    ("T09", "crates/domain/src/a.rs", "//! A.\nfn f() { assert!(std::fs::exists(p)); }\n"),
    ("T09", "crates/domain/src/a.rs", "//! A.\nasync fn f() {}\n"),
    ("T09", "crates/sim/src/a.rs", "//! A.\nuse std::collections::HashSet;\n"),
    ("T09", "crates/sim/src/a.rs", "//! A.\nuse tokio::runtime::Runtime;\n"),
    ("T09", "crates/sim/src/a.rs", "//! A.\nfn f() { std::thread::sleep(d) }\n"),
    (
        "T09",
        "crates/engine/src/a.rs",
        "//! A.\nfn f() { let start = tokio::time::Instant::now(); }\n",
    ),
    ("T09", "crates/engine/src/a.rs", "//! A.\nfn f() { rand::random::<u8>(); }\n"),
    ("T09", "crates/adapters/src/a.rs", "//! A.\nfn f() { std::env::var(\"A\"); }\n"),
    ("T09", "crates/wire/src/a.rs", "//! A.\nfn f() { OffsetDateTime::now_utc(); }\n"),
    ("T10", "a.rs", "//! A.\n#[allow(dead_code)]\nfn f() {}\n"),
    ("T10", "a.rs", "//! A.\n#![expect(clippy::panic)]\n"),
    ("T10", "a.rs", "//! A.\n#[cfg_attr(test, allow(clippy::panic))]\nfn f() {}\n"),
    ("T11", "a.rs", "//! A.\n#[test]\n#[ignore = \"slow\"]\nfn f() {}\n"),
    ("T11", "a.rs", "//! A.\n// #[test]\nfn f() {}\n"),
    ("T11", "web/a.test.js", "// A.\ntest.skip('a', () => {});\n"),
    ("T11", "web/a.test.js", "// A.\ntest.only('a', () => {});\n"),
    ("T11", "web/a.test.js", "// A.\n  // test('a', () => {});\n"),
    ("T11", "web/a.test.js", "// A.\nawait page.waitForTimeout(500);\n"),
    ("T11", "web/e2e/playwright.config.js", "// A.\n  retries: 2,\n"),
    ("T12", "a.rs", "//! A.\n// TODO: finish\n"),
    ("T12", "a.rs", "//! A.\nfn f() { todo!() }\n"),
    ("T12", "a.rs", "//! A.\nfn f() { dbg!(1); }\n"),
    ("T12", "a.md", "FIXME later\n"),
    ("T13", "a.md", "A product tour.\n"),
    ("T13", "a.md", "Tips and tricks.\n"),
    ("T13", "a.rs", "//! A.\nstruct TourStep;\n"),
    ("T13", "a.rs", "//! A.\nfn guide_registry() {}\n"),
    ("T14", "a.md", "It writes to /tmp/out.\n"),
    ("T14", "a.yaml", "path: \"/work\"\n"),
    ("T19", "docs/adr/0002-late.md", "# 0002 Late\n"),
    ("T19", "docs/adr/first.md", "# 0001 First\n"),
    ("T19", "docs/adr/0001-first.md", "# First\n"),
    ("T20", "docs/a.md", "See [b](b.md).\n"),
    ("T20", "docs/a.md", "# Title\nSee [here](#other).\n"),
    ("T21", "web/sdk/a.js", "// A.\nbox.innerHTML = copy.title;\n"),
    ("T21", "web/demo/index.html", "<script>eval(location.hash)</script>\n"),
    ("T20", "docs/a.md", "Begin at `rules/gate.rs`.\n"),
    ("T20", "README.md", "<img src=\"docs/picture.svg\">\n"),
];

#[test]
fn a_planted_violation_is_found_by_its_rule_alone() {
    for (rule, path, text) in PLANTED {
        assert_eq!(broken(&tree(&[(path, text)])), BTreeSet::from([*rule]), "{path}: {text}");
    }
}

/// What looks like a violation and is none.
const INNOCENT: &[(&str, &str)] = &[
    ("web/a.js", "#!/usr/bin/env node\n// A.\n"),
    ("a.rs", "//! A.\nfn f(a: A, b: A, c: A, d: A, e: A, f: A, g: A) {}\n"),
    ("a.rs", "//! A.\nfn private(quick: bool) {}\npub fn g(all: &[bool]) -> bool { true }\n"),
    (
        "a.rs",
        "//! A.\nimpl T for S { fn f(&self, quick: bool) {} }\ntrait P { fn f(quick: bool); }\n",
    ),
    (
        "crates/domain/src/a.rs",
        "//! A.\n/// Never `SystemTime::now`.\nuse std::collections::BTreeMap;\n",
    ),
    ("crates/domain/tests/a.rs", "//! A.\nuse std::{collections::HashMap, fs, time::Instant};\n"),
    ("crates/sim/src/visit/tests.rs", "//! A.\nuse tokio::test;\n"),
    ("crates/adapters/src/a.rs", "//! A.\nfn f() { std::time::Instant::now(); }\n"),
    (
        "crates/engine/src/a.rs",
        "//! A.\nuse std::collections::HashMap;\nfn f(c: &dyn Clock) { c.now(); }\n",
    ),
    ("a.rs", "//! A.\n#[expect(clippy::panic, reason = \"a test\")]\nfn f() { x.expect(\"y\") }\n"),
    ("a.rs", "//! A.\nfn f() { let rest = items.skip(1); }\n"),
    ("web/e2e/playwright.config.js", "// A.\n  retries: 0,\n"),
    ("a.rs", "//! A.\nfn f() { let s = \"hackers\"; todos(); }\n"),
    ("a.md", "A tooltip, a detour, tipping, `tooltip_dismiss`.\n"),
    ("package-lock.json", "{ \"resolved\": \"registry\" }\n"),
    ("a.md", "crates/work/x, ~/tmp/x, /workshop, $ROOT/tmp and https://example.org/root\n"),
    ("docs/adr/0001-first.md", "# 0001 First\n"),
    ("web/e2e/a.js", "// A.\nawait page.evaluate(() => document.body.innerHTML);\n"),
    (
        "docs/a.md",
        "# One & two\n[a](#one--two) [b](https://x.y) `[c](no.md)`\n```\n[d](no.md)\n```\n[e](../docs) [f](a.md)\n",
    ),
];

#[test]
fn what_only_looks_like_a_violation_is_left_alone() {
    for (path, text) in INNOCENT {
        assert_eq!(broken(&tree(&[(path, text)])), BTreeSet::new(), "{path}: {text}");
    }
}

#[test]
fn a_file_may_have_600_lines_and_no_more() {
    let lines = |n: usize| format!("//! A.\n{}", "\n".repeat(n - 1));
    assert_eq!(broken(&tree(&[("a.rs", &lines(600))])), BTreeSet::new());
    assert_eq!(broken(&tree(&[("a.rs", &lines(601))])), BTreeSet::from(["T05"]));
    assert_eq!(broken(&tree(&[("ARCHITECTURE.md", &lines(401))])), BTreeSet::from(["T05"]));
    assert_eq!(broken(&tree(&[("docs/long.md", &lines(601))])), BTreeSet::new());
}

#[test]
fn a_function_may_have_70_lines_and_no_more() {
    let lines = |n: usize| {
        format!("//! A.\n/// Documented.\n/// Well.\nfn f() {{{}}}\n", "\n".repeat(n - 1))
    };
    assert_eq!(broken(&tree(&[("a.rs", &lines(70))])), BTreeSet::new());
    assert_eq!(broken(&tree(&[("a.rs", &lines(71))])), BTreeSet::from(["T06"]));
}

fn of_packages(packages: Vec<Package>) -> BTreeSet<&'static str> {
    let mut found = broken(&tree_with(&[], packages));
    // None of these trees has the document of dependencies, nor sources.
    found.remove("T16");
    found.remove("T17");
    found
}

#[test]
fn a_dependency_is_named_by_a_source_of_its_own_package() {
    let found = |path: &str, text: &str| {
        let packages = vec![package("pilotage-wire", "crates/wire/Cargo.toml", &["serde-json"])];
        let mut found = broken(&tree_with(&[(path, text)], packages));
        found.remove("T16");
        found
    };
    let text = "//! A.\nuse serde_json::Value;\n";
    assert_eq!(found("crates/wire/src/lib.rs", text), BTreeSet::new());
    assert_eq!(found("crates/wire/tests/it.rs", text), BTreeSet::new());
    assert_eq!(found("crates/wires/src/lib.rs", text), BTreeSet::from(["T17"]));
    assert_eq!(found("crates/wire/src/lib.rs", "//! Names serde_json.\n"), BTreeSet::from(["T17"]));
}

#[test]
fn rooms_see_only_what_the_table_says() {
    let package = |name, sees| vec![package(name, "crates/x/Cargo.toml", &[sees])];
    assert_eq!(of_packages(package("pilotage-engine", "local:pilotage-wire")), BTreeSet::new());
    assert_eq!(of_packages(package("pilotage-engine", "local:pilotage-engine")), BTreeSet::new());
    for (name, sees) in [
        ("pilotage-domain", "local:pilotage-wire"),
        ("pilotage-http", "local:pilotage-adapters"),
        ("pilotage-sim", "local:pilotage-http"),
        ("pilotage-engine", "local:pilotage-http"),
        ("pilotage-new", "serde"),
    ] {
        assert_eq!(of_packages(package(name, sees)), BTreeSet::from(["T01"]), "{name} {sees}");
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let package = |name, uses| vec![package(name, "crates/x/Cargo.toml", &[uses])];
    assert_eq!(of_packages(package("pilotage-http", "axum")), BTreeSet::new());
    assert_eq!(of_packages(package("pilotage-domain", "dev:proptest")), BTreeSet::new());
    for (name, uses) in [
        ("pilotage-domain", "tokio"),
        ("pilotage-domain", "chrono"),
        ("pilotage-engine", "axum"),
        ("pilotage-http", "rusqlite"),
        ("pilotage-sim", "tokio"),
        ("pilotage-wire", "anyhow"),
    ] {
        assert_eq!(of_packages(package(name, uses)), BTreeSet::from(["T02"]), "{name} {uses}");
    }
}

#[test]
fn dependencies_are_counted() {
    let names: Vec<String> = (0..81).map(|n| format!("library-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let with = |n: usize| of_packages(vec![package("bench", "bench/Cargo.toml", &names[..n])]);
    assert_eq!(with(80), BTreeSet::new());
    assert_eq!(with(81), BTreeSet::from(["T15"]));
    let lock = |n: usize| broken(&tree(&[("fuzz/Cargo.lock", &"[[package]]\n".repeat(n))]));
    assert_eq!(lock(450), BTreeSet::new());
    assert_eq!(lock(451), BTreeSet::from(["T15"]));
}

#[test]
fn each_dependency_has_its_line_and_each_line_its_dependency() {
    let found = |document: &str, manifest: &str| {
        let files = [
            ("docs/dependencies.md", document),
            ("web/package.json", "{ \"devDependencies\": { \"typescript\": \"1\" } }"),
            ("Cargo.toml", manifest),
            ("xtask/src/main.rs", "//! A.\nuse syn::File;\n"),
        ];
        let packages = vec![package("xtask", "xtask/Cargo.toml", &["syn"])];
        broken(&tree_with(&files, packages))
    };
    let whole = "| `syn` | reads Rust |\n| `typescript` | checks types |\n";
    let manifest = "[workspace.dependencies]\nsyn = \"2\"\nown = { path = \"x\" }\n\n[profile.dev]\ndebug = 1\n";
    assert_eq!(found(whole, manifest), BTreeSet::new());
    let broken = BTreeSet::from(["T16"]);
    assert_eq!(found("| `syn` | reads Rust |\n", manifest), broken);
    assert_eq!(found("| `typescript` | checks types |\n", manifest), broken);
    assert_eq!(found(&whole.replace("reads Rust", ""), manifest), broken);
    assert_eq!(found(&format!("{whole}| `tokio` | runs tasks |\n"), manifest), broken);
    assert_eq!(found(whole, "[workspace.dependencies]\nunused = \"1\"\n"), broken);
}

#[test]
fn crates_have_lints() {
    let found = |path: &str, manifest: &str| {
        broken(&tree_with(&[(path, manifest)], vec![package("pilotage-wire", path, &[])]))
    };
    let path = "crates/wire/Cargo.toml";
    assert_eq!(found(path, "[package]\n\n[lints]\nworkspace = true\n"), BTreeSet::new());
    assert_eq!(found(path, "[package]\n\n[lints.rust]\nunsafe_code = \"deny\"\n"), BTreeSet::new());
    assert_eq!(found(path, "[package]\n"), BTreeSet::from(["T03"]));
    assert_eq!(found("fuzz/Cargo.toml", "[package]\n"), BTreeSet::new());
}

#[test]
fn browsers_load_no_dependency() {
    let found = |manifest: &str| {
        let mut found = broken(&tree(&[("web/package.json", manifest)]));
        found.remove("T16");
        found
    };
    assert_eq!(found("{ \"devDependencies\": { \"typescript\": \"1\" } }"), BTreeSet::new());
    assert_eq!(found("{ \"dependencies\": { \"preact\": \"1\" } }"), BTreeSet::from(["T18"]));
    assert_eq!(found("{ \"dependencies\": {} }"), BTreeSet::new());
}

#[test]
fn a_document_names_sources_by_the_end_of_their_paths() {
    let found = |text: &str| {
        let source = ("crates/domain/src/rules/gate.rs", "//! Gates.\n");
        broken(&tree(&[source, ("docs/a.md", text)]))
    };
    let (none, broken) = (BTreeSet::new(), BTreeSet::from(["T20"]));
    assert_eq!(found("`rules/gate.rs`, `gate.rs`, `any.rs` and `import './x/y.js'`\n"), none);
    assert_eq!(found("`ules/gate.rs`\n"), broken);
    assert_eq!(found("`rules/gates.rs`\n"), broken);
}

#[test]
fn a_finding_is_told_with_place_number_and_reason() {
    let lines = check(&tree(&[("a.md", "Fine.\nA tour.\n")]));
    let reason = "one word has one meaning; this one belongs to another trade";
    let expected = format!("a.md:2: T13 the word \"tour\": say walk-through, or guides ({reason})");
    assert_eq!(lines, [expected]);
}

#[test]
fn an_exception_covers_its_rule_in_its_file_and_must_be_needed() {
    let with = |list: &str, text: &str| {
        check(&tree(&[("xtask/exceptions.txt", list), ("a.md", text), ("b.md", "Fine.\n")]))
    };
    let list = "# Remarks are free.\n\nT14 a.md: shows what not to do\n";
    assert_eq!(with(list, "See /tmp/x.\n"), Vec::<String>::new());
    assert_eq!(with(list, "See TODO and /tmp/x.\n").len(), 1, "another rule is not covered");
    assert_eq!(with("T14 b.md: wrong file\n", "See /tmp/x.\n").len(), 2, "nor another file");
    assert!(with(list, "Fine.\n")[0].starts_with("xtask/exceptions.txt:3: T00 "));
    assert!(with("T14 a.md\n", "Fine.\n")[0].starts_with("xtask/exceptions.txt:1: T00 "));
}

#[test]
fn every_rule_has_its_number_in_order() {
    let expected: Vec<String> = (1..=RULES.len()).map(|n| format!("T{n:02}")).collect();
    assert_eq!(RULES.iter().map(|rule| rule.number).collect::<Vec<_>>(), expected);
}
