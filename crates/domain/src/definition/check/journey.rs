//! The journey: signup, milestones and activation. Must not judge whether a milestone can be reached.

use super::names::Names;
use super::scope::Scope;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::{Node, quoted};
use crate::definition::table::Ix;
use crate::definition::{EventType, Milestone};
use crate::id::MilestoneId;

/// Words that a `since` condition keeps for itself.
const KEPT: [&str; 2] = ["signup", "last_event"];

/// The nodes of the milestones, in file order.
pub(super) fn milestone_nodes(root: &Node) -> impl Iterator<Item = &Node> {
    root.get("journey")
        .and_then(|journey| journey.get("milestones"))
        .into_iter()
        .flat_map(Node::items)
}

/// The milestones' names; what they stand for is read once all of them are known.
pub(super) fn names(root: &Node, faults: &mut Faults) -> Names<Milestone> {
    let mut names = Names::new("milestone", FaultCode::UnknownMilestone);
    for node in milestone_nodes(root) {
        // One without a name keeps its place, too.
        let id = node.get("id").unwrap_or(node);
        let name = id.text().unwrap_or_default();
        if KEPT.contains(&name) {
            let message =
                format!("{} has a meaning in `since` conditions; take another name", quoted(name));
            faults.add(FaultCode::ReservedName, id.span, message);
        }
        names.declare(name, id, None, faults);
    }
    names
}

/// Reads the milestones into the places of their names.
pub(super) fn milestones(root: &Node, scope: &mut Scope, faults: &mut Faults) {
    for (place, node) in milestone_nodes(root).enumerate() {
        let milestone = milestone(node, scope, faults);
        if let Ok(place) = u16::try_from(place) {
            scope.milestones.fill(Ix::new(place), milestone);
        }
    }
}

fn milestone(node: &Node, scope: &mut Scope, faults: &mut Faults) -> Option<Milestone> {
    let id = node.get("id").and_then(Node::text);
    let requires = requires(node, scope, faults);
    let reached = node.get("reached").and_then(|node| scope.condition(node, faults));
    let blocked = node.get("blocked").map(|node| scope.condition(node, faults));
    let name = node.get("name").map_or(id, Node::text);
    Some(Milestone {
        id: MilestoneId::new(id?).ok()?,
        name: name?.into(),
        requires: requires?,
        reached: reached?,
        blocked: match blocked {
            Some(condition) => Some(condition?),
            None => None,
        },
    })
}

fn requires(node: &Node, scope: &Scope, faults: &mut Faults) -> Option<Vec<Ix<Milestone>>> {
    let items = node.get("requires").map(Node::items).unwrap_or_default();
    let mut found = Vec::new();
    for item in items {
        let ix = scope.milestones.resolve(item, &[], faults);
        if ix.is_some() && found.contains(&ix) {
            let message = format!("{} is required twice", quoted(item.text().unwrap_or_default()));
            faults.add(FaultCode::DuplicateId, item.span, message);
        }
        found.push(ix);
    }
    found.into_iter().collect()
}

/// Where the milestones stand that a milestone requires; unknown ones are passed over.
pub(super) fn requires_places(node: &Node, scope: &Scope) -> Vec<usize> {
    let items = node.get("requires").map(Node::items).unwrap_or_default();
    items.iter().filter_map(|item| Some(scope.milestones.find(item.text()?)?.place())).collect()
}

/// The event that starts a user's clock: `None` where it is at fault, `Some(None)` where there is none.
pub(super) fn signup(
    root: &Node,
    scope: &Scope,
    faults: &mut Faults,
) -> Option<Option<Ix<EventType>>> {
    match root.get("journey").and_then(|journey| journey.get("signup")) {
        Some(signup) => scope.events.resolve(signup.get("event")?, &[], faults).map(Some),
        None => Some(None),
    }
}

/// The milestone whose reaching is activation.
pub(super) fn activation(root: &Node, scope: &Scope, faults: &mut Faults) -> Option<Ix<Milestone>> {
    let node = root.get("journey")?.get("activation")?;
    scope.milestones.resolve(node, &[], faults)
}
