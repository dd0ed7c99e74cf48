//! Remembered events on disk: saved a span at a time, read at the start. Must not trust what it reads.

use pilotage_domain::event::Position;
use rusqlite::{Connection, OptionalExtension, params};

use super::remembered::{self, MarkKey, Marked, Remembered};
use super::row::{self, Named, RowError, damaged};
use super::{block, read};
use crate::sqlite::sum;

/// So many records are read at most at the start to know their marks; each such span costs one row and no commit.
const SPAN: u64 = 8_192;

/// Marks of committed events that are not saved yet.
#[derive(Debug)]
pub(super) struct Unsaved {
    /// All at or before this are saved.
    saved_to: Position,
    marks: Vec<Marked>,
}

impl Unsaved {
    /// Adds the events of a commit.
    pub(super) fn add(&mut self, marks: &[Marked]) {
        self.marks.extend_from_slice(marks);
    }

    /// Saves them in the transaction at hand, where the span up to `end` is full; whether it did. What is older than
    /// `oldest` is no longer needed.
    pub(super) fn save(
        &self,
        connection: &Connection,
        end: Position,
        oldest: Position,
    ) -> rusqlite::Result<bool> {
        if end.0 - self.saved_to.0 < SPAN {
            return Ok(false);
        }
        let marks = remembered::encode(&self.marks);
        let (first, last) = (row::to_column(self.saved_to) + 1, row::to_column(end));
        let insert = "INSERT INTO recent (first, last, sum, marks) VALUES (?, ?, ?, ?)";
        let sum = sum::of(&[first, last], &[&marks]);
        connection.execute(insert, params![first, last, sum, marks])?;
        connection.execute("DELETE FROM recent WHERE last < ?", [row::to_column(oldest)])?;
        Ok(true)
    }

    /// Forgets what `save` has saved, once that is durable.
    pub(super) fn saved(&mut self, end: Position) {
        self.saved_to = end;
        self.marks.clear();
    }
}

/// What a start finds.
#[derive(Debug)]
pub(super) struct Found {
    pub key: MarkKey,
    pub remembered: Remembered,
    pub unsaved: Unsaved,
    pub end: Position,
}

/// Reads the remembered marks, and the records whose marks were not saved.
pub(super) fn load(connection: &Connection, at_least: usize) -> Result<Found, RowError> {
    let end = block::end(connection)?;
    let key = load_key(connection, end)?;
    let mut remembered = Remembered::new(at_least);
    let saved_to = load_saved(connection, &mut remembered)?;
    let marks = load_unsaved(connection, key, (saved_to, end))?;
    marks.iter().for_each(|marked| remembered.insert(*marked));
    Ok(Found { key, remembered, unsaved: Unsaved { saved_to, marks }, end })
}

/// The key of the marks, a new one where the log is new.
fn load_key(connection: &Connection, end: Position) -> Result<MarkKey, RowError> {
    let query = "SELECT value FROM about WHERE key = 'mark_key'";
    let kept: Option<Vec<u8>> = connection.query_row(query, [], |row| row.get(0)).optional()?;
    let key = match kept {
        // Its checksum stands behind it.
        Some(kept) => kept.split_last_chunk::<4>().and_then(|(key, sum)| {
            let fits = crc32fast::hash(key).to_le_bytes() == *sum;
            key.try_into().ok().filter(|_| fits)
        }),
        None if end == Position(0) => Some(make_key(connection)?),
        None => None,
    };
    key.map(MarkKey).ok_or_else(|| damaged(Position(0), "the key of the marks does not fit"))
}

fn make_key(connection: &Connection) -> rusqlite::Result<[u8; 16]> {
    let key: [u8; 16] = connection.query_row("SELECT randomblob(16)", [], |row| row.get(0))?;
    let value = [&key[..], &crc32fast::hash(&key).to_le_bytes()].concat();
    connection.execute("INSERT INTO about VALUES ('mark_key', ?)", [value])?;
    Ok(key)
}

/// Reads the saved spans, oldest first; up to where they reach.
fn load_saved(connection: &Connection, remembered: &mut Remembered) -> Result<Position, RowError> {
    let mut saved_to = None;
    let mut statement =
        connection.prepare("SELECT first, last, sum, marks FROM recent ORDER BY first")?;
    let mut rows = statement.query([])?;
    while let Some(span) = rows.next()? {
        let (first, last, sum): (i64, i64, u32) = (span.get(0)?, span.get(1)?, span.get(2)?);
        let bytes = span.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
        let (start, last) = (row::from_column(first), row::from_column(last));
        let follows = saved_to.is_none_or(|before: Position| before.0 + 1 == start.0);
        let fits = sum::of(&[first, row::to_column(last)], &[bytes]) == sum && follows;
        let marks = remembered::decode(bytes).filter(|_| fits);
        let marks = marks.ok_or_else(|| damaged(start, "the marks of its events do not fit"))?;
        marks.iter().for_each(|marked| remembered.insert(*marked));
        saved_to = Some(last);
    }
    Ok(saved_to.unwrap_or_default())
}

/// The marks of the events after the first position, up to the second, where the log ends.
fn load_unsaved(
    connection: &Connection,
    key: MarkKey,
    (after, end): (Position, Position),
) -> Result<Vec<Marked>, RowError> {
    let mut marks = Vec::new();
    let reached = read::scan(connection, after, &mut |Named { name, stored }| {
        let mark = key.of_name(stored.product.as_str(), stored.user.as_str(), &name);
        marks.extend(mark.map(|mark| (mark, stored.position)));
        Ok(true)
    })?;
    if reached == end {
        Ok(marks)
    } else {
        Err(damaged(reached, "the records after it are missing"))
    }
}
