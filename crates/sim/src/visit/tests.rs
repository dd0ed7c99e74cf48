//! The simulation on memory ports: the same twice, nothing invalid, nothing lost. Must not assert that guides help.

use std::collections::BTreeSet;
use std::sync::Arc;

use std::time::Duration;

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::advise::price::{Price, PriceTable};
use pilotage_domain::decide::Group;
use pilotage_domain::id::ProviderId;
use pilotage_domain::number::Probability;
use pilotage_domain::policy::Policy;
use pilotage_domain::report::OfGroup;
use pilotage_engine::advise::{Provider, Setup};
use pilotage_engine::memory::model::Line;
use pilotage_engine::memory::{ManualClock, MemoryLog, MemoryStore, Scripted, SeededEntropy};
use pilotage_engine::port::clock::Entropy;
use pilotage_engine::{GuideOutcome, Options, Parts, ProductSource, TimelineItem};
use pilotage_wire::model::{Dialect, Prompt, TokenLimit};
use pilotage_wire::yaml;

use super::*;
use crate::Invalid;
use crate::product::Step;

const ACME: &str = include_str!("../../../../examples/acme.yaml");
const UNTIL: Timestamp = Timestamp::from_millis(1_780_000_000_000);

async fn engine(text: &str, clock: ClockMode, policy: Policy) -> (Engine, ProductId) {
    engine_with(text, Options { clock, policy, ..Options::default() }).await
}

async fn engine_with(text: &str, options: Options) -> (Engine, ProductId) {
    let definition = yaml::load(text).expect("the definition loads").definition;
    let product = definition.product.clone();
    let parts = Parts {
        log: Arc::new(MemoryLog::default()),
        store: Arc::new(MemoryStore::default()),
        clock: Arc::new(ManualClock::new(UNTIL)),
        entropy: Arc::new(SeededEntropy::new(1)),
        products: vec![ProductSource { definition, text: text.to_owned() }],
        options,
    };
    (Engine::open(parts).await.expect("memory opens"), product)
}

async fn acme(policy: Policy) -> (Engine, ProductId) {
    engine(ACME, ClockMode::Events, policy).await
}

fn plan(visitors: u32, seed: u64) -> Plan {
    Plan { visitors, seed, until: UNTIL, days: 14 }
}

fn sample() -> Sample {
    let definition = yaml::load(ACME).expect("the definition loads").definition;
    Sample::of(definition).expect("it is the sample product")
}

async fn visited(policy: Policy, plan: Plan) -> Visited {
    let (engine, product) = acme(policy).await;
    let visited = visit(&engine, &product, &plan).await.expect("the visit ends");
    engine.close().await;
    visited
}

#[tokio::test]
async fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
    let json = |visited: &Visited| serde_json::to_vec(visited).expect("it is writable");
    let once = visited(Policy::Random, plan(60, 1)).await;
    let twice = visited(Policy::Random, plan(60, 1)).await;
    assert_eq!(json(&once), json(&twice));
    assert_ne!(json(&once), json(&visited(Policy::Random, plan(60, 2)).await));
}

#[tokio::test]
async fn no_exposure_is_invalid_under_any_seed_or_policy() {
    for seed in 1..=3 {
        for policy in [Policy::Static, Policy::Random] {
            let visited = visited(policy, plan(50, seed)).await;
            assert_eq!(visited.invalid_exposures(), 0, "seed {seed}: {:?}", visited.invalid);
            let guides = visited.guides;
            assert!(guides.shown > 0 && guides.shown < guides.offered, "{guides:?}");
            assert!(guides.clicked > 0 && guides.dismissed > 0, "{guides:?}");
        }
    }
}

/// A model whose answers are sound, or mangled, or name any guide of the catalogue, as a seed has it.
fn unreliable() -> Scripted {
    let bits = SeededEntropy::new(3);
    Scripted::of(move |_, request| {
        let request: serde_json::Value = serde_json::from_slice(request).expect("JSON");
        let names = "/response_format/json_schema/schema/properties/first/enum";
        let names = request.pointer(names).and_then(|names| names.as_array()).expect("names");
        let drawn = |of: &[serde_json::Value]| of[bits.bits() as usize % of.len()].clone();
        let any = ["create-project", "retry-billing", "open-report", "no-such-guide", ""];
        let any: Vec<serde_json::Value> = any.into_iter().map(Into::into).collect();
        let (first, second) = match bits.bits() % 4 {
            0 => (drawn(&any), drawn(names)),
            1 => (drawn(names), drawn(&any)),
            _ => (drawn(names), drawn(names)),
        };
        let choice = serde_json::json!({ "first": first, "second": second }).to_string();
        let message = serde_json::json!({ "content": choice });
        let chosen = serde_json::json!({ "finish_reason": "stop", "message": message });
        let mut body = serde_json::json!({ "choices": [chosen] }).to_string().into_bytes();
        if bits.bits().is_multiple_of(3) {
            let place = bits.bits() as usize % body.len();
            body[place] = bits.bits() as u8;
        }
        Line::says(body)
    })
}

