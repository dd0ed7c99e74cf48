//! What is learnt from the stored users. Must not be written but with them.

use bytes::Bytes;
use pilotage_domain::id::ProductId;
use pilotage_engine::port::store::{Learnt, LearntPart};
use rusqlite::{Connection, params};

use super::row::{self, Result, RowError};
use crate::sqlite::sum;

const fn code(part: LearntPart) -> i64 {
    match part {
        LearntPart::Current => 0,
        LearntPart::Published => 1,
    }
}

/// Puts it in the place of what stands there.
pub(super) fn write(connection: &Connection, learnt: &Learnt) -> Result<()> {
    let insert = "INSERT INTO learnt (product, part, sum, body) VALUES (?, ?, ?, ?)
        ON CONFLICT (product, part) DO UPDATE SET sum = excluded.sum, body = excluded.body";
    let Learnt { product, part, body } = learnt;
    let (part, product) = (code(*part), product.as_str());
    let sum = sum::of(&[part], &[product.as_bytes(), body]);
    connection.prepare_cached(insert)?.execute(params![product, part, sum, body.as_ref()])?;
    Ok(())
}

/// All of it.
pub(super) fn all(connection: &Connection) -> Result<Vec<Learnt>> {
    let query = "SELECT product, part, sum, body FROM learnt ORDER BY product, part";
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(found) = rows.next()? {
        let (product, part): (String, i64) = (found.get(0)?, found.get(1)?);
        let body = row::blob(found, 3)?;
        let fits = sum::of(&[part], &[product.as_bytes(), body]) == found.get::<_, u32>(2)?;
        row::check("what is learnt", fits)?;
        let known = [LearntPart::Current, LearntPart::Published];
        let part = known.into_iter().find(|known| code(*known) == part);
        let damaged = || RowError::Damaged("what is learnt: a part that can't be".to_owned());
        all.push(Learnt {
            product: ProductId::new(&product).map_err(|_| damaged())?,
            part: part.ok_or_else(damaged)?,
            body: Bytes::copy_from_slice(body),
        });
    }
    Ok(all)
}
