//! A build without Kafka and PostgreSQL: says so. Must stand for `shared` where its feature is off.

use std::future::{Ready, ready};
use std::sync::Arc;

use pilotage_engine::port::store::Store;
use pilotage_engine::{ClusterParts, ProductSource};

use crate::cli::UsageError;
use crate::settings::{Settings, Shared};

const ABSENT: &str = "log, store: this build is without Kafka and PostgreSQL; they come with the cargo feature `shared`";

pub(super) fn migrate(_: &Shared) -> Ready<anyhow::Result<()>> {
    ready(Err(UsageError(ABSENT.to_owned()).into()))
}

pub(super) fn store(_: &Shared) -> Ready<anyhow::Result<Arc<dyn Store>>> {
    ready(Err(UsageError(ABSENT.to_owned()).into()))
}

pub(super) fn cluster(
    _: &Settings,
    _: &Shared,
    _: Vec<ProductSource>,
) -> Ready<anyhow::Result<ClusterParts>> {
    ready(Err(UsageError(ABSENT.to_owned()).into()))
}
