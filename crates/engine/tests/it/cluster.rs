//! Several engines over one log and one store: what one takes another decides on, limits hold together, and whoever
//! folds, folds once. Must go through the engine's public calls alone.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pilotage_domain::decide::Reason;
use pilotage_domain::event::Position;
use pilotage_domain::id::{EventId, UserId};
use pilotage_domain::profile::fold::IDS_KEPT;
use pilotage_domain::time::Millis;
use pilotage_engine::memory::{
    Fault, ManualClock, MemoryGroup, MemoryLog, MemoryShared, ONLY, SeededEntropy,
};
use pilotage_engine::port::log::{Entry, EntryName, Journal, Log};
use pilotage_engine::port::shared::{REMEMBERED_DAYS, Shared};
use pilotage_engine::port::store::Pause;
use pilotage_engine::{
    ClusterParts, DecideCall, Engine, MakeFeed, OpenError, Options, Readiness, Stage, TimelineItem,
};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::model::record::ReviewName;
use pilotage_wire::record::decision::{OutcomeName, StoredDecision};
use tokio::task::JoinSet;

use crate::advise::{PATIENCE, Plan, sound, trial_of};
use crate::merge::again;
use crate::world::{START, World, acme, call, event, form, named, product, source, user};

/// What the processes share.
pub(crate) struct Installation {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) store: Arc<MemoryShared>,
    group: MemoryGroup,
    pub(crate) clock: Arc<ManualClock>,
}

/// Which part a process does.
pub(crate) enum Work {
    Folds,
    Decides,
}

impl Installation {
    pub(crate) fn new() -> Self {
        let log = Arc::new(MemoryLog::default());
        let group = MemoryGroup::over(log.clone());
        let clock = Arc::new(ManualClock::new(START));
        Self { log, store: Arc::default(), group, clock }
    }

    pub(crate) fn parts(&self, work: &Work, seed: u64) -> ClusterParts {
        let group = self.group.clone();
        let feed: MakeFeed = Arc::new(move |shift| Ok(Box::new(group.join(shift)) as _));
        ClusterParts {
            journal: Arc::new(self.log.reopen()),
            shared: Arc::new(self.store.reopen()),
            feed: matches!(work, Work::Folds).then_some(feed),
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(seed)),
            products: vec![source(&acme())],
            options: Options::default(),
        }
    }

    pub(crate) async fn join(&self, work: Work, seed: u64) -> Engine {
        Engine::join(self.parts(&work, seed)).await.expect("joins")
    }
}

async fn send(engine: &Engine, event: IncomingEvent) {
    engine.ingest(&product(), vec![event]).await.expect("taken");
}

async fn decide(engine: &Engine, user: &UserId, path: &str) -> StoredDecision {
    engine.decide(&product(), call(user, path)).await.expect("served").decision
}

fn shown(decision: &StoredDecision) -> Option<&str> {
    decision.guide.as_ref().map(|guide| guide.id.as_str())
}

/// The names of a user's events, in their order.
async fn events_of(engine: &Engine, user: &UserId) -> Vec<String> {
    let page = engine.timeline(&product(), user, 1_000, None).await.expect("read");
    let items = page.expect("the user is known").items;
    let name = |item: TimelineItem| match item {
        TimelineItem::Event(event) => Some(event.id.to_string()),
        _ => None,
    };
    items.into_iter().filter_map(|(_, item)| name(item)).collect()
}

