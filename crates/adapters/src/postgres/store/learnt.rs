//! What is learnt from the stored users. Must not be written but with them.

use bytes::Bytes;
use deadpool_postgres::{Client, Transaction};
use pilotage_engine::port::store::{Learnt, LearntPart};

use crate::postgres::column::{cell, name};
use crate::postgres::fault::{Fault, Result};

const fn code(part: LearntPart) -> i16 {
    match part {
        LearntPart::Current => 0,
        LearntPart::Published => 1,
    }
}

/// Puts it in the place of what stands there.
pub(super) async fn write(work: &Transaction<'_>, learnt: &Learnt) -> Result<()> {
    let insert = "INSERT INTO learnt (product, part, body) VALUES ($1, $2, $3)
        ON CONFLICT (product, part) DO UPDATE SET body = excluded.body";
    let Learnt { product, part, body } = learnt;
    let statement = work.prepare_cached(insert).await?;
    work.execute(&statement, &[&product.as_str(), &code(*part), &body.as_ref()]).await?;
    Ok(())
}

/// All of it.
pub(super) async fn all(client: &Client) -> Result<Vec<Learnt>> {
    let query = "SELECT product, part, body FROM learnt ORDER BY product, part";
    let statement = client.prepare_cached(query).await?;
    let mut all = Vec::new();
    for row in client.query(&statement, &[]).await? {
        let part: i16 = cell(&row, 1)?;
        let known = [LearntPart::Current, LearntPart::Published];
        let part = known.into_iter().find(|known| code(*known) == part);
        let damaged = || Fault::Damaged("a part of what is learnt that can't be".to_owned());
        let body: &[u8] = cell(&row, 2)?;
        all.push(Learnt {
            product: name(&row, 0)?,
            part: part.ok_or_else(damaged)?,
            body: Bytes::copy_from_slice(body),
        });
    }
    Ok(all)
}
