//! Brokers that refuse to write, played by librdkafka's mock cluster: real processes speak to it over real sockets, and it keeps
//! what they write for as long as the test lasts. It is a test double and no Kafka; what it can't show is shown on real brokers.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::shared::{PARTITIONS, Shared};

/// All brokers.
const ALL: i32 = -1;
/// An answer that takes longer is a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// The brokers. They go away with the value.
pub(super) struct Played {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Played {
    /// Three brokers, none of which has a topic.
    pub(super) fn start() -> Self {
        Self { cluster: MockCluster::new(3).expect("a mock cluster") }
    }

    /// A topic with them, and a database of the run. They make no topic when they are asked to, so it is there before.
    pub(super) fn shared(&self) -> Shared {
        let shared = Shared::with_brokers(self.cluster.bootstrap_servers());
        let (_, topic) = shared.topic();
        let make = |name: &str, partitions: u16| {
            self.cluster.create_topic(name, partitions.into(), 3).expect("a topic");
        };
        make(&topic, PARTITIONS);
        make(&format!("{topic}.dead"), 1);
        shared
    }

    /// The next requests to write fail, each with one of these.
    pub(super) fn refuse(&self, errors: &[RDKafkaRespErr]) {
        self.cluster.request_errors(RDKafkaApiKey::Produce, errors);
    }

    /// What was to be refused and was not asked for is taken.
    pub(super) fn refuse_no_more(&self) {
        self.cluster.clear_request_errors(RDKafkaApiKey::Produce);
    }

    /// From now on every answer takes so long: what is asked is done at once.
    pub(super) fn answer_after(&self, delay: Duration) {
        self.cluster.broker_round_trip_time(ALL, delay).expect("it is as slow as it is told");
    }

    /// How often each event stands in the installation's topic, by its id.
    pub(super) fn copies(&self, topic: &str) -> BTreeMap<String, usize> {
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.cluster.bootstrap_servers())
            .set("group.id", "a plain reader")
            .create()
            .expect("a consumer");
        let (mut places, mut left) = (TopicPartitionList::new(), 0);
        for partition in 0..i32::from(PARTITIONS) {
            let ends = reader.fetch_watermarks(topic, partition, PATIENCE);
            let (first, end) = ends.expect("the brokers answer");
            assert_eq!(first, 0, "they keep what was written");
            left += end;
            places.add_partition_offset(topic, partition, Offset::Beginning).expect("a place");
        }
        reader.assign(&places).expect("it is assigned");
        let mut copies = BTreeMap::new();
        for _ in 0..left {
            let record = reader.poll(PATIENCE).expect("there are as many").expect("it is read");
            let headers = record.headers().expect("a record has headers");
            let ids = headers.iter().filter(|header| header.key == "event-id");
            for id in ids.filter_map(|header| header.value) {
                let id = String::from_utf8(id.to_vec()).expect("UTF-8");
                *copies.entry(id).or_default() += 1;
            }
        }
        copies
    }
}
