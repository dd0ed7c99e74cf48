//! From the condition that a file writes to the tree that is evaluated, and to the counters that it needs. Must not judge
//! whether it can hold.

use super::Scope;
use super::attributes::{fitting, word};
use super::events::OTHER;
use super::{scalar, values};
use crate::canonical;
use crate::definition::condition::{Anchor, Condition, Counter, Test};
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::grammar::STATUS;
use crate::definition::node::{Entry, Node, quoted};
use crate::definition::{Attribute, AttributeForm};
use crate::hash::ContentHash;
use crate::id::ErrorName;
use crate::time::Millis;
use crate::value::{Scalar, Value};

/// From a scalar in a comparison to the value that it is compared with; `None` where it is at fault, which is noted.
type Fit<'a> = &'a dyn Fn(&Node, &mut Faults) -> Option<Scalar>;

impl Scope {
    /// The condition that the node writes; `None` where it is at fault, which is noted.
    pub(super) fn condition(&mut self, node: &Node, faults: &mut Faults) -> Option<Condition> {
        let first = |key| node.get(key);
        if let Some(inner) = first("all") {
            self.conditions(inner, faults).map(Condition::All)
        } else if let Some(inner) = first("any") {
            self.conditions(inner, faults).map(Condition::Any)
        } else if let Some(inner) = first("not") {
            self.condition(inner, faults)
                .map(|inner| Condition::Not(inner.into()))
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
        let read: Vec<_> = list
            .items()
            .iter()
            .map(|node| self.condition(node, faults))
            .collect();
        read.into_iter().collect()
    }

    fn event(&mut self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        let event = self.events.resolve(name, &[], faults);
        let filter = filter(node.get("where"), faults);
        let count = node.get("count").map_or(Some(1.0), Node::number)? as u32;
        let within = duration(node.get("within"));
        let (event, filter) = (event?, filter?);
        let key = counter_key(self.events.name(event), &filter, count, within);
        let counter = Counter {
            key,
            event,
            filter,
            count,
            within,
        };
        let found = self.counters.find(|known| *known == counter);
        found
            .or_else(|| self.counters.push(counter))
            .map(Condition::Event)
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
        ordered(attribute, node, faults);
        let fit = |node: &Node, faults: &mut Faults| fitting(&attribute.form, node, faults);
        let mut test = test(node, &fit, faults)?;
        test.as_version = attribute.form == AttributeForm::Version;
        possible(&test, Some(attribute), node, faults);
        Some(Condition::Attribute {
            attribute: ix,
            test,
        })
    }

    fn milestone(&self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        let milestone = self.milestones.resolve(name, &[], faults);
        let status = node.get("status").map_or(Some("reached"), Node::text)?;
        let status = STATUS.iter().find(|(word, ..)| *word == status)?.2;
        Some(Condition::Milestone {
            milestone: milestone?,
            status,
        })
    }

    fn since(&self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        let anchor = match name.text()? {
            "signup" => Anchor::Signup,
            "last_event" => Anchor::LastEvent,
            _ => Anchor::Milestone(self.milestones.resolve(
                name,
                &["signup", "last_event"],
                faults,
            )?),
        };
        let (gte, lte) = (duration(node.get("gte")), duration(node.get("lte")));
        if let (Some(least), Some(most)) = (gte, lte)
            && least > most
        {
            let message = format!("no time is at least {least} and at most {most}");
            faults.add(FaultCode::Contradiction, node.span, message);
        }
        Some(Condition::Since { anchor, gte, lte })
    }

    fn error(&self, node: &Node, name: &Node, faults: &mut Faults) -> Option<Condition> {
        if name.text()? != OTHER {
            self.errors.resolve(name, &[OTHER], faults)?;
        }
        let name = ErrorName::new(name.text()?).ok()?;
        let within = node
            .get("within")
            .map_or(Some(Millis::days(7)), |node| duration(Some(node)))?;
        Some(Condition::Error { name, within })
    }
}

/// Notes a test that no value passes.
fn possible(test: &Test, attribute: Option<&Attribute>, node: &Node, faults: &mut Faults) {
    if !values::can_pass(&[(test, true)], attribute) {
        faults.add(
            FaultCode::Contradiction,
            node.span,
            "no value passes this comparison",
        );
    }
}

/// Notes `gte` and `lte` on what has no order.
fn ordered(attribute: &Attribute, node: &Node, faults: &mut Faults) {
    if matches!(
        attribute.form,
        AttributeForm::Number | AttributeForm::Version
    ) {
        return;
    }
    for key in ["gte", "lte"] {
        if let Some(bound) = node.get(key) {
            let word = word(&attribute.form);
            let message = format!(
                "`{key}` compares numbers and versions; {} is of type `{word}`",
                quoted(&attribute.name)
            );
            faults.add(FaultCode::ValueMismatch, bound.span, message);
        }
    }
}

fn test(node: &Node, fit: Fit<'_>, faults: &mut Faults) -> Option<Test> {
    let mut part = |key: &str| node.get(key).map(|value| fit(value, faults));
    let (eq, ne) = (part("eq"), part("ne"));
    let (gte, lte) = (part("gte"), part("lte"));
    let any_of = node.get("in").map(|list| {
        let read: Vec<_> = list
            .items()
            .iter()
            .map(|value| fit(value, faults))
            .collect();
        read.into_iter().collect::<Option<Vec<_>>>()
    });
    let exists = node.get("exists").map(Node::flag);
    Some(Test {
        eq: settled(eq)?,
        ne: settled(ne)?,
        any_of: settled(any_of)?,
        gte: settled(gte)?,
        lte: settled(lte)?,
        exists: settled(exists)?,
        as_version: false,
    })
}

/// `None` where a part is there but at fault.
fn settled<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    part.map_or(Some(None), |there| there.map(Some))
}

