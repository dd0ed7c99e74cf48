//! Records as they stand in the file: some of one commit together, a row for all. Must not hand out a record of a row
//! that is not as it was written.

use std::borrow::Cow;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::log::{Entry, EntryName, Stored};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::row::{self, Named, RowError};
use crate::sqlite::{fault, sum};

/// From so many bytes on a block is full. A single record is read with all of its block, so that it must stay small.
const FULL: usize = 32 << 10;

const EVENT: u8 = 1;
const DECISION: u8 = 2;
const NAMED: u8 = 3;
const CARRIED: u8 = 4;

/// The records of a commit on their way into the file.
pub(super) struct Blocks<'a> {
    connection: &'a Connection,
    /// The position of the newest record.
    end: Position,
    /// The position before the first record of the block that fills.
    before: Position,
    body: Vec<u8>,
}

impl<'a> Blocks<'a> {
    /// Records are to follow after `end`.
    pub(super) fn after(connection: &'a Connection, end: Position) -> Self {
        Self { connection, end, before: end, body: Vec::with_capacity(FULL) }
    }

    /// Adds the record; where it stands.
    pub(super) fn add(&mut self, entry: &Entry) -> rusqlite::Result<Position> {
        put_record(&mut self.body, entry);
        self.end.0 += 1;
        if self.body.len() >= FULL {
            self.write()?;
        }
        Ok(self.end)
    }

    /// Writes what is not written yet, and notes where the log ends.
    pub(super) fn finish(mut self) -> rusqlite::Result<()> {
        if self.end > self.before {
            self.write()?;
        }
        let note = "UPDATE about SET value = ? WHERE key = 'end'";
        let mut statement = self.connection.prepare_cached(note)?;
        statement.execute([row::to_column(self.end)]).map(drop)
    }

    fn write(&mut self) -> rusqlite::Result<()> {
        let insert = "INSERT INTO block (last, first, sum, body) VALUES (?, ?, ?, ?)";
        let (first, last) = (row::to_column(self.before) + 1, row::to_column(self.end));
        let sum = sum::of(&[first, last], &[&self.body]);
        let mut statement = self.connection.prepare_cached(insert)?;
        statement.execute(params![last, first, sum, self.body])?;
        self.before = self.end;
        self.body.clear();
        Ok(())
    }
}

/// A byte for the kind, product, user and name (of what is carried the fold's hash, then the user), eight bytes for the moment, the body; texts with their length before
/// them in four bytes. Numbers have their low byte first.
fn put_record(into: &mut Vec<u8>, entry: &Entry) {
    let (kind, name) = match &entry.name {
        EntryName::Event(id) => (EVENT, Cow::Borrowed(id.as_str().as_bytes())),
        EntryName::Decision(id) => (DECISION, Cow::Owned(id.bits().to_be_bytes().to_vec())),
        EntryName::Named(user) => (NAMED, Cow::Borrowed(user.as_str().as_bytes())),
        EntryName::Carried(user, fold) => {
            (CARRIED, Cow::Owned([fold.as_bytes(), user.as_str().as_bytes()].concat()))
        }
    };
    into.push(kind);
    put_text(into, entry.product.as_str().as_bytes());
    put_text(into, entry.user.as_str().as_bytes());
    put_text(into, &name);
    into.extend_from_slice(&entry.received_at.as_millis().to_le_bytes());
    put_text(into, &entry.body);
}

fn put_text(into: &mut Vec<u8>, text: &[u8]) {
    // Nothing near four gigabytes gets through the queue.
    into.extend_from_slice(&(text.len() as u32).to_le_bytes());
    into.extend_from_slice(text);
}

/// The position of the newest record, as it was noted, which must be where the newest block or row ends.
pub(super) fn end(connection: &Connection) -> Result<Position, RowError> {
    let query = "SELECT coalesce((SELECT value FROM about WHERE key = 'end'), -1),
        max(coalesce((SELECT max(last) FROM block), 0), coalesce((SELECT max(position) FROM entry), 0))";
    let ends = connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (noted, found): (i64, i64) = ends?;
    let end = row::from_column(found);
    (noted == found).then_some(end).ok_or_else(|| row::damaged(end, "the log should not end here"))
}

