//! What workers' folds have taught, until it is added up. Must not know what it means.

use bytes::Bytes;
use deadpool_postgres::Transaction;
use pilotage_domain::id::ProductId;
use pilotage_engine::port::shared::{Added, Addend, Sum, Teaching};
use pilotage_engine::port::store::LearntPart;

use super::claim;
use crate::postgres::column::{cell, from_number, moment, name, number};
use crate::postgres::fault::Result;
use crate::postgres::listen::NOTIFY;
use crate::postgres::store::learnt;

const ADD: &str = "
    INSERT INTO addends (product, body) SELECT * FROM unnest($1::text[], $2::bytea[])";
const OLDEST: &str = "SELECT id, product, body FROM addends ORDER BY id LIMIT $1";
const TURN: &str = "SELECT turn, (SELECT max(newest_event) FROM partitions) FROM learning";
const NEXT_TURN: &str = "UPDATE learning SET turn = turn + 1 WHERE turn = $1";
const REMOVE: &str = "DELETE FROM addends WHERE id = ANY ($1::bigint[])";

/// Statements that `add` needs.
pub(super) const OF_ADDENDS: [&str; 1] = [ADD];

/// Stores what a fold has taught, within its transaction.
pub(super) async fn add(work: &Transaction<'_>, addends: &[(ProductId, Bytes)]) -> Result<()> {
    if addends.is_empty() {
        return Ok(());
    }
    let (products, bodies): (Vec<&str>, Vec<&[u8]>) =
        addends.iter().map(|(product, body)| (product.as_str(), body.as_ref())).unzip();
    let statement = work.prepare_cached(ADD).await?;
    work.execute(&statement, &[&products, &bodies]).await?;
    Ok(())
}

/// What is learnt and at most so many addends, all as of one moment.
pub(super) async fn teaching(work: &Transaction<'_>, most: usize) -> Result<Teaching> {
    work.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
    let statement = work.prepare_cached(TURN).await?;
    let row = work.query_one(&statement, &[]).await?;
    let (turn, newest_event) = (number(&row, 0)?, moment(&row, 1)?);
    let statement = work.prepare_cached(OLDEST).await?;
    // One more tells whether there are more.
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let rows = work.query(&statement, &[&limit]).await?;
    let addend = |row| {
        let body: &[u8] = cell(row, 2)?;
        let body = Bytes::copy_from_slice(body);
        Ok(Addend { id: number(row, 0)?, product: name(row, 1)?, body })
    };
    let addends = rows.iter().take(most).map(addend).collect::<Result<Vec<Addend>>>()?;
    Ok(Teaching {
        turn,
        learnt: learnt::all_within(work).await?,
        addends,
        has_more: rows.len() > most,
        applied: claim::applied_within(work).await?,
        newest_event,
    })
}

/// Puts the sum in the place of its addends, unless it was read before the last one was stored.
pub(super) async fn add_up(work: &Transaction<'_>, sum: &Sum) -> Result<Added> {
    let statement = work.prepare_cached(NEXT_TURN).await?;
    if work.execute(&statement, &[&from_number(sum.seen)]).await? == 0 {
        return Ok(Added::Changed);
    }
    for learnt in &sum.learnt {
        learnt::write(work, learnt).await?;
    }
    let ids: Vec<i64> = sum.addends.iter().map(|id| from_number(*id)).collect();
    let statement = work.prepare_cached(REMOVE).await?;
    work.execute(&statement, &[&ids]).await?;
    if sum.learnt.iter().any(|learnt| learnt.part == LearntPart::Published) {
        let statement = work.prepare_cached(NOTIFY).await?;
        work.execute(&statement, &[&"learnt"]).await?;
    }
    Ok(Added::Kept)
}
