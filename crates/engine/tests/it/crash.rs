//! What a crash leaves, and what comes twice. Must find every acknowledged event exactly once.

use pilotage_engine::memory::{ManualClock, SeededEntropy};
use pilotage_engine::{Engine, Options, Parts};
use std::sync::Arc;

use crate::world::{START, World, acme, event, form, named, product, small_memory, source, user};

#[tokio::test]
async fn what_was_acknowledged_is_folded_after_a_crash() {
    let world = World::new().await;
    let ada = user(1);
    world.send(event(&ada, "signed_up", "{}")).await;
    world.send(form(&ada, "new_project", true)).await;
    let world = world.crash_and_restart().await;
    let view = world.engine.user(&product(), &ada).await.expect("read").expect("known");
    assert_eq!(view.profile.events, 2);
    assert_eq!(view.profile.reached.len(), 1);
}

#[tokio::test]
async fn an_event_that_comes_twice_counts_once_also_across_a_crash_and_a_small_memory() {
    let world = World::with(acme(), small_memory()).await;
    let ada = user(1);
    let first = world.send(named("once", form(&ada, "billing", false))).await;
    assert!(!first.duplicate);
    assert!(world.send(named("once", form(&ada, "billing", false))).await.duplicate);
    for n in 100..400 {
        world.send(event(&user(n), "page_view", "{}")).await;
    }
    world.engine.digest().await.expect("written back");
    assert!(world.send(named("once", form(&ada, "billing", false))).await.duplicate);
    let world = world.crash_and_restart().await;
    assert!(world.send(named("once", form(&ada, "billing", false))).await.duplicate);
    world.settle().await;
    let view = world.engine.user(&product(), &ada).await.expect("read").expect("known");
    assert_eq!(view.profile.events, 1);
}

#[tokio::test]
async fn one_id_of_two_users_is_two_events() {
    let world = World::new().await;
    for n in 1..=2 {
        assert!(!world.send(named("same", event(&user(n), "page_view", "{}"))).await.duplicate);
    }
}

#[tokio::test]
async fn a_rebuild_ends_in_the_same_digest() {
    let world = World::with(acme(), small_memory()).await;
    for n in 0..60 {
        let ada = user(n % 20);
        world.send(event(&ada, "signed_up", "{}")).await;
        world.send(form(&ada, "import", n % 3 == 0)).await;
        let decision = world.decide(&ada, "/projects").await;
        let payload = format!(r#"{{"decisionId":"{}"}}"#, decision.decision_id);
        world.send(event(&ada, "guide_dismissed", &payload)).await;
    }
    let live = world.engine.digest().await.expect("written back");
    world.engine.close().await;
    let parts = Parts {
        log: Arc::new(world.log.reopen()),
        store: Arc::new(world.store.reopen()),
        clock: Arc::new(ManualClock::new(START)),
        entropy: Arc::new(SeededEntropy::new(1)),
        products: vec![source(&acme())],
        options: Options::default(),
    };
    let rebuilt = Engine::rebuild(parts, |_, _| {}).await.expect("rebuilt");
    assert_eq!(rebuilt.before, live);
    assert_eq!(rebuilt.after, live);
    assert_eq!(live.users, 20);
}

#[tokio::test]
async fn a_store_that_is_ahead_of_the_log_is_refused() {
    let world = World::new().await;
    world.send(event(&user(1), "page_view", "{}")).await;
    world.engine.digest().await.expect("written back");
    let parts = Parts {
        log: Arc::new(pilotage_engine::memory::MemoryLog::default()),
        store: Arc::new(world.store.reopen()),
        clock: Arc::new(ManualClock::new(START)),
        entropy: Arc::new(SeededEntropy::new(1)),
        products: vec![source(&acme())],
        options: Options::default(),
    };
    assert!(Engine::open(parts).await.is_err());
}

#[tokio::test]
async fn a_definition_that_counts_something_new_is_folded_from_the_beginning() {
    let world = World::new().await;
    let ada = user(1);
    for _ in 0..3 {
        world.send(event(&ada, "page_view", "{}")).await;
    }
    world.engine.digest().await.expect("written back");
    let changed = acme().replace(
        "    - id: data\n",
        "    - id: looked\n      name: Looked around\n      reached: { event: page_view, count: 4 }\n    - id: data\n",
    );
    let parts = Parts {
        log: Arc::new(world.log.reopen()),
        store: Arc::new(world.store.reopen()),
        clock: Arc::new(ManualClock::new(START)),
        entropy: Arc::new(SeededEntropy::new(1)),
        products: vec![source(&changed)],
        options: Options::default(),
    };
    let engine = Engine::open(parts).await.expect("opens");
    engine.caught_up().await;
    engine.ingest(&product(), vec![event(&ada, "page_view", "{}")]).await.expect("taken");
    engine.settled().await.expect("answers");
    let view = engine.user(&product(), &ada).await.expect("read").expect("known");
    assert_eq!(
        view.profile.reached.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
        ["looked"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_many_steps_is_folded_once_in_order_whatever_room_there_is() {
    let world = World::with(acme(), small_memory()).await;
    // A step takes 4 MiB of the log: these are five.
    let note = "x".repeat(60_000);
    for round in 0..3 {
        for n in 0..110 {
            let (ada, ok) = (user(n), round == 2);
            let payload = format!(r#"{{"form":"import","ok":{ok},"note":"{note}"}}"#);
            world.send(event(&ada, "form_submit", &payload)).await;
        }
    }
    let live = world.engine.digest().await.expect("written back");
    // Profiles are gone, and folded from the log's beginning, in much room and in little.
    for options in [Options::default(), small_memory()] {
        let parts = Parts {
            log: Arc::new(world.log.reopen()),
            store: Arc::new(pilotage_engine::memory::MemoryStore::default()),
            ..world.parts_with(options)
        };
        let engine = Engine::open(parts).await.expect("opens");
        engine.caught_up().await;
        assert_eq!(engine.digest().await.expect("written back"), live);
        let view = engine.user(&product(), &user(7)).await.expect("read").expect("known");
        assert_eq!(view.profile.events, 3);
        engine.close().await;
    }
}
