//! Anonymous users who become known ones where several processes share the log: whoever folds, and whoever is replaced on the
//! way, the person is one.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::event::Position;
use pilotage_domain::id::UserId;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::Millis;
use pilotage_engine::memory::Fault;
use pilotage_engine::port::clock::Clock;
use pilotage_engine::port::log::{Log, RecordKind};
use pilotage_engine::{ClusterParts, Engine, Options, UserView};
use pilotage_wire::event::IncomingEvent;

use crate::advise::PATIENCE;
use crate::cluster::{Installation, Work};
use crate::merge::{again, anonymous, naming};
use crate::world::{World, call, event, form, named, product, source, user};

const MARKET: &str = include_str!("market.yaml");

async fn send(engine: &Engine, event: IncomingEvent) {
    engine.ingest(&product(), vec![event]).await.expect("taken");
}

async fn view(engine: &Engine, user: &UserId) -> UserView {
    let settled = tokio::time::timeout(PATIENCE, engine.settled()).await;
    settled.expect("it is folded in time").expect("folded");
    engine.user(&product(), user).await.expect("read").expect("known")
}

async fn users(engine: &Engine) -> u64 {
    engine.settled().await.expect("folded");
    let report = engine.report(&product()).await.expect("counted").expect("served");
    report.summary.groups.iter().map(|of| of.count.users).sum()
}

/// Records of the log that merge users.
async fn merging(installation: &Installation) -> usize {
    let records = installation.log.read(Position(0), usize::MAX).await.expect("read");
    let merges = |kind| matches!(kind, RecordKind::Named | RecordKind::Carried);
    records.iter().filter(|record| merges(record.kind)).count()
}

