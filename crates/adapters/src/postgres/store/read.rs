//! Reading the store; each answer is of one moment. Must not change anything.

use std::collections::BTreeMap;

use bytes::Bytes;
use deadpool_postgres::Client;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId};
use pilotage_engine::port::store::{Cohorts, GroupCount, RowId, StoredUser, UserKey, Watermark};
use tokio_postgres::Row;

use crate::postgres::column::{
    bytes_32, cell, from_number, group, moment, name, number, position, row_id,
};
use crate::postgres::fault::{Fault, Result};

/// The stored user in two columns from this one on: row and body.
pub(in crate::postgres) fn stored_user(row: &Row, column: usize) -> Result<StoredUser> {
    let body: &[u8] = cell(row, column + 1)?;
    Ok(StoredUser { row: row_id(row, column)?, body: Bytes::copy_from_slice(body) })
}

/// The stored users, in the order asked.
pub(super) async fn load(client: &Client, keys: &[UserKey]) -> Result<Vec<Option<StoredUser>>> {
    let query = "
        SELECT asked.place, u.row_id, u.body
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS asked (product, user_id, place)
        JOIN users u ON u.product = asked.product AND u.user_id = asked.user_id";
    let statement = client.prepare_cached(query).await?;
    let products: Vec<&str> = keys.iter().map(|key| key.product.as_str()).collect();
    let users: Vec<&str> = keys.iter().map(|key| key.user.as_str()).collect();
    let mut loaded = vec![None; keys.len()];
    for row in client.query(&statement, &[&products, &users]).await? {
        let place = usize::try_from(number(&row, 0)?).unwrap_or(usize::MAX);
        let user = place.checked_sub(1).and_then(|place| loaded.get_mut(place));
        *user.ok_or_else(|| Fault::Damaged("an answer to nothing".to_owned()))? =
            Some(stored_user(&row, 1)?);
    }
    Ok(loaded)
}

/// How far the stored profiles stand for the log.
pub(super) async fn watermark(client: &Client) -> Result<Watermark> {
    let query = "
        SELECT w.position, w.newest_event, f.product, f.hash
        FROM watermark w LEFT JOIN folds f ON true";
    let statement = client.prepare_cached(query).await?;
    let mut watermark = Watermark::default();
    for row in client.query(&statement, &[]).await? {
        watermark.position = position(&row, 0)?;
        watermark.newest_event = moment(&row, 1)?;
        if cell::<Option<&str>>(&row, 2)?.is_some() {
            watermark.folds.insert(name(&row, 2)?, ContentHash::from_bytes(bytes_32(&row, 3)?));
        }
    }
    Ok(watermark)
}

/// A user's spilled runs in ascending order.
pub(super) async fn spilled(client: &Client, row: RowId) -> Result<Vec<(Position, Bytes)>> {
    let query = "SELECT first, body FROM runs WHERE row_id = $1 ORDER BY first";
    let statement = client.prepare_cached(query).await?;
    let rows = client.query(&statement, &[&from_number(row.0)]).await?;
    let run = |row: &Row| {
        let body: &[u8] = cell(row, 1)?;
        Ok((position(row, 0)?, Bytes::copy_from_slice(body)))
    };
    rows.iter().map(run).collect()
}

/// Counts of stored users by product and group.
pub(super) async fn cohorts(client: &Client) -> Result<Cohorts> {
    let query = "
        SELECT product, grp, count(*), count(signup), count(activated)
        FROM cohorts GROUP BY product, grp";
    let rows = client.query(query, &[]).await?;
    let count = |row: &Row| {
        let (users, signed_up, activated) = (number(row, 2)?, number(row, 3)?, number(row, 4)?);
        let counted = GroupCount { users, signed_up, activated };
        Ok(((name(row, 0)?, group(cell(row, 1)?)?), counted))
    };
    rows.iter().map(count).collect()
}

/// At most `limit` users in key order, after `after`.
pub(super) async fn page(
    client: &Client,
    after: Option<&UserKey>,
    limit: usize,
) -> Result<Vec<(UserKey, StoredUser)>> {
    let query = "
        SELECT product, user_id, row_id, body FROM users
        WHERE (product, user_id) > ($1, $2) ORDER BY product, user_id LIMIT $3";
    let statement = client.prepare_cached(query).await?;
    let after = after.map_or(("", ""), |key| (key.product.as_str(), key.user.as_str()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = client.query(&statement, &[&after.0, &after.1, &limit]).await?;
    let user = |row: &Row| {
        let key = UserKey { product: name(row, 0)?, user: name(row, 1)? };
        Ok((key, stored_user(row, 2)?))
    };
    rows.iter().map(user).collect()
}

/// The paused guides by product.
pub(super) async fn paused(client: &Client) -> Result<BTreeMap<ProductId, Vec<GuideId>>> {
    let query = "SELECT product, guide FROM paused ORDER BY product, guide";
    let statement = client.prepare_cached(query).await?;
    let mut paused: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in client.query(&statement, &[]).await? {
        paused.entry(name(&row, 0)?).or_default().push(name(&row, 1)?);
    }
    Ok(paused)
}
