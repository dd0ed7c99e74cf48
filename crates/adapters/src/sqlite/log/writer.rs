//! The thread that writes the log: requests that gathered while one commit ran share the next. Must not write on after
//! a failure whose extent is unknown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_domain::event::Position;
use pilotage_engine::port::log::{AppendError, Appended, Entry};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::commit::{Commit, Outcome};
use super::marks::Unsaved;
use super::queue::{Portion, Reply, Request, Taken};
use super::relief::{Relief, Stage};
use super::row::RowError;
use super::shared::Shared;
use super::tail;
use crate::sqlite::fault::{self, Severity};
use crate::sqlite::file;

/// After so long without work the write-ahead log is moved into the file.
const IDLE: Duration = Duration::from_millis(500);

/// About what a commit writes ahead beside its records: the pages that it touches are written whole.
const COMMIT_OVERHEAD: usize = 8_192;

/// Who waits for an append.
type AppendCaller = oneshot::Sender<Result<Vec<Appended>, AppendError>>;

/// The writer and what only it touches.
pub(super) struct Writer {
    pub connection: Connection,
    pub shared: Arc<Shared>,
    pub unsaved: Unsaved,
    pub portion: Portion,
    pub relief: Relief,
    /// How much may be written ahead before it is moved into the file.
    pub most_ahead: usize,
    /// Where callers are answered; here, where there is none.
    pub runtime: Option<Handle>,
    /// How much was written ahead since, about.
    pub ahead: usize,
    /// Why nothing may be written any more.
    pub poison: Option<String>,
}