#[tokio::test]
async fn two_ids_are_one_person_whoever_takes_folds_and_decides() {
    let installation = Installation::new();
    let folds = installation.join(Work::Folds, 1).await;
    let decides = installation.join(Work::Decides, 2).await;
    let (anon, ada) = (anonymous(1), user(1));
    send(&decides, event(&anon, "page_view", "{}")).await;
    decides.settled().await.expect("folded");
    let asked = async |user: &UserId| {
        decides.settled().await.expect("folded");
        decides.decide(&product(), call(user, "/projects")).await.expect("served").decision
    };
    let first = asked(&anon).await;
    assert!(first.guide.is_some(), "{first:?}");
    let shown = format!(r#"{{"decisionId":"{}"}}"#, first.decision_id);
    send(&decides, event(&anon, "guide_shown", &shown)).await;
    send(&decides, naming(&anon, event(&ada, "signed_up", "{}"))).await;
    send(&folds, naming(&anon, event(&ada, "page_view", "{}"))).await;
    installation.clock.advance(Millis::minutes(30));
    assert!(asked(&ada).await.guide.is_none(), "it was seen half an hour ago");
    let late = asked(&anon).await;
    assert!(late.guide.is_none(), "{late:?}");
    send(&folds, named("late", form(&anon, "new_project", true))).await;
    let known = view(&decides, &ada).await;
    assert_eq!((known.profile.events, known.profile.reached.len()), (5, 1));
    assert_eq!(known.kin.absorbed, std::slice::from_ref(&anon));
    let left = view(&decides, &anon).await.kin.merged;
    assert_eq!(left.map(|merged| merged.into), Some(ada.clone()));
    assert_eq!(users(&decides).await, 1);
    assert_eq!(merging(&installation).await, 2);
    decides.close().await;
    folds.close().await;
}

/// Workers that take over from each other in the middle, and a store that is away, double and lose nothing; nor does a rebuild,
/// which puts nothing on record.
#[tokio::test]
async fn a_worker_that_is_replaced_in_the_middle_carries_over_once() {
    let installation = Installation::new();
    let mut workers = vec![installation.join(Work::Folds, 1).await];
    for n in 0..12u32 {
        let (anon, known) = (anonymous(n), user(n));
        let newest = workers.last().expect("workers");
        send(newest, event(&anon, "page_view", "{}")).await;
        send(newest, naming(&anon, event(&known, "signed_up", "{}"))).await;
        workers.push(installation.join(Work::Folds, 10 + u64::from(n)).await);
        send(&workers[0], event(&anon, "page_view", "{}")).await;
        send(&workers[0], form(&known, "new_project", true)).await;
    }
    let newest = workers.last().expect("workers").clone();
    for n in 0..12 {
        let known = view(&newest, &user(n)).await;
        assert_eq!((known.profile.events, known.profile.reached.len()), (4, 1), "{n}");
    }
    assert_eq!(users(&newest).await, 12);
    let live = newest.digest().await.expect("read");
    for worker in &workers {
        worker.close().await;
    }
    let end = installation.log.end();
    for seed in [98, 99] {
        let parts = installation.parts(&Work::Folds, seed);
        let rebuilt = Engine::rebuild_shared(parts, |_, _| {}).await.expect("folded again");
        assert_eq!((rebuilt.before, rebuilt.after), (live, live));
    }
    assert_eq!(installation.log.end(), end);
}

/// The log does not take what follows: the store must not stand for what it follows from.
#[tokio::test]
async fn a_worker_that_can_not_write_the_log_stores_nothing() {
    let installation = Installation::new();
    let parts = installation.parts(&Work::Folds, 1);
    let journal = Arc::new(installation.log.reopen());
    let worker =
        Engine::join(ClusterParts { journal: journal.clone(), ..parts }).await.expect("joins");
    let (anon, ada) = (anonymous(1), user(1));
    send(&worker, event(&anon, "page_view", "{}")).await;
    worker.settled().await.expect("folded");
    let before = worker.digest().await.expect("read");
    journal.set_fault(Some(Fault::Unavailable));
    let takes = installation.join(Work::Decides, 2).await;
    send(&takes, naming(&anon, event(&ada, "signed_up", "{}"))).await;
    let tried = async {
        while journal.refused() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.expect("it is tried again and again");
    assert_eq!(
        takes.user(&product(), &anon).await.expect("read").map(|u| u.kin.merged),
        Some(None)
    );
    let other = installation.join(Work::Folds, 3).await;
    assert_eq!(view(&takes, &ada).await.kin.absorbed, std::slice::from_ref(&anon));
    assert_ne!(other.digest().await.expect("read"), before);
    assert_eq!(merging(&installation).await, 2);
    for engine in [takes, other, worker] {
        engine.close().await;
    }
}

/// The store reads and does not write, as one without room: what follows is on record with the first attempt, and not again with
/// every other.
#[tokio::test]
async fn a_worker_that_can_not_write_the_store_puts_what_follows_on_record_once() {
    let installation = Installation::new();
    let parts = installation.parts(&Work::Folds, 1);
    let store = Arc::new(installation.store.reopen());
    let worker =
        Engine::join(ClusterParts { shared: store.clone(), ..parts }).await.expect("joins");
    let takes = installation.join(Work::Decides, 2).await;
    let (anon, ada) = (anonymous(1), user(1));
    send(&takes, event(&anon, "page_view", "{}")).await;
    takes.settled().await.expect("folded");
    store.set_fault(Some(Fault::Unavailable));
    let late = named("late", event(&anon, "page_view", "{}"));
    let events = vec![naming(&anon, event(&ada, "signed_up", "{}")), late];
    takes.ingest(&product(), events).await.expect("taken");
    let tried = async {
        while store.refused() < 5 {
            // A log that several write knows no names.
            installation.log.forget_names();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.expect("it is tried again and again");
    store.set_fault(None);
    assert_eq!(view(&takes, &ada).await.profile.events, 3);
    assert_eq!(merging(&installation).await, 2);
    assert_eq!(installation.log.end(), Position(6), "four that were sent, two that follow");
    takes.close().await;
    worker.close().await;
}

/// Under the known user's id an event is larger: one that the log has just taken may be too large for it then.
#[tokio::test]
async fn what_the_log_never_takes_keeps_nobody_waiting() {
    let installation = Installation::new();
    let parts = installation.parts(&Work::Folds, 1);
    let journal = Arc::new(installation.log.reopen());
    let worker =
        Engine::join(ClusterParts { journal: journal.clone(), ..parts }).await.expect("joins");
    let takes = installation.join(Work::Decides, 2).await;
    let payload = format!(r#"{{"note":"{}"}}"#, "x".repeat(40_000));
    let large = |user: &UserId, id: &str| named(id, event(user, "page_view", &payload));
    let (anon, ada) = (anonymous(1), user(1));
    send(&takes, large(&anonymous(2), "1")).await;
    let records = installation.log.read(Position(0), usize::MAX).await.expect("read");
    journal.set_largest(records[0].body.len());
    send(&takes, event(&anon, "page_view", "{}")).await;
    send(&takes, naming(&anon, event(&ada, "signed_up", "{}"))).await;
    let late = ["2", "3", "4"].map(|id| named(id, form(&anon, "new_project", true)));
    let [first, second, third] = late;
    let events = vec![first, large(&anon, "5"), second, large(&anon, "6"), third];
    takes.ingest(&product(), events).await.expect("taken");
    assert_eq!(view(&takes, &ada).await.profile.events, 5, "all but the large ones");
    assert_eq!(worker.folding().await.map(|folding| folding.dropped), Some(2));
    let live = takes.digest().await.expect("read");
    takes.close().await;
    worker.close().await;
    let end = installation.log.end();
    let parts = installation.parts(&Work::Folds, 3);
    let rebuilt = Engine::rebuild_shared(parts, |_, _| {}).await.expect("folded again");
    assert_eq!((rebuilt.before, rebuilt.after), (live, live));
    assert_eq!(installation.log.end(), end);
}

/// What one process learns of a person with two ids, several learn as well; a move keeps it, and carries nothing over twice.
#[tokio::test]
async fn an_installation_with_merged_users_moves_over() {
    let options = || Options { policy: Policy::Learner, ..Options::default() };
    let world = World::with(MARKET.to_owned(), options()).await;
    for n in 0..40 {
        let (anon, known) = (anonymous(n), user(n));
        let decision = world.decide(&anon, "/home").await;
        let seen = format!(r#"{{"decisionId":"{}"}}"#, decision.decision_id);
        world.send(event(&anon, "guide_shown", &seen)).await;
        world.later(Millis::minutes(5));
        world.send(naming(&anon, event(&known, "signed_up", "{}"))).await;
        world.send(event(&anon, "page_view", "{}")).await;
        world.send(event(&known, "sold", "{}")).await;
    }
    world.engine.digest().await.expect("written back");
    let installation = Installation::new();
    installation.clock.set(world.clock.now());
    let parts = |seed| ClusterParts {
        products: vec![source(MARKET)],
        options: options(),
        ..installation.parts(&Work::Folds, seed)
    };
    let records = world.log.read(Position(0), usize::MAX).await.expect("read");
    let copied = records.iter().take(57).map(again).collect();
    parts(5).journal.append(copied).await.expect("taken");
    let source = world.parts_with(options());
    // The digests, which are compared, hold profiles, kin and what is learnt.
    let moved = Engine::move_over(source, parts(6), |_, _, _| {}).await.expect("moved");
    assert_eq!((moved.records, moved.digest.users), (records.len() as u64, 80));
    assert_eq!(merging(&installation).await, 80, "nothing is carried over again");
    let engine = Engine::join(parts(7)).await.expect("joins");
    assert_eq!(users(&engine).await, 40);
    engine.close().await;
}
