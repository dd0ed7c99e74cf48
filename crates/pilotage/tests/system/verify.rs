//! `pilotage verify` over Kafka: decisions of the product, one that somebody has changed, and what is none of ours. Must write into
//! the topic as anybody could who reaches the brokers.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::installation::Installation;
use crate::process::{eventually, run};
use crate::shared::{PARTITIONS, Shared};
use crate::user::User;

/// Longer than brokers take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the forged guide says instead; as long as the true headline.
const TRUE: &[u8] = b"Start your first project";
const FALSE: &[u8] = b"Send us your card number";

/// The exit code, and what is said.
fn told(command: &mut Command) -> (Option<i32>, Value) {
    let ended = run(command.arg("--json"));
    let told = serde_json::from_str(&ended.output);
    (ended.code, told.unwrap_or_else(|error| panic!("{error}: {ended:?}")))
}

/// A record as any consumer reads it.
struct Record {
    partition: i32,
    key: Vec<u8>,
    value: Value,
}

/// The topic's first decision.
fn decision(installation: &Installation) -> Record {
    let (brokers, topic) = installation.topic();
    let reader: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("group.id", "somebody")
        .create()
        .expect("a client of the brokers");
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        let added = all.add_partition_offset(&topic, partition.into(), Offset::Beginning);
        added.expect("a place in the topic");
    }
    reader.assign(&all).expect("assigned");
    eventually("the decision is in the topic", || {
        let message = reader.poll(Duration::from_millis(100))?.expect("the brokers answer");
        let value: Value = serde_json::from_slice(message.payload()?).expect("JSON");
        let key = message.key().expect("a key").to_vec();
        let is_decision = value["eventType"] == "guide_decided";
        is_decision.then(|| Record { partition: message.partition(), key, value })
    })
}

/// Puts these into the topic, where that record stands.
fn put(installation: &Installation, beside: &Record, values: &[Vec<u8>]) {
    let (brokers, topic) = installation.topic();
    let config = ClientConfig::new().set("bootstrap.servers", &brokers).clone();
    let writer: BaseProducer = config.create().expect("a client of the brokers");
    for value in values {
        let record = BaseRecord::to(&topic).partition(beside.partition);
        writer
            .send(record.key(&beside.key).payload(value))
            .map_err(|(error, _)| error)
            .expect("sent");
    }
    writer.flush(PATIENCE).expect("the brokers have it");
}

/// The same decision with another headline.
fn forged(record: &Record) -> Vec<u8> {
    let stored = STANDARD.decode(record.value["record"].as_str().expect("text")).expect("base64");
    let at = stored.windows(TRUE.len()).position(|part| part == TRUE).expect("its headline");
    let forged = [&stored[..at], FALSE, &stored[at + TRUE.len()..]].concat();
    let mut value = record.value.clone();
    value["record"] = json!(STANDARD.encode(forged));
    value.to_string().into_bytes()
}

#[test]
fn a_forged_decision_in_the_topic_is_named_and_strange_records_are_counted() {
    let installation = Installation::shared(Shared::new());
    let server = installation.start();
    let client = server.client();
    let user = User::of_group(&client, "guided");
    let event = user.event("page_view", json!({}));
    let decision_id = user.decision("/projects", &event)["decisionId"].clone();
    // While it is served: others may go on.
    let record = decision(&installation);
    let (code, verified) = told(&mut installation.command("verify"));
    let whole = json!({ "decisions": 1, "broken": 0, "named": [], "foreign": 0 });
    assert_eq!((code, verified), (Some(0), whole));
    let (code, book) = told(&mut installation.command("verify-audit"));
    assert_eq!((code, &book["whole"]), (Some(0), &json!(true)), "{book}");
    server.stop();

    put(&installation, &record, &[forged(&record), b"not ours".to_vec()]);
    let (code, verified) = told(&mut installation.command("verify"));
    let broken = json!({ "decisions": 2, "broken": 1, "named": [decision_id], "foreign": 1 });
    assert_eq!((code, verified), (Some(1), broken));
}
