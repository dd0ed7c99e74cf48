//! Failures that brokers seldom have, played by librdkafka's mock cluster. It is a test double: what it can't show is shown on
//! real brokers.

use std::time::Duration;

use pilotage_engine::port::log::{AppendError, Journal};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::{append, event, noted, open, options_on, until};
use crate::kafka::{KafkaJournal, Options};

type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A cluster of one, a topic of one partition, and a journal on it. The journal goes first.
fn played(delivery_timeout: Duration) -> (KafkaJournal, Cluster) {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let options = Options { delivery_timeout, ..options_on(cluster.bootstrap_servers()) };
    cluster.create_topic(&options.topic, 1, 1).expect("a topic");
    (open(&options), cluster)
}

fn fail(cluster: &Cluster, errors: &[RDKafkaRespErr]) {
    cluster.request_errors(RDKafkaApiKey::Produce, errors);
}

/// What an append is refused with.
async fn refusal(journal: &KafkaJournal, id: &str) -> String {
    match journal.append(vec![event("u", id)]).await {
        Err(AppendError::Unavailable(text)) => text,
        other => panic!("it was to be refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_tried_again_without_a_word() {
    let (journal, cluster) = played(Duration::from_secs(8));
    fail(
        &cluster,
        &[
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
        ],
    );
    let first = append(&journal, vec![event("u", "a")]).await[0];
    assert_eq!(append(&journal, vec![event("u", "b")]).await[0].0, first.0 + 1);
    assert!(journal.healthy());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pass_is_told_and_the_next_may_succeed() {
    let (journal, cluster) = played(Duration::from_secs(8));
    let cases = [
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "larger than the brokers take"),
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "authorization"),
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD, "nvalidRecord"),
    ];
    for (error, expected) in cases {
        fail(&cluster, &[error]);
        let text = refusal(&journal, "a").await;
        assert!(text.to_lowercase().contains(&expected.to_lowercase()), "{text}");
        assert!(!journal.healthy());
        // The library may hold what it was told against the topic for a while.
        while journal.append(vec![event("u", "b")]).await.is_err() {}
        assert!(journal.healthy());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_fails_as_a_whole_where_one_of_its_records_does() {
    let (journal, _cluster) = played(Duration::from_secs(8));
    let too_large = noted("u", "b", &"x".repeat(5 << 20));
    let refused = journal.append(vec![event("u", "a"), too_large, event("u", "c")]).await;
    assert!(matches!(refused, Err(AppendError::TooLarge(_))), "{refused:?}");
    assert!(journal.healthy(), "it says nothing of other records");
    // What came after it was not sent.
    assert_eq!(append(&journal, vec![event("u", "d")]).await[0].0, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_nobody_waited_for_is_told_by_the_next_barrier() {
    let (journal, cluster) = played(Duration::from_secs(8));
    fail(&cluster, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
    journal.enqueue(event("u", "a")).expect("there is room");
    let told = journal.barrier().await;
    assert!(matches!(told, Err(AppendError::Unavailable(_))), "{told:?}");
    journal.barrier().await.expect("it is told once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_that_does_not_come_in_time_is_told() {
    let (journal, cluster) = played(Duration::from_secs(3));
    append(&journal, vec![event("u", "a")]).await;
    cluster.broker_round_trip_time(-1, Duration::from_secs(10)).expect("it is slow");
    let text = refusal(&journal, "b").await;
    assert!(text.contains("in time; it may be stored"), "{text}");
    assert!(!journal.healthy());
    cluster.broker_round_trip_time(-1, Duration::ZERO).expect("it is quick again");
    while journal.append(vec![event("u", "c")]).await.is_err() {}
    until("it is well again", || journal.healthy()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_that_are_away_are_known_and_known_again() {
    let (journal, cluster) = played(Duration::from_secs(2));
    append(&journal, vec![event("u", "a")]).await;
    cluster.broker_down(-1).expect("it goes");
    until("it is known", || !journal.healthy()).await;
    assert!(refusal(&journal, "b").await.contains("no broker answers"));
    cluster.broker_up(-1).expect("it comes back");
    until("it is well again", || journal.healthy()).await;
    append(&journal, vec![event("u", "c")]).await;
}

/// The broker has lost track of what this producer wrote: no order can be promised, so the library gives the client up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_failed_for_good_is_replaced() {
    let (journal, cluster) = played(Duration::from_secs(8));
    append(&journal, vec![event("u", "a")]).await;
    fail(&cluster, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER]);
    refusal(&journal, "b").await;
    until("another client is at work", || journal.healthy()).await;
    append(&journal, vec![event("u", "c")]).await;
    journal.close().await;
}
