//! Which log and store, and which part of the work: settings of an installation that may span several processes. Must
//! not connect to anything.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ValueEnum;

use super::Faults;
use crate::cli::RoleArg;

/// Where events and profiles are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BackEnd {
    /// In files of the data folder, which one process has to itself.
    Embedded,
    /// In Kafka and PostgreSQL, which several processes share.
    Shared(Shared),
}

/// A log on Kafka and a store on PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shared {
    /// `host:port,…`
    pub(crate) brokers: String,
    pub(crate) topic: String,
    pub(crate) group: String,
    /// Of a topic that is made anew.
    pub(crate) partitions: u16,
    /// Of a topic that is made anew.
    pub(crate) replication: u16,
    /// A worker that says nothing for so long loses its partitions.
    pub(crate) session: Duration,
    /// Settings of librdkafka for encryption and authentication.
    pub(crate) kafka: BTreeMap<String, String>,
    /// Holds a password: not to be shown.
    pub(crate) database_url: String,
}

/// Which part of the work a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// All of it.
    All,
    /// Takes events.
    Ingest,
    /// Folds events into profiles.
    Worker,
    /// Decides, looks up and reports.
    Decide,
}

impl Role {
    pub(crate) const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// The settings as they are written, the environment's before the file's.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) log: Option<String>,
    pub(super) store: Option<String>,
    pub(super) brokers: Option<String>,
    pub(super) topic: Option<String>,
    pub(super) group: Option<String>,
    pub(super) partitions: Option<u64>,
    pub(super) replication: Option<u64>,
    pub(super) session_ms: Option<u64>,
    pub(super) kafka: BTreeMap<String, String>,
    pub(super) database_url: Option<String>,
    pub(super) role: Option<String>,
}

const DEFAULT_TOPIC: &str = "user_behavior_events";
const DEFAULT_GROUP: &str = "pilotage";
const DEFAULT_SESSION_MS: u64 = 10_000;
const DEFAULT_PARTITIONS: u64 = 12;
const MOST_PARTITIONS: u64 = 4_096;

/// What is meant, or every fault of it.
pub(super) fn typed(
    written: Written,
    flag: Option<RoleArg>,
    faults: &mut Faults,
) -> (BackEnd, Role) {
    let role = written.role.as_deref();
    let role = role.and_then(|r| faults.parse("role", r, |t| RoleArg::from_str(t, false).ok()));
    let role = match flag.or(role) {
        None | Some(RoleArg::All) => Role::All,
        Some(RoleArg::Ingest) => Role::Ingest,
        Some(RoleArg::Worker) => Role::Worker,
        Some(RoleArg::Decide) => Role::Decide,
    };
    let kind = |name, given: &Option<String>, other: &'static str, faults: &mut Faults| {
        let known = |text: &str| (text == "sqlite" || text == other).then(|| text == other);
        given.as_deref().and_then(|text| faults.parse(name, text, known)).unwrap_or(false)
    };
    let kafka = kind("log", &written.log, "kafka", faults);
    let postgres = kind("store", &written.store, "postgres", faults);
    // Numbers are held to their bounds even where nothing is made by them: a slip is a slip.
    let sizes = Sizes {
        partitions: faults.within(
            "kafka_partitions",
            (1, MOST_PARTITIONS),
            written.partitions.unwrap_or(DEFAULT_PARTITIONS),
        ),
        replication: faults.within("kafka_replication", (1, 9), written.replication.unwrap_or(1)),
        session_ms: faults.within(
            "kafka_session_ms",
            (1_000, 300_000),
            written.session_ms.unwrap_or(DEFAULT_SESSION_MS),
        ),
    };
    let is_told = faults.has("log") || faults.has("store");
    if kafka != postgres && !is_told {
        faults.say("log, store: `kafka` and `postgres` go together, as do `sqlite` and `sqlite`");
    }
    if !(kafka && postgres) {
        if role != Role::All && !is_told {
            faults.about(
                "role",
                "the embedded log and store belong to one process, which does all of the work",
            );
        }
        return (BackEnd::Embedded, role);
    }
    (BackEnd::Shared(shared(written, sizes, faults)), role)
}

/// The numbers of a topic that is made anew, and of a worker's session.
struct Sizes {
    partitions: u64,
    replication: u64,
    session_ms: u64,
}

fn shared(written: Written, sizes: Sizes, faults: &mut Faults) -> Shared {
    let mut needed = |name: &str, given: Option<String>| {
        given.filter(|text| !text.is_empty()).unwrap_or_else(|| {
            if !faults.has(name) {
                faults.about(name, "is needed for `kafka` and `postgres`");
            }
            String::new()
        })
    };
    let brokers = needed("kafka_brokers", written.brokers);
    let database_url = needed("database_url", written.database_url);
    Shared {
        session: Duration::from_millis(sizes.session_ms),
        brokers,
        topic: written.topic.unwrap_or_else(|| DEFAULT_TOPIC.to_owned()),
        group: written.group.unwrap_or_else(|| DEFAULT_GROUP.to_owned()),
        partitions: u16::try_from(sizes.partitions).unwrap_or(1),
        replication: u16::try_from(sizes.replication).unwrap_or(1),
        kafka: written.kafka,
        database_url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(written: Written, flag: Option<RoleArg>) -> (BackEnd, Role, String) {
        let mut faults = Faults::default();
        let (back_end, role) = typed(written, flag, &mut faults);
        (back_end, role, faults.told.join("; "))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn nothing_said_is_the_embedded_one_and_all_of_the_work() {
        assert_eq!(told(Written::default(), None), (BackEnd::Embedded, Role::All, String::new()));
    }

    #[test]
    fn kafka_and_postgres_go_together_and_need_their_addresses() {
        let half = Written { log: some("kafka"), ..Written::default() };
        assert!(told(half, None).2.contains("go together"));
        let bare = Written { log: some("kafka"), store: some("postgres"), ..Written::default() };
        let faults = told(bare, None).2;
        assert!(faults.contains("kafka_brokers") && faults.contains("database_url"), "{faults}");
        let odd = Written { store: some("mysql"), ..Written::default() };
        assert!(told(odd, None).2.contains("mysql"));
    }

    #[test]
    fn a_role_needs_a_shared_log_and_the_flag_wins() {
        let faults = told(Written { role: some("worker"), ..Written::default() }, None).2;
        assert!(faults.contains("role"), "{faults}");
        let written = Written {
            log: some("kafka"),
            store: some("postgres"),
            brokers: some("b:1"),
            database_url: some("postgres://x"),
            role: some("worker"),
            partitions: Some(3),
            ..Written::default()
        };
        let (back_end, role, faults) = told(written, Some(RoleArg::Decide));
        assert_eq!((role, faults.as_str()), (Role::Decide, ""));
        assert!(matches!(back_end, BackEnd::Shared(Shared { partitions: 3, .. })));
    }
}
