//! One commit of the log: tells new records from duplicates and writes the new ones. Must not answer anybody.

use hashbrown::HashTable;
use pilotage_domain::event::Position;
use pilotage_domain::id::{ProductId, UserId};
use pilotage_engine::port::log::{Appended, Entry, EntryName};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, params_from_iter};

use super::block::Blocks;
use super::queue::Request;
use super::read;
use super::remembered::{Mark, MarkKey, Marked, Remembered};
use super::row::{self, RowError};
use super::tail::Tail;

/// What a commit did, record by record in the order of the requests.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub appended: Vec<Appended>,
    /// The new events.
    pub marks: Vec<Marked>,
}

/// What a commit is written with.
pub(super) struct Commit<'a> {
    pub connection: &'a Connection,
    pub key: MarkKey,
    pub remembered: &'a Remembered,
    pub tail: &'a Tail,
    /// The position of the newest record.
    pub end: Position,
}

impl Commit<'_> {
    /// Writes what is new of the requests.
    pub(super) fn write(&self, requests: &[Request]) -> Result<Outcome, RowError> {
        let entries = || requests.iter().flat_map(|request| &request.entries);
        let count = entries().count();
        let mut new = New {
            blocks: Blocks::after(self.connection, self.end),
            entries: Vec::with_capacity(count),
            marks: HashTable::with_capacity(count),
        };
        let mut decisions = Vec::with_capacity(count);
        let mut outcome = Outcome { appended: Vec::with_capacity(count), marks: Vec::new() };
        for entry in entries() {
            let mark = self.key.of_name(entry.product.as_str(), entry.user.as_str(), &entry.name);
            let appended = match mark {
                Some(mark) => self.once(entry, mark, &mut new, &mut outcome.marks)?,
                None => Appended::New(new.add(entry)?),
            };
            if let EntryName::Decision(id) = &entry.name {
                decisions.push((id.bits().to_be_bytes(), appended.position()));
            }
            outcome.appended.push(appended);
        }
        new.blocks.finish()?;
        self.index(&decisions)?;
        Ok(outcome)
    }

    /// Adds the record, unless one of its name is known.
    fn once<'e>(
        &self,
        entry: &'e Entry,
        mark: Mark,
        new: &mut New<'_, 'e>,
        marks: &mut Vec<Marked>,
    ) -> Result<Appended, RowError> {
        for position in new.find(mark).chain(self.remembered.find(mark)) {
            let same = match self.known(position, new) {
                Some(known) => is_same(entry, (&known.product, &known.user, &known.name)),
                None => {
                    let found = read::record(self.connection, position)?;
                    is_same(entry, (&found.stored.product, &found.stored.user, &found.name))
                }
            };
            if same {
                return Ok(Appended::Duplicate(position));
            }
        }
        let position = new.add(entry)?;
        new.mark((mark, position));
        marks.push((mark, position));
        Ok(Appended::New(position))
    }

    /// The record at that position, where it is in memory: of this commit, or of one that readers still follow.
    fn known<'k>(&'k self, at: Position, new: &New<'_, 'k>) -> Option<&'k Entry> {
        match at.0.checked_sub(self.end.0 + 1) {
            Some(place) => new.entries.get(usize::try_from(place).ok()?).copied(),
            None => self.tail.holding(at)?.at(at),
        }
    }

    /// Makes the decisions findable, many with one statement: to run one costs more than to add a row. Their ids are new by
    /// construction; were one not, the first would be found.
    fn index(&self, decisions: &[Indexed]) -> rusqlite::Result<()> {
        let (many, rest) = decisions.as_chunks::<MANY>();
        if !many.is_empty() {
            let rows = [ROW; MANY].join(", ");
            let mut statement = self.connection.prepare_cached(&insert(&rows))?;
            many.iter().try_for_each(|some| index_all(&mut statement, some))?;
        }
        if !rest.is_empty() {
            let mut statement = self.connection.prepare_cached(&insert(ROW))?;
            rest.iter().try_for_each(|one| index_all(&mut statement, std::slice::from_ref(one)))?;
        }
        Ok(())
    }
}

/// A decision's id as it is stored, and where its record stands.
type Indexed = ([u8; 16], Position);

/// How many decisions one statement makes findable.
const MANY: usize = 16;
const ROW: &str = "(?, ?)";

fn insert(rows: &str) -> String {
    format!("INSERT INTO decision VALUES {rows} ON CONFLICT DO NOTHING")
}

fn index_all(statement: &mut CachedStatement<'_>, decisions: &[Indexed]) -> rusqlite::Result<()> {
    let columns = decisions.iter().flat_map(|(id, at)| {
        [ToSqlOutput::Borrowed(ValueRef::Blob(id)), ToSqlOutput::from(row::to_column(*at))]
    });
    statement.execute(params_from_iter(columns)).map(drop)
}

/// Whether that is the same record.
fn is_same(entry: &Entry, (product, user, name): (&ProductId, &UserId, &EntryName)) -> bool {
    (&entry.product, &entry.user, &entry.name) == (product, user, name)
}

/// The new records of this commit, which nobody else may know yet.
struct New<'a, 'e> {
    blocks: Blocks<'a>,
    entries: Vec<&'e Entry>,
    marks: HashTable<Marked>,
}

impl<'e> New<'_, 'e> {
    fn add(&mut self, entry: &'e Entry) -> rusqlite::Result<Position> {
        self.entries.push(entry);
        self.blocks.add(entry)
    }

    fn find(&self, mark: Mark) -> impl Iterator<Item = Position> {
        let slots = self.marks.iter_hash(mark.spread());
        slots.filter(move |slot| slot.0 == mark).map(|slot| slot.1)
    }

    fn mark(&mut self, marked: Marked) {
        self.marks.insert_unique(marked.0.spread(), marked, |slot| slot.0.spread());
    }
}
