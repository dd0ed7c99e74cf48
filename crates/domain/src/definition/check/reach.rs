//! What a journey's shape rules out: circles, and milestones that nobody can reach. Must not judge guides.

use super::circles::circles;
use super::journey::{milestone_nodes, requires_places};
use super::possible::{Goal, World, possible};
use super::scope::Scope;
use crate::definition::Milestone;
use crate::definition::condition::{Anchor, Condition, Status};
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::Node;
use crate::definition::table::Ix;
use crate::time::Millis;

/// Notes milestones that require each other in a circle.
pub(super) fn requires_circles(root: &Node, scope: &Scope, faults: &mut Faults) {
    let refers: Vec<_> = milestone_nodes(root).map(|node| requires_places(node, scope)).collect();
    for circle in circles(&refers) {
        let message = format!("{}; so none of them ever opens", chain(scope, &circle, "requires"));
        at(root, &circle, "requires", FaultCode::RequiresCycle, message, faults);
    }
}

/// Notes milestones whose blocked conditions ask for each other's open or blocked status in a circle, so that none has an
/// answer. (Whether one is reached or locked is a fact, which may be asked for in any way.)
pub(super) fn status_circles(
    root: &Node,
    milestones: &[&Milestone],
    scope: &Scope,
    faults: &mut Faults,
) {
    let refers: Vec<_> = milestones
        .iter()
        .map(|milestone| {
            let mut asked = Vec::new();
            if let Some(blocked) = &milestone.blocked {
                statuses(blocked, &mut asked);
            }
            asked
        })
        .collect();
    for circle in circles(&refers) {
        let message = format!(
            "{}; so none of them has an answer",
            chain(scope, &circle, "asks for the status of")
        );
        at(root, &circle, "blocked", FaultCode::StatusCycle, message, faults);
    }
}

/// The milestones whose open or blocked status the condition asks for.
fn statuses(condition: &Condition, asked: &mut Vec<usize>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| statuses(part, asked))
        }
        Condition::Not(part) => statuses(part, asked),
        Condition::Milestone { milestone, status: Status::Open | Status::Blocked } => {
            asked.push(milestone.place())
        }
        _ => {}
    }
}

fn name(scope: &Scope, place: usize) -> &str {
    u16::try_from(place).map_or("", |place| scope.milestones.name(Ix::new(place)))
}

/// "`a` requires `b`, which requires `a`"
fn chain(scope: &Scope, circle: &[usize], verb: &str) -> String {
    let mut names = circle.iter().chain(circle.first()).map(|place| name(scope, *place));
    let first = names.next().unwrap_or_default();
    let rest: Vec<_> = names.map(|name| format!("{verb} `{name}`")).collect();
    format!("`{first}` {}", rest.join(", which "))
}

fn at(
    root: &Node,
    circle: &[usize],
    key: &str,
    code: FaultCode,
    message: String,
    faults: &mut Faults,
) {
    let node = circle.first().and_then(|place| milestone_nodes(root).nth(*place));
    if let Some(node) = node {
        faults.add(code, node.get(key).unwrap_or(node).span, message);
    }
}

/// By milestone, whether it can be reached at all.
///
/// Milestones are reached one after the other, each at a moment when its condition holds. So none is beyond what comes of
/// asking, again and again, which conditions can hold while only the milestones found so far may be reached.
pub(super) fn reachable(world: World<'_>) -> Vec<bool> {
    let mut reachable = vec![false; world.milestones.len()];
    // Milestones are judged at the moment of an event, and only then: the newest event is no time ago.
    let at_an_event =
        Condition::Since { anchor: Anchor::LastEvent, gte: None, lte: Some(Millis::ZERO) };
    loop {
        let before = reachable.clone();
        let world = World { reachable: &before, ..world };
        for ((place, milestone), slot) in (0..).zip(world.milestones).zip(&mut reachable) {
            let goals = [
                Goal::Condition(&at_an_event, true),
                Goal::Condition(&milestone.reached, true),
                Goal::Status(Ix::new(place), Status::Reached, false),
            ];
            *slot = *slot || possible(world, &goals);
        }
        if reachable == before {
            return reachable;
        }
    }
}

/// Notes the milestones on the way to activation, itself among them, that can't be reached.
pub(super) fn activation(
    root: &Node,
    activation: Ix<Milestone>,
    scope: &Scope,
    milestones: &[&Milestone],
    reachable: &[bool],
    faults: &mut Faults,
) {
    let mut way = vec![activation];
    let mut next = 0;
    while let Some(ix) = way.get(next).copied() {
        let Some(milestone) = milestones.get(ix.place()) else { return };
        for required in &milestone.requires {
            if !way.contains(required) {
                way.push(*required);
            }
        }
        next += 1;
    }
    for ix in way.into_iter().filter(|ix| reachable.get(ix.place()) == Some(&false)) {
        let Some(node) = milestone_nodes(root).nth(ix.place()) else { continue };
        let span = node.get("reached").unwrap_or(node).span;
        let id = name(scope, ix.place());
        let message = match ix == activation {
            true => format!("this can never hold, so activation (`{id}`) can't be reached"),
            false => format!(
                "this can never hold, so `{id}`, which activation requires, can't be reached"
            ),
        };
        faults.add(FaultCode::UnreachableActivation, span, message);
    }
}
