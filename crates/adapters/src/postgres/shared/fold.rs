//! A worker's fold as one transaction. Must not write a row before its claims are checked under their locks.

use deadpool_postgres::Transaction;
use pilotage_domain::id::DecisionId;
use pilotage_engine::port::shared::Folded;
use pilotage_engine::port::store::{RowId, UserKey};

use super::{claim, learning, names};
use crate::postgres::column::Uuid;
use crate::postgres::fault::Result;
use crate::postgres::listen::{self, NOTIFY};
use crate::postgres::store::book;
use crate::postgres::store::write::{OF_USERS, Users};

const SETTLE: &str = "
    DELETE FROM reservations r
    USING unnest($1::text[], $2::text[], $3::uuid[]) AS i (product, user_id, decision)
    WHERE r.product = i.product AND r.user_id = i.user_id AND r.decision = i.decision";

/// Stores what was made of a run of records; the rows of its users, in their order.
///
/// After the locks all writes go out together, without waiting for one another's answers; what needs the rows of new
/// users follows.
pub(super) async fn fold(work: &Transaction<'_>, folded: &Folded) -> Result<Vec<RowId>> {
    let Folded { claims, users, names, settled, wanted, addends, .. } = folded;
    prepare(work).await?;
    claim::check(work, claims).await?;
    let users = Users::of(users);
    // All answers are waited for: after a failure the others only say that there was one, and may be looked at first.
    let (rows, names, settled, advanced, taught, told) = tokio::join!(
        biased;
        users.put(work),
        names::add(work, names),
        settle(work, settled),
        claim::advance(work, folded),
        learning::add(work, addends),
        tell(work, folded),
    );
    let rows = rows?;
    names.and(settled).and(advanced).and(taught).and(told)?;
    let rows = users.add(work, &rows).await?;
    book::want(work, wanted).await?;
    Ok(rows)
}

/// Has every statement at hand, so that they go out in the order of their calls, and the first that fails is the first
/// whose failure is told.
async fn prepare(work: &Transaction<'_>) -> Result<()> {
    let own = [SETTLE, NOTIFY];
    let ours = [&claim::OF_CLAIMS[..], &OF_USERS, &names::OF_NAMES, &learning::OF_ADDENDS];
    let all = [&ours.concat()[..], &own].concat();
    for statement in all {
        work.prepare_cached(statement).await?;
    }
    Ok(())
}

/// Frees what was reserved for decisions that are in the profiles now.
async fn settle(work: &Transaction<'_>, settled: &[(UserKey, DecisionId)]) -> Result<()> {
    if settled.is_empty() {
        return Ok(());
    }
    let products: Vec<&str> = settled.iter().map(|(key, _)| key.product.as_str()).collect();
    let users: Vec<&str> = settled.iter().map(|(key, _)| key.user.as_str()).collect();
    let decisions: Vec<Uuid> = settled.iter().map(|(_, id)| Uuid::of_decision(*id)).collect();
    let statement = work.prepare_cached(SETTLE).await?;
    work.execute(&statement, &[&products, &users, &decisions]).await?;
    Ok(())
}

/// Tells who changed, once the transaction is committed.
async fn tell(work: &Transaction<'_>, folded: &Folded) -> Result<()> {
    if folded.users.is_empty() {
        return Ok(());
    }
    let statement = work.prepare_cached(NOTIFY).await?;
    work.execute(&statement, &[&listen::message(&folded.users)]).await?;
    Ok(())
}
