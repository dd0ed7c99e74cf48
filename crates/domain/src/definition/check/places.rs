//! Routes and targets. Must not know which guides use them.

use semver::VersionReq;

use super::names::Names;
use super::scalar;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::{Entry, Node};
use crate::definition::table::Ix;
use crate::definition::{Route, Target};
use crate::id::{RouteId, TargetId};
use crate::rules::version;

/// The word for any route.
const ANY: &str = "*";

/// The routes, in file order.
pub(super) fn routes(root: &Node, faults: &mut Faults) -> Names<Route> {
    let mut names = Names::new("route", FaultCode::UnknownRoute);
    for entry in root.get("routes").into_iter().flat_map(Node::entries) {
        if names.find(&entry.key).is_none() {
            names.declare(&entry.key, &entry.value, route(entry), faults);
        }
    }
    names
}

fn route(entry: &Entry) -> Option<Route> {
    let path = entry.value.get("path")?.text()?.into();
    Some(Route { id: RouteId::new(&entry.key).ok()?, path, app: app(&entry.value)? })
}

/// The targets, in file order.
pub(super) fn targets(root: &Node, routes: &Names<Route>, faults: &mut Faults) -> Names<Target> {
    let mut names = Names::new("target", FaultCode::UnknownTarget);
    for entry in root.get("targets").into_iter().flat_map(Node::entries) {
        if names.find(&entry.key).is_none() {
            let target = target(entry, routes, faults);
            names.declare(&entry.key, &entry.value, target, faults);
        }
    }
    names
}

fn target(entry: &Entry, routes: &Names<Route>, faults: &mut Faults) -> Option<Target> {
    let node = &entry.value;
    let route = route_or_any(node.get("route")?, routes, faults)?;
    let app = app(node)?;
    let ranges = || app.iter().chain(route.and_then(|ix| routes.get(ix)?.app.as_ref()));
    if !version::overlap(ranges()) {
        let route = route.map(|ix| routes.name(ix)).unwrap_or_default();
        let message = format!(
            "no app version has both this target ({}) and its route `{route}` ({})",
            range(app.as_ref()),
            range(ranges().last())
        );
        faults.add(FaultCode::NoCommonVersion, entry.key_span, message);
        return None;
    }
    let anchor = node.get("anchor").map(Node::text);
    Some(Target {
        id: TargetId::new(&entry.key).ok()?,
        route,
        anchor: match anchor {
            Some(anchor) => Some(anchor?.into()),
            None => None,
        },
        app,
    })
}

/// `None` where it is at fault, `Some(None)` for any route.
fn route_or_any(
    node: &Node,
    routes: &Names<Route>,
    faults: &mut Faults,
) -> Option<Option<Ix<Route>>> {
    if node.text()? == ANY {
        return Some(None);
    }
    routes.resolve(node, &[ANY], faults).map(Some)
}

/// The app versions: `None` where they are at fault, `Some(None)` for all.
fn app(node: &Node) -> Option<Option<VersionReq>> {
    match node.get("app") {
        Some(node) => scalar::version_range(node.text()?).ok().map(Some),
        None => Some(None),
    }
}

/// A range as a fault shows it.
pub(super) fn range(range: Option<&VersionReq>) -> String {
    range.map_or("every version".to_owned(), VersionReq::to_string)
}
