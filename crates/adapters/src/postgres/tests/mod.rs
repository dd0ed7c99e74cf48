//! The store in PostgreSQL, put to the ports' suites and to every failure that has a defined answer.

mod cancel;
mod conformance;
mod faults;
mod forgetting;
mod hearing;
mod migrations;
mod opening;
mod outage;
mod stack;

use std::fmt::Debug;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, Once};
use std::time::Duration;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::feed::Partition;
use pilotage_engine::port::log::EntryName;
use pilotage_engine::port::shared::{
    Claim, Dated, Day, FoldError, Folded, RecordName, Reservation, Shared,
};
use pilotage_engine::port::store::{StoreError, UserKey, UserWrite};
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls};

use super::{Options, PostgresStore};

/// Of every test's role.
const PASSWORD: &str = "hush";

/// A database of its own and its owner, who is called the same and may do nothing else.
struct Database {
    name: String,
    /// Where it is, as who may do everything there.
    server: String,
    /// Whether more than its tables was changed.
    is_altered: AtomicBool,
}

/// Databases that tests have left: to clear one takes a fraction of the time that a new one takes. The last ones of a run
/// stay, until the next run sweeps them away.
static LEFT: Mutex<Vec<Database>> = Mutex::new(Vec::new());

impl Database {
    /// An empty one.
    fn empty() -> Self {
        static SWEPT: Once = Once::new();
        SWEPT.call_once(|| apart(sweep()));
        let left = LEFT.lock().expect("nobody panics with it").pop();
        left.map_or_else(|| Self::on(server()), Self::cleared)
    }

    /// A new one on that server.
    fn on(server: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pilotage_test_{}_{number}", std::process::id());
        let database = Self { name, server, is_altered: AtomicBool::new(false) };
        let name = &database.name;
        // A password that is checked a thousand times over takes its time where nothing is optimized.
        let owner =
            format!("SET scram_iterations = 1; CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'");
        let making = [&*owner, &format!("CREATE DATABASE {name} OWNER {name}")];
        apart(administer(&database.server, &making));
        database
    }

    /// One with the newest schema.
    fn new() -> Self {
        Self::empty().migrated()
    }

    fn migrated(self) -> Self {
        apart(PostgresStore::migrate(&self.options())).expect("the database is migrated");
        self
    }

    /// Without tables and sessions of another test.
    fn cleared(self) -> Self {
        let others = "FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        apart(async {
            let operator = self.superuser().await;
            operator.run(&format!("SELECT pg_terminate_backend(pid) {others}")).await;
            operator.until(&format!("SELECT count(*) {others}"), 0).await;
            operator.run("DROP SCHEMA IF EXISTS pilotage CASCADE").await;
        });
        self
    }

    fn options(&self) -> Options {
        let (_, place) = self.server.rsplit_once('@').expect("the address has a user");
        let (place, _) = place.split_once('/').expect("the address names a database");
        let name = &self.name;
        let address = format!("postgres://{name}:{PASSWORD}@{place}/{name}?sslmode=disable");
        Options { connections: 6, ..Options::new(&address) }
    }

    async fn open(&self) -> PostgresStore {
        PostgresStore::open(&self.options()).await.expect("the store opens")
    }

    /// A session beside the store's, as an operator has one.
    async fn operator(&self) -> Operator {
        Operator::new(&self.options().url).await
    }

    /// The same, of one who may do everything.
    async fn superuser(&self) -> Operator {
        let start = self.server.rfind('/').expect("the address names a database");
        Operator::new(&format!("{}/{}", &self.server[..start], self.name)).await
    }

    /// Changes more than tables, as who may do everything, from outside.
    fn alter(&self, statements: &[&str]) {
        self.is_altered.store(true, Ordering::Relaxed);
        apart(administer(&self.server, statements));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let is_altered = *self.is_altered.get_mut() || std::thread::panicking();
        // A server that one test has to itself goes as a whole; what was altered is swept away later.
        if self.server == server() && !is_altered {
            let (name, server) = (std::mem::take(&mut self.name), self.server.clone());
            let left = Self { name, server, is_altered: AtomicBool::new(false) };
            LEFT.lock().expect("nobody panics with it").push(left);
        }
    }
}

/// Runs the statements one after the other.
async fn administer(server: &str, statements: &[&str]) {
    let operator = Operator::new(server).await;
    for statement in statements {
        operator.run(statement).await;
    }
}

/// Throws away what runs that have ended have left.
async fn sweep() {
    let operator = Operator::new(&server()).await;
    let left = r"SELECT datname::text FROM pg_database WHERE datname LIKE 'pilotage\_test\_%'";
    for row in operator.client.query(left, &[]).await.expect("the query runs") {
        let name: &str = row.get(0);
        let run = name.split('_').nth(2).expect("the number of a process");
        if !Path::new("/proc").join(run).exists() {
            operator.run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            operator.run(&format!("DROP ROLE IF EXISTS {name}")).await;
        }
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

/// How many of the store's sessions wait for a lock.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'pilotage' AND wait_event_type = 'Lock'";

/// Ends the store's sessions, but for the one that listens.
fn cut_workers() -> String {
    format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {WORKERS}")
}

/// How many there are of those sessions, that are like this.
fn workers(like: &str) -> String {
    format!("SELECT count(*) FROM pg_stat_activity WHERE {WORKERS} AND {like}")
}

/// Works on a call until so many of the store's sessions wait for a lock.
async fn until_waiting<T: Debug>(
    call: &mut (impl Future<Output = T> + Unpin),
    operator: &Operator,
    sessions: i64,
) {
    tokio::select! {
        done = call => panic!("it was to wait for a lock: {done:?}"),
        () = operator.until(WAITING, sessions) => {}
    }
}

/// The text of an answer that says that the store is not available.
fn unavailable<T: Debug>(answer: Result<T, impl Into<FoldError>>) -> String {
    match answer.map_err(Into::into) {
        Err(FoldError::Store(StoreError::Unavailable(text))) => text,
        Err(other) => panic!("it was to be unavailable: {other}"),
        Ok(done) => panic!("it was to be unavailable: {done:?}"),
    }
}

/// What was stored of `one_record` at that offset: the profile, the name and the partition's position, all or none.
async fn is_stored(store: &dyn Shared, claim: &Claim, offset: u64, user: &str) -> bool {
    let (text, position) = (offset.to_string(), claim.partition.position(offset));
    let is_in_profile = body(store, user).await.is_some_and(|body| body == text);
    let known = store.positions(vec![event_name(user, &text)]).await.expect("the store reads");
    let applied = store.applied().await.expect("the store reads");
    let is_applied = applied.get(&claim.partition).copied() == position;
    assert_eq!((known[0] == position, is_applied), (is_in_profile, is_in_profile), "half a fold");
    is_in_profile
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

/// The day on which the tests' records are received.
const TODAY: i32 = 20_000;

fn event_name(user: &str, id: &str) -> Dated {
    let id = EventId::new(id).expect("an id");
    let name = RecordName { key: key(user), name: EntryName::Event(id) };
    Dated { name, day: Day::new(TODAY) }
}

fn user(name: &str, body: &str, applied: Position) -> UserWrite {
    let (key, body) = (key(name), Bytes::from(body.to_owned()));
    UserWrite { key, row: None, body, applied, spilled: Vec::new(), counting: Default::default() }
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
