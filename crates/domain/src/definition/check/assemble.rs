//! Reads the sections, judges the whole, and puts everything in its place. Must not hand out parts of which one is at
//! fault.

use std::cell::Cell;

use super::names::Names;
use super::possible::{PATIENCE_OF_ALL, World};
use super::scope::Scope;
use super::settings::{self, Shares};
use super::{attributes, features, guides, journey, reach, warnings};
use crate::canonical;
use crate::definition::condition::Counter;
use crate::definition::fault::Faults;
use crate::definition::grammar::USER_ID;
use crate::definition::node::Node;
use crate::definition::table::{Ix, Table};
use crate::definition::{Guide, Milestone, Parts, UserIdForm};
use crate::hash::ContentHash;
use crate::id::ProductId;
use crate::value::Value;

/// The parts of a definition; `None` where one is at fault, which is noted.
pub(super) fn assemble(root: &Node, faults: &mut Faults) -> Option<Parts> {
    let mut scope = Scope::new(root, faults);
    let text = settings::text(root);
    let guides = guides::guides(root, &mut scope, &text, faults);
    let signup = journey::signup(root, &scope, faults);
    let activation = journey::activation(root, &scope, faults);
    let features = features::features(root, &scope, faults);
    let Shares { holdout, explore, random, fixed } = settings::shares(root, faults);
    judge(root, &scope, activation, &guides, faults);
    Some(Parts {
        product: ProductId::new(root.get("product")?.text()?).ok()?,
        version: root.get("version")?.number()? as u64,
        hash: hash(&root.to_value()),
        fold_hash: fold_hash(root, &scope.counters),
        user_id: user_id(root)?,
        app_version: scope.attributes.find(attributes::APP_VERSION)?,
        locale: scope.attributes.find(attributes::LOCALE)?,
        events: scope.events.into_table()?,
        errors: scope.errors.into_table()?.iter().cloned().collect(),
        attributes: scope.attributes.into_table()?,
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

/// Judges the journey, as far as it could be read, and the guides, where nothing is wrong with anything.
fn judge(
    root: &Node,
    scope: &Scope,
    activation: Option<Ix<Milestone>>,
    guides: &Names<Guide>,
    faults: &mut Faults,
) {
    reach::requires_circles(root, scope, faults);
    let Some(milestones) = scope.milestones.all() else { return };
    reach::status_circles(root, &milestones, scope, faults);
    let (attributes, counters) = (&scope.attributes, &scope.counters);
    let patience = &Cell::new(PATIENCE_OF_ALL);
    let world = World { milestones: &milestones, attributes, counters, reachable: &[], patience };
    let reachable = reach::reachable(world);
    if let Some(activation) = activation {
        reach::activation(root, activation, scope, &milestones, &reachable, faults);
    }
    if let (Some(guides), true) = (guides.all(), faults.is_empty()) {
        warnings::warnings(root, World { reachable: &reachable, ..world }, &guides, faults);
    }
}

fn user_id(root: &Node) -> Option<UserIdForm> {
    let Some(node) = root.get("userId") else { return Some(UserIdForm::Any) };
    USER_ID.iter().find(|(word, ..)| Some(*word) == node.text()).map(|(.., form)| *form)
}

fn hash(value: &Value) -> ContentHash {
    ContentHash::of_bytes(canonical::to_string(value).as_bytes())
}

/// A profile depends on these sections, and on which counters there are, whatever else uses them.
fn fold_hash(root: &Node, counters: &Table<Counter>) -> ContentHash {
    let section =
        |name: &str| (Box::from(name), root.get(name).map_or(Value::Null, Node::to_value));
    let mut keys: Vec<_> = counters.iter().map(|counter| counter.key).collect();
    keys.sort_unstable();
    // As text: a double holds no 64-bit number.
    let keys = keys.into_iter().map(|key| Value::Text(format!("{key:016x}").into())).collect();
    let mut members = ["events", "errors", "attributes", "journey"].map(section).to_vec();
    members.push(("counters".into(), Value::List(keys)));
    hash(&Value::Map(members))
}
