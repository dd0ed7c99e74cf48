//! Jobs on scripted models, in time that passes only while somebody waits. Must see every call, and every micro-dollar.

use std::sync::Arc;

use pilotage_domain::advise::asking::{JOB_LIFE, MOST_TRIES};
use pilotage_domain::advise::breaker::Light;
use pilotage_domain::advise::budget::{Caps, Denial, Ledger};
use pilotage_domain::advise::price::{Price, PriceTable, Usage};
use pilotage_domain::advise::refusal::{Fault, Form, Transport};
use pilotage_domain::advise::{MicroUsd, Rung, mode};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::{GuideId, ProviderId};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_wire::model::{Dialect, Prompt, TokenLimit};
use pilotage_wire::yaml;
use serde_json::json;
use tokio::time::Instant;

use super::{Barred, Desk, End, Matter, NoSample, Outcome, Provider, Sample, ask_once, sample};
use crate::memory::model::{Line, Scripted};
use crate::memory::{MemoryGovernor, SeededEntropy};
use crate::port::clock::Clock;
use crate::port::model::{ModelError, Raw};

const PRICE: Price = Price { input: MicroUsd::new(1_000_000), output: MicroUsd::new(2_000_000) };

/// The time that tokio's timers go by.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        let passed = u64::try_from(self.0.elapsed().as_millis()).expect("a short test");
        Timestamp::from_millis(1_790_000_000_000) + Millis::new(passed)
    }
}

fn acme() -> Definition {
    let text = include_str!("../../../../examples/acme.yaml");
    yaml::load(text).expect("a product without faults").definition
}

/// Everything around a job, and the scripts of its providers.
struct World {
    definition: Definition,
    prompt: Prompt,
    sample: Sample,
    scripts: Vec<Arc<Scripted>>,
    providers: Vec<Provider>,
    prices: PriceTable,
    governor: MemoryGovernor,
    clock: Paused,
    entropy: SeededEntropy,
}

impl World {
    fn of(scripts: Vec<Scripted>) -> Self {
        let (definition, prompt) = (acme(), Prompt::newest());
        let clock = Paused(Instant::now());
        let sample = sample(&definition, prompt.id(), clock.now()).expect("acme has one");
        let scripts: Vec<Arc<Scripted>> = scripts.into_iter().map(Arc::new).collect();
        let provider = |(place, script): (usize, &Arc<Scripted>)| {
            let id = ProviderId::new(&format!("p{place}")).expect("an identifier");
            let limit = TokenLimit::MaxTokens;
            Provider::new(id, Dialect::OpenAi, "model-1", limit, script.clone())
        };
        Self {
            providers: scripts.iter().enumerate().map(provider).collect(),
            prices: PriceTable::built_in().with("model-1", PRICE),
            governor: MemoryGovernor::new(caps(1_000_000)),
            entropy: SeededEntropy::new(7),
            definition,
            prompt,
            sample,
            scripts,
            clock,
        }
    }

    fn with_cap(self, micro_usd: u64) -> Self {
        Self { governor: MemoryGovernor::new(caps(micro_usd)), ..self }
    }

    async fn asks(&self) -> Outcome {
        self.asks_with(&[]).await
    }

    async fn asks_with(&self, paused: &[GuideId]) -> Outcome {
        let desk = Desk {
            providers: &self.providers,
            prices: &self.prices,
            governor: &self.governor,
            clock: &self.clock,
            entropy: &self.entropy,
        };
        let matter = Matter {
            definition: &self.definition,
            prompt: &self.prompt,
            paused,
            brief: &self.sample.brief,
        };
        let outcome = ask_once(&desk, &matter).await;
        let charged: MicroUsd = outcome.calls.iter().map(|call| call.cost).sum();
        let ledger = self.ledger();
        assert!(charged <= ledger.spent_in_month(), "{outcome:?}");
        assert_eq!(ledger.reserved(), MicroUsd::ZERO, "something is still held");
        outcome
    }

    fn ledger(&self) -> Ledger {
        self.governor.ledger()
    }

    /// How often each provider was asked.
    fn asked(&self) -> Vec<usize> {
        self.scripts.iter().map(|script| script.asked().len()).collect()
    }

