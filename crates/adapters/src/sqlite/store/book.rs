//! Situations that wait, pages and the budget's ledger in `store.sqlite`. Must not be touched by a reset.

use bytes::Bytes;
use pilotage_domain::advise::budget::{self, Caps, Command, Effect, Ledger};
use pilotage_domain::advise::queue::{Job, Knows, worth};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use pilotage_domain::number::Probability;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::Answer;
use pilotage_engine::port::book::{
    BEGINNING, Book, Ended, Ending, Kind, MOST_WAITING, NewPage, Page, Reading, Turn, Waiting,
    Wanted, chained, decode_ledger, encode_ledger,
};
use pilotage_engine::port::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::row::{self, Result, RowError};
use super::write::Work;
use super::{SqliteStore, read};
use crate::sqlite::sum;

impl Book for SqliteStore {
    fn want(&self, wanted: Vec<Wanted>) -> Answer<'_, std::result::Result<(), StoreError>> {
        self.writing(move |work| want(work, &wanted))
    }

    fn next_job(&self, turn: Turn) -> Answer<'_, std::result::Result<Option<Waiting>, StoreError>> {
        self.writing(move |work| next_job(work.connection, turn))
    }

    fn end_job(&self, ended: Ended) -> Answer<'_, std::result::Result<u64, StoreError>> {
        self.writing(move |work| end_job(work, &ended))
    }

    fn waiting(&self) -> Answer<'_, std::result::Result<u64, StoreError>> {
        self.reading(|connection| {
            let count: i64 =
                connection.query_row("SELECT count(*) FROM job", [], |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    fn write_pages(&self, pages: Vec<NewPage>) -> Answer<'_, std::result::Result<u64, StoreError>> {
        self.writing(move |work| write_pages(work, &pages))
    }

    fn pages(&self, reading: Reading) -> Answer<'_, std::result::Result<Vec<Page>, StoreError>> {
        self.reading(move |connection| {
            let behind = "SELECT number, at, product, kind, hash, sum, body FROM page
                WHERE number > ? AND (kind <> 0 OR at >= ?) ORDER BY number LIMIT ?";
            let since = reading.answers_since.map_or(i64::MIN, Timestamp::as_millis);
            let limit = column(reading.limit as u64);
            all_pages(connection, behind, params![column(reading.after), since, limit])
        })
    }

    fn answers(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: usize,
    ) -> Answer<'_, std::result::Result<Vec<Page>, StoreError>> {
        let product = product.clone();
        self.reading(move |connection| {
            let newest = "SELECT number, at, product, kind, hash, sum, body FROM page
                WHERE kind = 0 AND product = ? AND number < ? ORDER BY number DESC LIMIT ?";
            let before = before.map_or(i64::MAX, column);
            all_pages(connection, newest, params![product.as_str(), before, column(limit as u64)])
        })
    }

    fn page_of(&self, number: u64) -> Answer<'_, std::result::Result<Option<Page>, StoreError>> {
        self.reading(move |connection| {
            let one =
                "SELECT number, at, product, kind, hash, sum, body FROM page WHERE number = ?";
            Ok(all_pages(connection, one, params![column(number)])?.pop())
        })
    }

    fn step_budget(
        &self,
        caps: Caps,
        command: Command,
        now: Timestamp,
    ) -> Answer<'_, std::result::Result<(Ledger, Vec<Effect>), StoreError>> {
        self.writing(move |work| step_budget(work.connection, &caps, command, now))
    }
}

