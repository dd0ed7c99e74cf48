//! The topics: found, or made as they must be. Must not change one that is there.

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::{Client, ClientContext, DefaultClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use tokio::runtime::Handle;

use super::client::{self, MAX_RECORD, create};
use super::{OpenError, Options};

/// How long a new topic may take until every partition has its leader, beyond what an answer may take.
const SETTLING: Duration = Duration::from_secs(20);
/// Between two looks at a new topic.
const LOOK: Duration = Duration::from_millis(50);
/// What a dead letter has beyond the record that it was.
const DEAD_MORE: usize = 64 << 10;

type Admin = AdminClient<DefaultClientContext>;

/// The topics that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// How many partitions the topic of events and decisions has.
    pub partitions: u16,
    /// What an operator should know about a topic that others have made: settings by which records would be lost.
    pub warnings: Vec<String>,
}

/// Sees to it that both topics are there, and says what is there. What is there already is not changed.
pub async fn ensure_topics(options: &Options) -> Result<Topics, OpenError> {
    let options = options.clone();
    // The library blocks while it asks.
    let asked = tokio::task::spawn_blocking(move || Handle::current().block_on(ensure(&options)));
    asked.await.map_err(|error| OpenError::Client(error.to_string()))?
}

async fn ensure(options: &Options) -> Result<Topics, OpenError> {
    options.check()?;
    let (topic, dead) = (options.topic.clone(), options.dead_topic());
    let admin: Admin = create(&client::admin(options), DefaultClientContext)?;
    let known = [count(&admin, options, &topic)?, count(&admin, options, &dead)?];
    let replication = i32::from(options.replication);
    let in_sync = if options.replication > 2 { "2" } else { "1" };
    let largest = [MAX_RECORD, MAX_RECORD + DEAD_MORE].map(|bytes| bytes.to_string());
    let topic_spec = (&*topic, i32::from(options.partitions), &*largest[0]);
    // One partition: dead letters are read by people, in order.
    let dead_spec = (&*dead, 1, &*largest[1]);
    let missing = [topic_spec, dead_spec].into_iter().zip(known);
    let missing = missing.filter(|(_, known)| known.is_none());
    let new: Vec<NewTopic<'_>> = missing
        .map(|((name, partitions, largest), _)| {
            NewTopic::new(name, partitions, TopicReplication::Fixed(replication))
                .set("cleanup.policy", "delete")
                .set("retention.ms", "-1")
                .set("retention.bytes", "-1")
                .set("min.insync.replicas", in_sync)
                .set("max.message.bytes", largest)
        })
        .collect();
    make(&admin, options, &new).await?;
    let partitions = settled(&admin, options, &topic).await?;
    let warnings = match known[0] {
        Some(_) => warnings(&admin, options, &topic).await,
        None => Vec::new(),
    };
    Ok(Topics { partitions, warnings })
}

async fn make(admin: &Admin, options: &Options, new: &[NewTopic<'_>]) -> Result<(), OpenError> {
    if new.is_empty() {
        return Ok(());
    }
    let limits = AdminOptions::new()
        .request_timeout(Some(options.read_timeout))
        .operation_timeout(Some(options.read_timeout));
    let made = admin.create_topics(new, &limits).await;
    for result in made.map_err(|error| unreachable(options, &error))? {
        match result {
            // Another process was quicker.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(OpenError::Topic { topic, what: "made", detail: code.to_string() });
            }
        }
    }
    Ok(())
}

/// The number of partitions once each has a leader.
async fn settled(admin: &Admin, options: &Options, topic: &str) -> Result<u16, OpenError> {
    let until = Instant::now() + SETTLING;
    loop {
        let found = find(admin.inner(), options, topic)?;
        if let Some(found) = found.as_ref().filter(|found| found.has_leaders) {
            return Ok(found.partitions);
        }
        if Instant::now() > until {
            let detail = "not every partition has a leader".to_owned();
            return Err(OpenError::Topic { topic: topic.to_owned(), what: "read", detail });
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn count(admin: &Admin, options: &Options, topic: &str) -> Result<Option<u16>, OpenError> {
    Ok(find(admin.inner(), options, topic)?.map(|found| found.partitions))
}

/// A topic as brokers show it.
pub(super) struct Found {
    pub(super) partitions: u16,
    has_leaders: bool,
}

/// The topic, where there is one. Blocks, for the time that an answer may take.
pub(super) fn find<C: ClientContext>(
    client: &Client<C>,
    options: &Options,
    topic: &str,
) -> Result<Option<Found>, OpenError> {
    let metadata = client.fetch_metadata(Some(topic), options.read_timeout);
    let metadata = metadata.map_err(|error| unreachable(options, &error))?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
        return Ok(None);
    };
    let fault = |detail: String| OpenError::Topic { topic: topic.to_owned(), what: "read", detail };
    match found.error().map(RDKafkaErrorCode::from) {
        None | Some(RDKafkaErrorCode::LeaderNotAvailable) => {}
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            return Ok(None);
        }
        Some(code) => return Err(fault(code.to_string())),
    }
    let partitions = found.partitions();
    let too_many = || fault(format!("it has {} partitions, more than 65,535", partitions.len()));
    let has_leaders = !partitions.is_empty() && partitions.iter().all(|p| p.leader() >= 0);
    let partitions = u16::try_from(partitions.len()).map_err(|_| too_many())?;
    Ok(Some(Found { partitions, has_leaders }))
}

fn unreachable(options: &Options, error: &KafkaError) -> OpenError {
    OpenError::Unreachable { brokers: options.brokers.clone(), detail: error.to_string() }
}

/// Settings of a topic by which records would go away or not be taken. Who may not see them is told nothing.
async fn warnings(admin: &Admin, options: &Options, topic: &str) -> Vec<String> {
    let limits = AdminOptions::new().request_timeout(Some(options.read_timeout));
    let described = admin.describe_configs(&[ResourceSpecifier::Topic(topic)], &limits).await;
    let Some(Ok(config)) = described.ok().and_then(|mut all| all.pop()) else {
        return Vec::new();
    };
    let value = |name: &str| config.get(name).and_then(|entry| entry.value.clone());
    let mut warnings = Vec::new();
    for (name, wanted) in
        [("retention.ms", "-1"), ("retention.bytes", "-1"), ("cleanup.policy", "delete")]
    {
        if let Some(found) = value(name).filter(|found| found != wanted) {
            warnings.push(format!(
                "the topic {topic} has {name}={found}: records go away, and with {wanted} they stay"
            ));
        }
    }
    let largest = value("max.message.bytes").and_then(|found| found.parse::<usize>().ok());
    if let Some(found) = largest.filter(|found| *found < MAX_RECORD) {
        warnings.push(format!(
            "the topic {topic} has max.message.bytes={found}: larger records are refused, and up to {MAX_RECORD} bytes may come"
        ));
    }
    warnings
}
