//! What the clients of the library have in common: how each is set up, what it says, and whether brokers answer it. Must not
//! let a secret out.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;

use super::{OpenError, Options};

/// The largest record: an event of a megabyte with all that stands around it, or a decision in base64.
pub(super) const MAX_RECORD: usize = 4 << 20;
/// Records that wait for the same partition are sent together up to so many bytes. A larger one is always sent alone.
pub(super) const BATCH: usize = 1_000_000;
/// How often whoever writes looks whether brokers answer.
const LOOK: Duration = Duration::from_millis(250);
/// How long a broker is waited for where none may be there: long enough for a client that has just been about to try again.
const PROBE: Duration = Duration::from_millis(1_500);
/// How long the last connection may be gone before that means something, where nothing was tried since.
const UNTRIED: Duration = Duration::from_millis(1_500);
/// The longest pause before a broker is tried again.
const PAUSE: Duration = Duration::from_millis(500);

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
        .set("batch.size", BATCH.to_string())
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
        // The next fetch begins as soon as the last is used up.
        .set("fetch.queue.backoff.ms", "1")
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
        let is_up = statistics.brokers.values().any(|broker| broker.state == "UP");
        self.reach.seen(if is_up { Seen::Up } else { Seen::NoneUp });
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => self.reach.gone(reason),
            Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::Resolve) => {
                tracing::debug!(reason, "kafka broker can't be connected to");
                self.reach.tried();
            }
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
    silence: Mutex<Silence>,
    /// Whether there is silence, for whoever only wants to know that there is none.
    is_lost: AtomicBool,
    is_ended: AtomicBool,
}

/// The connections that were lost: one that comes back at once is nobody's trouble.
#[derive(Default)]
enum Silence {
    #[default]
    None,
    /// The last connection is gone. That by itself says little: the library also lets go of the brokers that it began with
    /// once it knows the others, and connects to those when it has to, at the latest after a second.
    Begun { since: Instant, is_tried: bool, reason: String },
    /// And it is not back since.
    Lasting(String),
}

/// What statistics say of the connections.
enum Seen {
    Up,
    NoneUp,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("is_lost", &self.is_lost).finish_non_exhaustive()
    }
}

impl Reach {
    /// Nothing, or why nothing can be asked now.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.is_ended() {
            return Err("the client is being replaced".to_owned());
        }
        if !self.is_lost.load(Ordering::Acquire) {
            return Ok(());
        }
        match &*self.silence() {
            Silence::Lasting(reason) => Err(format!("no broker answers: {reason}")),
            Silence::None | Silence::Begun { .. } => Ok(()),
        }
    }

    /// Asks a broker, where none may be there: `Ok` if one answers.
    pub(super) fn probe<C: ClientContext>(
        &self,
        client: &Client<C>,
        topic: &str,
    ) -> Result<(), String> {
        if !matches!(*self.silence(), Silence::None) {
            match client.fetch_metadata(Some(topic), PROBE) {
                Ok(_) => self.answered(),
                Err(_) => self.still_silent(),
            }
        }
        self.check()
    }

    /// Whether the client has failed for good: another has to take its place.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Acquire)
    }

    /// Another client has taken the place of the one that failed.
    pub(super) fn begin_again(&self) {
        self.is_ended.store(false, Ordering::Release);
    }

    /// A broker has answered.
    pub(super) fn answered(&self) {
        *self.silence() = Silence::None;
        if self.is_lost.swap(false, Ordering::AcqRel) {
            tracing::info!("kafka brokers answer again");
        }
    }

    /// What the connections look like by now.
    fn seen(&self, seen: Seen) {
        let is_lasting = match (&*self.silence(), &seen) {
            (Silence::Begun { since, is_tried, .. }, Seen::NoneUp) => {
                since.elapsed() >= if *is_tried { LOOK } else { UNTRIED }
            }
            _ => false,
        };
        match seen {
            Seen::Up => self.answered(),
            Seen::NoneUp if is_lasting => self.still_silent(),
            Seen::NoneUp => {}
        }
    }

    /// A broker could not be connected to.
    fn tried(&self) {
        if let Silence::Begun { is_tried, .. } = &mut *self.silence() {
            *is_tried = true;
        }
    }

    fn gone(&self, reason: &str) {
        let mut silence = self.silence();
        if matches!(*silence, Silence::None) {
            let (since, reason) = (Instant::now(), reason.to_owned());
            *silence = Silence::Begun { since, is_tried: false, reason };
        }
    }

    fn still_silent(&self) {
        let mut silence = self.silence();
        let Silence::Begun { reason, .. } = &mut *silence else { return };
        let reason = std::mem::take(reason);
        tracing::warn!(reason, "no kafka broker answers");
        *silence = Silence::Lasting(reason);
        self.is_lost.store(true, Ordering::Release);
    }

    /// The client has failed for good.
    pub(super) fn ended(&self, reason: &str) {
        if !self.is_ended.swap(true, Ordering::AcqRel) {
            tracing::error!(reason, "kafka client failed for good and is replaced");
        }
    }

    fn silence(&self) -> MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_comes_back_at_once_is_no_outage() {
        let reach = Reach::default();
        reach.gone("1/1 brokers are down");
        reach.answered();
        reach.still_silent();
        assert_eq!(reach.check(), Ok(()));
    }

    #[test]
    fn an_outage_lasts_until_a_broker_answers() {
        let reach = Reach::default();
        reach.gone("1/1 brokers are down");
        assert_eq!(reach.check(), Ok(()), "it may come back at once");
        reach.still_silent();
        reach.gone("again");
        reach.still_silent();
        assert_eq!(reach.check(), Err("no broker answers: 1/1 brokers are down".to_owned()));
        reach.answered();
        assert_eq!(reach.check(), Ok(()));
    }

    #[test]
    fn a_connection_that_is_not_needed_is_not_missed_for_long() {
        let after = |silent: Duration, is_tried| {
            let reach = Reach::default();
            let since = Instant::now().checked_sub(silent).expect("the machine is up for so long");
            *reach.silence() = Silence::Begun { since, is_tried, reason: String::new() };
            reach.seen(Seen::NoneUp);
            reach.check().is_ok()
        };
        assert!(after(LOOK, false) && !after(UNTRIED, false));
        assert!(after(Duration::ZERO, true) && !after(LOOK, true));
    }

    #[test]
    fn a_client_that_failed_for_good_is_of_no_use() {
        let reach = Reach::default();
        reach.ended("out of order");
        reach.answered();
        assert!(reach.check().is_err() && reach.is_ended());
        reach.begin_again();
        assert_eq!(reach.check(), Ok(()));
    }
}
