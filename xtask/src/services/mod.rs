//! `cargo xtask services`: real Kafka and PostgreSQL for tests, on a machine without Docker. Must not be needed to run the
//! product, and must not call anything else Kafka.
//!
//! A stack is some brokers and a server that belong together; each has its own processes, ports and data, so that a test which
//! hurts one hurts nobody else. `state` shows the file that says what there is; docs/services.md is for its users.

mod cache;
mod checksums;
mod kafka;
mod make;
mod ports;
mod postgres;
mod probe;
mod process;
mod site;
mod stack;
mod state;
mod user;
mod versions;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

pub(crate) use cache::{remove, run as run_program};
pub(crate) use checksums::hex;
use make::Wanted;
pub(crate) use site::Turn;
use site::{MAIN, Site, stack_name};
use stack::How;
pub(crate) use state::State;
use state::env_lines;
use versions::{Kafka, Postgres};

/// Which stack, and what to do with it.
#[derive(Args)]
pub(crate) struct Choice {
    /// The stack: each has its own processes, ports and data.
    #[arg(long, global = true, value_name = "NAME", default_value = MAIN, value_parser = stack_name)]
    stack: String,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Brings the stack up, and waits until every part answers.
    Up(Parts),
    /// Ends every part, and throws away what they wrote.
    Down,
    /// Says what runs: versions, processes, ports. Fails, unless all of it runs.
    Status,
    /// Prints what tests read from their environment, one NAME=value a line.
    Env,
    /// Stops one part, as `status` names it.
    Stop {
        part: String,
        #[arg(long, value_enum, default_value_t = How::Clean)]
        how: How,
    },
    /// Starts a part that was stopped, and waits until it answers.
    Start { part: String },
    /// Downloads the sample of the Open Bandit Dataset, and prints what tests read from their environment, as `env` does.
    OpenBandit,
    /// For programs: a new stack that lives as long as this input is open. Prints its state file's path once it is up.
    Hold(Parts),
}

/// What a stack is to consist of.
#[derive(Args)]
struct Parts {
    /// Kafka's version.
    #[arg(long, value_enum, default_value_t = Kafka::Current)]
    kafka: Kafka,
    /// How many brokers, each of which is a controller too.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    brokers: u8,
    /// PostgreSQL's version.
    #[arg(long, value_enum, default_value_t = Postgres::Current)]
    postgres: Postgres,
}

impl Parts {
    fn wanted(&self) -> Result<Wanted> {
        let (kafka, postgres) = (self.kafka.package(), self.postgres.package());
        if kafka.is_none() && postgres.is_none() {
            bail!("neither Kafka nor PostgreSQL: there is nothing to bring up");
        }
        Ok(Wanted { kafka, brokers: self.brokers, postgres })
    }
}

/// Does it, and says whether all is well.
pub(crate) fn run(root: &Path, choice: &Choice) -> Result<bool> {
    let site = Site::new(root, &choice.stack)?;
    match &choice.action {
        Action::Up(parts) => stack::up(&site, parts.wanted()?).map(drop)?,
        Action::Down => down(&site)?,
        Action::Status => return status(&site),
        Action::Env => print!("{}", env_lines(&stack::existing(&site)?.env)),
        Action::Stop { part, how } => stack::stop(&site, part, *how)?,
        Action::Start { part } => stack::start(&site, part)?,
        Action::OpenBandit => println!("{OPEN_BANDIT}={}", open_bandit(root)?.display()),
        Action::Hold(parts) => hold(&site, parts.wanted()?)?,
    }
    Ok(true)
}

/// Where tests find the sample of the Open Bandit Dataset.
pub(crate) const OPEN_BANDIT: &str = "PILOTAGE_TEST_OPEN_BANDIT";

/// The folder of the sample; downloads it, if it is not there yet.
pub(crate) fn open_bandit(root: &Path) -> Result<PathBuf> {
    let unpacked = cache::get(&Site::new(root, MAIN)?, &versions::OPEN_BANDIT)?;
    Ok(unpacked.join("obp"))
}