/// Numbers of ours are far below 2⁶³.
fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Takes note of situations that were met, and drops those that are worth least of too many.
pub(super) fn want(work: &mut Work<'_>, wanted: &[Wanted]) -> Result<()> {
    let note =
        "INSERT INTO job (product, signature, traffic, uncertainty, thousandths, stale, since,
            not_before, taken_until, failures, sum, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)
        ON CONFLICT (product, signature) DO UPDATE SET
            traffic = traffic + excluded.traffic, uncertainty = excluded.uncertainty,
            thousandths = excluded.thousandths, stale = excluded.stale,
            sum = excluded.sum, body = excluded.body";
    let drop_least = "DELETE FROM job WHERE id IN (
        SELECT id FROM job ORDER BY traffic * thousandths DESC, since, signature LIMIT -1 OFFSET ?)";
    if wanted.is_empty() {
        return Ok(());
    }
    let mut statement = work.connection.prepare_cached(note)?;
    let mut written = 0;
    for Wanted { product, job, brief } in wanted {
        let signature = job.signature.as_bytes();
        statement.execute(params![
            product.as_str(),
            signature,
            column(job.traffic),
            job.uncertainty.get(),
            column(worth(1, job.uncertainty).get()),
            job.knows == Knows::Stale,
            job.since.as_millis(),
            job.not_before.as_millis(),
            job_sum(product.as_str(), signature, brief),
            brief.as_ref(),
        ])?;
        written += brief.len();
    }
    work.connection.prepare_cached(drop_least)?.execute([column(MOST_WAITING as u64)])?;
    work.wrote(written);
    Ok(())
}

/// Of what must not change on the way: a count that is off makes no wrong question.
fn job_sum(product: &str, signature: &[u8], brief: &[u8]) -> u32 {
    sum::of(&[], &[product.as_bytes(), signature, brief])
}

fn next_job(connection: &Connection, turn: Turn) -> Result<Option<Waiting>> {
    let first = "SELECT id, product, signature, traffic, uncertainty, stale, since, not_before,
            failures, sum, body
        FROM job WHERE traffic >= ?1 AND not_before <= ?2 AND taken_until <= ?2
        ORDER BY traffic * thousandths DESC, since, signature LIMIT 1";
    let mut statement = connection.prepare_cached(first)?;
    let mut rows = statement.query(params![column(turn.least_traffic), turn.now.as_millis()])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    let (id, waiting): (i64, Waiting) = (found.get(0)?, waiting_of(found)?);
    let take = "UPDATE job SET taken_until = ? WHERE id = ?";
    connection.prepare_cached(take)?.execute(params![turn.until.as_millis(), id])?;
    Ok(Some(waiting))
}

fn waiting_of(found: &Row<'_>) -> Result<Waiting> {
    let damaged = |what: &str| RowError::Damaged(format!("a situation that waits: {what}"));
    let product: String = found.get(1)?;
    let (signature, brief) = (row::blob(found, 2)?, row::blob(found, 10)?);
    let fits = job_sum(&product, signature, brief) == found.get::<_, u32>(9)?;
    row::check("a situation that waits", fits)?;
    let bytes: [u8; 32] = signature.try_into().map_err(|_| damaged("its name"))?;
    let job = Job {
        signature: ContentHash::from_bytes(bytes),
        traffic: u64::try_from(found.get::<_, i64>(3)?).unwrap_or(0),
        uncertainty: Probability::new(found.get(4)?).ok_or_else(|| damaged("its uncertainty"))?,
        knows: if found.get(5)? { Knows::Stale } else { Knows::Nothing },
        since: Timestamp::from_millis(found.get(6)?),
        not_before: Timestamp::from_millis(found.get(7)?),
    };
    let product = read::name(ProductId::new(&product))?;
    let wanted = Wanted { product, job, brief: Bytes::copy_from_slice(brief) };
    Ok(Waiting { wanted, failures: u32::try_from(found.get::<_, i64>(8)?).unwrap_or(u32::MAX) })
}

fn end_job(work: &mut Work<'_>, ended: &Ended) -> Result<u64> {
    let (product, signature) = (ended.product.as_str(), ended.signature.as_bytes());
    match ended.ending {
        Ending::Over => {
            let over = "DELETE FROM job WHERE product = ? AND signature = ?";
            work.connection.prepare_cached(over)?.execute(params![product, signature])?;
        }
        Ending::Rests { until, failures } => {
            let rests = "UPDATE job SET not_before = ?, failures = ?, taken_until = 0
                WHERE product = ? AND signature = ?";
            let mut statement = work.connection.prepare_cached(rests)?;
            statement.execute(params![until.as_millis(), failures, product, signature])?;
        }
    }
    write_pages(work, &ended.pages)
}

