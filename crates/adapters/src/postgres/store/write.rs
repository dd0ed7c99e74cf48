//! Writing what is folded: users, runs, cohorts, watermark. Must not lock rows in any order but the keys'.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::store::{
    Batch, Cohort, Counting, Reached, RowId, UserKey, UserWrite, Watermark,
};
use tokio_postgres::types::ToSql;

use super::{book, learnt};
use crate::postgres::column::{cell, from_number, group_code, row_id};
use crate::postgres::fault::{Fault, Result};
use crate::postgres::listen::NOTIFY;

/// Held by who writes a batch: those wait for each other, as they do for the one writer of a file.
const LOCK: i64 = 0x5069_6c6f_7403;

const UPDATE: &str = "
    UPDATE users u SET body = i.body, applied = i.applied
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], $5::bigint[])
        AS i (row_id, product, user_id, body, applied)
    WHERE u.row_id = i.row_id AND u.product = i.product AND u.user_id = i.user_id";
const INSERT: &str = "
    INSERT INTO users (product, user_id, body, applied)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[])
    ON CONFLICT (product, user_id)
        DO UPDATE SET body = excluded.body, applied = excluded.applied
    RETURNING row_id, product, user_id";
const RUNS: &str = "
    INSERT INTO runs (row_id, first, body)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])
    ON CONFLICT (row_id, first) DO UPDATE SET body = excluded.body";
const COHORTS: &str = "
    INSERT INTO cohorts (row_id, product, grp, first_seen, signup, activated, reached)
    SELECT * FROM unnest(
        $1::bigint[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bytea[])
    ON CONFLICT (row_id) DO UPDATE SET grp = excluded.grp, first_seen = excluded.first_seen,
        signup = excluded.signup, activated = excluded.activated, reached = excluded.reached";
const UNCOUNT: &str = "DELETE FROM cohorts WHERE row_id = ANY ($1::bigint[])";

/// Statements that `Users::put` and `Users::add` may need.
pub(in crate::postgres) const OF_USERS: [&str; 5] = [UPDATE, INSERT, RUNS, COHORTS, UNCOUNT];

/// Writes users and watermark; the users' rows in their order.
pub(super) async fn batch(work: &Transaction<'_>, batch: &Batch) -> Result<Vec<RowId>> {
    work.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let users = Users::of(&batch.users);
    let rows = users.put(work).await?;
    let rows = users.add(work, &rows).await?;
    for learnt in &batch.learnt {
        learnt::write(work, learnt).await?;
    }
    if let Some(watermark) = &batch.watermark {
        set_watermark(work, watermark).await?;
    }
    book::want(work, &batch.wanted).await?;
    Ok(rows)
}

/// Users to be written: each once, in key order, as it was told last.
pub(in crate::postgres) struct Users<'a> {
    all: &'a [UserWrite],
    once: BTreeMap<&'a UserKey, Once<'a>>,
}

struct Once<'a> {
    /// The row that the caller knows.
    told: Option<RowId>,
    last: &'a UserWrite,
    counting: Counting,
}

/// The rows of users, by key.
pub(in crate::postgres) type Rows<'a> = BTreeMap<&'a UserKey, RowId>;

impl<'a> Users<'a> {
    pub(in crate::postgres) fn of(all: &'a [UserWrite]) -> Self {
        let mut once = BTreeMap::new();
        for user in all {
            let first = Once { told: None, last: user, counting: Counting::Unchanged };
            let known = once.entry(&user.key).or_insert(first);
            known.told = user.row.or(known.told);
            if user.counting != Counting::Unchanged {
                known.counting = user.counting;
            }
            known.last = user;
        }
        Self { all, once }
    }