fn down(site: &Site) -> Result<()> {
    match stack::down(site)? {
        true => eprintln!("the stack `{}` is down", site.stack),
        false => eprintln!("there is no stack `{}`", site.stack),
    }
    Ok(())
}

/// Ends what runs under this name, brings it up anew, and down once the input has ended, however its other end has.
fn hold(site: &Site, wanted: Wanted) -> Result<()> {
    stack::down(site)?;
    let held = stack::up(site, wanted).and_then(|_| {
        println!("{}", site.state_file().display());
        io::stdout().flush()?;
        Ok(io::copy(&mut io::stdin(), &mut io::sink()).map(drop)?)
    });
    stack::down(site)?;
    held
}

fn status(site: &Site) -> Result<bool> {
    let state = State::load(&site.state_file())?;
    match &state {
        None => println!("there is no stack `{}`", site.stack),
        Some(state) => print!("{}", table(state, stack::runs)),
    }
    let others = site.other_stacks()?;
    if !others.is_empty() {
        println!("other stacks: {}", others.join(" "));
    }
    Ok(state.is_some_and(|state| state.parts.values().all(stack::runs)))
}

/// A line for each part.
fn table(state: &State, runs: impl Fn(&state::Part) -> bool) -> String {
    let mut lines = String::new();
    for (name, part) in &state.parts {
        let doing = match part.process {
            None => "stopped".to_owned(),
            Some(process) if runs(part) => format!("runs as process {}", process.pid),
            Some(process) => format!("gone, was process {}", process.pid),
        };
        let ports = part.ports.iter().map(|(what, port)| format!("{what} 127.0.0.1:{port}"));
        let ports = ports.collect::<Vec<_>>().join(", ");
        lines += &format!("{name:<9} {:<8} {doing:<26} {ports}\n", part.version);
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        choice: Choice,
    }

    fn wanted(words: &str) -> Result<Wanted> {
        let words = std::iter::once("services").chain(words.split_whitespace());
        match Cli::try_parse_from(words)?.choice.action {
            Action::Up(parts) => parts.wanted(),
            _ => bail!("not `up`"),
        }
    }

    #[test]
    fn without_a_choice_the_current_versions_come_once() {
        let wanted = wanted("up").unwrap();
        let version = |package: Option<&versions::Package>| package.map(|package| package.version);
        assert_eq!(version(wanted.kafka), Some("4.3.1"));
        assert_eq!(version(wanted.postgres), Some("18.6.3"));
        assert_eq!(wanted.brokers, 1);
    }

    #[test]
    fn a_choice_that_makes_no_stack_is_refused() {
        assert!(wanted("up --kafka none").is_ok_and(|wanted| wanted.kafka.is_none()));
        assert!(wanted("up --kafka none --postgres none").is_err());
        assert!(wanted("up --brokers 0").is_err());
        assert!(wanted("up --brokers 4").is_err());
        assert!(wanted("up --kafka 2.8").is_err_and(|error| error.to_string().contains("3.7")));
        assert!(wanted("up --stack ../x").is_err());
    }

    #[test]
    fn the_status_tells_what_runs_from_what_does_not() {
        let part = |process| state::Part {
            version: "4.3.1".to_owned(),
            process,
            ports: BTreeMap::from([("clients".to_owned(), 21000)]),
            command: Vec::new(),
            folder: PathBuf::new(),
            log: PathBuf::new(),
        };
        let process = |pid| Some(state::Process { pid, ticks: 0 });
        let mut state = State::new("main", PathBuf::new());
        for (name, pid) in [("kafka-1", process(1)), ("kafka-2", process(2)), ("kafka-3", None)] {
            state.parts.insert(name.to_owned(), part(pid));
        }
        let runs = |part: &state::Part| part.process == process(1);
        let expected = "\
            kafka-1   4.3.1    runs as process 1          clients 127.0.0.1:21000\n\
            kafka-2   4.3.1    gone, was process 2        clients 127.0.0.1:21000\n\
            kafka-3   4.3.1    stopped                    clients 127.0.0.1:21000\n";
        assert_eq!(table(&state, runs), expected);
    }
}
