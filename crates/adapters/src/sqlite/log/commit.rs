//! One commit of the log: tells new records from duplicates and writes the new ones. Must not answer anybody.

use hashbrown::HashTable;
use pilotage_domain::event::Position;
use pilotage_domain::id::EventId;
use pilotage_engine::port::log::{Appended, Entry, EntryName};
use rusqlite::{Connection, OptionalExtension, params};

use super::queue::Request;
use super::remembered::{Mark, MarkKey, Marked, Remembered};
use super::row;
use crate::sqlite::products::Products;

/// What a commit did, record by record in the order of the requests.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub appended: Vec<Appended>,
    /// The new events.
    pub marks: Vec<Marked>,
}

/// A commit while it is being written.
pub(super) struct Commit<'a> {
    pub connection: &'a Connection,
    pub products: &'a mut Products,
    pub key: MarkKey,
    pub remembered: &'a Remembered,
    /// The position of the newest record.
    pub end: Position,
}

impl Commit<'_> {
    /// Writes what is new of the requests.
    pub(super) fn write(mut self, requests: &[Request]) -> rusqlite::Result<Outcome> {
        let entries = || requests.iter().flat_map(|request| &request.entries);
        let count = entries().count();
        let mut fresh = Fresh { table: HashTable::with_capacity(count) };
        let mut outcome = Outcome { appended: Vec::with_capacity(count), marks: Vec::new() };
        for entry in entries() {
            let appended = match &entry.name {
                EntryName::Event(id) => self.event(entry, id, &mut fresh, &mut outcome.marks)?,
                EntryName::Decision(id) => {
                    let position = self.insert(entry)?;
                    self.index(&id.bits().to_be_bytes(), position)?;
                    Appended::New(position)
                }
            };
            outcome.appended.push(appended);
        }
        Ok(outcome)
    }

    fn event(
        &mut self,
        entry: &Entry,
        id: &EventId,
        fresh: &mut Fresh,
        marks: &mut Vec<Marked>,
    ) -> rusqlite::Result<Appended> {
        let mark = self.key.mark(entry.product.as_str(), entry.user.as_str(), id.as_str());
        for position in fresh.find(mark).chain(self.remembered.find(mark)) {
            if self.is_same(entry, id, position)? {
                return Ok(Appended::Duplicate(position));
            }
        }
        let position = self.insert(entry)?;
        fresh.insert((mark, position));
        marks.push((mark, position));
        Ok(Appended::New(position))
    }

    /// Whether the record at that position, written by this commit or an earlier one, is the same event.
    fn is_same(&self, entry: &Entry, id: &EventId, at: Position) -> rusqlite::Result<bool> {
        let query = "SELECT p.name = ? AND e.user = ? AND e.name = ?
            FROM entry e JOIN product p ON p.id = e.product WHERE e.position = ?";
        let names = [entry.product.as_str(), entry.user.as_str(), id.as_str()];
        let mut statement = self.connection.prepare_cached(query)?;
        let parameters = params![names[0], names[1], names[2], row::to_column(at)];
        Ok(statement.query_row(parameters, |row| row.get(0)).optional()?.unwrap_or(false))
    }

    fn insert(&mut self, entry: &Entry) -> rusqlite::Result<Position> {
        let product = self.products.number(self.connection, &entry.product)?;
        let position = Position(self.end.0 + 1);
        row::insert(self.connection, position, product, entry)?;
        self.end = position;
        Ok(position)
    }

    /// Makes the decision findable. Its id is new by construction; were it not, the first would be found.
    fn index(&self, id: &[u8], position: Position) -> rusqlite::Result<()> {
        let insert = "INSERT INTO decision VALUES (?, ?) ON CONFLICT DO NOTHING";
        let mut statement = self.connection.prepare_cached(insert)?;
        statement.execute(params![id, row::to_column(position)]).map(drop)
    }
}

/// The events of this commit, which nobody else may know yet.
struct Fresh {
    table: HashTable<Marked>,
}

impl Fresh {
    fn find(&self, mark: Mark) -> impl Iterator<Item = Position> {
        let slots = self.table.iter_hash(mark.spread());
        slots.filter(move |slot| slot.0 == mark).map(|slot| slot.1)
    }

    fn insert(&mut self, marked: Marked) {
        self.table.insert_unique(marked.0.spread(), marked, |slot| slot.0.spread());
    }
}
