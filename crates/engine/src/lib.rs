//! Use cases over ports: take events, fold profiles, decide. Must not know HTTP, SQL, Kafka or a model's wire.

pub mod port;
