//! Random reads: a consumer of its own that belongs to no group. Must not be asked by two threads at once.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_engine::port::feed::Partition;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, Context, Reach, create};
use super::{OpenError, Options, topics};

/// How long is waited before it is looked whether brokers answer at all.
const LOOK: Duration = Duration::from_millis(500);
/// So many records further on, reading on is cheaper than asking anew.
const NEAR: u64 = 16;

impl ConsumerContext for Context<()> {}

/// A reader of a topic.
pub(super) struct Reader {
    consumer: BaseConsumer<Context<()>>,
    reach: Arc<Reach>,
    topic: String,
    timeout: Duration,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// What comes next.
enum Next<'a> {
    Message(BorrowedMessage<'a>),
    /// The end, or a place where nothing ever was or is any more.
    Nothing,
}

impl Reader {
    /// Blocks until a broker has answered.
    pub(super) fn open(options: &Options) -> Result<Self, OpenError> {
        let reach = Arc::new(Reach::default());
        let context = Context { reach: Arc::clone(&reach), role: () };
        let consumer: BaseConsumer<_> = create(&client::reader(options), context)?;
        // So that the first read need not wait for it.
        topics::find(consumer.client(), options, &options.topic)?;
        Ok(Self { consumer, reach, topic: options.topic.clone(), timeout: options.read_timeout })
    }

    /// Hands over the records at these ascending offsets; those that hold nothing are passed over.
    pub(super) fn read(
        &self,
        partition: Partition,
        offsets: &[u64],
        until: Instant,
        take: impl FnMut(u64, &BorrowedMessage<'_>),
    ) -> Result<(), String> {
        // What was said since the last call.
        while self.consumer.poll(Duration::ZERO).is_some() {}
        self.reach.answered();
        let read = self.walk(partition, offsets, until, take);
        // Else it would fetch on.
        let left = self.consumer.unassign().map_err(|error| error.to_string());
        read.and(left)
    }

    fn walk(
        &self,
        partition: Partition,
        offsets: &[u64],
        until: Instant,
        mut take: impl FnMut(u64, &BorrowedMessage<'_>),
    ) -> Result<(), String> {
        let mut offsets = offsets.iter().copied().peekable();
        // What the consumer gives next, and what it should have given once more.
        let (mut at, mut doubted): (Option<u64>, Option<u64>) = (None, None);
        while let Some(&wanted) = offsets.peek() {
            if at.is_none_or(|at| !(at..=at + NEAR).contains(&wanted)) {
                self.go_to(partition, wanted)?;
            }
            match self.next(until)? {
                Next::Message(message) => {
                    let offset = u64::try_from(message.offset()).unwrap_or(0);
                    while offsets.next_if(|wanted| *wanted < offset).is_some() {}
                    if offsets.next_if_eq(&offset).is_some() {
                        take(offset, &message);
                    }
                    at = Some(offset + 1);
                }
                // Inside of the bounds, twice: the brokers' own marks stand there.
                Next::Nothing if doubted == Some(wanted) => {
                    offsets.next();
                    at = None;
                }
                Next::Nothing => {
                    let (low, high) = self.bounds(partition)?;
                    while offsets.next_if(|wanted| !(low..high).contains(wanted)).is_some() {}
                    (at, doubted) = (None, offsets.peek().copied());
                }
            }
        }
        Ok(())
    }

    fn go_to(&self, partition: Partition, offset: u64) -> Result<(), String> {
        let mut place = TopicPartitionList::with_capacity(1);
        let offset = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
        let placed = place.add_partition_offset(&self.topic, i32::from(partition.0), offset);
        placed.and_then(|()| self.consumer.assign(&place)).map_err(|error| error.to_string())
    }

    fn next(&self, until: Instant) -> Result<Next<'_>, String> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.consumer.poll(left.min(LOOK)) {
                Some(Ok(message)) => return Ok(Next::Message(message)),
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(Next::Nothing),
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::AutoOffsetReset) => return Ok(Next::Nothing),
                    // Tried again until the time is over.
                    Some(
                        RDKafkaErrorCode::AllBrokersDown
                        | RDKafkaErrorCode::BrokerTransportFailure
                        | RDKafkaErrorCode::Resolve
                        | RDKafkaErrorCode::OperationTimedOut,
                    ) => {}
                    _ => return Err(error.to_string()),
                },
                None => {}
            }
            self.reach.probe(self.consumer.client(), &self.topic)?;
            if left.is_zero() {
                return Err("the brokers have not answered in time".to_owned());
            }
        }
    }

    /// The first offset, and the one after the last. Right after a change of leader, brokers don't answer until they know.
    pub(super) fn bounds(&self, partition: Partition) -> Result<(u64, u64), String> {
        let bounds =
            self.consumer.fetch_watermarks(&self.topic, i32::from(partition.0), self.timeout);
        let (low, high) = bounds.map_err(|error| error.to_string())?;
        Ok((u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0)))
    }
}