/// Sees to it that nobody waits for a writer that is gone, also where it panicked.
struct Leaving<'a>(&'a Shared);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.queue.abandon();
        if std::thread::panicking() {
            self.0.set_healthy(false);
        }
    }
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _leaving = Leaving(&shared);
        let mut last = 0;
        loop {
            match shared.queue.take(self.portion, last, IDLE) {
                Taken::Some(requests) => last = self.commit(requests),
                Taken::Idle => self.relieve(0),
                Taken::Closed => break,
            }
        }
        self.relief.end();
        if self.poison.is_none()
            && let Err(error) = file::settle(&self.connection)
        {
            tracing::warn!(%error, "log not settled at close, the next start reads it as it is");
        }
    }

    /// Writes the requests, shows and answers them; how many records they were.
    fn commit(&mut self, requests: Vec<Request>) -> usize {
        let count = requests.iter().map(|request| request.entries.len()).sum();
        let started = Instant::now();
        let stored = match &self.poison {
            Some(why) => Err(why.clone()),
            None => self.store(&requests).map_err(|error| self.judge(&error)),
        };
        match stored {
            Ok(outcome) => {
                if count > 0 {
                    self.shared.commits.note(started.elapsed(), count);
                }
                self.publish(requests, outcome);
            }
            Err(why) => self.refuse(requests, &why),
        }
        self.relieve(self.most_ahead);
        count
    }

    /// One transaction, durable when it returns.
    fn store(&mut self, requests: &[Request]) -> Result<Outcome, RowError> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new_unchecked(&self.connection, behavior)?;
        let end = *self.shared.end.borrow();
        let (remembered, tail) = (self.shared.remembered(), self.shared.tail());
        let commit = Commit {
            connection: &transaction,
            key: self.shared.key,
            remembered: &remembered,
            tail: &tail,
            end,
        };
        let outcome = commit.write(requests)?;
        let saved = self.unsaved.save(&transaction, end, remembered.oldest())?;
        drop((remembered, tail));
        transaction.commit()?;
        if saved {
            self.unsaved.saved(end);
        }
        self.unsaved.add(&outcome.marks);
        Ok(outcome)
    }

    /// Shows what is durable, then answers.
    fn publish(&mut self, requests: Vec<Request>, outcome: Outcome) {
        let mut new = NewRecords::at_most(outcome.appended.len());
        let mut appended = outcome.appended.into_iter();
        let mut replies = Vec::with_capacity(requests.len());
        for request in requests {
            let results: Vec<_> = appended.by_ref().take(request.entries.len()).collect();
            new.take(request.entries, &results);
            replies.push((request.reply, results));
        }
        if let Some(commit) = new.into_commit() {
            self.ahead += commit.bytes() + COMMIT_OVERHEAD;
            self.shared.publish(commit, &outcome.marks);
            if self.shared.set_healthy(true) {
                tracing::info!("log can be written again");
            }
        }
        let mut callers = Vec::with_capacity(replies.len());
        for (reply, results) in replies {
            match reply {
                Reply::Append(caller) => callers.push((caller, results)),
                other => self.answer(other),
            }
        }
        self.answer_callers(callers);
    }

    /// Answers calls whose records are durable. Whoever has gone needs no answer. One task of the runtime does it for
    /// the whole commit: waking a task from a thread outside the runtime costs a system call each.
    fn answer_callers(&self, callers: Vec<(AppendCaller, Vec<Appended>)>) {
        if callers.is_empty() {
            return;
        }
        let answer = move || {
            callers.into_iter().for_each(|(caller, results)| drop(caller.send(Ok(results))));
        };
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(async move { answer() })),
            None => answer(),
        }
    }

    /// Answers a request without records of its own.
    fn answer(&self, reply: Reply) {
        match reply {
            Reply::Append(_) | Reply::Nobody => {}
            Reply::Barrier(caller) if self.shared.take_loss() => {
                let why = "records queued before could not be written".to_owned();
                drop(caller.send(Err(AppendError::Unavailable(why))));
            }
            Reply::Barrier(caller) => drop(caller.send(Ok(()))),
            #[cfg(test)]
            Reply::MostPages(most, done) => self.limit(most, done),
        }
    }

    #[cfg(test)]
    fn limit(&self, most: u32, done: tokio::sync::oneshot::Sender<()>) {
        let limited = self.connection.pragma_update(None, "max_page_count", most);
        limited.expect("the pragma is understood");
        done.send(()).expect("the test waits");
    }

    fn refuse(&self, requests: Vec<Request>, why: &str) {
        let unavailable = || AppendError::Unavailable(why.to_owned());
        for request in requests {
            match request.reply {
                Reply::Append(caller) => drop(caller.send(Err(unavailable()))),
                Reply::Nobody => self.shared.note_loss(),
                Reply::Barrier(caller) => {
                    self.shared.take_loss();
                    drop(caller.send(Err(unavailable())));
                }
                #[cfg(test)]
                Reply::MostPages(most, done) => self.limit(most, done),
            }
        }
    }

    /// Notes a failed write, stops writing where its extent is unknown, and says it in words.
    fn judge(&mut self, error: &RowError) -> String {
        let lasting = match error {
            RowError::Damaged { .. } => true,
            RowError::Sqlite(error) => fault::severity(error) == Severity::Lasting,
        };
        if self.shared.set_healthy(false) {
            tracing::error!(%error, lasting, "log can't be written");
        }
        if !lasting {
            return error.to_string();
        }
        let why = format!("{error}; nothing is written until the log is opened again");
        self.poison = Some(why.clone());
        why
    }

    /// Has what was written ahead moved into the file, where it is more than that; the last of it here, so that the
    /// write-ahead log can begin again.
    fn relieve(&mut self, most_ahead: usize) {
        match self.relief.stage() {
            Stage::None if self.ahead > most_ahead && self.poison.is_none() => self.relief.order(),
            Stage::None | Stage::UnderWay => {}
            Stage::Done(moved) => {
                self.ahead = 0;
                self.judge_relief(moved.and_then(|()| file::relieve(&self.connection)));
            }
        }
    }

    /// The records are safe where they are; a full disk is no reason to stop before the next write fails.
    fn judge_relief(&mut self, moved: rusqlite::Result<()>) {
        if let Err(error) = moved
            && self.poison.is_none()
            && fault::severity(&error) == Severity::Lasting
        {
            self.judge(&error.into());
        }
    }
}

/// The new records of a commit, in order.
struct NewRecords {
    first: Option<Position>,
    entries: Vec<Entry>,
}

impl NewRecords {
    fn at_most(count: usize) -> Self {
        Self { first: None, entries: Vec::with_capacity(count) }
    }

    fn take(&mut self, entries: Vec<Entry>, results: &[Appended]) {
        for (entry, result) in entries.into_iter().zip(results) {
            if let Appended::New(position) = result {
                self.first.get_or_insert(*position);
                self.entries.push(entry);
            }
        }
    }

    fn into_commit(self) -> Option<tail::Commit> {
        self.first.map(|first| tail::Commit::new(first, self.entries))
    }
}
