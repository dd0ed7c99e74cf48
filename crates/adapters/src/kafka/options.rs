//! What may be chosen of Kafka. Must not read configuration, nor show a secret.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::OpenError;

/// What a librdkafka setting for trust begins with; nothing else is passed on.
const SECURITY: &[&str] = &["security.", "sasl.", "ssl.", "enable.ssl."];
/// The longest name of a topic whose dead letters still have one.
const MAX_TOPIC: usize = 244;
const MIB: usize = 1 << 20;

/// Names, sizes and waits. The defaults suit a cluster of three brokers.
#[derive(Debug, Clone)]
pub struct Options {
    /// The brokers that are asked first: `host:port`, with commas between them.
    pub brokers: String,
    /// The topic of events and decisions; that of its dead letters is called the same and `.dead`.
    pub topic: String,
    /// The group of workers.
    pub group: String,
    /// How many partitions the topic gets where it has to be made. It can't be changed later: a user's records stand in one.
    pub partitions: u16,
    /// How many brokers keep each record, where the topic has to be made; two of three or more must have it before it counts.
    pub replication: u16,
    /// The most bytes that wait for the brokers.
    pub buffer_bytes: usize,
    /// How records are pressed together on their way and in the topic.
    pub compression: Compression,
    /// How long a record waits for others that are sent with it.
    pub linger: Duration,
    /// How long the brokers may take to acknowledge a record; shorter than callers wait for an answer.
    pub delivery_timeout: Duration,
    /// How long the brokers may take to answer anything else.
    pub read_timeout: Duration,
    /// A worker that says nothing for so long loses its partitions.
    pub session_timeout: Duration,
    /// A worker that does not poll for so long loses its partitions; at least the session's time-out.
    pub poll_timeout: Duration,
    /// How brokers are trusted and told who we are.
    pub security: Security,
}

/// How records are pressed together. Every reader of the topic has to know how: kafkajs by itself knows `Gzip` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all: any client reads it, and it costs no processor.
    #[default]
    None,
    /// Cheap, and about a third of the size.
    Lz4,
    /// Dearer and smaller.
    Zstd,
    /// Dearest; known to every client.
    Gzip,
}

impl Compression {
    /// The library's name for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

/// Settings of librdkafka for SASL and TLS, by their own names: `security.protocol`, `sasl.*`, `ssl.*`. Shown without values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Security(pub BTreeMap<String, String>);

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Security {
    /// Whether a client without OpenSSL can't do it.
    fn needs_tls(&self) -> bool {
        self.0.iter().any(|(key, value)| match key.as_str() {
            "security.protocol" => value.to_ascii_uppercase().contains("SSL"),
            "sasl.mechanism" | "sasl.mechanisms" => value.to_ascii_uppercase().contains("SCRAM"),
            other => other.contains("ssl."),
        })
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            brokers: String::new(),
            topic: "user_behavior_events".to_owned(),
            group: "pilotage".to_owned(),
            partitions: 12,
            replication: 3,
            buffer_bytes: 64 * MIB,
            compression: Compression::None,
            linger: Duration::from_millis(2),
            delivery_timeout: Duration::from_secs(8),
            read_timeout: Duration::from_secs(5),
            session_timeout: Duration::from_secs(10),
            poll_timeout: Duration::from_secs(60),
            security: Security::default(),
        }
    }
}

impl Options {
    /// The topic of what could not be read.
    pub fn dead_topic(&self) -> String {
        format!("{}.dead", self.topic)
    }

