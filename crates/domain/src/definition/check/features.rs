//! The context that decisions learn by. Must let nothing personal in.

use super::attributes::word;
use super::scope::Scope;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::{Node, quoted};
use crate::definition::table::Ix;
use crate::definition::{Attribute, AttributeForm, Feature};

/// Features that are no attributes.
const BUILT_IN: [(&str, Feature); 2] =
    [("lastError", Feature::LastError), ("daysSinceSignup", Feature::DaysSinceSignup)];
/// What asks for the first number of a version.
const MAJOR: &str = ".major";

/// The features, in file order; `None` where one is at fault.
pub(super) fn features(root: &Node, scope: &Scope, faults: &mut Faults) -> Option<Vec<Feature>> {
    let mut features = Vec::new();
    for node in root.get("features").map(Node::items).unwrap_or_default() {
        let feature = match node.text() {
            Some(name) => named(name, node, scope, faults),
            None => in_buckets(node, scope, faults),
        };
        if feature.is_some() && features.iter().any(|known| same(known, &feature)) {
            faults.add(FaultCode::DuplicateId, node.span, "this feature is here twice");
        }
        features.push(feature);
    }
    features.into_iter().collect()
}

/// One attribute in two kinds of buckets is one feature too many, as well.
fn same(a: &Option<Feature>, b: &Option<Feature>) -> bool {
    match (a, b) {
        (
            Some(Feature::Attribute { attribute: a, .. }),
            Some(Feature::Attribute { attribute: b, .. }),
        ) => a == b,
        (a, b) => a == b,
    }
}

fn named(name: &str, node: &Node, scope: &Scope, faults: &mut Faults) -> Option<Feature> {
    if let Some((_, feature)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
        return Some(feature.clone());
    }
    if let Some(version) = name.strip_suffix(MAJOR) {
        let node = Node {
            span: node.span,
            value: crate::definition::node::NodeValue::Text(version.into()),
        };
        return major(&node, scope, faults);
    }
    let ix = attribute(node, scope, faults)?;
    let form = &scope.attributes.get(ix)?.form;
    if *form == AttributeForm::Text {
        let message =
            format!("{} is free text, and a feature needs values that come again", quoted(name));
        faults.add(FaultCode::UnfitFeature, node.span, message);
    }
    Some(Feature::Attribute { attribute: ix, buckets: Vec::new() })
}

fn major(node: &Node, scope: &Scope, faults: &mut Faults) -> Option<Feature> {
    let ix = attribute(node, scope, faults)?;
    expect(
        ix,
        &AttributeForm::Version,
        "`.major` is the first number of a version",
        node,
        scope,
        faults,
    );
    Some(Feature::Major(ix))
}

fn in_buckets(node: &Node, scope: &Scope, faults: &mut Faults) -> Option<Feature> {
    let (name, list) = (node.get("attribute")?, node.get("buckets")?);
    let ix = attribute(name, scope, faults)?;
    expect(ix, &AttributeForm::Number, "only numbers are put in buckets", name, scope, faults);
    let buckets: Vec<f64> = list.items().iter().filter_map(Node::number).collect();
    if !buckets.is_sorted_by(|a, b| a < b) {
        faults.add(FaultCode::UnfitFeature, list.span, "the bounds of buckets must ascend");
    }
    Some(Feature::Attribute { attribute: ix, buckets })
}

fn expect(
    ix: Ix<Attribute>,
    form: &AttributeForm,
    why: &str,
    node: &Node,
    scope: &Scope,
    faults: &mut Faults,
) {
    let Some(attribute) = scope.attributes.get(ix).filter(|attribute| attribute.form != *form)
    else {
        return;
    };
    let message =
        format!("{why}; {} is of type `{}`", quoted(&attribute.name), word(&attribute.form));
    faults.add(FaultCode::UnfitFeature, node.span, message);
}

/// The attribute that the node names; `None` where it is unknown or personal, which is noted.
fn attribute(node: &Node, scope: &Scope, faults: &mut Faults) -> Option<Ix<Attribute>> {
    let built_in = BUILT_IN.map(|(name, _)| name);
    let ix = scope.attributes.resolve(node, &built_in, faults)?;
    if scope.attributes.get(ix)?.personal {
        let name = quoted(scope.attributes.name(ix));
        let message = format!("{name} is personal: it may fill a slot in copy, and nothing else");
        faults.add(FaultCode::PersonalAttribute, node.span, message);
        return None;
    }
    Some(ix)
}
