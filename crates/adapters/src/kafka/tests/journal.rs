//! What is true of the journal on Kafka alone.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId};
use pilotage_engine::port::feed::{Partition, offset_of};
use pilotage_engine::port::log::{AppendError, Appended, Entry, EntryName, Journal};
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::message::Headers;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::topics::make_by_hand;
use super::{PARTITIONS, PATIENCE, append, event, noted, open, opened, options, read_plainly};
use crate::kafka::{KafkaJournal, OpenError, Options, ensure_topics, partition_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_client_reads_the_records_where_their_positions_say() {
    let (options, journal) = opened().await;
    let entries: Vec<Entry> = (0..40).map(|n| event(&format!("user {n}"), "e")).collect();
    let positions = append(&journal, entries.clone()).await;
    for partition in 0..PARTITIONS {
        let here = |position: &Position| Partition::of(*position) == Partition(partition);
        let theirs: Vec<_> = positions.iter().zip(&entries).filter(|(p, _)| here(p)).collect();
        assert!(!theirs.is_empty(), "the users are spread");
        let read = read_plainly(&options, &options.topic, partition, theirs.len());
        for (n, (message, (position, entry))) in read.iter().zip(theirs).enumerate() {
            assert_eq!((message.offset(), offset_of(*position)), (n as i64, Some(n as u64)));
            assert_eq!(message.key(), Some(format!("acme:{}", entry.user).as_bytes()));
            assert_eq!(message.payload(), Some(&*entry.body));
            let headers = message.headers().expect("headers");
            let header = |name| headers.iter().find(|h| h.key == name).and_then(|h| h.value);
            assert_eq!(header("event-id"), Some(&b"e"[..]));
            assert_eq!(header("ce_source"), Some(&b"pilotage/acme"[..]));
            assert_eq!(header("ce_type"), Some(&b"pilotage.event.project_created"[..]));
        }
    }
}

/// Whoever writes or joins by the same key with a client of the Java family has the same partitions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_library_spreads_keys_as_we_do() {
    let (options, _journal) = opened().await;
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &options.brokers)
        .set("partitioner", "murmur2_random")
        .create()
        .expect("a producer");
    for n in 0..100 {
        let key = format!("acme:Ünal {n}");
        let record = BaseRecord::to(&options.topic).key(&key).payload(&key);
        producer.send(record).expect("there is room");
    }
    producer.flush(PATIENCE).expect("it is written");
    let mut by_partition = [0; PARTITIONS as usize];
    let key_of = |n: usize| event(&format!("Ünal {n}"), "e");
    for entry in (0..100).map(key_of) {
        let partition = partition_of(&entry.product, &entry.user, PARTITIONS);
        by_partition[usize::from(partition.0)] += 1;
    }
    for (partition, count) in (0..PARTITIONS).zip(by_partition) {
        for message in read_plainly(&options, &options.topic, partition, count) {
            let key = String::from_utf8(message.key().expect("a key").to_vec()).expect("text");
            let user = event(key.trim_start_matches("acme:"), "e").user;
            let product = event("u", "e").product;
            assert_eq!(partition_of(&product, &user, PARTITIONS), Partition(partition), "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_users_records_stand_in_the_order_of_calls_that_overlap() {
    let (_, journal) = opened().await;
    let (journal, called) = (Arc::new(journal), Arc::new(Mutex::new(0)));
    let mut callers = JoinSet::new();
    for caller in 0..32 {
        let (journal, called) = (Arc::clone(&journal), Arc::clone(&called));
        callers.spawn(async move {
            let mut answers = Vec::new();
            for n in 0..20 {
                let mut place = called.lock().await;
                *place += 1;
                let call = *place;
                let answer = journal.append(vec![event("u", &format!("{caller}-{n}"))]);
                drop(place);
                answers.push((call, answer.await.expect("it is taken")[0].position()));
            }
            answers
        });
    }
    let mut answers = callers.join_all().await.concat();
    answers.sort_unstable();
    assert!(answers.is_sorted_by(|a, b| a.1 < b.1), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_event_twice_stands_twice() {
    let (_, journal) = opened().await;
    let call = || journal.append(vec![event("u", "a"), event("u", "a")]);
    let answers = [call().await.expect("taken"), call().await.expect("taken")].concat();
    let is_new = |appended: &Appended| matches!(appended, Appended::New(_));
    assert!(answers.iter().all(is_new), "{answers:?}");
    assert!(answers.is_sorted_by(|a, b| a.position() < b.position()));
    let stored = journal.get(answers.iter().map(|a| a.position()).collect()).await;
    assert_eq!(stored.expect("the journal reads").len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_buffer_refuses_at_once_and_has_room_again() {
    let options = Options {
        buffer_bytes: 1 << 20,
        // Nothing leaves before it is full.
        linger: Duration::from_millis(1_500),
        ..options()
    };
    ensure_topics(&options).await.expect("the topics are made");
    let journal = open(&options);
    let large = |n: usize| noted(&format!("user {n}"), "e", &"x".repeat(100_000));
    for n in 0..10 {
        journal.enqueue(large(n)).expect("there is room for ten");
    }
    assert!(matches!(journal.enqueue(large(10)), Err(AppendError::Full)));
    let refused = journal.append(vec![event("small", "e"), large(10)]).await;
    assert!(matches!(refused, Err(AppendError::Full)), "{refused:?}");
    journal.barrier().await.expect("what was taken is written");
    assert_eq!(append(&journal, vec![event("small", "e"), large(10)]).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_read_back_is_not_written() {
    let (_, journal) = opened().await;
    let first = append(&journal, vec![event("u", "a")]).await[0];
    let bare = Entry { body: "hello".into(), ..event("u", "b") };
    let renamed =
        Entry { name: EntryName::Event(EventId::new("c").expect("an id")), ..event("u", "b") };
    let other = Entry { name: EntryName::Decision(DecisionId::from_bits(1)), ..event("u", "b") };
    for entry in [bare, renamed, other] {
        let refused = journal.append(vec![event("u", "b"), entry.clone()]).await;
        assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
        assert!(matches!(journal.enqueue(entry), Err(AppendError::Unavailable(_))));
    }
    assert!(journal.healthy(), "the caller's mistake");
    assert_eq!(append(&journal, vec![event("u", "b")]).await, [Position(first.0 + 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_needs_its_topic_and_a_broker() {
    let missing = KafkaJournal::open(&options()).expect_err("there is no such topic");
    assert!(matches!(missing, OpenError::NoTopic(_)), "{missing}");
    // Nothing listens on the port that is for everybody's use.
    let nowhere = Options {
        brokers: "127.0.0.1:9".to_owned(),
        read_timeout: Duration::from_millis(500),
        ..options()
    };
    let unreachable = KafkaJournal::open(&nowhere).expect_err("nobody is there");
    assert!(unreachable.to_string().starts_with("no Kafka broker of 127.0.0.1:9 answers: "));
    let wrong = KafkaJournal::open(&Options::default()).expect_err("no broker is named");
    assert!(matches!(wrong, OpenError::Options(_)), "{wrong}");
}

/// Kafka's own bound, which topics have that somebody made by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_the_topic_will_never_take_is_told_from_a_log_that_is_away() {
    let options = options();
    make_by_hand(&options, &[("max.message.bytes", "1048588")]).await;
    let journal = open(&options);
    let sized = |id: &str, bytes: usize| noted("u", id, &"x".repeat(bytes));
    append(&journal, vec![sized("fits", 1_040_000)]).await;
    for _ in 0..2 {
        let call = vec![event("u", "before"), sized("large", 1_050_000), event("u", "after")];
        let refused = journal.append(call).await;
        assert!(matches!(refused, Err(AppendError::TooLarge(_))), "{refused:?}");
        assert!(refused.is_err_and(|error| !error.is_retryable()));
        assert!(journal.healthy(), "others are written");
    }
    append(&journal, vec![event("u", "next")]).await;
    journal.close().await;
}