fn duration(node: Option<&Node>) -> Option<Millis> {
    node.and_then(Node::text).and_then(scalar::duration)
}

type Filter = Vec<(Vec<Box<str>>, Test)>;

/// What an event's payload must pass, by path, so that the order in the file makes no difference.
fn filter(node: Option<&Node>, faults: &mut Faults) -> Option<Filter> {
    let entries = node.map(Node::entries).unwrap_or_default();
    let read: Vec<_> = entries
        .iter()
        .map(|entry| payload_test(entry, faults))
        .collect();
    let mut filter: Filter = read.into_iter().collect::<Option<_>>()?;
    filter.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(filter)
}

fn payload_test(entry: &Entry, faults: &mut Faults) -> Option<(Vec<Box<str>>, Test)> {
    let path = entry.key.split('.').map(Box::from).collect();
    if let Some(scalar) = entry.value.scalar() {
        return Some((
            path,
            Test {
                eq: Some(scalar),
                ..Test::default()
            },
        ));
    }
    let node = &entry.value;
    for bound in ["gte", "lte"].into_iter().filter_map(|key| node.get(key)) {
        if bound.scalar().is_some() && bound.number().is_none() {
            let message = format!(
                "in a payload, only numbers have an order; this is {}",
                bound.describe()
            );
            faults.add(FaultCode::ValueMismatch, bound.span, message);
        }
    }
    let test = test(node, &|node, _| node.scalar(), faults)?;
    possible(&test, None, node, faults);
    Some((path, test))
}

/// A number that the form has in every definition: of the canonical JSON of what it says, defaults and all.
fn counter_key(event: &str, filter: &Filter, count: u32, within: Option<Millis>) -> u64 {
    let filter = filter
        .iter()
        .map(|(path, test)| (path.join(".").into(), test_value(test)));
    let mut members: Vec<(Box<str>, Value)> = vec![
        ("event".into(), Value::Text(event.into())),
        ("where".into(), Value::Map(filter.collect())),
        ("count".into(), Value::Number(count.into())),
    ];
    members.extend(within.map(|span| ("within".into(), Value::Text(span.to_string().into()))));
    ContentHash::of_bytes(canonical::to_string(&Value::Map(members)).as_bytes()).short()
}

fn test_value(test: &Test) -> Value {
    let of = |scalar: &Scalar| match scalar {
        Scalar::Bool(flag) => Value::Bool(*flag),
        Scalar::Number(number) => Value::Number(*number),
        Scalar::Text(text) => Value::Text(text.clone()),
    };
    let parts = [
        ("eq", test.eq.as_ref().map(of)),
        ("ne", test.ne.as_ref().map(of)),
        (
            "in",
            test.any_of
                .as_ref()
                .map(|list| Value::List(list.iter().map(of).collect())),
        ),
        ("gte", test.gte.as_ref().map(of)),
        ("lte", test.lte.as_ref().map(of)),
        ("exists", test.exists.map(Value::Bool)),
    ];
    Value::Map(
        parts
            .into_iter()
            .filter_map(|(key, value)| Some((key.into(), value?)))
            .collect(),
    )
}