    /// Writes the bodies; where they stand.
    pub(in crate::postgres) async fn put(&self, work: &Transaction<'_>) -> Result<Rows<'a>> {
        // Both are waited for: the failure of the first is the one that tells.
        let (updated, inserted) = tokio::join!(biased; self.update(work), self.insert(work));
        let inserted = updated.and(inserted)?;
        let told = self.once.iter().filter_map(|(key, user)| Some((*key, user.told?)));
        Ok(told.chain(inserted).collect())
    }

    async fn update(&self, work: &Transaction<'_>) -> Result<()> {
        let told: Vec<(i64, &UserWrite)> = self
            .once
            .values()
            .filter_map(|user| Some((from_number(user.told?.0), user.last)))
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        let rows: Vec<i64> = told.iter().map(|(row, _)| *row).collect();
        let columns = Columns::of(told.iter().map(|(_, user)| *user));
        let Columns { products, users, bodies, applied } = &columns;
        let statement = work.prepare_cached(UPDATE).await?;
        let updated = work.execute(&statement, &[&rows, products, users, bodies, applied]).await?;
        if updated == told.len() as u64 { Ok(()) } else { Err(not_theirs()) }
    }

    async fn insert(&self, work: &Transaction<'_>) -> Result<Rows<'a>> {
        let untold = self.once.values().filter(|user| user.told.is_none());
        let columns = Columns::of(untold.map(|user| user.last));
        let Columns { products, users, bodies, applied } = &columns;
        if products.is_empty() {
            return Ok(Rows::new());
        }
        let statement = work.prepare_cached(INSERT).await?;
        let inserted = work.query(&statement, &[products, users, bodies, applied]).await?;
        let keys: BTreeMap<(&str, &str), &'a UserKey> =
            self.once.keys().map(|key| ((key.product.as_str(), key.user.as_str()), *key)).collect();
        let mut rows = Rows::new();
        for row in &inserted {
            let key = keys.get(&(cell(row, 1)?, cell(row, 2)?));
            let key = key.ok_or_else(|| Fault::Damaged("a user that nobody wrote".to_owned()))?;
            rows.insert(key, row_id(row, 0)?);
        }
        Ok(rows)
    }

    /// Writes what stands by the users' rows; the rows in the order of the batch.
    pub(in crate::postgres) async fn add(
        &self,
        work: &Transaction<'_>,
        rows: &Rows<'_>,
    ) -> Result<Vec<RowId>> {
        let of = |user: &UserWrite| {
            let row = rows.get(&user.key).copied().ok_or_else(not_theirs)?;
            if user.row.is_none_or(|told| told == row) { Ok(row) } else { Err(not_theirs()) }
        };
        let in_order = self.all.iter().map(of).collect::<Result<Vec<RowId>>>()?;
        self.runs(work, &in_order).await?;
        self.cohorts(work, rows).await?;
        self.uncount(work, rows).await?;
        Ok(in_order)
    }

    async fn runs(&self, work: &Transaction<'_>, in_order: &[RowId]) -> Result<()> {
        let mut runs = BTreeMap::new();
        for (user, row) in self.all.iter().zip(in_order) {
            let spilled = user.spilled.iter();
            runs.extend(spilled.map(|(first, body)| ((row.0, first.0), body.as_ref())));
        }
        if runs.is_empty() {
            return Ok(());
        }
        let rows: Vec<i64> = runs.keys().map(|(row, _)| from_number(*row)).collect();
        let firsts: Vec<i64> = runs.keys().map(|(_, first)| from_number(*first)).collect();
        let bodies: Vec<&[u8]> = runs.into_values().collect();
        let statement = work.prepare_cached(RUNS).await?;
        work.execute(&statement, &[&rows, &firsts, &bodies]).await?;
        Ok(())
    }

    async fn cohorts(&self, work: &Transaction<'_>, rows: &Rows<'_>) -> Result<()> {
        let told = self.once.iter().filter_map(|(key, user)| match user.counting {
            Counting::As(cohort) => Some((*rows.get(*key)?, (key.product.as_str(), cohort))),
            Counting::Unchanged | Counting::Not => None,
        });
        let counted: BTreeMap<RowId, (&str, Cohort)> = told.collect();
        if counted.is_empty() {
            return Ok(());
        }
        let rows: Vec<i64> = counted.keys().map(|row| from_number(row.0)).collect();
        let products: Vec<&str> = counted.values().map(|(product, _)| *product).collect();
        let cohorts = || counted.values().map(|(_, cohort)| cohort);
        let groups: Vec<i16> = cohorts().map(|cohort| group_code(cohort.group)).collect();
        let first_seen: Vec<i64> = cohorts().map(|cohort| cohort.first_seen.as_millis()).collect();
        let signups: Vec<Option<i64>> = cohorts().map(|cohort| millis(cohort.signup)).collect();
        let activated: Vec<Option<i64>> =
            cohorts().map(|cohort| millis(cohort.activated)).collect();
        let reached: Vec<&[u8]> = cohorts().map(|cohort| cohort.reached.bytes()).collect();
        let statement = work.prepare_cached(COHORTS).await?;
        let columns: [&(dyn ToSql + Sync); 7] =
            [&rows, &products, &groups, &first_seen, &signups, &activated, &reached];
        work.execute(&statement, &columns).await?;
        Ok(())
    }

    async fn uncount(&self, work: &Transaction<'_>, rows: &Rows<'_>) -> Result<()> {
        let uncounted = self.once.iter().filter(|(_, user)| user.counting == Counting::Not);
        let rows = uncounted.filter_map(|(key, _)| rows.get(key));
        let rows: Vec<i64> = rows.map(|row| from_number(row.0)).collect();
        if !rows.is_empty() {
            let statement = work.prepare_cached(UNCOUNT).await?;
            work.execute(&statement, &[&rows]).await?;
        }
        Ok(())
    }
}

/// Notes milestones where none are noted.
pub(super) async fn note_reached(work: &Transaction<'_>, of: &[(RowId, Reached)]) -> Result<()> {
    let note = "UPDATE cohorts c SET reached = told.reached
        FROM unnest($1::bigint[], $2::bytea[]) AS told (row_id, reached)
        WHERE c.row_id = told.row_id AND c.reached IS NULL";
    let rows: Vec<i64> = of.iter().map(|(row, _)| from_number(row.0)).collect();
    let reached: Vec<&[u8]> = of.iter().map(|(_, reached)| reached.bytes()).collect();
    let statement = work.prepare_cached(note).await?;
    work.execute(&statement, &[&rows, &reached]).await?;
    Ok(())
}

fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millis)
}

