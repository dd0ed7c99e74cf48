//! Small definitions, events and users for the tests of this room. Must not be compiled into anything but tests.

use super::Profile;
use super::contact::Offer;
use super::fold::{FoldOutcome, Folded, fold_decision, fold_event};
use super::view::View;
use crate::definition::condition::{Condition, Counter, Status, Test};
use crate::definition::table::{Ix, Table};
use crate::definition::{
    Attribute, AttributeForm, Component, ContactRules, Definition, EventRole, EventType, Guide,
    Intent, Lifecycle, Milestone, Parts, TextRules, UserIdForm,
};
use crate::event::{Event, EventContext, Position};
use crate::hash::ContentHash;
use crate::id::{
    DecisionId, ErrorName, EventId, GuideId, MilestoneId, ProductId, SessionId, UserId, VariantId,
};
use crate::number::Probability;
use crate::time::{Millis, Timestamp};
use crate::value::{Scalar, Value};

pub(super) const MINUTE: u64 = 60_000;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

const EVENTS: [(&str, EventRole); 9] = [
    ("page_view", EventRole::Fact),
    ("button_click", EventRole::Clicked),
    ("form_submit", EventRole::Fact),
    ("tooltip_dismiss", EventRole::Dismissed),
    ("guide_shown", EventRole::Shown),
    ("guide_clicked", EventRole::Clicked),
    ("guide_dismissed", EventRole::Dismissed),
    ("signed_up", EventRole::Fact),
    ("data_imported", EventRole::Fact),
];

/// So many milliseconds after the tests' own epoch, which lies far from 1970.
pub(super) fn t(ms: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000) + Millis::new(ms)
}

pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("valid JSON")
}

pub(super) fn text(text: &str) -> Scalar {
    Scalar::Text(text.into())
}

pub(super) fn milestone_id(id: &str) -> MilestoneId {
    MilestoneId::new(id).expect("an identifier")
}

pub(super) fn guide_id(id: &str) -> GuideId {
    GuideId::new(id).expect("an identifier")
}

pub(super) fn session(id: &str) -> SessionId {
    SessionId::new(id).expect("an id")
}

pub(super) fn decision(n: u128) -> DecisionId {
    DecisionId::from_bits(n)
}

/// An event of that kind in session `s`, with an id made of kind and time.
pub(super) fn event(kind: &str, ms: u64) -> Event {
    Event {
        id: EventId::new(&format!("{kind}@{ms}")).expect("an id"),
        user: UserId::new("u").expect("an id"),
        session: session("s"),
        kind: kind.into(),
        at: t(ms),
        received_at: t(ms),
        attributes: Vec::new(),
        context: EventContext::default(),
        payload: Value::Null,
    }
}

pub(super) fn with_payload(event: Event, payload: &str) -> Event {
    Event { payload: json(payload), ..event }
}