/// Hands the records of blocks that end after `after` to `each`, in order, until it says that it has enough (`false`).
pub(super) fn scan(
    connection: &Connection,
    after: Position,
    each: &mut dyn FnMut(Named) -> Result<bool, RowError>,
) -> Result<(), RowError> {
    let query = "SELECT first, last, sum, body FROM block WHERE last > ? ORDER BY last";
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([row::to_column(after)])?;
    while let Some(row) = rows.next()? {
        for named in Block::read(row)? {
            let named = named?;
            if named.stored.position > after && !each(named)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The record at that position, where a block holds it.
pub(super) fn find(connection: &Connection, at: Position) -> Result<Option<Named>, RowError> {
    let query = "SELECT first, last, sum, body FROM block WHERE last >= ? ORDER BY last LIMIT 1";
    let mut statement = connection.prepare_cached(query)?;
    let block = statement.query_row([row::to_column(at)], |row| Ok(Block::read(row))).optional()?;
    let Some(mut block) = block.transpose()? else { return Ok(None) };
    block.find(|named| named.as_ref().map_or(true, |named| named.stored.position == at)).transpose()
}

/// A block while it is read: the records that are still to come.
struct Block {
    /// The position of the next record.
    next: Position,
    last: Position,
    rest: Bytes,
}

impl Block {
    /// The block in the columns `first, last, sum, body`, which must be as it was written.
    fn read(row: &Row<'_>) -> Result<Self, RowError> {
        let first: i64 = row.get(0)?;
        let at = row::from_column(first);
        let columns = |row: &Row<'_>| {
            let body = row.get_ref(3)?.as_blob()?;
            let (last, sum): (i64, u32) = (row.get(1)?, row.get(2)?);
            let fits = sum::of(&[first, last], &[body]) == sum && first <= last;
            Ok((row::from_column(last), fits.then(|| Bytes::copy_from_slice(body))))
        };
        let (last, body) = columns(row).map_err(|error: rusqlite::Error| {
            if fault::is_damage(&error) {
                row::damaged(at, &error.to_string())
            } else {
                RowError::Sqlite(error)
            }
        })?;
        let rest = body.ok_or_else(|| row::damaged(at, "its block's checksum does not fit"))?;
        Ok(Self { next: at, last, rest })
    }

    fn bytes(&mut self, count: usize) -> Option<Bytes> {
        (count <= self.rest.len()).then(|| self.rest.split_to(count))
    }

    fn text(&mut self) -> Option<Bytes> {
        let length = u32::from_le_bytes(self.bytes(4)?.as_ref().try_into().ok()?);
        self.bytes(usize::try_from(length).ok()?)
    }

    fn record(&mut self) -> Option<Named> {
        let kind = *self.bytes(1)?.first()?;
        let (product, user, name) = (self.text()?, self.text()?, self.text()?);
        let received_at = i64::from_le_bytes(self.bytes(8)?.as_ref().try_into().ok()?);
        let name = name_of(kind, &name)?;
        let kind = name.kind();
        let stored = Stored {
            position: self.next,
            product: ProductId::new(text(&product)?).ok()?,
            user: UserId::new(text(&user)?).ok()?,
            kind,
            received_at: Timestamp::from_millis(received_at),
            body: self.text()?,
            event: None,
        };
        Some(Named { name, stored })
    }
}

/// The name as `put_record` has written it.
fn name_of(kind: u8, name: &[u8]) -> Option<EntryName> {
    Some(match kind {
        EVENT => EntryName::Event(EventId::new(text(name)?).ok()?),
        DECISION => {
            EntryName::Decision(DecisionId::from_bits(u128::from_be_bytes(name.try_into().ok()?)))
        }
        NAMED => EntryName::Named(UserId::new(text(name)?).ok()?),
        CARRIED => {
            let (fold, user) = name.split_first_chunk::<32>()?;
            EntryName::Carried(UserId::new(text(user)?).ok()?, ContentHash::from_bytes(*fold))
        }
        _ => return None,
    })
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

impl Iterator for Block {
    type Item = Result<Named, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.last {
            return None;
        }
        let at = self.next;
        self.next.0 += 1;
        // A checksum that fits over anything else than records is no flipped bit.
        let unreadable = || row::damaged(at, "it is not where its block says");
        let named = self.record().map(|mut named| {
            named.stored.position = at;
            named
        });
        Some(named.ok_or_else(unreadable))
    }
}
