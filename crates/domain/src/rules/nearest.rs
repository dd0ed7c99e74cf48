//! The nearest fact that would turn a condition: a walk down the tree to the leaf that costs the user least. Must not
//! say what a personal attribute holds, nor what it is compared with.

use std::borrow::Cow;
use std::fmt::{Arguments, Write};

use super::near::{about, roughly, status_name, words};
use super::{fact, opening};
use crate::decide::Near;
use crate::definition::Attribute;
use crate::definition::Milestone;
use crate::definition::condition::{Anchor, Condition, Counter, Status, Test};
use crate::definition::table::Ix;
use crate::id::ErrorName;
use crate::profile::view::View;
use crate::time::Millis;

/// What a condition should come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    True,
    False,
}

impl Want {
    const fn turned(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
        }
    }
}

/// Further than any number of steps: nothing that a user does brings it about.
const NEVER: u32 = u32::MAX;

/// A leaf to be turned.
#[derive(Clone, Copy)]
struct Leaf<'d> {
    condition: &'d Condition,
    want: Want,
    /// Roughly how many things have to happen.
    steps: u32,
}

/// The nearest fact that would make the condition hold, or no longer hold, and when time alone does so.
pub(super) fn fact(view: View<'_>, condition: &Condition, want: Want) -> Near {
    let near = match nearest(view, condition, want) {
        Some(leaf) => leaf_fact(view, leaf),
        None => words(fact::NEVER_HOLDS, "", "one that can change", "fixed"),
    };
    Near {
        at: opening::condition_opens(view, condition, |holds| holds == (want == Want::True)),
        ..near
    }
}

/// A milestone that has not the status which is needed.
pub(super) fn status(
    view: View<'_>,
    milestone: Ix<Milestone>,
    needed: impl Into<Cow<'static, str>>,
    actual: Status,
) -> Near {
    let definition = view.definition;
    let milestone = &definition.milestones[milestone];
    let missing = milestone.requires.iter().find(|ix| view.reached_at(**ix).is_none());
    let missing = missing.filter(|_| actual == Status::Locked);
    Near {
        missing: missing.map(|ix| definition.milestones[*ix].id.as_str().into()),
        ..words(fact::MILESTONE_STATUS, milestone.id.as_str(), needed, status_name(actual))
    }
}

/// The leaf to turn, where the condition is not yet what it should be. Where every part has to change, the first that
/// must, at the price of all; where one is enough, the cheapest, the first among equals.
fn nearest<'d>(view: View<'_>, condition: &'d Condition, want: Want) -> Option<Leaf<'d>> {
    match (condition, want) {
        (Condition::Not(part), _) => nearest(view, part, want.turned()),
        (Condition::All(parts), Want::True) | (Condition::Any(parts), Want::False) => {
            let unmet = parts.iter().filter_map(|part| nearest(view, part, want));
            unmet.reduce(|first, next| Leaf {
                steps: first.steps.saturating_add(next.steps),
                ..first
            })
        }
        (Condition::Any(parts), Want::True) | (Condition::All(parts), Want::False) => {
            if parts.iter().any(|part| view.holds(part) == (want == Want::True)) {
                return None;
            }
            parts.iter().filter_map(|part| nearest(view, part, want)).min_by_key(|leaf| leaf.steps)
        }
        _ if view.holds(condition) == (want == Want::True) => None,
        _ => Some(Leaf { condition, want, steps: steps(view, condition, want) }),
    }
}

fn steps(view: View<'_>, leaf: &Condition, want: Want) -> u32 {
    match (leaf, want) {
        (Condition::Event(counter), Want::True) => {
            let (have, need) = view.count(*counter);
            need.saturating_sub(have)
        }
        (Condition::Event(counter), Want::False) => {
            if view.definition.counters[*counter].within.is_some() { 1 } else { NEVER }
        }
        (Condition::Milestone { milestone, status }, _) => {
            let is_final = view.status(*milestone) == Status::Reached;
            if is_final { NEVER } else { status_steps(view.status(*milestone), *status) }
        }
        (Condition::Since { anchor, lte, .. }, _) => since_steps(view, *anchor, *lte, want),
        _ => 1,
    }
}

fn status_steps(actual: Status, wanted: Status) -> u32 {
    match (actual, wanted) {
        (Status::Locked, Status::Reached | Status::Blocked) => 2,
        _ => 1,
    }
}

/// What is past stays past, unless a new event sets the clock back.
fn since_steps(view: View<'_>, anchor: Anchor, lte: Option<Millis>, want: Want) -> u32 {
    let Some(elapsed) = view.since(anchor) else {
        return 1;
    };
    let over = lte.is_some_and(|most| elapsed > most);
    let stuck = match want {
        Want::True => over,
        Want::False => lte.is_none(),
    };
    if stuck && anchor != Anchor::LastEvent { NEVER } else { 1 }
}

