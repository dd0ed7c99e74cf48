//! THE binary: command line, settings, telemetry, wiring, shutdown. Must not hold a rule of the product.

mod back_end;
mod cli;
mod command;
mod keys;
mod model;
mod products;
mod settings;
mod system;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// Bodies and records are many small allocations on several threads: this allocator takes them better than the system's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match command::run(cli) {
        Ok(command::Finding::None) => ExitCode::SUCCESS,
        Ok(command::Finding::Some) => ExitCode::from(1),
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "the one place where a command says why it failed"
            )]
            {
                eprintln!("pilotage: {}", told(&error));
            }
            ExitCode::from(2)
        }
    }
}

/// The error with its causes, each told once: some repeat what caused them.
fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.ends_with(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::told;

    #[derive(Debug, thiserror::Error)]
    #[error("the folder can't be written: {source}")]
    struct Folder {
        source: std::io::Error,
    }

    #[test]
    fn each_cause_is_told_once() {
        let repeats = || Folder { source: std::io::Error::other("it is full") };
        assert_eq!(told(&anyhow!(repeats())), "the folder can't be written: it is full");
        let framed = Err::<(), _>(repeats()).context("open it").expect_err("a fault");
        assert_eq!(told(&framed), "open it: the folder can't be written: it is full");
        let plain = anyhow!("no such file").context("read the log").context("start");
        assert_eq!(told(&plain), "start: read the log: no such file");
    }
}
