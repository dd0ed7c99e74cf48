//! A small product and its users for the tests of rules, decisions and signatures. Must not be compiled into anything
//! but tests.

use serde_json::{Value as Json, json};

use super::{Judged, Situation, judge};
use crate::decide::{Decision, Outcome, Request, Surface, decide};
use crate::definition::node::{Entry, Node, NodeValue, Span};
use crate::definition::{Definition, check};
use crate::event::{Event, EventContext, Position};
use crate::id::{DecisionId, EventId, GuideId, SessionId, UserId};
use crate::kin::Kin;
use crate::policy::Policy;
use crate::profile::Profile;
use crate::profile::contact::Offer;
use crate::profile::fold::{fold_decision, fold_event};
use crate::profile::view::View;
use crate::time::{Millis, Timestamp};
use crate::value::Value;

pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// So many milliseconds after the tests' own epoch.
pub(crate) fn t(ms: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000) + Millis::new(ms)
}

/// A product file in the making.
#[derive(Clone)]
pub(crate) struct Product(Json);

impl Product {
    /// One guide, `start`, that a fresh user may be shown anywhere, with one plain wording; more guides about later
    /// milestones.
    pub(crate) fn small() -> Self {
        let wording =
            json!([{ "id": "plain", "copy": { "en": { "title": "Hello", "cta": "Go" } } }]);
        let guide = |id: &str, serves: &str, intent: &str| {
            json!({
                "id": id, "about": "For tests.", "serves": serves, "intent": intent, "target": "page",
                "component": "banner", "action": { "route": "home" }, "variants": wording,
            })
        };
        Self(json!({
            "format": 1, "product": "small", "version": 3, "userId": "any",
            "events": { "signed_up": {}, "imported": {}, "clicked": {} },
            "errors": ["card_declined", "import_failed"],
            "attributes": {
                "tier": { "type": "enum", "values": ["free", "trial", "pro"], "default": "free" },
                "seats": { "type": "number" },
                "beta": { "type": "boolean" },
                "nick": { "type": "text" },
                "firstName": { "type": "text", "personal": true },
                "shell": { "type": "version" },
            },
            "journey": {
                "signup": { "event": "signed_up" },
                "activation": "report",
                "milestones": [
                    { "id": "project", "name": "Project",
                      "reached": { "event": "form_submit", "where": { "form": "project" } } },
                    { "id": "data", "name": "Data", "requires": ["project"],
                      "reached": { "event": "imported" },
                      "blocked": { "event": "form_submit", "where": { "form": "import", "ok": false },
                                   "count": 2, "within": "7d" } },
                    { "id": "report", "name": "Report", "requires": ["data"],
                      "reached": { "event": "page_view", "where": { "page": "report" } } },
                ],
            },
            "routes": {
                "home": { "path": "/home" },
                "item": { "path": "/items/:id" },
                "first": { "path": "/items/1" },
                "later": { "path": "/later", "app": ">=2.0.0, <4.0.0" },
            },
            "targets": {
                "page": { "route": "*" },
                "home_page": { "route": "home" },
                "home_button": { "route": "home", "anchor": "#home" },
                "any_item": { "route": "item" },
                "item_button": { "route": "item", "anchor": "#item", "app": ">=1.4.0" },
            },
            "guides": [
                guide("start", "project", "activate"),
                guide("import", "data", "activate"),
                guide("help", "data", "unblock"),
                guide("read", "report", "educate"),
            ],
            "contact": { "session": 2, "day": 4, "gap": "5m", "dismissed": "24h" },
            "text": { "title": 20, "body": 60, "cta": 12, "forbid": ["guarantee"] },
            "features": ["tier", "appVersion.major", "locale", "lastError", "daysSinceSignup"],
        }))
    }

    /// The same with another value at that place; `/guides/0/when` and the like, the last step may be new.
    pub(crate) fn with(mut self, place: &str, value: Json) -> Self {
        let (parent, key) = place.rsplit_once('/').expect("a pointer");
        let parent = self.0.pointer_mut(parent).expect("a parent");
        match parent {
            Json::Array(items) => items[key.parse::<usize>().expect("a place")] = value,
            _ => parent[key] = value,
        }
        self
    }

    /// The same with other words in the first guide's title.
    pub(crate) fn saying(self, title: &str) -> Self {
        self.with("/guides/0/variants/0/copy/en/title", json!(title))
    }

    /// The definition, with every mapping of the file the other way round.
    pub(crate) fn reversed(&self) -> Definition {
        check(&node(&self.0, Order::Backwards)).expect("a product without faults").definition
    }

    pub(crate) fn definition(&self) -> Definition {
        check(&node(&self.0, Order::Forwards)).expect("a product without faults").definition
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Forwards,
    Backwards,
}

fn node(json: &Json, order: Order) -> Node {
    let entry = |(key, value): (&String, &Json)| Entry {
        key: key.as_str().into(),
        key_span: Span::default(),
        value: node(value, order),
    };
    let value = match json {
        Json::Null => NodeValue::Null,
        Json::Bool(flag) => NodeValue::Bool(*flag),
        Json::Number(number) => NodeValue::Number(number.as_f64().expect("a double")),
        Json::String(text) => NodeValue::Text(text.as_str().into()),
        Json::Array(items) => NodeValue::List(items.iter().map(|item| node(item, order)).collect()),
        Json::Object(members) => {
            let mut entries: Vec<Entry> = members.iter().map(entry).collect();
            if order == Order::Backwards {
                entries.reverse();
            }
            NodeValue::Map(entries)
        }
    };
    Node { span: Span::default(), value }
}

/// A user whose events are folded as they come.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) profile: Profile,
    end: u64,
}

