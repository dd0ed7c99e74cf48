//! Dead letters: the original bytes of a record, with its place and what is wrong with it, in a topic that people read. Must not
//! change a byte of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pilotage_engine::port::feed::Partition;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, DeliveryResult, Header, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use crate::kafka::Options;
use crate::kafka::client::{self, Context, Reach, create};
use crate::kafka::reader::Reader;

/// How long answers are heard before it is looked whether the right one is there.
const HEAR: Duration = Duration::from_millis(10);

/// What the brokers said of a letter, once they have.
#[derive(Default)]
struct Said(Mutex<Option<Result<(), String>>>);

impl ProducerContext for Context<Said> {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let outcome = result.as_ref().map(drop).map_err(|(error, _)| error.to_string());
        *self.role.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

/// Whoever buries. There is seldom a letter, so clients are made for each.
pub(super) struct DeadLetters {
    options: Options,
}

impl DeadLetters {
    pub(super) fn new(options: Options) -> Self {
        Self { options }
    }

    /// Reads the record once more and writes it among the dead letters; it is there for good when this gives `Ok`.
    pub(super) fn bury(&self, from: Partition, offset: u64, reason: &str) -> Result<(), String> {
        let mut letter = self.original(from, offset)?;
        let place = (i32::from(from.0).to_string(), offset.to_string());
        let marks = [
            ("dead-partition", place.0.as_str()),
            ("dead-offset", place.1.as_str()),
            ("dead-reason", reason),
        ];
        // Copied as they are: another's header need not be text.
        let had = letter.detach_headers().unwrap_or_default();
        let headers = marks
            .iter()
            .fold(had, |headers, (key, value)| headers.insert(Header { key, value: Some(*value) }));
        self.write(&letter, headers)
    }

    fn original(&self, from: Partition, offset: u64) -> Result<OwnedMessage, String> {
        let reader = Reader::open(&self.options).map_err(|error| error.to_string())?;
        let until = Instant::now() + self.options.read_timeout;
        let mut found = None;
        let take = |_: u64, message: &BorrowedMessage<'_>| found = Some(message.detach());
        reader.read(from, &[offset], until, take)?;
        found.ok_or_else(|| "nothing stands at that position".to_owned())
    }

    fn write(&self, letter: &OwnedMessage, headers: OwnedHeaders) -> Result<(), String> {
        let context = Context { reach: Arc::<Reach>::default(), role: Said::default() };
        let producer: BaseProducer<Context<Said>> =
            create(&client::producer(&self.options), context).map_err(|error| error.to_string())?;
        let topic = self.options.dead_topic();
        let mut record: BaseRecord<'_, [u8], [u8], ()> = BaseRecord::to(&topic);
        (record.key, record.payload) = (letter.key(), letter.payload());
        let sent = producer.send(record.headers(headers));
        sent.map_err(|(error, _)| error.to_string())?;
        loop {
            producer.poll(HEAR);
            let said = &producer.context().role.0;
            // At the latest when it may take no longer to be acknowledged.
            if let Some(outcome) = said.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return outcome;
            }
        }
    }
}
