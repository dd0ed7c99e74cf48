//! One file per command. Must leave the work to the rooms that it wires together.

mod check;
mod demo;
mod draft;
mod eval;
mod evaluate;
mod export;
mod migrate;
mod model;
mod rebuild;
mod replay;
mod serve;
mod simulate;
mod verify;

use crate::cli::{Cli, Command, ModelCommand};

/// Whether a command found something to report: exit code 1, without an error. What it could not do is an error: exit code 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// All is well.
    None,
    /// It has told what it found.
    Some,
}

/// Runs the command.
pub(crate) fn run(cli: Cli) -> anyhow::Result<Finding> {
    match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Schema => print_json(&pilotage_wire::schema::definition()),
        Command::Openapi => print_json(&pilotage_http::openapi_document()),
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Rebuild(args) => rebuild::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Draft(args) => draft::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Verify(args) => verify::decisions(&args),
        Command::VerifyAudit(args) => verify::audit(&args),
        Command::Model(ModelCommand::Test(args)) => model::test(&args),
    }
}

fn print_json(document: &serde_json::Value) -> anyhow::Result<Finding> {
    say(&serde_json::to_string_pretty(document)?);
    Ok(Finding::None)
}

/// Writes a line to standard output: what the command was asked for. A reader that has gone away is no fault.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

/// Writes a line to standard error: what is said beside that.
fn tell(line: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// So many of a thing, in words: `1 guide`, `2 guides`.
fn counted(count: u64, thing: &str) -> String {
    let many = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{many}")
}

/// Writes a report's page.
fn write_page(path: &std::path::Path, page: &str) -> anyhow::Result<()> {
    use anyhow::Context;
    std::fs::write(path, page).with_context(|| format!("write the report to {}", path.display()))
}

/// A line that grows, on a terminal only.
fn progress(what: &str, done: u64, of: u64) {
    progress_of(what, "records", done, of);
}

/// The same for other things than records.
fn progress_of(what: &str, things: &str, done: u64, of: u64) {
    use std::io::{IsTerminal, Write};
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let percent = done.saturating_mul(100) / of.max(1);
        drop(write!(terminal, "\r{what} {done} of {of} {things} ({percent} %)  "));
        if done >= of {
            drop(writeln!(terminal));
        }
    }
}

/// The runtime that a serving command works in.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
