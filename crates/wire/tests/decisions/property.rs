//! What must hold of every decision, whatever the life behind it: the oracle agrees on every guide, and the law is exact.

use std::collections::BTreeSet;

use pilotage_domain::decide::{Decision, Gate, Group, GuideTrace, Outcome, Reason, ValidGuide};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::VariantId;
use pilotage_domain::number::Propensity;
use pilotage_domain::policy::Policy;
use pilotage_domain::value::Value;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::life::{Ask, Life};
use crate::oracle::{Oracle, Words};
use crate::story::{Step, Vocabulary};
use crate::{example, load};

const SLOTS: &str = include_str!("slots.yaml");

/// Lives the life and holds every decision against the oracle; says what stopped guides, and `None` for each exposure.
fn check(definition: &Definition, file: &Value, user: u32, steps: &[Moment]) -> Vec<Option<Gate>> {
    let vocabulary = Vocabulary::of(file);
    let rules = &definition.text;
    let limits = [rules.title, rules.body, rules.cta];
    let oracle = Oracle { file, contact: definition.contact, limits };
    let mut life = Life::new(definition, &format!("user-{user}"));
    let mut seen = Vec::new();
    for (step, question) in steps {
        vocabulary.live(&mut life, *step);
        let Some(question) = question else { continue };
        let ask = vocabulary.ask(*question);
        let past = oracle.past(&life.deeds, life.now);
        let stops = |guide| oracle.stops(guide, &past, &life, &ask);
        let stopped: Vec<Option<Gate>> = oracle.guides().iter().map(stops).collect();
        let said = oracle.guides().iter().map(|guide| oracle.words(guide, &life, &ask)).collect();
        let policy = if question.0 % 2 == 0 { Policy::Random } else { Policy::Static };
        let decision = life.asks(policy, &ask);
        if decision.group == Group::Holdout {
            is_silent(&decision);
            continue;
        }
        agrees(&decision, &stopped, said, &ask);
        is_exact(&decision);
        seen.extend(stopped.into_iter().filter(Option::is_some));
        seen.extend(matches!(decision.outcome, Outcome::Show { .. }).then_some(None));
    }
    seen
}

fn is_silent(decision: &Decision) {
    let silent =
        matches!(decision.outcome, Outcome::Withhold { reason: Reason::Holdout, propensity: None });
    assert!(silent && decision.trace.guides.is_empty(), "{decision:?}");
}

fn agrees(
    decision: &Decision,
    before: &[Option<Gate>],
    said: Vec<Result<Vec<Words>, Gate>>,
    ask: &Ask,
) {
    assert_eq!(decision.trace.guides.len(), before.len());
    for ((trace, expected), said) in decision.trace.guides.iter().zip(before).zip(&said) {
        let found = trace.stopped.as_ref().map(|(gate, _)| *gate);
        assert_eq!(found, *expected, "{} {ask:?} {:?}", trace.id, trace.stopped);
        if expected.is_none() {
            let arms: Vec<_> = trace.arms.iter().map(|(variant, _)| variant.as_str()).collect();
            let good = said.as_ref().expect("a guide that passes has words");
            assert_eq!(arms, good.iter().map(|words| words.variant.as_str()).collect::<Vec<_>>());
        }
    }
    let Outcome::Show { guide, .. } = &decision.outcome else { return };
    let place = decision.trace.guides.iter().position(|trace| trace.id == *guide.id());
    let copy = guide.copy();
    let shown = Words {
        variant: guide.variant().to_string(),
        locale: copy.locale.to_string(),
        parts: [Some(&copy.title), copy.body.as_ref(), copy.cta.as_ref()]
            .map(|part| part.map(ToString::to_string)),
    };
    let said = said.get(place.expect("traced")).and_then(|said| said.as_ref().ok());
    assert!(said.is_some_and(|words| words.contains(&shown)), "{shown:?} {said:?}");
}

/// The law sums to exactly 1, and what was drawn was drawn with the probability that the trace says.
fn is_exact(decision: &Decision) {
    let parts = |propensity: Option<Propensity>| propensity.map_or(0, Propensity::parts);
    let arms = decision
        .trace
        .guides
        .iter()
        .flat_map(|guide| guide.arms.iter().map(move |arm| (guide, arm)));
    let sum: u64 = arms.clone().map(|(_, (_, propensity))| parts(*propensity)).sum();
    let no_guide = parts(decision.trace.no_guide);
    match &decision.outcome {
        Outcome::Show { guide, propensity, .. } => {
            let own = |(trace, (variant, _)): &(&_, &(_, _))| is_arm(trace, variant, guide);
            let logged = arms.clone().find(own).and_then(|(_, (_, logged))| *logged);
            assert_eq!(logged, Some(*propensity));
            assert_eq!(sum + no_guide, Propensity::SCALE);
        }
        Outcome::Withhold { reason: Reason::Policy, propensity } => {
            assert_eq!(*propensity, decision.trace.no_guide);
            assert_eq!(sum + no_guide, Propensity::SCALE);
        }
        Outcome::Withhold { propensity, .. } => {
            assert_eq!((*propensity, sum, no_guide), (None, 0, 0))
        }
    }
    let left: Vec<u32> = decision.trace.stages.iter().map(|(_, left)| *left).collect();
    assert!(left.is_sorted_by(|a, b| a >= b), "{left:?}");
    let open = decision.trace.guides.iter().filter(|guide| guide.stopped.is_none()).count();
    assert_eq!(left.last().copied(), u32::try_from(open).ok());
}

fn is_arm(trace: &GuideTrace, variant: &VariantId, guide: &ValidGuide) -> bool {
    trace.id == *guide.id() && variant == guide.variant()
}

/// A step, and perhaps a question after it.
type Moment = (Step, Option<Step>);

fn life() -> impl Strategy<Value = Vec<Moment>> {
    prop::collection::vec((any::<Step>(), prop::option::of(any::<Step>())), 1..24)
}

fn keeps_to_its_rules((definition, file): &(Definition, Value)) {
    let config = ProptestConfig { cases: 128, ..ProptestConfig::with_source_file(file!()) };
    proptest!(config, |(user in 0u32..50, steps in life())| {
        check(definition, file, user, &steps);
    });
}

#[test]
fn acme_keeps_to_its_rules() {
    keeps_to_its_rules(&example("acme"));
}

#[test]
fn a_single_guide_keeps_to_its_rules() {
    keeps_to_its_rules(&example("single"));
}

#[test]
fn every_form_keeps_to_its_rules() {
    keeps_to_its_rules(&example("forms"));
}

#[test]
fn sixty_guides_keep_to_their_rules() {
    keeps_to_its_rules(&example("atlas"));
}

#[test]
fn slots_and_limits_keep_to_their_rules() {
    keeps_to_its_rules(&load(SLOTS));
}

/// The lives that are lived here come to every gate: agreement there means something.
#[test]
fn every_gate_is_reached() {
    let (definition, file) = load(SLOTS);
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for user in 0..256 {
        let steps = life().new_tree(&mut runner).expect("no life is refused").current();
        seen.extend(check(&definition, &file, user, &steps));
    }
    let gates = [
        Gate::State,
        Gate::When,
        Gate::Never,
        Gate::Lifecycle,
        Gate::Surface,
        Gate::Copy,
        Gate::Text,
        Gate::Limits,
        Gate::Contact,
    ];
    let expected: BTreeSet<_> = gates.into_iter().map(Some).chain([None]).collect();
    assert_eq!(seen, expected);
}
