//! The decision log as rows: each decision with its law, and what came of it. Must not decide whose merit an activation is:
//! the learner's track does.

use std::collections::BTreeMap;

use pilotage_domain::decide::Reason;
use pilotage_domain::definition::Definition;
use pilotage_domain::event::{Event, Position};
use pilotage_domain::id::{DecisionId, GuideId, UserId, VariantId};
use pilotage_domain::learn::follow::follow_event;
use pilotage_domain::learn::{Arm, Features, Goal, Lesson, Settings, Touch, Track};
use pilotage_domain::policy::{Policy, draw_number};
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::fold::fold_event;
use pilotage_domain::time::Timestamp;
use pilotage_wire::decision_log::{Action, NO_GUIDE, Row};
use pilotage_wire::record::decision::{OutcomeName, StoredDecision};
use serde::Serialize;

/// A user on the way through the log.
#[derive(Default)]
struct Way {
    profile: Profile,
    track: Track,
    /// Each draw's row.
    drawn: BTreeMap<DecisionId, usize>,
    /// The first row of each draw, by the number that decided it: later ones are the same draw.
    first: BTreeMap<u32, usize>,
    /// Whether another user has from here on what is said of this one.
    is_merged: bool,
}

impl Way {
    /// Takes over the way of another user who is the same person, as of the record at that position.
    fn join(&mut self, definition: &Definition, other: Self, at: Position) {
        self.profile.absorb(definition, other.profile, at);
        self.track.merge(other.track);
        for (milestone, at) in &self.profile.reached {
            self.track.reach(milestone.clone(), *at);
        }
        let activation = &definition.milestones[definition.activation].id;
        if let Some(at) = self.profile.reached_at(activation) {
            self.track.activate(at);
        }
        self.drawn.extend(other.drawn);
        other.first.into_iter().for_each(|(number, row)| {
            self.first.entry(number).or_insert(row);
        });
    }
}

/// Rows on the way through the log.
pub(super) struct Rows<'a> {
    definition: &'a Definition,
    settings: Settings,
    newest: Option<Timestamp>,
    users: BTreeMap<UserId, Way>,
    rows: Vec<Row>,
    /// Users who were carried over before they were met, and to whom: partitions are walked one after another.
    awaited: BTreeMap<UserId, UserId>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(definition: &'a Definition) -> Self {
        let settings = Settings::of(definition);
        Self {
            definition,
            settings,
            newest: None,
            users: BTreeMap::new(),
            rows: Vec::new(),
            awaited: BTreeMap::new(),
        }
    }

    pub(super) fn event(&mut self, user: &UserId, event: &Event, at: Position) {
        let way = self.users.entry(user.clone()).or_default();
        if way.is_merged {
            return;
        }
        let folded = fold_event(&mut way.profile, self.definition, event, at);
        follow_event(&mut way.track, self.definition, event, &folded);
        self.newest = self.newest.max(Some(event.at));
    }

    /// Another user has from here on what is said of this one.
    pub(super) fn named(&mut self, user: &UserId) {
        self.users.entry(user.clone()).or_default().is_merged = true;
    }

    /// The user takes over what is known of an anonymous one, once.
    pub(super) fn carried(&mut self, user: &UserId, from: &UserId, at: Position) {
        let Some(theirs) = self.users.get_mut(from).filter(|way| way.is_merged) else {
            self.awaited.entry(from.clone()).or_insert_with(|| user.clone());
            return;
        };
        let theirs = std::mem::replace(theirs, Way { is_merged: true, ..Way::default() });
        self.users.entry(user.clone()).or_default().join(self.definition, theirs, at);
    }

    /// Notes a decision; `law` is what another policy would have drawn from, where that is asked.
    pub(super) fn decision(&mut self, stored: &StoredDecision, law: Option<Vec<(String, f64)>>) {
        self.newest = self.newest.max(Some(stored.at));
        let mut row = row_of(stored);
        law.into_iter().for_each(|law| evaluated(&mut row, law));
        let place = self.rows.len();
        let way = self.users.entry(stored.user_id.clone()).or_default();
        if row.propensity.is_some() {
            let number = number_of(stored);
            row.repeat = Some(way.first.contains_key(&number));
            way.first.entry(number).or_insert(place);
            way.drawn.insert(stored.decision_id, place);
            way.track.drawn(stored.decision_id, touch_of(stored, number));
        }
        self.rows.push(row);
    }

    /// The rows, each with what came of it.
    pub(super) fn finish(mut self) -> Vec<Row> {
        for (from, into) in std::mem::take(&mut self.awaited) {
            self.carried(&into, &from, Position(u64::MAX));
        }
        for way in std::mem::take(&mut self.users).into_values() {
            self.settle(way);
        }
        self.rows
    }

    fn settle(&mut self, mut way: Way) {
        let settled: Vec<(DecisionId, Touch)> =
            way.track.touches.iter().map(|(id, touch)| (*id, touch.clone())).collect();
        // An offer that nobody saw is silence to the user: it counts from its own moment.
        way.track.touches.values_mut().filter(|t| t.shown.is_none()).for_each(|t| t.arm = None);
        let lessons = way.track.lessons(&self.settings.windows, self.settings.credit);
        for ((id, touch), lesson) in settled.iter().zip(&lessons) {
            let Some(place) = way.drawn.get(id).copied() else { continue };
            let first = way.first.get(&touch.number).copied().unwrap_or(place);
            self.tell(place, touch, lesson);
            if first != place {
                self.tell(first, touch, lesson);
            }
        }
    }

    /// What came of a draw. A page that asks again shows the same draw again: what came of any of them came of the first.
    fn tell(&mut self, place: usize, touch: &Touch, lesson: &Lesson) {
        let Some(row) = self.rows.get_mut(place) else { return };
        let earlier = |known: Option<Timestamp>, told: Option<Timestamp>| match (known, told) {
            (Some(known), Some(told)) => Some(known.min(told)),
            (known, told) => known.or(told),
        };
        row.shown_at = earlier(row.shown_at, touch.shown);
        row.clicked_at = earlier(row.clicked_at, touch.clicked);
        row.dismissed_at = earlier(row.dismissed_at, touch.dismissed);
        let reward = match lesson.goal {
            Goal::Over => None,
            Goal::Open => Some(0.0),
            Goal::Reached(_) => Some(1.0),
        };
        row.reward = match (row.reward, reward) {
            (Some(known), Some(told)) => Some(known.max(told)),
            (known, told) => known.or(told),
        };
        let over = lesson.at + self.settings.windows.goal;
        let mature = self.newest.is_some_and(|newest| over <= newest);
        row.mature = Some(row.mature.unwrap_or(true) && mature);
        row.mature_at = row.mature_at.max(Some(over).filter(|_| !mature));
    }
}

