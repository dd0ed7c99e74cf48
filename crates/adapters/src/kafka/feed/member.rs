//! The member at work: polls, sorts out what came, buries what is not ours. Must not be called by two threads.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_domain::event::Position;
use pilotage_engine::port::feed::{Fed, FeedError, Partition, Polled, Shift, offset_of};
use pilotage_wire::record::RecordError;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;

use super::dead::DeadLetters;
use super::owned::{Owned, after};
use crate::kafka::client::{self, Context, Reach, create};
use crate::kafka::{OpenError, Options, record};

/// A member of the group.
pub(super) struct Member {
    consumer: BaseConsumer<Context<Owned>>,
    reach: Arc<Reach>,
    options: Options,
    gathered: Gathered,
    dead: DeadLetters,
    /// Records that should come next are missing: it is tried again with each poll.
    is_astray: bool,
    /// When the last poll ended.
    polled_at: Instant,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("group", &self.options.group).finish_non_exhaustive()
    }
}

/// What was fetched and is not handed out yet.
#[derive(Default)]
struct Gathered {
    records: Vec<Fed>,
    bytes: usize,
    /// What came after them and can't be handed out together with them.
    then: Option<Then>,
}

enum Then {
    Foreign(Position, RecordError),
    Failed(FeedError),
}

impl Gathered {
    /// What there is, in order.
    fn take(&mut self) -> Option<Result<Polled, FeedError>> {
        self.bytes = 0;
        if !self.records.is_empty() {
            return Some(Ok(Polled::Records(std::mem::take(&mut self.records))));
        }
        self.then.take().map(|then| match then {
            Then::Foreign(position, error) => Ok(Polled::Foreign(position, error)),
            Then::Failed(error) => Err(error),
        })
    }

    /// Lets go of what stands in partitions that are no longer ours.
    fn forget(&mut self, gone: &[Partition]) {
        let is_gone = |position: Position| gone.contains(&Partition::of(position));
        self.records.retain(|fed| !is_gone(fed.stored.position));
        self.bytes = self.records.iter().map(|fed| fed.stored.body.len()).sum();
        self.then.take_if(|then| matches!(then, Then::Foreign(at, _) if is_gone(*at)));
    }
}

impl Member {
    pub(super) fn join(options: &Options, shift: Arc<dyn Shift>) -> Result<Self, OpenError> {
        let reach = Arc::new(Reach::default());
        let role = Owned::new(shift, &options.topic);
        let context = Context { reach: Arc::clone(&reach), role };
        let consumer: BaseConsumer<_> = create(&client::member(options), context)?;
        let subscribed = consumer.subscribe(&[&options.topic]);
        subscribed.map_err(|error| OpenError::Client(error.to_string()))?;
        let dead = DeadLetters::new(options.clone());
        let (options, gathered) = (options.clone(), Gathered::default());
        let polled_at = Instant::now();
        Ok(Self { consumer, reach, options, gathered, dead, is_astray: false, polled_at })
    }

    /// What came, at the latest after `wait`.
    pub(super) fn poll(&mut self, max_bytes: usize, wait: Duration) -> Result<Polled, FeedError> {
        if std::mem::take(&mut self.is_astray) {
            self.go_back();
        }
        if self.polled_at.elapsed() >= self.options.poll_timeout {
            self.consumer.context().role.oversleep();
        }
        let polled = self.gather(max_bytes, wait);
        self.polled_at = Instant::now();
        polled
    }

    fn gather(&mut self, max_bytes: usize, wait: Duration) -> Result<Polled, FeedError> {
        let until = Instant::now() + wait;
        loop {
            let is_full = self.gathered.then.is_some() || self.gathered.bytes >= max_bytes;
            if is_full && let Some(polled) = self.gathered.take() {
                return polled;
            }
            // Where something is there, only what can be had at once is added.
            let wait = match self.gathered.records.is_empty() {
                true => until.saturating_duration_since(Instant::now()),
                false => Duration::ZERO,
            };
            let came = self.step(wait);
            if !came && let Some(polled) = self.gathered.take() {
                return polled;
            }
            if !came && Instant::now() >= until {
                return self.nothing();
            }
        }
    }

