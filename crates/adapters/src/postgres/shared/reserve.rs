//! Offers that are held before their decisions are folded. Must not hold one for a user who has changed since.

use bytes::Bytes;
use deadpool_postgres::Client;
use pilotage_domain::id::DecisionId;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::shared::{Reservation, Reserved, SharedUser};
use pilotage_engine::port::store::UserKey;

use crate::postgres::column::{Uuid, cell, from_number, moment, number};
use crate::postgres::fault::{Fault, Result};
use crate::postgres::store::read::stored_user;

/// One statement, so that all of it is of one moment. It gives one row in any case.
const SHARED_USER: &str = "
    SELECT u.row_id, u.body, coalesce(c.count, 0),
        (SELECT max(newest_event) FROM partitions),
        ARRAY(SELECT decision FROM reservations r
            WHERE r.product = $1 AND r.user_id = $2 AND r.until > $3 ORDER BY decision),
        ARRAY(SELECT offer FROM reservations r
            WHERE r.product = $1 AND r.user_id = $2 AND r.until > $3 ORDER BY decision)
    FROM (VALUES (1)) AS one
    LEFT JOIN users u ON u.product = $1 AND u.user_id = $2
    LEFT JOIN reservation_counts c ON c.product = $1 AND c.user_id = $2";

/// The row of the count is what those wait for who reserve at once; each counts on from what it has seen, or not at all.
/// A fold at the same time is either seen here or comes after: who reserves has not seen it, and who has seen it is told.
const RESERVE: &str = "
    WITH counted AS (
        INSERT INTO reservation_counts AS c (product, user_id, count)
        SELECT $1, $2, $3::bigint + 1
        WHERE $4 = coalesce((SELECT applied FROM users WHERE product = $1 AND user_id = $2), 0)
            AND ($3 = 0
                OR EXISTS (SELECT FROM reservation_counts WHERE product = $1 AND user_id = $2))
        ON CONFLICT (product, user_id) DO UPDATE SET count = excluded.count WHERE c.count = $3
        RETURNING count
    ), lapsed AS (
        DELETE FROM reservations WHERE product = $1 AND user_id = $2 AND until < $8
    )
    INSERT INTO reservations (product, user_id, decision, offer, until)
    SELECT $1, $2, $5, $6, $7 FROM counted";

const RELEASE: &str =
    "DELETE FROM reservations WHERE product = $1 AND user_id = $2 AND decision = $3";

/// The user as it stands now.
pub(super) async fn shared_user(
    client: &Client,
    key: &UserKey,
    now: Timestamp,
) -> Result<SharedUser> {
    let statement = client.prepare_cached(SHARED_USER).await?;
    let (product, user) = (key.product.as_str(), key.user.as_str());
    let row = client.query_one(&statement, &[&product, &user, &now.as_millis()]).await?;
    let is_stored = cell::<Option<i64>>(&row, 0)?.is_some();
    let (decisions, offers): (Vec<Uuid>, Vec<&[u8]>) = (cell(&row, 4)?, cell(&row, 5)?);
    let reserved = decisions.into_iter().zip(offers);
    Ok(SharedUser {
        stored: is_stored.then(|| stored_user(&row, 0)).transpose()?,
        reservations: number(&row, 2)?,
        newest_event: moment(&row, 3)?,
        reserved: reserved
            .map(|(id, offer)| (id.decision(), Bytes::copy_from_slice(offer)))
            .collect(),
    })
}

/// Holds the offer, and throws away what lapsed before that moment.
pub(super) async fn reserve(
    client: &Client,
    reservation: &Reservation,
    lapsed_before: i64,
) -> Result<Reserved> {
    let Reservation { key, decision, offer, .. } = reservation;
    let (product, user) = (key.product.as_str(), key.user.as_str());
    let seen = from_number(reservation.seen_reservations);
    let applied = from_number(reservation.seen_applied.0);
    let (decision, until) = (Uuid::of_decision(*decision), reservation.until.as_millis());
    let offer = offer.as_ref();
    let statement = client.prepare_cached(RESERVE).await?;
    let held = client
        .execute(
            &statement,
            &[&product, &user, &seen, &applied, &decision, &offer, &until, &lapsed_before],
        )
        .await?;
    match held {
        0 => Ok(Reserved::Changed),
        1 => Ok(Reserved::Held),
        rows => Err(Fault::Damaged(format!("{rows} reservations for one"))),
    }
}

/// Gives up what was reserved for a decision.
pub(super) async fn release(client: &Client, key: &UserKey, decision: DecisionId) -> Result<()> {
    let statement = client.prepare_cached(RELEASE).await?;
    let decision = Uuid::of_decision(decision);
    client.execute(&statement, &[&key.product.as_str(), &key.user.as_str(), &decision]).await?;
    Ok(())
}
