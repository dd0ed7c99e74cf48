//! From every past schema to the newest. Must not go back, be done twice, or stop half-way.

use pilotage_domain::decide::Group;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{EventId, ProductId};
use pilotage_domain::time::Millis;
use pilotage_engine::port::log::EntryName;
use pilotage_engine::port::shared::Shared;
use pilotage_engine::port::store::{Grid, Reached, Store};

use super::{
    Database, Operator, TODAY, WAITING, apart, body, claim, event_name, is_stored, one_record,
};
use crate::postgres::column::Uuid;
use crate::postgres::schema::{LOCK, NEWEST, STEPS, migrate};
use crate::postgres::{Migrated, OpenError, PostgresStore};

/// The released steps, by the SHA-256 of their files.
const RELEASED: &[&str] = &[
    "2b5e80623c7cf7280f749fc312805a1d5c5e7d2dd09b34e576e7df8d2b32210d",
    "896805371cc7488d343f6dfc99c065d82340f777879424dc092dc897a3c63621",
    "9ccbf59a2c307687e2daeed8794e410b2952f9ee03a8a34aea65e51de2a31f60",
    "947773f851a91006e4b51d52ba3b1b46ab9a678097418ed78392dcb7f21c4541",
    "f4ba800d5507aa0f37b48d28b6bd0cc7028e77ad555eeda43294b9391468a6e3",
    "d1b77661e364342bfe5257c1124c328822d96d8acf66366a8d8df2009a76a5ac",
];

/// Every table, column, default, constraint and index of the schema, a line each.
const SHAPE: &str = "
    SELECT format('%s.%s %s %s %s %s %s', table_name, column_name, data_type, is_nullable,
        column_default, collation_name, identity_generation)
    FROM information_schema.columns WHERE table_schema = 'pilotage'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'pilotage'
    UNION ALL SELECT format('%s %s', relname, pg_get_constraintdef(c.oid))
    FROM pg_constraint c JOIN pg_class t ON t.oid = conrelid
    WHERE connamespace = 'pilotage'::regnamespace
    UNION ALL SELECT format('%s %s', relname, reloptions) FROM pg_class
    WHERE relnamespace = 'pilotage'::regnamespace ORDER BY 1";

async fn shape(operator: &Operator) -> Vec<String> {
    let rows = operator.client.query(SHAPE, &[]).await.expect("the query runs");
    rows.iter().map(|row| row.get(0)).collect()
}

/// What an installation of that schema holds. A step that changes a table says here what it was filled with before.
async fn fill(operator: &Operator, schema: i32) {
    if schema >= 1 {
        let rows = "SET search_path = pilotage;
            INSERT INTO partitions VALUES (3, 7, (3::bigint << 48) + 1, 5);
            INSERT INTO users (applied, product, user_id, body)
                VALUES ((3::bigint << 48) + 1, 'p', 'u', '0');
            INSERT INTO cohorts (row_id, product, grp, first_seen, signup)
                SELECT row_id, product, 1, 5, 5 FROM users;
            INSERT INTO secrets VALUES ('s', decode(repeat('ab', 32), 'hex'));
            UPDATE meta SET value = 4 WHERE name = 'pauses'";
        operator.run(rows).await;
        let day = match schema {
            // Of its fold.
            ..=5 => format!("DATE '1970-01-01' + {TODAY}"),
            _ => TODAY.to_string(),
        };
        let name = format!("INSERT INTO names VALUES ($1, (3::bigint << 48) + 1, {day})");
        let event = EntryName::Event(EventId::new("0").expect("an id"));
        let named = Uuid::of_name(&super::key("u"), &event);
        operator.client.execute(&name, &[&named]).await.expect("the statement runs");
    }
}

