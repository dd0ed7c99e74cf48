//! Decisions by the learner: the law that is noted is the law of the draw, a page that asks again hears the same, and only
//! draws that gave everything a chance are noted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::definition::Definition;
use crate::id::{GuideId, VariantId};
use crate::learn::{
    Arm, Beliefs, Credit, Features, Goal, Ground, Learner, Lesson, Settings, Tuning,
};
use crate::policy::Policy;
use crate::rules::fixture::{Ask, Product, User, session};

/// Three guides that a fresh user may be shown.
fn choice() -> Product {
    Product::small()
        .with("/guides/1/serves", json!("project"))
        .with("/guides/3/serves", json!("project"))
}

fn beliefs(definition: &Definition) -> Beliefs {
    Beliefs::prior(Arc::new(Ground::of(definition)))
}

fn decided(definition: &Definition, beliefs: &Beliefs, user: &User, ask: &Ask) -> Decision {
    let chooser = Chooser { policy: Policy::Learner, beliefs: Some(beliefs), counsel: None };
    decide(definition, chooser, &user.profile, &ask.request(user, 0))
}

/// The law of the trace, arms in its order and no guide last.
fn law(decision: &Decision) -> Vec<u64> {
    let arms = decision.trace.guides.iter().flat_map(|guide| guide.arms.iter().map(|arm| arm.1));
    let all = arms.chain([decision.trace.no_guide]);
    all.map(|p| p.map_or(0, Propensity::parts)).collect()
}

fn noted(decision: &Decision) -> &Weighing {
    decision.weighing.as_deref().expect("weighed")
}

#[test]
fn draws_of_the_learner_follow_the_law_that_is_noted() {
    let definition = choice().definition();
    let (beliefs, user) = (beliefs(&definition), User::signed_up(&definition));
    let ask = |n: u128| Ask { n, session: session(&format!("s{n}")), ..Ask::default() };
    let expected = law(&decided(&definition, &beliefs, &user, &ask(0)));
    assert_eq!((expected.len(), expected.iter().sum::<u64>()), (4, Propensity::SCALE));
    let draws = 4_000;
    let mut seen = vec![0u32; expected.len()];
    for n in 0..draws {
        let decision = decided(&definition, &beliefs, &user, &ask(n));
        assert_eq!(law(&decision), expected);
        let weighing = noted(&decision);
        let place = weighing.chosen.map_or(expected.len() - 1, usize::from);
        assert_eq!(weighing.propensity.map(Propensity::parts), expected.get(place).copied());
        seen[place] += 1;
    }
    let chi_square: f64 = expected
        .iter()
        .zip(&seen)
        .map(|(parts, n)| {
            let mean = *parts as f64 / Propensity::SCALE as f64 * draws as f64;
            (f64::from(*n) - mean).powi(2) / mean
        })
        .sum();
    // Three degrees of freedom: 16.3 is passed once in a thousand; these draws are the same for ever.
    assert!(chi_square < 16.3, "{chi_square} {seen:?} {expected:?}");
}

#[test]
fn a_page_that_asks_again_hears_the_same() {
    let definition = choice().definition();
    let (beliefs, user) = (beliefs(&definition), User::signed_up(&definition));
    let mut numbers = BTreeMap::new();
    for n in 0..40 {
        let ask = Ask { n, session: session(&format!("s{}", n % 4)), ..Ask::default() };
        let decision = decided(&definition, &beliefs, &user, &ask);
        let drawn = (noted(&decision).number, noted(&decision).chosen);
        assert_eq!(*numbers.entry(n % 4).or_insert(drawn), drawn);
    }
}

#[test]
fn what_could_be_no_other_is_not_noted() {
    let shares = json!({ "random": 0.3, "static": 0.3 });
    let definition = choice().with("/groups", shares).with("/holdout", json!(0.2)).definition();
    let beliefs = beliefs(&definition);
    let mut groups = BTreeMap::new();
    for n in 0..60 {
        let user = User::signed_up(&definition).named(&format!("u{n}"));
        let decision = decided(&definition, &beliefs, &user, &Ask::default());
        groups.insert(decision.group, (decision.policy, decision.weighing.is_some()));
    }
    let expected = [
        (Group::Guided, ("learner-3", true)),
        (Group::Holdout, ("learner-3", false)),
        (Group::Random, ("random", true)),
        (Group::Static, ("static", false)),
    ];
    assert_eq!(groups, BTreeMap::from(expected));
}

