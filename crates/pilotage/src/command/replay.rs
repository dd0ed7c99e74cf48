//! `pilotage replay`: recorded traffic under another definition or policy. Must not change the log.

use std::path::Path;

use anyhow::{Context, bail};
use pilotage_domain::policy::Policy;
use pilotage_sim::replay::{self, Replay, html, table};
use pilotage_wire::decision_log::Row;

use super::evaluate::is_parquet;
use super::{Finding, say, write_page};
use crate::cli::{ExportArgs, ReplayArgs, UsageError};
use crate::settings::{BackEnd, Settings, settle};
use crate::{back_end, products, telemetry};

pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let settings = settle(&args.common, false, None)?;
    if settings.policy == Policy::Model {
        bail!(UsageError(
            "replay asks no model: choose --policy learner, random or static".to_owned()
        ));
    }
    if settings.policy == Policy::Learner && settings.back_end != BackEnd::Embedded {
        bail!(UsageError(
            "replay learns from a data folder's log alone: choose --policy random or static"
                .to_owned()
        ));
    }
    let products = products::of_settings(&settings)?;
    let [product] = &products[..] else {
        bail!(UsageError("replay takes one definition: --product FILE".to_owned()));
    };
    let asked =
        Replay { definition: &product.definition, policy: settings.policy, most_users: args.users };
    let (told, rows) = super::runtime()?.block_on(async {
        let log = back_end::recorded(&settings).await?;
        let tell = |done, of| super::progress("replayed", done, of);
        let told = replay::replay(log.traffic(), &asked, tell).await;
        log.close().await;
        anyhow::Ok(told?)
    })?;
    if let Some(path) = &args.decisions {
        write_rows(path, &rows)?;
    }
    if let Some(path) = &args.html {
        write_page(path, &html(&told))?;
    }
    if args.json {
        say(&serde_json::to_string_pretty(&told)?);
    } else {
        say(table(&told).trim_end());
    }
    Ok(Finding::None)
}

/// `pilotage export --decisions FILE`: the decisions of record with what came of them.
pub(super) fn export(
    args: &ExportArgs,
    settings: &Settings,
    path: &Path,
) -> anyhow::Result<Finding> {
    let products = products::of_settings(settings)?;
    let [product] = &products[..] else {
        bail!(UsageError("export of decisions takes one product: --product FILE".to_owned()));
    };
    let rows = super::runtime()?.block_on(async {
        let log = back_end::recorded(settings).await?;
        let tell = |done, of| super::progress("read", done, of);
        let rows = replay::decisions(log.traffic(), &product.definition, tell).await;
        log.close().await;
        anyhow::Ok(rows?)
    })?;
    write_rows(path, &rows)?;
    let drawn = rows.iter().filter(|row| row.propensity.is_some()).count();
    if args.json {
        let document = serde_json::json!({ "decisions": rows.len(), "drawn": drawn });
        say(&serde_json::to_string_pretty(&document)?);
    } else {
        say(&format!("{} decisions, {drawn} of them draws", rows.len()));
    }
    Ok(Finding::None)
}

/// Parquet where the name ends so, else JSON lines.
fn write_rows(path: &Path, rows: &[Row]) -> anyhow::Result<()> {
    let what = || format!("write the decisions to {}", path.display());
    if is_parquet(path) {
        return pilotage_adapters::parquet::write(path, rows).with_context(what);
    }
    let write = || {
        use std::io::Write;
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        rows.iter().try_for_each(|row| writeln!(file, "{}", row.line()))?;
        file.flush()
    };
    write().with_context(what)
}