#[tokio::test]
async fn what_one_process_takes_another_decides_on() {
    let installation = Installation::new();
    let folds = installation.join(Work::Folds, 1).await;
    let decides = installation.join(Work::Decides, 2).await;
    let ada = user(1);
    send(&decides, event(&ada, "signed_up", "{}")).await;
    decides.settled().await.expect("folded");
    let first = decide(&decides, &ada, "/projects").await;
    assert_eq!(shown(&first), Some("create-project"));

    let payload = format!(r#"{{"decisionId":"{}"}}"#, first.decision_id);
    send(&folds, event(&ada, "guide_shown", &payload)).await;
    let last = named("project", form(&ada, "new_project", true));
    send(&folds, last).await;
    installation.clock.advance(Millis::minutes(6));
    let after = Some(EventId::new("project").expect("valid"));
    let asked = DecideCall { after, wait: Millis::new(1_000), ..call(&ada, "/import") };
    let second = decides.decide(&product(), asked).await.expect("served").decision;
    assert!(!second.stale, "the event was waited for");
    assert_eq!(shown(&second), Some("import-data"));
    decides.settled().await.expect("folded");
    let kept = decides.decision(&product(), first.decision_id).await.expect("read");
    assert_eq!(kept.map(|kept| kept.decision_id), Some(first.decision_id));
    let report = decides.report(&product()).await.expect("counted");
    let report = report.expect("it is served").summary;
    assert_eq!(report.groups.iter().map(|of| of.count.users).sum::<u64>(), 1);
    decides.close().await;
    folds.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_together_never_exceed_a_limit() {
    let installation = Installation::new();
    let folds = installation.join(Work::Folds, 1).await;
    let others =
        [installation.join(Work::Decides, 2).await, installation.join(Work::Decides, 3).await];
    for n in 0..20 {
        let someone = user(n);
        send(&folds, event(&someone, "signed_up", "{}")).await;
        folds.settled().await.expect("folded");
        let mut asked = JoinSet::new();
        for engine in others.iter().cycle().take(8) {
            let (engine, someone) = (engine.clone(), someone.clone());
            asked.spawn(async move { decide(&engine, &someone, "/projects").await });
        }
        let decisions = asked.join_all().await;
        let shows = decisions.iter().filter(|d| d.outcome == OutcomeName::Show).count();
        assert_eq!(shows, 1, "one offer holds the only place, whoever made it");
    }
    folds.close().await;
}

#[tokio::test]
async fn a_worker_that_is_replaced_folds_nothing_twice_and_loses_nothing() {
    let installation = Installation::new();
    let ada = user(1);
    let mut workers = vec![installation.join(Work::Folds, 1).await];
    let mut expected = Vec::new();
    for round in 0..5 {
        for n in 0..20 {
            let id = format!("e{round}-{n}");
            send(&workers[0], named(&id, form(&ada, "new_project", n % 2 == 0))).await;
            expected.push(id);
        }
        // The newest member takes the partition; the one before learns of it when it writes or polls.
        workers.push(installation.join(Work::Folds, 10 + round).await);
    }
    let newest = workers.last().expect("workers");
    newest.settled().await.expect("folded");
    assert_eq!(events_of(newest, &ada).await, expected);
    let live = newest.digest().await.expect("read");
    for worker in &workers {
        worker.close().await;
    }
    let rebuilt = Engine::rebuild_shared(installation.parts(&Work::Folds, 99), |_, _| {}).await;
    let rebuilt = rebuilt.expect("folded again");
    assert_eq!((rebuilt.before, rebuilt.after), (live, live));
}

/// Whether a name is known depends on the days of its records, and not on when they are folded.
#[tokio::test]
async fn an_event_that_is_sent_again_counts_anew_after_its_days_live_and_in_a_rebuild() {
    let installation = Installation::new();
    let engine = installation.join(Work::Folds, 1).await;
    let ada = user(1);
    let first = || named("first", form(&ada, "new_project", true));
    send(&engine, first()).await;
    let mut expected = vec!["first".to_owned()];
    let mut days = 0;
    for until in [REMEMBERED_DAYS, REMEMBERED_DAYS + 1, 4 * REMEMBERED_DAYS] {
        // More than a profile remembers by itself.
        let others: Vec<String> = (0..=IDS_KEPT).map(|n| format!("{until}-{n}")).collect();
        let events = others.iter().map(|id| named(id, event(&ada, "signed_up", "{}")));
        engine.ingest(&product(), events.collect()).await.expect("taken");
        expected.extend(others);
        installation.clock.advance(Millis::days((until - days) as u64));
        days = until;
        installation.log.forget_names();
        send(&engine, first()).await;
        if until > REMEMBERED_DAYS {
            expected.push("first".to_owned());
        }
        engine.settled().await.expect("folded");
        assert_eq!(events_of(&engine, &ada).await, expected);
    }
    let live = engine.digest().await.expect("read");
    engine.close().await;
    let rebuilt = Engine::rebuild_shared(installation.parts(&Work::Folds, 2), |_, _| {}).await;
    let rebuilt = rebuilt.expect("folded again");
    assert_eq!((rebuilt.before, rebuilt.after), (live, live));
}

/// Of two definitions that begin on one empty store, the first is folded with and the other is refused, also where they differ
/// in nothing but what the learner's numbers mean.
#[tokio::test]
async fn another_definition_is_refused_from_the_first_start_on() {
    let fold = acme().replace("holdout: 0 ", "holdout: 0.2 ");
    let frame = acme().replace("features: [tier, ", "features: [");
    for other in [fold, frame] {
        assert_ne!(other, acme(), "it is another one");
        let installation = Installation::new();
        let begun = installation.join(Work::Decides, 1).await;
        let parts = installation.parts(&Work::Decides, 2);
        let refused = Engine::join(ClusterParts { products: vec![source(&other)], ..parts }).await;
        let refused = refused.err();
        assert!(matches!(refused, Some(OpenError::FoldChanged { .. })), "{refused:?}");
        begun.close().await;
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_waited_for() {
    let installation = Installation::new();
    let parts = installation.parts(&Work::Folds, 1);
    let store = Arc::new(installation.store.reopen());
    let engine =
        Engine::join(ClusterParts { shared: store.clone(), ..parts }).await.expect("joins");
    let ada = user(1);
    send(&engine, named("first", event(&ada, "signed_up", "{}"))).await;
    engine.settled().await.expect("folded");
    store.set_fault(Some(Fault::Unavailable));
    send(&engine, named("second", form(&ada, "new_project", true))).await;
    let decision = decide(&engine, &ada, "/import").await;
    assert_eq!(decision.outcome, OutcomeName::Withhold, "nothing can be reserved");
    store.set_fault(None);
    engine.settled().await.expect("folded");
    assert_eq!(events_of(&engine, &ada).await, ["first", "second"]);
    assert!(installation.group.buried().is_empty(), "nothing was put aside");
    engine.close().await;
}

/// The commit takes longer than the worker waits, and becomes visible only while it is tried again.
#[tokio::test]
async fn a_step_that_was_stored_unheard_takes_effect_once() {
    let installation = Installation::new();
    let parts = installation.parts(&Work::Folds, 1);
    let store = Arc::new(installation.store.reopen());
    let engine =
        Engine::join(ClusterParts { shared: store.clone(), ..parts }).await.expect("joins");
    let ada = user(1);
    send(&engine, named("first", event(&ada, "signed_up", "{}"))).await;
    engine.settled().await.expect("folded");
    store.set_fault(Some(Fault::Late));
    send(&engine, named("second", form(&ada, "new_project", true))).await;
    send(&engine, named("third", form(&ada, "new_project", true))).await;
    within_patience(engine.settled()).await.expect("folded");
    assert_eq!(events_of(&engine, &ada).await, ["first", "second", "third"]);
    assert_eq!(engine.readiness(), Readiness::Ready);
    engine.close().await;
}

/// Somebody whom the group has given up claims the partition all the same, and goes.
#[tokio::test]
async fn a_worker_that_is_fenced_joins_anew() {
    let installation = Installation::new();
    let engine = installation.join(Work::Folds, 1).await;
    let ada = user(1);
    for id in ["first", "second", "third"] {
        send(&engine, named(id, event(&ada, "signed_up", "{}"))).await;
        within_patience(engine.settled()).await.expect("folded");
        installation.store.claim(vec![ONLY]).await.expect("claimed");
    }
    assert_eq!(events_of(&engine, &ada).await, ["first", "second", "third"]);
    engine.close().await;
}

#[tokio::test]
async fn a_record_of_a_later_version_waits_for_a_later_version() {
    let installation = Installation::new();
    let engine = installation.join(Work::Folds, 1).await;
    let later = Entry {
        product: product(),
        user: user(1),
        name: EntryName::Event(EventId::new("later").expect("valid")),
        received_at: START,
        body: Bytes::from_static(br#"{"v":99,"eventId":{"of":"another form"}}"#),
        event: None,
    };
    installation.log.append(vec![later]).await.expect("taken");
    let halted = async {
        while engine.readiness() == Readiness::Ready {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within_patience(halted).await;
    let Readiness::CutOff { what } = engine.readiness() else { panic!("it has not stopped") };
    assert!(what.contains("version 99"), "{what}");
    assert_eq!(installation.group.buried(), []);
    engine.close().await;
}

/// Where nobody folds, reservations lapse and profiles grow old: then nothing is shown.
#[tokio::test]
async fn nothing_is_shown_on_profiles_that_nobody_brings_up_to_date() {
    let installation = Installation::new();
    let decides = installation.join(Work::Decides, 1).await;
    let ada = user(1);
    send(&decides, event(&ada, "signed_up", "{}")).await;
    let folds = installation.join(Work::Folds, 2).await;
    folds.settled().await.expect("folded");
    folds.close().await;
    send(&decides, form(&ada, "new_project", true)).await;
    assert_eq!(shown(&decide(&decides, &ada, "/projects").await), Some("create-project"));
    // Time that passes at once, as long as nothing else is to be done.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(75)).await;
    tokio::time::resume();
    let late = decide(&decides, &ada, "/projects").await;
    assert_eq!(late.reason, Some(Reason::Degraded), "{late:?}");
    let folds = installation.join(Work::Folds, 3).await;
    let shown_again = async {
        while decide(&decides, &ada, "/import").await.reason == Some(Reason::Degraded) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within_patience(shown_again).await;
    for engine in [folds, decides] {
        engine.close().await;
    }
}

/// What comes of it, if it comes at all.
async fn within_patience<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it comes to an end")
}

#[tokio::test]
async fn what_nobody_can_read_is_put_aside_and_passed() {
    let installation = Installation::new();
    let engine = installation.join(Work::Folds, 1).await;
    let ada = user(1);
    send(&engine, named("before", event(&ada, "signed_up", "{}"))).await;
    let broken = Entry {
        product: product(),
        user: ada.clone(),
        name: EntryName::Event(EventId::new("broken").expect("valid")),
        received_at: START,
        body: Bytes::from_static(b"{not json"),
        event: None,
    };
    let at = installation.log.append(vec![broken]).await.expect("taken")[0].position();
    send(&engine, named("after", form(&ada, "new_project", true))).await;
    engine.settled().await.expect("folded");
    assert_eq!(events_of(&engine, &ada).await, ["before", "after"]);
    let buried = installation.group.buried();
    assert_eq!(buried.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [at]);
    engine.close().await;
}

#[tokio::test]
async fn a_paused_guide_is_paused_everywhere() {
    let installation = Installation::new();
    let folds = installation.join(Work::Folds, 1).await;
    let decides = installation.join(Work::Decides, 2).await;
    let ada = user(1);
    send(&folds, event(&ada, "signed_up", "{}")).await;
    folds.settled().await.expect("folded");
    let guide = pilotage_domain::id::GuideId::new("create-project").expect("valid");
    folds.pause(&product(), &guide, Pause::Pause).await.expect("paused");
    hears_of_a_pause(&decides).await;
    assert_ne!(shown(&decide(&decides, &ada, "/projects").await), Some("create-project"));
    decides.close().await;
    folds.close().await;
}

/// Resolves once this process knows of a paused guide.
async fn hears_of_a_pause(engine: &Engine) {
    let heard = async {
        while engine.paused(&product()).is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within_patience(heard).await;
}

/// On this test's one thread nothing runs between a process's joining and the pause: it has to hear from its beginning.
#[tokio::test]
async fn a_pause_in_the_moment_of_joining_is_heard_of() {
    let installation = Installation::new();
    let folds = installation.join(Work::Folds, 1).await;
    let decides = installation.join(Work::Decides, 2).await;
    let guide = pilotage_domain::id::GuideId::new("create-project").expect("valid");
    folds.pause(&product(), &guide, Pause::Pause).await.expect("paused");
    hears_of_a_pause(&decides).await;
    decides.close().await;
    folds.close().await;
}

#[tokio::test]
async fn an_embedded_installation_moves_over_and_an_interruption_does_no_harm() {
    let world = World::new().await;
    for n in 0..30 {
        world.send(event(&user(n), "signed_up", "{}")).await;
        world.decide(&user(n), "/projects").await;
        world.send(form(&user(n), "new_project", true)).await;
    }
    let guide = pilotage_domain::id::GuideId::new("import-data").expect("valid");
    world.engine.pause(&product(), &guide, Pause::Pause).await.expect("paused");
    world.engine.digest().await.expect("written back");

    let installation = Installation::new();
    // What an interrupted move leaves: everything copied, and nothing noted of it.
    let half = installation.parts(&Work::Folds, 5);
    let records = world.log.read(Position(0), usize::MAX).await.expect("read");
    let copied = records.iter().take(20).map(again).collect();
    half.journal.append(copied).await.expect("taken");

    let mut told = Vec::new();
    let tell = |stage, done, of| told.push((stage, done, of));
    let target = installation.parts(&Work::Folds, 6);
    let moved = Engine::move_over(world.parts(), target, tell).await.expect("moved");
    assert_eq!((moved.records, moved.digest.users), (records.len() as u64, 30));
    assert!(told.contains(&(Stage::Copying, 90, 90)), "{told:?}");

    let engine = installation.join(Work::Folds, 7).await;
    let view = engine.user(&product(), &user(3)).await.expect("read").expect("known");
    assert_eq!(view.decisions.len(), 1);
    assert_eq!(engine.paused(&product()), [guide]);
    engine.close().await;
}

/// A worker asks, once; whoever decides hears of it, and of what a person says of it elsewhere.
#[tokio::test]
async fn advice_that_a_worker_got_is_heard_where_decisions_are_made() {
    let installation = Installation::new();
    let plan = Plan::of(|_, request| sound(request));
    let join = async |work, seed| {
        let parts = installation.parts(&work, seed);
        Engine::join(ClusterParts { options: plan.options(), ..parts }).await.expect("joins")
    };
    let (folds, decides) = (join(Work::Folds, 1).await, join(Work::Decides, 2).await);
    let mut n = 0;
    let mut next = async || {
        n += 1;
        for event in trial_of(&user(n)) {
            send(&decides, event).await;
        }
        decides.settled().await.expect("folded");
        decide(&decides, &user(n), "/import").await.trace.advice.map(|advised| advised.answer)
    };
    let start = std::time::Instant::now();
    let answer = loop {
        if let Some(answer) = next().await {
            break answer;
        }
        assert!(start.elapsed() < PATIENCE, "nobody hears anything");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(plan.asked(), 1, "of both processes together");
    let rejected = folds.review(&product(), answer, ReviewName::Rejected, None).await;
    rejected.expect("the store writes");
    while next().await == Some(answer) {
        assert!(start.elapsed() < 2 * PATIENCE, "nobody hears of it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    decides.close().await;
    folds.close().await;
}
