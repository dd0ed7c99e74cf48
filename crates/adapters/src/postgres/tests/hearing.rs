//! What other sessions tell. Must not be lost for longer than a moment, nor do harm where it is not ours.

use std::time::Duration;

use pilotage_engine::port::shared::{Change, Shared, user_mark};
use pilotage_engine::port::store::Store;
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use super::{Database, Operator, claim, key, one_record};

/// What nothing here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The session that listens.
const LISTENER: &str = "FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'pilotage' AND (query LIKE '%pauses%' OR query LIKE 'LISTEN%')";
/// What is counted whenever a guide is paused, and who tells it.
const PAUSED: &str = "UPDATE pilotage.meta SET value = value + 1 WHERE name = 'pauses'";

async fn next(changes: &mut Receiver<Change>) -> Change {
    let change = timeout(PATIENCE, changes.recv()).await.expect("a change is told in time");
    change.expect("the store tells")
}

/// Waits for that change, whatever is told before.
async fn until_told(changes: &mut Receiver<Change>, expected: &Change) {
    while next(changes).await != *expected {}
}

async fn tell(operator: &Operator, message: &str) {
    operator.run(&format!("SELECT pg_notify('pilotage_changes', '{message}')")).await;
}

fn user_change(name: &str) -> (String, Change) {
    let mark = user_mark(&key(name));
    (format!("{mark:016x}"), Change::Users(vec![mark]))
}

async fn until_healthy(store: &dyn Store, expected: bool) {
    let wait = async {
        while store.healthy() != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it is known in time");
}

#[tokio::test]
async fn what_any_session_tells_is_heard_in_order() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let mut changes = store.changes();
    let ((a, of_a), (b, of_b)) = (user_change("a"), user_change("b"));
    for message in [&*a, &*b, "all", "paused"] {
        tell(&operator, message).await;
    }
    for expected in [of_a, of_b, Change::All, Change::Paused] {
        assert_eq!(next(&mut changes).await, expected);
    }
}

#[tokio::test]
async fn a_message_that_is_not_ours_costs_a_look_and_nothing_else() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let pid = operator.number(&format!("SELECT pid::bigint {LISTENER}")).await;
    let mut changes = store.changes();
    for message in ["{\"hello\": 1}", "Ünïcödé", &"x".repeat(7_999), "0123456789abcde"] {
        tell(&operator, message).await;
        assert_eq!(next(&mut changes).await, Change::All, "{message}");
    }
    // Of nobody; and on a channel that is not ours.
    tell(&operator, "").await;
    assert_eq!(next(&mut changes).await, Change::Users(Vec::new()));
    operator.run("NOTIFY other, 'all'").await;
    let (a, of_a) = user_change("a");
    tell(&operator, &a).await;
    assert_eq!(next(&mut changes).await, of_a);
    assert_eq!(operator.number(&format!("SELECT pid::bigint {LISTENER}")).await, pid);
}

#[tokio::test]
async fn who_listens_survives_a_cut_and_says_that_it_may_have_missed_something() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let mut changes = store.changes();
    for round in ["a", "b"] {
        operator.run(&format!("SELECT pg_terminate_backend(pid) {LISTENER}")).await;
        until_told(&mut changes, &Change::All).await;
        let (message, expected) = user_change(round);
        tell(&operator, &message).await;
        until_told(&mut changes, &expected).await;
    }
    let mine = claim(&store, 0).await;
    store.fold(one_record(&mine, 0, "u")).await.expect("the store folds");
    until_told(&mut changes, &user_change("u").1).await;
}

#[tokio::test]
async fn what_happened_while_nobody_could_listen_is_told_afterwards() {
    let database = Database::new();
    let store = database.open().await;
    let (operator, name) = (database.superuser().await, &database.name);
    let mut changes = store.changes();
    database.alter(&[&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")]);
    operator.run(&format!("SELECT pg_terminate_backend(pid) {LISTENER}")).await;
    // Other sessions of the store may go on writing: it need not call itself ill.
    operator.until(&format!("SELECT count(*) {LISTENER}"), 0).await;
    operator.run(PAUSED).await;
    tell(&operator, &user_change("a").0).await;
    database.alter(&[&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")]);
    assert_eq!(next(&mut changes).await, Change::All);
    assert_eq!(next(&mut changes).await, Change::Paused);
    // Nobody has called meanwhile.
    until_healthy(&store, true).await;
}

/// A message may be lost on its way; of pauses somebody looks.
#[tokio::test]
async fn a_pause_that_nobody_told_is_noticed() {
    let database = Database::new();
    let (store, operator) = (database.open().await, database.operator().await);
    let mut changes = store.changes();
    for _ in 0..2 {
        operator.run(PAUSED).await;
        assert_eq!(next(&mut changes).await, Change::Paused);
    }
}
