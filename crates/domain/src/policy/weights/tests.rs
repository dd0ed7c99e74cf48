//! Properties of laws by weight.

use super::*;
use crate::id::{GuideId, VariantId};
use crate::policy::Choice;
use proptest::prelude::*;

fn ids(count: usize) -> Vec<(GuideId, VariantId)> {
    let guide = |n| GuideId::new(&format!("g{n:02}")).expect("an identifier");
    (0..count).map(|n| (guide(n), VariantId::new("v").expect("an identifier"))).collect()
}

fn views(ids: &[(GuideId, VariantId)]) -> Vec<ArmView<'_>> {
    ids.iter().map(|(guide, variant)| ArmView { guide, variant }).collect()
}

fn parts(law: &Distribution, choice: Choice) -> u64 {
    law.propensity(choice).map_or(0, Propensity::parts)
}

fn share(value: f64) -> Probability {
    Probability::new(value).expect("a share")
}

#[test]
fn worked_out_by_hand() {
    let ids = ids(3);
    let law = distribution(&views(&ids), &[Some(1.0), None, Some(2.0)], 1.0, share(0.25));
    // A quarter is spread over three choices, three quarters go 1 : 2 : 1. The part that the floor's third leaves and
    // what the quarters lose go by id.
    let (quarter, third) = (1u64 << 30, (1u64 << 30) / 3);
    let rest = (1u64 << 32) - 3 * third;
    assert_eq!(rest, 3 * quarter + 1);
    let of = |place| parts(&law, Choice::Arm(place));
    assert_eq!(of(0), third + rest / 4 + 1);
    assert_eq!(of(1), 0);
    assert_eq!(of(2), third + rest / 2);
    assert_eq!(parts(&law, Choice::NoGuide), third + rest / 4);
}

#[test]
fn without_an_open_arm_it_is_no_guide() {
    for weights in [vec![], vec![None, None]] {
        let ids = ids(weights.len());
        let law = distribution(&views(&ids), &weights, 0.0, share(0.03));
        assert_eq!(law.propensity(Choice::NoGuide), Some(Propensity::ONE));
        assert_eq!(law.draw(u32::MAX), Choice::NoGuide);
    }
}

fn weight() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        Just(None),
        Just(Some(0.0)),
        (0.0..1.0f64).prop_map(Some),
        (-300.0..300.0f64).prop_map(|exponent| Some(10f64.powf(exponent))),
        Just(Some(f64::NAN)),
        Just(Some(f64::INFINITY)),
        Just(Some(-1.0)),
    ]
}

proptest! {
    #[test]
    fn parts_sum_to_exactly_one_and_keep_the_floor(
        weights in prop::collection::vec(weight(), 0..70), no_guide in weight(), floor in 0.0..=1.0f64,
    ) {
        let ids = ids(weights.len());
        let law = distribution(&views(&ids), &weights, no_guide.unwrap_or(0.0), share(floor));
        let of: Vec<u64> = (0..weights.len()).map(|place| parts(&law, Choice::Arm(place))).collect();
        prop_assert_eq!(of.iter().sum::<u64>() + parts(&law, Choice::NoGuide), Propensity::SCALE);
        let open = weights.iter().flatten().count() as u64 + 1;
        let least = (Propensity::SCALE as f64 * floor) as u64 / open;
        for (weight, parts) in weights.iter().zip(&of) {
            match weight {
                None => prop_assert_eq!(*parts, 0),
                Some(_) => prop_assert!(*parts >= least),
            }
        }
        prop_assert!(parts(&law, Choice::NoGuide) >= least);
    }

    #[test]
    fn what_the_floor_leaves_goes_by_weight(
        weights in prop::collection::vec(0.0..1.0f64, 1..40), floor in 0.0..1.0f64,
    ) {
        let (ids, total) = (ids(weights.len()), 0.5 + weights.iter().sum::<f64>());
        let given: Vec<Option<f64>> = weights.iter().copied().map(Some).collect();
        let law = distribution(&views(&ids), &given, 0.5, share(floor));
        let even = floor / (weights.len() + 1) as f64;
        for (place, weight) in weights.iter().enumerate() {
            let chance = parts(&law, Choice::Arm(place)) as f64 / Propensity::SCALE as f64;
            prop_assert!((chance - even - (1.0 - floor) * weight / total).abs() < 1e-8);
        }
    }

    #[test]
    fn the_order_of_the_file_changes_neither_law_nor_draw(
        order in Just((0..7usize).collect::<Vec<_>>()).prop_shuffle(), number: u32,
    ) {
        let ids = ids(7);
        let (plain, weights) = (views(&ids), [0.3, 0.0, 1.0, 0.3, 7.0, 1e-9, 0.2].map(Some));
        let mixed: Vec<ArmView<'_>> = order.iter().map(|&place| plain[place]).collect();
        let moved: Vec<Option<f64>> = order.iter().map(|&place| weights[place]).collect();
        let a = distribution(&plain, &weights, 0.1, share(0.03));
        let b = distribution(&mixed, &moved, 0.1, share(0.03));
        let chosen = |law: &Distribution, arms: &[ArmView<'_>]| match law.draw(number) {
            Choice::Arm(place) => Some(arms[place].guide.clone()),
            Choice::NoGuide => None,
        };
        for (place, &from) in order.iter().enumerate() {
            prop_assert_eq!(parts(&a, Choice::Arm(from)), parts(&b, Choice::Arm(place)));
        }
        prop_assert_eq!(chosen(&a, &plain), chosen(&b, &mixed));
    }
}
