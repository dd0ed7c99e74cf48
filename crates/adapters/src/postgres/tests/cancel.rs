//! Callers that let go in the middle. Must not leave anything half-done, locked or stuck behind them.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::Answer;
use pilotage_engine::port::shared::{Reserved, Shared};
use pilotage_engine::port::store::{Batch, Store, Watermark};

use super::{
    Database, Options, PostgresStore, WAITING, body, claim, is_stored, key, offer, one_record,
    unavailable, until_waiting, user, workers,
};

/// Looks at the call that often, then lets it go; its answer, where it has come by then.
async fn let_go_after<T>(mut looks: usize, mut call: Answer<'_, T>) -> Option<T> {
    poll_fn(move |context| match call.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending if looks == 0 => Poll::Ready(None),
        Poll::Pending => {
            looks -= 1;
            Poll::Pending
        }
    })
    .await
}

/// A store of one connection: whoever comes next has what was left behind.
async fn single(database: &Database) -> PostgresStore {
    let lock_timeout = Duration::from_secs(60);
    let statement_timeout = lock_timeout;
    let options = Options { connections: 1, lock_timeout, statement_timeout, ..database.options() };
    PostgresStore::open(&options).await.expect("the store opens")
}

#[tokio::test]
async fn a_fold_that_is_let_go_anywhere_is_stored_whole_or_not_at_all() {
    let database = Database::new();
    let (store, operator) = (single(&database).await, database.operator().await);
    let mut refused = 0;
    for looks in 0.. {
        let offset = looks as u64;
        let before = claim(&store, 0).await;
        let answer = let_go_after(looks, store.fold(one_record(&before, offset, "u"))).await;
        // Whatever was under way is in what the next claim says.
        let after = claim(&store, 0).await;
        let is_there = is_stored(&store, &after, offset, "u").await;
        assert_eq!(after.applied > before.applied, is_there);
        refused += usize::from(!is_there);
        if let Some(answer) = answer {
            answer.expect("nobody has let it go");
            assert!(is_there);
            break;
        }
    }
    assert!(refused > 3, "it was let go before its end: {refused}");
    operator.until(&workers("state <> 'idle'"), 0).await;
    operator.until(&workers("true"), 1).await;
}

#[tokio::test]
async fn a_batch_that_is_let_go_anywhere_is_written_whole_or_not_at_all() {
    let database = Database::new();
    let store = single(&database).await;
    for looks in 0.. {
        let position = Position(looks as u64 + 1);
        let users = ["a", "b"].map(|name| user(name, &position.0.to_string(), position));
        let watermark = Some(Watermark { position, ..Watermark::default() });
        let batch = Batch { users: users.into(), watermark, ..Batch::default() };
        let answer = let_go_after(looks, store.write(batch)).await;
        // A write of nothing waits for the one before.
        store.write(Batch::default()).await.expect("the store writes");
        let expected = store.watermark().await.expect("the store reads").position;
        for name in ["a", "b"] {
            let stored = body(&store, name).await;
            let number = stored.map_or(0, |body| {
                std::str::from_utf8(&body).expect("text").parse().expect("a number")
            });
            assert_eq!(Position(number), expected, "half a batch");
        }
        if let Some(answer) = answer {
            answer.expect("nobody has let it go");
            assert_eq!(expected, position);
            break;
        }
    }
}

/// The lock that it waits for is not given free: only whoever looks after what was left can end it.
#[tokio::test]
async fn a_call_that_is_let_go_while_it_waits_for_a_lock_holds_nobody_up() {
    let database = Database::new();
    let (store, other) = (single(&database).await, database.open().await);
    let (holder, operator) = (database.operator().await, database.operator().await);
    let (mine, theirs) = (claim(&store, 0).await, claim(&other, 1).await);
    store.fold(one_record(&mine, 0, "u")).await.expect("the store folds");
    holder.run("BEGIN; SELECT FROM pilotage.users WHERE user_id = 'u' FOR UPDATE").await;

    let mut fold = store.fold(one_record(&mine, 1, "u"));
    until_waiting(&mut fold, &operator, 1).await;
    drop(fold);
    operator.until(WAITING, 0).await;
    operator.until(&workers("state <> 'idle'"), 0).await;
    let taken = claim(&other, 0).await;
    assert_eq!(taken.applied, mine.partition.position(0).expect("a position"));
    other.fold(one_record(&theirs, 0, "v")).await.expect("the store folds");
    // The one connection is at work again.
    assert_eq!(body(&store, "u").await.as_deref(), Some(&b"0"[..]));
    holder.run("ROLLBACK").await;
    store.fold(one_record(&taken, 1, "u")).await.expect("the store folds");
    assert!(is_stored(&store, &taken, 1, "u").await);
}

#[tokio::test]
async fn a_reservation_that_is_let_go_is_held_or_not_and_the_next_knows_which() {
    let database = Database::new();
    let store = single(&database).await;
    for looks in 0.. {
        let name = format!("u{looks}");
        let reservation = offer(&name, 1, 0, i64::MAX);
        let answer = let_go_after(looks, store.reserve(reservation)).await;
        let next = store.reserve(offer(&name, 2, 0, i64::MAX)).await.expect("the store reserves");
        let now = Timestamp::from_millis(0);
        let seen = store.shared_user(&key(&name), now).await.expect("the store reads");
        // Of two that have seen the same, one is held.
        let held: Vec<u128> = seen.reserved.iter().map(|(id, _)| id.bits()).collect();
        let expected = if next == Reserved::Held { 2 } else { 1 };
        assert_eq!((held, seen.reservations), (vec![expected], 1));
        if let Some(answer) = answer {
            assert_eq!(answer.expect("nobody has let it go"), Reserved::Held);
            break;
        }
    }
}

#[tokio::test]
async fn a_store_closes_whatever_was_let_go() {
    let database = Database::new();
    let (store, operator) = (single(&database).await, database.operator().await);
    let holder = database.operator().await;
    let mine = claim(&store, 0).await;
    holder.run("BEGIN; SELECT FROM pilotage.partitions FOR UPDATE").await;
    let mut fold = store.fold(one_record(&mine, 0, "u"));
    until_waiting(&mut fold, &operator, 1).await;
    drop(fold);
    store.close().await;
    unavailable(store.load(vec![key("u")]).await);
    holder.run("ROLLBACK").await;
    operator.until(&workers("true"), 0).await;
    let store = database.open().await;
    assert!(!is_stored(&store, &mine, 0, "u").await);
}
