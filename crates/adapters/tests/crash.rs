//! Processes that die: killed at any moment, and stopped by a disk that fails. What was acknowledged is there.
//!
//! Each test starts this binary again, to run `child` in a process of its own.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use pilotage_adapters::sqlite::{self, OpenError, Options};
use pilotage_domain::event::Position;
use pilotage_domain::id::{EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::log::{Appended, Entry, EntryName, Journal, Log, Stored};
use tokio::task::JoinSet;

/// Tells the child what to do; without it, `child` has nothing to do and passes.
const FOLDER: &str = "PILOTAGE_TEST_FOLDER";
const ROUND: &str = "PILOTAGE_TEST_ROUND";
const CALLERS: usize = 8;

fn options() -> Options {
    Options {
        log_checkpoint_bytes: 64 << 10,
        store_checkpoint_bytes: 64 << 10,
        ..Options::default()
    }
}

fn event(round: &str, caller: usize, n: usize) -> Entry {
    Entry {
        product: ProductId::new("p").expect("a product"),
        user: UserId::new(&format!("{round} {caller}")).expect("a user"),
        name: EntryName::Event(EventId::new(&n.to_string()).expect("an id")),
        received_at: Timestamp::from_millis(0),
        body: Bytes::from(format!("{round} {caller} {n} {}", "x".repeat(n % 700))),
        event: None,
    }
}

/// Appends until it is killed or refused, and prints `caller n position` after each acknowledgement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) else { return };
    let log = sqlite::open(Path::new(&folder), &options()).expect("the folder opens").log;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(append(log.clone(), round.clone(), caller));
    }
    callers.join_all().await;
}

async fn append(log: Arc<dyn Log>, round: String, caller: usize) {
    for n in 0.. {
        match log.append(vec![event(&round, caller, n)]).await {
            Ok(appended) => say(&format!("ack {caller} {n} {}", appended[0].position().0)),
            Err(error) => {
                say(&format!("refused {caller} {} {error}", log.healthy()));
                let again = log.append(vec![event(&round, caller, n)]).await;
                return say(&format!("again {caller} {}", again.is_err()));
            }
        }
    }
}

/// One line to the parent, at once.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the parent listens");
}

fn start(mut command: Command, folder: &Path, round: usize) -> Child {
    command.args(["--exact", "child", "--nocapture", "--test-threads", "1"]);
    command.env(FOLDER, folder).env(ROUND, round.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child")
}

fn this_binary() -> std::path::PathBuf {
    std::env::current_exe().expect("this test's file")
}

/// What a child said before it ended.
#[derive(Default)]
struct Said {
    /// By position: caller and number.
    acks: BTreeMap<u64, (usize, usize)>,
    refused: Vec<String>,
    again: Vec<String>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| word.parse::<usize>().expect("a number");
        match words[..] {
            ["ack", caller, n, position] => {
                let position = number(position) as u64;
                let known = self.acks.insert(position, (number(caller), number(n)));
                assert_eq!(known, None, "a position was given twice");
            }
            ["refused", ..] => self.refused.push(line.to_owned()),
            ["again", ..] => self.again.push(line.to_owned()),
            // What the test harness says.
            _ => {}
        }
    }
}

/// Every record, in order.
async fn read_all(log: &dyn Log) -> Vec<Stored> {
    let (mut all, mut after) = (Vec::new(), Position(0));
    while after < log.end() {
        all.extend(log.read(after, 1 << 20).await.expect("the log reads"));
        after = all.last().map_or(after, |stored: &Stored| stored.position);
    }
    all
}

/// Checks that the log holds each acknowledged event once and at its place, each caller's events in order, and no
/// event of this round twice; returns how many there are.
async fn check(folder: &Path, round: usize, said: &Said) -> usize {
    let log = sqlite::open(folder, &options()).expect("the folder opens").log;
    let all = read_all(&*log).await;
    let mut bodies = BTreeSet::new();
    assert!(all.iter().all(|stored| bodies.insert(&stored.body)), "an event stands twice");
    let at: BTreeMap<u64, &Stored> = all.iter().map(|stored| (stored.position.0, stored)).collect();
    let round = round.to_string();
    for (position, (caller, n)) in &said.acks {
        let stored = at.get(position).expect("an acknowledged event is there");
        assert_eq!(stored.body, event(&round, *caller, *n).body);
        let again = log.append(vec![event(&round, *caller, *n)]).await.expect("the log writes");
        assert_eq!(again, [Appended::Duplicate(Position(*position))]);
    }
    for caller in 0..CALLERS {
        let user = event(&round, caller, 0).user;
        let theirs = all.iter().filter(|stored| stored.user == user);
        assert!(theirs.enumerate().all(|(n, stored)| stored.body == event(&round, caller, n).body));
    }
    log.close().await;
    all.len()
}

#[tokio::test]
async fn whatever_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut held = 0;
    for round in 0..12 {
        let mut child = start(Command::new(this_binary()), folder.path(), round);
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut said = Said::default();
        // After so many acknowledgements, while the next commits are on their way.
        let enough = 1 + round * round * 53 % 1_000;
        while said.acks.len() < enough {
            said.hear(&lines.next().expect("the child goes on").expect("a line"));
        }
        if round == 0 {
            let error =
                sqlite::open(folder.path(), &options()).map(drop).expect_err("it is in use");
            let holder = Some(child.id());
            assert!(matches!(error, OpenError::InUse { holder: h, .. } if h == holder), "{error}");
        }
        child.kill().expect("a kill");
        child.wait().expect("an end");
        lines.map_while(Result::ok).for_each(|line| said.hear(&line));
        let now = check(folder.path(), round, &said).await;
        assert!(now >= held + said.acks.len());
        held = now;
    }
}

/// The system refuses to let files grow: to SQLite an I/O error whose extent it can't know.
#[tokio::test]
async fn after_an_io_error_nothing_is_written_until_the_log_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    // Blocks of 512 bytes. The signal that comes with the refusal is left aside, so that the write fails instead.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\""]).arg(this_binary());
    let child = start(limited, folder.path(), 0);
    let output = child.wait_with_output().expect("an end");
    let mut said = Said::default();
    String::from_utf8_lossy(&output.stdout).lines().for_each(|line| said.hear(line));
    assert_eq!(said.refused.len(), CALLERS, "{:?}", said.refused);
    for line in &said.refused {
        let expected = "false the log can't be written: disk I/O error; \
            nothing is written until the log is opened again";
        assert!(line.ends_with(expected), "{line}");
    }
    assert!(said.again.iter().all(|line| line.ends_with("true")), "{:?}", said.again);
    assert!(said.acks.len() > 100, "{}", said.acks.len());
    check(folder.path(), 0, &said).await;
}