fn leaf_fact(view: View<'_>, leaf: Leaf<'_>) -> Near {
    match leaf.condition {
        Condition::Event(counter) => count_fact(view, *counter, leaf.want),
        Condition::Attribute { attribute, test } => {
            attribute_fact(view, *attribute, test, leaf.want)
        }
        Condition::Milestone { milestone, status: wanted } => {
            let needed = worded(leaf.want, status_name(*wanted));
            status(view, *milestone, needed, view.status(*milestone))
        }
        Condition::Since { anchor, gte, lte } => since_fact(view, *anchor, (*gte, *lte), leaf.want),
        Condition::Error { name, within } => error_fact(view, name, *within, leaf.want),
        // Not a leaf: `nearest` never stops at one.
        Condition::All(_) | Condition::Any(_) | Condition::Not(_) => about(fact::NEVER_HOLDS, ""),
    }
}

fn worded(want: Want, needed: impl Into<Cow<'static, str>>) -> Cow<'static, str> {
    let needed = needed.into();
    match want {
        Want::True => needed,
        Want::False => format!("other than {needed}").into(),
    }
}

fn count_fact(view: View<'_>, ix: Ix<Counter>, want: Want) -> Near {
    let counter = &view.definition.counters[ix];
    let (have, need) = view.count(ix);
    let (needed, actual) = match want {
        Want::True => (format!("at least {need}"), have.to_string()),
        // A counter stops counting at its need.
        Want::False => (format!("fewer than {need}"), format!("{have} or more")),
    };
    let filter: Vec<String> = counter
        .filter
        .iter()
        .map(|(path, test)| format!("{} is {}", path.join("."), test_words(test)))
        .collect();
    let filter =
        if filter.is_empty() { String::new() } else { format!(" where {}", filter.join(" and ")) };
    let window = counter.within.map(|within| format!(" within {within}")).unwrap_or_default();
    let event = &view.definition.events[counter.event].name;
    words(fact::EVENT_COUNT, event, format!("{needed}{filter}{window}"), actual)
}

fn attribute_fact(view: View<'_>, ix: Ix<Attribute>, test: &Test, want: Want) -> Near {
    let attribute = &view.definition.attributes[ix];
    if attribute.personal {
        return about(fact::ATTRIBUTE, &attribute.name);
    }
    let actual = view.attribute(ix).map_or_else(|| "not set".to_owned(), ToString::to_string);
    words(fact::ATTRIBUTE, &attribute.name, worded(want, test_words(test)), actual)
}

/// Written into one text: a decision says this of every guide that it stops.
fn test_words(test: &Test) -> String {
    let mut words = String::with_capacity(32);
    let mut put = |part: Arguments<'_>| {
        let joint = if words.is_empty() { "" } else { " and " };
        // Writing to a text can't fail.
        let _ = write!(words, "{joint}{part}");
    };
    if let Some(wanted) = &test.eq {
        put(format_args!("{wanted}"));
    }
    if let Some(unwanted) = &test.ne {
        put(format_args!("other than {unwanted}"));
    }
    if let Some(any_of) = &test.any_of {
        let items: Vec<String> = any_of.iter().map(ToString::to_string).collect();
        put(format_args!("one of {}", items.join(", ")));
    }
    if let Some(least) = &test.gte {
        put(format_args!("at least {least}"));
    }
    if let Some(most) = &test.lte {
        put(format_args!("at most {most}"));
    }
    if let Some(wanted) = test.exists {
        put(format_args!("{}", if wanted { "set" } else { "not set" }));
    }
    words
}

fn since_fact(
    view: View<'_>,
    anchor: Anchor,
    (gte, lte): (Option<Millis>, Option<Millis>),
    want: Want,
) -> Near {
    let subject = match anchor {
        Anchor::Signup => "signup",
        Anchor::LastEvent => "last_event",
        Anchor::Milestone(milestone) => view.definition.milestones[milestone].id.as_str(),
    };
    let bounds =
        [gte.map(|least| format!("at least {least}")), lte.map(|most| format!("at most {most}"))];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    let actual = view.since(anchor).map_or_else(|| "not running".to_owned(), roughly);
    words(fact::SINCE, subject, worded(want, bounds.join(" and ")), actual)
}

fn error_fact(view: View<'_>, name: &ErrorName, within: Millis, want: Want) -> Near {
    let last = view.profile.last_error.as_ref();
    let actual = last.map_or_else(
        || "none".to_owned(),
        |(error, at)| format!("{error}, {} old", roughly(view.now.since(*at))),
    );
    let needed = format!("{name} within {within}");
    words(fact::LAST_ERROR, "", worded(want, needed), actual)
}

#[cfg(test)]
mod tests;
