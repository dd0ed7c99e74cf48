//! The journal on Kafka. Must not answer for a record before every broker that is in step has it.

mod call;
mod line;
mod lookup;
mod pending;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use pilotage_domain::event::Position;
use pilotage_engine::port::Answer;
use pilotage_engine::port::log::{AppendError, Appended, Entry, Journal, ReadError, Stored};
use pilotage_wire::record::RecordError;
use pilotage_wire::record::kafka::Message;
use tokio::sync::watch;

use super::reader::Reader;
use super::{OpenError, Options, client, record};
use call::{Call, Ticket, Waiter};
use line::{Books, Line, Unsent};
use lookup::Lookup;

/// The writing half of the log, in a topic that is there.
///
/// A record's place is its offset. The same event twice stands twice: the fold knows the second one by its name, so `append`
/// answers `New` for both. A failure means that the records may be stored all the same; their ids make a retry harmless.
#[derive(Debug)]
pub struct KafkaJournal {
    line: Arc<Line>,
    books: Arc<Books>,
    lookup: Mutex<Option<Arc<Lookup>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Closes when every record has its answer and the line has ended.
    ended: watch::Receiver<()>,
}

impl KafkaJournal {
    /// Opens the journal.
    ///
    /// Blocks until the brokers have said how many partitions the topic has. A journal keeps to that number as long as it
    /// lives; whoever starts one has to see to it that it is the number of the past.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        options.check()?;
        let config = client::producer(options);
        let books = Arc::new(Books::new(options.buffer_bytes));
        let line = Arc::new(Line::open(&config, Arc::clone(&books), options)?);
        let reader = Reader::open(options)?;
        let (line_thread, ended) = line.start(config)?;
        let (lookup, lookup_thread) =
            Lookup::start(reader, line.partitions(), options.read_timeout)?;
        Ok(Self {
            line,
            books,
            lookup: Mutex::new(Some(Arc::new(lookup))),
            threads: Mutex::new(vec![line_thread, lookup_thread]),
            ended,
        })
    }

    /// How many partitions the topic had when the journal was opened.
    pub fn partitions(&self) -> u16 {
        self.line.partitions()
    }

    fn send(&self, entries: &[Entry]) -> Result<Option<call::Answer>, AppendError> {
        let names: Vec<_> = entries.iter().map(record::name).collect();
        let messages = entries.iter().zip(&names).map(|(entry, name)| record::message(entry, name));
        let messages = messages.collect::<Result<Vec<_>, _>>().map_err(unwritable)?;
        let first = self.admit(&messages)?;
        if messages.is_empty() {
            return Ok(None);
        }
        let (call, answer) = Call::new(messages.len());
        let mut refused = None;
        for (index, message) in messages.iter().enumerate() {
            let waiter = Waiter::Call(Arc::clone(&call), index);
            let ticket =
                Ticket { number: first + index as u64, bytes: record::bytes_of(message), waiter };
            // What follows a record that was refused must not stand before it.
            let sent = match &refused {
                None => self.line.send(message, Box::new(ticket)),
                Some(why) => Err(Unsent {
                    error: AppendError::Unavailable(String::clone(why)),
                    ticket: Box::new(ticket),
                }),
            };
            if let Err(Unsent { error, ticket }) = sent {
                refused.get_or_insert_with(|| error.to_string());
                ticket.settle(Err(error), &self.books.pending);
            }
        }
        Ok(Some(answer))
    }

    /// Makes room for them, where brokers answer.
    fn admit(&self, messages: &[Message<'_>]) -> Result<u64, AppendError> {
        if !messages.is_empty() {
            self.books.reach.check().map_err(AppendError::Unavailable)?;
        }
        let bytes = messages.iter().map(record::bytes_of).sum();
        self.books.pending.admit(messages.len(), bytes)
    }

    fn queue(&self, entry: &Entry) -> Result<(), AppendError> {
        let name = record::name(entry);
        let message = record::message(entry, &name).map_err(unwritable)?;
        let number = self.admit(std::slice::from_ref(&message))?;
        let bytes = record::bytes_of(&message);
        let ticket = Box::new(Ticket { number, bytes, waiter: Waiter::Nobody });
        self.line.send(&message, ticket).map_err(|Unsent { error, ticket }| {
            ticket.withdraw(&self.books.pending);
            error
        })
    }

    fn lookup(&self) -> Option<Arc<Lookup>> {
        self.lookup.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stop(&self) {
        self.line.end();
        self.lookup.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A record that could not be read back is not written.
fn unwritable(error: RecordError) -> AppendError {
    AppendError::Unavailable(error.to_string())
}

/// What a caller learns whose line has gone without an answer: only a panic can do that.
fn no_answer() -> AppendError {
    AppendError::Unavailable("its line to the brokers has ended".to_owned())
}

impl Journal for KafkaJournal {
    fn append(&self, entries: Vec<Entry>) -> Answer<'_, Result<Vec<Appended>, AppendError>> {
        let sent = self.send(&entries);
        Box::pin(async move {
            match sent? {
                Some(answer) => answer.await.unwrap_or_else(|_| Err(no_answer())),
                None => Ok(Vec::new()),
            }
        })
    }

    fn enqueue(&self, entry: Entry) -> Result<(), AppendError> {
        self.queue(&entry)
    }

    fn barrier(&self) -> Answer<'_, Result<(), AppendError>> {
        let passed = self.books.pending.barrier();
        Box::pin(async move { passed?.await.unwrap_or_else(|_| Err(no_answer())) })
    }

    fn ends(&self) -> Answer<'_, Result<Vec<Position>, ReadError>> {
        let lookup = self.lookup();
        Box::pin(async move {
            match lookup {
                Some(lookup) => lookup.ends().await,
                None => Err(ReadError::Unavailable("the log is closed".to_owned())),
            }
        })
    }

    fn get(&self, positions: Vec<Position>) -> Answer<'_, Result<Vec<Stored>, ReadError>> {
        let lookup = self.lookup();
        Box::pin(async move {
            match lookup {
                Some(lookup) => lookup.get(positions).await,
                None => Err(ReadError::Unavailable("the log is closed".to_owned())),
            }
        })
    }

    fn healthy(&self) -> bool {
        self.books.is_healthy()
    }

    fn close(&self) -> Answer<'_, ()> {
        let passed = self.books.pending.close();
        Box::pin(async move {
            // What failed was told to whoever waited for it.
            let _ = passed.await;
            self.stop();
            let mut ended = self.ended.clone();
            // Nothing is ever sent: the channel closes when the thread has ended.
            while ended.changed().await.is_ok() {}
        })
    }
}

impl Drop for KafkaJournal {
    fn drop(&mut self) {
        drop(self.books.pending.close());
        self.stop();
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A panic of a thread was reported when it happened.
            let _ = thread.join();
        }
    }
}
