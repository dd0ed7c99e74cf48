//! What is learnt from the stored users. Must not be written but with them.

use bytes::Bytes;
use deadpool_postgres::{Client, Transaction};
use pilotage_engine::port::store::{Learnt, LearntPart};
use tokio_postgres::Row;

use crate::postgres::column::{cell, name};
use crate::postgres::fault::{Fault, Result};

const ALL: &str = "SELECT product, part, body FROM learnt ORDER BY product, part";

const fn code(part: LearntPart) -> i16 {
    match part {
        LearntPart::Current => 0,
        LearntPart::Published => 1,
    }
}

/// Puts it in the place of what stands there.
pub(in crate::postgres) async fn write(work: &Transaction<'_>, learnt: &Learnt) -> Result<()> {
    let insert = "INSERT INTO learnt (product, part, body) VALUES ($1, $2, $3)
        ON CONFLICT (product, part) DO UPDATE SET body = excluded.body";
    let Learnt { product, part, body } = learnt;
    let statement = work.prepare_cached(insert).await?;
    work.execute(&statement, &[&product.as_str(), &code(*part), &body.as_ref()]).await?;
    Ok(())
}

/// All of it.
pub(super) async fn all(client: &Client) -> Result<Vec<Learnt>> {
    let statement = client.prepare_cached(ALL).await?;
    client.query(&statement, &[]).await?.iter().map(learnt).collect()
}

/// All of it, as a transaction sees it.
pub(in crate::postgres) async fn all_within(work: &Transaction<'_>) -> Result<Vec<Learnt>> {
    let statement = work.prepare_cached(ALL).await?;
    work.query(&statement, &[]).await?.iter().map(learnt).collect()
}

fn learnt(row: &Row) -> Result<Learnt> {
    let part: i16 = cell(row, 1)?;
    let known = [LearntPart::Current, LearntPart::Published];
    let part = known.into_iter().find(|known| code(*known) == part);
    let damaged = || Fault::Damaged("a part of what is learnt that can't be".to_owned());
    let body: &[u8] = cell(row, 2)?;
    Ok(Learnt {
        product: name(row, 0)?,
        part: part.ok_or_else(damaged)?,
        body: Bytes::copy_from_slice(body),
    })
}
