//! Log and store as the settings name them. Must be the only place of the binary that knows the back ends.

mod shared;

use std::sync::Arc;

use anyhow::{Context, bail};
use pilotage_adapters::sqlite;
use pilotage_engine::port::log::Journal;
use pilotage_engine::port::store::Store;
use pilotage_engine::{
    ClockMode, ClusterParts, Engine, Moved, Options, Parts, ProductSource, Rebuilt, Stage,
};

use crate::settings::{BackEnd, Settings};
use crate::system::{SystemClock, SystemEntropy};

/// The engine over what the settings name.
pub(crate) async fn open(
    settings: &Settings,
    products: Vec<ProductSource>,
) -> anyhow::Result<Engine> {
    match &settings.back_end {
        BackEnd::Embedded => Ok(Engine::open(embedded(settings, products, settings.clock)?).await?),
        BackEnd::Shared(shared) => {
            let parts = shared::cluster(settings, shared, products).await?;
            let feed = parts.feed.filter(|_| settings.role.works());
            Ok(Engine::join(ClusterParts { feed, ..parts }).await?)
        }
    }
}

/// Folds the log again and compares; `tell` hears how many records of how many are folded.
pub(crate) async fn rebuild(
    settings: &Settings,
    products: Vec<ProductSource>,
    mut tell: impl FnMut(u64, u64),
) -> anyhow::Result<Rebuilt> {
    Ok(match &settings.back_end {
        BackEnd::Embedded => {
            let parts = embedded(settings, products, settings.clock)?;
            Engine::rebuild(parts, |applied, end| tell(applied.0, end.0)).await?
        }
        BackEnd::Shared(shared) => {
            let parts = shared::cluster(settings, shared, products).await?;
            Engine::rebuild_shared(parts, tell).await?
        }
    })
}

/// Brings what is stored to this version's form; says what was brought.
pub(crate) async fn migrate(settings: &Settings) -> anyhow::Result<String> {
    match &settings.back_end {
        BackEnd::Embedded => {
            let folder = settings.data.display();
            if !settings.data.is_dir() {
                bail!("{folder} is not a folder");
            }
            let embedded = files(settings)?;
            Journal::close(&*embedded.log).await;
            Store::close(&*embedded.store).await;
            Ok(format!("{folder} is in this version's form"))
        }
        BackEnd::Shared(shared) => {
            shared::migrate(shared).await?;
            Ok("the database is in this version's form".to_owned())
        }
    }
}

/// Moves the data folder's installation into Kafka and PostgreSQL.
pub(crate) async fn move_over(
    settings: &Settings,
    products: Vec<ProductSource>,
    tell: impl FnMut(Stage, u64, u64),
) -> anyhow::Result<Moved> {
    let BackEnd::Shared(shared) = &settings.back_end else {
        bail!("the settings name no target: set `log` to kafka and `store` to postgres");
    };
    let target = shared::cluster(settings, shared, products.clone()).await?;
    let source = embedded(settings, products, settings.clock)?;
    Ok(Engine::move_over(source, target, tell).await?)
}

/// What an engine over the data folder is put together from.
pub(crate) fn embedded(
    settings: &Settings,
    products: Vec<ProductSource>,
    clock: ClockMode,
) -> anyhow::Result<Parts> {
    let embedded = files(settings)?;
    Ok(Parts {
        log: embedded.log,
        store: embedded.store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        products,
        options: Options { clock, ..options(settings) },
    })
}

fn files(settings: &Settings) -> anyhow::Result<sqlite::Embedded> {
    let mut options = sqlite::Options::default();
    if let Some(remembered) = settings.remembered_events {
        options.remembered = usize::try_from(remembered)?;
    }
    sqlite::open(&settings.data, &options)
        .with_context(|| format!("open the data folder {}", settings.data.display()))
}

fn options(settings: &Settings) -> Options {
    Options {
        policy: settings.policy,
        clock: settings.clock,
        users_bytes: settings.users_bytes,
        write_back_every: settings.write_back_every,
    }
}
