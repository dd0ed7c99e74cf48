//! Comparisons with an attribute's value and with values in a payload. Must note what can't be compared and what nothing
//! can pass.

use super::attributes::{fitting, word};
use super::values;
use crate::definition::condition::Test;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::{Entry, Node, quoted};
use crate::definition::{Attribute, AttributeForm};
use crate::value::Scalar;

/// What an event's payload must pass: dotted path, split, and test.
pub(super) type Filter = Vec<(Vec<Box<str>>, Test)>;

/// The comparison of an `attribute` condition; `None` where it is at fault, which is noted.
pub(super) fn of_attribute(
    attribute: &Attribute,
    node: &Node,
    faults: &mut Faults,
) -> Option<Test> {
    let has_order = matches!(attribute.form, AttributeForm::Number | AttributeForm::Version);
    let why = || {
        let (name, word) = (quoted(&attribute.name), word(&attribute.form));
        format!("only numbers and versions have an order; {name} is of type `{word}`")
    };
    bounds(node, |_| has_order, why, faults)?;
    let mut test = test(node, &|node, faults| fitting(&attribute.form, node, faults), faults)?;
    test.as_version = attribute.form == AttributeForm::Version;
    possible(&test, Some(attribute), node, faults);
    Some(test)
}

/// The comparisons of `where`, by path, so that the order in the file makes no difference.
pub(super) fn filter(node: Option<&Node>, faults: &mut Faults) -> Option<Filter> {
    let entries = node.map(Node::entries).unwrap_or_default();
    let read: Vec<_> = entries.iter().map(|entry| of_payload(entry, faults)).collect();
    let mut filter: Filter = read.into_iter().collect::<Option<_>>()?;
    filter.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(filter)
}

fn of_payload(
    Entry { key, value: node, .. }: &Entry,
    faults: &mut Faults,
) -> Option<(Vec<Box<str>>, Test)> {
    let path = key.split('.').map(Box::from).collect();
    if let Some(scalar) = node.scalar() {
        return Some((path, Test { eq: Some(scalar), ..Test::default() }));
    }
    let why = || "in a payload, only numbers have an order".to_owned();
    bounds(node, |bound| bound.scalar().is_none() || bound.number().is_some(), why, faults)?;
    let test = test(node, &|node, _| node.scalar(), faults)?;
    possible(&test, None, node, faults);
    Some((path, test))
}

/// Notes `gte` and `lte` on what has no order; `None` where there is one.
fn bounds(
    node: &Node,
    fits: impl Fn(&Node) -> bool,
    why: impl Fn() -> String,
    faults: &mut Faults,
) -> Option<()> {
    let keys = ["gte", "lte"].into_iter().filter_map(|key| node.get(key));
    let unfit: Vec<_> = keys.filter(|bound| !fits(bound)).collect();
    for bound in &unfit {
        faults.add(FaultCode::ValueMismatch, bound.span, why());
    }
    unfit.is_empty().then_some(())
}

/// From a scalar of a comparison to what a value is compared with; `None` where it is at fault, which is noted.
type Fit<'a> = &'a dyn Fn(&Node, &mut Faults) -> Option<Scalar>;

fn test(node: &Node, fit: Fit<'_>, faults: &mut Faults) -> Option<Test> {
    let any_of = node.get("in").map(|list| {
        let read: Vec<_> = list.items().iter().map(|value| fit(value, faults)).collect();
        read.into_iter().collect::<Option<Vec<_>>>()
    });
    let mut part = |key: &str| node.get(key).map(|value| fit(value, faults));
    let (eq, ne, gte, lte) = (part("eq"), part("ne"), part("gte"), part("lte"));
    Some(Test {
        eq: settled(eq)?,
        ne: settled(ne)?,
        any_of: settled(any_of)?,
        gte: settled(gte)?,
        lte: settled(lte)?,
        exists: settled(node.get("exists").map(Node::flag))?,
        as_version: false,
    })
}

/// `None` where a part is there but at fault.
fn settled<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    part.map_or(Some(None), |there| there.map(Some))
}

/// Notes a comparison that no value passes.
fn possible(test: &Test, attribute: Option<&Attribute>, node: &Node, faults: &mut Faults) {
    if !values::can_pass(&[(test, true)], attribute) {
        faults.add(FaultCode::Contradiction, node.span, "no value passes this comparison");
    }
}
