//! The log in memory. Must not differ from the contract in anything but durability.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use tokio::sync::watch;

use super::{Fault, hold};
use crate::port::Answer;
use crate::port::log::{AppendError, Appended, Entry, EntryName, Journal, Log, ReadError, Stored};

type RecordKey = (ProductId, UserId, EntryName);

/// What all handles share.
#[derive(Debug)]
struct Contents {
    records: Mutex<Records>,
    end: watch::Sender<Position>,
}

/// The records; the one at index i has position i + 1.
#[derive(Debug, Default)]
struct Records {
    stored: Vec<Stored>,
    names: HashMap<RecordKey, Position>,
    decisions: HashMap<DecisionId, Position>,
}

impl Records {
    fn append(&mut self, entry: Entry) -> Appended {
        let position = Position(self.stored.len() as u64 + 1);
        let Entry { product, user, name, received_at, body, event: _ } = entry;
        let kind = name.kind();
        if let EntryName::Decision(id) = name {
            self.decisions.entry(id).or_insert(position);
        } else {
            let key = (product.clone(), user.clone(), name);
            if let Some(first) = self.names.get(&key) {
                return Appended::Duplicate(*first);
            }
            self.names.insert(key, position);
        }
        self.stored.push(Stored { position, product, user, kind, received_at, body, event: None });
        Appended::New(position)
    }

    fn after(&self, after: Position) -> &[Stored] {
        let index = usize::try_from(after.0).unwrap_or(usize::MAX);
        self.stored.get(index..).unwrap_or_default()
    }

    fn at(&self, position: Position) -> Option<&Stored> {
        let index = usize::try_from(position.0.checked_sub(1)?).ok()?;
        self.stored.get(index)
    }
}

/// A log in memory; remembers every event that it holds.
#[derive(Debug)]
pub struct MemoryLog {
    contents: Arc<Contents>,
    closed: AtomicBool,
    fault: Mutex<Option<Fault>>,
    /// Whether a record that was taken by `enqueue` failed since the last barrier.
    lost: AtomicBool,
    /// How many calls were refused for a fault.
    refused: AtomicU64,
    /// The largest body that it takes.
    largest: AtomicUsize,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::over(Arc::new(Contents {
            records: Mutex::default(),
            end: watch::Sender::new(Position(0)),
        }))
    }
}

impl MemoryLog {
    fn over(contents: Arc<Contents>) -> Self {
        Self {
            contents,
            closed: AtomicBool::new(false),
            fault: Mutex::new(None),
            lost: AtomicBool::new(false),
            refused: AtomicU64::new(0),
            largest: AtomicUsize::new(usize::MAX),
        }
    }

    /// A new handle on the same records, open and without fault, as after a restart.
    pub fn reopen(&self) -> Self {
        Self::over(Arc::clone(&self.contents))
    }

    /// From now on appends fail so; `None` ends it.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *hold(&self.fault) = fault;
    }

    /// From now on records with larger bodies than that many bytes are refused.
    pub fn set_largest(&self, bytes: usize) {
        self.largest.store(bytes, Ordering::SeqCst);
    }

    /// How many calls of this handle were refused for a fault.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::SeqCst)
    }

    /// Forgets which events it holds, as a log does beyond those that it remembers: another one of the same name is new.
    pub fn forget_names(&self) {
        hold(&self.contents.records).names.clear();
    }

    fn check_open(&self) -> Result<(), AppendError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(AppendError::Closed);
        }
        match *hold(&self.fault) {
            Some(Fault::Full) => Err(AppendError::Full),
            Some(Fault::Unavailable) => Err(unavailable()),
            Some(Fault::Late) | None => Ok(()),
        }
    }

    fn check_sizes(&self, entries: &[Entry]) -> Result<(), AppendError> {
        let largest = self.largest.load(Ordering::SeqCst);
        match entries.iter().find(|entry| entry.body.len() > largest) {
            Some(entry) => Err(AppendError::TooLarge(format!("{} bytes", entry.body.len()))),
            None => Ok(()),
        }
    }

    fn append_now(&self, entries: Vec<Entry>) -> Result<Vec<Appended>, AppendError> {
        let checked = self.check_open().and_then(|()| self.check_sizes(&entries));
        if let Err(error) = checked {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(error);
        }
        let mut records = hold(&self.contents.records);
        let appended = entries.into_iter().map(|entry| records.append(entry)).collect();
        let end = Position(records.stored.len() as u64);
        // Under the lock, so that the end never runs backwards.
        self.contents.end.send_if_modified(|known| std::mem::replace(known, end) != end);
        Ok(appended)
    }
}

