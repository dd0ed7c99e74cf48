//! The state file: what a stack of services consists of, for whoever comes later. Must not look at a process.
//!
//! `target/services/state.json` is the stack `main`, `target/services/state-NAME.json` any other. The file is there from `up` to
//! `down`, replaced as a whole, and readable by its owner alone: it holds a password. All paths are absolute.
//!
//! ```json
//! {
//!   "format": 1,
//!   "stack": "main",
//!   "xtask": "…/target/debug/xtask",
//!   "versions": { "kafka": "4.3.1", "postgres": "18.6.3" },
//!   "env": {
//!     "PILOTAGE_TEST_KAFKA": "127.0.0.1:21000,127.0.0.1:21002",
//!     "PILOTAGE_TEST_POSTGRES": "postgres://pilotage:PASSWORD@127.0.0.1:21004/postgres",
//!     "PILOTAGE_TEST_SERVICES": "…/target/services/state.json"
//!   },
//!   "parts": {
//!     "kafka-1": {
//!       "version": "4.3.1",
//!       "process": { "pid": 4711, "ticks": 123456 },
//!       "ports": { "clients": 21000, "controller": 21001 },
//!       "command": ["setsid", "java", "…"],
//!       "folder": "…/target/services/run/main/kafka-1",
//!       "log": "…/target/services/run/main/kafka-1.log"
//!     }
//!   }
//! }
//! ```
//!
//! Parts are `kafka-1` to `kafka-3` (the number is the node's id) and `postgres`. `process` is null for a part that was stopped;
//! `ticks` is when it began, in the kernel's clock ticks since the machine's start: another process with the same number began
//! at another time. To stop and start a part, run `xtask` (the program that wrote the file) with `services --stack STACK stop
//! PART`: then the file stays true. A test that only sends a signal (SIGSTOP, SIGKILL) sends it to `pid`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

const FORMAT: u32 = 1;

/// The port of a part that clients use.
pub(crate) const CLIENTS: &str = "clients";

/// A stack of services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    format: u32,
    pub(crate) stack: String,
    pub(crate) xtask: PathBuf,
    /// `kafka` and `postgres`, as far as there are any, with their full versions.
    pub(crate) versions: BTreeMap<String, String>,
    /// What tests read from their environment.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) parts: BTreeMap<String, Part>,
}

/// A part of a stack: a process, or the place of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) version: String,
    /// None where it was stopped, or not begun yet.
    pub(crate) process: Option<Process>,
    /// By what they are for; all on 127.0.0.1.
    pub(crate) ports: BTreeMap<String, u16>,
    pub(crate) command: Vec<String>,
    /// What it writes.
    pub(crate) folder: PathBuf,
    /// What it says.
    pub(crate) log: PathBuf,
}

/// A process that can't be taken for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) ticks: u64,
}

impl State {
    pub(crate) fn new(stack: &str, xtask: PathBuf) -> Self {
        Self {
            format: FORMAT,
            stack: stack.to_owned(),
            xtask,
            versions: BTreeMap::new(),
            env: BTreeMap::new(),
            parts: BTreeMap::new(),
        }
    }

    /// What the file says; None where there is none.
    pub(crate) fn load(file: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| file.display().to_string())?,
        };
        let unknown = || {
            let file = file.display();
            format!("{file} is not a state file of this xtask: end its processes, then delete it")
        };
        let state: Self = serde_json::from_str(&text).with_context(unknown)?;
        if state.format != FORMAT {
            bail!("format {}: {}", state.format, unknown());
        }
        Ok(Some(state))
    }

    /// Replaces the file; a reader sees the old one or the new one.
    pub(crate) fn save(&self, file: &Path) -> Result<()> {
        let fresh = file.with_extension("json.new");
        let mut options = fs::File::options();
        let mut text = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        text.write_all(&serde_json::to_vec_pretty(self)?)?;
        text.write_all(b"\n")?;
        fs::rename(&fresh, file).with_context(|| file.display().to_string())
    }

    /// The part of this name; the error names all.
    pub(crate) fn part(&self, name: &str) -> Result<&Part> {
        self.parts.get(name).with_context(|| {
            let names: Vec<&str> = self.parts.keys().map(String::as_str).collect();
            format!("the stack `{}` has no part `{name}`; it has: {}", self.stack, names.join(" "))
        })
    }
}

impl Part {
    /// The port that clients use.
    pub(crate) fn port(&self) -> Result<u16> {
        self.ports.get(CLIENTS).copied().context("a part without a port for clients")
    }
}

/// The node's id, where the part is a broker.
pub(crate) fn node(part: &str) -> Option<i32> {
    part.strip_prefix("kafka-")?.parse().ok()
}

/// Lines that a shell can evaluate.
pub(crate) fn env_lines(env: &BTreeMap<String, String>) -> String {
    env.iter().map(|(name, value)| format!("{name}={}\n", quoted(value))).collect()
}

/// The value as a shell reads it: as it is where that is safe.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:@.,_-+=".contains(c);
    match value.chars().all(plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn state() -> State {
        let mut state = State::new("main", PathBuf::from("/bin/xtask"));
        let part = Part {
            version: "4.3.1".to_owned(),
            process: Some(Process { pid: 7, ticks: 9 }),
            ports: BTreeMap::from([(CLIENTS.to_owned(), 21000)]),
            command: vec!["java".to_owned()],
            folder: PathBuf::from("/f"),
            log: PathBuf::from("/f.log"),
        };
        state.parts.insert("kafka-1".to_owned(), part);
        state
    }

    #[test]
    fn what_is_saved_is_loaded_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.json");
        assert_eq!(State::load(&file).unwrap(), None);
        state().save(&file).unwrap();
        assert_eq!(State::load(&file).unwrap(), Some(state()));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_not_ours_is_named_and_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.json");
        let newer = serde_json::to_string(&State { format: 2, ..state() }).unwrap();
        for text in ["{", "{}", &newer] {
            fs::write(&file, text).unwrap();
            let error = State::load(&file).unwrap_err().to_string();
            assert!(error.contains("state.json is not a state file"), "{error}");
        }
    }

    #[test]
    fn the_shape_is_the_one_that_the_module_shows() {
        let written = serde_json::to_value(state()).unwrap();
        let shown: String = include_str!("state.rs")
            .lines()
            .skip_while(|line| *line != "//! ```json")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| line.trim_start_matches("//!"))
            .collect();
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(&written), keys(&shown));
        let part = |value: &serde_json::Value| value["parts"]["kafka-1"].clone();
        assert_eq!(keys(&part(&written)), keys(&part(&shown)));
        assert_eq!(keys(&part(&written)["process"]), keys(&part(&shown)["process"]));
    }

    #[test]
    fn an_unknown_part_is_answered_with_the_known_ones() {
        let error = state().part("kafka-4").unwrap_err().to_string();
        assert_eq!(error, "the stack `main` has no part `kafka-4`; it has: kafka-1");
        assert!(state().part("kafka-1").is_ok_and(|part| part.port().is_ok_and(|p| p == 21000)));
    }

    #[test]
    fn only_brokers_have_a_node() {
        assert_eq!((node("kafka-2"), node("kafka-x"), node("postgres")), (Some(2), None, None));
    }

    #[test]
    fn a_shell_reads_each_value_as_it_is() {
        let env = |value: &str| env_lines(&BTreeMap::from([("A".to_owned(), value.to_owned())]));
        assert_eq!(env("postgres://a:b@127.0.0.1:1/c"), "A=postgres://a:b@127.0.0.1:1/c\n");
        assert_eq!(env("a b$c'd"), "A='a b$c'\\''d'\n");
    }
}
