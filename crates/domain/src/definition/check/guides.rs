//! Guides: what they serve, where they point, and whether these fit together. Must not judge whether one can ever be
//! eligible.

use super::names::Names;
use super::places::range;
use super::scope::Scope;
use super::{copy, scalar};
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::grammar::{COMPONENT, INTENT, LIFECYCLE, Word};
use crate::definition::node::{Node, quoted};
use crate::definition::table::Ix;
use crate::definition::{Component, Guide, Lifecycle, Route, Target, TextRules};
use crate::id::GuideId;
use crate::rules::version;

/// The guides, in file order.
pub(super) fn guides(
    root: &Node,
    scope: &mut Scope,
    rules: &TextRules,
    faults: &mut Faults,
) -> Names<Guide> {
    // Nothing refers to a guide by name.
    let mut names = Names::new("guide", FaultCode::DuplicateId);
    for node in root.get("guides").into_iter().flat_map(Node::items) {
        let id = node.get("id").unwrap_or(node);
        let guide = guide(node, scope, rules, faults);
        names.declare(id.text().unwrap_or_default(), id, guide, faults);
    }
    names
}

fn guide(node: &Node, scope: &mut Scope, rules: &TextRules, faults: &mut Faults) -> Option<Guide> {
    let serves = node.get("serves").and_then(|node| scope.milestones.resolve(node, &[], faults));
    let when = optional(node, "when", |node| scope.condition(node, faults));
    let never = optional(node, "never", |node| scope.condition(node, faults));
    let target = node.get("target").and_then(|node| scope.targets.resolve(node, &[], faults));
    let component = word(node.get("component"), &COMPONENT);
    let action = action(node, scope, faults);
    let variants = copy::variants(node, scope, rules, faults);
    if let (Some(target), Some(component)) = (target, component) {
        anchored(node, target, component, scope, faults);
    }
    if let (Some(target), Some(Some(action))) = (target, action) {
        together(node, target, action, scope, faults);
    }
    let limits = node.get("limits");
    Some(Guide {
        id: GuideId::new(node.get("id")?.text()?).ok()?,
        about: node.get("about")?.text()?.into(),
        serves: serves?,
        intent: word(node.get("intent"), &INTENT)?,
        when: when?,
        never: never?,
        target: target?,
        component: component?,
        action: action?,
        shows: limits
            .and_then(|limits| limits.get("shows"))
            .and_then(Node::number)
            .map(|n| n as u32),
        gap: limits
            .and_then(|limits| limits.get("gap"))
            .and_then(Node::text)
            .and_then(scalar::duration),
        lifecycle: lifecycle(node)?,
        expires: node.get("expires").and_then(Node::text).and_then(scalar::timestamp),
        variants: variants?,
    })
}

/// `None` where what is there is at fault, `Some(None)` where nothing is there.
fn optional<'a, T>(
    node: &'a Node,
    key: &str,
    read: impl FnOnce(&'a Node) -> Option<T>,
) -> Option<Option<T>> {
    match node.get(key) {
        Some(node) => read(node).map(Some),
        None => Some(None),
    }
}

fn word<T: Copy>(node: Option<&Node>, words: &[Word<T>]) -> Option<T> {
    let text = node?.text()?;
    words.iter().find(|(word, ..)| *word == text).map(|(.., meaning)| *meaning)
}

/// Whether a guide or variant is in use; it is where nothing is said.
pub(super) fn lifecycle(node: &Node) -> Option<Lifecycle> {
    match node.get("lifecycle") {
        Some(node) => word(Some(node), &LIFECYCLE),
        None => Some(Lifecycle::Live),
    }
}

fn action(node: &Node, scope: &Scope, faults: &mut Faults) -> Option<Option<Ix<Route>>> {
    optional(node, "action", |action| {
        let node = action.get("route")?;
        let ix = scope.routes.resolve(node, &[], faults)?;
        if let Some(route) = scope.routes.get(ix).filter(|route| scalar::is_open_path(&route.path))
        {
            let message = format!(
                "the path {} leads nowhere in particular; an action needs one without `:name` and `*`",
                quoted(&route.path)
            );
            faults.add(FaultCode::OpenPath, node.span, message);
        }
        Some(ix)
    })
}

fn anchored(
    node: &Node,
    target: Ix<Target>,
    component: Component,
    scope: &Scope,
    faults: &mut Faults,
) {
    let needs = matches!(component, Component::Tooltip | Component::Hotspot);
    let bare = scope.targets.get(target).is_some_and(|target| target.anchor.is_none());
    if let (true, true, Some(node)) = (needs, bare, node.get("target")) {
        let message = format!(
            "a tooltip or hotspot is drawn at an element, but the target {} has no anchor",
            quoted(scope.targets.name(target))
        );
        faults.add(FaultCode::MissingAnchor, node.span, message);
    }
}

/// Notes an action that leads to a route which no app version has that has the target, too.
fn together(
    node: &Node,
    target: Ix<Target>,
    action: Ix<Route>,
    scope: &Scope,
    faults: &mut Faults,
) {
    let (Some(place), Some(route)) = (scope.targets.get(target), scope.routes.get(action)) else {
        return;
    };
    let page = place.route.and_then(|ix| scope.routes.get(ix)).and_then(|route| route.app.as_ref());
    let shown: Vec<_> = place.app.iter().chain(page).collect();
    if version::overlap(shown.iter().copied().chain(&route.app)) {
        return;
    }
    let shown: Vec<_> = shown.into_iter().map(|app| range(Some(app))).collect();
    let message = format!(
        "no app version has both the target {} ({}) and the action's route {} ({})",
        quoted(scope.targets.name(target)),
        shown.join(" and "),
        quoted(scope.routes.name(action)),
        range(route.app.as_ref()),
    );
    let span = node
        .get("action")
        .and_then(|action| action.get("route"))
        .map_or(node.span, |node| node.span);
    faults.add(FaultCode::NoCommonVersion, span, message);
}