impl User {
    /// Nobody knows anything of this user yet.
    pub(crate) fn new() -> Self {
        Self { id: user_id("ann"), profile: Profile::default(), end: 0 }
    }

    /// One that signed up at `t(0)`.
    pub(crate) fn signed_up(definition: &Definition) -> Self {
        Self::new().did(definition, "signed_up", 0, json!({}))
    }

    /// The same doings of another user.
    pub(crate) fn named(self, id: &str) -> Self {
        Self { id: user_id(id), ..self }
    }

    pub(crate) fn did(self, definition: &Definition, kind: &str, ms: u64, payload: Json) -> Self {
        self.event(definition, kind, ms, (payload, json!({})))
    }

    /// An attribute set by an event of no meaning.
    pub(crate) fn having(self, definition: &Definition, name: &str, value: Json) -> Self {
        self.event(definition, "clicked", 0, (json!({}), json!({ name: value })))
    }

    fn event(
        mut self,
        definition: &Definition,
        kind: &str,
        ms: u64,
        (payload, attributes): (Json, Json),
    ) -> Self {
        self.end += 1;
        let attributes = attributes.as_object().expect("an object").iter();
        let event = Event {
            id: EventId::new(&format!("e{}", self.end)).expect("an id"),
            user: self.id.clone(),
            session: session("s"),
            kind: kind.into(),
            at: t(ms),
            received_at: t(ms),
            attributes: attributes
                .map(|(name, value)| (name.as_str().into(), plain(value)))
                .collect(),
            context: EventContext::default(),
            payload: plain(&payload),
        };
        let folded = fold_event(&mut self.profile, definition, &event, Position(self.end));
        assert_eq!(folded.dropped_values, 0, "{event:?}");
        self
    }

    /// The decision is offered, shown, and perhaps more is done with it, at these moments.
    pub(crate) fn met(
        mut self,
        definition: &Definition,
        decision: &Decision,
        acts: &[(&str, u64)],
    ) -> Self {
        self.end += 1;
        let offer = Offer::of(decision, &session("s"));
        assert!(offer.is_some(), "{decision:?}");
        fold_decision(&mut self.profile, offer, Position(self.end));
        let about = json!({ "decisionId": decision.id.to_string() });
        acts.iter().fold(self, |user, (act, ms)| user.did(definition, act, *ms, about.clone()))
    }
}

fn plain(json: &Json) -> Value {
    serde_json::from_value(json.clone()).expect("a value")
}

pub(crate) fn user_id(id: &str) -> UserId {
    UserId::new(id).expect("an id")
}

pub(crate) fn session(id: &str) -> SessionId {
    SessionId::new(id).expect("an id")
}

pub(crate) fn guide_id(id: &str) -> GuideId {
    GuideId::new(id).expect("an identifier")
}

/// What a caller asks, in a form that tests can keep.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) n: u128,
    pub(crate) session: SessionId,
    pub(crate) path: Option<&'static str>,
    pub(crate) app_version: Option<&'static str>,
    pub(crate) locale: Option<&'static str>,
    pub(crate) components: Option<Vec<String>>,
    pub(crate) paused: Vec<GuideId>,
    pub(crate) pending: Vec<Offer>,
    pub(crate) kin: Kin,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            n: 1,
            session: session("s"),
            path: None,
            app_version: None,
            locale: None,
            components: None,
            paused: Vec::new(),
            pending: Vec::new(),
            kin: Kin::default(),
        }
    }
}

impl Ask {
    pub(crate) fn request<'a>(&'a self, user: &'a User, ms: u64) -> Request<'a> {
        Request {
            id: DecisionId::from_bits(self.n),
            user: &user.id,
            session: &self.session,
            at: t(ms),
            surface: Surface {
                path: self.path,
                app_version: self.app_version,
                locale: self.locale,
                components: self.components.as_deref(),
            },
            paused: &self.paused,
            pending: &self.pending,
            kin: &self.kin,
        }
    }

    pub(crate) fn decide(&self, definition: &Definition, user: &User, ms: u64) -> Decision {
        decide(definition, Policy::Static, &user.profile, &self.request(user, ms))
    }

    /// Judges the guides and passes them on, as long as the situation lives.
    pub(crate) fn judge<T>(
        &self,
        definition: &Definition,
        user: &User,
        ms: u64,
        then: impl FnOnce(&Situation<'_>, &Judged<'_>) -> T,
    ) -> T {
        let view = View { definition, profile: &user.profile, now: t(ms) };
        let request = self.request(user, ms);
        let situation = Situation::new(view, &request);
        then(&situation, &judge(&situation))
    }
}

/// The id of the guide that is shown.
pub(crate) fn shown(decision: &Decision) -> Option<&str> {
    match &decision.outcome {
        Outcome::Show { guide, .. } => Some(guide.id().as_str()),
        Outcome::Withhold { .. } => None,
    }
}
