//! By which names records are known. Must not forget one.

use std::collections::HashMap;

use deadpool_postgres::{Client, Transaction};
use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;
use pilotage_engine::port::log::EntryName;
use pilotage_engine::port::shared::RecordName;

use crate::postgres::column::{Uuid, cell, from_number, position};
use crate::postgres::fault::Result;

const ADD_OTHERS: &str = "
    INSERT INTO names (name, position) SELECT * FROM unnest($1::uuid[], $2::bigint[])";
const ADD_DECISIONS: &str = "
    INSERT INTO decisions (decision, position) SELECT * FROM unnest($1::uuid[], $2::bigint[])";
const FIND_OTHERS: &str = "SELECT name, position FROM names WHERE name = ANY ($1::uuid[])";
const FIND_DECISIONS: &str =
    "SELECT decision, position FROM decisions WHERE decision = ANY ($1::uuid[])";

/// Statements that `add` may need.
pub(super) const OF_NAMES: [&str; 2] = [ADD_OTHERS, ADD_DECISIONS];

/// Names, each under what it is stored by.
#[derive(Default)]
struct Sorted {
    others: (Vec<Uuid>, Vec<i64>),
    decisions: (Vec<Uuid>, Vec<i64>),
}

fn is_decision(name: &RecordName) -> bool {
    matches!(name.name, EntryName::Decision(_))
}

/// Adds the names; each must be new.
pub(super) async fn add(work: &Transaction<'_>, names: &[(RecordName, Position)]) -> Result<()> {
    let mut sorted = Sorted::default();
    for (name, position) in names {
        let columns = if is_decision(name) { &mut sorted.decisions } else { &mut sorted.others };
        columns.0.push(Uuid::of_name(&name.key, &name.name));
        columns.1.push(from_number(position.0));
    }
    let Sorted { others, decisions } = sorted;
    // Both are waited for: the failure of the first is the one that tells.
    let (others, decisions) = tokio::join!(
        biased;
        insert(work, ADD_OTHERS, others),
        insert(work, ADD_DECISIONS, decisions),
    );
    others.and(decisions)
}

async fn insert(
    work: &Transaction<'_>,
    insert: &str,
    (names, positions): (Vec<Uuid>, Vec<i64>),
) -> Result<()> {
    if !names.is_empty() {
        let statement = work.prepare_cached(insert).await?;
        work.execute(&statement, &[&names, &positions]).await?;
    }
    Ok(())
}

/// Where the records of these names took effect.
pub(super) async fn positions(
    client: &Client,
    names: &[RecordName],
) -> Result<Vec<Option<Position>>> {
    let stored: Vec<(Uuid, bool)> = names
        .iter()
        .map(|name| (Uuid::of_name(&name.key, &name.name), is_decision(name)))
        .collect();
    let of = |kind| stored.iter().filter(move |(_, is_decision)| *is_decision == kind);
    let (others, decisions): (Vec<Uuid>, Vec<Uuid>) =
        (of(false).map(|name| name.0).collect(), of(true).map(|name| name.0).collect());
    let (others, decisions) = tokio::try_join!(
        biased;
        find(client, FIND_OTHERS, others),
        find(client, FIND_DECISIONS, decisions),
    )?;
    let known = |(name, is_decision): &(Uuid, bool)| {
        let known = if *is_decision { &decisions } else { &others };
        known.get(name).copied()
    };
    Ok(stored.iter().map(known).collect())
}

async fn find(client: &Client, query: &str, names: Vec<Uuid>) -> Result<HashMap<Uuid, Position>> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let statement = client.prepare_cached(query).await?;
    let rows = client.query(&statement, &[&names]).await?;
    rows.iter().map(|row| Ok((cell(row, 0)?, position(row, 1)?))).collect()
}

/// Where the decision stands in the log.
pub(super) async fn decision(client: &Client, id: DecisionId) -> Result<Option<Position>> {
    let found = find(client, FIND_DECISIONS, vec![Uuid::of_decision(id)]).await?;
    Ok(found.into_values().next())
}
