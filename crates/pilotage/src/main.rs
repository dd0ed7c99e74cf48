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
                eprintln!("pilotage: {error:#}");
            }
            ExitCode::from(if error.is::<cli::UsageError>() { 2 } else { 1 })
        }
    }
}
