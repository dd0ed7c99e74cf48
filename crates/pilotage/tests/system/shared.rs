//! A topic and a database of an installation's own, on the real Kafka and PostgreSQL that `PILOTAGE_TEST_KAFKA` and
//! `PILOTAGE_TEST_POSTGRES` name. Must not be used where the tests are to meet the embedded back end.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio_postgres::{NoTls, SimpleQueryMessage};

/// How many partitions the topic has.
pub(crate) const PARTITIONS: u16 = 3;

/// Whether the tests are to meet Kafka and PostgreSQL: `PILOTAGE_TEST_BACK_END=shared`.
pub(crate) fn is_chosen() -> bool {
    match std::env::var("PILOTAGE_TEST_BACK_END").as_deref() {
        Ok("shared") => true,
        Ok("embedded") | Err(_) => false,
        Ok(other) => panic!("PILOTAGE_TEST_BACK_END is `embedded` or `shared`, not `{other}`"),
    }
}

/// What is one installation's own. The database goes away with the value; the topic with the broker.
pub(crate) struct Shared {
    brokers: String,
    /// As given, for a user that may make databases.
    server: String,
    name: String,
}

impl Shared {
    /// A new, empty one.
    pub(crate) fn new() -> Self {
        Self::on(given("PILOTAGE_TEST_KAFKA"), given("PILOTAGE_TEST_POSTGRES"))
    }

    /// A new, empty one on these brokers and the database of the run.
    pub(crate) fn with_brokers(brokers: String) -> Self {
        Self::on(brokers, given("PILOTAGE_TEST_POSTGRES"))
    }

    /// A new, empty one on these services.
    pub(crate) fn on(brokers: String, server: String) -> Self {
        let shared = Self { brokers, server, name: format!("it_{:016x}", rand::random::<u64>()) };
        shared.order(&format!("CREATE DATABASE {}", shared.name));
        shared
    }

    /// The variables that lead a process to it.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let pairs = [
            ("PILOTAGE_LOG", "kafka".to_owned()),
            ("PILOTAGE_KAFKA_BROKERS", self.brokers.clone()),
            ("PILOTAGE_KAFKA_TOPIC", self.name.clone()),
            ("PILOTAGE_KAFKA_GROUP", self.name.clone()),
            ("PILOTAGE_KAFKA_PARTITIONS", PARTITIONS.to_string()),
            // A test kills many workers: their partitions are to be free soon.
            ("PILOTAGE_KAFKA_SESSION_MS", "1500".to_owned()),
            ("PILOTAGE_STORE", "postgres".to_owned()),
            ("PILOTAGE_DATABASE_URL", self.database()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The address of its database.
    fn database(&self) -> String {
        let (start, _) = self.server.rsplit_once('/').expect("a URL that ends with a database");
        format!("{start}/{}", self.name)
    }

    /// The brokers, and the topic's name.
    pub(crate) fn topic(&self) -> (String, String) {
        (self.brokers.clone(), self.name.clone())
    }

    /// How many records stand in the topic; none where it is not there yet.
    pub(crate) fn records(&self) -> usize {
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .expect("a client of the brokers");
        let count = |partition: u16| {
            let bounds =
                reader.fetch_watermarks(&self.name, partition.into(), Duration::from_secs(5));
            bounds.map_or(0, |(first, end)| usize::try_from(end - first).unwrap_or(0))
        };
        (0..PARTITIONS).map(count).sum()
    }

    /// Cuts every session of the database, as a network that fails does.
    pub(crate) fn cut_sessions(&self) {
        self.order(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        ));
    }

    /// Carries a statement out in its database; the first column of what it answers.
    pub(crate) fn ask(&self, statement: &str) -> Vec<String> {
        carry_out(&self.database(), statement)
    }

    fn order(&self, statement: &str) {
        carry_out(&self.server, statement);
    }
}

/// Carries a statement out at that address, in a session of its own.
fn carry_out(address: &str, statement: &str) -> Vec<String> {
    let answered = async {
        let (client, connection) =
            tokio_postgres::connect(address, NoTls).await.expect("PostgreSQL answers");
        let (answer, _) = tokio::join!(
            async {
                let answer = client.simple_query(statement).await;
                drop(client);
                answer
            },
            connection
        );
        answer.expect("the statement is carried out")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answer = runtime.expect("a runtime").block_on(answered);
    let first = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    answer.iter().filter_map(first).collect()
}

/// Whether a process that shows these metrics folds the whole log, and has nothing left to fold.
pub(crate) fn folds_all(metrics: &str) -> bool {
    let shows = |line: String| metrics.lines().any(|shown| shown == line);
    shows(format!("pilotage_worker_partitions {PARTITIONS}"))
        && shows("pilotage_projection_lag_records 0".to_owned())
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.order(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn given(name: &str) -> String {
    let missing = "tests on Kafka and PostgreSQL need it: `cargo xtask services up`, then `env`";
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; {missing}"))
}
