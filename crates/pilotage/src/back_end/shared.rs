//! Kafka and PostgreSQL as the settings name them. Must not know a use case.

use std::sync::Arc;

use anyhow::bail;
use pilotage_adapters::kafka::{self, KafkaFeed, KafkaJournal};
use pilotage_adapters::postgres::{self, PostgresStore, Upkeep};
use pilotage_engine::port::log::Journal;
use pilotage_engine::port::store::Store;
use pilotage_engine::{ClusterParts, MakeFeed, ProductSource};
use tracing::warn;

use crate::settings::{Settings, Shared};
use crate::system::{SystemClock, SystemEntropy};

/// Brings the database to this version's form.
pub(super) async fn migrate(shared: &Shared) -> anyhow::Result<()> {
    PostgresStore::migrate(&postgres_options(shared)).await?;
    Ok(())
}

/// The store alone, in this version's form already.
pub(super) async fn store(shared: &Shared) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(PostgresStore::open(&postgres_options(shared)).await?))
}

/// The log alone.
pub(super) async fn journal(shared: &Shared) -> anyhow::Result<Arc<dyn Journal>> {
    let kafka = kafka_options(shared);
    // It blocks until the brokers have answered.
    Ok(Arc::new(tokio::task::spawn_blocking(move || KafkaJournal::open(&kafka)).await??))
}

/// What one process of several is put together from. Makes the topics where they are missing and brings the database to
/// this version's form; of several processes that do so at once, one does it and the others wait.
pub(super) async fn cluster(
    settings: &Settings,
    shared: &Shared,
    products: Vec<ProductSource>,
    upkeep: Upkeep,
) -> anyhow::Result<ClusterParts> {
    let kafka = kafka_options(shared);
    let topics = kafka::ensure_topics(&kafka).await?;
    for warning in &topics.warnings {
        warn!(topic = kafka.topic, warning, "the topic is not as it should be");
    }
    let postgres = postgres::Options { upkeep, ..postgres_options(shared) };
    PostgresStore::migrate(&postgres).await?;
    let store = PostgresStore::open(&postgres).await?;
    let first = store.topic_partitions(topics.partitions).await?;
    if first != topics.partitions {
        bail!(
            "the topic {} has {} partitions, but this installation began with {first}: a user's records would stand in \
             two of them",
            kafka.topic,
            topics.partitions
        );
    }
    let journal = journal(shared).await?;
    let feed: MakeFeed = Arc::new(move |shift| match KafkaFeed::open(&kafka, shift) {
        Ok(feed) => Ok(Box::new(feed) as _),
        Err(error) => Err(error.to_string()),
    });
    Ok(ClusterParts {
        journal,
        shared: Arc::new(store),
        feed: Some(feed),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        products,
        options: super::options(settings),
    })
}

fn kafka_options(shared: &Shared) -> kafka::Options {
    kafka::Options {
        brokers: shared.brokers.clone(),
        topic: shared.topic.clone(),
        group: shared.group.clone(),
        partitions: shared.partitions,
        replication: shared.replication,
        session_timeout: shared.session,
        security: kafka::Security(shared.kafka.clone()),
        ..kafka::Options::default()
    }
}

fn postgres_options(shared: &Shared) -> postgres::Options {
    postgres::Options::new(&shared.database_url)
}
