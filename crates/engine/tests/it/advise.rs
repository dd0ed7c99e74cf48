//! Models beside the engine: situations wait for advice, decisions hear it, and nobody waits for a model. Must go through the
//! engine's public calls alone.

use std::sync::Arc;
use std::time::Duration;

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::history::{OUT_OF_DATE, Source};
use pilotage_domain::advise::mode::Mode;
use pilotage_domain::advise::price::{Price, PriceTable};
use pilotage_domain::id::{GuideId, ProviderId, UserId};
use pilotage_domain::number::Probability;
use pilotage_domain::policy::Policy;
use pilotage_engine::Options;
use pilotage_engine::advise::{ModelView, Provider, ReviewError, Setup, verify};
use pilotage_engine::memory::Scripted;
use pilotage_engine::memory::model::Line;
use pilotage_engine::port::book::{Book, Reading};
use pilotage_engine::port::store::Store;
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::model::record::ReviewName;
use pilotage_wire::model::{Dialect, Prompt, TokenLimit};
use pilotage_wire::record::decision::{OutcomeName, StoredDecision};
use serde_json::{Value, json};

use crate::world::{START, World, acme, event, form, product, user};

/// Far longer than anything takes; only a fault reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const PRICE: Price = Price { input: MicroUsd::new(1_000_000), output: MicroUsd::new(2_000_000) };

/// What a model is set up with, and its scripts.
#[derive(Clone)]
pub(crate) struct Plan {
    scripts: Vec<Arc<Scripted>>,
    mode: Mode,
    canary: Probability,
    month: MicroUsd,
}

impl Plan {
    pub(crate) fn of(play: impl Fn(usize, &[u8]) -> Line + Send + Sync + 'static) -> Self {
        Self {
            scripts: vec![Arc::new(Scripted::of(play))],
            mode: Mode::Live,
            canary: Probability::ONE,
            month: MicroUsd::dollars(1),
        }
    }

    pub(crate) fn options(&self) -> Options {
        let provider = |(place, script): (usize, &Arc<Scripted>)| {
            let id = ProviderId::new(&format!("p{place}")).expect("an identifier");
            let limit = TokenLimit::MaxTokens;
            Provider::new(id, Dialect::OpenAi, "model-1", limit, script.clone())
        };
        let setup = Setup {
            providers: self.scripts.iter().enumerate().map(provider).collect(),
            prices: PriceTable::built_in().with("model-1", PRICE),
            caps: Caps { month: self.month, ..Caps::default() },
            mode: self.mode,
            canary: self.canary,
            prompt: Prompt::newest(),
            workers: 2,
        };
        Options {
            policy: Policy::Model,
            write_back_every: Duration::from_millis(10),
            advisor: Some(Arc::new(setup)),
            ..Options::default()
        }
    }

    async fn world(&self) -> World {
        World::with(acme(), self.options()).await
    }

    pub(crate) fn asked(&self) -> usize {
        self.scripts.iter().map(|script| script.asked().len()).sum()
    }
}

/// An answer that says this, with its tokens counted.
fn completion(content: &str) -> Line {
    let body = json!({
        "choices": [{ "finish_reason": "stop", "message": { "content": content } }],
        "usage": { "prompt_tokens": 400, "completion_tokens": 12 },
    });
    Line::says(body.to_string())
}