    /// Every fault, or none.
    pub fn check(&self) -> Result<(), OpenError> {
        let faults = [
            (self.brokers.trim().is_empty(), "no broker is named"),
            (!is_topic(&self.topic), "a topic is 1 to 244 of a-z, A-Z, 0-9, dot, _ and -"),
            (self.group.trim().is_empty(), "the group has no name"),
            (self.partitions == 0, "a topic has at least one partition"),
            (self.replication == 0, "at least one broker has to keep a record"),
            (self.buffer_bytes < MIB, "less than 1 MiB may wait for the brokers"),
            (
                self.linger >= self.delivery_timeout,
                "a record waits for others longer than it may take to be acknowledged",
            ),
            (
                self.delivery_timeout < Duration::from_millis(100),
                "a record may take less than 100 ms to be acknowledged",
            ),
            (self.read_timeout.is_zero(), "the brokers may take no time to answer"),
            (
                self.session_timeout < Duration::from_secs(1),
                "a session of a group lasts at least a second",
            ),
            (
                self.poll_timeout < self.session_timeout,
                "a worker may go without a poll for less than its session lasts",
            ),
        ];
        let faults = faults.into_iter().filter(|(is_fault, _)| *is_fault);
        let mut faults: Vec<String> = faults.map(|(_, fault)| fault.to_owned()).collect();
        let refused = self.security.0.keys().filter(|key| !is_security(key));
        faults.extend(refused.map(|key| {
            format!("`{key}` is not a setting for SASL or TLS: only {SECURITY:?}… are passed on")
        }));
        if !cfg!(feature = "kafka-tls") && self.security.needs_tls() {
            faults.push(
                "this build knows no encryption and no SCRAM towards Kafka: they come with the cargo feature `kafka-tls`"
                    .to_owned(),
            );
        }
        if faults.is_empty() { Ok(()) } else { Err(OpenError::Options(faults)) }
    }
}

fn is_security(key: &str) -> bool {
    SECURITY.iter().any(|prefix| key.starts_with(prefix))
}

fn is_topic(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=MAX_TOPIC).contains(&name.len()) && name.bytes().all(fits) && !matches!(name, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(options: &Options) -> Vec<String> {
        match options.check() {
            Err(OpenError::Options(faults)) => faults,
            other => panic!("faults were expected: {other:?}"),
        }
    }

    #[test]
    fn brokers_are_all_that_has_to_be_named() {
        let options = Options { brokers: "a:9092".to_owned(), ..Options::default() };
        options.check().expect("the defaults are right");
        assert_eq!(options.dead_topic(), "user_behavior_events.dead");
        assert_eq!(faults(&Options::default()), ["no broker is named"]);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let none = Options {
            brokers: " ".to_owned(),
            topic: "a b".to_owned(),
            group: String::new(),
            partitions: 0,
            replication: 0,
            buffer_bytes: 0,
            compression: Compression::None,
            linger: Duration::from_secs(1),
            delivery_timeout: Duration::ZERO,
            read_timeout: Duration::ZERO,
            session_timeout: Duration::from_millis(999),
            poll_timeout: Duration::ZERO,
            security: Security(BTreeMap::from([("acks".to_owned(), "0".to_owned())])),
        };
        assert_eq!(faults(&none).len(), 12, "{:?}", none.check());
    }

    #[test]
    fn what_needs_openssl_is_told_before_it_is_tried() {
        let needs = |key: &str, value: &str| {
            Security(BTreeMap::from([(key.to_owned(), value.to_owned())])).needs_tls()
        };
        assert!(needs("security.protocol", "sasl_ssl") && needs("security.protocol", "SSL"));
        assert!(needs("sasl.mechanism", "SCRAM-SHA-512") && needs("ssl.ca.location", "ca.pem"));
        assert!(!needs("security.protocol", "SASL_PLAINTEXT") && !needs("sasl.mechanism", "PLAIN"));
    }

    #[test]
    fn only_settings_for_trust_are_passed_on_and_none_is_shown() {
        let set = |key: &str| {
            let security = Security(BTreeMap::from([(key.to_owned(), "hush".to_owned())]));
            Options { brokers: "a:9092".to_owned(), security, ..Options::default() }
        };
        for key in ["security.protocol", "sasl.password", "sasl.username"] {
            let options = set(key);
            options.check().expect("it is for trust");
            let shown = format!("{options:?}");
            assert!(shown.contains(key) && !shown.contains("hush"), "{shown}");
        }
        for key in ["acks", "request.required.acks", "transactional.id", "group.id", "sasl"] {
            assert!(faults(&set(key))[0].contains(key));
        }
    }
}
