//! What the engine measures of itself. Must not assert how long anything takes.

use std::time::Duration;

use bytes::Bytes;
use pilotage_domain::event::Position;
use pilotage_domain::id::EventId;
use pilotage_engine::memory::Fault;
use pilotage_engine::port::log::{Entry, EntryName, Journal};
use pilotage_engine::{Figures, Options};

use crate::world::{START, World, acme, event, product, user};

/// Profiles are written back when a test says so: at the end.
fn never() -> Options {
    Options { write_back_every: Duration::from_secs(86_400), ..Options::default() }
}

#[tokio::test]
async fn figures_follow_the_log_the_users_and_the_write_backs() {
    let world = World::with(acme(), never()).await;
    let fresh = world.engine.figures().expect("measured");
    let options = never();
    let expected = Figures {
        applied: Position(0),
        lag: 0,
        unstored: 0,
        users: 0,
        users_bytes: 0,
        users_bound: options.users_bytes,
        write_backs: 0,
        write_back_failures: 0,
        log_commits: None,
        store_commits: None,
    };
    assert_eq!(fresh, expected, "memory measures no commits");

    for n in [1, 2, 2] {
        world.send(event(&user(n), "page_view", "{}")).await;
    }
    world.settle().await;
    let folded = world.engine.figures().expect("measured");
    assert_eq!((folded.lag, folded.unstored, folded.users), (0, 3, 2));
    assert!(folded.users_bytes > 0);

    world.store.set_fault(Some(Fault::Unavailable));
    world.engine.digest().await.expect_err("the store was told to fail");
    let failed = world.engine.figures().expect("measured");
    assert_eq!((failed.write_backs, failed.write_back_failures, failed.unstored), (0, 1, 3));
    world.store.set_fault(None);
    world.engine.digest().await.expect("the store is well");
    let stored = world.engine.figures().expect("measured");
    assert_eq!((stored.write_backs, stored.write_back_failures, stored.unstored), (1, 1, 0));

    let again = world.crash_and_restart().await;
    assert_eq!(
        again.engine.figures().expect("measured").unstored,
        0,
        "what is stored is known at the start"
    );
}

#[tokio::test]
async fn what_is_not_folded_yet_is_the_lag() {
    let world = World::with(acme(), never()).await;
    world.send(event(&user(1), "page_view", "{}")).await;
    world.settle().await;
    // Nothing is folded past a record that can't be read.
    let unreadable = Entry {
        product: product(),
        user: user(1),
        name: EntryName::Event(EventId::new("x").expect("valid")),
        received_at: START,
        body: Bytes::from_static(b"nothing of ours"),
        event: None,
    };
    world.log.append(vec![unreadable]).await.expect("taken");
    assert_eq!(world.engine.figures().expect("measured").lag, 1);
    world.send(event(&user(1), "page_view", "{}")).await;
    assert_eq!(world.engine.figures().expect("measured").lag, 2);
}
