//! The log on Kafka: a journal that writes it, a feed that reads it as one of a group, the topics that both need. Must not
//! fold, nor take Kafka's committed offsets for more than advice.

mod client;
mod feed;
mod journal;
mod options;
mod reader;
mod record;
mod spread;
mod topics;

use thiserror::Error;

pub use feed::KafkaFeed;
pub use journal::KafkaJournal;
pub use options::{Compression, Options, Security};
pub use spread::partition_of;
pub use topics::{Topics, ensure_topics};

/// Why nothing was opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The options are not right: every fault.
    #[error("the Kafka settings are not right: {}", .0.join("; "))]
    Options(Vec<String>),
    /// The client library does not take the options, a certificate's file say.
    #[error("the Kafka client can't be made: {0}")]
    Client(String),
    /// No broker answers, or not what it was asked.
    #[error("no Kafka broker of {brokers} answers: {detail}")]
    Unreachable {
        /// Who was asked.
        brokers: String,
        /// What came of it.
        detail: String,
    },
    /// There is no such topic; `ensure_topics` makes it.
    #[error("the Kafka topic {0} is not there")]
    NoTopic(String),
    /// The brokers don't make the topic, or don't show it.
    #[error("the Kafka topic {topic} can't be {what}: {detail}")]
    Topic {
        /// Its name.
        topic: String,
        /// What can't be done with it: `made`, `read`.
        what: &'static str,
        /// What the brokers say.
        detail: String,
    },
    /// A thread can't be started.
    #[error("no thread can be started for Kafka: {0}")]
    Thread(#[from] std::io::Error),
}

#[cfg(test)]
mod tests;