    /// Waits for one event; whether a record or an error came.
    fn step(&mut self, wait: Duration) -> bool {
        let consumer = &self.consumer;
        let came = consumer.poll(wait);
        let owned = &consumer.context().role;
        let gone = owned.take_gone();
        if !gone.is_empty() {
            self.gathered.forget(&gone);
        }
        match came {
            None => return false,
            Some(Ok(message)) => {
                self.reach.answered();
                sort(&mut self.gathered, owned, &message);
            }
            Some(Err(error)) => {
                self.is_astray |= is_astray(&error);
                self.gathered.then = failure(&error).map(Then::Failed);
            }
        }
        true
    }

    fn nothing(&self) -> Result<Polled, FeedError> {
        let client = self.consumer.client();
        let reached = self.reach.probe(client, &self.options.topic);
        reached.map(|()| Polled::Nothing).map_err(FeedError::Unavailable)
    }

    /// Asks again for what should come next in every partition: a fetch that has failed so is not tried again by itself.
    fn go_back(&self) {
        let owned = &self.consumer.context().role;
        let again = owned.places(owned.next()).and_then(|places| {
            self.consumer.incremental_unassign(&places)?;
            self.consumer.incremental_assign(&places)
        });
        if let Err(error) = again {
            tracing::warn!(%error, "kafka partitions can't be read again");
        }
    }

    /// Puts the record's original bytes where a person finds them.
    pub(super) fn bury(&mut self, position: Position, reason: &str) -> Result<(), FeedError> {
        let Some(offset) = offset_of(position) else {
            return Err(FeedError::Unavailable("no record stands before the first".to_owned()));
        };
        let buried = self.dead.bury(Partition::of(position), offset, reason);
        buried.map_err(FeedError::Unavailable)
    }

    /// Tells the group how far its partitions are worked on.
    pub(super) fn told(&self, applied: &[Position]) {
        let owned = &self.consumer.context().role;
        let ours = owned.next();
        let places = applied.iter().map(|position| (Partition::of(*position), after(*position)));
        let places = owned.places(places.filter(|(partition, _)| ours.contains_key(partition)));
        let told = places.and_then(|places| match places.count() {
            0 => Ok(()),
            _ => self.consumer.commit(&places, CommitMode::Async),
        });
        if let Err(error) = told {
            tracing::debug!(%error, "kafka takes no advice on offsets");
        }
    }
}

/// Puts a message where it belongs.
fn sort(gathered: &mut Gathered, owned: &Owned, message: &BorrowedMessage<'_>) {
    let Some(position) = record::position(message.partition(), message.offset()) else {
        let what = "a partition holds more records than can be told apart".to_owned();
        gathered.then = Some(Then::Failed(FeedError::Unavailable(what)));
        return;
    };
    let offset = offset_of(position).unwrap_or(0);
    if !owned.pass(Partition::of(position), offset) {
        return;
    }
    match record::fed(position, message.key(), message.payload()) {
        Ok(fed) => {
            // A record without a body takes its place too.
            gathered.bytes += fed.stored.body.len().max(1);
            gathered.records.push(fed);
        }
        Err(error) => gathered.then = Some(Then::Foreign(position, error)),
    }
}

/// Records that should come next are not there.
fn is_astray(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset)
}

/// What the caller is told; nothing of what passes by itself, or is told by `Reach`.
fn failure(error: &KafkaError) -> Option<FeedError> {
    let text = match (error, error.rdkafka_error_code()?) {
        (KafkaError::MessageConsumptionFatal(code), _) => {
            format!("this member has failed for good: {code}")
        }
        (_, RDKafkaErrorCode::PollExceeded) => {
            tracing::warn!(
                "kafka group takes this member for dead: it has not polled for too long"
            );
            return None;
        }
        (
            _,
            RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::OperationTimedOut,
        ) => return None,
        (_, RDKafkaErrorCode::AutoOffsetReset) => {
            "records that should come next are not in the topic (any more)".to_owned()
        }
        (_, code) => code.to_string(),
    };
    Some(FeedError::Unavailable(text))
}
