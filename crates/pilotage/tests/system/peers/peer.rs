//! A peer that runs: a program of an installed package, on a port that it has chosen itself. Must not install anything.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Ended, Process, eventually, run};

/// A peer; it ends with the value.
pub(crate) struct Peer {
    /// Held for its end alone.
    _process: Process,
    pub(crate) address: SocketAddr,
}

impl Peer {
    /// Starts it and waits until it has said where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = Process::start(command);
        let address = eventually("a peer says where it listens", || {
            if let Some(ended) = process.end() {
                panic!("{command:?} has ended: {ended:?}");
            }
            address(&process.said())
        });
        Self { _process: process, address }
    }

    /// The URL of this path there.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The first address in it with a port: before it has one, a peer may say the 0 that it was started with.
fn address(said: &str) -> Option<SocketAddr> {
    let mut hosts = said.split("127.0.0.1:").skip(1);
    hosts.find_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let port = rest[..digits].parse().ok().filter(|port: &u16| *port > 0)?;
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    })
}

/// A program that a Python package brings along.
pub(crate) fn program(name: &str, words: &[&str]) -> Command {
    let mut command = python();
    command.arg(packages().join("bin").join(name)).args(words);
    command
}

/// A program of our own that needs these packages.
pub(crate) fn script(text: &str) -> Command {
    let mut command = python();
    command.args(["-c", text]);
    command
}

/// Python, with the peers' packages and no others.
fn python() -> Command {
    let mut command = Command::new("python3");
    command
        .env("PYTHONPATH", packages())
        .env("PYTHONNOUSERSITE", "1")
        // What it says is to be seen at once.
        .env("PYTHONUNBUFFERED", "1");
    command
}

/// A program of a Node package.
pub(crate) fn node(script: &str, words: &[&str]) -> Command {
    // Asked for first, so that whoever has nothing is told how to get all of it.
    let _ = packages();
    let modules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/node_modules");
    let mut command = Command::new("node");
    command.arg(PathBuf::from(modules).join(script)).args(words);
    command
}

/// Runs a peer's program to its end.
pub(crate) fn told(command: &mut Command) -> Ended {
    run(command)
}

/// The folder of the Python packages.
fn packages() -> PathBuf {
    let missing = "tests against other people's models need it: `cargo xtask peers` installs them and says it";
    let folder = std::env::var_os("PILOTAGE_TEST_PEERS");
    PathBuf::from(folder.unwrap_or_else(|| panic!("PILOTAGE_TEST_PEERS is not set; {missing}")))
}
