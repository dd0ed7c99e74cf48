//! Writing the store: each call one transaction. Must not leave half of one, nor go on after a failure whose extent is
//! unknown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pilotage_domain::event::Position;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::store::{
    Batch, Cohort, Counting, Reached, RowId, StoreError, UserKey, UserWrite, Watermark,
};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::row::{self, Result, RowError};
use super::{book, learnt};
use crate::sqlite::fault::{self, Severity};
use crate::sqlite::products::Products;
use crate::sqlite::{file, sum};

/// The connection that writes, and what only it touches.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    products: Products,
    /// The number of the newest user.
    last_row: i64,
    healthy: Arc<AtomicBool>,
    /// Why nothing may be written any more.
    poison: Option<String>,
    /// How much was written ahead since it was last moved into the file, about.
    ahead: usize,
    most_ahead: usize,
}

/// A transaction on the way.
pub(super) struct Work<'a> {
    pub connection: &'a Connection,
    products: &'a mut Products,
    last_row: i64,
    written: usize,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        healthy: Arc<AtomicBool>,
        most_ahead: usize,
    ) -> rusqlite::Result<Self> {
        let newest = "SELECT coalesce(max(row), 0) FROM user";
        let last_row = connection.query_row(newest, [], |row| row.get(0))?;
        let products = Products::default();
        Ok(Self { connection, products, last_row, healthy, poison: None, ahead: 0, most_ahead })
    }

    #[cfg(test)]
    pub(super) fn limit_pages(&self, most: u32) {
        let limited = self.connection.pragma_update(None, "max_page_count", most);
        limited.expect("the pragma is understood");
    }

    /// Does the work in one transaction, durable when this returns `Ok`, without a trace otherwise.
    pub(super) fn transact<R>(
        &mut self,
        work: impl FnOnce(&mut Work<'_>) -> Result<R>,
    ) -> std::result::Result<R, StoreError> {
        if let Some(why) = &self.poison {
            return Err(StoreError::Unavailable(why.clone()));
        }
        match self.try_transact(work) {
            Ok(done) => {
                self.healthy.store(true, Ordering::Relaxed);
                self.relieve();
                Ok(done)
            }
            Err(error) => {
                // Products that the failed transaction added are not there.
                self.products = Products::default();
                Err(self.judge(error))
            }
        }
    }

    fn try_transact<R>(&mut self, work: impl FnOnce(&mut Work<'_>) -> Result<R>) -> Result<R> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new_unchecked(&self.connection, behavior)?;
        let mut under_way = Work {
            connection: &transaction,
            products: &mut self.products,
            last_row: self.last_row,
            written: 0,
        };
        let done = work(&mut under_way)?;
        let Work { last_row, written, .. } = under_way;
        transaction.commit()?;
        self.last_row = last_row;
        self.ahead += written;
        Ok(done)
    }

    /// Notes a failed write and says it in the port's words. A caller's mistake leaves the store healthy.
    fn judge(&mut self, error: RowError) -> StoreError {
        let error = match error {
            RowError::Damaged(detail) => return StoreError::Damaged(detail),
            RowError::Sqlite(error) => error,
        };
        let lasting = fault::severity(&error) == Severity::Lasting;
        if self.healthy.swap(false, Ordering::Relaxed) {
            tracing::error!(%error, lasting, "store can't be written");
        }
        let mut why = error.to_string();
        if lasting {
            why.push_str("; nothing is written until the store is opened again");
            self.poison = Some(why.clone());
        }
        if fault::is_damage(&error) {
            StoreError::Damaged(why)
        } else {
            StoreError::Unavailable(why)
        }
    }

    /// Moves what was written ahead into the file, where it is much.
    fn relieve(&mut self) {
        if self.ahead <= self.most_ahead {
            return;
        }
        self.ahead = 0;
        if let Err(error) = file::relieve(&self.connection) {
            // What was written is safe where it is; a full disk is no reason to stop before the next write fails.
            if fault::severity(&error) == Severity::Lasting {
                self.judge(RowError::Sqlite(error));
            }
        }
    }

    /// Moves everything into the file, for whoever opens it next.
    pub(super) fn settle(&self) {
        if self.poison.is_none()
            && let Err(error) = file::settle(&self.connection)
        {
            tracing::warn!(%error, "store not settled at close, the next start reads it as it is");
        }
    }
}

impl Work<'_> {
    /// Writes users and watermark; the users' rows in their order.
    pub(super) fn batch(&mut self, batch: &Batch) -> Result<Vec<RowId>> {
        let rows = batch.users.iter().map(|user| self.user(user)).collect::<Result<_>>()?;
        for learnt in &batch.learnt {
            learnt::write(self.connection, learnt)?;
            self.written += learnt.body.len();
        }
        if let Some(watermark) = &batch.watermark {
            self.watermark(watermark)?;
        }
        book::want(self, &batch.wanted)?;
        Ok(rows)
    }

    fn user(&mut self, user: &UserWrite) -> Result<RowId> {
        let product = self.products.number(self.connection, &user.key.product)?;
        let row = match user.row {
            Some(row) => row::to_column(row),
            None => self.row_of(product, &user.key)?,
        };
        if row > self.last_row && user.row.is_none() {
            self.insert(row, product, user)?;
            self.last_row = row;
        } else {
            self.update(row, product, user)?;
        }
        for (first, body) in &user.spilled {
            self.run(row, *first, body)?;
        }
        match &user.counting {
            Counting::Unchanged => {}
            Counting::As(cohort) => self.cohort(row, product, cohort)?,
            Counting::Not => self.uncount(row)?,
        }
        self.written += user.body.len();
        Ok(row::from_column(row))
    }

    /// Notes what was written beside users, in bytes.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
    }

    /// The user's row, the next free one for a new user.
    fn row_of(&self, product: i64, key: &UserKey) -> Result<i64> {
        let query = "SELECT row FROM user WHERE product = ? AND user = ?";
        let mut statement = self.connection.prepare_cached(query)?;
        let known = statement.query_row(params![product, key.user.as_str()], |row| row.get(0));
        Ok(known.optional()?.unwrap_or(self.last_row + 1))
    }

    fn insert(&self, row: i64, product: i64, user: &UserWrite) -> Result<()> {
        let insert = "INSERT INTO user VALUES (?, ?, ?, ?, ?)";
        let (sum, name) = (row::user_sum(row, &user.key, &user.body), user.key.user.as_str());
        let mut statement = self.connection.prepare_cached(insert)?;
        statement.execute(params![row, product, name, sum, user.body.as_ref()])?;
        Ok(())
    }

    fn update(&self, row: i64, product: i64, user: &UserWrite) -> Result<()> {
        let update = "UPDATE user SET sum = ?, body = ? WHERE row = ? AND product = ? AND user = ?";
        let (sum, name) = (row::user_sum(row, &user.key, &user.body), user.key.user.as_str());
        let mut statement = self.connection.prepare_cached(update)?;
        let changed = statement.execute(params![sum, user.body.as_ref(), row, product, name])?;
        let theirs = || RowError::Damaged(format!("row {row} is not that user's"));
        if changed == 1 { Ok(()) } else { Err(theirs()) }
    }

    fn run(&mut self, row: i64, first: Position, body: &[u8]) -> Result<()> {
        let insert = "INSERT INTO run (row, first, sum, body) VALUES (?, ?, ?, ?)
            ON CONFLICT (row, first) DO UPDATE SET sum = excluded.sum, body = excluded.body";
        let first = i64::try_from(first.0).unwrap_or(i64::MAX);
        let sum = sum::of(&[row, first], &[body]);
        self.connection.prepare_cached(insert)?.execute(params![row, first, sum, body])?;
        self.written += body.len();
        Ok(())
    }

    fn cohort(&self, row: i64, product: i64, cohort: &Cohort) -> Result<()> {
        let insert = "INSERT OR REPLACE INTO cohort VALUES (?, ?, ?, ?, ?, ?, ?)";
        let mut statement = self.connection.prepare_cached(insert)?;
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        let (first_seen, signup) = (cohort.first_seen.as_millis(), millis(cohort.signup));
        let group = row::group_code(cohort.group);
        let activated = millis(cohort.activated);
        let reached = cohort.reached.bytes();
        statement.execute(params![row, product, group, first_seen, signup, activated, reached])?;
        Ok(())
    }

    fn uncount(&self, row: i64) -> Result<()> {
        let mut statement = self.connection.prepare_cached("DELETE FROM cohort WHERE row = ?")?;
        statement.execute([row])?;
        Ok(())
    }

    /// Notes milestones where none are noted.
    pub(super) fn note_reached(&self, of: &[(RowId, Reached)]) -> Result<()> {
        let note = "UPDATE cohort SET reached = ? WHERE row = ? AND reached IS NULL";
        let mut statement = self.connection.prepare_cached(note)?;
        for (row, reached) in of {
            statement.execute(params![reached.bytes(), row::to_column(*row)])?;
        }
        Ok(())
    }

    fn watermark(&self, watermark: &Watermark) -> Result<()> {
        let insert = "INSERT OR REPLACE INTO watermark VALUES (1, ?, ?, ?, ?)";
        let columns = row::watermark_columns(watermark);
        self.connection.prepare_cached(insert)?.execute(columns)?;
        Ok(())
    }

    /// Forgets everything that is folded from the log.
    pub(super) fn reset(&mut self) -> Result<()> {
        let tables = "DELETE FROM user; DELETE FROM run; DELETE FROM cohort; DELETE FROM watermark;
            DELETE FROM learnt";
        self.connection.execute_batch(tables)?;
        self.last_row = 0;
        Ok(())
    }
}
