//! `pilotage evaluate`: what another policy would have been worth, from a log of decisions. Must write nothing but what it was
//! asked to write.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, bail};
use pilotage_adapters::parquet;
use pilotage_sim::evaluate::{Asked, Question, Target, evaluate, html, table};
use pilotage_wire::decision_log::Row;

use super::{Finding, say, write_page};
use crate::cli::{EvaluateArgs, UsageError};
use crate::telemetry;

pub(super) fn run(args: &EvaluateArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let target: Target = args.policy.parse().map_err(|fault| UsageError(format!("{fault}")))?;
    let rows = if args.uniform { Asked::Uniform } else { Asked::Drawn };
    let log = read(&args.log)?;
    let of = log.len() as u64;
    super::progress_of("estimated from", "rows", 0, of.max(1));
    let told = evaluate(&log, &Question { target, rows });
    super::progress_of("estimated from", "rows", of.max(1), of.max(1));
    let told = told.with_context(|| format!("{} can't be evaluated", args.log.display()))?;
    if let Some(path) = &args.html {
        write_page(path, &html(&told))?;
    }
    if args.json {
        say(&serde_json::to_string_pretty(&told)?);
    } else {
        say(table(&told).trim_end());
    }
    Ok(if told.refused.is_some() { Finding::Some } else { Finding::None })
}

/// The rows of a log: Parquet where its name ends so, else JSON lines.
fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    if is_parquet(path) {
        let tell = |done, of| super::progress_of("read", "rows", done, of);
        return parquet::read(path, tell)
            .with_context(|| format!("read the log {}", path.display()));
    }
    let file = File::open(path).with_context(|| format!("read the log {}", path.display()))?;
    let size = file.metadata()?.len();
    let (mut rows, mut faults, mut done) = (Vec::new(), Vec::new(), 0);
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.with_context(|| format!("read line {number} of {}", path.display()))?;
        done += line.len() as u64 + 1;
        if number % TELL_EVERY == 0 {
            super::progress_of("read", "bytes", done, size);
        }
        if line.trim().is_empty() {
            continue;
        }
        match Row::read(&line) {
            Ok(row) => rows.push(row),
            Err(fault) if faults.len() < MOST_NAMED => {
                faults.push(format!("line {number}: {fault}"));
            }
            Err(_) => break,
        }
    }
    super::progress_of("read", "bytes", size, size);
    if rows.is_empty() && faults.len() > 1 {
        faults.truncate(1);
        bail!(
            "{} is not a log of decisions, in any of its lines; of the first:\n{}",
            path.display(),
            faults.join("")
        );
    }
    if !faults.is_empty() {
        bail!("{} is not a log of decisions:\n{}", path.display(), faults.join("\n"));
    }
    Ok(rows)
}

/// So many faulty lines are named.
const MOST_NAMED: usize = 20;
/// After so many lines the progress is told.
const TELL_EVERY: u64 = 4_096;

/// Whether the file's name says that it is Parquet.
pub(super) fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}
