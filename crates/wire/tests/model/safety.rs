//! For any bytes from a provider and any life of a user: what would be shown is what the oracle would show. The model's word
//! changes how likely a guide is, never whether it may be seen.

use pilotage_domain::advise::ladder::{InForce, judge};
use pilotage_domain::advise::{Brief, Prior};
use pilotage_domain::decide::ValidGuide;
use pilotage_domain::definition::Definition;
use pilotage_domain::number::Propensity;
use pilotage_domain::policy::model::distribution;
use pilotage_domain::policy::{ArmView, Choice};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_domain::value::Value;
use pilotage_wire::model::Dialect;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::life::{Ask, Life};
use crate::oracle::{Oracle, text};
use crate::replies::{good, ok};
use crate::scene::{PROMPT, asked, example, judged, load};
use crate::story::{Step, Vocabulary};

const SLOTS: &str = include_str!("../decisions/slots.yaml");

/// How an answer's bytes are spoiled on their way.
type Edit = (prop::sample::Index, u8, u8);

/// One exchange and what follows: a life before the question, the answer, a life after it, and a decision.
#[derive(Debug, Clone)]
struct Case {
    before: Vec<Step>,
    asks: (Step, Step),
    dialect: Dialect,
    weights: Vec<u32>,
    edits: Vec<Edit>,
    after: Vec<Step>,
    /// How old the advice is by then; it fades, and never lets anything more through.
    age: Millis,
    draw: u32,
}

fn case() -> impl Strategy<Value = Case> {
    let edit = (any::<prop::sample::Index>(), 0..4u8, any::<u8>());
    let edits = prop_oneof![
        2 => Just(Vec::new()),
        1 => prop::collection::vec(edit, 1..6),
    ];
    let steps = || prop::collection::vec(any::<Step>(), 0..16);
    let answer =
        (prop::sample::select(&Dialect::ALL[..]), prop::collection::vec(0u32..100, 1..20), edits);
    let moment = ((0..32u64).prop_map(Millis::days), any::<u32>());
    (steps(), any::<(Step, Step)>(), answer, steps(), moment).prop_map(
        |(before, asks, (dialect, weights, edits), after, (age, draw))| Case {
            before,
            asks,
            dialect,
            weights,
            edits,
            after,
            age,
            draw,
        },
    )
}

/// The answer as it arrives: a good one with some bytes replaced, dropped, doubled, or a name swapped for another guide's.
fn arriving(brief: &Brief, case: &Case, file: &Value) -> Vec<u8> {
    let mut bytes = good(case.dialect, brief, &case.weights).to_string().into_bytes();
    for (place, edit, byte) in &case.edits {
        let at = place.index(bytes.len());
        match edit {
            0 => bytes[at] = *byte,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            _ => bytes = swapped(&bytes, brief, file, *byte),
        }
        if bytes.is_empty() {
            return bytes;
        }
    }
    bytes
}

/// Some guide of the file in place of one that was offered.
fn swapped(bytes: &[u8], brief: &Brief, file: &Value, byte: u8) -> Vec<u8> {
    let Some(Value::List(guides)) = file.member("guides") else { return bytes.to_vec() };
    let other = text(&guides[usize::from(byte) % guides.len()], "id").expect("required");
    let offered = brief.names().nth(usize::from(byte) % 3).unwrap_or("no_guide");
    String::from_utf8_lossy(bytes).replace(offered, other).into_bytes()
}

/// What the answer's advice would show at the later moment; `None` where no advice came of it.
fn shown(life: &Life<'_>, later: &Ask, prior: &Prior, draw: u32) -> Option<ValidGuide> {
    judged(life, later, |_, mut judged| {
        let arms: Vec<ArmView<'_>> = judged
            .candidates
            .iter()
            .map(|c| ArmView { guide: &c.guide().id, variant: &c.variant().id })
            .collect();
        let law = distribution(&arms, Some(prior));
        let choices = (0..arms.len()).map(Choice::Arm).chain([Choice::NoGuide]);
        let parts = choices.filter_map(|choice| law.propensity(choice)).map(Propensity::parts);
        assert_eq!(parts.sum::<u64>(), Propensity::SCALE);
        match law.draw(draw) {
            Choice::Arm(place) => Some(judged.candidates.swap_remove(place).into_guide()),
            Choice::NoGuide => None,
        }
    })
}

/// What came of a case.
#[derive(Debug, PartialEq, Eq, Clone, Copy, PartialOrd, Ord)]
enum End {
    NotAsked,
    Refused,
    Silent,
    Shown,
}

fn play((definition, file): &(Definition, Value), case: &Case) -> End {
    let vocabulary = Vocabulary::of(file);
    let mut life = Life::new(definition, "user");
    case.before.iter().for_each(|step| vocabulary.live(&mut life, *step));
    let Ok(brief) = asked(&life, &vocabulary.ask(case.asks.0)) else { return End::NotAsked };
    let bytes = arriving(&brief, case, file);
    let Ok(proposal) = case.dialect.read(&brief, &ok(&bytes)).proposal else { return End::Refused };
    let at = Timestamp::from_millis(life.now);
    let in_force = InForce { definition, prompt: PROMPT.id(), paused: &[], at };
    let Ok(advice) = judge(&brief, &proposal, &in_force).advice else { return End::Refused };
    case.after.iter().for_each(|step| vocabulary.live(&mut life, *step));
    let later = vocabulary.ask(case.asks.1);
    let prior = Prior::new(&advice, at + case.age, |_| true);
    let Some(guide) = shown(&life, &later, &prior, case.draw) else { return End::Silent };
    may_be_seen((definition, file), &life, &later, &guide);
    End::Shown
}

fn may_be_seen(
    (definition, file): (&Definition, &Value),
    life: &Life<'_>,
    ask: &Ask,
    guide: &ValidGuide,
) {
    let rules = &definition.text;
    let limits = [rules.title, rules.body, rules.cta];
    let oracle = Oracle { file, contact: definition.contact, limits };
    let past = oracle.past(&life.deeds, life.now);
    let written = oracle.guides().iter().find(|g| text(g, "id") == Some(guide.id().as_str()));
    let stopped = oracle.stops(written.expect("a guide of the file"), &past, life, ask);
    assert_eq!(stopped, None, "{} {ask:?}", guide.id());
}

fn products() -> [(Definition, Value); 3] {
    [example("acme"), example("forms"), load(SLOTS)]
}

#[test]
fn what_is_shown_may_be_seen() {
    for product in products() {
        let config = ProptestConfig { cases: 256, ..ProptestConfig::with_source_file(file!()) };
        proptest!(config, |(case in case())| {
            play(&product, &case);
        });
    }
}

/// The cases come to every end: the property above says something.
#[test]
fn every_end_is_reached() {
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    let products = products();
    for n in 0..900 {
        let case = case().new_tree(&mut runner).expect("a case").current();
        seen.insert(play(&products[n % 3], &case));
    }
    let all = [End::NotAsked, End::Refused, End::Silent, End::Shown];
    assert_eq!(seen, std::collections::BTreeSet::from(all));
}
