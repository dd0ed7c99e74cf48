//! The smaller sections: contact, shares, goal, guard, text rules. Must not know guides.

use super::scalar;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::Node;
use crate::definition::{ContactRules, TextRules};
use crate::number::Probability;
use crate::time::Millis;

/// Graphemes of a title, a body and a call to action where nothing is said.
const TEXT_LENGTHS: [usize; 3] = [60, 160, 24];

fn duration(node: Option<&Node>, key: &str, default: Millis) -> Millis {
    node.and_then(|node| node.get(key))
        .and_then(Node::text)
        .and_then(scalar::duration)
        .unwrap_or(default)
}

fn count(node: Option<&Node>, key: &str) -> Option<u32> {
    node.and_then(|node| node.get(key)).and_then(Node::number).map(|number| number as u32)
}

/// How often a user may be shown guides.
pub(super) fn contact(root: &Node) -> ContactRules {
    let node = root.get("contact");
    ContactRules {
        session: count(node, "session"),
        day: count(node, "day"),
        gap: duration(node, "gap", Millis::ZERO),
        dismissed: duration(node, "dismissed", Millis::hours(24)),
    }
}

/// How long after an exposure activation still counts.
pub(super) fn goal_window(root: &Node) -> Millis {
    duration(root.get("goal"), "window", Millis::days(7))
}

/// The dismissal rate that pauses a variant.
pub(super) fn guard(root: &Node) -> Option<Probability> {
    Probability::new(root.get("guard")?.get("dismiss")?.number()?)
}

/// The shares of users and decisions.
pub(super) struct Shares {
    pub(super) holdout: Probability,
    pub(super) explore: Probability,
    pub(super) random: Probability,
    pub(super) fixed: Probability,
}

/// The shares; notes holdout and groups that are more than everybody.
pub(super) fn shares(root: &Node, faults: &mut Faults) -> Shares {
    let share = |node: Option<&Node>, key: &str| {
        let number = node.and_then(|node| node.get(key)).and_then(Node::number);
        number.and_then(Probability::new).unwrap_or(Probability::ZERO)
    };
    let groups = root.get("groups");
    let shares = Shares {
        holdout: share(Some(root), "holdout"),
        explore: share(Some(root), "explore"),
        random: share(groups, "random"),
        fixed: share(groups, "static"),
    };
    let sum = shares.holdout.get() + shares.random.get() + shares.fixed.get();
    // Shares are written in decimals, whose sum in doubles can be off by the last digit.
    if let (true, Some(groups)) = (sum > 1.0 + 1e-9, groups) {
        let message = format!("holdout and groups are {sum} of all users together; at most 1 fits");
        faults.add(FaultCode::SharesExceedOne, groups.span, message);
    }
    shares
}

/// The rules for copy. Expressions that don't compile are left out; they are noted elsewhere.
pub(super) fn text(root: &Node) -> TextRules {
    let node = root.get("text");
    let length =
        |key: &str, default: usize| count(node, key).map_or(default, |count| count as usize);
    let [title, body, cta] = TEXT_LENGTHS;
    let forbid = node.and_then(|node| node.get("forbid")).map(Node::items).unwrap_or_default();
    TextRules {
        title: length("title", title),
        body: length("body", body),
        cta: length("cta", cta),
        forbid: forbid.iter().filter_map(|node| scalar::pattern(node.text()?).ok()).collect(),
    }
}
