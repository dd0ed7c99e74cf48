//! `pilotage migrate`: brings the data folder's files to this version's form. Must not serve.

use anyhow::Context;
use pilotage_adapters::sqlite;

use super::{Finding, say};
use crate::cli::MigrateArgs;

pub(super) fn run(args: &MigrateArgs) -> anyhow::Result<Finding> {
    let folder = args.data.display();
    if !args.data.is_dir() {
        anyhow::bail!("{folder} is not a folder");
    }
    super::runtime()?.block_on(async {
        let embedded = sqlite::open(&args.data, &sqlite::Options::default())
            .with_context(|| format!("open the data folder {folder}"))?;
        pilotage_engine::port::log::Journal::close(&*embedded.log).await;
        pilotage_engine::port::store::Store::close(&*embedded.store).await;
        say(&format!("{folder} is in this version's form"));
        Ok(Finding::None)
    })
}
