//! What is forgotten and when. Must not be sooner than promised, nor all in one transaction.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::time::Timestamp;
use pilotage_engine::port::shared::{REMEMBERED_DAYS, Reserved, Shared};
use pilotage_engine::port::store::Store;

use super::{Database, claim, event_name, offer, one_record};
use crate::postgres::forget::{CHUNK, GRACE, LOCK, Moment, forget};
use crate::postgres::pool::Pool;
use crate::postgres::tls;

/// A pool of its own: nothing is forgotten but what the test has forgotten.
fn pool(database: &Database) -> Pool {
    let options = database.options();
    let config = options.config().expect("an address");
    let tls = tls::connector(config.get_ssl_mode(), None).expect("there is none to read");
    Pool::new(config, tls, &options).0
}

/// The server's day, counted as those of names.
const SERVERS_DAY: &str = "SELECT (CURRENT_DATE - DATE '1970-01-01')::bigint";

/// A partition of which that day is the newest, and a name of each of the days before that one, twenty back.
fn names_of(partition: u16, newest: &str, day: &str) -> String {
    format!(
        "INSERT INTO pilotage.partitions (partition, epoch, applied, newest_day)
            VALUES ({partition}, 1, {partition}::bigint << 48, {newest});
        INSERT INTO pilotage.names
            SELECT gen_random_uuid(), ({partition}::bigint << 48) + 7, ({day}) - age
            FROM generate_series(0, 20) AS age"
    )
}

/// How far back the oldest name of that partition lies.
fn oldest_of(partition: u16) -> String {
    format!("SELECT min(day)::bigint FROM pilotage.names WHERE position >> 48 = {partition}")
}

#[tokio::test]
async fn a_name_is_kept_a_day_longer_than_it_is_known_by_the_days_of_its_own_partition() {
    let database = Database::new();
    let (pool, operator) = (pool(&database), database.operator().await);
    let before = operator.number(SERVERS_DAY).await;
    let servers_day = "CURRENT_DATE - DATE '1970-01-01'";
    // One of long ago, one that is folded no further yet, one of which nothing is folded, and one whose clock is ahead.
    for (partition, newest, day) in
        [(1, "9000", "9000"), (2, "8990", "9000"), (3, "NULL", "9000"), (4, "900000", servers_day)]
    {
        operator.run(&names_of(partition, newest, day)).await;
    }
    let forgotten = forget(&pool, &Moment::default()).await.expect("the store writes");
    let after = operator.number(SERVERS_DAY).await;
    let kept = i64::from(REMEMBERED_DAYS) + 1;
    for (partition, expected) in [(1, 9000 - kept), (2, 8990 - kept), (3, 8980)] {
        assert_eq!(operator.number(&oldest_of(partition)).await, expected, "{partition}");
    }
    // It may be midnight meanwhile.
    let oldest = operator.number(&oldest_of(4)).await;
    assert!((before - kept..=after - kept).contains(&oldest), "{oldest} at {before}");
    let left = operator.number("SELECT count(*) FROM pilotage.names").await;
    assert_eq!(forgotten as i64 + left, 4 * 21);
    assert_eq!(forget(&pool, &Moment::default()).await.expect("the store writes"), 0);
}

#[tokio::test]
async fn an_open_store_forgets_by_itself_and_keeps_what_is_young() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let mine = claim(&store, 0).await;
    for offset in 0..2 {
        store.fold(one_record(&mine, offset, "u")).await.expect("the store folds");
    }
    let position = mine.partition.position(0).expect("a position").0;
    let age = "UPDATE pilotage.names SET day = day - 9 WHERE position =";
    operator.run(&format!("{age} {position}")).await;
    store.close().await;
    let store = database.open().await;
    operator.until("SELECT count(*) FROM pilotage.names", 1).await;
    let names = vec![event_name("u", "0"), event_name("u", "1")];
    let known = store.positions(names).await.expect("the store reads");
    assert_eq!(known, [None, mine.partition.position(1)]);
}

#[tokio::test]
async fn a_heap_of_names_is_forgotten_in_transactions_of_a_bounded_size() {
    let database = Database::new();
    let (pool, operator) = (pool(&database), database.operator().await);
    let count = 2 * CHUNK + 5;
    let heap = format!(
        "INSERT INTO pilotage.names
            SELECT gen_random_uuid(), 7, 100 FROM generate_series(1, {count});
        INSERT INTO pilotage.partitions VALUES (0, 1, 7, 5, 200);
        CREATE TABLE pilotage.gone (rows bigint, transaction xid8);
        CREATE FUNCTION pilotage.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO pilotage.gone SELECT count(*), pg_current_xact_id() FROM gone;
            RETURN NULL;
        END $$;
        CREATE TRIGGER note AFTER DELETE ON pilotage.names REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION pilotage.note()"
    );
    operator.run(&heap).await;
    let forgotten = forget(&pool, &Moment::default()).await.expect("the store writes");
    assert_eq!(forgotten as i64, count);
    let most = "SELECT max(rows)::bigint FROM
        (SELECT sum(rows) AS rows FROM pilotage.gone GROUP BY transaction) AS each";
    assert_eq!(operator.number(most).await, CHUNK);
    assert_eq!(operator.number("SELECT sum(rows)::bigint FROM pilotage.gone").await, count);
}

#[tokio::test]
async fn one_process_at_a_time_forgets_and_the_others_do_not_wait() {
    let database = Database::new();
    let (pool, operator) = (pool(&database), database.operator().await);
    let old = "INSERT INTO pilotage.names VALUES (gen_random_uuid(), 7, 100);
        INSERT INTO pilotage.partitions VALUES (0, 1, 7, 5, 200)";
    operator.run(old).await;
    operator.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})")).await;
    assert_eq!(forget(&pool, &Moment::default()).await.expect("the store writes"), 0);
    operator.run("COMMIT").await;
    assert_eq!(forget(&pool, &Moment::default()).await.expect("the store writes"), 1);
}

#[tokio::test]
async fn a_reservation_is_thrown_away_a_while_after_it_lapsed() {
    let database = Database::new();
    let (pool, store) = (pool(&database), database.open().await);
    let (moment, now) = (Arc::new(Moment::default()), 1_700_000_000_000);
    for (n, until) in [(1, now - GRACE - 1), (2, now - GRACE), (3, now), (4, now + 1)] {
        let held = store.reserve(offer(&format!("u{n}"), n, 0, until)).await;
        assert_eq!(held.expect("the store reserves"), Reserved::Held);
    }
    let operator = database.operator().await;
    let left = "SELECT count(*) FROM pilotage.reservations";
    // Nobody has said yet what the time is.
    assert_eq!(forget(&pool, &moment).await.expect("the store writes"), 0);
    moment.note(now);
    // A clock that is behind changes nothing.
    moment.note(now - 10 * GRACE);
    assert_eq!(forgotten(&pool, &moment).await, 1);
    assert_eq!(operator.number(left).await, 3);
    let seen = store.shared_user(&super::key("u4"), Timestamp::from_millis(now)).await;
    assert_eq!(seen.expect("the store reads").reserved.len(), 1);
    moment.note(now + 10 * GRACE);
    assert_eq!(forgotten(&pool, &moment).await, 3);
}

/// What is forgotten once it is our turn: the store that is open looks for itself, too, and may be at it.
async fn forgotten(pool: &Pool, moment: &Moment) -> u64 {
    for _ in 0..250 {
        match forget(pool, moment).await.expect("the store writes") {
            0 => tokio::time::sleep(Duration::from_millis(20)).await,
            some => return some,
        }
    }
    0
}
