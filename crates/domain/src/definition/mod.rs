//! What Pilotage knows about a product, checked and compiled. Must not exist unchecked: only `check` builds a `Definition`.

mod check;
pub mod condition;
pub mod fault;
pub mod grammar;
pub mod node;
pub mod table;

pub use check::{Checked, check};

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use regex::Regex;
use semver::VersionReq;

use crate::hash::ContentHash;
use crate::id::{ErrorName, GuideId, MilestoneId, ProductId, RouteId, TargetId, VariantId};
use crate::learn::settings::Tuning;
use crate::number::Probability;
use crate::time::{Millis, Timestamp};
use crate::value::Scalar;
use condition::{Condition, Counter};
use table::{Ix, Table};

/// A checked product definition; cheap to clone, never changed.
#[derive(Debug, Clone)]
pub struct Definition {
    parts: Arc<Parts>,
    tuning: Tuning,
}

impl Definition {
    /// Only the checker may call this: what it holds is valid from here on.
    pub(crate) fn from_checked(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), tuning: Tuning::default() }
    }

    /// The same, learnt from and chosen by as who runs it says: that does not stand in the file.
    pub fn tuned(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }

    /// How it is learnt from and chosen by.
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }
}

impl Deref for Definition {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Everything that a definition says, compiled. Read it through a `Definition`.
#[derive(Debug)]
pub struct Parts {
    /// The product's name.
    pub product: ProductId,
    /// The catalogue version; grows whenever the content changes.
    pub version: u64,
    /// SHA-256 of the canonical JSON of the whole definition.
    pub hash: ContentHash,
    /// Hash of the parts that a profile depends on (events, errors, attributes, journey, counters): when it differs,
    /// profiles must be folded again from the log.
    pub fold_hash: ContentHash,
    /// What user ids look like.
    pub user_id: UserIdForm,
    /// Event types, built-in ones first, then the declared ones in file order.
    pub events: Table<EventType>,
    /// Error names; any other is recorded as `other`.
    pub errors: Vec<ErrorName>,
    /// Attributes; `appVersion` and `locale` are always among them.
    pub attributes: Table<Attribute>,
    /// Where the version attribute stands.
    pub app_version: Ix<Attribute>,
    /// Where the locale attribute stands.
    pub locale: Ix<Attribute>,
    /// The event that starts a user's clock; the first event ever seen where `None`.
    pub signup: Option<Ix<EventType>>,
    /// The milestone whose reaching is activation.
    pub activation: Ix<Milestone>,
    /// Milestones in file order.
    pub milestones: Table<Milestone>,
    /// Routes in file order.
    pub routes: Table<Route>,
    /// Targets in file order.
    pub targets: Table<Target>,
    /// Guides in file order: the order of the `static` policy.
    pub guides: Table<Guide>,
    /// Contact rules.
    pub contact: ContactRules,
    /// Share of users who never see a guide.
    pub holdout: Probability,
    /// Share of decisions that are drawn uniformly among what is eligible.
    pub explore: Probability,
    /// Share of users whose guides are drawn uniformly.
    pub group_random: Probability,
    /// Share of users who get the first eligible guide in file order.
    pub group_static: Probability,
    /// Activation counts as reward within this time after the exposure.
    pub goal_window: Millis,
    /// A variant whose dismissal rate is proven above this is paused.
    pub guard_dismiss: Option<Probability>,
    /// Rules for rendered copy.
    pub text: TextRules,
    /// The context beside every milestone's status.
    pub features: Vec<Feature>,
    /// Every distinct `event` form of the definition: the counters of a profile.
    pub counters: Table<Counter>,
    /// The locale that every variant has, and that every other falls back to.
    pub default_locale: Box<str>,
}

/// What user ids look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserIdForm {
    /// RFC 9562, any version, hyphenated.
    Uuid,
    /// Any caller-owned id.
    Any,
}

/// A kind of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// As events carry it in `eventType`.
    pub name: Box<str>,
    /// What the engine itself does with it.
    pub role: EventRole,
}

/// What the engine itself does with a kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventRole {
    /// A fact of the product: counted, nothing more.
    Fact,
    /// `guide_shown`: a decision became an exposure.
    Shown,
    /// `guide_clicked`; also `button_click` with a decision id.
    Clicked,
    /// `guide_dismissed`; also `tooltip_dismiss` with a decision id.
    Dismissed,
}

/// A property of a user.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// As events and conditions name it.
    pub name: Box<str>,
    /// What values fit.
    pub form: AttributeForm,
    /// The value of a user who has none; always fits.
    pub default: Option<Scalar>,
    /// May fill a copy slot, but never reaches a model, a log line or a label.
    pub personal: bool,
}

/// What values an attribute takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeForm {
    /// One of these texts.
    Enum(Vec<Box<str>>),
    /// A semantic version.
    Version,
    /// A BCP 47 language tag.
    Locale,
    /// A finite number.
    Number,
    /// `true` or `false`.
    Bool,
    /// Text of at most 500 bytes.
    Text,
}