/// The guides that a request offers, and no guide.
fn offered(request: &[u8]) -> Vec<String> {
    let request: Value = serde_json::from_slice(request).expect("JSON");
    let names = &request["response_format"]["json_schema"]["schema"]["properties"]["first"]["enum"];
    let names = names.as_array().expect("names");
    names.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// Names the first guides that were offered.
pub(crate) fn sound(request: &[u8]) -> Line {
    let names = offered(request);
    completion(&json!({ "first": names[0], "second": names[1] }).to_string())
}

/// A user of the trial with a project: billing or an import may be asked for.
async fn trial(world: &World, n: u32) -> UserId {
    let user = user(n);
    for event in trial_of(&user) {
        world.send(event).await;
    }
    user
}

/// What such a user has done.
pub(crate) fn trial_of(user: &UserId) -> [IncomingEvent; 2] {
    let mut signup = event(user, "signed_up", "{}");
    // As the page says that asks: else it would be another situation.
    signup.context.app_version = Some("2.1.0".into());
    signup.attributes =
        serde_json::value::RawValue::from_string(r#"{"tier":"trial"}"#.to_owned()).ok();
    [signup, form(user, "new_project", true)]
}

/// Waits until asking models goes so.
async fn until(world: &World, what: &str, holds: impl Fn(&ModelView) -> bool) -> ModelView {
    let start = std::time::Instant::now();
    loop {
        let view = world.engine.model(&product()).await.expect("the store answers");
        let view = view.expect("a model is configured");
        if holds(&view) {
            return view;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}: {view:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn passed(view: &ModelView) -> u64 {
    view.providers.iter().map(|provider| provider.counted.passed).sum()
}

/// A situation has been asked about, and nothing waits.
async fn advised(world: &World) {
    until(world, "advice is there", |view| passed(view) > 0 && view.waiting == 0).await;
}

/// What the next user of the trial is shown; an offer keeps a user from the next one for a while.
async fn next(world: &World, n: &mut u32) -> StoredDecision {
    *n += 1;
    let user = trial(world, *n).await;
    let decision = world.decide(&user, "/import").await;
    is_sound(&decision);
    decision
}

/// What was advised, as the decision says.
fn heard(decision: &StoredDecision) -> Option<(u64, Source)> {
    decision.trace.advice.map(|advised| (advised.answer, advised.source))
}

fn propensity(decision: &StoredDecision, guide: &str) -> f64 {
    let trace = decision.trace.guides.iter().find(|trace| trace.id.as_str() == guide);
    let arms = trace.expect("a guide of the catalogue").arms.iter();
    arms.map(|(_, propensity)| propensity.map_or(0.0, |p| p.get())).sum()
}

/// Whatever is shown has passed every gate, and the law sums to 1.
fn is_sound(decision: &StoredDecision) {
    let arms = decision.trace.guides.iter().flat_map(|guide| &guide.arms);
    let parts = arms.filter_map(|(_, p)| *p).chain(decision.trace.no_guide);
    let sum: u64 = parts.map(|p| p.parts()).sum();
    assert!(sum == 0 || sum == 1 << 32, "{sum}");
    if decision.outcome == OutcomeName::Show {
        let guide = decision.guide.as_ref().expect("something is shown");
        let trace = decision.trace.guides.iter().find(|trace| trace.id == guide.id);
        assert!(trace.is_some_and(|trace| trace.stopped.is_none()), "{decision:?}");
        assert!(decision.propensity.is_some_and(|p| p.parts() > 0));
    }
}

#[tokio::test]
async fn a_situation_is_asked_about_once_and_every_user_in_it_hears_the_answer() {
    let plan = Plan::of(|_, request| sound(request));
    let world = plan.world().await;
    for n in 1..=9 {
        trial(&world, n).await;
    }
    advised(&world).await;
    let asked = plan.asked();
    for n in 1..=9 {
        let decision = world.decide(&user(n), "/import").await;
        is_sound(&decision);
        let (answer, source) = heard(&decision).expect("advice");
        assert_eq!((source, &*decision.policy), (Source::Newest, "model"));
        let proposal = world.engine.proposal(&product(), answer).await.expect("it is in the book");
        assert_eq!(&*proposal.record.brief.signature, &*decision.signature);
        // 0.9 · ½ of the whole goes to the first, 0.9 · ¼ to the second; a page shows what fits it alone.
        let (first, second) =
            (propensity(&decision, "connect-billing"), propensity(&decision, "import-data"));
        assert!(first == 0.0 || first > second, "{first} {second}");
        assert!(second > 0.0, "{decision:?}");
    }
    assert_eq!(plan.asked(), asked, "nothing new was met");
    let view = until(&world, "nothing waits", |view| view.waiting == 0).await;
    assert_eq!(passed(&view), asked as u64);
    assert!(view.counted.events > view.providers[0].counted.calls());
    assert!(verify(&*world.store).await.expect("whole").pages > 0);
}

/// What a decision's record says that the learner took from advice about the guide, in parts of 2¹⁶, and the chance that it
/// expected of it.
fn told_the_learner(decision: &StoredDecision, guide: &str) -> (Option<i32>, f64) {
    let weighing = decision.weighing.as_ref().expect("the learner has weighed");
    let place = weighing.names.iter().position(|name| &**name == "advice");
    let arms = decision.trace.guides.iter().flat_map(|g| g.arms.iter().map(|_| g.id.as_str()));
    let weighed = arms.zip(&weighing.arms).find(|(id, _)| *id == guide);
    let (_, arm) = weighed.expect("the guide is an arm");
    let said = arm.features.iter().find(|(at, _)| Some(usize::from(*at)) == place);
    (said.map(|(_, value)| *value), arm.expected.mean)
}

#[tokio::test]
async fn the_learner_hears_advice_as_one_feature() {
    let plan = Plan::of(|_, request| sound(request));
    let options = Options { policy: Policy::Learner, ..plan.options() };
    let world = World::with(acme(), options).await;
    trial(&world, 1).await;
    advised(&world).await;
    let mut n = 1;
    let decision = loop {
        let decision = next(&world, &mut n).await;
        if propensity(&decision, "import-data") > 0.0 {
            break decision;
        }
    };
    assert_eq!((heard(&decision).is_some(), &*decision.policy), (true, "learner-3"));
    // A quarter for one of three options: less than the even share, so advice is against it. Nothing is learnt yet.
    let (said, expected) = told_the_learner(&decision, "import-data");
    assert_eq!(said, Some(-(1 << 16) / 4));
    // Its say is taken away: the feature is gone, and with it what it did.
    world.engine.set_mode(&product(), None, Mode::Shadow, None).await.expect("written");
    let decision = next(&world, &mut n).await;
    let (said, without) = told_the_learner(&decision, "import-data");
    assert_eq!((heard(&decision), said), (None, None));
    assert!(without > expected, "{without} {expected}");
    world.engine.close().await;
}

#[tokio::test]
async fn a_provider_that_hangs_holds_up_nobody() {
    let plan = Plan::of(|_, _| Line::Hangs);
    let world = plan.world().await;
    for n in 1..=30 {
        let user = trial(&world, n).await;
        let decision = world.decide(&user, "/import").await;
        is_sound(&decision);
        assert!(decision.reason.is_none_or(|reason| reason.name() != "degraded"));
        assert_eq!(heard(&decision), None);
    }
    let start = std::time::Instant::now();
    while plan.asked() == 0 {
        assert!(start.elapsed() < PATIENCE, "nobody was asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let decision = world.decide(&user(1), "/import").await;
    assert_eq!(heard(&decision), None);
    world.engine.close().await;
}

#[tokio::test]
async fn what_is_refused_is_counted_by_its_rung_and_enters_nothing() {
    let other = r#"{"first":"retry-billing","second":"create-project"}"#;
    let table = [
        (completion("I would connect billing."), "form"),
        (completion(r#"{"first":"connect-billing","first":"connect-billing"}"#), "form"),
        (completion(r#"{"first":NaN,"second":1}"#), "form"),
        (completion(other), "membership"),
        (completion(r#"{"first":"DROP TABLE guides","second":"; --"}"#), "membership"),
        (Line::status(401), "transport"),
        (Line::says("\u{0}\u{1}"), "form"),
        (Line::says(vec![b' '; 300_000]), "transport"),
    ];
    for (line, code) in table {
        let plan = Plan::of(move |_, _| line.clone());
        let world = plan.world().await;
        let user = trial(&world, 1).await;
        let refused = |view: &ModelView| view.providers[0].counted.refused.contains_key(code);
        let view = until(&world, code, refused).await;
        let others = view.providers[0].counted.refused.keys().find(|known| **known != code);
        assert_eq!((others, passed(&view)), (None, 0));
        for n in 0..20 {
            let decision = world.decide(&user, "/import").await;
            is_sound(&decision);
            assert_eq!(heard(&decision), None, "{code} {n}");
        }
        world.engine.close().await;
    }
}

#[tokio::test]
async fn no_or_one_guide_is_no_question() {
    let plan = Plan::of(|_, request| sound(request));
    let world = plan.world().await;
    for n in 1..=5 {
        let user = user(n);
        world.send(event(&user, "signed_up", "{}")).await;
        is_sound(&world.decide(&user, "/projects").await);
    }
    let nothing = |view: &ModelView| view.counted.nothing_to_ask >= 5;
    let view = until(&world, "they were met", nothing).await;
    assert_eq!((view.waiting, plan.asked()), (0, 0));
}

#[tokio::test]
async fn a_restart_keeps_advice_and_what_waits() {
    let plan = Plan::of(|place, request| if place == 0 { sound(request) } else { Line::Hangs });
    let world = plan.world().await;
    let first = trial(&world, 1).await;
    advised(&world).await;
    let before = world.decide(&first, "/import").await;
    assert!(heard(&before).is_some());
    // Another situation, about which nobody answers.
    let second = trial(&world, 2).await;
    for _ in 0..2 {
        world.send(form(&second, "billing", false)).await;
    }
    until(&world, "the second one waits", |view| view.waiting == 1).await;
    let quiet = Plan::of(|_, _| Line::Hangs);
    let world = world.crash_and_restart_with(quiet.options()).await;
    assert_eq!(world.store.waiting().await.expect("the store reads"), 1);
    let third = trial(&world, 3).await;
    let after = world.decide(&third, "/import").await;
    assert_eq!(heard(&after), heard(&before), "the same answer, in another process");
    assert_eq!(verify(&*world.store).await.expect("whole").pages, 2, "a mode and an answer");
}

#[tokio::test]
async fn advice_has_the_say_that_its_mode_gives() {
    let mut plan = Plan::of(|_, request| sound(request));
    plan.mode = Mode::Shadow;
    let world = plan.world().await;
    let mut n = 1;
    trial(&world, n).await;
    advised(&world).await;
    let of = product();
    assert_eq!(heard(&next(&world, &mut n).await), None, "shadow");
    let set = async |guide: Option<&str>, mode| {
        let guide = guide.map(|id| GuideId::new(id).expect("an identifier"));
        world.engine.set_mode(&of, guide, mode, Some("ann".into())).await
    };
    set(None, Mode::Review).await.expect("set");
    assert_eq!(heard(&next(&world, &mut n).await), None, "not approved");
    let newest = world.engine.proposals(&of, None, 1).await.expect("the store reads");
    let number = newest[0].number;
    let approved = world.engine.review(&of, number, ReviewName::Approved, None).await;
    assert_eq!(approved.expect("approved").review, ReviewName::Approved);
    assert_eq!(heard(&next(&world, &mut n).await).map(|(answer, _)| answer), Some(number));
    set(Some("import-data"), Mode::Shadow).await.expect("set");
    let decision = next(&world, &mut n).await;
    assert!(heard(&decision).is_some());
    let law = propensity(&decision, "import-data");
    set(Some("import-data"), Mode::Live).await.expect("set");
    let with = propensity(&next(&world, &mut n).await, "import-data");
    assert!(law < with, "without a say of its own it has its part of the floor: {law} {with}");
    let rejected = world.engine.review(&of, number, ReviewName::Rejected, Some("bob".into())).await;
    assert_eq!(rejected.expect("rejected").by.as_deref(), Some("bob"));
    set(None, Mode::Live).await.expect("set");
    assert_eq!(heard(&next(&world, &mut n).await), None, "rejected");
    let unknown = world.engine.review(&of, 999, ReviewName::Approved, None).await;
    assert!(matches!(unknown, Err(ReviewError::UnknownProposal)));
    let unknown = set(Some("nothing"), Mode::Live).await;
    assert!(matches!(unknown, Err(ReviewError::UnknownGuide)));
}

#[tokio::test]
async fn a_canary_is_a_share_of_users() {
    let mut plan = Plan::of(|_, request| sound(request));
    (plan.mode, plan.canary) = (Mode::Canary, Probability::new(0.5).expect("in range"));
    let world = plan.world().await;
    for n in 1..=40 {
        trial(&world, n).await;
    }
    advised(&world).await;
    let mut hear = 0;
    for n in 1..=40 {
        hear += usize::from(heard(&world.decide(&user(n), "/import").await).is_some());
    }
    assert!((8..=32).contains(&hear), "{hear} of 40");
}

#[tokio::test]
async fn a_model_that_is_refused_again_and_again_loses_its_say() {
    let mut plan = Plan::of(|_, _| completion(r#"{"first":"x","second":"y"}"#));
    // Each job asks one after the other, and each names what was not offered.
    plan.scripts = (0..8).map(|_| plan.scripts[0].clone()).collect();
    let world = plan.world().await;
    trial(&world, 1).await;
    until(&world, "it is demoted", |view| view.mode == Mode::Shadow).await;
    world.engine.close().await;
    let reading = Reading { after: 0, answers_since: None, limit: 100 };
    let pages = world.store.reopen().pages(reading).await.expect("the store reads");
    assert!(pages.len() >= 9, "{}", pages.len());
    // A restart does not give it back what it has lost; a person does.
    let world = world.crash_and_restart_with(plan.options()).await;
    until(&world, "it is still demoted", |view| view.mode == Mode::Shadow).await;
    world.engine.set_mode(&product(), None, Mode::Live, None).await.expect("set");
    until(&world, "it is back", |view| view.mode == Mode::Live).await;
}

#[tokio::test]
async fn a_guide_that_is_dismissed_again_and_again_loses_its_say() {
    let plan = Plan::of(|_, request| sound(request));
    let world = plan.world().await;
    trial(&world, 1).await;
    advised(&world).await;
    let mut n = 1;
    while until(&world, "it is counted", |_| true).await.mode == Mode::Live {
        n += 1;
        assert!(n < 200, "nobody lost anything");
        let user = trial(&world, n).await;
        let decision = world.decide(&user, "/import").await;
        if decision.guide.is_some() {
            let payload = format!(r#"{{"decisionId":"{}"}}"#, decision.decision_id);
            world.send(event(&user, "guide_shown", &payload)).await;
            world.send(event(&user, "guide_dismissed", &payload)).await;
            world.settle().await;
        }
    }
    let reading = Reading { after: 0, answers_since: Some(START + OUT_OF_DATE), limit: 100 };
    let start = std::time::Instant::now();
    // The settings' mode, and that it was lost.
    while world.store.pages(reading).await.expect("the store reads").len() < 2 {
        assert!(start.elapsed() < PATIENCE, "nobody has put it down");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_spent_budget_asks_nobody_and_decides_on() {
    let mut plan = Plan::of(|_, request| sound(request));
    plan.month = MicroUsd::new(10);
    let world = plan.world().await;
    let user = trial(&world, 1).await;
    until(&world, "it was barred", |view| view.providers[0].counted.barred > 0).await;
    is_sound(&world.decide(&user, "/import").await);
    assert_eq!(plan.asked(), 0);
    let view = until(&world, "it waits", |view| view.waiting == 1).await;
    assert_eq!(view.ledger.spent_in_month(), MicroUsd::ZERO);
}

#[tokio::test]
async fn a_store_that_is_away_costs_advice_and_nothing_else() {
    let plan = Plan::of(|_, request| sound(request));
    let world = plan.world().await;
    let user = trial(&world, 1).await;
    advised(&world).await;
    world.store.set_fault(Some(pilotage_engine::memory::Fault::Unavailable));
    let decision = world.decide(&user, "/import").await;
    assert!(heard(&decision).is_some(), "what is known is known");
    world.store.set_fault(None);
    Store::close(&*world.store).await;
}
