//! What may be written in a product file, as data: the checker, the editors' schema and the documentation all read it
//! here. Must not decide what a definition means; that is the checker's.

mod condition;
mod guide;
mod product;

pub use condition::{CONDITIONS, STATUS, TEST};
pub use guide::{COMPONENT, GUIDE, INTENT, LIFECYCLE};
pub use product::{ATTRIBUTE_TYPE, BUILT_IN_EVENTS, FEATURE, PRODUCT, USER_ID};

use crate::profile::attribute::MAX_TEXT;
use crate::time::Millis;

/// The deepest that conditions may be nested; a condition without inner ones is one level deep.
pub const CONDITION_DEPTH: usize = 8;
/// The longest duration anywhere.
pub const LONGEST: Millis = Millis::days(3650);
/// The largest integer that every reader of JSON holds exactly.
pub const MOST_EXACT: u64 = (1 << 53) - 1;
/// The longest text that a condition compares with, in bytes; as long as an attribute's text can be.
pub const MOST_SCALAR: usize = MAX_TEXT;
/// The longest template as written, in characters; the text rules count what a user would read.
pub const MOST_TEMPLATE: usize = 4_000;
/// The longest regular expression as written, in bytes.
pub const MOST_PATTERN: usize = 500;
/// The most distinct `event` conditions.
pub const MOST_COUNTERS: usize = 200;

/// A mapping with known keys.
#[derive(Debug)]
pub struct Shape {
    /// What people call it: `a guide`.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Keys of which at least one must be there; no rule where empty.
    pub one_of: &'static [&'static str],
}

impl Shape {
    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    /// As written.
    pub name: &'static str,
    /// What it says, in a sentence or two for someone who writes a product file.
    pub about: &'static str,
    /// What stands under it.
    pub form: Form,
    /// Whether it may be left out.
    pub presence: Presence,
}

impl Key {
    const fn required(name: &'static str, form: Form, about: &'static str) -> Self {
        Self { name, about, form, presence: Presence::Required }
    }
    const fn optional(name: &'static str, form: Form, about: &'static str) -> Self {
        Self { name, about, form, presence: Presence::Optional }
    }
    const fn default(
        name: &'static str,
        form: Form,
        json: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, about, form, presence: Presence::Default(json) }
    }
}

/// Whether a key may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It may not.
    Required,
    /// It may: then there is none of it.
    Optional,
    /// It may: then this counts, written as JSON.
    Default(&'static str),
}

/// A word of a closed list, what it means to a person, and what it means to the engine.
pub type Word<T> = (&'static str, &'static str, T);

/// A closed list of words without what they mean to the engine.
pub type Words = fn() -> Vec<(&'static str, &'static str)>;

/// What may stand somewhere.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Text of at least one and at most so many characters, without control characters but for line breaks.
    Text(usize),
    /// Copy: text with slots.
    Template,
    /// `[a-z0-9_-]{1,64}`.
    Identifier,
    /// The name of an event type: `[A-Za-z0-9_.:-]{1,64}`.
    EventName,
    /// The name of an attribute: a letter, then letters, digits, `_` and `-`; at most 64.
    AttributeName,
    /// The number 1.
    FormatNumber,
    /// An integer in the range, both ends included.
    Integer(u64, u64),
    /// Any finite number.
    Number,
    /// A number in [0, 1).
    Share,
    /// A number in (0, 1].
    Rate,
    /// `true` or `false`.
    Flag,
    /// An integer and one of `s m h d`, in the range, both ends included.
    Duration(Millis, Millis),
    /// Comparisons of semantic versions, separated by commas that mean "and".
    VersionRange,
    /// An RFC 3339 time.
    Time,
    /// A BCP 47 language tag.
    Locale,
    /// A path: `/`, then segments, where `:name` stands for any one and a last `*` for any rest.
    Path,
    /// A dotted path into an event's payload.
    PayloadPath,
    /// A regular expression.
    Pattern,
    /// One of these words.
    Word(Words),
    /// The name of something that the file declares.
    Reference(Kind),
    /// Text, number or flag.
    Scalar,
    /// A scalar, which must be equal, or a comparison.
    ScalarOrTest,
    /// A condition.
    Condition,
    /// The name of a feature, or an attribute with buckets.
    Feature,
    /// A list of at least and at most so many.
    List(&'static Form, usize, usize),
    /// A mapping with known keys.
    Shape(&'static Shape),
    /// A mapping from names of the first form to the second, at least and at most so many.
    Map(&'static Form, &'static Form, usize, usize),
    /// A mapping with known keys, or nothing, which means the same as an empty one.
    ShapeOrNothing(&'static Shape),
}

/// A kind of thing that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An event type.
    Event,
    /// An error name, or `other`.
    Error,
    /// An attribute.
    Attribute,
    /// A milestone.
    Milestone,
    /// A milestone, `signup` or `last_event`.
    Anchor,
    /// A route.
    Route,
    /// A route, or `*` for any.
    RouteOrAny,
    /// A target.
    Target,
}
