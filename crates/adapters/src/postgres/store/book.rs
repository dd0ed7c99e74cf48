//! Situations that wait, pages and the budget's ledger. Must not be touched by a reset.

use bytes::Bytes;
use deadpool_postgres::{Client, Transaction};
use pilotage_domain::advise::budget::{self, Caps, Command, Effect, Ledger};
use pilotage_domain::advise::queue::{Job, Knows, worth};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use pilotage_domain::number::Probability;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::Answer;
use pilotage_engine::port::book::{
    Book, Ended, Ending, Kind, MOST_WAITING, NewPage, Page, Reading, Turn, Waiting, Wanted,
    chained, decode_ledger, encode_ledger,
};
use pilotage_engine::port::store::StoreError;
use tokio_postgres::Row;

use super::{PostgresStore, answer};
use crate::postgres::column::{bytes_32, cell, from_number, name, number};
use crate::postgres::fault::{Fault, Result};

const WANT: &str = "
    INSERT INTO jobs AS j
        (product, signature, traffic, uncertainty, thousandths, stale, since, not_before, brief)
    SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::double precision[], $5::bigint[],
        $6::boolean[], $7::bigint[], $8::bigint[], $9::bytea[])
    ON CONFLICT (product, signature) DO UPDATE SET traffic = j.traffic + excluded.traffic,
        uncertainty = excluded.uncertainty, thousandths = excluded.thousandths,
        stale = excluded.stale, brief = excluded.brief";
const DROP_LEAST: &str = "
    DELETE FROM jobs WHERE (product, signature) IN (SELECT product, signature FROM jobs
        ORDER BY traffic * thousandths DESC, since, signature OFFSET $1)";
/// A row that somebody else takes just now is passed over.
const NEXT: &str = "
    UPDATE jobs SET taken_until = $3 WHERE (product, signature) = (
        SELECT product, signature FROM jobs
        WHERE traffic >= $1 AND not_before <= $2 AND taken_until <= $2
        ORDER BY traffic * thousandths DESC, since, signature LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING product, signature, traffic, uncertainty, stale, since, not_before, failures, brief";
const LAST_PAGE: &str = "SELECT number, hash FROM book FOR UPDATE";
const WRITE: &str = "
    INSERT INTO pages (number, at, kind, product, hash, body)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::text[], $5::bytea[], $6::bytea[])";
const BEHIND: &str = "
    SELECT number, at, kind, product, hash, body FROM pages
    WHERE number > $1 AND (kind <> 0 OR at >= $2) ORDER BY number LIMIT $3";
const ANSWERS: &str = "
    SELECT number, at, kind, product, hash, body FROM pages
    WHERE kind = 0 AND product = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
const ONE: &str = "SELECT number, at, kind, product, hash, body FROM pages WHERE number = $1";

impl Book for PostgresStore {
    fn want(&self, wanted: Vec<Wanted>) -> Answer<'_, std::result::Result<(), StoreError>> {
        answer(self.pool.transact(wanted, |work, wanted| Box::pin(want(work, wanted))))
    }

    fn next_job(&self, turn: Turn) -> Answer<'_, std::result::Result<Option<Waiting>, StoreError>> {
        answer(self.pool.transact(turn, |work, turn| Box::pin(next_job(work, *turn))))
    }

    fn end_job(&self, ended: Ended) -> Answer<'_, std::result::Result<u64, StoreError>> {
        answer(self.pool.transact(ended, |work, ended| Box::pin(end_job(work, ended))))
    }

    fn waiting(&self) -> Answer<'_, std::result::Result<u64, StoreError>> {
        answer(self.pool.read((), |client, ()| {
            Box::pin(async {
                number(&client.query_one("SELECT count(*) FROM jobs", &[]).await?, 0)
            })
        }))
    }

    fn write_pages(&self, pages: Vec<NewPage>) -> Answer<'_, std::result::Result<u64, StoreError>> {
        answer(self.pool.transact(pages, |work, pages| Box::pin(write_pages(work, pages))))
    }

    fn pages(&self, reading: Reading) -> Answer<'_, std::result::Result<Vec<Page>, StoreError>> {
        answer(self.pool.read(reading, |client, reading| Box::pin(pages(client, *reading))))
    }

    fn answers(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: usize,
    ) -> Answer<'_, std::result::Result<Vec<Page>, StoreError>> {
        let asked = (product.clone(), before.map_or(i64::MAX, from_number), limit);
        answer(self.pool.read(asked, |client, (product, before, limit)| {
            Box::pin(answers(client, product, *before, *limit))
        }))
    }

    fn page_of(&self, number: u64) -> Answer<'_, std::result::Result<Option<Page>, StoreError>> {
        answer(self.pool.read(from_number(number), |client, number| {
            Box::pin(async {
                let found = client.query_opt(ONE, &[number]).await?;
                found.map(|row| page_from(&row)).transpose()
            })
        }))
    }

    fn step_budget(
        &self,
        caps: Caps,
        command: Command,
        now: Timestamp,
    ) -> Answer<'_, std::result::Result<(Ledger, Vec<Effect>), StoreError>> {
        let asked = (caps, command, now);
        answer(self.pool.transact(asked, |work, (caps, command, now)| {
            Box::pin(step_budget(work, caps, command, *now))
        }))
    }
}

