//! The services of a test run: they live as long as this process holds them, and end with it. Must not know a part of them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::services::State;

/// Services that run. They end when this is dropped, and also if this process is killed: a process of their own notices.
pub(crate) struct Held {
    keeper: Child,
    env: BTreeMap<String, String>,
}

impl Held {
    /// Brings up Kafka and PostgreSQL as a stack of that name, and waits until they answer. `words` say which, as
    /// `cargo xtask services` takes them.
    pub(crate) fn begin(stack: &str, words: &[&str]) -> Result<Self> {
        let mut keeper = Command::new(std::env::current_exe()?);
        keeper
            .args(["services", "--stack", stack, "hold"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What is typed to end this run must not end the one that cleans up after it.
            .process_group(0);
        let mut held = Self { keeper: keeper.spawn()?, env: BTreeMap::new() };
        let output = held.keeper.stdout.take().context("the keeper's output is not ours")?;
        let mut file = String::new();
        BufReader::new(output).read_line(&mut file)?;
        if file.is_empty() {
            bail!("the services are not up: what they said stands above");
        }
        let state = State::load(Path::new(file.trim_end()))?;
        held.env = state.context("the services have gone again")?.env;
        Ok(held)
    }

    /// What programs that use them are told.
    pub(crate) fn env(&self) -> Vec<(&str, &str)> {
        self.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The end of its input tells the keeper; a keeper that can't be waited for has ended.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
