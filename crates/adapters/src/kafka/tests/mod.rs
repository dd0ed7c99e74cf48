//! Journal, feed and topics against real brokers, and against those that a test may hurt.

mod conformance;
mod feed;
mod group;
mod journal;
mod mock;
mod outage;
mod stack;
mod topics;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pilotage_domain::event::{EventContext, Position};
use pilotage_domain::id::{EventId, ProductId, SessionId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::feed::{Fed, Feed, Loss, Partition, Polled, Shift};
use pilotage_engine::port::log::{Entry, EntryName, Journal};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::OwnedMessage;
use rdkafka::{Offset, TopicPartitionList};

use super::{KafkaFeed, KafkaJournal, Options, ensure_topics};

/// What nothing here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);
const PARTITIONS: u16 = 4;
const NOW: Timestamp = Timestamp::from_millis(1_795_378_500_123);

fn brokers() -> String {
    std::env::var("PILOTAGE_TEST_KAFKA").expect(
        "PILOTAGE_TEST_KAFKA must name real Kafka brokers: `cargo xtask services up`, then evaluate what \
         `cargo xtask services env` prints (docs/services.md)",
    )
}

/// A name that no other test has, nor had.
fn fresh_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let random = std::hash::RandomState::new().build_hasher().finish();
    format!("test-{random:016x}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A topic and a group of the test's own, on these brokers.
fn options_on(brokers: String) -> Options {
    let topic = fresh_name();
    Options {
        brokers,
        group: topic.clone(),
        topic,
        partitions: PARTITIONS,
        replication: 1,
        session_timeout: Duration::from_secs(6),
        ..Options::default()
    }
}

fn options() -> Options {
    options_on(brokers())
}

fn open(options: &Options) -> KafkaJournal {
    KafkaJournal::open(options).expect("the journal opens")
}

/// A topic of its own, and a journal on it.
async fn opened() -> (Options, KafkaJournal) {
    let options = options();
    ensure_topics(&options).await.expect("the topics are made");
    let journal = open(&options);
    (options, journal)
}

fn event(user: &str, id: &str) -> Entry {
    noted(user, id, "")
}

/// An event of product `acme` with so much to say.
fn noted(user: &str, id: &str, note: &str) -> Entry {
    let product = ProductId::new("acme").expect("a product");
    let (user, id) = (UserId::new(user).expect("a user"), EventId::new(id).expect("an id"));
    let incoming = IncomingEvent {
        id: None,
        user: user.clone(),
        session: SessionId::new("s").expect("a session"),
        kind: "project_created".into(),
        claimed: None,
        anonymous: None,
        attributes: None,
        context: EventContext::default(),
        payload: serde_json::value::to_raw_value(&serde_json::json!({ "note": note })).ok(),
        api_version: None,
        trace_parent: None,
    };
    let body = record::event::encode(&product, &id, &incoming, NOW).into();
    Entry { product, user, name: EntryName::Event(id), received_at: NOW, body, event: None }
}

async fn append(journal: &dyn Journal, entries: Vec<Entry>) -> Vec<Position> {
    let appended = journal.append(entries).await.expect("the journal takes it");
    appended.iter().map(|appended| appended.position()).collect()
}

/// Asks until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not so after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The first records of a partition, as any client reads them.
fn read_plainly(options: &Options, topic: &str, partition: u16, count: usize) -> Vec<OwnedMessage> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &options.brokers)
        .set("group.id", "a plain reader")
        .create()
        .expect("a consumer");
    let mut places = TopicPartitionList::new();
    let beginning = Offset::Offset(0);
    places.add_partition_offset(topic, i32::from(partition), beginning).expect("a place");
    consumer.assign(&places).expect("it is assigned");
    let mut read = Vec::new();
    while read.len() < count {
        let next = consumer.poll(PATIENCE).expect("there are as many");
        read.push(next.expect("the topic reads").detach());
    }
    read
}

/// Whoever takes partitions over in a test: begins where it was told, and remembers what was asked of it.
#[derive(Debug, Default)]
struct Books {
    begin: Mutex<BTreeMap<Partition, Position>>,
    seen: Mutex<Vec<Seen>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Gained(Partition),
    Lost(Partition, Loss),
}

impl Books {
    fn begin_at(&self, position: Position) {
        self.begin.lock().expect("whole").insert(Partition::of(position), position);
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("whole").clone()
    }

    fn count(&self, what: impl Fn(&Seen) -> bool) -> usize {
        self.seen.lock().expect("whole").iter().filter(|seen| what(seen)).count()
    }

    fn gained(&self) -> usize {
        self.count(|seen| matches!(seen, Seen::Gained(_)))
    }
}

impl Shift for Books {
    fn gained(&self, partitions: &[Partition]) -> Vec<Position> {
        let begin = self.begin.lock().expect("whole");
        self.seen.lock().expect("whole").extend(partitions.iter().copied().map(Seen::Gained));
        let place = |partition: &Partition| begin.get(partition).copied();
        partitions.iter().map(|p| place(p).unwrap_or(p.start())).collect()
    }

    fn lost(&self, partitions: &[Partition], loss: Loss) {
        let lost = partitions.iter().map(|partition| Seen::Lost(*partition, loss));
        self.seen.lock().expect("whole").extend(lost);
    }
}

fn member(options: &Options, books: &Arc<Books>) -> KafkaFeed {
    KafkaFeed::open(options, Arc::clone(books) as Arc<dyn Shift>).expect("it joins")
}

/// The next thing that is not nothing.
async fn next(feed: &mut KafkaFeed) -> Polled {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match feed.poll(1 << 20, 200).await.expect("the log reads") {
            Polled::Nothing => {}
            other => return other,
        }
    }
    panic!("nothing came in {PATIENCE:?}");
}

/// The next so many records, and nothing else.
async fn records(feed: &mut KafkaFeed, count: usize) -> Vec<Fed> {
    let mut all = Vec::new();
    while all.len() < count {
        match next(feed).await {
            Polled::Records(records) => all.extend(records),
            other => panic!("records were expected: {other:?}"),
        }
    }
    assert_eq!(all.len(), count);
    all
}
