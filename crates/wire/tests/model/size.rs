//! That a request stays below 900 tokens of three bytes, whatever product and user it is about.

use pilotage_domain::advise::{Brief, Rung};
use pilotage_wire::model::{Dialect, Question};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::life::Life;
use crate::scene::{asked, example, load, question};
use crate::story::{Step, Vocabulary};

const MOST_TOKENS: usize = 900;

fn tokens(brief: &Brief) -> usize {
    let model = "a-model-with-a-name-of-the-usual-length";
    let asking = Question { model, repair: Some(Rung::Protocol), ..question(brief) };
    let bytes = Dialect::ALL.into_iter().map(|d| d.request(&asking).len()).max();
    bytes.expect("there are dialects").div_ceil(3)
}

#[test]
fn lives_of_every_example() {
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(any::<(Step, Step)>(), 1..24);
    let mut briefs = 0;
    for name in ["acme", "atlas", "forms"] {
        let (definition, file) = example(name);
        let vocabulary = Vocabulary::of(&file);
        for user in 0..64 {
            let mut life = Life::new(&definition, &format!("user-{user}"));
            for (step, ask) in steps.new_tree(&mut runner).expect("a life").current() {
                vocabulary.live(&mut life, step);
                if let Ok(brief) = asked(&life, &vocabulary.ask(ask)) {
                    briefs += 1;
                    assert!(tokens(&brief) <= MOST_TOKENS, "{name} {}", tokens(&brief));
                }
            }
        }
    }
    assert!(briefs > 100, "{briefs}");
}

/// A product whose guides are as many and as wordy as a file may hold.
fn crowded(guides: usize, id: usize, about: usize) -> String {
    let guide = |n: usize| {
        format!(
            "  - {{ id: {n:02}{}, about: '{}', serves: one, intent: activate, target: page, component: banner, \
             variants: [{{ id: v, copy: {{ en: {{ title: T }} }} }}] }}\n",
            "g".repeat(id - 2),
            "\"quoted\" words ".repeat(about / 15 + 1),
        )
    };
    format!(
        "format: 1\nproduct: crowd\nversion: 1\njourney:\n  activation: one\n  milestones:\n    \
         - {{ id: one, reached: {{ event: form_submit }} }}\ntargets:\n  page: {{ route: '*' }}\nguides:\n{}",
        (0..guides).map(guide).collect::<String>()
    )
}

#[test]
fn the_wordiest_product() {
    for (guides, id, about) in [(2, 64, 900), (5, 20, 900), (8, 30, 400), (11, 12, 900), (14, 4, 0)]
    {
        let (definition, _) = load(&crowded(guides, id, about));
        let life = Life::new(&definition, "user");
        let brief = asked(&life, &crate::life::Ask::default()).expect("a question");
        assert!(tokens(&brief) <= MOST_TOKENS, "{guides} {}", tokens(&brief));
    }
}
