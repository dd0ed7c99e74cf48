//! The group of a user and the explored share of decisions, both by stable hashes. Must not depend on anything that the
//! user does, so that groups stay comparable.

use crate::decide::Group;
use crate::definition::Definition;
use crate::hash::uniform_unit;
use crate::id::{DecisionId, UserId};

/// The user's group in this product: one number in [0, 1) by (product, user), cut into holdout, random, static and,
/// for the rest, guided. A share that grows keeps the users that it had.
pub fn group_of(definition: &Definition, user: &UserId) -> Group {
    let product = definition.product.as_str().as_bytes();
    let number = uniform_unit("group", &[product, user.as_str().as_bytes()]);
    let holdout = definition.holdout.get();
    let random = holdout + definition.group_random.get();
    let fixed = random + definition.group_static.get();
    match number {
        n if n < holdout => Group::Holdout,
        n if n < random => Group::Random,
        n if n < fixed => Group::Static,
        _ => Group::Guided,
    }
}

/// Whether this decision is of the share that is drawn uniformly: by (product, decision), whoever the user is.
pub fn explores(definition: &Definition, decision: DecisionId) -> bool {
    let product = definition.product.as_str().as_bytes();
    let number = uniform_unit("explore", &[product, &decision.draw_bits().to_be_bytes()]);
    number < definition.explore.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::{Product, user_id};
    use serde_json::json;

    const USERS: u32 = 20_000;

    fn definition(holdout: f64, random: f64, fixed: f64) -> Definition {
        Product::small()
            .with("/holdout", json!(holdout))
            .with("/groups", json!({ "random": random, "static": fixed }))
            .definition()
    }

    fn groups(definition: &Definition) -> Vec<Group> {
        (0..USERS).map(|n| group_of(definition, &user_id(&format!("user-{n}")))).collect()
    }

    #[test]
    fn shares_are_kept_within_five_standard_deviations() {
        let groups = groups(&definition(0.1, 0.05, 0.2));
        let table = [
            (Group::Holdout, 0.1),
            (Group::Random, 0.05),
            (Group::Static, 0.2),
            (Group::Guided, 0.65),
        ];
        for (group, share) in table {
            let count = groups.iter().filter(|found| **found == group).count() as f64;
            let mean = share * f64::from(USERS);
            let deviation = (mean * (1.0 - share)).sqrt();
            assert!((count - mean).abs() < 5.0 * deviation, "{group:?}: {count}");
        }
    }

    #[test]
    fn a_share_that_grows_keeps_its_users() {
        let (small, large) =
            (groups(&definition(0.1, 0.0, 0.0)), groups(&definition(0.3, 0.0, 0.0)));
        let lost = small.iter().zip(&large);
        let lost =
            lost.filter(|(before, after)| **before == Group::Holdout && **after != Group::Holdout);
        assert_eq!(lost.count(), 0);
    }

    #[test]
    fn no_shares_no_groups() {
        assert!(groups(&definition(0.0, 0.0, 0.0)).iter().all(|group| *group == Group::Guided));
    }

    #[test]
    fn groups_stay_what_they_are_from_release_to_release() {
        // Worked out by another program from the description of `uniform`.
        let definition = definition(0.25, 0.25, 0.25);
        let table = [
            ("hal", Group::Holdout),
            ("dan", Group::Random),
            ("ann", Group::Random),
            ("gus", Group::Static),
            ("bob", Group::Static),
            ("eve", Group::Guided),
        ];
        for (user, group) in table {
            assert_eq!(group_of(&definition, &user_id(user)), group, "{user}");
        }
    }

    #[test]
    fn exploration_keeps_its_share_of_decisions() {
        let definition = Product::small().with("/explore", json!(0.02)).definition();
        let explored = (0..u128::from(USERS))
            .filter(|n| explores(&definition, DecisionId::from_bits(*n)))
            .count();
        // Mean 400, standard deviation 19.8.
        assert!((301..=499).contains(&explored), "{explored}");
    }
}
