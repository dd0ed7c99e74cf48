//! The top level of a product file and its smaller sections. Must not check anything.

use super::guide::GUIDE;
use super::{Form, Key, Kind, LONGEST, MOST_EXACT, Shape, Word};
use crate::definition::{EventRole, UserIdForm};
use crate::time::Millis;

/// The whole file.
pub static PRODUCT: Shape = Shape {
    name: "the product file",
    about: "All that Pilotage knows about a product: its events, its journey, its guides, its contact rules.",
    keys: &[
        Key::required("format", Form::FormatNumber, "The version of this format: 1."),
        Key::required(
            "product",
            Form::Identifier,
            "The product's name; every stored row carries it.",
        ),
        Key::required(
            "version",
            Form::Integer(1, MOST_EXACT),
            "The catalogue version: grows whenever the content changes.",
        ),
        Key::default(
            "userId",
            Form::Word(|| USER_ID.iter().map(|(word, about, _)| (*word, *about)).collect()),
            "\"any\"",
            "What user ids look like.",
        ),
        Key::default(
            "events",
            Form::Map(&Form::EventName, &Form::ShapeOrNothing(&EVENT), 0, 1000),
            "{}",
            "The product's own event types, beside the built-in ones.",
        ),
        Key::default(
            "errors",
            Form::List(&Form::Identifier, 0, 500),
            "[]",
            "Error names; any other `payload.error` is recorded as `other`.",
        ),
        Key::default(
            "attributes",
            Form::Map(&Form::AttributeName, &Form::Shape(&ATTRIBUTE), 0, 200),
            "{}",
            "Properties of a user. `appVersion` and `locale` are always there.",
        ),
        Key::required("journey", Form::Shape(&JOURNEY), "The way to activation."),
        Key::default(
            "routes",
            Form::Map(&Form::Identifier, &Form::Shape(&ROUTE), 0, 1000),
            "{}",
            "The product's pages.",
        ),
        Key::default(
            "targets",
            Form::Map(&Form::Identifier, &Form::Shape(&TARGET), 0, 1000),
            "{}",
            "Places that guides may point to.",
        ),
        Key::default(
            "guides",
            Form::List(&Form::Shape(&GUIDE), 0, 500),
            "[]",
            "The catalogue, in the order of the static policy.",
        ),
        Key::optional(
            "contact",
            Form::Shape(&CONTACT),
            "How often a user may be shown guides at all.",
        ),
        Key::default("holdout", Form::Share, "0", "Share of users that never see a guide."),
        Key::default(
            "explore",
            Form::Share,
            "0",
            "Share of decisions drawn uniformly among what is eligible, kept for evaluation.",
        ),
        Key::optional(
            "groups",
            Form::Shape(&GROUPS),
            "Shares of users for comparison. With the holdout at most 1.",
        ),
        Key::optional("goal", Form::Shape(&GOAL), "What counts as success."),
        Key::optional("guard", Form::Shape(&GUARD), "When to stop by itself."),
        Key::optional("text", Form::Shape(&TEXT), "Rules for copy as a user would read it."),
        Key::default(
            "features",
            Form::List(&Form::Feature, 0, 50),
            "[]",
            "The context that decisions learn by, beside every milestone's status.",
        ),
    ],
    one_of: &[],
};

static EVENT: Shape = Shape {
    name: "an event type",
    about: "An event of the product.",
    keys: &[Key::optional("description", Form::Text(500), "What happened, for people.")],
    one_of: &[],
};

static ATTRIBUTE: Shape = Shape {
    name: "an attribute",
    about: "A property of a user, set by events.",
    keys: &[
        Key::required(
            "type",
            Form::Word(|| ATTRIBUTE_TYPE.iter().map(|(word, about, _)| (*word, *about)).collect()),
            "What values fit; others are dropped and counted.",
        ),
        Key::optional(
            "values",
            Form::List(&Form::Text(200), 1, 500),
            "The values of an enum; needed there, and only there.",
        ),
        Key::optional("default", Form::Scalar, "The value of a user who has none."),
        Key::default(
            "personal",
            Form::Flag,
            "false",
            "May fill a slot in copy, and nothing else: never reaches a condition, a feature, a model, a log or a label.",
        ),
    ],
    one_of: &[],
};

static JOURNEY: Shape = Shape {
    name: "`journey`",
    about: "The milestones on the way to activation.",
    keys: &[
        Key::optional(
            "signup",
            Form::Shape(&SIGNUP),
            "The event that starts a user's clock; the first event ever seen where absent.",
        ),
        Key::required(
            "activation",
            Form::Reference(Kind::Milestone),
            "Reaching this milestone is activation.",
        ),
        Key::required("milestones", Form::List(&Form::Shape(&MILESTONE), 1, 200), "The steps."),
    ],
    one_of: &[],
};

static SIGNUP: Shape = Shape {
    name: "`signup`",
    about: "What starts a user's clock.",
    keys: &[Key::required("event", Form::Reference(Kind::Event), "The type of event.")],
    one_of: &[],
};

static MILESTONE: Shape = Shape {
    name: "a milestone",
    about: "A step: locked, open, blocked, and once reached, reached for ever.",
    keys: &[
        Key::required("id", Form::Identifier, "Its name; unique among the milestones."),
        Key::optional("name", Form::Text(100), "What people call it; the id where absent."),
        Key::default(
            "requires",
            Form::List(&Form::Reference(Kind::Milestone), 0, 50),
            "[]",
            "Milestones that must be reached before this one opens.",
        ),
        Key::required("reached", Form::Condition, "Once this holds, the milestone is reached."),
        Key::optional("blocked", Form::Condition, "While this holds, the milestone is blocked."),
    ],
    one_of: &[],
};