/// As rows name what is drawn.
pub(super) fn action(guide: &GuideId, variant: &VariantId) -> String {
    format!("{guide}/{variant}")
}

/// As serde names it.
pub(super) fn name_of(value: impl Serialize) -> String {
    // Names of plain alternatives are text.
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn is_drawn(stored: &StoredDecision) -> bool {
    stored.outcome == OutcomeName::Show || stored.reason == Some(Reason::Policy)
}

/// The number that decided the draw; the same for draws that are the same.
fn number_of(stored: &StoredDecision) -> u32 {
    match &stored.weighing {
        Some(weighing) => weighing.number,
        None => draw_number(stored.decision_id, Policy::Random),
    }
}

fn touch_of(stored: &StoredDecision, number: u32) -> Touch {
    let guide = stored.guide.as_ref();
    Touch {
        arm: guide.map(|g| Arm { guide: g.id.clone(), variant: g.variant.clone() }),
        milestone: None,
        features: Features::default(),
        // A draw has one; it plays no part in what came of it.
        propensity: stored.propensity.unwrap_or(pilotage_domain::number::Propensity::ONE),
        number,
        at: stored.at,
        shown: None,
        clicked: None,
        dismissed: None,
    }
}

fn row_of(stored: &StoredDecision) -> Row {
    let guide = stored.guide.as_ref();
    Row {
        decision_id: Some(stored.decision_id.to_string()),
        at: Some(stored.at),
        product: Some(stored.product.to_string()),
        user_id: Some(stored.user_id.to_string()),
        session_id: Some(stored.session_id.to_string()),
        group: Some(name_of(stored.group)),
        policy: Some(stored.policy.to_string()),
        explore: Some(stored.explore),
        reason: stored.reason.map(|reason| reason.name().to_owned()),
        signature: Some(stored.signature.to_string()),
        catalogue_hash: Some(stored.catalogue_hash.to_string()),
        action: guide.map_or_else(|| NO_GUIDE.to_owned(), |g| action(&g.id, &g.variant)),
        propensity: stored.propensity.filter(|_| is_drawn(stored)).map(|p| p.get()),
        actions: if is_drawn(stored) { actions_of(stored) } else { Vec::new() },
        ..Row::default()
    }
}

fn actions_of(stored: &StoredDecision) -> Vec<Action> {
    let named = |action, propensity: Option<_>| Action {
        action,
        propensity: Some(propensity.map_or(0.0, pilotage_domain::number::Propensity::get)),
        ..Action::default()
    };
    let guides = stored.trace.guides.iter();
    let arms = guides.flat_map(|g| g.arms.iter().map(|(v, p)| named(action(&g.id, v), *p)));
    let nothing = named(NO_GUIDE.to_owned(), stored.trace.no_guide);
    arms.chain([nothing]).collect()
}

/// Puts another policy's law beside the one that drew. What only the other could draw the log never drew.
fn evaluated(row: &mut Row, law: Vec<(String, f64)>) {
    if row.actions.is_empty() {
        return;
    }
    row.actions.iter_mut().for_each(|action| action.evaluation = Some(0.0));
    for (action, share) in law {
        match row.actions.iter_mut().find(|known| known.action == action) {
            Some(known) => known.evaluation = Some(share),
            None => row.actions.push(Action {
                action,
                propensity: Some(0.0),
                evaluation: Some(share),
                estimate: None,
            }),
        }
    }
}
