//! Event types and error names. Must not know what is counted.

use super::names::Names;
use crate::definition::EventType;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::grammar::BUILT_IN_EVENTS;
use crate::definition::node::{Node, NodeValue, quoted};
use crate::id::ErrorName;

/// The error name under which all undeclared ones are recorded.
pub(super) const OTHER: &str = "other";

/// The built-in event types, then the declared ones.
pub(super) fn events(root: &Node, faults: &mut Faults) -> Names<EventType> {
    let mut names = Names::new("event type", FaultCode::UnknownEvent);
    for (name, role) in BUILT_IN_EVENTS {
        names.declare(name, root, Some(EventType { name: name.into(), role }), faults);
    }
    for entry in root.get("events").into_iter().flat_map(Node::entries) {
        if BUILT_IN_EVENTS.iter().any(|(name, _)| **name == *entry.key) {
            let message = format!("{} is built in; take it out", quoted(&entry.key));
            faults.add(FaultCode::ReservedName, entry.key_span, message);
        } else if names.find(&entry.key).is_none() {
            // A doubled key has its own fault already.
            let role = crate::definition::EventRole::Fact;
            let event = EventType { name: entry.key.clone(), role };
            names.declare(&entry.key, &entry.value, Some(event), faults);
        }
    }
    names
}

/// The declared error names.
pub(super) fn errors(root: &Node, faults: &mut Faults) -> Names<ErrorName> {
    let mut names = Names::new("error", FaultCode::UnknownError);
    for node in root.get("errors").into_iter().flat_map(Node::items) {
        let NodeValue::Text(name) = &node.value else {
            continue;
        };
        if &**name == OTHER {
            let message = "\"other\" stands for every error that is not declared; take it out";
            faults.add(FaultCode::ReservedName, node.span, message);
        }
        names.declare(name, node, ErrorName::new(name).ok(), faults);
    }
    names
}
