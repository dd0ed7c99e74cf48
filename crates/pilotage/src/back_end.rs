//! Log and store as the settings name them. Must be the only place of the binary that knows the back ends.

mod shared;

use std::sync::Arc;

use anyhow::bail;
use pilotage_adapters::postgres::Upkeep;
use pilotage_adapters::sqlite;
use pilotage_engine::port::clock::Entropy;
use pilotage_engine::port::log::{Journal, Log};
use pilotage_engine::port::store::Store;
use pilotage_engine::{
    ClockMode, ClusterParts, Engine, Moved, OpenError, Options, Parts, ProductSource, RebuildError,
    Rebuilt, Stage, Verified, verify_decisions, verify_shared_decisions,
};
use pilotage_sim::replay::Traffic;

use crate::model;
use crate::settings::{BackEnd, Settings};
use crate::system::{SystemClock, SystemEntropy};

/// The engine over what the settings name.
pub(crate) async fn open(
    settings: &Settings,
    products: Vec<ProductSource>,
) -> anyhow::Result<Engine> {
    match &settings.back_end {
        BackEnd::Embedded => {
            let parts = embedded(settings, products, settings.clock)?;
            let options = Options { advisor: model::setup(settings)?, ..parts.options };
            let opened = Engine::open(Parts { options, ..parts }).await;
            opened.map_err(|error| of_folder(settings, error))
        }
        BackEnd::Shared(shared) => {
            let parts = shared::cluster(settings, shared, products, Upkeep::Done).await?;
            let feed = parts.feed.filter(|_| settings.role.works());
            let options = Options { advisor: model::setup(settings)?, ..parts.options };
            Ok(Engine::join(ClusterParts { feed, options, ..parts }).await?)
        }
    }
}

/// The error, with the folder where it is about what that holds: the engine does not know it.
fn of_folder(settings: &Settings, error: OpenError) -> anyhow::Error {
    let is_about_it = matches!(error, OpenError::OtherProducts { .. });
    let error = anyhow::Error::new(error);
    if !is_about_it {
        return error;
    }
    error.context(format!("the data folder {}", settings.data.display()))
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
            let rebuilt = Engine::rebuild(parts, |applied, end| tell(applied.0, end.0)).await;
            rebuilt.map_err(|error| match error {
                RebuildError::Open(error) => of_folder(settings, error),
                error => error.into(),
            })?
        }
        BackEnd::Shared(shared) => {
            let parts = shared::cluster(settings, shared, products, Upkeep::Left).await?;
            Engine::rebuild_shared(parts, tell).await?
        }
    })
}

/// Every decision of record against its validation hash; `tell` hears how many records of how many were looked at.
pub(crate) async fn verify(
    settings: &Settings,
    mut tell: impl FnMut(u64, u64),
) -> anyhow::Result<Verified> {
    // An installation that has decided anything has its key; one that has not gets a good one.
    let fresh = [SystemEntropy.bits().to_be_bytes(), SystemEntropy.bits().to_be_bytes()].concat();
    let fresh = fresh.try_into().unwrap_or([0; 32]);
    match &settings.back_end {
        BackEnd::Embedded => {
            let embedded = existing(settings)?;
            let key = embedded.store.secret("validation", fresh).await?;
            Store::close(&*embedded.store).await;
            let verified = verify_decisions(&*embedded.log, &key, &mut tell).await;
            Journal::close(&*embedded.log).await;
            Ok(verified?)
        }
        BackEnd::Shared(shared) => {
            let store = shared::store(shared).await?;
            let key = store.secret("validation", fresh).await?;
            store.close().await;
            let journal = shared::journal(shared).await?;
            let verified = verify_shared_decisions(&*journal, &key, &mut tell).await;
            journal.close().await;
            Ok(verified?)
        }
    }
}

/// The log to be gone through as it stands; it is to be closed.
pub(crate) enum Recorded {
    /// A data folder's.
    Embedded(Arc<dyn Log>),
    /// Kafka's.
    Shared(Arc<dyn Journal>),
}

impl Recorded {
    pub(crate) fn traffic(&self) -> Traffic<'_> {
        match self {
            Self::Embedded(log) => Traffic::Ordered(&**log),
            Self::Shared(journal) => Traffic::Partitioned(&**journal),
        }
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Embedded(log) => log.close().await,
            Self::Shared(journal) => journal.close().await,
        }
    }
}

/// What is on record.
pub(crate) async fn recorded(settings: &Settings) -> anyhow::Result<Recorded> {
    match &settings.back_end {
        BackEnd::Embedded => {
            let embedded = existing(settings)?;
            Store::close(&*embedded.store).await;
            Ok(Recorded::Embedded(embedded.log))
        }
        BackEnd::Shared(shared) => Ok(Recorded::Shared(shared::journal(shared).await?)),
    }
}

/// The store alone.
pub(crate) async fn store(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    match &settings.back_end {
        BackEnd::Embedded => {
            let embedded = existing(settings)?;
            Journal::close(&*embedded.log).await;
            Ok(embedded.store)
        }
        BackEnd::Shared(shared) => shared::store(shared).await,
    }
}

/// What is in the data folder, where there is one.
fn existing(settings: &Settings) -> anyhow::Result<sqlite::Embedded> {
    if !settings.data.is_dir() {
        bail!("{} is not a folder", settings.data.display());
    }
    files(settings)
}

/// Brings what is stored to this version's form; says what was brought.
pub(crate) async fn migrate(settings: &Settings) -> anyhow::Result<String> {
    match &settings.back_end {
        BackEnd::Embedded => {
            let folder = settings.data.display();
            let embedded = existing(settings)?;
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
    let target = shared::cluster(settings, shared, products.clone(), Upkeep::Left).await?;
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
    // Its errors name folder and file themselves.
    Ok(sqlite::open(&settings.data, &options)?)
}

fn options(settings: &Settings) -> Options {
    Options {
        policy: settings.policy,
        clock: settings.clock,
        users_bytes: settings.users_bytes,
        write_back_every: settings.write_back_every,
        advisor: None,
    }
}
