//! Who may write which partition, and how far it is. Must not write what a partition is folded to.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::{Client, Transaction};
use pilotage_domain::event::Position;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::feed::Partition;
use pilotage_engine::port::log::EntryName;
use pilotage_engine::port::shared::{Claim, Dated, Folded, Verdict};
use tokio_postgres::Row;

use crate::postgres::column::{cell, from_number, number, position};
use crate::postgres::fault::{Fault, Result};

/// A row that exists is locked before it is changed: this waits for the transaction of who had the partition.
const CLAIM: &str = "
    INSERT INTO partitions AS p (partition, epoch, applied)
    SELECT i.partition, 1, i.partition::bigint << 48 FROM unnest($1::integer[]) AS i (partition)
    ON CONFLICT (partition) DO UPDATE SET epoch = p.epoch + 1
    RETURNING partition, epoch, applied";
const LOCK: &str = "
    SELECT partition, epoch, applied FROM partitions
    WHERE partition = ANY ($1::integer[]) ORDER BY partition FOR UPDATE";
const ADVANCE: &str = "
    UPDATE partitions p
    SET applied = i.applied, newest_event = greatest(p.newest_event, $4),
        newest_day = greatest(p.newest_day, i.newest_day)
    FROM unnest($1::integer[], $2::bigint[], $3::integer[])
        AS i (partition, applied, newest_day)
    WHERE p.partition = i.partition";

const APPLIED: &str = "SELECT partition, applied FROM partitions";

/// Statements that `check` and `advance` need.
pub(super) const OF_CLAIMS: [&str; 2] = [LOCK, ADVANCE];

/// Takes the partitions over, in the order of their numbers; the claims in the order asked.
pub(super) async fn claim(client: &Client, partitions: &[Partition]) -> Result<Vec<Claim>> {
    let once: BTreeSet<Partition> = partitions.iter().copied().collect();
    let numbers: Vec<i32> = once.into_iter().map(|partition| partition.0.into()).collect();
    let statement = client.prepare_cached(CLAIM).await?;
    let rows = client.query(&statement, &[&numbers]).await?;
    let claims = rows.iter().map(|row| Ok((partition(row)?, stands(row)?)));
    let claims = claims.collect::<Result<BTreeMap<Partition, Claim>>>()?;
    let missing = || Fault::Damaged("a partition was not claimed".to_owned());
    partitions.iter().map(|asked| claims.get(asked).copied().ok_or_else(missing)).collect()
}

/// Locks the claims' partitions, and refuses what is outdated or goes back.
pub(super) async fn check(work: &Transaction<'_>, claims: &[Claim]) -> Result<()> {
    let numbers: Vec<i32> = claims.iter().map(|claim| claim.partition.0.into()).collect();
    let statement = work.prepare_cached(LOCK).await?;
    let rows = work.query(&statement, &[&numbers]).await?;
    let stand = rows.iter().map(|row| Ok((partition(row)?, stands(row)?)));
    let stand = stand.collect::<Result<BTreeMap<Partition, Claim>>>()?;
    for claim in claims {
        let fenced = Fault::Fenced(claim.partition);
        let Some(stands) = stand.get(&claim.partition) else { return Err(fenced) };
        match claim.judge(stands.epoch, stands.applied) {
            Verdict::Store => {}
            Verdict::Fenced => return Err(fenced),
            Verdict::Backwards => {
                let number = claim.partition.0;
                return Err(Fault::Damaged(format!("partition {number} would go back")));
            }
        }
    }
    Ok(())
}

/// Notes how far the claims go now, and the newest of what was folded.
pub(super) async fn advance(work: &Transaction<'_>, folded: &Folded) -> Result<()> {
    let Folded { claims, names, newest_event, .. } = folded;
    let numbers: Vec<i32> = claims.iter().map(|claim| claim.partition.0.into()).collect();
    let applied: Vec<i64> = claims.iter().map(|claim| from_number(claim.applied.0)).collect();
    let days: Vec<Option<i32>> = claims.iter().map(|claim| newest_day(claim, names)).collect();
    let newest_event = newest_event.map(Timestamp::as_millis);
    let statement = work.prepare_cached(ADVANCE).await?;
    work.execute(&statement, &[&numbers, &applied, &days, &newest_event]).await?;
    Ok(())
}

/// The newest day of the events among them that stand in the claim's partition.
fn newest_day(claim: &Claim, names: &[(Dated, Position)]) -> Option<i32> {
    let is_event = |dated: &Dated| matches!(dated.name.name, EntryName::Event(_));
    let own = |at: Position| Partition::of(at) == claim.partition;
    let days = names.iter().filter(|(dated, at)| is_event(dated) && own(*at));
    days.map(|(dated, _)| dated.day.number()).max()
}

/// How far every partition that was ever claimed is folded.
pub(super) async fn applied(client: &Client) -> Result<BTreeMap<Partition, Position>> {
    places(&client.query(APPLIED, &[]).await?)
}

/// The same, as a transaction sees it.
pub(super) async fn applied_within(
    work: &Transaction<'_>,
) -> Result<BTreeMap<Partition, Position>> {
    places(&work.query(APPLIED, &[]).await?)
}

fn places(rows: &[Row]) -> Result<BTreeMap<Partition, Position>> {
    rows.iter().map(|row| Ok((partition(row)?, position(row, 1)?))).collect()
}

fn partition(row: &Row) -> Result<Partition> {
    let number: i32 = cell(row, 0)?;
    let fits = u16::try_from(number).map(Partition);
    fits.map_err(|_| Fault::Damaged(format!("{number} is no partition")))
}

/// The row as a claim of who holds it.
fn stands(row: &Row) -> Result<Claim> {
    Ok(Claim { partition: partition(row)?, epoch: number(row, 1)?, applied: position(row, 2)? })
}
