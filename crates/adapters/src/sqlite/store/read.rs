//! Reading the store. Must not give out what is not as it was written.

use std::collections::BTreeMap;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::{GuideId, IdError, ProductId, UserId};
use pilotage_engine::port::store::{Cohorts, Grid, RowId, StoredUser, UserKey, Watermark};
use rusqlite::{Connection, params};

use super::row::{self, Result, RowError};
use crate::sqlite::sum;

/// The stored users, in the order asked.
pub(super) fn load(connection: &Connection, keys: &[UserKey]) -> Result<Vec<Option<StoredUser>>> {
    let query = "SELECT row, sum, body FROM user
        WHERE product = (SELECT id FROM product WHERE name = ?) AND user = ?";
    let mut statement = connection.prepare_cached(query)?;
    let mut users = Vec::with_capacity(keys.len());
    for key in keys {
        let mut rows = statement.query([key.product.as_str(), key.user.as_str()])?;
        users.push(rows.next()?.map(|found| row::user(found, key)).transpose()?);
    }
    Ok(users)
}

/// How far the stored profiles stand for the log.
pub(super) fn watermark(connection: &Connection) -> Result<Watermark> {
    let query = "SELECT position, newest_event, folds, sum FROM watermark";
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([])?;
    rows.next()?.map_or_else(|| Ok(Watermark::default()), row::watermark)
}

/// A user's spilled runs in ascending order.
pub(super) fn spilled(connection: &Connection, row: RowId) -> Result<Vec<(Position, Bytes)>> {
    let query = "SELECT first, sum, body FROM run WHERE row = ? ORDER BY first";
    let mut statement = connection.prepare_cached(query)?;
    let number = row::to_column(row);
    let mut rows = statement.query([number])?;
    let mut runs = Vec::new();
    while let Some(found) = rows.next()? {
        let (first, sum): (i64, u32) = (found.get(0)?, found.get(1)?);
        let body = row::blob(found, 2)?;
        row::check(
            &format!("a run of user row {number}"),
            sum::of(&[number, first], &[body]) == sum,
        )?;
        let position = Position(u64::try_from(first).unwrap_or(0));
        runs.push((position, Bytes::copy_from_slice(body)));
    }
    Ok(runs)
}

/// The product's stored users, counted. Every row is looked at: the file has no better way to cut times by a grid.
pub(super) fn cohorts(
    connection: &Connection,
    product: &ProductId,
    grid: &Grid,
) -> Result<Cohorts> {
    let query = "SELECT grp, first_seen, signup, activated, reached FROM cohort
        WHERE product = (SELECT id FROM product WHERE name = ?)";
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([product.as_str()])?;
    let mut cohorts = Cohorts::default();
    while let Some(found) = rows.next()? {
        cohorts.add(&row::cohort(found)?, grid);
    }
    Ok(cohorts)
}

/// At most `limit` counted users whose milestones are not noted.
pub(super) fn unnoted(
    connection: &Connection,
    product: &ProductId,
    limit: usize,
) -> Result<Vec<(UserKey, StoredUser)>> {
    let query = "SELECT u.row, u.sum, u.body, u.user FROM cohort c JOIN user u ON u.row = c.row
        WHERE c.product = (SELECT id FROM product WHERE name = ?) AND c.reached IS NULL LIMIT ?";
    let mut statement = connection.prepare_cached(query)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![product.as_str(), limit])?;
    let mut users = Vec::new();
    while let Some(found) = rows.next()? {
        let user = name(UserId::new(&found.get::<_, String>(3)?))?;
        let key = UserKey { product: product.clone(), user };
        let stored = row::user(found, &key)?;
        users.push((key, stored));
    }
    Ok(users)
}

/// At most `limit` users in key order, after `after`.
pub(super) fn page(
    connection: &Connection,
    after: Option<&UserKey>,
    limit: usize,
) -> Result<Vec<(UserKey, StoredUser)>> {
    let start = after.map_or("", |key| key.product.as_str());
    let mut products =
        connection.prepare_cached("SELECT id, name FROM product WHERE name >= ? ORDER BY name")?;
    let mut products = products.query([start])?;
    let mut page = Vec::new();
    while let Some(found) = products.next()? {
        let product = name(ProductId::new(&found.get::<_, String>(1)?))?;
        let after = after.filter(|key| key.product == product).map_or("", |key| key.user.as_str());
        page_of(connection, (found.get(0)?, &product), (after, limit), &mut page)?;
    }
    Ok(page)
}

/// Adds one product's users to the page until it is full.
fn page_of(
    connection: &Connection,
    (number, product): (i64, &ProductId),
    (after, limit): (&str, usize),
    page: &mut Vec<(UserKey, StoredUser)>,
) -> Result<()> {
    let query = "SELECT row, sum, body, user FROM user
        WHERE product = ? AND user > ? ORDER BY user LIMIT ?";
    let mut statement = connection.prepare_cached(query)?;
    let room = i64::try_from(limit - page.len()).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![number, after, room])?;
    while let Some(found) = rows.next()? {
        let user = name(UserId::new(&found.get::<_, String>(3)?))?;
        let key = UserKey { product: product.clone(), user };
        let stored = row::user(found, &key)?;
        page.push((key, stored));
    }
    Ok(())
}

/// The paused guides by product.
pub(super) fn paused(connection: &Connection) -> Result<BTreeMap<ProductId, Vec<GuideId>>> {
    let query = "SELECT product, guide, sum FROM paused ORDER BY product, guide";
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([])?;
    let mut paused: BTreeMap<_, Vec<_>> = BTreeMap::new();
    while let Some(found) = rows.next()? {
        let (product, guide): (String, String) = (found.get(0)?, found.get(1)?);
        let fits =
            sum::of(&[], &[product.as_bytes(), guide.as_bytes()]) == found.get::<_, u32>(2)?;
        row::check("a paused guide", fits)?;
        paused
            .entry(name(ProductId::new(&product))?)
            .or_default()
            .push(name(GuideId::new(&guide))?);
    }
    Ok(paused)
}

/// A name that was checked when it was written.
pub(super) fn name<T>(name: std::result::Result<T, IdError>) -> Result<T> {
    name.map_err(|error| RowError::Damaged(format!("a name that can't be: {error}")))
}
