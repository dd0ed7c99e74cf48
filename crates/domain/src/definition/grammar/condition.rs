//! The forms of a condition and of a comparison. Must not say how they are evaluated.

use super::{Form, Key, Kind, LONGEST, Shape, Word};
use crate::definition::condition::Status;
use crate::time::Millis;

/// Every form of a condition; the first key of each tells it from the others.
pub static CONDITIONS: [&Shape; 8] =
    [&ALL, &ANY, &NOT, &EVENT, &ATTRIBUTE, &MILESTONE, &SINCE, &ERROR];

const SPAN: Form = Form::Duration(Millis::ZERO, LONGEST);
const WINDOW: Form = Form::Duration(Millis::seconds(1), LONGEST);
const SCALARS: Form = Form::List(&Form::Scalar, 1, 200);

static ALL: Shape = Shape {
    name: "an `all` condition",
    about: "Holds when every inner condition does.",
    keys: &[Key::required("all", Form::List(&Form::Condition, 1, 50), "Every one must hold.")],
    one_of: &[],
};

static ANY: Shape = Shape {
    name: "an `any` condition",
    about: "Holds when at least one inner condition does.",
    keys: &[Key::required("any", Form::List(&Form::Condition, 1, 50), "At least one must hold.")],
    one_of: &[],
};

static NOT: Shape = Shape {
    name: "a `not` condition",
    about: "Holds when the inner condition does not.",
    keys: &[Key::required("not", Form::Condition, "Must not hold.")],
    one_of: &[],
};

static EVENT: Shape = Shape {
    name: "an `event` condition",
    about: "Holds when the user has at least `count` matching events, ever or in the last `within`.",
    keys: &[
        Key::required("event", Form::Reference(Kind::Event), "The type of event."),
        Key::optional(
            "where",
            Form::Map(&Form::PayloadPath, &Form::ScalarOrTest, 1, 20),
            "What the payload must hold, by dotted path: a value means equality; all of them must pass.",
        ),
        Key::default("count", Form::Integer(1, 1000), "1", "How many matching events it takes."),
        Key::optional(
            "within",
            WINDOW,
            "Only events of the last so long count; all of them where absent.",
        ),
    ],
    one_of: &[],
};

static ATTRIBUTE: Shape = Shape {
    name: "an `attribute` condition",
    about: "Holds when the attribute's current value (or its default) passes every comparison given.",
    keys: &[
        Key::required(
            "attribute",
            Form::Reference(Kind::Attribute),
            "The attribute; not a personal one.",
        ),
        EQ,
        NE,
        IN,
        GTE,
        LTE,
        EXISTS,
    ],
    one_of: COMPARISONS,
};

static MILESTONE: Shape = Shape {
    name: "a `milestone` condition",
    about: "Holds while the milestone has the status.",
    keys: &[
        Key::required("milestone", Form::Reference(Kind::Milestone), "The milestone."),
        Key::default(
            "status",
            Form::Word(|| STATUS.iter().map(|(word, about, _)| (*word, *about)).collect()),
            "\"reached\"",
            "The status.",
        ),
    ],
    one_of: &[],
};

static SINCE: Shape = Shape {
    name: "a `since` condition",
    about: "Holds when the time since then lies in the bounds; never where \"then\" has not been.",
    keys: &[
        Key::required(
            "since",
            Form::Reference(Kind::Anchor),
            "Then: `signup`, `last_event`, or the reaching of a milestone.",
        ),
        Key::optional("gte", SPAN, "At least this long ago."),
        Key::optional("lte", SPAN, "At most this long ago."),
    ],
    one_of: &["gte", "lte"],
};

static ERROR: Shape = Shape {
    name: "an `error` condition",
    about: "Holds when the user's last error is this one and not older than `within`.",
    keys: &[
        Key::required(
            "error",
            Form::Reference(Kind::Error),
            "The error; `other` for all that are not declared.",
        ),
        Key::default("within", WINDOW, "\"7d\"", "How old the error may be."),
    ],
    one_of: &[],
};

/// A comparison of a payload value.
pub static TEST: Shape = Shape {
    name: "a comparison",
    about: "Passes when every part does.",
    keys: &[EQ, NE, IN, GTE, LTE, EXISTS],
    one_of: COMPARISONS,
};

const COMPARISONS: &[&str] = &["eq", "ne", "in", "gte", "lte", "exists"];
const EQ: Key = Key::optional("eq", Form::Scalar, "Equal to this.");
const NE: Key = Key::optional("ne", Form::Scalar, "Not equal to this; absent passes too.");
const IN: Key = Key::optional("in", SCALARS, "Equal to one of these.");
const GTE: Key = Key::optional(
    "gte",
    Form::Scalar,
    "At least this: a number, or a version where the attribute is one.",
);
const LTE: Key = Key::optional(
    "lte",
    Form::Scalar,
    "At most this: a number, or a version where the attribute is one.",
);
const EXISTS: Key =
    Key::optional("exists", Form::Flag, "`true`: there is a value; `false`: there is none.");

/// The statuses of a milestone.
pub static STATUS: [Word<Status>; 4] = [
    ("reached", "Done, for ever.", Status::Reached),
    ("open", "May be worked on.", Status::Open),
    ("blocked", "Its blocked condition holds.", Status::Blocked),
    ("locked", "A required milestone is not reached.", Status::Locked),
];
