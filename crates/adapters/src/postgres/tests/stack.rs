//! A server that one test has to itself, so that it may hurt it. Gone with the test, however that ends.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A server of one's own, of the version that the others are tested on.
pub(super) struct Stack {
    keeper: Child,
    xtask: String,
    name: &'static str,
    state: String,
}

impl Stack {
    /// Brings the server up, and waits until it answers.
    pub(super) fn hold(name: &'static str) -> Self {
        let known = std::env::var("PILOTAGE_TEST_SERVICES").expect(
            "PILOTAGE_TEST_SERVICES must name a state file: `cargo xtask services up`, then evaluate what \
             `cargo xtask services env` prints (docs/services.md)",
        );
        let known = state(&known);
        let xtask = known["xtask"].as_str().expect("a program").to_owned();
        let version = known["versions"]["postgres"].as_str().expect("a version");
        let (major, _) = version.split_once('.').expect("a version has parts");
        let mut keeper = Command::new(&xtask);
        keeper.args(["services", "--stack", name, "hold", "--kafka", "none"]);
        keeper.args(["--postgres", major]);
        let mut keeper =
            keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let output = keeper.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("it says where its state is");
        assert!(!line.is_empty(), "the stack is not up: what it said stands above");
        Self { keeper, xtask, name, state: line.trim_end().to_owned() }
    }

    /// Where it is, as who may do everything.
    pub(super) fn server(&self) -> String {
        let address = &state(&self.state)["env"]["PILOTAGE_TEST_POSTGRES"];
        address.as_str().expect("an address").to_owned()
    }

    /// The folder of its data.
    pub(super) fn data(&self) -> PathBuf {
        let folder = &state(&self.state)["parts"]["postgres"]["folder"];
        PathBuf::from(folder.as_str().expect("a folder")).join("data")
    }

    /// Does something to the server, and waits until it is done: `stop`, `stop --how crash`, `start`.
    pub(super) fn order(&self, action: &str) {
        let mut command = Command::new(&self.xtask);
        command.args(["services", "--stack", self.name]);
        let mut words = action.split(' ');
        command.args(words.next()).arg("postgres").args(words);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{action}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn state(file: &str) -> Value {
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