static ROUTE: Shape = Shape {
    name: "a route",
    about: "A page of the product.",
    keys: &[
        Key::required("path", Form::Path, "Its path: `/projects`, `/projects/:id`, `/help/*`."),
        Key::optional(
            "app",
            Form::VersionRange,
            "The app versions that have it: `>=2.0.0, <4.0.0`. All where absent.",
        ),
    ],
    one_of: &[],
};

static TARGET: Shape = Shape {
    name: "a target",
    about: "A place that a guide may point to.",
    keys: &[
        Key::required("route", Form::Reference(Kind::RouteOrAny), "Its page; `*` for any."),
        Key::optional(
            "anchor",
            Form::Text(500),
            "CSS selector of the element; none for banners and modals.",
        ),
        Key::optional(
            "app",
            Form::VersionRange,
            "The app versions that have it: `>=1.4.0`. All where absent.",
        ),
    ],
    one_of: &[],
};

static CONTACT: Shape = Shape {
    name: "`contact`",
    about: "How often a user may be shown guides at all.",
    keys: &[
        Key::optional(
            "session",
            Form::Integer(1, 1000),
            "Most exposures in one session; no bound where absent.",
        ),
        Key::optional(
            "day",
            Form::Integer(1, 1000),
            "Most exposures in any 24 hours; no bound where absent.",
        ),
        Key::default(
            "gap",
            Form::Duration(Millis::ZERO, LONGEST),
            "\"0s\"",
            "Least time between any two exposures.",
        ),
        Key::default(
            "dismissed",
            Form::Duration(Millis::ZERO, Millis::days(14)),
            "\"24h\"",
            "Silence about the same milestone after a dismissal; doubles with each further one, at most 14 days.",
        ),
    ],
    one_of: &[],
};

static GROUPS: Shape = Shape {
    name: "`groups`",
    about: "Shares of users who are served by a simpler policy, for comparison.",
    keys: &[
        Key::default("random", Form::Share, "0", "Their guides are drawn uniformly."),
        Key::default(
            "static",
            Form::Share,
            "0",
            "They get the first eligible guide in file order.",
        ),
    ],
    one_of: &[],
};

static GOAL: Shape = Shape {
    name: "`goal`",
    about: "What counts as success.",
    keys: &[Key::default(
        "window",
        Form::Duration(Millis::minutes(1), LONGEST),
        "\"7d\"",
        "Activation within this time after an exposure is the reward.",
    )],
    one_of: &[],
};

static GUARD: Shape = Shape {
    name: "`guard`",
    about: "When to stop by itself.",
    keys: &[Key::optional(
        "dismiss",
        Form::Rate,
        "A variant whose dismissal rate is proven above this is paused; none is where absent.",
    )],
    one_of: &[],
};

static TEXT: Shape = Shape {
    name: "`text`",
    about: "Rules for copy as a user would read it, slots filled.",
    keys: &[
        Key::default("title", Form::Integer(1, 1000), "60", "Most graphemes in a title."),
        Key::default("body", Form::Integer(1, 1000), "160", "Most graphemes in a body."),
        Key::default("cta", Form::Integer(1, 1000), "24", "Most graphemes in a call to action."),
        Key::default(
            "forbid",
            Form::List(&Form::Pattern, 0, 200),
            "[]",
            "Case-insensitive regular expressions that must match nowhere.",
        ),
    ],
    one_of: &[],
};

/// A feature with buckets.
pub static FEATURE: Shape = Shape {
    name: "a feature",
    about: "A number attribute in buckets.",
    keys: &[
        Key::required("attribute", Form::Reference(Kind::Attribute), "The attribute; a number."),
        Key::required(
            "buckets",
            Form::List(&Form::Number, 1, 50),
            "Ascending bounds: n of them make n + 1 buckets, each with its lower bound in it.",
        ),
    ],
    one_of: &[],
};

/// What user ids look like.
pub static USER_ID: [Word<UserIdForm>; 2] = [
    (
        "uuid",
        "RFC 9562 with hyphens, any version; `anon-` before it makes it an anonymous user's.",
        UserIdForm::Uuid,
    ),
    ("any", "Any id of the caller's own, at most 200 bytes.", UserIdForm::Any),
];

/// The types of attributes. (What they mean to the engine depends on more than the word.)
pub static ATTRIBUTE_TYPE: [Word<()>; 6] = [
    ("enum", "One of `values`.", ()),
    ("version", "A semantic version.", ()),
    ("locale", "A BCP 47 language tag.", ()),
    ("number", "A finite number.", ()),
    ("boolean", "`true` or `false`.", ()),
    ("text", "Text of at most 500 bytes.", ()),
];

/// The event types that every product has. The engine reads a click or dismissal from `button_click` and
/// `tooltip_dismiss` only where they carry a decision id.
pub static BUILT_IN_EVENTS: [(&str, EventRole); 8] = [
    ("page_view", EventRole::Fact),
    ("button_click", EventRole::Clicked),
    ("form_submit", EventRole::Fact),
    ("tooltip_dismiss", EventRole::Dismissed),
    ("guide_shown", EventRole::Shown),
    ("guide_clicked", EventRole::Clicked),
    ("guide_dismissed", EventRole::Dismissed),
    ("guide_failed", EventRole::Fact),
];