fn advised_by(model: Arc<Scripted>) -> Options {
    let id = ProviderId::new("main").expect("an identifier");
    let price = Price { input: MicroUsd::new(1), output: MicroUsd::new(1) };
    let limit = TokenLimit::MaxTokens;
    let setup = Setup {
        providers: vec![Provider::new(id, Dialect::OpenAi, "m", limit, model)],
        prices: PriceTable::built_in().with("m", price),
        caps: Caps { month: MicroUsd::dollars(1), ..Caps::default() },
        mode: Mode::Live,
        canary: Probability::ONE,
        prompt: Prompt::newest(),
        workers: 2,
    };
    Options {
        clock: ClockMode::Events,
        policy: Policy::Model,
        write_back_every: Duration::from_millis(1),
        advisor: Some(Arc::new(setup)),
        ..Options::default()
    }
}

/// Whatever a model says, before the first visit and in the midst of the second: nothing that is seen breaks a rule.
#[tokio::test]
async fn no_exposure_is_invalid_whatever_a_model_says() {
    let model = Arc::new(unreliable());
    let (engine, product) = engine_with(ACME, advised_by(model.clone())).await;
    for seed in 1..=2 {
        let visited = visit(&engine, &product, &plan(60, seed)).await.expect("the visit ends");
        assert_eq!(visited.invalid_exposures(), 0, "seed {seed}: {:?}", visited.invalid);
        assert!(visited.guides.shown > 0, "{:?}", visited.guides);
        // A word that is refused often costs a model its say: it gets it back, to say more.
        let mode = engine.set_mode(&product, None, Mode::Live, None).await;
        mode.expect("the memory store writes");
        while engine.model_counts().is_none_or(|c| c.providers.values().all(|p| p.passed < 3)) {
            tokio::task::yield_now().await;
        }
    }
    let counted = engine.model_counts().expect("a model is configured");
    assert!(counted.heard.iter().any(|(source, n)| *source != "none" && *n > 0), "{counted:?}");
    assert!(counted.providers.values().any(|p| !p.refused.is_empty()), "{counted:?}");
    engine.close().await;
}

#[tokio::test]
async fn an_exposure_against_the_books_is_counted() {
    let (engine, _) = acme(Policy::Static).await;
    let mut wrong = sample();
    for purpose in wrong.purposes.values_mut().filter(|purpose| purpose.step == Step::Project) {
        purpose.way_out = true;
    }
    let visitors = run(&engine, &wrong, &plan(20, 1)).await.expect("the visit ends");
    let visited = Visited::of(visitors.iter().map(Visitor::fate));
    let faults: Vec<Invalid> = visited.invalid.into_keys().collect();
    assert_eq!(faults, [Invalid::NothingInTheWay]);
}

