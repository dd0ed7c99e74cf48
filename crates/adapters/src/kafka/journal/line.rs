//! The line to the brokers: one producer at a time, the thread that hears its answers, and another producer where one has failed
//! for good. Must not let two of them have records under way at once: a user's order would be lost.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pilotage_engine::port::log::AppendError;
use pilotage_wire::record::kafka::Message;
use rdkafka::ClientConfig;
use rdkafka::Message as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use tokio::sync::watch;

use super::call::Ticket;
use super::pending::Pending;
use crate::kafka::client::{BATCH, Context, Reach, create};
use crate::kafka::{OpenError, Options, record, spread, topics};

/// How long the thread hears answers before it looks whether it should end.
const HEAR: Duration = Duration::from_millis(50);
/// How long a failed write is held against the brokers, where nothing else is written.
const DOUBT: Duration = Duration::from_secs(5);

type Producer = BaseProducer<Context<Arc<Books>>>;

/// What the callbacks of a producer write into.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) pending: Pending,
    pub(super) reach: Arc<Reach>,
    /// The last write failed.
    is_failing: AtomicBool,
    failed_at: Mutex<Option<Instant>>,
}

impl Books {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            pending: Pending::new(most_bytes),
            reach: Arc::default(),
            is_failing: AtomicBool::new(false),
            failed_at: Mutex::default(),
        }
    }

    /// Whether writes are likely to succeed. Where nothing is written after a failure, it is forgotten: a server that gets no
    /// requests for being unhealthy must become healthy again.
    pub(super) fn is_healthy(&self) -> bool {
        if self.reach.check().is_err() {
            return false;
        }
        let failed_at = || *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        !self.is_failing.load(Ordering::Acquire)
            || failed_at().is_none_or(|at| at.elapsed() > DOUBT)
    }

    fn note(&self, failure: Option<&AppendError>) {
        let Some(error) = failure else {
            if self.is_failing.load(Ordering::Acquire)
                && self.is_failing.swap(false, Ordering::AcqRel)
            {
                tracing::info!("log can be written again");
            }
            return;
        };
        let mut failed_at = self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        *failed_at = Some(Instant::now());
        if !self.is_failing.swap(true, Ordering::AcqRel) {
            tracing::error!(%error, "log can't be written");
        }
    }
}

impl ProducerContext for Context<Arc<Books>> {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        let outcome = match result {
            Ok(message) => record::position(message.partition(), message.offset())
                .ok_or_else(|| AppendError::Unavailable("a partition is full".to_owned())),
            Err((error, message)) => Err(failure(error, bytes_of(message))),
        };
        // A record that is too large says nothing of the others.
        if !matches!(outcome, Err(AppendError::TooLarge(_))) {
            self.role.note(outcome.as_ref().err());
        }
        ticket.settle(outcome, &self.role.pending);
    }
}

fn bytes_of(message: &impl rdkafka::Message) -> usize {
    message.key().map_or(0, <[u8]>::len) + message.payload().map_or(0, <[u8]>::len)
}

/// What a caller is told of the failure of a record with so many bytes of key and value. Whether it is stored is unknown, unless
/// it was never sent. Brokers refuse what is sent together as a whole: of a small record that they find too large nothing is
/// known, except that it was sent with others.
fn failure(error: &KafkaError, bytes: usize) -> AppendError {
    let text = match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge) if bytes >= BATCH => {
            return AppendError::TooLarge(format!(
                "{bytes} bytes are more than the brokers take (max.message.bytes)"
            ));
        }
        Some(RDKafkaErrorCode::MessageTimedOut) => {
            "the brokers have not acknowledged it in time; it may be stored".to_owned()
        }
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
            "it is larger than the brokers take (max.message.bytes)".to_owned()
        }
        Some(code) => code.to_string(),
        None => error.to_string(),
    };
    AppendError::Unavailable(text)
}

/// The line.
pub(super) struct Line {
    producer: RwLock<Arc<Producer>>,
    books: Arc<Books>,
    topic: String,
    partitions: u16,
    is_over: AtomicBool,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Line {
    /// Blocks until the brokers have said how many partitions the topic has.
    pub(super) fn open(
        config: &ClientConfig,
        books: Arc<Books>,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let producer = producer(config, &books)?;
        let topic = options.topic.clone();
        let found = topics::find(producer.client(), options, &topic)?;
        let partitions = found.ok_or_else(|| OpenError::NoTopic(topic.clone()))?.partitions;
        let producer = RwLock::new(Arc::new(producer));
        Ok(Self { producer, books, topic, partitions, is_over: AtomicBool::new(false) })
    }

    pub(super) fn partitions(&self) -> u16 {
        self.partitions
    }

    /// Gives the record to the library, which copies it. Whatever becomes of it is told through the ticket.
    pub(super) fn send(&self, message: &Message<'_>, ticket: Box<Ticket>) -> Result<(), Unsent> {
        let partition = spread::of_key(message.key.as_bytes(), self.partitions);
        let record = BaseRecord::with_opaque_to(&self.topic, ticket)
            .partition(i32::from(partition.0))
            .key(&message.key)
            .payload(&*message.value)
            .headers(record::headers(message));
        self.current().send(record).map_err(|(error, record)| Unsent {
            error: failure(&error, message.key.len() + message.value.len()),
            ticket: record.delivery_opaque,
        })
    }

    fn current(&self) -> Arc<Producer> {
        Arc::clone(&self.producer.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts the thread that hears the answers; the channel closes when it has ended.
    pub(super) fn start(
        self: &Arc<Self>,
        config: ClientConfig,
    ) -> std::io::Result<(JoinHandle<()>, watch::Receiver<()>)> {
        let (line, (ending, ended)) = (Arc::clone(self), watch::channel(()));
        let thread = thread::Builder::new().name("kafka-journal".to_owned()).spawn(move || {
            line.hear(&config);
            drop(ending);
        })?;
        Ok((thread, ended))
    }

    /// The thread ends once every record has its answer.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    fn hear(&self, config: &ClientConfig) {
        loop {
            let producer = self.current();
            producer.poll(HEAR);
            if let Some((_, reason)) = producer.client().fatal_error() {
                self.books.reach.ended(&reason);
            }
            if producer.in_flight_count() > 0 {
                continue;
            }
            if self.is_over.load(Ordering::Acquire) {
                return;
            }
            if self.books.reach.is_ended() {
                drop(producer);
                self.replace(config);
            }
        }
    }

    /// Puts another producer in the place of one that failed for good. Nothing of the old one is under way any more, and
    /// nothing was taken since.
    fn replace(&self, config: &ClientConfig) {
        match producer(config, &self.books) {
            Ok(fresh) => {
                let mut current = self.producer.write().unwrap_or_else(PoisonError::into_inner);
                let old = std::mem::replace(&mut *current, Arc::new(fresh));
                drop(current);
                // Its threads take a while to end; nobody waits for that.
                drop(old);
                self.books.reach.begin_again();
            }
            Err(error) => tracing::error!(%error, "kafka client can't be replaced"),
        }
    }
}

/// A record that the library did not take.
pub(super) struct Unsent {
    pub(super) error: AppendError,
    pub(super) ticket: Box<Ticket>,
}

fn producer(config: &ClientConfig, books: &Arc<Books>) -> Result<Producer, OpenError> {
    let (reach, role) = (Arc::clone(&books.reach), Arc::clone(books));
    create(config, Context { reach, role })
}