    /// The worst case of the first provider's first request.
    fn worst(&self) -> MicroUsd {
        let most = Dialect::OpenAi.most_output(&self.sample.brief);
        PRICE.worst(self.scripts[0].asked()[0].len(), most)
    }
}

fn caps(micro_usd: u64) -> Caps {
    Caps { month: MicroUsd::new(micro_usd), ..Caps::default() }
}

/// A completion that says this, with its tokens counted.
fn completion(content: &str) -> Vec<u8> {
    let body = json!({
        "model": "model-1-0901",
        "choices": [{ "finish_reason": "stop", "message": { "content": content } }],
        "usage": { "prompt_tokens": 400, "completion_tokens": 12 },
    });
    body.to_string().into_bytes()
}

fn choice(first: &str, second: &str) -> Line {
    Line::says(completion(&json!({ "first": first, "second": second }).to_string()))
}

fn good() -> Line {
    choice("connect-billing", "import-data")
}

fn advised(outcome: &Outcome) -> (&str, Vec<&str>) {
    let End::Advised { provider, advice } = &outcome.end else { panic!("{outcome:?}") };
    (provider.as_str(), advice.ranked().iter().map(|share| share.pick.name()).collect())
}

fn last_fault(outcome: &Outcome) -> Option<Fault> {
    let End::GaveUp { last, .. } = &outcome.end else { panic!("{outcome:?}") };
    last.as_ref().map(|refusal| refusal.fault)
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_is_advice_and_charged_as_counted() {
    let world = World::of(vec![Scripted::lines([good()])]);
    let outcome = world.asks().await;
    assert_eq!(advised(&outcome), ("p0", vec!["connect-billing", "import-data", "no_guide"]));
    let [call] = &outcome.calls[..] else { panic!("{outcome:?}") };
    assert_eq!(call.cost, PRICE.of(Usage { input: 400, output: 12 }));
    assert_eq!(call.heard(), Some(mode::Command::Passed));
    assert_eq!((call.record.cost_micro_usd, call.record.refusal.is_none()), (call.cost, true));
    assert_eq!(world.ledger().spent_in_month(), call.cost);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_costs_its_worst_case_and_the_job_ends_in_time() {
    let world = World::of(vec![Scripted::lines([])]);
    let before = world.clock.now();
    let outcome = world.asks().await;
    assert_eq!(last_fault(&outcome), Some(Transport::TimedOut.into()));
    assert_eq!(world.clock.now().since(before), JOB_LIFE, "the call had all of the job's time");
    assert_eq!(world.asked(), [1]);
    assert_eq!(world.ledger().spent_in_month(), world.worst());
    assert_eq!(outcome.calls[0].heard(), None);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_leaves_the_next_one_its_time() {
    let world = World::of(vec![Scripted::lines([]), Scripted::lines([good()])]);
    let before = world.clock.now();
    let outcome = world.asks().await;
    assert_eq!((advised(&outcome).0, world.asked()), ("p1", vec![1, 1]));
    assert_eq!(world.clock.now().since(before), Millis::new(JOB_LIFE.get() / 2));
    assert!(world.ledger().spent_in_month() > world.worst(), "both are paid");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_was_sent_enough_waits_for_the_next_minute() {
    let mut world = World::of(vec![Scripted::of(|_, _| good())]);
    world.providers = world.providers.into_iter().map(|p| p.with_rate(1_000)).collect();
    let mut asked = 0;
    let until = loop {
        let outcome = world.asks().await;
        match &outcome.barred[..] {
            [] => asked += 1,
            [(_, Barred::Rate { until })] => break *until,
            other => panic!("{other:?}"),
        }
    };
    assert!((1..=5).contains(&asked), "{asked}");
    let wait = until.since(world.clock.now());
    assert!(wait > Millis::ZERO && wait <= Millis::seconds(60), "{wait}");
    tokio::time::sleep(std::time::Duration::from_millis(wait.get())).await;
    assert!(world.asks().await.barred.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_next_provider_is_asked_after_three_tries() {
    let down = Scripted::of(|_, _| Line::Fails(ModelError::NoConnection));
    let world = World::of(vec![down, Scripted::lines([good()])]);
    let outcome = world.asks().await;
    assert_eq!(advised(&outcome).0, "p1");
    assert_eq!(world.asked(), [MOST_TRIES as usize, 1]);
    let cost = outcome.calls.last().expect("four calls").cost;
    assert_eq!(world.ledger().spent_in_month(), cost, "what was never sent is not paid");
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_may_have_been_billed() {
    let broken = Scripted::lines([Line::Fails(ModelError::Broken), good()]);
    let world = World::of(vec![broken]);
    let outcome = world.asks().await;
    assert_eq!(advised(&outcome).0, "p0");
    assert_eq!(outcome.calls[0].cost, world.worst());
}

#[tokio::test(start_paused = true)]
async fn a_status_that_turns_the_request_down_is_not_paid_and_not_tried_again() {
    for status in [301, 400, 401, 404, 422] {
        let world = World::of(vec![Scripted::of(move |_, _| Line::status(status))]);
        let outcome = world.asks().await;
        assert_eq!(world.asked(), [1], "{status}");
        assert_eq!(world.ledger().spent_in_month(), MicroUsd::ZERO, "{status}");
        assert!(matches!(last_fault(&outcome), Some(Fault::Transport(_))), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_is_kept() {
    let busy = Raw { status: 429, retry_after: Some("7".into()), ..Raw::default() };
    let world = World::of(vec![Scripted::lines([Line::Says(busy), good()])]);
    let before = world.clock.now();
    let outcome = world.asks().await;
    assert_eq!(advised(&outcome).0, "p0");
    assert!(world.clock.now().since(before) >= Millis::seconds(7));

    let busy = Raw { status: 429, retry_after: Some("60".into()), ..Raw::default() };
    let world = World::of(vec![Scripted::lines([Line::Says(busy), good()])]);
    let before = world.clock.now();
    let End::GaveUp { not_before, .. } = world.asks().await.end else { panic!("no time left") };
    assert_eq!(not_before, Some(before + Millis::seconds(60)));
    assert_eq!(world.asked(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_form_is_repaired_once_with_its_code() {
    let talks = || Line::says(completion("I would take connect-billing."));
    let world = World::of(vec![Scripted::lines([talks(), good()])]);
    let outcome = world.asks().await;
    assert_eq!(advised(&outcome).0, "p0");
    let repairs: Vec<Option<Rung>> = outcome.calls.iter().map(|call| call.repair).collect();
    assert_eq!(repairs, [None, Some(Rung::Form)]);
    let asked = world.scripts[0].asked();
    let says = |place: usize| String::from_utf8_lossy(&asked[place]).contains("refused (form)");
    assert_eq!((says(0), says(1)), (false, true));
    assert_eq!(outcome.calls[0].heard(), Some(mode::Command::Refused));

    let world = World::of(vec![Scripted::of(move |_, _| talks())]);
    assert_eq!(last_fault(&world.asks().await), Some(Form::NotJson.into()));
    assert_eq!(world.asked(), [2]);
}

#[tokio::test(start_paused = true)]
async fn a_lie_is_refused_and_the_next_option_stands() {
    let liar = Scripted::lines([choice("open-report", "import-data")]);
    let outcome = World::of(vec![liar]).asks().await;
    assert_eq!(advised(&outcome).1[0], "import-data");
    let [over] = &outcome.calls[0].verdict.passed_over[..] else { panic!("{outcome:?}") };
    assert_eq!(over.fault, Fault::Membership);

    let liar = Scripted::of(|_, _| choice("open-report", "retry-billing"));
    let world = World::of(vec![liar]);
    assert_eq!(last_fault(&world.asks().await), Some(Fault::Membership));
    assert_eq!(world.asked(), [1], "there is nothing to repair");
}

#[tokio::test(start_paused = true)]
async fn a_guide_that_was_paused_meanwhile_gives_way() {
    let world = World::of(vec![Scripted::lines([good()])]);
    let paused = [GuideId::new("connect-billing").expect("an identifier")];
    let outcome = world.asks_with(&paused).await;
    assert_eq!(advised(&outcome).1, ["import-data", "no_guide"]);
}

#[tokio::test(start_paused = true)]
async fn without_money_nobody_is_asked() {
    let world = World::of(vec![Scripted::lines([good()])]).with_cap(100);
    let outcome = world.asks().await;
    assert_eq!(outcome.barred[0].1, Barred::Budget(Denial::Month));
    assert_eq!((last_fault(&outcome), world.asked()), (None, vec![0]));
}

#[tokio::test(start_paused = true)]
async fn without_a_price_nobody_is_asked() {
    let world = World::of(vec![Scripted::lines([good()])]);
    let world = World { prices: PriceTable::built_in(), ..world };
    assert_eq!(world.asks().await.barred[0].1, Barred::NoPrice);
    assert_eq!(world.asked(), [0]);
}

#[tokio::test(start_paused = true)]
async fn an_ill_provider_is_left_alone_and_probed_later() {
    let ill = Scripted::of(|place, _| if place < 5 { Line::status(503) } else { good() });
    let world = World::of(vec![ill]);
    while world.providers[0].light() == Light::Closed {
        assert!(matches!(world.asks().await.end, End::GaveUp { .. }));
    }
    assert_eq!(world.asked(), [5], "five failures in a row open it, in the middle of a job");
    let spent = world.ledger().spent_in_month();
    let outcome = world.asks().await;
    let Barred::Breaker { until } = outcome.barred[0].1 else { panic!("{outcome:?}") };
    assert_eq!((world.asked(), world.ledger().spent_in_month()), (vec![5], spent));
    let rest = until.since(world.clock.now());
    tokio::time::sleep(std::time::Duration::from_millis(rest.get())).await;
    assert_eq!(advised(&world.asks().await).0, "p0");
    assert_eq!(world.providers[0].light(), Light::Closed);
}

#[tokio::test(start_paused = true)]
async fn many_workers_never_pass_the_cap() {
    let flaky = Scripted::of(|place, _| match place % 5 {
        0 => Line::Fails(ModelError::Broken),
        1 => Line::SaysAfter(Millis::seconds(3), Raw { status: 500, ..Raw::default() }),
        2 => Line::says(completion("no JSON")),
        _ => good(),
    });
    let cap = 40_000;
    let world = Arc::new(World::of(vec![flaky]).with_cap(cap));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let world = world.clone();
        workers.spawn(async move {
            let desk = Desk {
                providers: &world.providers,
                prices: &world.prices,
                governor: &world.governor,
                clock: &world.clock,
                entropy: &world.entropy,
            };
            let (definition, prompt, brief) =
                (&world.definition, &world.prompt, &world.sample.brief);
            let matter = Matter { definition, prompt, paused: &[], brief };
            let calls = ask_once(&desk, &matter).await.calls;
            calls.iter().map(|call| call.cost).sum::<MicroUsd>()
        });
    }
    let charged: MicroUsd = workers.join_all().await.into_iter().sum();
    let ledger = world.ledger();
    assert_eq!(ledger.spent_in_month(), charged);
    assert!(charged.get() <= cap && charged > MicroUsd::ZERO, "{charged}");
    assert_eq!(ledger.reserved(), MicroUsd::ZERO);
}

#[test]
fn the_earliest_situation_with_a_choice_is_found() {
    let now = Timestamp::from_millis(1_790_000_000_000);
    let found = sample(&acme(), Prompt::newest().id(), now).expect("acme has one");
    let names: Vec<&str> = found.brief.names().collect();
    assert_eq!(names, ["connect-billing", "import-data", "no_guide"]);
    assert_eq!(found.reached.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["project"]);
    assert_eq!(found.attribute, Some(("tier".into(), "trial".into())));
    assert!(found.app_version.is_some_and(|version| version.major >= 1));
}

#[test]
fn a_product_without_a_choice_has_none() {
    let text = include_str!("../../../../examples/acme.yaml");
    let lonely = text.replace(
        "    intent: activate\n    when: { attribute: tier, in: [trial] }",
        "    lifecycle: draft\n    intent: activate",
    );
    assert_ne!(lonely, text);
    let definition = yaml::load(&lonely).expect("a product without faults").definition;
    let now = Timestamp::from_millis(1_790_000_000_000);
    assert_eq!(sample(&definition, Prompt::newest().id(), now), Err(NoSample));
}
