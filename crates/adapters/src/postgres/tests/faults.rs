//! What goes wrong between the store and a server that runs: cut sessions, conflicts, time-outs, zombies. Each must have a
//! clear answer, leave nothing half-done, and be over without a restart.

use std::time::Duration;

use pilotage_engine::port::feed::Partition;
use pilotage_engine::port::shared::{FoldError, Shared};
use pilotage_engine::port::store::Store;

use super::{
    Database, Operator, Options, PostgresStore, body, claim, cut_workers, is_stored, key,
    one_record, unavailable, until_waiting, workers,
};

/// Of a test's store.
const CONNECTIONS: usize = 6;
const LOCK_PARTITIONS: &str = "BEGIN; SELECT FROM pilotage.partitions FOR UPDATE";
const LOCK_U: &str = "BEGIN; SELECT FROM pilotage.users WHERE user_id = 'u' FOR UPDATE";

async fn opened(options: Options) -> PostgresStore {
    PostgresStore::open(&options).await.expect("the store opens")
}

/// Has the database fail the first so many users that are to be added, with that code.
async fn fail_first(operator: &Operator, times: u32, code: &str) {
    let trigger = format!(
        "DROP SEQUENCE IF EXISTS pilotage.tries;
        CREATE SEQUENCE pilotage.tries;
        CREATE OR REPLACE FUNCTION pilotage.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('pilotage.tries') <= {times} THEN
                RAISE EXCEPTION 'as the test asks for' USING ERRCODE = '{code}';
            END IF;
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON pilotage.users
            FOR EACH ROW EXECUTE FUNCTION pilotage.fail()"
    );
    operator.run(&trigger).await;
}

const TRIES: &str = "SELECT last_value FROM pilotage.tries";

#[tokio::test]
async fn a_session_that_is_cut_in_mid_transaction_is_told_and_replaced() {
    let database = Database::new();
    let store = database.open().await;
    let (holder, operator) = (database.operator().await, database.operator().await);
    let mine = claim(&store, 0).await;
    store.fold(one_record(&mine, 0, "u")).await.expect("the store folds");
    // Before its first write, and between its writes.
    for (offset, lock) in [(1, LOCK_PARTITIONS), (2, LOCK_U)] {
        holder.run(lock).await;
        let mut fold = store.fold(one_record(&mine, offset, "u"));
        until_waiting(&mut fold, &operator, 1).await;
        operator.run(&cut_workers()).await;
        let text = unavailable(fold.await);
        assert!(text.contains("SQLSTATE 57P01"), "{text}");
        holder.run("ROLLBACK").await;
        until_replaced(&store, &operator).await;
        assert!(!is_stored(&store, &mine, offset, "u").await);
        store.fold(one_record(&mine, offset, "u")).await.expect("the next call works");
        assert!(is_stored(&store, &mine, offset, "u").await);
        assert!(store.healthy());
    }
}

/// Waits until the store has done with every session that was cut: a connection that has not heard yet that its session is
/// gone says so, once; then there is another.
async fn until_replaced(store: &PostgresStore, operator: &Operator) {
    operator.until(&workers("true"), 0).await;
    let mut refused = 0;
    loop {
        // As many as there are connections, so that each is met.
        let all = (0..CONNECTIONS).map(|_| store.load(vec![key("u")]));
        let errors = futures_of(all).await.into_iter().filter_map(Result::err);
        let before = refused;
        for error in errors {
            unavailable::<()>(Err(error));
            refused += 1;
        }
        if refused == before {
            return;
        }
        assert!(refused <= CONNECTIONS, "there are not so many connections");
    }
}

#[tokio::test]
async fn sessions_that_are_cut_while_idle_are_replaced() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let mine = claim(&store, 0).await;
    let all = (0..4).map(|_| store.load(vec![key("u")]));
    for loaded in futures_of(all).await {
        loaded.expect("the store reads");
    }
    operator.run(&cut_workers()).await;
    until_replaced(&store, &operator).await;
    store.fold(one_record(&mine, 0, "u")).await.expect("the store folds");
    assert!(store.healthy());
}

