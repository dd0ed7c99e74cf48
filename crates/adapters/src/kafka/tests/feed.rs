//! One member: what it is fed, what is not ours, what is missing, what it tells.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_engine::port::feed::{Feed, FeedError, Loss, Partition, Polled};
use pilotage_engine::port::log::{Entry, EntryName};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::{
    Books, PATIENCE, Seen, append, event, member, next, noted, open, options, read_plainly, records,
};
use crate::kafka::{KafkaJournal, Options, ensure_topics};

/// A topic of one partition, and a journal on it.
async fn single() -> (Options, KafkaJournal) {
    let options = Options { partitions: 1, ..options() };
    ensure_topics(&options).await.expect("the topics are made");
    let journal = open(&options);
    (options, journal)
}

/// Appends events `first..` of one user, one after the other.
async fn append_some(journal: &KafkaJournal, numbers: std::ops::Range<u32>) -> Vec<Position> {
    append(journal, numbers.map(|n| event("u", &n.to_string())).collect()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_come_in_order_from_where_they_are_asked_for() {
    let (options, journal) = single().await;
    let positions = append_some(&journal, 0..10).await;
    let books = Arc::new(Books::default());
    books.begin_at(positions[3]);
    let mut feed = member(&options, &books);
    let fed = records(&mut feed, 6).await;
    for (fed, (n, position)) in fed.iter().zip((4u32..).zip(&positions[4..])) {
        let expected = event("u", &n.to_string());
        assert_eq!((fed.stored.position, &fed.name), (*position, &expected.name));
        assert_eq!((&fed.stored.body, &fed.stored.user), (&expected.body, &expected.user));
        assert_eq!(fed.stored.received_at, expected.received_at);
    }
    append_some(&journal, 10..12).await;
    assert_eq!(records(&mut feed, 2).await[1].name, event("u", "11").name);
    feed.close().await;
    let partition = Partition(0);
    assert_eq!(books.seen(), [Seen::Gained(partition), Seen::Lost(partition, Loss::Asked)]);
    assert!(matches!(feed.poll(1, 1).await, Err(FeedError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_brings_about_as_much_as_it_is_asked_for() {
    let (options, journal) = single().await;
    let entries = (0..40).map(|n| noted("u", &n.to_string(), &"x".repeat(10_000))).collect();
    append(&journal, entries).await;
    let mut feed = member(&options, &Arc::new(Books::default()));
    let (mut all, mut largest) = (0, 0);
    while all < 40 {
        match feed.poll(35_000, 500).await.expect("the log reads") {
            Polled::Records(records) => {
                all += records.len();
                largest = largest.max(records.len());
            }
            other => assert!(matches!(other, Polled::Nothing), "{other:?}"),
        }
    }
    assert!(largest <= 4, "{largest} records of 10 kB in a poll of 35 kB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_is_dropped_loses_nothing() {
    let (options, journal) = single().await;
    let mut feed = member(&options, &Arc::new(Books::default()));
    append_some(&journal, 0..5).await;
    let mut names = Vec::new();
    while names.len() < 5 {
        // Looks once, and lets go.
        let looked = tokio::select! {
            biased;
            polled = feed.poll(1, 1_000) => Some(polled),
            () = std::future::ready(()) => None,
        };
        let polled = feed.poll(1, 1_000).await;
        for polled in looked.into_iter().chain([polled]) {
            if let Polled::Records(records) = polled.expect("the log reads") {
                names.extend(records.into_iter().map(|fed| fed.name));
            }
        }
    }
    let expected: Vec<EntryName> = (0..5u32).map(|n| event("u", &n.to_string()).name).collect();
    assert_eq!(names, expected);
}

/// Writes what is not ours, as anybody might.
fn write_foreign(options: &Options, key: Option<&[u8]>, value: Option<&[u8]>) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &options.brokers)
        .create()
        .expect("a producer");
    let mut record: BaseRecord<'_, [u8], [u8], ()> = BaseRecord::to(&options.topic).partition(0);
    (record.key, record.payload) = (key, value);
    let headers = OwnedHeaders::new()
        .insert(Header { key: "from", value: Some(&[0xff, 0][..]) })
        .insert(Header { key: "empty", value: None::<&[u8]> });
    producer.send(record.headers(headers)).map_err(|(error, _)| error).expect("there is room");
    producer.flush(PATIENCE).expect("it is written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ours_is_told_one_at_a_time_and_buried_as_it_is() {
    let (options, journal) = single().await;
    append_some(&journal, 0..2).await;
    write_foreign(&options, Some(b"\xfe key"), Some(b"\xff\x00 not json"));
    write_foreign(&options, None, None);
    let last = append_some(&journal, 2..3).await[0];

    let mut feed = member(&options, &Arc::new(Books::default()));
    records(&mut feed, 2).await;
    for (offset, expected) in [(2, "it is not JSON"), (3, "it has no value")] {
        let Polled::Foreign(position, error) = next(&mut feed).await else {
            panic!("a foreign record was expected");
        };
        let reason = error.to_string();
        assert_eq!(Some(position), Partition(0).position(offset));
        assert!(reason.contains(expected), "{reason}");
        feed.bury(position, &reason).await.expect("it is buried");
    }
    let fed = records(&mut feed, 1).await;
    assert_eq!(fed[0].stored.position, last);
    // One of ours may turn out to be useless later on.
    feed.bury(last, "no sense in it").await.expect("it is buried");

    let dead = read_plainly(&options, &options.dead_topic(), 0, 3);
    assert_eq!(dead[0].key(), Some(&b"\xfe key"[..]));
    assert_eq!(dead[0].payload(), Some(&b"\xff\x00 not json"[..]));
    assert_eq!((dead[1].key(), dead[1].payload()), (None, None));
    assert_eq!(dead[2].payload(), Some(&*event("u", "2").body));
    for (n, letter) in dead.iter().enumerate() {
        let headers = letter.headers().expect("headers");
        let header = |name| headers.iter().find(|header| header.key == name);
        let text = |name| header(name).and_then(|h| h.value).map(String::from_utf8_lossy);
        assert_eq!(text("dead-partition").as_deref(), Some("0"));
        assert_eq!(text("dead-offset"), Some((2 + n).to_string().into()));
        assert!(text("dead-reason").is_some_and(|reason| reason.contains(' ')));
        let original = if n < 2 { header("from") } else { header("ce_id") };
        let expected = if n < 2 { &[0xff, 0][..] } else { b"2" };
        assert_eq!(original.and_then(|header| header.value), Some(expected));
        assert!(n == 2 || header("empty").is_some_and(|header| header.value.is_none()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_can_not_be_buried() {
    let (options, journal) = single().await;
    append_some(&journal, 0..1).await;
    let mut feed = member(&options, &Arc::new(Books::default()));
    let beyond = Partition(0).position(7).expect("a position");
    for position in [Partition(0).start(), beyond] {
        let refused = feed.bury(position, "gone").await;
        assert!(matches!(refused, Err(FeedError::Unavailable(_))), "{refused:?}");
    }
}

/// To begin elsewhere than where it was asked for would lose records without a word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_records_are_an_error_until_they_are_there() {
    let (options, journal) = single().await;
    append_some(&journal, 0..3).await;
    let books = Arc::new(Books::default());
    books.begin_at(Partition(0).position(4).expect("a position"));
    let mut feed = member(&options, &books);
    let mut errors = 0;
    while errors < 3 {
        match feed.poll(1 << 20, 200).await {
            Err(FeedError::Unavailable(text)) => {
                assert!(text.contains("not in the topic"), "{text}");
                errors += 1;
            }
            other => assert!(matches!(other, Ok(Polled::Nothing)), "{other:?}"),
        }
    }
    append_some(&journal, 3..7).await;
    let fed = loop {
        if let Ok(Polled::Records(records)) = feed.poll(1 << 20, 200).await {
            break records;
        }
    };
    assert_eq!(fed[0].name, event("u", "5").name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_group_is_told_how_far_we_are() {
    let (options, journal) = single().await;
    let positions = append_some(&journal, 0..5).await;
    let mut feed = member(&options, &Arc::new(Books::default()));
    records(&mut feed, 5).await;
    // Of a partition that is not ours nothing is told.
    feed.told(&[positions[2], Partition(7).start()]);
    let asked: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &options.brokers)
        .set("group.id", &options.group)
        .create()
        .expect("a consumer");
    let mut places = TopicPartitionList::new();
    places.add_partition(&options.topic, 0);
    let committed = || {
        let committed = asked.committed_offsets(places.clone(), PATIENCE).expect("an answer");
        committed.elements().first().map(|element| element.offset())
    };
    super::until("the advice is taken", || committed() == Some(Offset::Offset(3))).await;
    // It is advice: whoever comes next begins where its store says.
    feed.close().await;
    let mut feed = member(&options, &Arc::new(Books::default()));
    assert_eq!(records(&mut feed, 5).await[0].name, event("u", "0").name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_comes_as_it_was_given() {
    use pilotage_engine::port::log::{Journal, RecordKind};
    use pilotage_wire::record::decision::{OutcomeName, StoredDecision};

    let (options, journal) = single().await;
    let id = pilotage_domain::id::DecisionId::from_bits(7);
    let like = event("u", "unused");
    let stored = StoredDecision {
        decision_id: id,
        session_id: pilotage_domain::id::SessionId::new("s").expect("a session"),
        at: super::NOW,
        guide: None,
        product: like.product.clone(),
        user_id: like.user.clone(),
        context: Default::default(),
        group: pilotage_domain::decide::Group::Holdout,
        policy: "static".into(),
        explore: false,
        stale: false,
        catalogue_version: 1,
        catalogue_hash: "00".into(),
        signature: "11".into(),
        outcome: OutcomeName::Withhold,
        reason: None,
        propensity: None,
        expires_at: None,
        validation_hash: None,
        trace: Default::default(),
        weighing: None,
    };
    let body = bytes::Bytes::from(stored.encode());
    let entry = Entry { name: EntryName::Decision(id), body: body.clone(), ..like };
    journal.enqueue(entry).expect("there is room");
    let mut feed = member(&options, &Arc::new(Books::default()));
    let fed = records(&mut feed, 1).await;
    assert_eq!((fed[0].stored.kind, &fed[0].stored.body), (RecordKind::Decision, &body));
    assert_eq!(fed[0].name, EntryName::Decision(id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_poll_ends_in_time_with_nothing() {
    let (options, _journal) = single().await;
    let books = Arc::new(Books::default());
    let mut feed = member(&options, &books);
    while books.gained() < 1 {
        assert!(matches!(feed.poll(1, 50).await, Ok(Polled::Nothing)));
    }
    assert!(matches!(feed.poll(1, 0).await, Ok(Polled::Nothing)));
    let idle = tokio::time::timeout(Duration::from_secs(30), feed.poll(1, 100)).await;
    assert!(matches!(idle, Ok(Ok(Polled::Nothing))), "{idle:?}");
}