/// What `fill` has filled in is there, and the store works.
async fn assert_filled(database: &Database, schema: i32) {
    let store = database.open().await;
    let mine = claim(&store, 3).await;
    if schema >= 1 {
        assert_eq!((mine.epoch, Some(mine.applied)), (8, mine.partition.position(0)));
        assert_eq!(body(&store, "u").await.as_deref(), Some(&b"0"[..]));
        let known = store.positions(vec![event_name("u", "0")]).await.expect("the store reads");
        assert_eq!(known, [mine.partition.position(0)]);
        assert_milestones_are_asked_for(&store).await;
        assert_eq!(store.secret("s", [0; 32]).await.expect("the store reads"), [0xab; 32]);
    }
    store.fold(one_record(&mine, 1, "u")).await.expect("the store folds");
    assert!(is_stored(&store, &mine, 1, "u").await);
}

/// Who was counted before milestones were noted is told of, once.
async fn assert_milestones_are_asked_for(store: &PostgresStore) {
    let product = ProductId::new("p").expect("a product");
    let unnoted = store.unnoted(&product, 9).await.expect("the store reads");
    let [(key, stored)] = &unnoted[..] else { panic!("one user: {unnoted:?}") };
    assert_eq!((key.user.as_str(), stored.body.as_ref()), ("u", &b"0"[..]));
    let reached: Reached = [2, 11].into_iter().collect();
    store.note_reached(vec![(stored.row, reached)]).await.expect("the store writes");
    assert!(store.unnoted(&product, 9).await.expect("the store reads").is_empty());
    let grid = Grid::new(Millis::days(7));
    let counted = store.cohorts(&product, &grid).await.expect("the store reads");
    let milestones: Vec<_> = counted.reached.into_iter().collect();
    assert_eq!(milestones, [((Group::Holdout, 2), 1), ((Group::Holdout, 11), 1)]);
}

#[tokio::test]
async fn every_past_schema_is_brought_to_the_newest_with_what_it_holds() {
    let straight = Database::new();
    let expected = shape(&straight.operator().await).await;
    assert!(expected.len() > 50, "{expected:?}");
    for past in 0..=NEWEST {
        let database = Database::empty();
        let options = database.options();
        let begun = migrate(&options, past).await.expect("the past is made");
        assert_eq!(begun, Migrated { from: 0, to: past });
        let operator = database.operator().await;
        fill(&operator, past).await;
        let migrated = PostgresStore::migrate(&options).await.expect("it is migrated");
        assert_eq!(migrated, Migrated { from: past, to: NEWEST });
        assert_eq!(shape(&operator).await, expected, "from {past}");
        assert_filled(&database, past).await;
        // Once more changes nothing.
        let again = PostgresStore::migrate(&options).await.expect("there is nothing to do");
        assert_eq!(again, Migrated { from: NEWEST, to: NEWEST });
        assert_eq!(shape(&operator).await, expected);
    }
}

#[test]
fn a_step_that_was_released_never_changes() {
    for (n, step) in STEPS.iter().enumerate() {
        assert_eq!(step.number, n as i32 + 1, "{}", step.name);
    }
    for (step, released) in STEPS.iter().zip(RELEASED) {
        let hash = ContentHash::of_bytes(step.sql.as_bytes()).to_string();
        assert_eq!(hash, *released, "{}: what has to change goes into a new step", step.name);
    }
    assert_eq!(STEPS.len(), RELEASED.len(), "a new step is written down here");
}

#[tokio::test]
async fn nothing_is_taken_back() {
    let database = Database::new();
    let options = database.options();
    let asked_back = migrate(&options, 0).await.expect("there is nothing to do");
    assert_eq!(asked_back, Migrated { from: NEWEST, to: NEWEST });
    database.open().await;
}

#[tokio::test]
async fn of_many_that_migrate_at_once_one_does_it() {
    let database = Database::empty();
    let options = database.options();
    let from = std::thread::scope(|scope| {
        let begin = |_| {
            scope.spawn(|| apart(PostgresStore::migrate(&options)).expect("all of them succeed"))
        };
        let begun: Vec<_> = (0..6).map(begin).collect();
        let ended = begun.into_iter().map(|thread| thread.join().expect("it ends"));
        ended.map(|migrated| (migrated.from, migrated.to)).collect::<Vec<_>>()
    });
    assert_eq!(from.iter().filter(|(from, _)| *from == 0).count(), 1, "{from:?}");
    assert!(from.iter().all(|(_, to)| *to == NEWEST), "{from:?}");
    let operator = database.operator().await;
    let steps = operator.number("SELECT count(*) FROM pilotage.migrations").await;
    assert_eq!(steps, i64::from(NEWEST));
}

