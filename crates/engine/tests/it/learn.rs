//! Learning in the engine: what decisions note, what is learnt of what becomes of them, and that neither a restart nor a crash
//! changes it.

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_domain::hash::uniform_unit;
use pilotage_domain::id::{DecisionId, UserId};
use pilotage_domain::learn::tally::Tally;
use pilotage_domain::learn::{Arm, Weighing};
use pilotage_domain::number::Propensity;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::{ClusterParts, Engine, Options};
use pilotage_wire::record::decision::StoredDecision;

use crate::advise::PATIENCE;
use crate::cluster::{Installation, Work};
use crate::world::{START, World, call, event, product, source};

const MARKET: &str = include_str!("market.yaml");

fn options(policy: Policy) -> Options {
    Options { policy, write_back_every: Duration::from_millis(30), ..Options::default() }
}

/// What a user does of a guide: the chance of a click, and of a sale after it.
fn effect(guide: &str) -> (f64, f64) {
    match guide {
        "helpful" => (0.35, 0.7),
        "bait" => (0.7, 0.02),
        _ => (0.2, 0.15),
    }
}

/// The chance of a sale without a click.
const BASE: f64 = 0.03;

/// Users who come one after the other, half an hour apart, and what is still to come of them.
struct Market {
    world: World,
    told: Vec<StoredDecision>,
    to_come: BTreeMap<(Timestamp, u32, &'static str), Option<DecisionId>>,
    users: u32,
}

impl Market {
    async fn open(policy: Policy) -> Self {
        let world = World::with(MARKET.to_owned(), options(policy)).await;
        Self { world, told: Vec::new(), to_come: BTreeMap::new(), users: 0 }
    }

    async fn come(&mut self, users: u32) {
        for n in self.users..self.users + users {
            let at = START + Millis::minutes(30 * u64::from(n));
            self.pass_until(at).await;
            self.visit(n, at).await;
        }
        self.users += users;
    }

    async fn visit(&mut self, n: u32, at: Timestamp) {
        self.world.send(event(&shopper(n), "signed_up", "{}")).await;
        let decision = self.world.decide(&shopper(n), "/home").await;
        let chance = |what: &str| uniform_unit("market", &[what.as_bytes(), &n.to_be_bytes()]);
        let mut sale = BASE;
        if let Some(guide) = &decision.guide {
            let (clicks, sells) = effect(guide.id.as_str());
            self.happens(at + Millis::seconds(3), n, "guide_shown", Some(decision.decision_id));
            if chance("click") < clicks {
                let then = at + Millis::seconds(9);
                self.happens(then, n, "guide_clicked", Some(decision.decision_id));
                sale = sells;
            }
        }
        if chance("sale") < sale {
            let delay = Millis::minutes(10 + (2_500.0 * chance("delay").powi(2)) as u64);
            self.happens(at + delay, n, "sold", None);
        }
        self.told.push(decision);
    }

    fn happens(&mut self, at: Timestamp, n: u32, kind: &'static str, about: Option<DecisionId>) {
        self.to_come.insert((at, n, kind), about);
    }

