//! `cargo xtask`: what scripts would do for this repository. Must not be needed to build or run the product.

mod peers;
mod services;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The repository's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Checks the house's rules that a program can check.
    Tidy,
    /// Brings up real Kafka and PostgreSQL for tests, and ends them.
    Services(services::Choice),
    /// Installs other people's models, real and faulty, and prints what tests read from their environment.
    Peers,
    /// Installs what is missing and runs every test, in order, up to the first failure.
    Test(test::Choice),
}

fn main() -> ExitCode {
    match run(Cli::parse().chore) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does the chore, and says whether all is well.
fn run(chore: Chore) -> Result<bool> {
    let root = root();
    match chore {
        Chore::Tidy => tidy::run(&root),
        Chore::Peers => peers::run(&root),
        Chore::Services(choice) => services::run(&root, &choice),
        Chore::Test(choice) => test::run(&root, &choice),
    }
}

/// The repository: the folder above this crate's.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}
