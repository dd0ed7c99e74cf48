//! The keys of a guide, its variants and their copy. Must not say when a guide is eligible.

use super::{Form, Key, Kind, LONGEST, Shape, Word};
use crate::definition::{Component, Intent, Lifecycle};
use crate::time::Millis;

/// A guide.
pub static GUIDE: Shape = Shape {
    name: "a guide",
    about: "What may be shown, for which milestone, when, where and how often.",
    keys: &[
        Key::required("id", Form::Identifier, "Its name; unique among the guides."),
        Key::required(
            "about",
            Form::Text(1000),
            "What it is for, in a sentence or two that a colleague or a model can read.",
        ),
        Key::required(
            "serves",
            Form::Reference(Kind::Milestone),
            "The milestone that it helps to reach.",
        ),
        Key::required(
            "intent",
            Form::Word(|| INTENT.iter().map(|(word, about, _)| (*word, *about)).collect()),
            "Which status of that milestone it is for.",
        ),
        Key::optional("when", Form::Condition, "Must hold for the guide to be shown."),
        Key::optional("never", Form::Condition, "Must not hold for the guide to be shown."),
        Key::required("target", Form::Reference(Kind::Target), "Where it points."),
        Key::required(
            "component",
            Form::Word(|| COMPONENT.iter().map(|(word, about, _)| (*word, *about)).collect()),
            "How it is drawn.",
        ),
        Key::optional("action", Form::Shape(&ACTION), "Where its call to action leads."),
        Key::optional("limits", Form::Shape(&LIMITS), "How often one user may see it."),
        Key::default("lifecycle", LIFECYCLES, "\"live\"", "Whether it is in use."),
        Key::optional("expires", Form::Time, "Not shown from this RFC 3339 time on."),
        Key::required("variants", Form::List(&Form::Shape(&VARIANT), 1, 20), "Its wordings."),
    ],
    one_of: &[],
};

static ACTION: Shape = Shape {
    name: "`action`",
    about: "Where a call to action leads.",
    keys: &[Key::required(
        "route",
        Form::Reference(Kind::Route),
        "The page; its path can have no variable segments.",
    )],
    one_of: &[],
};

static LIMITS: Shape = Shape {
    name: "`limits`",
    about: "How often one user may see a guide.",
    keys: &[
        Key::optional(
            "shows",
            Form::Integer(1, 1000),
            "Most exposures of one user; no bound where absent.",
        ),
        Key::optional(
            "gap",
            Form::Duration(Millis::ZERO, LONGEST),
            "Least time between two exposures of one user.",
        ),
    ],
    one_of: &[],
};

static VARIANT: Shape = Shape {
    name: "a variant",
    about: "One wording of a guide.",
    keys: &[
        Key::required("id", Form::Identifier, "Its name; unique in its guide."),
        Key::default("lifecycle", LIFECYCLES, "\"live\"", "Whether it is in use."),
        Key::required(
            "copy",
            Form::Map(&Form::Locale, &Form::Shape(&COPY), 1, 50),
            "Its texts by language tag; the default locale must be there. `de-AT` falls back to `de`, then to the default.",
        ),
    ],
    one_of: &[],
};

static COPY: Shape = Shape {
    name: "copy",
    about: "The texts of a wording in one language. `{attribute}` or `{attribute|fallback}` is a slot.",
    keys: &[
        Key::required("title", Form::Template, "The headline."),
        Key::optional("body", Form::Template, "The sentence below."),
        Key::optional(
            "cta",
            Form::Template,
            "The words of the call to action; needed where the guide has an action.",
        ),
    ],
    one_of: &[],
};

const LIFECYCLES: Form =
    Form::Word(|| LIFECYCLE.iter().map(|(word, about, _)| (*word, *about)).collect());

/// What a guide is for.
pub static INTENT: [Word<Intent>; 3] = [
    ("activate", "The milestone is open: take the step.", Intent::Activate),
    ("unblock", "The milestone is blocked: offer the way out.", Intent::Unblock),
    ("educate", "The milestone is open: explain.", Intent::Educate),
];

/// How a guide is drawn.
pub static COMPONENT: [Word<Component>; 6] = [
    ("tooltip", "Beside an element; the target needs an anchor.", Component::Tooltip),
    ("modal", "Over the page.", Component::Modal),
    ("banner", "Along the page.", Component::Banner),
    ("hotspot", "A mark on an element that opens; the target needs an anchor.", Component::Hotspot),
    ("checklist", "A list of steps.", Component::Checklist),
    ("headless", "Drawn by the product itself.", Component::Headless),
];

/// Whether a guide or variant is in use.
pub static LIFECYCLE: [Word<Lifecycle>; 3] = [
    ("draft", "Being written; never shown.", Lifecycle::Draft),
    ("live", "In use.", Lifecycle::Live),
    ("retired", "Out of use for good; kept so that its past stays readable.", Lifecycle::Retired),
];
