//! Forgetting what is no longer promised: names of long ago, reservations that lapsed. Must not forget anything sooner.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use deadpool_postgres::Transaction;
use pilotage_engine::port::shared::REMEMBERED_DAYS;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

use super::column::cell;
use super::fault::Result;
use super::pool::Pool;

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(600);
/// So many rows in one transaction.
pub(super) const CHUNK: i64 = 10_000;
/// Held while a chunk is forgotten: one process at a time is enough.
pub(super) const LOCK: i64 = 0x5069_6c6f_7402;
/// So long after they lapsed, reservations are thrown away, in milliseconds: clocks of processes differ.
pub(super) const GRACE: i64 = 60_000;

const IS_MINE: &str = "SELECT pg_try_advisory_xact_lock($1)";
/// So many days longer than they are known, names are kept: those who receive may differ by so much in what day it is.
const MARGIN: i32 = 1;

/// Judged by what is folded of the name's own partition, so that a worker that is behind still finds what its records ask for;
/// and not sooner than by the server's day, where somebody's clock was ahead. One partition after the other, each by the index: a
/// plan that began with the names would read all of them to find none.
const NAMES: &str = "
    DELETE FROM names WHERE name IN (
        SELECT old.name FROM partitions p CROSS JOIN LATERAL (
            SELECT name FROM names n WHERE n.position >> 48 = p.partition
                AND n.day < least(p.newest_day, CURRENT_DATE - DATE '1970-01-01') - $1::integer
            LIMIT $2) AS old
        WHERE p.newest_day IS NOT NULL LIMIT $2)";
const RESERVATIONS: &str = "
    DELETE FROM reservations WHERE (product, user_id, decision) IN (
        SELECT product, user_id, decision FROM reservations WHERE until < $1 LIMIT $2)";

/// The latest moment that a caller has told, in milliseconds: what has lapsed by then has lapsed.
#[derive(Debug)]
pub(super) struct Moment(AtomicI64);

impl Default for Moment {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Moment {
    pub(super) fn note(&self, millis: i64) {
        self.0.fetch_max(millis, Ordering::Relaxed);
    }

    /// What lapsed before this is nobody's any more.
    pub(super) fn lapsed_before(&self) -> i64 {
        self.0.load(Ordering::Relaxed).saturating_sub(GRACE)
    }
}

/// Forgets again and again.
pub(super) async fn keep_forgetting(pool: Arc<Pool>, moment: Arc<Moment>) {
    let mut moments = interval(EVERY);
    moments.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        moments.tick().await;
        match forget(&pool, &moment).await {
            Ok(0) => {}
            Ok(rows) => debug!(rows, "names and reservations of long ago were forgotten"),
            Err(fault) => warn!(error = fault.detail(), "names of long ago could not be forgotten"),
        }
    }
}

/// Forgets what there is to forget; how many rows that was.
pub(super) async fn forget(pool: &Pool, moment: &Moment) -> Result<u64> {
    let mut forgotten = 0;
    loop {
        let rows = chunk(pool, moment.lapsed_before()).await?;
        forgotten += rows;
        if rows < CHUNK as u64 {
            return Ok(forgotten);
        }
    }
}

async fn chunk(pool: &Pool, lapsed_before: i64) -> Result<u64> {
    pool.transact(lapsed_before, |work, before| Box::pin(forget_chunk(work, *before))).await
}

async fn forget_chunk(work: &Transaction<'_>, lapsed_before: i64) -> Result<u64> {
    if !cell::<bool>(&work.query_one(IS_MINE, &[&LOCK]).await?, 0)? {
        return Ok(0);
    }
    let names = work.execute(NAMES, &[&(REMEMBERED_DAYS + MARGIN), &CHUNK]).await?;
    let reservations = work.execute(RESERVATIONS, &[&lapsed_before, &CHUNK]).await?;
    Ok(names + reservations)
}
