//! What is allowed but doubtful: milestones without a guide, guides that nobody can ever see. Must only say what is
//! certain.

use super::journey::milestone_nodes;
use super::possible::{Goal, World, possible};
use crate::definition::condition::Status;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::{Node, Span};
use crate::definition::{Copy, Guide, Intent, Lifecycle, Piece, Template};

/// Notes everything doubtful.
pub(super) fn warnings(root: &Node, world: World<'_>, guides: &[&Guide], faults: &mut Faults) {
    unserved(root, world, guides, faults);
    let nodes: Vec<_> = root.get("guides").map(Node::items).unwrap_or_default().iter().collect();
    for (place, (guide, node)) in guides.iter().zip(nodes).enumerate() {
        let span = node.get("id").unwrap_or(node).span;
        if guide.lifecycle != Lifecycle::Live {
            continue;
        }
        if let Some(why) = never_eligible(world, guide, node) {
            faults.add(FaultCode::NeverEligible, why.0, why.1);
        } else if let Some(earlier) =
            guides.iter().take(place).find(|earlier| shadows(world, earlier, guide))
        {
            let message = format!(
                "wherever this guide is eligible, `{}` is too, and comes first: the static policy never shows this one",
                earlier.id
            );
            faults.add(FaultCode::AlwaysShadowed, span, message);
        }
    }
}

fn unserved(root: &Node, world: World<'_>, guides: &[&Guide], faults: &mut Faults) {
    for (place, (milestone, node)) in world.milestones.iter().zip(milestone_nodes(root)).enumerate()
    {
        let serves =
            |guide: &&Guide| guide.serves.place() == place && guide.lifecycle != Lifecycle::Retired;
        if !guides.iter().any(serves) {
            let span = node.get("id").unwrap_or(node).span;
            faults.add(
                FaultCode::UnservedMilestone,
                span,
                format!("no guide serves `{}`", milestone.id),
            );
        }
    }
}

/// Where and why the guide can never be eligible; `None` where it may be.
fn never_eligible(world: World<'_>, guide: &Guide, node: &Node) -> Option<(Span, String)> {
    let key = |key: &str| node.get(key).unwrap_or(node).span;
    let live = |variant: &crate::definition::Variant| variant.lifecycle == Lifecycle::Live;
    if !guide.variants.iter().any(live) {
        return Some((key("variants"), "none of the variants is live".to_owned()));
    }
    let state = state(guide);
    let (id, status) = match (world.milestones.get(guide.serves.place()), guide.intent) {
        (Some(milestone), Intent::Unblock) => (&milestone.id, "blocked"),
        (Some(milestone), _) => (&milestone.id, "open"),
        (None, _) => return None,
    };
    let when = guide.when.as_ref().map(|when| Goal::Condition(when, true));
    let never = guide.never.as_ref().map(|never| Goal::Condition(never, false));
    let impossible = |goals: &[Option<Goal<'_>>]| {
        let goals: Vec<_> = goals.iter().flatten().copied().collect();
        !possible(world, &goals)
    };
    if impossible(&[Some(state)]) {
        let span = if guide.intent == Intent::Unblock { "intent" } else { "serves" };
        Some((key(span), format!("`{id}` is never {status}, so this guide is never eligible")))
    } else if impossible(&[when]) {
        Some((key("when"), "this can never hold, so the guide is never eligible".to_owned()))
    } else if impossible(&[Some(state), when]) {
        Some((
            key("when"),
            format!("this can't hold while `{id}` is {status}, so the guide is never eligible"),
        ))
    } else if impossible(&[Some(state), when, never]) {
        let message = format!(
            "this always holds where the guide could be eligible (while `{id}` is {status}, and `when`)"
        );
        Some((key("never"), message))
    } else {
        None
    }
}

/// The state rule.
fn state(guide: &Guide) -> Goal<'_> {
    let status = if guide.intent == Intent::Unblock { Status::Blocked } else { Status::Open };
    Goal::Status(guide.serves, status, true)
}

/// Whether the earlier guide is eligible wherever the later one is, for ever.
fn shadows(world: World<'_>, earlier: &Guide, later: &Guide) -> bool {
    same_place(earlier, later) && never_lets_through(earlier) && always_readable(earlier) && {
        let gates = [
            Some(state(later)),
            later.when.as_ref().map(|when| Goal::Condition(when, true)),
            later.never.as_ref().map(|never| Goal::Condition(never, false)),
        ];
        let stopped = |goal: Option<Goal<'_>>| match goal {
            Some(goal) => {
                possible(world, &gates.iter().flatten().copied().chain([goal]).collect::<Vec<_>>())
            }
            None => false,
        };
        !stopped(earlier.when.as_ref().map(|when| Goal::Condition(when, false)))
            && !stopped(earlier.never.as_ref().map(|never| Goal::Condition(never, true)))
    }
}

/// The same milestone in the same status, and the same needs of the page and the caller.
fn same_place(earlier: &Guide, later: &Guide) -> bool {
    let unblocks = |guide: &Guide| guide.intent == Intent::Unblock;
    earlier.serves == later.serves
        && unblocks(earlier) == unblocks(later)
        && earlier.target == later.target
        && earlier.component == later.component
        && (earlier.action.is_none() || earlier.action == later.action)
}

/// Nothing ever takes the guide out of the later one's way.
fn never_lets_through(guide: &Guide) -> bool {
    guide.lifecycle == Lifecycle::Live
        && guide.expires.is_none()
        && guide.shows.is_none()
        && guide.gap.is_none()
}

/// A live variant has no slots: nothing of a user's can make it unusable.
fn always_readable(guide: &Guide) -> bool {
    let fixed =
        |template: &Template| template.0.iter().all(|piece| matches!(piece, Piece::Words(_)));
    let copy_fixed = |copy: &Copy| {
        fixed(&copy.title)
            && copy.body.as_ref().is_none_or(fixed)
            && copy.cta.as_ref().is_none_or(fixed)
    };
    let mut live = guide.variants.iter().filter(|variant| variant.lifecycle == Lifecycle::Live);
    live.any(|variant| variant.copy.values().all(copy_fixed))
}