/// Writes pages behind the last one; the number of the last one then.
fn write_pages(work: &mut Work<'_>, pages: &[NewPage]) -> Result<u64> {
    let last = "SELECT number, hash FROM page ORDER BY number DESC LIMIT 1";
    let found = work.connection.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (mut number, mut before): (i64, [u8; 32]) =
        found.optional()?.unwrap_or((0, *BEGINNING.as_bytes()));
    let insert = "INSERT INTO page (number, at, product, kind, hash, sum, body)
        VALUES (?, ?, ?, ?, ?, ?, ?)";
    let mut statement = work.connection.prepare_cached(insert)?;
    let mut written = 0;
    for page in pages {
        number += 1;
        let hash = chained(ContentHash::from_bytes(before), number.cast_unsigned(), page);
        before = *hash.as_bytes();
        let (at, product, kind) = (page.at.as_millis(), page.product.as_str(), code(page.kind));
        let sum = page_sum(number, page, &hash);
        statement.execute(params![number, at, product, kind, before, sum, page.body.as_ref()])?;
        written += page.body.len();
    }
    work.wrote(written);
    Ok(number.cast_unsigned())
}

const fn code(kind: Kind) -> i64 {
    match kind {
        Kind::Answer => 0,
        Kind::Ruling => 1,
    }
}

fn page_sum(number: i64, page: &NewPage, hash: &ContentHash) -> u32 {
    let numbers = [number, page.at.as_millis(), code(page.kind)];
    sum::of(&numbers, &[page.product.as_str().as_bytes(), hash.as_bytes(), &page.body])
}

fn all_pages(
    connection: &Connection,
    query: &str,
    asked: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Page>> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(asked)?;
    let mut pages = Vec::new();
    while let Some(found) = rows.next()? {
        pages.push(page_from(found)?);
    }
    Ok(pages)
}

fn page_from(found: &Row<'_>) -> Result<Page> {
    let number: i64 = found.get(0)?;
    let kind = match found.get(3)? {
        0 => Kind::Answer,
        1 => Kind::Ruling,
        other => return Err(RowError::Damaged(format!("page {number}: kind {other} is none"))),
    };
    let page = NewPage {
        product: read::name(ProductId::new(&found.get::<_, String>(2)?))?,
        at: Timestamp::from_millis(found.get(1)?),
        kind,
        body: Bytes::copy_from_slice(row::blob(found, 6)?),
    };
    let hash = ContentHash::from_bytes(found.get(4)?);
    row::check(
        &format!("page {number}"),
        page_sum(number, &page, &hash) == found.get::<_, u32>(5)?,
    )?;
    Ok(Page { number: number.cast_unsigned(), page, hash })
}

fn step_budget(
    connection: &Connection,
    caps: &Caps,
    command: Command,
    now: Timestamp,
) -> Result<(Ledger, Vec<Effect>)> {
    let kept = "SELECT body, sum FROM ledger";
    let found = connection.query_row(kept, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let found: Option<(Vec<u8>, u32)> = found.optional()?;
    let ledger = match found {
        None => Ledger::default(),
        Some((body, sum)) => {
            row::check("the budget's ledger", sum::of(&[], &[&body]) == sum)?;
            decode_ledger(&body).map_err(RowError::Damaged)?
        }
    };
    let (next, effects) = budget::step(ledger.clone(), caps, command, now);
    if next != ledger {
        let body = encode_ledger(&next);
        let keep = "INSERT OR REPLACE INTO ledger VALUES (1, ?, ?)";
        connection.prepare_cached(keep)?.execute(params![sum::of(&[], &[&body]), body])?;
    }
    Ok((next, effects))
}
