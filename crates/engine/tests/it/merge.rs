//! Anonymous users who become known ones: one person in the report, under the limits and to the learner, whatever stops the
//! engine, and in whatever order it comes.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::decide::{Gate, Group, Reason};
use pilotage_domain::event::Position;
use pilotage_domain::group::group_of;
use pilotage_domain::id::UserId;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::Millis;
use pilotage_engine::memory::{Fault, MemoryLog, MemoryStore};
use pilotage_engine::port::log::{Entry, EntryName, Journal, Log, RecordKind, Stored};
use pilotage_engine::port::store::{Store, UserKey};
use pilotage_engine::{Engine, Options, Parts, Report, TimelineItem, UserView};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record::decision::StoredDecision;
use pilotage_wire::record::{self, merge};

use crate::advise::PATIENCE;
use crate::world::{START, World, acme, event, form, named, product, source, user};

const MARKET: &str = include_str!("market.yaml");

pub(crate) fn anonymous(n: u32) -> UserId {
    UserId::new(&format!("anon-{}", user(n))).expect("valid")
}

pub(crate) fn naming(anonymous: &UserId, event: IncomingEvent) -> IncomingEvent {
    IncomingEvent { anonymous: Some(anonymous.clone()), ..event }
}

fn options(policy: Policy) -> Options {
    Options { policy, write_back_every: Duration::from_millis(10), ..Options::default() }
}

async fn view(world: &World, user: &UserId) -> UserView {
    world.settle().await;
    world.engine.user(&product(), user).await.expect("read").expect("known")
}

async fn report(world: &World) -> Report {
    world.settle().await;
    world.engine.report(&product()).await.expect("the store answers").expect("it is served")
}

fn users(report: &Report) -> (u64, u64, u64) {
    let counts = report.summary.groups.iter().map(|of| of.count);
    counts.fold((0, 0, 0), |all, of| (all.0 + of.users, all.1 + of.signed_up, all.2 + of.activated))
}

async fn records(log: &MemoryLog) -> Vec<Stored> {
    log.read(Position(0), usize::MAX).await.expect("the memory log answers")
}

fn kinds(records: &[Stored]) -> Vec<RecordKind> {
    records.iter().map(|record| record.kind).collect()
}

/// The record as it would be appended again.
pub(crate) fn again(stored: &Stored) -> Entry {
    let body = &stored.body;
    let name = match stored.kind {
        RecordKind::Event => EntryName::Event(record::event::decode(body).expect("readable").id),
        RecordKind::Decision => {
            EntryName::Decision(record::decision::decode_fact(body).expect("readable").decision_id)
        }
        RecordKind::Named => EntryName::Named(merge::decode_named(body).expect("readable").into),
        RecordKind::Carried => {
            let carried = merge::decode_carried(body).expect("readable");
            EntryName::Carried(carried.from, carried.fold)
        }
    };
    let Stored { product, user, received_at, body, .. } = stored.clone();
    Entry { product, user, name, received_at, body, event: None }
}