/// Takes note of situations that were met, in the order of their names so that no two wait for each other, and drops those
/// that are worth least of too many.
pub(in crate::postgres) async fn want(work: &Transaction<'_>, wanted: &[Wanted]) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut all: Vec<&Wanted> = wanted.iter().collect();
    all.sort_by_key(|w| (&w.product, w.job.signature));
    let products: Vec<&str> = all.iter().map(|w| w.product.as_str()).collect();
    let signatures: Vec<&[u8]> =
        all.iter().map(|w| w.job.signature.as_bytes().as_slice()).collect();
    let traffic: Vec<i64> = all.iter().map(|w| from_number(w.job.traffic)).collect();
    let uncertainty: Vec<f64> = all.iter().map(|w| w.job.uncertainty.get()).collect();
    let thousandths: Vec<i64> =
        all.iter().map(|w| from_number(worth(1, w.job.uncertainty).get())).collect();
    let stale: Vec<bool> = all.iter().map(|w| w.job.knows == Knows::Stale).collect();
    let since: Vec<i64> = all.iter().map(|w| w.job.since.as_millis()).collect();
    let not_before: Vec<i64> = all.iter().map(|w| w.job.not_before.as_millis()).collect();
    let briefs: Vec<&[u8]> = all.iter().map(|w| w.brief.as_ref()).collect();
    let statement = work.prepare_cached(WANT).await?;
    work.execute(
        &statement,
        &[
            &products,
            &signatures,
            &traffic,
            &uncertainty,
            &thousandths,
            &stale,
            &since,
            &not_before,
            &briefs,
        ],
    )
    .await?;
    let statement = work.prepare_cached(DROP_LEAST).await?;
    work.execute(&statement, &[&from_number(MOST_WAITING as u64)]).await?;
    Ok(())
}

async fn next_job(work: &Transaction<'_>, turn: Turn) -> Result<Option<Waiting>> {
    let statement = work.prepare_cached(NEXT).await?;
    let least = from_number(turn.least_traffic);
    let (now, until) = (turn.now.as_millis(), turn.until.as_millis());
    let found = work.query_opt(&statement, &[&least, &now, &until]).await?;
    found.map(|row| waiting_of(&row)).transpose()
}

fn waiting_of(row: &Row) -> Result<Waiting> {
    let uncertainty = Probability::new(cell(row, 3)?);
    let job = Job {
        signature: ContentHash::from_bytes(bytes_32(row, 1)?),
        traffic: number(row, 2)?,
        uncertainty: uncertainty
            .ok_or_else(|| Fault::Damaged("an uncertainty out of range".to_owned()))?,
        knows: if cell(row, 4)? { Knows::Stale } else { Knows::Nothing },
        since: Timestamp::from_millis(cell(row, 5)?),
        not_before: Timestamp::from_millis(cell(row, 6)?),
    };
    let brief = Bytes::copy_from_slice(cell(row, 8)?);
    let wanted = Wanted { product: name(row, 0)?, job, brief };
    Ok(Waiting { wanted, failures: u32::try_from(number(row, 7)?).unwrap_or(u32::MAX) })
}

