//! A stack of services that one test has to itself, so that it may hurt it. Gone with the test, however that ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Brokers of one's own.
pub(super) struct Stack {
    keeper: Child,
    xtask: String,
    name: &'static str,
    state: String,
}

impl Stack {
    /// Brings up a broker, and waits until it answers.
    pub(super) fn hold(name: &'static str) -> Self {
        let known = std::env::var("PILOTAGE_TEST_SERVICES").expect(
            "PILOTAGE_TEST_SERVICES must name a state file: `cargo xtask services up`, then evaluate what \
             `cargo xtask services env` prints (docs/services.md)",
        );
        let xtask = state(&known)["xtask"].as_str().expect("a program").to_owned();
        let version = state(&known)["versions"]["kafka"].as_str().expect("a version").to_owned();
        let version: Vec<&str> = version.split('.').take(2).collect();
        let mut keeper = Command::new(&xtask);
        keeper.args(["services", "--stack", name, "hold", "--postgres", "none"]);
        keeper.args(["--kafka", &version.join(".")]);
        let mut keeper =
            keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let output = keeper.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("it says where its state is");
        assert!(!line.is_empty(), "the stack is not up: what it said stands above");
        Self { keeper, xtask, name, state: line.trim_end().to_owned() }
    }

    pub(super) fn brokers(&self) -> String {
        let brokers = &state(&self.state)["env"]["PILOTAGE_TEST_KAFKA"];
        brokers.as_str().expect("the brokers").to_owned()
    }

    /// Does something to the broker, and waits until it is done: `stop`, `stop --how crash`, `start`.
    pub(super) fn broker(&self, action: &str) {
        let mut command = Command::new(&self.xtask);
        command.args(["services", "--stack", self.name]);
        let mut words = action.split(' ');
        command.args(words.next()).arg("kafka-1").args(words);
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