fn unavailable() -> AppendError {
    AppendError::Unavailable("it was told to fail".to_owned())
}

impl Journal for MemoryLog {
    fn ends(&self) -> Answer<'_, Result<Vec<Position>, ReadError>> {
        Box::pin(async { Ok(vec![self.end()]) })
    }

    fn append(&self, entries: Vec<Entry>) -> Answer<'_, Result<Vec<Appended>, AppendError>> {
        let appended = self.append_now(entries);
        Box::pin(async move { appended })
    }

    fn enqueue(&self, entry: Entry) -> Result<(), AppendError> {
        match self.append_now(vec![entry]) {
            // A real log learns of this failure only after it has taken the record.
            Err(AppendError::Unavailable(_)) => self.lost.store(true, Ordering::SeqCst),
            other => drop(other?),
        }
        Ok(())
    }

    fn barrier(&self) -> Answer<'_, Result<(), AppendError>> {
        let lost = self.lost.swap(false, Ordering::SeqCst);
        let passed = self.check_open().and(if lost { Err(unavailable()) } else { Ok(()) });
        Box::pin(async move { passed })
    }

    fn get(&self, positions: Vec<Position>) -> Answer<'_, Result<Vec<Stored>, ReadError>> {
        Box::pin(async move {
            let records = hold(&self.contents.records);
            Ok(positions.into_iter().filter_map(|position| records.at(position).cloned()).collect())
        })
    }

    fn healthy(&self) -> bool {
        *hold(&self.fault) != Some(Fault::Unavailable)
    }

    fn close(&self) -> Answer<'_, ()> {
        self.closed.store(true, Ordering::SeqCst);
        Box::pin(async {})
    }
}

impl Log for MemoryLog {
    fn read(
        &self,
        after: Position,
        max_bytes: usize,
    ) -> Answer<'_, Result<Vec<Stored>, ReadError>> {
        Box::pin(async move {
            let records = hold(&self.contents.records);
            let mut bytes = 0;
            let fits = |stored: &&Stored| {
                let first = bytes == 0;
                bytes += stored.body.len().max(1);
                first || bytes <= max_bytes
            };
            Ok(records.after(after).iter().take_while(fits).cloned().collect())
        })
    }

    fn find_decision(&self, id: DecisionId) -> Answer<'_, Result<Option<Position>, ReadError>> {
        Box::pin(async move { Ok(hold(&self.contents.records).decisions.get(&id).copied()) })
    }

    fn find_event(
        &self,
        product: &ProductId,
        user: &UserId,
        event: &EventId,
    ) -> Answer<'_, Result<Option<Position>, ReadError>> {
        let key = (product.clone(), user.clone(), EntryName::Event(event.clone()));
        Box::pin(async move { Ok(hold(&self.contents.records).names.get(&key).copied()) })
    }

    fn end(&self) -> Position {
        *self.contents.end.borrow()
    }

    fn grown_past(&self, position: Position) -> Answer<'_, ()> {
        let mut end = self.contents.end.subscribe();
        Box::pin(async move {
            // The sender lives as long as this borrow, so there is no other outcome.
            let _ = end.wait_for(|end| *end > position).await;
        })
    }

    fn remembered(&self) -> u64 {
        u64::MAX
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::MemoryLog;
    use crate::conformance::{JournalPlace, LogPlace};
    use crate::port::Answer;
    use crate::port::log::{Journal, Log};

    struct Place(MemoryLog);

    impl LogPlace for Place {
        fn open(&self) -> Answer<'_, Arc<dyn Log>> {
            Box::pin(async { Arc::new(self.0.reopen()) as Arc<dyn Log> })
        }
    }

    impl JournalPlace for Place {
        fn open(&self) -> Answer<'_, Arc<dyn Journal>> {
            Box::pin(async { Arc::new(self.0.reopen()) as Arc<dyn Journal> })
        }
    }

    crate::log_conformance!(|| Place(MemoryLog::default()));

    mod journal {
        use super::{MemoryLog, Place};

        crate::journal_conformance!(|| Place(MemoryLog::default()));
    }
}