    async fn pass_until(&mut self, until: Timestamp) {
        let later = self.to_come.split_off(&(until, 0, ""));
        for ((at, n, kind), about) in std::mem::replace(&mut self.to_come, later) {
            self.world.at(at);
            let payload = about.map_or("{}".to_owned(), |id| format!(r#"{{"decisionId":"{id}"}}"#));
            self.world.send(event(&shopper(n), kind, &payload)).await;
        }
        self.world.at(until);
    }

    /// How often each guide was chosen among the last decisions.
    fn shares(&self, last: usize) -> BTreeMap<String, f64> {
        let mut shares = BTreeMap::new();
        for decision in &self.told[self.told.len() - last..] {
            let name = decision.guide.as_ref().map_or("none", |guide| guide.id.as_str());
            *shares.entry(name.to_owned()).or_default() += 1.0 / last as f64;
        }
        shares
    }

    /// What was decided, without names that are drawn by chance.
    fn decided(&self) -> Vec<StoredDecision> {
        let nameless = |told: &StoredDecision| StoredDecision {
            decision_id: DecisionId::from_bits(0),
            validation_hash: None,
            ..told.clone()
        };
        self.told.iter().map(nameless).collect()
    }
}

fn shopper(n: u32) -> UserId {
    UserId::new(&format!("shopper-{n}")).expect("valid")
}

fn weighing(decision: &StoredDecision) -> &Weighing {
    decision.weighing.as_deref().expect("weighed")
}

#[tokio::test]
async fn the_better_guide_is_found_and_bait_is_not_taken() {
    let mut market = Market::open(Policy::Learner).await;
    market.come(1_200).await;
    let shares = market.shares(200);
    let share = |guide: &str| shares.get(guide).copied().unwrap_or(0.0);
    assert!(share("helpful") > 0.6, "{shares:?}");
    assert!(share("bait") < 0.1, "{shares:?}");
    let arms = market.world.engine.arms(&product());
    let rate = |guide: &str| {
        let of = |(arm, tally): (&Arm, &Tally)| {
            (arm.guide.as_str() == guide).then(|| tally.rate()).flatten()
        };
        arms.iter().find_map(of).expect("it was shown")
    };
    // What is seldom shown is judged by few: it is right within its error, which is wide.
    for guide in ["helpful", "plain"] {
        let (clicks, sells) = effect(guide);
        let (truth, told) = (clicks * sells + (1.0 - clicks) * BASE, rate(guide));
        assert!((told.mean - truth).abs() < 3.0 * told.error, "{guide} {truth}: {told:?}");
    }
    assert!(rate("helpful").mean > rate("plain").mean && rate("helpful").error < 0.1, "{arms:?}");
    let versions: Vec<u64> = market.told.iter().map(|d| weighing(d).posterior).collect();
    assert!(versions.is_sorted() && versions.iter().all(|v| v % 64 == 0), "{versions:?}");
    assert!(versions.last() > Some(&1_000), "{versions:?}");
}

#[tokio::test]
async fn a_decision_notes_the_law_of_its_draw_and_what_it_came_from() {
    let mut market = Market::open(Policy::Learner).await;
    market.come(60).await;
    for decision in &market.told {
        assert_eq!(&*decision.policy, "learner-3");
        let arms = decision.trace.guides.iter().flat_map(|guide| &guide.arms);
        let of_arms: u64 = arms.filter_map(|(_, p)| p.map(Propensity::parts)).sum();
        let of_none = decision.trace.no_guide.map_or(0, Propensity::parts);
        assert_eq!(of_arms + of_none, Propensity::SCALE, "{decision:?}");
        let weighing = weighing(decision);
        assert_eq!((weighing.arms.len(), weighing.propensity), (3, decision.propensity));
        assert_eq!(weighing.chosen.is_some(), decision.guide.is_some());
        for name in ["1", "tier=free", "@component=banner", "@serves=sale"] {
            assert!(weighing.names.iter().any(|known| &**known == name), "{:?}", weighing.names);
        }
    }
    let again = market.world.decide(&shopper(59), "/home").await;
    let last = market.told.last().expect("sixty");
    if last.guide.is_none() {
        assert_eq!(weighing(&again).number, weighing(last).number, "the same draw in a session");
    }
    let explained = market.world.engine.decision(&last.product, last.decision_id).await;
    let explained = explained.expect("readable").expect("on record");
    assert_eq!(explained.weighing, last.weighing);
}

#[tokio::test]
async fn other_policies_note_nothing() {
    for policy in [Policy::Static, Policy::Random] {
        let mut market = Market::open(policy).await;
        market.come(5).await;
        assert!(market.told.iter().all(|decision| decision.weighing.is_none()));
    }
}

#[tokio::test]
async fn a_restart_in_the_middle_changes_no_decision() {
    let mut through = Market::open(Policy::Learner).await;
    through.come(260).await;
    let mut stopped = Market::open(Policy::Learner).await;
    stopped.come(130).await;
    stopped.world = stopped.world.restart(options(Policy::Learner)).await;
    stopped.come(130).await;
    assert_eq!(stopped.decided(), through.decided());
}

#[tokio::test]
async fn a_crash_and_a_rebuild_end_in_what_the_log_teaches() {
    let mut market = Market::open(Policy::Learner).await;
    for _ in 0..3 {
        market.come(60).await;
        market.world.engine.digest().await.expect("everything so far is stored");
        market.come(9).await;
        market.world = market.world.crash(options(Policy::Learner)).await;
    }
    market.come(20).await;
    let digest = market.world.engine.digest().await.expect("the memory store answers");
    market.world.engine.close().await;
    let parts = market.world.parts_with(options(Policy::Learner));
    let rebuilt = Engine::rebuild(parts, |_, _| {}).await.expect("rebuilds");
    assert_eq!((rebuilt.before, rebuilt.after), (digest, digest));
    // What is learnt is part of it, whoever chooses.
    let parts = market.world.parts_with(options(Policy::Static));
    let rebuilt = Engine::rebuild(parts, |_, _| {}).await.expect("rebuilds");
    assert_eq!(rebuilt.after, digest);
}

#[tokio::test]
async fn another_frame_is_learnt_from_the_log() {
    let mut market = Market::open(Policy::Learner).await;
    market.come(120).await;
    let window = MARKET.replace("window: 3d", "window: 2d");
    let before = market.world.engine.digest().await.expect("the memory store answers");
    market.world = market.world.restart_as(window, options(Policy::Learner)).await;
    let after = market.world.engine.digest().await.expect("the memory store answers");
    assert_ne!(before, after, "the window counts otherwise");
    market.world = market.world.restart_as(MARKET.to_owned(), options(Policy::Learner)).await;
    assert_eq!(market.world.engine.digest().await.expect("the memory store answers"), before);
}

/// An installation moves over with what it has learnt, and several processes go on learning as one.
#[tokio::test]
async fn several_processes_learn_what_one_does() {
    let mut market = Market::open(Policy::Learner).await;
    market.come(130).await;
    market.world.engine.digest().await.expect("everything is stored");
    let learnt = market.world.engine.arms(&product());
    let installation = Installation::new();
    installation.clock.set(START + Millis::days(3));
    let parts = |work, seed| ClusterParts {
        products: vec![source(MARKET)],
        options: options(Policy::Learner),
        ..installation.parts(&work, seed)
    };
    let source = market.world.parts_with(options(Policy::Learner));
    // The digests, which are compared, hold what is learnt.
    let moved =
        Engine::move_over(source, parts(Work::Folds, 1), |_, _, _| {}).await.expect("moves");
    let join = async |work, seed| Engine::join(parts(work, seed)).await.expect("joins");
    let (folds, decides) = (join(Work::Folds, 2).await, join(Work::Decides, 3).await);
    assert_eq!(decides.arms(&product()), learnt);
    let first = decide(&decides, 1_000).await;
    assert_eq!(weighing(&first).posterior, moved.records);

    for n in 1_000..1_070 {
        let shown = decide(&decides, n).await;
        for kind in ["guide_shown", "guide_clicked", "sold"] {
            let payload = format!(r#"{{"decisionId":"{}"}}"#, shown.decision_id);
            folds
                .ingest(&product(), vec![event(&shopper(n), kind, &payload)])
                .await
                .expect("taken");
        }
    }
    let other = join(Work::Decides, 4).await;
    let alike = async {
        // Visitors who have seen nothing yet, and are alike.
        for n in (2_000..).step_by(2) {
            let (one, two) = (decide(&decides, n).await, decide(&other, n + 1).await);
            let (one, two) = (weighing(&one), weighing(&two));
            if one.posterior == two.posterior && one.posterior > moved.records {
                return assert_eq!((&one.arms, &one.silence), (&two.arms, &two.silence));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, alike).await.expect("both hear of it");
    let live = folds.digest().await.expect("read");
    for engine in [folds, decides, other] {
        engine.close().await;
    }
    let rebuilt = Engine::rebuild_shared(parts(Work::Folds, 5), |_, _| {}).await.expect("rebuilds");
    assert_eq!((rebuilt.before, rebuilt.after), (live, live));
}

/// A visitor comes to one of several processes.
async fn decide(engine: &Engine, n: u32) -> StoredDecision {
    engine.ingest(&product(), vec![event(&shopper(n), "signed_up", "{}")]).await.expect("taken");
    engine.settled().await.expect("folded");
    engine.decide(&product(), call(&shopper(n), "/home")).await.expect("served").decision
}