/// A step of the journey: a small state machine over the profile.
#[derive(Debug, Clone)]
pub struct Milestone {
    /// Its identifier.
    pub id: MilestoneId,
    /// What people call it.
    pub name: Box<str>,
    /// Milestones that must be reached before this one opens.
    pub requires: Vec<Ix<Milestone>>,
    /// Once this holds, the milestone is reached for ever.
    pub reached: Condition,
    /// While this holds, the milestone is blocked.
    pub blocked: Option<Condition>,
}

/// A page of the product.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its identifier.
    pub id: RouteId,
    /// Its path, beginning with `/`; a segment `:name` stands for any one segment, a last `*` for any rest.
    pub path: Box<str>,
    /// The app versions that have it; every version where `None`.
    pub app: Option<VersionReq>,
}

/// A place that a guide may point to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its identifier.
    pub id: TargetId,
    /// Its page; any page where `None` (`*` in the file).
    pub route: Option<Ix<Route>>,
    /// CSS selector of the element; none for banners and modals.
    pub anchor: Option<Box<str>>,
    /// The app versions that have it; every version where `None`.
    pub app: Option<VersionReq>,
}

/// A guide of the catalogue: what may be shown, for what, when, where and how often.
#[derive(Debug, Clone)]
pub struct Guide {
    /// Its identifier.
    pub id: GuideId,
    /// What it is for, in a sentence a model may read.
    pub about: Box<str>,
    /// The milestone it serves.
    pub serves: Ix<Milestone>,
    /// Which status of the milestone it is for.
    pub intent: Intent,
    /// Must hold.
    pub when: Option<Condition>,
    /// Must not hold.
    pub never: Option<Condition>,
    /// Where it points.
    pub target: Ix<Target>,
    /// How it is drawn.
    pub component: Component,
    /// Where its call to action leads.
    pub action: Option<Ix<Route>>,
    /// Most exposures of one user; no bound where `None`.
    pub shows: Option<u32>,
    /// Least time between two exposures of one user.
    pub gap: Option<Millis>,
    /// Whether it is in use.
    pub lifecycle: Lifecycle,
    /// Not shown from this instant on.
    pub expires: Option<Timestamp>,
    /// Its wordings; at least one.
    pub variants: Vec<Variant>,
}

/// Which status of its milestone a guide is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// Open milestones: take the step.
    Activate,
    /// Blocked milestones: the way out.
    Unblock,
    /// Open milestones: explain.
    Educate,
}

/// How a guide is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// Beside an element.
    Tooltip,
    /// Over the page.
    Modal,
    /// Along the page.
    Banner,
    /// A mark on an element that opens.
    Hotspot,
    /// A list of steps.
    Checklist,
    /// Drawn by the product itself.
    Headless,
}

/// Whether a guide or variant is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifecycle {
    /// Being written; never shown.
    Draft,
    /// In use.
    Live,
    /// Out of use for good.
    Retired,
}

/// One wording of a guide.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Its identifier, unique in its guide.
    pub id: VariantId,
    /// Whether it is in use.
    pub lifecycle: Lifecycle,
    /// By locale tag, as written; always holds the default locale.
    pub copy: BTreeMap<Box<str>, Copy>,
}

/// The texts of one wording in one locale.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The headline.
    pub title: Template,
    /// The sentence below; may be absent.
    pub body: Option<Template>,
    /// The call to action; may be absent where the guide has no action.
    pub cta: Option<Template>,
}

/// Text with slots, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub Vec<Piece>);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Words as they are.
    Words(Box<str>),
    /// `{attribute}` or `{attribute|fallback}`.
    Slot {
        /// Whose value fills it.
        attribute: Ix<Attribute>,
        /// What fills it for a user without a value.
        fallback: Option<Box<str>>,
    },
}

/// How often a user may be shown guides at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactRules {
    /// Most exposures in one session.
    pub session: Option<u32>,
    /// Most exposures in any 24 hours.
    pub day: Option<u32>,
    /// Least time between two exposures.
    pub gap: Millis,
    /// Silence about the same milestone after a dismissal; doubles with each further one, at most 14 days.
    pub dismissed: Millis,
}

/// Rules for copy as a user would read it, slots filled.
#[derive(Debug, Clone)]
pub struct TextRules {
    /// Most graphemes in a title.
    pub title: usize,
    /// Most graphemes in a body.
    pub body: usize,
    /// Most graphemes in a call to action.
    pub cta: usize,
    /// Case-insensitive expressions that must not match.
    pub forbid: Vec<Regex>,
}

/// One number or word of the context that a situation is known by.
#[derive(Debug, Clone, PartialEq)]
pub enum Feature {
    /// An attribute's value; numbers in the given ascending bounds, or in powers of two where there is none.
    Attribute {
        /// Which; never a personal one, nor free text.
        attribute: Ix<Attribute>,
        /// Ascending bounds of the buckets.
        buckets: Vec<f64>,
    },
    /// `appVersion.major`: the first number of a version attribute.
    Major(Ix<Attribute>),
    /// `lastError`: the name of the last error, or none.
    LastError,
    /// `daysSinceSignup`: d0, d1, d2_3, d4_7, d8_14 or d15plus.
    DaysSinceSignup,
}
