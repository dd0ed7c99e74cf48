//! The store in PostgreSQL, put to the ports' suites and to every failure that has a defined answer.

mod cancel;
mod conformance;
mod faults;
mod forgetting;
mod hearing;
mod migrations;
mod opening;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::feed::Partition;
use pilotage_engine::port::log::EntryName;
use pilotage_engine::port::shared::{Claim, Folded, RecordName, Reservation, Shared};
use pilotage_engine::port::store::{UserKey, UserWrite};
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls};

use super::{Options, PostgresStore};

/// A database of its own, which goes away with it.
struct Database {
    name: String,
}

impl Database {
    /// An empty one.
    fn empty() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pilotage_test_{}_{number}", std::process::id());
        administer(&format!("CREATE DATABASE {name}"));
        Self { name }
    }

    /// One with the newest schema.
    fn new() -> Self {
        let database = Self::empty();
        apart(PostgresStore::migrate(&database.options())).expect("the database is migrated");
        database
    }

    fn options(&self) -> Options {
        let mut address = server();
        let start = address.rfind('/').expect("the address names a database") + 1;
        address.replace_range(start.., &self.name);
        Options { connections: 6, ..Options::new(&address) }
    }

    async fn open(&self) -> PostgresStore {
        PostgresStore::open(&self.options()).await.expect("the store opens")
    }

    /// A session beside the store's, as an operator has one.
    async fn operator(&self) -> Operator {
        Operator::new(&self.options().url).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        administer(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The address of the database to begin with.
fn server() -> String {
    std::env::var("PILOTAGE_TEST_POSTGRES").expect(
        "PILOTAGE_TEST_POSTGRES says where PostgreSQL is: see docs/services.md, `cargo xtask services up`",
    )
}

/// Runs it to its end on a thread and a runtime of its own, wherever it is called.
fn apart<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(work)
        };
        scope.spawn(run).join().expect("it ends")
    })
}

fn administer(statement: &str) {
    apart(async {
        let operator = Operator::new(&server()).await;
        operator.run(statement).await;
    });
}

/// A session of its own.
struct Operator {
    client: Client,
    _wire: JoinSet<()>,
}

impl Operator {
    async fn new(address: &str) -> Self {
        let config: Config = address.parse().expect("an address");
        let (client, wire) = config.connect(NoTls).await.expect("PostgreSQL answers");
        let mut carried = JoinSet::new();
        carried.spawn(async { drop(wire.await) });
        Self { client, _wire: carried }
    }

    async fn run(&self, statements: &str) {
        self.client.batch_execute(statements).await.expect("the statements run");
    }

    /// The one number that the query answers.
    async fn number(&self, query: &str) -> i64 {
        self.client.query_one(query, &[]).await.expect("the query runs").get(0)
    }

    /// Waits until the query answers that number.
    async fn until(&self, query: &str, expected: i64) {
        let patience = tokio::time::Instant::now() + Duration::from_secs(30);
        while self.number(query).await != expected {
            assert!(tokio::time::Instant::now() < patience, "{query} is not {expected} in time");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The store's sessions, but for the one that listens.
const WORKERS: &str = "datname = current_database() AND application_name = 'pilotage'
    AND query NOT LIKE '%pauses%' AND query NOT LIKE 'LISTEN%'";

fn key(user: &str) -> UserKey {
    UserKey {
        product: ProductId::new("p").expect("a product"),
        user: UserId::new(user).expect("a user"),
    }
}

fn event_name(user: &str, id: &str) -> RecordName {
    let id = EventId::new(id).expect("an id");
    RecordName { key: key(user), name: EntryName::Event(id) }
}

fn user(name: &str, body: &str, applied: Position) -> UserWrite {
    let (key, body) = (key(name), Bytes::from(body.to_owned()));
    UserWrite { key, row: None, body, applied, spilled: Vec::new(), cohort: None }
}

async fn claim(store: &dyn Shared, partition: u16) -> Claim {
    store.claim(vec![Partition(partition)]).await.expect("the store claims")[0]
}

/// What a worker makes of one event, named after its offset, of one user.
fn one_record(claim: &Claim, offset: u64, name: &str) -> Folded {
    let applied = claim.partition.position(offset).expect("it fits");
    let text = offset.to_string();
    Folded {
        claims: vec![Claim { applied, ..*claim }],
        users: vec![user(name, &text, applied)],
        names: vec![(event_name(name, &text), applied)],
        ..Folded::default()
    }
}

fn offer(name: &str, n: u128, seen_reservations: u64, until: i64) -> Reservation {
    Reservation {
        key: key(name),
        seen_applied: Position(0),
        seen_reservations,
        decision: DecisionId::from_bits(n),
        offer: Bytes::from("offer"),
        until: Timestamp::from_millis(until),
    }
}

async fn body(store: &dyn Shared, name: &str) -> Option<Bytes> {
    let loaded = store.load(vec![key(name)]).await.expect("the store reads");
    loaded.into_iter().next().flatten().map(|stored| stored.body)
}
