//! What the sections declare, for those that use it. Must not hold anything that refers to guides.

use super::names::Names;
use super::{attributes, events, journey, places};
use crate::definition::condition::Counter;
use crate::definition::fault::Faults;
use crate::definition::node::Node;
use crate::definition::table::Table;
use crate::definition::{Attribute, EventType, Milestone, Route, Target};
use crate::id::ErrorName;
use crate::value::Scalar;

/// Everything that has a name, and the counters that conditions have asked for so far.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) events: Names<EventType>,
    pub(super) errors: Names<ErrorName>,
    pub(super) attributes: Names<Attribute>,
    pub(super) milestones: Names<Milestone>,
    pub(super) routes: Names<Route>,
    pub(super) targets: Names<Target>,
    pub(super) counters: Table<Counter>,
    pub(super) default_locale: Box<str>,
}

impl Scope {
    /// Reads what has a name. Milestones come last, because their conditions use the rest and each other.
    pub(super) fn new(root: &Node, faults: &mut Faults) -> Self {
        let attributes = attributes::attributes(root, faults);
        let routes = places::routes(root, faults);
        let mut scope = Self {
            events: events::events(root, faults),
            errors: events::errors(root, faults),
            default_locale: default_locale(&attributes),
            attributes,
            milestones: journey::names(root, faults),
            targets: places::targets(root, &routes, faults),
            routes,
            counters: Table::default(),
        };
        journey::milestones(root, &mut scope, faults);
        scope
    }
}

fn default_locale(attributes: &Names<Attribute>) -> Box<str> {
    let locale = attributes.find(attributes::LOCALE).and_then(|ix| attributes.get(ix));
    match locale.and_then(|locale| locale.default.as_ref()) {
        Some(Scalar::Text(tag)) => tag.clone(),
        _ => attributes::DEFAULT_LOCALE.into(),
    }
}
