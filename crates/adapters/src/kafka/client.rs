//! What the clients of the library have in common: how each is set up, what it says, and whether brokers answer it. Must not
//! let a secret out.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;

use super::{OpenError, Options};

/// The largest record: an event of a megabyte with all that stands around it, or a decision in base64.
pub(super) const MAX_RECORD: usize = 4 << 20;
/// How often whoever writes looks whether brokers answer again.
const LOOK: Duration = Duration::from_millis(500);
/// The longest pause before a broker is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// What every client is told.
fn common(options: &Options) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in &options.security.0 {
        config.set(key, value);
    }
    config
        .set("bootstrap.servers", &options.brokers)
        .set("client.id", "pilotage")
        // A name that was mistyped must not become a topic.
        .set("allow.auto.create.topics", "false")
        .set("reconnect.backoff.max.ms", ms(PAUSE))
        .set("socket.keepalive.enable", "true")
        .set("socket.timeout.ms", ms(options.delivery_timeout.max(options.read_timeout)))
        .set_log_level(RDKafkaLogLevel::Warning);
    config
}

/// For the topics.
pub(super) fn admin(options: &Options) -> ClientConfig {
    common(options)
}

/// For whoever writes. A record counts once every broker that is in step has it; nothing is doubled or overtaken on the way.
pub(super) fn producer(options: &Options) -> ClientConfig {
    let mut config = common(options);
    config
        // Its events are always heard; those of a client that is not polled would pile up.
        .set("statistics.interval.ms", ms(LOOK))
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.codec", options.compression.as_str())
        .set("linger.ms", ms(options.linger))
        .set("message.timeout.ms", ms(options.delivery_timeout))
        .set("request.timeout.ms", ms(options.delivery_timeout))
        .set("message.max.bytes", MAX_RECORD.to_string())
        // What waits is counted by us; the library's own bounds lie beyond and stop what we got wrong.
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", (options.buffer_bytes / 512).to_string());
    config
}

/// For a worker. What was read is said by the store alone.
pub(super) fn member(options: &Options) -> ClientConfig {
    let mut config = consumer(options);
    config
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", ms(options.session_timeout))
        .set("heartbeat.interval.ms", ms(options.session_timeout / 4))
        .set("max.poll.interval.ms", ms(options.poll_timeout))
        .set("queued.max.messages.kbytes", "16384");
    config
}

/// For single records at any place. Little is fetched beyond one.
pub(super) fn reader(options: &Options) -> ClientConfig {
    let mut config = consumer(options);
    config
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "5")
        .set("fetch.message.max.bytes", "16384")
        .set("queued.min.messages", "1");
    config
}

fn consumer(options: &Options) -> ClientConfig {
    let mut config = common(options);
    config
        .set("group.id", &options.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Records that are missing are an error: to begin elsewhere would lose them without a word.
        .set("auto.offset.reset", "error")
        // Nothing of ours is written in transactions, and an open one of somebody else must not hide what is.
        .set("isolation.level", "read_uncommitted")
        // Flipped bits on the way are told, not folded.
        .set("check.crcs", "true");
    config
}

fn ms(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// Makes a client of any kind.
pub(super) fn create<C, T>(config: &ClientConfig, context: C) -> Result<T, OpenError>
where
    C: ClientContext,
    T: FromClientConfigAndContext<C>,
{
    config.create_with_context(context).map_err(|error| OpenError::Client(explain(&error)))
}

/// What the library says, without the value of a setting.
fn explain(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, _, key, _) => {
            format!("the client library does not take the value of `{key}`")
        }
        KafkaError::ClientCreation(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a client is given: where it says how it fares, and what its kind needs beyond.
pub(super) struct Context<T> {
    pub(super) reach: Arc<Reach>,
    pub(super) role: T,
}

impl<T: Send + Sync> ClientContext for Context<T> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        // What matters of it comes as an error too, and is logged where it is handled.
        tracing::debug!(?level, facility, text, "kafka client");
    }

    fn stats(&self, statistics: Statistics) {
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.reach.answered();
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => self.reach.lost(reason),
            Some(RDKafkaErrorCode::Fatal) => self.reach.ended(reason),
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL) => {
                tracing::warn!(%error, reason, "kafka broker is not trusted, or does not trust us");
            }
            _ => tracing::debug!(%error, reason, "kafka client"),
        }
    }
}

/// Whether brokers answer a client, and whether it is of any more use.
#[derive(Default)]
pub(super) struct Reach {
    is_lost: AtomicBool,
    is_ended: AtomicBool,
    reason: Mutex<String>,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("lost", &self.is_lost).finish_non_exhaustive()
    }
}

impl Reach {
    /// Nothing, or why nothing can be asked now.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.is_lost.load(Ordering::Acquire) && !self.is_ended() {
            return Ok(());
        }
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        Err(format!("no broker answers: {reason}"))
    }

    /// Whether the client has failed for good: another has to take its place.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Acquire)
    }

    /// Another client has taken the place of the one that failed.
    pub(super) fn begin_again(&self) {
        self.is_ended.store(false, Ordering::Release);
    }

    fn lost(&self, reason: &str) {
        self.set_reason(reason);
        if !self.is_lost.swap(true, Ordering::AcqRel) {
            tracing::warn!(reason, "no kafka broker answers");
        }
    }

    fn ended(&self, reason: &str) {
        self.set_reason(reason);
        if !self.is_ended.swap(true, Ordering::AcqRel) {
            tracing::error!(reason, "kafka client failed for good and is replaced");
        }
    }

    /// A broker has answered.
    pub(super) fn answered(&self) {
        if self.is_lost.swap(false, Ordering::AcqRel) {
            tracing::info!("kafka brokers answer again");
        }
    }

    fn set_reason(&self, reason: &str) {
        reason.clone_into(&mut self.reason.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
