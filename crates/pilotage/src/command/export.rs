//! `pilotage export`: moves the data folder's installation into Kafka and PostgreSQL, or writes its decisions down. Must not
//! serve meanwhile, and must not change the folder's log.

use std::io::{IsTerminal, Write};

use anyhow::bail;
use pilotage_engine::Stage;

use super::{Finding, say};
use crate::cli::{ExportArgs, UsageError};
use crate::settings::settle;
use crate::{back_end, products, telemetry};

pub(super) fn run(args: &ExportArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let settings = settle(&args.common, false, None)?;
    if let Some(path) = &args.decisions {
        return super::replay::export(args, &settings, path);
    }
    if settings.products.is_empty() {
        bail!(UsageError(
            "export needs the products whose users it moves: --product FILE".to_owned()
        ));
    }
    if !settings.data.is_dir() {
        bail!("{} is not a data folder", settings.data.display());
    }
    let products = products::of_settings(&settings)?;
    let moved = super::runtime()?.block_on(back_end::move_over(&settings, products, progress))?;
    let (records, users, digest) = (moved.records, moved.digest.users, moved.digest.hash);
    if args.json {
        let document =
            serde_json::json!({ "records": records, "users": users, "digest": digest.to_string() });
        say(&serde_json::to_string_pretty(&document)?);
    } else {
        say(&format!(
            "{records} records and {users} users moved: same state on both sides, digest {digest}"
        ));
    }
    Ok(Finding::None)
}

/// A line that grows, on a terminal only.
fn progress(stage: Stage, done: u64, of: u64) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let what = match stage {
            Stage::Copying => "copied",
            Stage::Folding => "folded",
        };
        let percent = done.saturating_mul(100) / of.max(1);
        drop(write!(terminal, "\r{what} {done} of {of} records ({percent} %)  "));
        if done >= of {
            drop(writeln!(terminal));
        }
    }
}
