//! From events to a guide and back. Must go through the engine's public calls alone.

use pilotage_domain::decide::{Gate, Reason};
use pilotage_domain::id::{EventId, GuideId};
use pilotage_domain::time::Millis;
use pilotage_engine::port::store::Pause;
use pilotage_engine::{DecideError, Options};
use pilotage_wire::record::decision::{OutcomeName, StoredDecision};

use crate::world::{START, World, acme, call, event, form, product, user};

fn shown(decision: &StoredDecision) -> Option<&str> {
    decision.guide.as_ref().map(|guide| guide.id.as_str())
}

#[tokio::test]
async fn a_new_user_is_guided_step_by_step() {
    let world = World::new().await;
    let ada = user(1);
    world.send(event(&ada, "signed_up", "{}")).await;
    let first = world.decide(&ada, "/projects").await;
    assert_eq!(shown(&first), Some("create-project"));
    assert!(first.validation_hash.is_some());

    let payload = format!(r#"{{"decisionId":"{}"}}"#, first.decision_id);
    world.send(event(&ada, "guide_shown", &payload)).await;
    world.send(form(&ada, "new_project", true)).await;
    world.later(Millis::minutes(6));
    assert_eq!(shown(&world.decide(&ada, "/import").await), Some("import-data"));
}

#[tokio::test]
async fn a_card_that_failed_twice_is_helped_and_never_asked_for_again() {
    let world = World::new().await;
    let bob = user(2);
    world.send(event(&bob, "signed_up", "{}")).await;
    world.send(form(&bob, "new_project", true)).await;
    for _ in 0..2 {
        world.send(form(&bob, "billing", false)).await;
    }
    let decision = world.decide(&bob, "/settings/billing").await;
    assert_eq!(shown(&decision), Some("retry-billing"));
    let stopped = decision.trace.guides.iter().find(|g| g.id.as_str() == "connect-billing");
    assert!(stopped.is_some_and(|guide| guide.stopped.is_some()));
}

#[tokio::test]
async fn two_decisions_in_a_moment_reserve_one_place() {
    let world = World::new().await;
    let ada = user(1);
    assert_eq!(shown(&world.decide(&ada, "/projects").await), Some("create-project"));
    // An offer holds its place for a minute, as if it had been seen: the guide's own gap of a day stops a second one.
    let second = world.decide(&ada, "/projects").await;
    assert_eq!((second.outcome, second.reason), (OutcomeName::Withhold, Some(Reason::NoCandidate)));
    let stopped = second.trace.guides.first().and_then(|guide| guide.stopped.as_ref());
    assert_eq!(stopped.map(|(gate, _)| *gate), Some(Gate::Limits));
    world.later(Millis::minutes(2));
    assert_eq!(shown(&world.decide(&ada, "/projects").await), Some("create-project"));
}

#[tokio::test]
async fn a_decision_waits_for_the_event_that_it_is_told_of() {
    let world = World::new().await;
    let ada = user(1);
    let sent = world.send(form(&ada, "new_project", true)).await;
    let mut asked = call(&ada, "/import");
    asked.after = Some(sent.event_id);
    asked.wait = Millis::new(1_000);
    let decision = world.engine.decide(&product(), asked).await.expect("served").decision;
    assert_eq!((shown(&decision), decision.stale), (Some("import-data"), false));
}

#[tokio::test]
async fn a_decision_that_waits_in_vain_says_so() {
    let world = World::new().await;
    let mut asked = call(&user(1), "/projects");
    asked.after = EventId::new("never-sent").ok();
    asked.wait = Millis::new(5);
    let decision = world.engine.decide(&product(), asked).await.expect("served").decision;
    assert!(decision.stale);
    assert_eq!(shown(&decision), Some("create-project"));
}

#[tokio::test]
async fn a_paused_guide_is_out_at_once_and_back_at_once() {
    let world = World::new().await;
    let guide = GuideId::new("create-project").expect("valid");
    world.engine.pause(&product(), &guide, Pause::Pause).await.expect("known");
    assert_eq!(shown(&world.decide(&user(1), "/projects").await), None);
    let world = world.crash_and_restart().await;
    assert_eq!(
        shown(&world.decide(&user(1), "/projects").await),
        None,
        "a pause outlives the process"
    );
    world.engine.pause(&product(), &guide, Pause::Resume).await.expect("known");
    assert_eq!(shown(&world.decide(&user(1), "/projects").await), Some("create-project"));
    let unknown = GuideId::new("no-such").expect("valid");
    assert!(world.engine.pause(&product(), &unknown, Pause::Pause).await.is_err());
}

#[tokio::test]
async fn a_log_that_takes_nothing_means_that_nothing_is_shown() {
    let world = World::new().await;
    world.log.set_fault(Some(pilotage_engine::memory::Fault::Unavailable));
    let decision =
        world.engine.decide(&product(), call(&user(1), "/projects")).await.expect("served");
    assert_eq!(decision.decision.reason, Some(Reason::Degraded));
    world.log.set_fault(None);
    assert_eq!(shown(&world.decide(&user(1), "/projects").await), Some("create-project"));
}

#[tokio::test]
async fn the_moment_is_the_callers_under_the_event_clock_alone() {
    let world = World::new().await;
    let mut asked = call(&user(1), "/projects");
    asked.at = Some(START);
    let refused = world.engine.decide(&product(), asked.clone()).await;
    assert_eq!(refused.map(|_| ()), Err(DecideError::NotTheEventClock));
    let options = Options { clock: pilotage_engine::ClockMode::Events, ..Options::default() };
    let world = World::with(acme(), options).await;
    let decision = world.engine.decide(&product(), asked).await.expect("served").decision;
    assert_eq!(decision.at, START);
}
