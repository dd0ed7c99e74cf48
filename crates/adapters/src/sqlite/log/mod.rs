//! The log as a SQLite file. Must not answer for a record before it is on disk.

mod block;
mod commit;
mod marks;
mod queue;
mod read;
mod relief;
mod remembered;
mod row;
mod schema;
mod shared;
mod tail;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_engine::port::Answer;
use pilotage_engine::port::log::{AppendError, Appended, Entry, Journal, Log, ReadError, Stored};
use pilotage_engine::port::meter::Commits;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::folder::Folder;
use super::pool::Pool;
use super::{OpenError, Options, file};
use queue::{Portion, Queue, Reply, Request};
use relief::Relief;
use row::RowError;
use schema::LOG;
use shared::Shared;
use tail::Tail;
use writer::Writer;

/// The log in `log.sqlite`.
#[derive(Debug)]
pub struct SqliteLog {
    shared: Arc<Shared>,
    readers: Pool<Connection>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Closes when the writer has ended.
    ended: watch::Receiver<()>,
    remembered: u64,
    /// Held until the log is closed.
    folder: Mutex<Option<Arc<Folder>>>,
}

impl SqliteLog {
    pub(super) fn open(folder: Arc<Folder>, options: &Options) -> Result<Self, OpenError> {
        let path = folder.file(LOG.name);
        let connection = file::open(&LOG, &path, options.log_cache_bytes)?;
        let found = marks::load(&connection, options.remembered).map_err(|error| match error {
            RowError::Sqlite(error) => file::explain(&path, &error),
            damaged => OpenError::Damaged { path: path.clone(), detail: damaged.to_string() },
        })?;
        let readers = (0..options.readers.max(1))
            .map(|_| file::open_reader(&path, options.log_cache_bytes))
            .collect::<Result<_, _>>()?;
        let shared = Arc::new(Shared::new(
            Queue::new(options.queue_bytes),
            Tail::new(options.tail_bytes),
            (found.key, found.remembered),
            found.end,
        ));
        let writer = Writer {
            connection,
            shared: Arc::clone(&shared),
            unsaved: found.unsaved,
            portion: Portion {
                entries: options.commit_entries,
                bytes: options.commit_bytes,
                wait: options.commit_wait,
            },
            relief: Relief::start(&path, options.log_cache_bytes)?,
            most_ahead: options.log_checkpoint_bytes,
            runtime: tokio::runtime::Handle::try_current().ok(),
            ahead: 0,
            poison: None,
        };
        let (thread, ended) =
            start(writer).map_err(|error| OpenError::File { path, detail: error.to_string() })?;
        Ok(Self {
            shared,
            readers: Pool::new(readers),
            writer: Mutex::new(Some(thread)),
            ended,
            remembered: options.remembered as u64,
            folder: Mutex::new(Some(folder)),
        })
    }

    /// Plays a full disk: the file may have so many pages from now on.
    #[cfg(test)]
    pub(super) async fn limit_pages(&self, most: u32) {
        let (done, limited) = oneshot::channel();
        self.push(Vec::new(), Reply::MostPages(most, done)).expect("the queue has room");
        limited.await.expect("the writer works");
    }

    fn push(&self, entries: Vec<Entry>, reply: Reply) -> Result<(), AppendError> {
        self.shared.queue.push(Request::new(entries, reply))
    }
}

fn start(writer: Writer) -> std::io::Result<(JoinHandle<()>, watch::Receiver<()>)> {
    let (ending, ended) = watch::channel(());
    let thread = thread::Builder::new().name("log-writer".to_owned()).spawn(move || {
        writer.run();
        drop(ending);
    })?;
    Ok((thread, ended))
}

/// What a caller learns whose writer has gone without an answer: only a panic can do that.
fn no_answer() -> AppendError {
    AppendError::Unavailable("its writer has stopped".to_owned())
}

impl Journal for SqliteLog {
    fn ends(&self) -> Answer<'_, Result<Vec<Position>, ReadError>> {
        Box::pin(async { Ok(vec![self.end()]) })
    }

    fn append(&self, entries: Vec<Entry>) -> Answer<'_, Result<Vec<Appended>, AppendError>> {
        let (reply, answer) = oneshot::channel();
        let queued = self.push(entries, Reply::Append(reply));
        Box::pin(async move {
            queued?;
            answer.await.unwrap_or_else(|_| Err(no_answer()))
        })
    }

    fn enqueue(&self, entry: Entry) -> Result<(), AppendError> {
        self.push(vec![entry], Reply::Nobody)
    }

    fn barrier(&self) -> Answer<'_, Result<(), AppendError>> {
        let (reply, answer) = oneshot::channel();
        let queued = self.push(Vec::new(), Reply::Barrier(reply));
        Box::pin(async move {
            queued?;
            answer.await.unwrap_or_else(|_| Err(no_answer()))
        })
    }

    fn get(&self, positions: Vec<Position>) -> Answer<'_, Result<Vec<Stored>, ReadError>> {
        Box::pin(self.read_at(positions))
    }

    fn healthy(&self) -> bool {
        self.shared.healthy()
    }

    fn commits(&self) -> Option<Commits> {
        Some(self.shared.commits.read())
    }

    fn close(&self) -> Answer<'_, ()> {
        self.shared.queue.close();
        Box::pin(async {
            let mut ended = self.ended.clone();
            // Nothing is ever sent: the channel closes when the writer has ended.
            while ended.changed().await.is_ok() {}
            self.readers.close().await;
            self.folder.lock().unwrap_or_else(PoisonError::into_inner).take();
        })
    }
}

impl Log for SqliteLog {
    fn read(
        &self,
        after: Position,
        max_bytes: usize,
    ) -> Answer<'_, Result<Vec<Stored>, ReadError>> {
        Box::pin(self.read_after(after, max_bytes))
    }

    fn find_decision(&self, id: DecisionId) -> Answer<'_, Result<Option<Position>, ReadError>> {
        Box::pin(self.position_of_decision(id))
    }

    fn find_event(
        &self,
        product: &ProductId,
        user: &UserId,
        event: &EventId,
    ) -> Answer<'_, Result<Option<Position>, ReadError>> {
        Box::pin(self.position_of_event(product.clone(), user.clone(), event.clone()))
    }

    fn end(&self) -> Position {
        *self.shared.end.borrow()
    }

    fn grown_past(&self, position: Position) -> Answer<'_, ()> {
        let mut end = self.shared.end.subscribe();
        Box::pin(async move {
            // The sender lives as long as this borrow, so there is no other outcome.
            let _ = end.wait_for(|end| *end > position).await;
        })
    }

    fn remembered(&self) -> u64 {
        self.remembered
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        self.shared.queue.close();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = writer.take() {
            // A panic of the writer was reported when it happened.
            let _ = thread.join();
        }
    }
}
