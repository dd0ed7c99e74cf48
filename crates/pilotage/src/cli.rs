//! The command line. Must only describe: what a flag means is settled in `settings`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use thiserror::Error;

/// The call itself or a setting is wrong, and nothing was begun.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// As grep, diff and linters have it; docs/exit-codes.md says what each command can find.
const EXIT_CODES: &str = "\
Exit codes:
  0  All is well.
  1  It has looked, and found something: a fault, a difference, or that there is no answer.
  2  It could not do what it was asked: the call or a setting is wrong, a file is missing, the data
     folder is in use, a service is away.";

/// Guides the new users of a product to their first real value.
#[derive(Debug, Parser)]
#[command(name = "pilotage", version, about, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve a sample product that is guided by Pilotage: the fastest way to see it work.
    Demo(DemoArgs),
    /// Serve the API.
    Serve(ServeArgs),
    /// Check a product definition and report every fault.
    Check(CheckArgs),
    /// Print the JSON Schema of product definitions, for editors.
    Schema,
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// Compare ways to guide on simulated visitors: nobody, a fixed sequence, a model per event, this engine's policies.
    Simulate(SimulateArgs),
    /// Fold the log again from its beginning and compare with the stored profiles.
    Rebuild(RebuildArgs),
    /// Bring what is stored to this version's form: the data folder's files, or the database.
    Migrate(MigrateArgs),
    /// Move the data folder's installation into Kafka and PostgreSQL, or write its decisions into a file; nothing may serve either
    /// meanwhile.
    Export(ExportArgs),
    /// Say what another policy would have been worth, from a log of decisions with their propensities.
    Evaluate(EvaluateArgs),
    /// Decide recorded traffic again, by another definition or policy, and show what differs.
    Replay(ReplayArgs),
    /// Hold every decision of record against its validation hash.
    Verify(VerifyArgs),
    /// Hold the book of models' answers, reviews and modes against its chain of hashes.
    VerifyAudit(VerifyArgs),
    /// Hold a model's advice against situations of which people know what is good.
    Eval(EvalArgs),
    /// Ask the configured model for drafts of a guide's copy, as a patch of the product file for a person to apply.
    Draft(DraftArgs),
    /// What concerns the model.
    #[command(subcommand)]
    Model(ModelCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Ask the configured model about one situation of a new user: prints brief, answer, verdict and cost.
    Test(ModelTestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Needs no key and serves loopback only.
    #[arg(long)]
    pub(crate) dev: bool,
    /// Which part of the work to do; needs Kafka and PostgreSQL, save for `all`.
    #[arg(long)]
    pub(crate) role: Option<RoleArg>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Let this many synthetic visitors use the sample product first, and report how they fared.
    #[arg(long, value_name = "N")]
    pub(crate) simulate: Option<u32>,
    /// Seed of the synthetic visitors; the same seed gives the same visitors.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args, Default)]
pub(crate) struct CommonArgs {
    /// A product definition; give it again for several products. The first is the default.
    #[arg(long, value_name = "FILE")]
    pub(crate) product: Vec<PathBuf>,
    /// The folder that holds the log and the profiles.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The address to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// A TOML file with settings; the environment and flags win over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Which clock is in force.
    #[arg(long)]
    pub(crate) clock: Option<ClockArg>,
    /// Who chooses among eligible guides.
    #[arg(long)]
    pub(crate) policy: Option<PolicyArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClockArg {
    /// The machine's.
    System,
    /// The newest event timestamp seen.
    Events,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyArg {
    /// The first eligible guide in file order.
    Static,
    /// Every eligible guide and no guide alike.
    Random,
    /// What is learnt to lead to activation.
    Learner,
    /// As a model advises, over an even floor; needs a model in the settings.
    Model,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    /// Everything in one process.
    All,
    /// Take events.
    Ingest,
    /// Fold events into profiles.
    Worker,
    /// Decide, look up and report.
    Decide,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The definition.
    pub(crate) file: PathBuf,
    /// Print the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Which worlds, by name; all where none is named.
    #[arg(long, value_name = "NAME")]
    pub(crate) world: Vec<String>,
    /// How many visitors come, in every world.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) visitors: Option<u32>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a page with tables and pictures, which needs no network.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The log: JSON lines, or Parquet where the name ends in `.parquet`. `export --decisions` writes one.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: PathBuf,
    /// The policy to be evaluated: logged, random, static, given (the log's own `evaluation`) or always:ACTION.
    #[arg(long)]
    pub(crate) policy: String,
    /// Take only decisions that were drawn uniformly: the random group, and the explored share.
    #[arg(long)]
    pub(crate) uniform: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a page with tables and pictures, which needs no network.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Name at most so many users whose decisions differ.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) users: usize,
    /// Write the decisions of record with the law that this policy would have drawn from, for `evaluate --policy given`: JSON
    /// lines, or Parquet where the name ends in `.parquet`.
    #[arg(long, value_name = "FILE")]
    pub(crate) decisions: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a page with tables and pictures, which needs no network.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The situations, as JSON.
    pub(crate) file: PathBuf,
    /// Ask the configured model; else the answers that the file holds are judged.
    #[arg(long)]
    pub(crate) live: bool,
    /// A TOML file with settings; the environment and flags win over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DraftArgs {
    /// The guide that is to get further wordings.
    #[arg(long, value_name = "ID")]
    pub(crate) guide: String,
    /// The product definition that has it; the first of the settings where absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) product: Option<PathBuf>,
    /// How many wordings to ask for.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) count: u8,
    /// Where the patch goes; to standard output where absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// A TOML file with settings; the environment and flags win over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ModelTestArgs {
    /// The product definition whose guides the model chooses among.
    #[arg(long, value_name = "FILE")]
    pub(crate) product: Option<PathBuf>,
    /// A TOML file with settings; the environment and flags win over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) common: CommonArgs,
    /// Where the installation is: in the data folder.
    #[arg(long, default_value = "sqlite")]
    pub(crate) from: SourceArg,
    /// Where it goes: to the Kafka and PostgreSQL that the settings name.
    #[arg(long, default_value = "kafka+postgres")]
    pub(crate) to: TargetArg,
    /// Move nothing, but write the product's decisions into this file, each with what came of it: JSON lines, or Parquet where
    /// the name ends in `.parquet`.
    #[arg(long, value_name = "FILE")]
    pub(crate) decisions: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceArg {
    /// The data folder.
    Sqlite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetArg {
    /// A shared log and store.
    #[value(name = "kafka+postgres")]
    KafkaAndPostgres,
}