#[tokio::test]
async fn whoever_migrates_waits_for_the_one_at_it() {
    let database = Database::empty();
    let (holder, operator) = (database.operator().await, database.operator().await);
    holder.run(&format!("SELECT pg_advisory_lock({LOCK})")).await;
    // It waits as long as that takes, whatever sessions wait for otherwise.
    let options = super::Options {
        lock_timeout: std::time::Duration::from_millis(1),
        statement_timeout: std::time::Duration::from_millis(1_000),
        ..database.options()
    };
    let mut waiting = Box::pin(PostgresStore::migrate(&options));
    super::until_waiting(&mut waiting, &operator, 1).await;
    assert_eq!(
        operator.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'pilotage'").await,
        0
    );
    holder.run(&format!("SELECT pg_advisory_unlock({LOCK})")).await;
    waiting.await.expect("its turn has come");
    assert_eq!(operator.number(WAITING).await, 0);
}

#[tokio::test]
async fn a_step_that_fails_leaves_no_trace() {
    let database = Database::empty();
    let operator = database.operator().await;
    // Somebody's table is where the last one of the first step is to be.
    operator.run("CREATE SCHEMA pilotage; CREATE TABLE pilotage.meta (theirs text)").await;
    let refused = PostgresStore::migrate(&database.options()).await.expect_err("it is in the way");
    assert!(matches!(refused, OpenError::Step { to: 1, .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("to schema 1: ") && text.contains("\"meta\" already exists"), "{text}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'pilotage'";
    assert_eq!(operator.number(tables).await, 1, "all of the step is taken back");
    let older = PostgresStore::open(&database.options()).await.expect_err("there is no schema");
    assert!(matches!(older, OpenError::Older { found: 0, .. }), "{older}");
    operator.run("DROP TABLE pilotage.meta").await;
    let migrated = PostgresStore::migrate(&database.options()).await.expect("nothing is there");
    assert_eq!(migrated, Migrated { from: 0, to: NEWEST });
}

#[tokio::test]
async fn a_migration_that_is_cut_leaves_no_trace_and_is_done_again() {
    let database = Database::empty();
    let (holder, operator) = (database.operator().await, database.operator().await);
    // It waits for this in the middle of the first step.
    holder.run("CREATE SCHEMA pilotage").await;
    holder.run("BEGIN; CREATE TABLE pilotage.meta (theirs text)").await;
    let options = database.options();
    let mut cut = Box::pin(PostgresStore::migrate(&options));
    super::until_waiting(&mut cut, &operator, 1).await;
    let sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'pilotage'";
    operator.run(sessions).await;
    let told = cut.await.expect_err("its session is gone");
    assert!(told.to_string().contains("57P01"), "{told}");
    holder.run("ROLLBACK").await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'pilotage'";
    assert_eq!(operator.number(tables).await, 0);
    let migrated = PostgresStore::migrate(&options).await.expect("nothing is in the way");
    assert_eq!(migrated, Migrated { from: 0, to: NEWEST });
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let database = Database::new();
    let operator = database.operator().await;
    let newer = NEWEST + 1;
    let step = format!("INSERT INTO pilotage.migrations VALUES ({newer}, 'later', '9.8.7')");
    operator.run(&step).await;
    let before = shape(&operator).await;
    let options = database.options();
    let opened = PostgresStore::open(&options).await.expect_err("it is newer");
    let migrated = PostgresStore::migrate(&options).await.expect_err("it is newer");
    for refused in [opened, migrated] {
        let OpenError::Newer { found, known, ref writer, .. } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((found, known, &**writer), (newer, NEWEST, "9.8.7"));
        assert!(!refused.is_retryable());
        let text = refused.to_string();
        assert!(text.contains(&format!("has schema {newer}, made by Pilotage 9.8.7")), "{text}");
    }
    assert_eq!(shape(&operator).await, before);
}
