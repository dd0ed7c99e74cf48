//! Forgetting what is no longer promised: names of long ago, reservations that lapsed. Must not forget anything sooner.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use deadpool_postgres::Transaction;
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
const NAMES: &str = "
    DELETE FROM names WHERE name IN (
        SELECT name FROM names WHERE day < CURRENT_DATE - $1::integer ORDER BY day LIMIT $2)";
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
pub(super) async fn keep_forgetting(pool: Arc<Pool>, moment: Arc<Moment>, remember_days: u16) {
    let mut moments = interval(EVERY);
    moments.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        moments.tick().await;
        match forget(&pool, &moment, remember_days).await {
            Ok(0) => {}
            Ok(rows) => debug!(rows, "names and reservations of long ago were forgotten"),
            Err(fault) => warn!(error = fault.detail(), "names of long ago could not be forgotten"),
        }
    }
}

/// Forgets what there is to forget; how many rows that was.
pub(super) async fn forget(pool: &Pool, moment: &Moment, remember_days: u16) -> Result<u64> {
    let mut forgotten = 0;
    loop {
        let rows = chunk(pool, moment.lapsed_before(), remember_days).await?;
        forgotten += rows;
        if rows < CHUNK as u64 {
            return Ok(forgotten);
        }
    }
}

async fn chunk(pool: &Pool, lapsed_before: i64, remember_days: u16) -> Result<u64> {
    let asked = (lapsed_before, i32::from(remember_days));
    pool.transact(asked, |work, asked| Box::pin(forget_chunk(work, asked.0, asked.1))).await
}

async fn forget_chunk(work: &Transaction<'_>, lapsed_before: i64, days: i32) -> Result<u64> {
    if !cell::<bool>(&work.query_one(IS_MINE, &[&LOCK]).await?, 0)? {
        return Ok(0);
    }
    let names = work.execute(NAMES, &[&days, &CHUNK]).await?;
    let reservations = work.execute(RESERVATIONS, &[&lapsed_before, &CHUNK]).await?;
    Ok(names + reservations)
}
