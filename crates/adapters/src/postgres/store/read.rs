//! Reading the store; each answer is of one moment. Must not change anything.

use std::collections::BTreeMap;

use bytes::Bytes;
use deadpool_postgres::Client;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId};
use pilotage_domain::report::{Cell, Day};
use pilotage_engine::port::store::{Cohorts, Grid, RowId, StoredUser, UserKey, Watermark};
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
        SELECT coalesce(w.position, 0), w.newest_event, f.product, f.hash
        FROM (VALUES (1)) AS one LEFT JOIN watermark w ON true LEFT JOIN folds f ON true";
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

/// Users by cell, and then by milestone. `$2`: where the second bin begins, and each further one; `$3`: how many bins there are.
/// Days are counted down to, also before 1970. Milestones are counted by what users have reached together, which few differ in.
const COHORTS: &str = "
    WITH cells AS (
        SELECT grp,
            (CASE WHEN signup >= 0 THEN signup ELSE signup - 86399999 END) / 86400000 AS day,
            CASE WHEN activated IS NULL THEN NULL
                WHEN signup IS NULL THEN $3::integer
                ELSE width_bucket(activated - signup, $2::bigint[]) END AS bin,
            count(*) AS users
        FROM cohorts WHERE product = $1 GROUP BY 1, 2, 3
    ), together AS (
        SELECT grp, reached, count(*) AS users FROM cohorts
        WHERE product = $1 AND signup IS NOT NULL AND length(reached) > 0 GROUP BY 1, 2
    )
    SELECT true, grp, day, bin, users FROM cells
    UNION ALL
    SELECT false, grp, NULL, milestone, sum(users)::bigint
    FROM together, generate_series(0, 8 * length(reached) - 1) AS milestone
    WHERE get_bit(reached, milestone) = 1 GROUP BY grp, milestone";

/// The product's stored users, counted.
pub(super) async fn cohorts(client: &Client, product: &ProductId, grid: &Grid) -> Result<Cohorts> {
    // A bin holds its upper end; a bucket its lower one.
    let beginnings: Vec<i64> =
        grid.edges().iter().map(|edge| from_number(edge.get().saturating_add(1))).collect();
    let bins = i32::from(grid.bins());
    let statement = client.prepare_cached(COHORTS).await?;
    let mut cohorts = Cohorts::default();
    for row in client.query(&statement, &[&product.as_str(), &beginnings, &bins]).await? {
        let (group, users) = (group(cell(&row, 1)?)?, number(&row, 4)?);
        let place: Option<i32> = cell(&row, 3)?;
        let beyond = |_| Fault::Damaged("a count of what can't be".to_owned());
        if cell(&row, 0)? {
            let day = cell::<Option<i64>>(&row, 2)?.map(Day);
            let activated = place.map(u8::try_from).transpose().map_err(beyond)?;
            cohorts.cells.insert(Cell { group, day, activated }, users);
        } else {
            let milestone = u16::try_from(place.unwrap_or(-1)).map_err(beyond)?;
            cohorts.reached.insert((group, milestone), users);
        }
    }
    Ok(cohorts)
}

/// At most `limit` counted users whose milestones are not noted.
pub(super) async fn unnoted(
    client: &Client,
    product: &ProductId,
    limit: usize,
) -> Result<Vec<(UserKey, StoredUser)>> {
    let query = "
        SELECT u.product, u.user_id, u.row_id, u.body FROM cohorts c JOIN users u USING (row_id)
        WHERE c.product = $1 AND c.reached IS NULL LIMIT $2";
    let statement = client.prepare_cached(query).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = client.query(&statement, &[&product.as_str(), &limit]).await?;
    rows.iter().map(keyed_user).collect()
}

/// A user in four columns: product, user, row and body.
fn keyed_user(row: &Row) -> Result<(UserKey, StoredUser)> {
    let key = UserKey { product: name(row, 0)?, user: name(row, 1)? };
    Ok((key, stored_user(row, 2)?))
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
    rows.iter().map(keyed_user).collect()
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