#[test]
fn another_credit_is_another_state_and_another_scale_is_not() {
    let plain = Product::small().definition();
    let frame = |tuning| Ground::of(&plain.clone().tuned(tuning)).frame;
    let usual = Tuning::default();
    assert_eq!(frame(usual), Ground::of(&plain).frame);
    assert_eq!(frame(Tuning { scale: 1.0, ..usual }), frame(usual));
    let other = frame(Tuning { credit: Credit::All, ..usual });
    assert_ne!(other, frame(usual));
    let tuned = plain.tuned(Tuning { credit: Credit::All, scale: 0.5 });
    let settings = Settings::of(&tuned);
    assert_eq!((settings.credit, settings.scale), (Credit::All, 0.5));
}

/// The same, with a learner that has seen these guides dismissed at every exposure.
fn annoyed(definition: &Definition, annoying: &[&str]) -> Beliefs {
    let ground = Arc::new(Ground::of(definition));
    let mut learner = Learner::new(ground.frame.clone());
    for guide in annoying {
        let guide = GuideId::new(guide).expect("an identifier");
        let arm = Arm { guide, variant: VariantId::new("plain").expect("an identifier") };
        let lesson = Lesson {
            arm: Some(arm),
            milestone: None,
            features: Features::default(),
            at: Timestamp::from_millis(0),
            propensity: Propensity::from_parts(Propensity::SCALE / 4).expect("a propensity"),
            click: None,
            dismissed: true,
            step: None,
            goal: Goal::Open,
            activation: Goal::Open,
        };
        (0..40).for_each(|_| learner.learn(&lesson));
    }
    Beliefs::new(ground, &learner, Timestamp::from_millis(0), 1)
}

#[test]
fn what_is_proven_to_annoy_is_drawn_in_no_group() {
    let shares = json!({ "random": 0.3, "static": 0.3 });
    let open = choice().with("/groups", shares).with("/explore", json!(0.3));
    let guarded = open.clone().with("/guard", json!({ "dismiss": 0.2 })).definition();
    let free = decided(&guarded, &beliefs(&guarded), &User::signed_up(&guarded), &Ask::default());
    let names: Vec<String> =
        free.trace.guides.iter().filter(|g| !g.arms.is_empty()).map(|g| g.id.to_string()).collect();
    // The first of the file, which `static` would always show, and then every one of them.
    for annoying in [&names[..1], &names[..]] {
        let annoying: Vec<&str> = annoying.iter().map(String::as_str).collect();
        let beliefs = annoyed(&guarded, &annoying);
        let mut seen = BTreeMap::new();
        for n in 0..200 {
            let user = User::signed_up(&guarded).named(&format!("u{n}"));
            let decision = decided(&guarded, &beliefs, &user, &Ask { n, ..Ask::default() });
            let law = law(&decision);
            assert_eq!(law.iter().sum::<u64>(), Propensity::SCALE, "{decision:?}");
            for guide in decision.trace.guides.iter().filter(|guide| !guide.arms.is_empty()) {
                let is_open = guide.arms.iter().any(|(_, propensity)| propensity.is_some());
                let annoys = annoying.contains(&guide.id.as_str());
                // `static` has a single choice, whatever else is open.
                assert!(!(annoys && is_open), "{decision:?}");
                assert!(annoys || is_open || decision.group == Group::Static, "{decision:?}");
            }
            if let Outcome::Show { guide, .. } = &decision.outcome {
                assert!(!annoying.contains(&guide.id().as_str()), "{decision:?}");
            }
            *seen.entry((decision.group, decision.explore)).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 4, "each group, and explored draws: {seen:?}");
    }
    // Without a limit nothing is proven against it.
    let free = open.definition();
    let decision =
        decided(&free, &annoyed(&free, &[&names[0]]), &User::signed_up(&free), &Ask::default());
    assert!(law(&decision).iter().all(|parts| *parts > 0 || decision.group == Group::Static));
}