/// A guide's own event about a decision.
pub(super) fn about(kind: &str, ms: u64, n: u128) -> Event {
    let event = event(kind, ms);
    let id = EventId::new(&format!("{}:{n}", event.id)).expect("an id");
    with_payload(Event { id, ..event }, &format!(r#"{{"decisionId":"{}"}}"#, decision(n)))
}

/// An offer of guide `g`, which serves milestone `m`, made in session `s`.
pub(super) fn offer(n: u128, ms: u64) -> Offer {
    let arm = (guide_id("g"), VariantId::new("v").expect("an identifier"));
    Offer::new(decision(n), arm, milestone_id("m"), &session("s"), t(ms))
}

/// A definition in the making.
pub(super) struct Draft(pub(super) Parts);

impl Draft {
    /// No milestone, no counter; the built-in events and `signed_up`; attributes of every form, named after it.
    pub(super) fn new() -> Self {
        let mut events = Table::default();
        for (name, role) in EVENTS {
            events.push(EventType { name: name.into(), role });
        }
        let (attributes, app_version, locale) = attributes();
        Self(Parts {
            product: ProductId::new("p").expect("an identifier"),
            version: 1,
            hash: ContentHash::of_bytes(b""),
            fold_hash: ContentHash::of_bytes(b""),
            user_id: UserIdForm::Any,
            signup: events.find(|event| &*event.name == "signed_up"),
            events,
            errors: ["card_declined", "import_failed"]
                .map(|e| ErrorName::new(e).expect("a name"))
                .into(),
            attributes,
            app_version,
            locale,
            activation: Ix::new(0),
            milestones: Table::default(),
            routes: Table::default(),
            targets: Table::default(),
            guides: Table::default(),
            contact: quiet_rules(),
            holdout: Probability::ZERO,
            explore: Probability::ZERO,
            group_random: Probability::ZERO,
            group_static: Probability::ZERO,
            goal_window: Millis::days(7),
            guard_dismiss: None,
            text: TextRules { title: 60, body: 160, cta: 24, forbid: Vec::new() },
            features: Vec::new(),
            counters: Table::default(),
            default_locale: "en".into(),
        })
    }

    /// Adds a counter of events of that kind whose payload has these values.
    pub(super) fn counter(
        &mut self,
        kind: &str,
        filter: &[(&str, &str)],
        count: u32,
        within: Option<u64>,
    ) -> Ix<Counter> {
        let event = self.0.events.find(|event| &*event.name == kind).expect("declared");
        let filter = filter.iter().map(|(path, value)| {
            let eq = json(value).as_scalar();
            (path.split('.').map(Box::from).collect(), Test { eq, ..Test::default() })
        });
        // Descending keys, so that the order of the table is not the order of the profile.
        let key = u64::MAX - self.0.counters.len() as u64;
        let within = within.map(Millis::new);
        self.0
            .counters
            .push(Counter { key, event, filter: filter.collect(), count, within })
            .expect("room")
    }

    /// A condition on events of that kind.
    pub(super) fn seen(&mut self, kind: &str, count: u32, within: Option<u64>) -> Condition {
        Condition::Event(self.counter(kind, &[], count, within))
    }

    /// Adds a milestone.
    pub(super) fn milestone(
        &mut self,
        id: &str,
        requires: &[Ix<Milestone>],
        reached: Condition,
        blocked: Option<Condition>,
    ) -> Ix<Milestone> {
        let milestone = Milestone {
            id: milestone_id(id),
            name: id.into(),
            requires: requires.into(),
            reached,
            blocked,
        };
        self.0.milestones.push(milestone).expect("room")
    }

    pub(super) fn done(self) -> Definition {
        Definition::from_checked(self.0)
    }
}

pub(super) fn attribute(definition: &Definition, name: &str) -> Ix<Attribute> {
    definition.attributes.find(|attribute| &*attribute.name == name).expect("declared")
}

/// That the milestone has the status.
pub(super) fn is(milestone: Ix<Milestone>, status: Status) -> Condition {
    Condition::Milestone { milestone, status }
}

/// Holds for nobody.
pub(super) fn nothing() -> Condition {
    Condition::Any(Vec::new())
}

fn attributes() -> (Table<Attribute>, Ix<Attribute>, Ix<Attribute>) {
    let mut table = Table::default();
    let mut add = |name: &str, form: AttributeForm, default: Option<Scalar>| {
        table.push(Attribute { name: name.into(), form, default, personal: false }).expect("room")
    };
    add("tier", AttributeForm::Enum(["free", "pro"].map(Box::from).into()), Some(text("free")));
    let app_version = add("appVersion", AttributeForm::Version, None);
    let locale = add("locale", AttributeForm::Locale, Some(text("en")));
    add("seats", AttributeForm::Number, None);
    add("beta", AttributeForm::Bool, None);
    add("note", AttributeForm::Text, None);
    (table, app_version, locale)
}

/// Contact rules that stop nothing.
pub(super) fn quiet_rules() -> ContactRules {
    ContactRules { session: None, day: None, gap: Millis::ZERO, dismissed: Millis::ZERO }
}

/// A guide with these limits and nothing else of note.
pub(super) fn guide(id: &str, shows: Option<u32>, gap: Option<u64>) -> Guide {
    Guide {
        id: guide_id(id),
        about: "".into(),
        serves: Ix::new(0),
        intent: Intent::Activate,
        when: None,
        never: None,
        target: Ix::new(0),
        component: Component::Banner,
        action: None,
        shows,
        gap: gap.map(Millis::new),
        lifecycle: Lifecycle::Live,
        expires: None,
        variants: Vec::new(),
    }
}

/// One user and the log's end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct User {
    pub(super) profile: Profile,
    pub(super) end: u64,
}

impl User {
    pub(super) fn new() -> Self {
        Self { profile: Profile::default(), end: 0 }
    }

    /// Appends an event to the log and folds it.
    pub(super) fn event(&mut self, definition: &Definition, event: &Event) -> Folded {
        self.end += 1;
        fold_event(&mut self.profile, definition, event, Position(self.end))
    }

    /// Appends a decision that shows something, and folds it.
    pub(super) fn offered(&mut self, offer: Offer) -> FoldOutcome {
        self.end += 1;
        fold_decision(&mut self.profile, Some(offer), Position(self.end))
    }

    pub(super) fn view<'a>(&'a self, definition: &'a Definition, ms: u64) -> View<'a> {
        View { definition, profile: &self.profile, now: t(ms) }
    }
}
