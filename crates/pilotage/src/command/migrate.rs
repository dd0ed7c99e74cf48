//! `pilotage migrate`: brings what is stored to this version's form. Must not serve.

use super::{Finding, say};
use crate::cli::MigrateArgs;
use crate::settings::settle;
use crate::{back_end, telemetry};

pub(super) fn run(args: &MigrateArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let settings = settle(&args.common, false, None)?;
    say(&super::runtime()?.block_on(back_end::migrate(&settings))?);
    Ok(Finding::None)
}