/// All at once; their answers in order.
async fn futures_of<F: Future + Unpin>(calls: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut calls: Vec<(F, Option<F::Output>)> = calls.map(|call| (call, None)).collect();
    std::future::poll_fn(|context| {
        for (call, answer) in calls.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let std::task::Poll::Ready(done) = std::pin::Pin::new(call).poll(context) {
                *answer = Some(done);
            }
        }
        let is_done = calls.iter().all(|(_, answer)| answer.is_some());
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    calls.into_iter().filter_map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn a_conflict_is_tried_again_a_few_times_and_then_told() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let mine = claim(&store, 0).await;
    for (offset, code) in [(0, "40001"), (1, "40P01")] {
        let name = format!("user {offset}");
        fail_first(&operator, 4, code).await;
        store.fold(one_record(&mine, offset, &name)).await.expect("the fifth try succeeds");
        assert!(is_stored(&store, &mine, offset, &name).await);
        assert_eq!(operator.number(TRIES).await, 5);
    }
    fail_first(&operator, 5, "40001").await;
    let text = unavailable(store.fold(one_record(&mine, 2, "user 2")).await);
    assert!(text.contains("SQLSTATE 40001"), "{text}");
    assert_eq!(operator.number(TRIES).await, 5, "it does not try for ever");
    assert!(!is_stored(&store, &mine, 2, "user 2").await);
    store.fold(one_record(&mine, 2, "user 2")).await.expect("nobody is in the way");
    assert!(is_stored(&store, &mine, 2, "user 2").await);
}

/// What is not a conflict is not tried again: neither what passes later nor what does not pass.
#[tokio::test]
async fn what_would_fail_again_at_once_is_told_at_once() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let mine = claim(&store, 0).await;
    // Played by a trigger: a full disk, no memory, an unknown failure; a constraint.
    for (offset, code) in [(0, "53100"), (1, "53200"), (2, "XX000"), (3, "23514")] {
        let name = format!("user {offset}");
        fail_first(&operator, 1, code).await;
        let refused = store.fold(one_record(&mine, offset, &name)).await;
        let text = refused.as_ref().expect_err("it fails").to_string();
        assert!(text.contains(&format!("as the test asks for (SQLSTATE {code})")), "{text}");
        if code != "23514" {
            unavailable(refused);
        }
        assert_eq!(operator.number(TRIES).await, 1);
        assert!(!is_stored(&store, &mine, offset, &name).await);
        store.fold(one_record(&mine, offset, &name)).await.expect("it works again");
        assert!(is_stored(&store, &mine, offset, &name).await);
    }
}

