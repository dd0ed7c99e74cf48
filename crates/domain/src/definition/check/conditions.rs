//! From the condition that a file writes to the tree that is evaluated, and to the counters that it needs. Must not judge
//! whether it can hold.

use super::events::OTHER;
use super::scope::Scope;
use super::{comparisons, counters, scalar};
use crate::definition::condition::{Anchor, Condition, Counter};
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::grammar::{MOST_COUNTERS, STATUS};
use crate::definition::node::{Node, quoted};
use crate::definition::table::Ix;
use crate::id::ErrorName;
use crate::time::Millis;

impl Scope {
    /// The condition that the node writes; `None` where it is at fault, which is noted.
    pub(super) fn condition(&mut self, node: &Node, faults: &mut Faults) -> Option<Condition> {
        let first = |key| node.get(key);
        if let Some(inner) = first("all") {
            self.conditions(inner, faults).map(Condition::All)
        } else if let Some(inner) = first("any") {
            self.conditions(inner, faults).map(Condition::Any)
        } else if let Some(inner) = first("not") {
            self.condition(inner, faults).map(|inner| Condition::Not(inner.into()))
        } else if let Some(name) = first("event") {
            self.event(node, name, faults)
        } else if let Some(name) = first("attribute") {
            self.attribute(node, name, faults)
        } else if let Some(name) = first("milestone") {
            self.milestone(node, name, faults)
        } else if let Some(name) = first("since") {
            self.since(node, name, faults)
        } else {
            self.error(node, first("error")?, faults)
        }
    }

    fn conditions(&mut self, list: &Node, faults: &mut Faults) -> Option<Vec<Condition>> {
        // All of them are read, also after one that is at fault.
        let read: Vec<_> = list.items().iter().map(|node| self.condition(node, faults)).collect();
        read.into_iter().collect()
    }

    fn event(&mut self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        let event = self.events.resolve(name, &[], faults);
        let filter = comparisons::filter(node.get("where"), faults);
        let count = node.get("count").map_or(Some(1.0), Node::number)? as u32;
        let within = duration(node.get("within"));
        let (event, filter) = (event?, filter?);
        let key = counters::key(self.events.name(event), &filter, count, within);
        let counter = Counter { key, event, filter, count, within };
        self.counter(counter, node, faults).map(Condition::Event)
    }

    fn counter(
        &mut self,
        counter: Counter,
        node: &Node,
        faults: &mut Faults,
    ) -> Option<Ix<Counter>> {
        let found = self.counters.find(|known| *known == counter);
        if found.is_none() && self.counters.len() == MOST_COUNTERS {
            let message = format!(
                "one `event` condition too many; a definition may have {MOST_COUNTERS} different ones"
            );
            faults.add(FaultCode::TooMany, node.span, message);
            return None;
        }
        found.or_else(|| self.counters.push(counter))
    }

    fn attribute(&self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        let ix = self.attributes.resolve(name, &[], faults)?;
        let attribute = self.attributes.get(ix)?;
        if attribute.personal {
            let message = format!(
                "{} is personal: it may fill a slot in copy, and nothing else",
                quoted(&attribute.name)
            );
            faults.add(FaultCode::PersonalAttribute, name.span, message);
        }
        let test = comparisons::of_attribute(attribute, node, faults)?;
        Some(Condition::Attribute { attribute: ix, test })
    }

    fn milestone(&self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        let milestone = self.milestones.resolve(name, &[], faults);
        let status = node.get("status").map_or(Some("reached"), Node::text)?;
        let status = STATUS.iter().find(|(word, ..)| *word == status)?.2;
        Some(Condition::Milestone { milestone: milestone?, status })
    }

    fn since(&self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        let anchor = match name.text()? {
            "signup" => Some(Anchor::Signup),
            "last_event" => Some(Anchor::LastEvent),
            _ => {
                let also = ["signup", "last_event"];
                self.milestones.resolve(name, &also, faults).map(Anchor::Milestone)
            }
        };
        let (gte, lte) = (duration(node.get("gte")), duration(node.get("lte")));
        if let (Some(least), Some(most)) = (gte, lte)
            && least > most
        {
            let message = format!("no time is at least {least} and at most {most}");
            faults.add(FaultCode::Contradiction, node.span, message);
        }
        Some(Condition::Since { anchor: anchor?, gte, lte })
    }

    fn error(&self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        if name.text()? != OTHER {
            self.errors.resolve(name, &[OTHER], faults)?;
        }
        let name = ErrorName::new(name.text()?).ok()?;
        let within =
            node.get("within").map_or(Some(Millis::days(7)), |node| duration(Some(node)))?;
        Some(Condition::Error { name, within })
    }
}

fn duration(node: Option<&Node>) -> Option<Millis> {
    node.and_then(Node::text).and_then(scalar::duration)
}
