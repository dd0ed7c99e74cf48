//! `pilotage rebuild`: folds the log again and says whether the profiles were its fold. Must not serve meanwhile.

use anyhow::bail;
use pilotage_engine::Rebuilt;

use super::{Finding, say};
use crate::cli::{RebuildArgs, UsageError};
use crate::settings::{BackEnd, settle};
use crate::{back_end, products, telemetry};

pub(super) fn run(args: &RebuildArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let settings = settle(&args.common, false, None)?;
    if settings.products.is_empty() {
        bail!(UsageError(
            "rebuild needs the products whose users it folds: --product FILE".to_owned()
        ));
    }
    if settings.back_end == BackEnd::Embedded && !settings.data.is_dir() {
        bail!("{} is not a data folder", settings.data.display());
    }
    let products = products::of_settings(&settings)?;
    let rebuilt =
        super::runtime()?.block_on(back_end::rebuild(&settings, products, |done, of| {
            super::progress("folded", done, of);
        }))?;
    tell(rebuilt, args.json)?;
    Ok(if rebuilt.before == rebuilt.after { Finding::None } else { Finding::Some })
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