async fn end_job(work: &Transaction<'_>, ended: &Ended) -> Result<u64> {
    let (product, signature) = (ended.product.as_str(), ended.signature.as_bytes().as_slice());
    match ended.ending {
        Ending::Over => {
            let over = "DELETE FROM jobs WHERE product = $1 AND signature = $2";
            work.execute(over, &[&product, &signature]).await?;
        }
        Ending::Rests { until, failures } => {
            let rests = "UPDATE jobs SET not_before = $3, failures = $4, taken_until = 0
                WHERE product = $1 AND signature = $2";
            let (until, failures) = (until.as_millis(), i64::from(failures));
            work.execute(rests, &[&product, &signature, &until, &failures]).await?;
        }
    }
    write_pages(work, &ended.pages).await
}

/// Writes pages behind the last one; the number of the last one then.
async fn write_pages(work: &Transaction<'_>, pages: &[NewPage]) -> Result<u64> {
    let row = work.query_one(LAST_PAGE, &[]).await?;
    let (mut last, mut before) = (number(&row, 0)?, ContentHash::from_bytes(bytes_32(&row, 1)?));
    if pages.is_empty() {
        return Ok(last);
    }
    let (mut numbers, mut hashes) = (Vec::new(), Vec::new());
    for page in pages {
        last += 1;
        before = chained(before, last, page);
        numbers.push(from_number(last));
        hashes.push(before);
    }
    let at: Vec<i64> = pages.iter().map(|page| page.at.as_millis()).collect();
    let kinds: Vec<i16> = pages.iter().map(|page| code(page.kind)).collect();
    let products: Vec<&str> = pages.iter().map(|page| page.product.as_str()).collect();
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
    let bodies: Vec<&[u8]> = pages.iter().map(|page| page.body.as_ref()).collect();
    work.execute(WRITE, &[&numbers, &at, &kinds, &products, &hashes, &bodies]).await?;
    let turn = "UPDATE book SET number = $1, hash = $2";
    work.execute(turn, &[&from_number(last), &before.as_bytes().as_slice()]).await?;
    Ok(last)
}

const fn code(kind: Kind) -> i16 {
    match kind {
        Kind::Answer => 0,
        Kind::Ruling => 1,
    }
}

async fn pages(client: &Client, reading: Reading) -> Result<Vec<Page>> {
    let since = reading.answers_since.map_or(i64::MIN, Timestamp::as_millis);
    let (after, limit) = (from_number(reading.after), from_number(reading.limit as u64));
    let statement = client.prepare_cached(BEHIND).await?;
    let found = client.query(&statement, &[&after, &since, &limit]).await?;
    found.iter().map(page_from).collect()
}

async fn answers(
    client: &Client,
    product: &ProductId,
    before: i64,
    limit: usize,
) -> Result<Vec<Page>> {
    let limit = from_number(limit as u64);
    let found = client.query(ANSWERS, &[&product.as_str(), &before, &limit]).await?;
    found.iter().map(page_from).collect()
}

fn page_from(row: &Row) -> Result<Page> {
    let kind = match cell::<i16>(row, 2)? {
        0 => Kind::Answer,
        1 => Kind::Ruling,
        other => return Err(Fault::Damaged(format!("kind {other} of a page is none"))),
    };
    let page = NewPage {
        product: name(row, 3)?,
        at: Timestamp::from_millis(cell(row, 1)?),
        kind,
        body: Bytes::copy_from_slice(cell(row, 5)?),
    };
    Ok(Page { number: number(row, 0)?, page, hash: ContentHash::from_bytes(bytes_32(row, 4)?) })
}

async fn step_budget(
    work: &Transaction<'_>,
    caps: &Caps,
    command: &Command,
    now: Timestamp,
) -> Result<(Ledger, Vec<Effect>)> {
    let row = work.query_one("SELECT body FROM ledger FOR UPDATE", &[]).await?;
    let body: &[u8] = cell(&row, 0)?;
    let ledger = match body {
        [] => Ledger::default(),
        body => decode_ledger(body).map_err(Fault::Damaged)?,
    };
    let (next, effects) = budget::step(ledger.clone(), caps, command.clone(), now);
    if next != ledger {
        let body = encode_ledger(&next);
        work.execute("UPDATE ledger SET body = $1", &[&body]).await?;
    }
    Ok((next, effects))
}