/// Somebody looks around, is shown how to begin, begins, signs up under another name, and goes all the way.
async fn a_person_comes(world: &World, anonymous: &UserId, known: &UserId) -> StoredDecision {
    world.send(event(anonymous, "page_view", "{}")).await;
    let decision = world.decide(anonymous, "/projects").await;
    let shown = format!(r#"{{"decisionId":"{}"}}"#, decision.decision_id);
    world.send(event(anonymous, "guide_shown", &shown)).await;
    world.send(form(anonymous, "new_project", true)).await;
    world.later(Millis::minutes(1));
    world.send(naming(anonymous, event(known, "signed_up", "{}"))).await;
    world.send(event(known, "data_imported", "{}")).await;
    world.send(event(known, "report_viewed", "{}")).await;
    decision
}

#[tokio::test]
async fn two_ids_are_one_person_to_the_report_and_to_whoever_looks() {
    let world = World::new().await;
    let (anon, ada) = (anonymous(1), user(1));
    let decision = a_person_comes(&world, &anon, &ada).await;
    assert!(decision.guide.is_some(), "{decision:?}");
    let known = view(&world, &ada).await;
    assert_eq!(known.profile.events, 6);
    assert_eq!(known.profile.first_seen, Some(START));
    assert_eq!(known.profile.reached.len(), 3, "{:?}", known.profile.reached);
    assert_eq!(known.activated_at, Some(START + Millis::minutes(1)));
    assert_eq!(known.kin.absorbed, std::slice::from_ref(&anon));
    let left = view(&world, &anon).await;
    assert_eq!(left.kin.merged.map(|merged| merged.into), Some(ada.clone()));
    assert_eq!(left.profile.events, 3, "it stays as it was");
    let now = report(&world).await;
    assert_eq!(users(&now), (1, 1, 1));
    let page = world.engine.timeline(&product(), &anon, 9, None).await.expect("read");
    let last = page.expect("known").items.pop();
    assert!(matches!(last, Some((_, TimelineItem::Named { named, .. })) if named.into == ada));
    let page = world.engine.timeline(&product(), &ada, 9, None).await.expect("read");
    let carried = |item: &TimelineItem| matches!(item, TimelineItem::Carried { carried, .. } if carried.from == anon);
    let items = page.expect("known").items;
    assert_eq!(items.iter().filter(|(_, item)| carried(item)).count(), 1);
    assert_eq!(items.len(), 4);
    // What was counted in memory is what is stored.
    let world = world.restart(Options::default()).await;
    assert_eq!(users(&report(&world).await), (1, 1, 1));
}

/// The group is that of the id under which the person came first; the other id's group counts nobody.
#[tokio::test]
async fn a_person_stays_in_the_group_of_the_first_id() {
    let shares = acme().replace("holdout: 0 ", "holdout: 0.5 ");
    let definition = source(&shares).definition;
    let world = World::with(shares.clone(), options(Policy::Static)).await;
    let group = |user: &UserId| group_of(&definition, user);
    let crossed = (1..200).map(|n| (anonymous(n), user(n)));
    let crossed = crossed.filter(|(anon, known)| group(anon) != group(known)).take(6);
    let crossed: Vec<(UserId, UserId)> = crossed.collect();
    assert!(crossed.len() == 6 && crossed.iter().any(|(anon, _)| group(anon) == Group::Holdout));
    for (n, (anon, known)) in crossed.iter().enumerate() {
        // Every second one was known before it came anonymously.
        let (first, then) = if n % 2 == 0 { (anon, known) } else { (known, anon) };
        world.send(event(first, "page_view", "{}")).await;
        world.later(Millis::minutes(1));
        world.send(event(then, "page_view", "{}")).await;
        world.send(naming(anon, event(known, "signed_up", "{}"))).await;
        let expected = group(first);
        assert_eq!(view(&world, known).await.group, expected);
        let decision = world.decide(known, "/projects").await;
        assert_eq!(
            (decision.group, decision.guide.is_none()),
            (expected, expected == Group::Holdout)
        );
    }
    let world = world.restart(options(Policy::Static)).await;
    let report = report(&world).await;
    let count = |of| report.summary.groups.iter().find(|g| g.group == of).map(|g| g.count.users);
    let expected = |of: Group| {
        let firsts = crossed.iter().enumerate();
        let firsts = firsts.map(|(n, (anon, known))| if n % 2 == 0 { anon } else { known });
        firsts.filter(|first| group(first) == of).count() as u64
    };
    for of in [Group::Guided, Group::Holdout] {
        assert_eq!(count(of), Some(expected(of)), "{of:?}");
    }
}

#[tokio::test]
async fn no_limit_is_exceeded_under_two_ids() {
    let world = World::new().await;
    let (anon, ada) = (anonymous(1), user(1));
    let first = world.decide(&anon, "/projects").await;
    assert_eq!(first.guide.as_ref().map(|guide| guide.id.as_str()), Some("create-project"));
    let shown = format!(r#"{{"decisionId":"{}"}}"#, first.decision_id);
    world.send(event(&anon, "guide_shown", &shown)).await;
    world.send(naming(&anon, event(&ada, "signed_up", "{}"))).await;
    world.later(Millis::minutes(30));
    let second = world.decide(&ada, "/projects").await;
    assert!(second.guide.is_none(), "it was seen half an hour ago: {second:?}");
    // Who is another person is shown it.
    world.send(event(&user(2), "signed_up", "{}")).await;
    assert!(world.decide(&user(2), "/projects").await.guide.is_some());
    world.later(Millis::hours(25));
    assert!(world.decide(&ada, "/projects").await.guide.is_some());
}

#[tokio::test]
async fn whoever_is_merged_is_shown_nothing_and_told_why() {
    let world = World::new().await;
    let (anon, ada) = (anonymous(1), user(1));
    world.send(event(&anon, "page_view", "{}")).await;
    world.send(naming(&anon, event(&ada, "signed_up", "{}"))).await;
    let decision = world.decide(&anon, "/projects").await;
    assert_eq!(decision.reason, Some(Reason::NoCandidate));
    let stopped = decision.trace.guides.iter().filter_map(|guide| guide.stopped.as_ref());
    assert!(stopped.clone().all(|(gate, near)| *gate == Gate::State && near.fact == "merged"));
    assert!(stopped.count() > 0);
    assert_eq!(view(&world, &anon).await.decisions.len(), 1, "it stands on record");
    assert_eq!(view(&world, &ada).await.decisions.len(), 0);
}

#[tokio::test]
async fn what_is_said_late_of_the_anonymous_one_is_the_known_ones() {
    let world = World::new().await;
    let (anon, ada) = (anonymous(1), user(1));
    let decision = world.decide(&anon, "/projects").await;
    world.send(naming(&anon, event(&ada, "signed_up", "{}"))).await;
    let shown = format!(r#"{{"decisionId":"{}"}}"#, decision.decision_id);
    world.send(named("seen", event(&anon, "guide_shown", &shown))).await;
    world.send(named("late", form(&anon, "new_project", true))).await;
    assert!(world.send(named("late", form(&anon, "new_project", true))).await.duplicate);
    let known = view(&world, &ada).await;
    assert_eq!((known.profile.events, known.profile.reached.len()), (3, 1));
    assert_eq!(known.profile.contact.guides.iter().map(|(_, guide)| guide.shows).sum::<u32>(), 1);
    assert_eq!(view(&world, &anon).await.profile.events, 0);
    // Under the own name it is the same event.
    assert!(world.send(named("late", form(&ada, "new_project", true))).await.duplicate);
    assert_eq!(users(&report(&world).await), (1, 1, 0));
}

#[tokio::test]
async fn the_first_naming_counts_and_only_of_anonymous_users() {
    let world = World::new().await;
    let (anon, ada, bob) = (anonymous(1), user(1), user(2));
    world.send(event(&anon, "page_view", "{}")).await;
    for _ in 0..3 {
        world.send(naming(&anon, event(&ada, "page_view", "{}"))).await;
    }
    world.send(naming(&anon, event(&bob, "page_view", "{}"))).await;
    // Neither a known user nor oneself can be taken over, and no anonymous one takes over.
    world.send(naming(&ada, event(&bob, "page_view", "{}"))).await;
    world.send(naming(&bob, event(&bob, "page_view", "{}"))).await;
    world.send(naming(&anonymous(3), event(&anonymous(2), "page_view", "{}"))).await;
    assert_eq!(view(&world, &ada).await.profile.events, 4);
    assert_eq!(view(&world, &bob).await.profile.events, 3);
    assert_eq!(users(&report(&world).await).0, 3);
    let of = |kind| move |found: &&RecordKind| **found == kind;
    let stored = kinds(&records(&world.log).await);
    assert_eq!(stored.iter().filter(of(RecordKind::Named)).count(), 1, "said once, stored once");
    assert_eq!(stored.iter().filter(of(RecordKind::Carried)).count(), 1);
    // Another process does not know that it was said; the log does, and whoever comes second changes nothing.
    let world = world.restart(Options::default()).await;
    world.send(named("again", naming(&anon, event(&ada, "page_view", "{}")))).await;
    world.send(named("other", naming(&anon, event(&bob, "page_view", "{}")))).await;
    assert_eq!(view(&world, &ada).await.kin.absorbed, std::slice::from_ref(&anon));
    assert_eq!(view(&world, &bob).await.kin.absorbed, []);
    assert_eq!(view(&world, &ada).await.profile.events, 5);
}

/// Whatever part of the log there is when the process dies, whoever goes on ends in the same.
#[tokio::test]
async fn a_crash_anywhere_loses_nothing_and_doubles_nothing() {
    let world = World::new().await;
    let (anon, ada) = (anonymous(1), user(1));
    a_person_comes(&world, &anon, &ada).await;
    world.send(named("late", event(&anon, "page_view", "{}"))).await;
    let expected = view(&world, &ada).await;
    let all = records(&world.log).await;
    let carried = all.iter().position(|record| record.kind == RecordKind::Carried);
    assert!(carried.is_some_and(|place| place < all.len()));
    let is_callers = |record: &&Stored| {
        let late = record::event::decode(&record.body).ok();
        let is_passed_on = late.is_some_and(|late| late.id.as_str() == "late");
        record.kind != RecordKind::Carried && (record.user == anon || !is_passed_on)
    };
    for cut in 0..=all.len() {
        let log = Arc::new(MemoryLog::default());
        let (before, after) = all.split_at(cut);
        // Everybody's records up to there are folded and stored, what follows from them is not on record.
        let store = Arc::new(MemoryStore::default());
        let parts = || Parts { log: log.clone(), store: store.clone(), ..world.parts() };
        folded_without_writing(parts(), &log, &store, &anon, before).await;
        let fresh =
            Parts { log: Arc::new(log.reopen()), store: Arc::new(store.reopen()), ..world.parts() };
        let engine = Engine::open(fresh).await.expect("opens");
        log.append(after.iter().filter(is_callers).map(again).collect()).await.expect("taken");
        engine.settled().await.expect("answers");
        let found = engine.user(&product(), &ada).await.expect("read").expect("known");
        let places = |view: &UserView| {
            let mut profile = view.profile.clone();
            profile.applied = Position(0);
            profile.recent_ids.sort_unstable();
            profile
        };
        assert_eq!(places(&found), places(&expected), "cut at {cut}");
        let report = engine.report(&product()).await.expect("answers").expect("served");
        assert_eq!(users(&report), (1, 1, 1), "cut at {cut}");
        assert_eq!(records(&log).await.len(), all.len(), "cut at {cut}");
        engine.close().await;
    }
}

/// A process that folds and stores what is there while it can't write the log, and dies.
async fn folded_without_writing(
    parts: Parts,
    log: &MemoryLog,
    store: &MemoryStore,
    anon: &UserId,
    records: &[Stored],
) {
    let mute = Arc::new(log.reopen());
    mute.set_fault(Some(Fault::Unavailable));
    let (dying, options) = (Arc::new(store.reopen()), options(Policy::Static));
    let parts = Parts { log: mute, store: dying.clone(), options, ..parts };
    let engine = Engine::open(parts).await.expect("opens");
    log.append(records.iter().map(again).collect()).await.expect("taken");
    let of_anon = records.iter().rev().find(|record| record.user == *anon);
    let stored = async {
        let key = UserKey { product: product(), user: anon.clone() };
        while let Some(last) = of_anon {
            let stored = store.load(vec![key.clone()]).await.expect("the memory store answers");
            let stored = stored.into_iter().next().flatten();
            let record = stored.map(|stored| record::user::decode(&stored.body).expect("readable"));
            if record.is_some_and(|record| record.profile.applied >= last.position) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, stored).await.expect("it is stored");
    Store::close(&*dying).await;
    // It writes nothing any more.
    engine.close().await;
}

#[tokio::test]
async fn a_rebuild_ends_in_the_same_and_puts_nothing_on_record() {
    let world = World::with(acme(), options(Policy::Static)).await;
    for n in 1..20 {
        a_person_comes(&world, &anonymous(n), &user(n)).await;
        world.send(event(&anonymous(n), "page_view", "{}")).await;
    }
    let live = world.engine.digest().await.expect("written back");
    let end = world.log.end();
    world.engine.close().await;
    for _ in 0..2 {
        let rebuilt = Engine::rebuild(world.parts(), |_, _| {}).await.expect("rebuilt");
        assert_eq!((rebuilt.before, rebuilt.after), (live, live));
        assert_eq!(world.log.end(), end);
    }
    // With no profiles at all it is the same.
    let parts = Parts { store: Arc::new(MemoryStore::default()), ..world.parts() };
    let engine = Engine::open(parts).await.expect("opens");
    assert_eq!(engine.digest().await.expect("written back"), live);
    assert_eq!(world.log.end(), end);
    engine.close().await;
}

/// More follows than is held while a log is folded, and the log knows its records' names no longer: a rebuild knows that all of
/// it is on record.
#[tokio::test]
async fn a_rebuild_puts_nothing_on_record_however_far_off_that_stands() {
    let world = World::new().await;
    let (anon, ada) = (anonymous(1), user(1));
    world.send(event(&anon, "page_view", "{}")).await;
    world.send(naming(&anon, event(&ada, "signed_up", "{}"))).await;
    let payload = format!(r#"{{"note":"{}"}}"#, "x".repeat(1 << 20));
    let late = |n: u32| named(&format!("late{n}"), event(&anon, "page_view", &payload));
    world.engine.ingest(&product(), (0..24).map(late).collect()).await.expect("taken");
    assert_eq!(view(&world, &ada).await.profile.events, 26);
    let live = world.engine.digest().await.expect("written back");
    let end = world.log.end();
    world.engine.close().await;
    world.log.forget_names();
    let rebuilt = Engine::rebuild(world.parts(), |_, _| {}).await.expect("rebuilt");
    assert_eq!((rebuilt.before, rebuilt.after), (live, live));
    assert_eq!(world.log.end(), end);
}

/// What was known of the anonymous one is folded anew as well: it is not carried over as the definition before saw it.
#[tokio::test]
async fn a_definition_that_counts_something_new_counts_it_of_both_ids() {
    let world = World::new().await;
    let (anon, ada) = (anonymous(1), user(1));
    for who in [&anon, &anon, &ada] {
        world.send(event(who, "page_view", "{}")).await;
    }
    world.send(naming(&anon, event(&ada, "page_view", "{}"))).await;
    assert_eq!(view(&world, &ada).await.profile.reached.len(), 0);
    let changed = acme().replace(
        "    - id: data\n",
        "    - id: looked\n      name: Looked around\n      reached: { event: page_view, count: 4 }\n    - id: data\n",
    );
    let world = world.restart_as(changed.clone(), Options::default()).await;
    let known = view(&world, &ada).await;
    let reached: Vec<&str> = known.profile.reached.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((known.profile.events, &reached[..]), (4, &["looked"][..]));
    let digest = world.engine.digest().await.expect("written back");
    let end = world.log.end();
    let world = world.restart_as(changed.clone(), Options::default()).await;
    let parts = Parts { products: vec![source(&changed)], ..world.parts() };
    world.engine.close().await;
    let rebuilt = Engine::rebuild(parts, |_, _| {}).await.expect("rebuilt");
    assert_eq!((rebuilt.before, rebuilt.after), (digest, digest));
    assert_eq!(world.log.end(), end, "it was carried over once");
}

/// The anonymous one saw a guide, the known one did what it is for: the guide earned it, once.
#[tokio::test]
async fn what_was_shown_to_one_id_is_credited_with_what_the_other_does() {
    let world = World::with(MARKET.to_owned(), options(Policy::Learner)).await;
    let mut shown = 0;
    for n in 0..40 {
        let (anon, known) = (anonymous(n), user(n));
        world.send(event(&anon, "page_view", "{}")).await;
        let decision = world.decide(&anon, "/home").await;
        let seen = format!(r#"{{"decisionId":"{}"}}"#, decision.decision_id);
        if decision.guide.is_some() {
            shown += 1;
            world.send(event(&anon, "guide_shown", &seen)).await;
        }
        world.later(Millis::minutes(5));
        world.send(naming(&anon, event(&known, "signed_up", "{}"))).await;
        world.send(event(&known, "sold", "{}")).await;
    }
    world.settle().await;
    let sums = |world: &World| {
        let arms = world.engine.arms(&product());
        let of = arms.values().map(|tally| (tally.shown, tally.activated));
        of.fold((0, 0), |all, of| (all.0 + of.0, all.1 + of.1))
    };
    assert!(shown > 5, "{shown}");
    assert_eq!(sums(&world), (shown, shown));
    let digest = world.engine.digest().await.expect("written back");
    let world = world.crash(options(Policy::Learner)).await;
    assert_eq!(sums(&world), (shown, shown));
    assert_eq!(world.engine.digest().await.expect("written back"), digest);
    world.engine.close().await;
    let parts = world.parts_with(options(Policy::Learner));
    let rebuilt = Engine::rebuild(parts, |_, _| {}).await.expect("rebuilt");
    assert_eq!((rebuilt.before, rebuilt.after), (digest, digest));
}
