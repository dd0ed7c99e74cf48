//! From a tree to a checked definition, or to everything that is wrong with it. Must not stop at the first fault, and must
//! not let anything through that the rest of the engine would have to doubt.
//!
//! First the tree is held against the grammar (`form`), then each section is read for what it means. A reader passes
//! over, without a word, what has not the form: that is noted already.

mod attributes;
mod conditions;
mod copy;
mod events;
mod features;
mod form;
mod guides;
mod journey;
mod names;
mod places;
mod scalar;
mod settings;
mod suggest;
mod template;
mod values;

use super::condition::Counter;
use super::fault::{Fault, FaultCode, Faults};
use super::grammar::{Form, MOST_COUNTERS, PRODUCT, USER_ID};
use super::node::Node;
use super::table::Table;
use super::{Attribute, Definition, EventType, Guide, Milestone, Parts, Route, Target, UserIdForm};
use crate::canonical;
use crate::hash::ContentHash;
use crate::id::{ErrorName, ProductId};
use crate::value::{Scalar, Value};
use names::Names;
use settings::Shares;

/// The version of the format that this reads.
const FORMAT: f64 = 1.0;

/// A definition that may be used, and what is doubtful about it.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The definition.
    pub definition: Definition,
    /// Warnings, in file order.
    pub warnings: Vec<Fault>,
}

/// Checks a product file. The same tree always gives the same answer.
///
/// # Errors
/// Every fault, in file order, warnings left out; at least one.
pub fn check(root: &Node) -> Result<Checked, Vec<Fault>> {
    let mut faults = Faults::default();
    let parts = if is_other_format(root, &mut faults) {
        None
    } else {
        read(root, &mut faults)
    };
    let (errors, warnings) = faults.into_sorted(root);
    match parts {
        Some(parts) if errors.is_empty() => Ok(Checked {
            definition: Definition::from_checked(parts),
            warnings,
        }),
        _ => Err(errors),
    }
}

/// Whether the file says that it is of another format: then nothing else in it can be judged.
fn is_other_format(root: &Node, faults: &mut Faults) -> bool {
    let Some((node, format)) = root
        .get("format")
        .and_then(|node| Some((node, node.number()?)))
    else {
        return false;
    };
    if format == FORMAT {
        return false;
    }
    let message = format!("this reads format 1, and the file is of format {format}");
    faults.add(FaultCode::UnsupportedFormat, node.span, message);
    true
}

/// What the sections declare, for those that use it.
#[derive(Debug)]
struct Scope {
    events: Names<EventType>,
    errors: Names<ErrorName>,
    attributes: Names<Attribute>,
    milestones: Names<Milestone>,
    routes: Names<Route>,
    targets: Names<Target>,
    counters: Table<Counter>,
    default_locale: Box<str>,
}

fn read(root: &Node, faults: &mut Faults) -> Option<Parts> {
    form::check(root, &Form::Shape(&PRODUCT), faults);
    let mut scope = scope(root, faults);
    journey::milestones(root, &mut scope, faults);
    let text = settings::text(root);
    let guides = guides::guides(root, &mut scope, &text, faults);
    if scope.counters.len() > MOST_COUNTERS {
        let message = format!(
            "{} different `event` conditions are too many; there may be {MOST_COUNTERS}",
            scope.counters.len()
        );
        faults.add(FaultCode::TooMany, root.span, message);
    }
    assemble(root, scope, guides, text, faults)
}

fn scope(root: &Node, faults: &mut Faults) -> Scope {
    let attributes = attributes::attributes(root, faults);
    let routes = places::routes(root, faults);
    Scope {
        events: events::events(root, faults),
        errors: events::errors(root, faults),
        default_locale: default_locale(&attributes),
        attributes,
        milestones: journey::names(root, faults),
        targets: places::targets(root, &routes, faults),
        routes,
        counters: Table::default(),
    }
}

fn default_locale(attributes: &Names<Attribute>) -> Box<str> {
    let locale = attributes
        .find(attributes::LOCALE)
        .and_then(|ix| attributes.get(ix));
    match locale.and_then(|locale| locale.default.as_ref()) {
        Some(Scalar::Text(tag)) => tag.clone(),
        _ => "en".into(),
    }
}

/// Puts everything in its place; `None` where a part is at fault.
fn assemble(
    root: &Node,
    scope: Scope,
    guides: Names<Guide>,
    text: super::TextRules,
    faults: &mut Faults,
) -> Option<Parts> {
    let signup = journey::signup(root, &scope, faults);
    let activation = journey::activation(root, &scope, faults);
    let features = features::features(root, &scope, faults);
    let Shares {
        holdout,
        explore,
        random,
        fixed,
    } = settings::shares(root, faults);
    let (app_version, locale) = (
        scope.attributes.find(attributes::APP_VERSION),
        scope.attributes.find(attributes::LOCALE),
    );
    Some(Parts {
        product: ProductId::new(root.get("product")?.text()?).ok()?,
        version: root.get("version")?.number()? as u64,
        hash: ContentHash::of_bytes(canonical::to_string(&root.to_value()).as_bytes()),
        fold_hash: fold_hash(root, &scope.counters),
        user_id: user_id(root)?,
        events: scope.events.into_table()?,
        errors: scope.errors.into_table()?.iter().cloned().collect(),
        attributes: scope.attributes.into_table()?,
        app_version: app_version?,
        locale: locale?,
        signup: signup?,
        activation: activation?,
        milestones: scope.milestones.into_table()?,
        routes: scope.routes.into_table()?,
        targets: scope.targets.into_table()?,
        guides: guides.into_table()?,
        contact: settings::contact(root),
        holdout,
        explore,
        group_random: random,
        group_static: fixed,
        goal_window: settings::goal_window(root),
        guard_dismiss: settings::guard(root),
        text,
        features: features?,
        counters: scope.counters,
        default_locale: scope.default_locale,
    })
}

fn user_id(root: &Node) -> Option<UserIdForm> {
    match root.get("userId") {
        Some(node) => USER_ID
            .iter()
            .find(|(word, ..)| Some(*word) == node.text())
            .map(|(.., form)| *form),
        None => Some(UserIdForm::Any),
    }
}

/// A profile depends on these sections and on which counters there are, whatever else uses them.
fn fold_hash(root: &Node, counters: &Table<Counter>) -> ContentHash {
    let sections = ["events", "errors", "attributes", "journey"];
    let section = |name: &str| root.get(name).map_or(Value::Null, Node::to_value);
    let mut keys: Vec<String> = counters
        .iter()
        .map(|counter| format!("{:016x}", counter.key))
        .collect();
    keys.sort();
    let keys = keys
        .into_iter()
        .map(|key| Value::Text(key.into()))
        .collect();
    let members = sections
        .map(|name| (Box::from(name), section(name)))
        .into_iter();
    let all = members
        .chain([("counters".into(), Value::List(keys))])
        .collect();
    ContentHash::of_bytes(canonical::to_string(&Value::Map(all)).as_bytes())
}