fn not_theirs() -> Fault {
    Fault::Damaged("a row is not that user's".to_owned())
}

/// Users, column by column.
#[derive(Default)]
struct Columns<'a> {
    products: Vec<&'a str>,
    users: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
    applied: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(users: impl Iterator<Item = &'a UserWrite>) -> Self {
        let mut columns = Self::default();
        for user in users {
            columns.products.push(user.key.product.as_str());
            columns.users.push(user.key.user.as_str());
            columns.bodies.push(&user.body);
            columns.applied.push(from_number(user.applied.0));
        }
        columns
    }
}

async fn set_watermark(work: &Transaction<'_>, watermark: &Watermark) -> Result<()> {
    let set = "INSERT INTO watermark (position, newest_event) VALUES ($1, $2)
        ON CONFLICT (one) DO UPDATE
        SET position = excluded.position, newest_event = excluded.newest_event";
    let statement = work.prepare_cached(set).await?;
    let position = from_number(watermark.position.0);
    work.execute(&statement, &[&position, &millis(watermark.newest_event)]).await?;
    let statement = work.prepare_cached("DELETE FROM folds").await?;
    work.execute(&statement, &[]).await?;
    let fold = "INSERT INTO folds SELECT * FROM unnest($1::text[], $2::bytea[])";
    let statement = work.prepare_cached(fold).await?;
    let products: Vec<&str> = watermark.folds.keys().map(|product| product.as_str()).collect();
    let hashes: Vec<&[u8]> =
        watermark.folds.values().map(|hash| hash.as_bytes().as_slice()).collect();
    work.execute(&statement, &[&products, &hashes]).await?;
    Ok(())
}

/// Forgets everything that is folded from the log, and fences who folds it. Partitions first: so it waits for folds.
pub(super) async fn reset(work: &Transaction<'_>) -> Result<()> {
    let anew = "
        SELECT partition FROM partitions ORDER BY partition FOR UPDATE;
        UPDATE partitions
            SET epoch = epoch + 1, applied = partition::bigint << 48, newest_event = NULL,
                newest_day = NULL;
        UPDATE learning SET turn = turn + 1;
        TRUNCATE users, runs, cohorts, names, decisions, watermark, folds, learnt, addends
            RESTART IDENTITY";
    work.batch_execute(anew).await?;
    work.execute(NOTIFY, &[&"all"]).await?;
    Ok(())
}
