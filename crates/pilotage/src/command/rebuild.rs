//! `pilotage rebuild`: folds the log again and says whether the profiles were its fold. Must not serve meanwhile.

use std::io::{IsTerminal, Write};

use anyhow::bail;
use pilotage_domain::event::Position;
use pilotage_engine::{Engine, Rebuilt};

use super::{Finding, say, serve};
use crate::cli::{RebuildArgs, UsageError};
use crate::settings::settle;
use crate::{products, telemetry};

pub(super) fn run(args: &RebuildArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let settings = settle(&args.common, false, None)?;
    if settings.products.is_empty() {
        bail!(UsageError(
            "rebuild needs the products whose users it folds: --product FILE".to_owned()
        ));
    }
    if !settings.data.is_dir() {
        bail!("{} is not a data folder", settings.data.display());
    }
    let products = products::load_all(&settings.products)?;
    let rebuilt = super::runtime()?.block_on(async {
        let parts = serve::parts(&settings, products, settings.clock)?;
        anyhow::Ok(Engine::rebuild(parts, progress).await?)
    })?;
    tell(rebuilt, args.json)?;
    Ok(if rebuilt.before == rebuilt.after { Finding::None } else { Finding::Some })
}

/// A line that grows, on a terminal only.
fn progress(applied: Position, end: Position) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let percent = applied.0.saturating_mul(100) / end.0.max(1);
        drop(write!(terminal, "\rfolded {} of {} records ({percent} %)  ", applied.0, end.0));
        if applied >= end {
            drop(writeln!(terminal));
        }
    }
}

fn tell(rebuilt: Rebuilt, json: bool) -> anyhow::Result<()> {
    let Rebuilt { before, after } = rebuilt;
    if json {
        let document = serde_json::json!({
            "users": after.users,
            "before": before.hash.to_string(),
            "after": after.hash.to_string(),
            "same": before == after,
        });
        say(&serde_json::to_string_pretty(&document)?);
    } else if before == after {
        say(&format!("{} users folded again: same state, digest {}", after.users, after.hash));
    } else {
        say(&format!(
            "the profiles were not the log's fold: {} users with digest {} before, {} users with digest {} now",
            before.users, before.hash, after.users, after.hash
        ));
    }
    Ok(())
}
