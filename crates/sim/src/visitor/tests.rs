//! What a guide does to a visitor, for good and for ill. Must not start an engine: the guides are made by hand.

use pilotage_domain::time::Millis;
use pilotage_wire::guide::{ActionBody, CopyBody, TargetBody};
use pilotage_wire::yaml;

use super::*;

const PRODUCT: &str = include_str!("../../worlds.yaml");
const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);

fn sample() -> Sample {
    Sample::of(yaml::load(PRODUCT).expect("the definition loads").definition).expect("the sample")
}

/// The plain wording of that guide of the catalogue, as it would be shown.
fn guide(sample: &Sample, id: &str) -> GuideBody {
    let definition = &sample.definition;
    let guide = definition.guides.iter().find(|guide| guide.id.as_str() == id).expect("a guide");
    let path = |route| definition.routes[route].path.clone();
    let target = &definition.targets[guide.target];
    GuideBody {
        id: guide.id.clone(),
        variant: guide.variants.first().expect("a wording").id.clone(),
        component: "banner".into(),
        target: TargetBody { path: target.route.map(path), anchor: target.anchor.clone() },
        copy: CopyBody { title: "".into(), body: None, cta: None, locale: "en".into() },
        action: guide.action.map(|route| ActionBody { path: path(route) }),
        milestone: definition.milestones[guide.serves].id.clone(),
    }
}

/// Visitors who have just arrived, saw the guide, and have made one move since.
fn after_one_move(id: &str, nature: Nature) -> Vec<Visitor> {
    let sample = sample();
    let guide = guide(&sample, id);
    let until = (Millis::ZERO, NOW);
    let come = |number| {
        let mut visitor = Visitor::new((&sample, nature), (1, number), until);
        visitor.act(NOW);
        let decision = DecisionId::from_bits(u128::from(number));
        let heard = Heard { decision, at: NOW, guide: Some(&guide), reason: None };
        visitor.hear(&sample, &heard);
        visitor.act(NOW + Millis::seconds(3));
        let shown = visitor.tally.guides.shown > 0;
        visitor.act(NOW + Millis::seconds(9));
        shown.then_some(visitor)
    };
    let shown: Vec<Visitor> = (0..300).filter_map(come).collect();
    assert!(shown.len() > 250, "few scroll away: {}", shown.len());
    shown
}

fn nature(follows: u32, tires: u32) -> Nature {
    let effect = if follows > 0 { EAGER } else { NEVER };
    Nature { effects: effect, later: effect, tires, ..Nature::default() }
}

/// Whoever sees a guide clicks it, or nobody does.
const EAGER: &[(&str, Effect)] = &[
    ("plain", Effect { follows: 2_000, leads: 100 }),
    ("calm", Effect { follows: 2_000, leads: 100 }),
];
const NEVER: &[(&str, Effect)] = &[("plain", Effect { follows: 0, leads: 100 })];

#[test]
fn a_guide_in_its_place_leads_to_its_step() {
    let visitors = after_one_move("create-project", nature(100, 0));
    for visitor in &visitors {
        assert_eq!(visitor.tally.guides.clicked, 1);
    }
    let took = visitors.iter().filter(|v| v.truth.reached(Step::Project).is_some()).count();
    assert_eq!(took, visitors.len());
}

/// The step can't be taken yet, or nothing is in the way that a way out is offered of: nobody knows more than before, neither of the
/// guide's step nor of another.
#[test]
fn a_guide_out_of_place_leads_to_no_step() {
    for id in ["import-data", "open-report", "import-help", "retry-billing"] {
        let visitors = after_one_move(id, nature(100, 0));
        for visitor in &visitors {
            assert_eq!(visitor.tally.guides.clicked, 1);
            assert_eq!(visitor.led, None, "{id}");
        }
        // Where the link is dead the visitor stays, and may know the way unaided.
        let took = visitors.iter().filter(|v| v.truth.reached(Step::Project).is_some()).count();
        assert!(4 * took < visitors.len(), "{id}: {took}");
    }
}

#[test]
fn guides_drive_people_away_for_good_and_where_nobody_tires_they_do_not() {
    let gone = |tires| {
        let visitors = after_one_move("create-project", nature(0, tires));
        // One visit is over, so who had none left is gone anyway.
        let more: Vec<&Visitor> = visitors.iter().filter(|v| v.visits_left > 0).collect();
        let gone = more.iter().filter(|v| matches!(v.next, Next::Nothing)).count();
        (more.len(), gone)
    };
    let (more, none) = gone(0);
    assert!(more > 150 && none == 0, "{none} of {more}");
    // Everybody leaves; two in five for good: of some 200 the standard deviation is 7.
    let (more, some) = gone(100_000);
    assert!(some * 100 > 20 * more && some * 100 < 60 * more, "{some} of {more}");
}