/// The other one waits for ever: that it gets on shows that the fold has given way.
#[tokio::test]
async fn of_two_that_wait_for_each_other_the_fold_gives_way_and_tries_again() {
    let database = Database::new();
    // Time enough for the other to begin to wait: a session looks for a deadlock once.
    let name = &database.name;
    database.alter(&[&format!("ALTER DATABASE {name} SET deadlock_timeout = '2s'")]);
    let store = database.open().await;
    let (holder, operator) = (database.superuser().await, database.operator().await);
    let mine = claim(&store, 0).await;
    store.fold(one_record(&mine, 0, "u")).await.expect("the store folds");
    holder.run("SET deadlock_timeout = '1h'").await;
    holder.run(LOCK_U).await;
    let mut fold = store.fold(one_record(&mine, 1, "u"));
    until_waiting(&mut fold, &operator, 1).await;
    let other = async {
        holder.run("SELECT FROM pilotage.partitions FOR UPDATE").await;
        holder.run("COMMIT").await;
    };
    let (folded, ()) = tokio::join!(fold, other);
    folded.expect("the second try succeeds");
    assert!(is_stored(&store, &mine, 1, "u").await);
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_told() {
    let database = Database::new();
    let lock_timeout = Duration::from_millis(200);
    let store = opened(Options { lock_timeout, ..database.options() }).await;
    let holder = database.operator().await;
    let mine = claim(&store, 0).await;
    holder.run(LOCK_PARTITIONS).await;
    let text = unavailable(store.fold(one_record(&mine, 0, "u")).await);
    assert!(text.contains("SQLSTATE 55P03"), "{text}");
    holder.run("ROLLBACK").await;
    assert!(!is_stored(&store, &mine, 0, "u").await);
    store.fold(one_record(&mine, 0, "u")).await.expect("the lock is free");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_told() {
    let database = Database::new();
    let statement_timeout = Duration::from_secs(2);
    let store = opened(Options { statement_timeout, ..database.options() }).await;
    let operator = database.operator().await;
    let mine = claim(&store, 0).await;
    let slow = "
        CREATE FUNCTION pilotage.sleep() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
        CREATE TRIGGER sleep BEFORE INSERT ON pilotage.users
            FOR EACH ROW EXECUTE FUNCTION pilotage.sleep()";
    operator.run(slow).await;
    let text = unavailable(store.fold(one_record(&mine, 0, "u")).await);
    assert!(text.contains("SQLSTATE 57014"), "{text}");
    operator.run("DROP TRIGGER sleep ON pilotage.users").await;
    assert!(!is_stored(&store, &mine, 0, "u").await);
    store.fold(one_record(&mine, 0, "u")).await.expect("it is quick again");
}

/// As a worker that was stopped does: it keeps its transaction open, and so the next one waiting.
#[tokio::test]
async fn whoever_stands_still_in_a_transaction_does_not_hold_up_the_next() {
    let database = Database::new();
    let idle_timeout = Duration::from_millis(300);
    let zombie = opened(Options { idle_timeout, ..database.options() }).await;
    let store = database.open().await;
    let (holder, operator) = (database.operator().await, database.operator().await);
    let mine = claim(&zombie, 0).await;
    holder.run(LOCK_PARTITIONS).await;
    let mut fold = zombie.fold(one_record(&mine, 0, "u"));
    until_waiting(&mut fold, &operator, 1).await;
    // It gets the lock, and does not look.
    holder.run("ROLLBACK").await;
    operator.until(&workers("state = 'idle in transaction'"), 1).await;
    let taken = claim(&store, 0).await;
    assert_eq!(taken.applied, Partition(0).start());
    store.fold(one_record(&taken, 0, "v")).await.expect("the partition is ours");
    unavailable(fold.await);
    // Awake again, it is told.
    let fenced = zombie.fold(one_record(&mine, 0, "u")).await;
    assert!(matches!(fenced, Err(FoldError::Fenced { partition: Partition(0) })), "{fenced:?}");
    assert_eq!(body(&store, "u").await, None);
}

/// Its fold has begun and waits; the claim stands before it.
#[tokio::test]
async fn a_zombie_that_comes_second_to_the_lock_is_refused_whole() {
    let database = Database::new();
    let (zombie, store) = (database.open().await, database.open().await);
    let (holder, operator) = (database.operator().await, database.operator().await);
    let mine = claim(&zombie, 0).await;
    zombie.fold(one_record(&mine, 0, "u")).await.expect("it is no zombie yet");
    holder.run(LOCK_PARTITIONS).await;
    let mut claimed = store.claim(vec![Partition(0)]);
    until_waiting(&mut claimed, &operator, 1).await;
    let mut fold = zombie.fold(one_record(&mine, 1, "u"));
    until_waiting(&mut fold, &operator, 2).await;
    holder.run("ROLLBACK").await;
    let (claimed, fenced) = tokio::join!(claimed, fold);
    let taken = claimed.expect("the store claims")[0];
    assert!(matches!(fenced, Err(FoldError::Fenced { partition: Partition(0) })), "{fenced:?}");
    assert!(!is_stored(&store, &taken, 1, "u").await);
    assert_eq!(
        (taken.epoch, taken.applied),
        (mine.epoch + 1, mine.partition.position(0).expect(""))
    );
    store.fold(one_record(&taken, 1, "u")).await.expect("the partition is ours");
}

/// Its fold has the lock; the claim stands behind it, and knows of it.
#[tokio::test]
async fn a_zombie_that_comes_first_to_the_lock_is_waited_for() {
    let database = Database::new();
    let (zombie, store) = (database.open().await, database.open().await);
    let (holder, operator) = (database.operator().await, database.operator().await);
    let mine = claim(&zombie, 0).await;
    zombie.fold(one_record(&mine, 0, "u")).await.expect("it is no zombie yet");
    holder.run(LOCK_U).await;
    let mut fold = zombie.fold(one_record(&mine, 1, "u"));
    until_waiting(&mut fold, &operator, 1).await;
    let mut claimed = store.claim(vec![Partition(0)]);
    until_waiting(&mut claimed, &operator, 2).await;
    holder.run("ROLLBACK").await;
    let (folded, claimed) = tokio::join!(fold, claimed);
    folded.expect("it was first");
    let taken = claimed.expect("the store claims")[0];
    assert_eq!(Some(taken.applied), mine.partition.position(1));
    assert!(is_stored(&store, &taken, 1, "u").await);
}
