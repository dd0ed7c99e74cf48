//! By which names records are known. Must not forget one.

use std::collections::HashMap;

use deadpool_postgres::{Client, Transaction};
use pilotage_domain::event::Position;
use pilotage_domain::id::DecisionId;
use pilotage_engine::port::log::EntryName;
use pilotage_engine::port::shared::{Dated, Day, REMEMBERED_DAYS};
use tokio_postgres::Row;

use crate::postgres::column::{Uuid, cell, from_number, position};
use crate::postgres::fault::{Fault, Result};

/// A name that is known on its day is passed over; whoever adds counts.
const ADD_OTHERS: &str = "
    INSERT INTO names AS n (name, position, day)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[])
    ON CONFLICT (name) DO UPDATE SET position = excluded.position, day = excluded.day
    WHERE excluded.day - n.day > $4";
const ADD_DECISIONS: &str = "
    INSERT INTO decisions (decision, position) SELECT * FROM unnest($1::uuid[], $2::bigint[])";
const FIND_OTHERS: &str = "SELECT name, position, day FROM names WHERE name = ANY ($1::uuid[])";
const FIND_DECISIONS: &str =
    "SELECT decision, position FROM decisions WHERE decision = ANY ($1::uuid[])";

/// Statements that `add` may need.
pub(super) const OF_NAMES: [&str; 2] = [ADD_OTHERS, ADD_DECISIONS];

/// Names, column by column, as they are stored.
#[derive(Default)]
struct Sorted {
    others: (Vec<Uuid>, Vec<i64>),
    days: Vec<i32>,
    decisions: (Vec<Uuid>, Vec<i64>),
}

impl Sorted {
    fn of(names: &[(Dated, Position)]) -> Self {
        let mut sorted = Self::default();
        for (Dated { name, day }, position) in names {
            let columns = match &name.name {
                EntryName::Decision(_) => &mut sorted.decisions,
                _ => {
                    sorted.days.push(day.number());
                    &mut sorted.others
                }
            };
            columns.0.push(Uuid::of_name(&name.key, &name.name));
            columns.1.push(from_number(position.0));
        }
        sorted
    }
}

/// Adds the names; none may be known on its day.
pub(super) async fn add(work: &Transaction<'_>, names: &[(Dated, Position)]) -> Result<()> {
    let Sorted { others, days, decisions } = Sorted::of(names);
    // Both are waited for: the failure of the first is the one that tells.
    let (others, decisions) =
        tokio::join!(biased; add_others(work, others, days), add_decisions(work, decisions));
    others.and(decisions)
}

async fn add_others(
    work: &Transaction<'_>,
    (names, positions): (Vec<Uuid>, Vec<i64>),
    days: Vec<i32>,
) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let statement = work.prepare_cached(ADD_OTHERS).await?;
    let added = work.execute(&statement, &[&names, &positions, &days, &REMEMBERED_DAYS]).await?;
    if added == names.len() as u64 {
        Ok(())
    } else {
        Err(Fault::Damaged("a record's name is known already".to_owned()))
    }
}

async fn add_decisions(
    work: &Transaction<'_>,
    (names, positions): (Vec<Uuid>, Vec<i64>),
) -> Result<()> {
    if !names.is_empty() {
        let statement = work.prepare_cached(ADD_DECISIONS).await?;
        work.execute(&statement, &[&names, &positions]).await?;
    }
    Ok(())
}

/// Where the records of these names took effect, as known on their days.
pub(super) async fn positions(client: &Client, names: &[Dated]) -> Result<Vec<Option<Position>>> {
    let stored: Vec<(Uuid, Option<Day>)> = names
        .iter()
        .map(|Dated { name, day }| {
            let is_decision = matches!(name.name, EntryName::Decision(_));
            (Uuid::of_name(&name.key, &name.name), (!is_decision).then_some(*day))
        })
        .collect();
    let of = |is_dated| stored.iter().filter(move |(_, day)| day.is_some() == is_dated);
    let (others, decisions): (Vec<Uuid>, Vec<Uuid>) =
        (of(true).map(|name| name.0).collect(), of(false).map(|name| name.0).collect());
    let (others, decisions) = tokio::try_join!(
        biased;
        find(client, FIND_OTHERS, others),
        find(client, FIND_DECISIONS, decisions),
    )?;
    let others: HashMap<Uuid, (Position, Day)> = others
        .iter()
        .map(|row| Ok((cell(row, 0)?, (position(row, 1)?, Day::new(cell(row, 2)?)))))
        .collect::<Result<_>>()?;
    let decisions: HashMap<Uuid, Position> = decisions
        .iter()
        .map(|row| Ok((cell(row, 0)?, position(row, 1)?)))
        .collect::<Result<_>>()?;
    let known = |(name, day): &(Uuid, Option<Day>)| match day {
        Some(day) => {
            let first = others.get(name).filter(|(_, first)| first.knows(*day));
            first.map(|(position, _)| *position)
        }
        None => decisions.get(name).copied(),
    };
    Ok(stored.iter().map(known).collect())
}

async fn find(client: &Client, query: &str, names: Vec<Uuid>) -> Result<Vec<Row>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let statement = client.prepare_cached(query).await?;
    Ok(client.query(&statement, &[&names]).await?)
}

/// Where the decision stands in the log.
pub(super) async fn decision(client: &Client, id: DecisionId) -> Result<Option<Position>> {
    let found = find(client, FIND_DECISIONS, vec![Uuid::of_decision(id)]).await?;
    found.first().map(|row| position(row, 1)).transpose()
}
