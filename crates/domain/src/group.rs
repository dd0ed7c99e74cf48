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
    let number = uniform_unit("explore", &[product, &decision.bits().to_be_bytes()]);
    number < definition.explore.get()
}
