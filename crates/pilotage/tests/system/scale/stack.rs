//! Kafka and PostgreSQL that one test has to itself, so that it may hurt them. Must leave nothing behind, however it ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A stack of one's own.
pub(super) struct Stack {
    keeper: Child,
    xtask: String,
    name: &'static str,
    state: PathBuf,
}

impl Stack {
    /// Brings up that many brokers and a database, of the versions that the other tests have, and waits until they answer.
    pub(super) fn hold(name: &'static str, brokers: u8) -> Self {
        let known = std::env::var("PILOTAGE_TEST_SERVICES").expect(
            "PILOTAGE_TEST_SERVICES must name a state file: `cargo xtask services up`, then evaluate what \
             `cargo xtask services env` prints (docs/services.md)",
        );
        let known = read(Path::new(&known));
        let xtask = known["xtask"].as_str().expect("a program").to_owned();
        let mut keeper = Command::new(&xtask);
        keeper.args(["services", "--stack", name, "hold", "--brokers", &brokers.to_string()]);
        keeper.args(["--kafka", &version(&known, "kafka", 2)]);
        keeper.args(["--postgres", &version(&known, "postgres", 1)]);
        let mut keeper =
            keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let output = keeper.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("it says where its state is");
        assert!(!line.is_empty(), "the stack is not up: what it said stands above");
        Self { keeper, xtask, name, state: line.trim_end().into() }
    }

    /// What it tells programs that use it.
    pub(super) fn env(&self, name: &str) -> String {
        read(&self.state)["env"][name].as_str().expect("it says where it is").to_owned()
    }

    /// The folder of the database's files.
    pub(super) fn data(&self) -> PathBuf {
        let folder = &read(&self.state)["parts"]["postgres"]["folder"];
        Path::new(folder.as_str().expect("a folder")).join("data")
    }

    /// Does something to a part, and waits until it is done: `stop kafka-1`, `stop postgres --how crash`, `start kafka-1`.
    pub(super) fn order(&self, words: &str) {
        let mut command = Command::new(&self.xtask);
        command.args(["services", "--stack", self.name]).args(words.split(' '));
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// So many numbers of a part's version, as `cargo xtask services` takes them.
fn version(state: &Value, part: &str, numbers: usize) -> String {
    let version = state["versions"][part].as_str().expect("a version");
    version.split('.').take(numbers).collect::<Vec<_>>().join(".")
}

fn read(file: &Path) -> Value {
    let text = std::fs::read(file).expect("the state file is there");
    serde_json::from_slice(&text).expect("it is JSON")
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The end of its input tells the keeper; one that can't be waited for has ended.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
