//! Small worlds on the real engine: the same twice, and what each way to guide can't do. Must not assert who wins.

use pilotage_domain::decide::Reason;

use super::*;
use crate::compare::{html, table, worlds};

fn small(name: &str) -> World {
    let world = worlds().into_iter().find(|world| world.name == name).expect("a world");
    World { visitors: 40, days: 6, ..world }
}

async fn compared(world: &World, methods: &[Method], seed: u64) -> Compared {
    compare(world, methods, seed, |_| {}).await.expect("the comparison ends")
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let world = small("drift");
    let bytes = |compared: &Compared| {
        let json = serde_json::to_string(compared).expect("it is writable");
        (json, table(compared), html(std::slice::from_ref(compared)))
    };
    let once = bytes(&compared(&world, &Method::ALL, 1).await);
    assert_eq!(once, bytes(&compared(&world, &Method::ALL, 1).await));
    assert_ne!(once, bytes(&compared(&world, &Method::ALL, 2).await));
    assert!(once.1.lines().all(|line| line.chars().count() <= 100), "{}", once.1);
    assert!(!once.2.contains("http"), "the report needs no network");
}

#[tokio::test]
async fn rules_show_nothing_invalid_in_any_world_and_baselines_without_them_do() {
    let ruled = [Method::Clicks, Method::Static, Method::Random, Method::Learner, Method::Looser];
    for world in worlds() {
        let world = World { visitors: 30, days: 5, ..world };
        let compared = compared(&world, &ruled, 3).await;
        for outcome in &compared.outcomes {
            assert_eq!(outcome.invalid, 0, "{} under {:?}", world.name, outcome.method);
        }
    }
    let blind = [Method::Nothing, Method::Sequence, Method::ModelPerEvent];
    let compared = compared(&small("blocked"), &blind, 3).await;
    let [nothing, sequence, model] = &compared.outcomes[..] else { panic!("three methods") };
    assert_eq!((nothing.shown, nothing.invalid, nothing.model_calls), (0, 0, 0));
    assert!(sequence.invalid > 0 && model.invalid > 0, "{compared:?}");
    assert!(model.model_calls > model.shown && model.invalid_answers > 0, "{model:?}");
}

#[tokio::test]
async fn visitors_do_not_depend_on_who_guides_them() {
    // Where no click leads anywhere and nobody tires, no way to guide can lead to another activation rate but by chance;
    // without a guide the engine and no engine are the same.
    let world = small("mixed");
    let once = compared(&world, &[Method::Nothing], 5).await;
    let again = compared(&world, &[Method::Static, Method::Nothing], 5).await;
    assert_eq!(once.outcomes[0].curve, again.outcomes[1].curve);
}

#[test]
fn looser_rules_differ_in_contact_and_in_nothing_else() {
    let [plain, looser] = [Method::Learner, Method::Looser].map(product);
    let rules = |line: &&str| {
        !["session:", "day:", "gap:"].iter().any(|key| line.starts_with(&format!("  {key}")))
    };
    let others = |text: &str| text.lines().filter(rules).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(others(&plain), others(&looser));
    let of = |text: &str| definition(text).expect("it loads").contact;
    let [plain, looser] = [of(&plain), of(&looser)];
    assert_eq!((plain.session, plain.day, plain.gap), (Some(2), Some(4), Millis::minutes(5)));
    assert_eq!((looser.session, looser.day, looser.gap), (Some(4), Some(8), Millis::minutes(1)));
    assert_eq!(looser.dismissed, plain.dismissed);
}

#[tokio::test]
async fn the_engine_says_why_it_shows_nothing() {
    let methods = [Method::Sequence, Method::Learner];
    let compared = compared(&small("mixed"), &methods, 1).await;
    let [sequence, engine] = &compared.outcomes[..] else { panic!("two methods") };
    assert!(sequence.withheld.is_empty(), "{sequence:?}");
    assert!(engine.withheld.contains_key(&Reason::Contact), "{engine:?}");
    assert!(engine.withheld.contains_key(&Reason::NoCandidate), "{engine:?}");
}
