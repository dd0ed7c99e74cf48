//! What must not be named: impure things in pure rooms, silenced lints, tests that do not run. Must not judge shape.

use super::Finding;
use super::source::{Attribute, Mention, Source};
use super::tree::Tree;

/// What a room's sources must not name, and what they do instead. Tests in files of their own may.
struct Ban {
    rooms: &'static [&'static str],
    paths: &'static [&'static str],
    instead: &'static str,
}

impl Ban {
    fn is_for(&self, path: &str) -> bool {
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        !is_test && self.rooms.iter().any(|room| path.starts_with(room))
    }
}

const BANS: &[Ban] = &[
    Ban {
        rooms: &["crates/domain/src/", "crates/sim/src/"],
        paths: &["SystemTime", "Instant", "Utc::now", "Local::now", "now_utc"],
        instead: "time is an argument",
    },
    Ban {
        rooms: &["crates/wire/src/", "crates/engine/src/"],
        paths: &["SystemTime::now", "Instant::now", "Utc::now", "Local::now", "now_utc"],
        instead: "the clock is a port",
    },
    Ban {
        rooms: &["crates/domain/src/", "crates/wire/src/", "crates/engine/src/", "crates/sim/src/"],
        paths: &["rand", "thread_rng", "getrandom", "OsRng"],
        instead: "randomness is an argument, or the entropy port",
    },
    Ban {
        rooms: &["crates/domain/src/", "crates/sim/src/"],
        paths: &["HashMap", "HashSet", "RandomState"],
        instead: "order must not depend on a hash: use BTreeMap, BTreeSet or a sorted list",
    },
    Ban {
        rooms: &["crates/domain/src/"],
        paths: &[
            "tokio",
            "async",
            "await",
            "std::fs",
            "std::net",
            "std::env",
            "std::thread",
            "std::process",
        ],
        instead: "the domain computes; the engine does",
    },
    Ban {
        rooms: &["crates/wire/src/", "crates/engine/src/", "crates/adapters/src/"],
        paths: &["std::env", "env::var"],
        instead: "what is configured is an argument; the binary alone reads the environment",
    },
    Ban {
        rooms: &["crates/sim/src/"],
        paths: &["tokio", "std::net", "sleep"],
        instead: "the simulation opens no socket and never waits",
    },
];

/// In scripts: what makes a test not run, run again, or wait for luck.
const SCRIPT_SKIPS: &[&str] =
    &[".skip(", ".only(", ".fixme(", ".todo(", "xit(", "skip: true", "waitForTimeout", "--retries"];
/// A test that was turned into a comment.
const COMMENTED_TESTS: &[&str] = &["#[test]", "#[tokio::test]", "test(", "it("];

/// In what browsers run: what turns text into elements or code.
const TEXT_TO_CODE: &[&str] =
    &["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"];

pub(crate) fn rooms_stay_pure(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ban in BANS {
        for (path, source) in tree.rust.iter().filter(|(path, _)| ban.is_for(path)) {
            for mention in &source.mentions {
                let banned = ban.paths.iter().find(|banned| mention.has(banned));
                findings.extend(banned.map(|banned| {
                    Finding::new(
                        path,
                        mention.line,
                        format!("`{banned}` is named here: {}", ban.instead),
                    )
                }));
            }
        }
    }
    findings
}

pub(crate) fn silenced_lints_say_why(tree: &Tree) -> Vec<Finding> {
    let silent = |attribute: &&Attribute| {
        let has = |word: &str| attribute.words.iter().any(|w| w == word);
        let lint = matches!(
            attribute.words.first().map(String::as_str),
            Some("allow" | "expect" | "cfg_attr")
        );
        lint && (has("allow") || has("expect")) && !has("reason")
    };
    in_rust(tree, |source| {
        let silenced = source.attributes.iter().filter(silent);
        silenced.map(|a| (a.line, format!("`{}` without a reason", a.words.join(" ")))).collect()
    })
}

pub(crate) fn tests_run(tree: &Tree) -> Vec<Finding> {
    let ignored = |attribute: &&Attribute| {
        let first = attribute.words.first().map(String::as_str);
        first == Some("ignore")
            || (first == Some("cfg_attr") && attribute.words.iter().any(|w| w == "ignore"))
    };
    let mut findings = in_rust(tree, |source| {
        let ignored = source.attributes.iter().filter(ignored);
        ignored.map(|a| (a.line, "an ignored test".to_owned())).collect()
    });
    for (path, text) in tree.ending(&[".js", ".mjs", ".ts"]) {
        let lines = text.lines().enumerate();
        findings.extend(lines.filter_map(|(i, line)| {
            skip_in(line).map(|what| Finding::new(path, i + 1, format!("`{what}` in a test")))
        }));
    }
    for (path, text) in tree.ending(&[".rs", ".js", ".mjs", ".ts"]) {
        let lines = text.lines().enumerate().filter(|(_, line)| is_commented_test(line));
        findings.extend(
            lines.map(|(i, _)| Finding::new(path, i + 1, "a test that was made a comment")),
        );
    }
    findings
}

pub(crate) fn text_stays_text(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let in_browsers = |path: &str| path.starts_with("web/sdk/") || path.starts_with("web/demo/");
    for (path, text) in tree.ending(&[".js", ".html"]).filter(|(path, _)| in_browsers(path)) {
        for (i, line) in text.lines().enumerate() {
            let found = TEXT_TO_CODE.iter().find(|way| line.contains(**way));
            findings.extend(found.map(|way| Finding::new(path, i + 1, format!("`{way}`"))));
        }
    }
    findings
}

fn skip_in(line: &str) -> Option<&'static str> {
    let retries = line.trim_start().strip_prefix("retries:");
    if retries.is_some_and(|n| n.trim().trim_end_matches(',') != "0") {
        return Some("retries");
    }
    SCRIPT_SKIPS.iter().find(|skip| line.contains(**skip)).copied()
}

fn is_commented_test(line: &str) -> bool {
    let comment = line.trim_start().strip_prefix("//").map(str::trim_start);
    comment.is_some_and(|text| COMMENTED_TESTS.iter().any(|test| text.starts_with(test)))
}

pub(crate) fn nothing_unfinished(tree: &Tree) -> Vec<Finding> {
    let mut findings = in_rust(tree, |source| {
        let is_open = |mention: &&Mention| {
            let name = mention.segments.last().map(String::as_str);
            matches!(name, Some("todo" | "unimplemented" | "dbg"))
        };
        let open = source.macros.iter().filter(is_open);
        open.map(|m| (m.line, format!("`{}!`", m.segments.join("::")))).collect()
    });
    for (path, text) in &tree.files {
        for (i, line) in text.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric());
            let mark = words.find(|word| matches!(*word, "TODO" | "FIXME" | "XXX" | "HACK"));
            findings.extend(mark.map(|mark| Finding::new(path, i + 1, format!("a `{mark}`"))));
        }
    }
    findings
}

fn in_rust(tree: &Tree, faults: impl Fn(&Source) -> Vec<(usize, String)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in &tree.rust {
        let faults = faults(source).into_iter();
        findings.extend(faults.map(|(line, what)| Finding::new(path, line, what)));
    }
    findings
}