#[tokio::test]
async fn every_guide_and_every_reason_to_withhold_comes_up() {
    let (engine, product) = acme(Policy::Random).await;
    let visitors = run(&engine, &sample(), &plan(150, 3)).await.expect("the visit ends");
    let mut shown = BTreeSet::new();
    for visitor in &visitors {
        for item in timeline(&engine, &product, visitor).await {
            if let TimelineItem::Decision(decision) = item {
                shown.extend(decision.guide.map(|guide| guide.id.to_string()));
            }
        }
    }
    let definition = engine.definition(&product).expect("it is served");
    let all: BTreeSet<String> = definition.guides.iter().map(|g| g.id.to_string()).collect();
    assert_eq!(shown, all);
    let visited = Visited::of(visitors.iter().map(Visitor::fate));
    let reasons: Vec<Reason> = visited.withheld.into_keys().collect();
    let expected = [Reason::Holdout, Reason::NoCandidate, Reason::Contact, Reason::Policy];
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn the_engine_and_the_books_agree_and_nothing_is_lost() {
    let (engine, product) = acme(Policy::Static).await;
    let visitors = run(&engine, &sample(), &plan(60, 5)).await.expect("the visit ends");
    engine.digest().await.expect("profiles are brought up to date");
    let visited = Visited::of(visitors.iter().map(Visitor::fate));
    let report = engine.report(&product).await.expect("counted").expect("it is served");
    for OfGroup { group, count, .. } in report.summary.groups {
        let (users, activated) =
            visited.groups.get(&group).map_or((0, 0), |group| (group.users, group.activated));
        let expected = (u64::from(users), u64::from(users), u64::from(activated));
        assert_eq!((count.users, count.signed_up, count.activated), expected, "{group:?}");
    }
    for visitor in &visitors {
        check_timeline(&engine, &product, visitor).await;
    }
}

/// Every event of the visitor stands there once, every decision too, and the holdout has seen no guide.
async fn check_timeline(engine: &Engine, product: &ProductId, visitor: &Visitor) {
    let (group, tally, _) = visitor.fate();
    let (mut ids, mut decisions, mut shown) = (Vec::new(), 0, 0);
    for item in timeline(engine, product, visitor).await {
        match item {
            TimelineItem::Decision(_) => decisions += 1,
            TimelineItem::Event(event) => ids.push(event.id),
            TimelineItem::Outcome { outcome, event, .. } => {
                ids.push(event.id);
                shown += u64::from(outcome == GuideOutcome::Shown);
            }
            other => panic!("visitors have one id: {other:?}"),
        }
    }
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len() as u64, different.len() as u64), (tally.events, tally.events));
    assert_eq!((decisions, shown), (tally.decisions, tally.guides.shown));
    assert!(group != Group::Holdout || tally.guides.offered == 0);
}

async fn timeline(engine: &Engine, product: &ProductId, visitor: &Visitor) -> Vec<TimelineItem> {
    let page = engine.timeline(product, &visitor.user, 10_000, None).await;
    let page = page.expect("memory answers").expect("the visitor is known");
    assert_eq!(page.next, None);
    page.items.into_iter().map(|(_, item)| item).collect()
}

#[tokio::test]
async fn nothing_happens_outside_the_plan() {
    let (engine, product) = acme(Policy::Static).await;
    let short = Plan { days: 1, ..plan(30, 1) };
    let visitors = run(&engine, &sample(), &short).await.expect("the visit ends");
    for visitor in &visitors {
        for item in timeline(&engine, &product, visitor).await {
            if let TimelineItem::Event(event) = item {
                assert!(event.at > UNTIL - Millis::days(1) && event.at <= UNTIL);
                assert_eq!(event.received_at, event.at, "it came in the order of time");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_simulated_is_refused() {
    let refused = async |engine: &Engine, product: &ProductId, plan: &Plan| {
        visit(engine, product, plan).await.expect_err("it is refused").to_string()
    };
    let (system, product) = engine(ACME, ClockMode::System, Policy::Static).await;
    let error = refused(&system, &product, &plan(1, 1)).await;
    assert_eq!(error, VisitError::NotTheEventClock.to_string());

    let (events, product) = acme(Policy::Static).await;
    let error = refused(&events, &product, &Plan { days: 0, ..plan(1, 1) }).await;
    assert_eq!(error, VisitError::NoDays.to_string());
    let other = ProductId::new("other").expect("it is an identifier");
    let error = refused(&events, &other, &plan(1, 1)).await;
    assert_eq!(error, VisitError::UnknownProduct.to_string());

    visit(&events, &product, &plan(2, 1)).await.expect("the first visit ends");
    let error = refused(&events, &product, &plan(2, 1)).await;
    assert!(error.contains("was here before"), "{error}");
    visit(&events, &product, &plan(2, 9)).await.expect("other visitors may come");
}

#[tokio::test]
async fn another_product_is_refused_with_every_difference() {
    let other = ACME.replace("data_imported", "data_loaded").replace("project", "space");
    let (engine, product) = engine(&other, ClockMode::Events, Policy::Static).await;
    let error = visit(&engine, &product, &plan(1, 1)).await.expect_err("it is another product");
    let VisitError::NotTheSample(NotTheSample(faults)) = error else { panic!("{error}") };
    let expected = [
        "it has no event `data_imported`",
        "it has no milestone `project`",
        "guide `create-space` serves milestone `space`",
    ];
    assert_eq!(faults, expected);
}
