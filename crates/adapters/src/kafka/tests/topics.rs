//! Topics that are made, and topics that are there.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;

use super::{PARTITIONS, options};
use crate::kafka::{OpenError, Options, Security, Topics, ensure_topics};

fn admin(options: &Options) -> AdminClient<DefaultClientContext> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &options.brokers).create().expect("a client")
}

async fn setting(options: &Options, topic: &str, name: &str) -> Option<String> {
    let wanted = [ResourceSpecifier::Topic(topic)];
    let limits = AdminOptions::new();
    let mut found = admin(options).describe_configs(&wanted, &limits).await.expect("an answer");
    let found = found.pop().expect("a topic").expect("its settings");
    found.get(name).and_then(|entry| entry.value.clone())
}

#[tokio::test]
async fn topics_are_made_once_and_keep_records_for_ever() {
    let options = options();
    let made = ensure_topics(&options).await.expect("they are made");
    assert_eq!(made, Topics { partitions: PARTITIONS, warnings: Vec::new() });
    for topic in [options.topic.clone(), options.dead_topic()] {
        let expected = [
            ("retention.ms", "-1"),
            ("retention.bytes", "-1"),
            ("cleanup.policy", "delete"),
            ("min.insync.replicas", "1"),
        ];
        for (name, value) in expected {
            assert_eq!(setting(&options, &topic, name).await.as_deref(), Some(value), "{name}");
        }
    }
    // Whoever asks for another number is told what there is.
    let other = Options { partitions: 9, ..options };
    let found = ensure_topics(&other).await.expect("they are there");
    assert_eq!(found, Topics { partitions: PARTITIONS, warnings: Vec::new() });
}

/// Makes the topic of two partitions, as somebody else would.
pub(super) async fn make_by_hand(options: &Options, settings: &[(&str, &str)]) {
    let plain = NewTopic::new(&options.topic, 2, TopicReplication::Fixed(1));
    let topic = settings.iter().fold(plain, |topic, (name, value)| topic.set(name, value));
    let made = admin(options).create_topics([&topic], &AdminOptions::new()).await;
    assert!(made.is_ok_and(|made| made.iter().all(Result::is_ok)));
}

#[tokio::test]
async fn a_topic_that_forgets_is_told() {
    let options = options();
    let settings = [("retention.ms", "1000"), ("max.message.bytes", "1000000")];
    make_by_hand(&options, &settings).await;
    let found = ensure_topics(&options).await.expect("it is there");
    assert_eq!(found.partitions, 2);
    assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
    assert!(found.warnings[0].contains("retention.ms=1000"), "{:?}", found.warnings);
    assert!(found.warnings[1].contains("max.message.bytes=1000000"), "{:?}", found.warnings);
}

#[tokio::test]
async fn what_brokers_refuse_is_told_with_the_topics_name() {
    let options = Options { replication: 99, ..options() };
    let refused = ensure_topics(&options).await.expect_err("there are not so many brokers");
    let said = refused.to_string();
    assert!(
        said.starts_with(&format!("the Kafka topic {} can't be made: ", options.topic)),
        "{said}"
    );
}

#[tokio::test]
async fn a_setting_that_the_library_does_not_take_is_named_without_its_value() {
    let security = Security([("security.protocol".to_owned(), "hush".to_owned())].into());
    let options = Options { security, read_timeout: Duration::from_millis(500), ..options() };
    let refused = ensure_topics(&options).await.expect_err("there is no such protocol");
    assert!(matches!(refused, OpenError::Client(_)));
    let said = refused.to_string();
    assert!(said.contains("`security.protocol`") && !said.contains("hush"), "{said}");
}
