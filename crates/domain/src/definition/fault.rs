//! What can be wrong with a product file. Must not print anything: it carries, others render.

use std::fmt;

use crate::definition::node::{Node, Span};

/// One thing that is wrong (or, where its code is a warning, doubtful), and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where in the file.
    pub span: Span,
    /// Which kind; stable.
    pub code: FaultCode,
    /// Where in the content: `guides[2].variants[0].copy.en.title`; empty for the whole file.
    pub path: String,
    /// A sentence: what is wrong, what was found, what is allowed.
    pub message: String,
}

/// Whether a fault keeps a definition from loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The closed list of what can be wrong; `docs/definition-faults.md` has an example and a cure for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultCode {
            $($(#[$doc])* $name,)*
        }

        impl FaultCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

fault_codes! {
    /// Not YAML that can be read.
    Syntax = "syntax",
    /// The file is over 1 MiB.
    TooLarge = "too_large",
    /// Nested deeper than 64 levels.
    TooDeep = "too_deep",
    /// An anchor, alias, tag, merge key or second document.
    YamlFeature = "yaml_feature",
    /// The same key twice in one mapping.
    DuplicateKey = "duplicate_key",
    /// `format` is not 1.
    UnsupportedFormat = "unsupported_format",

    /// A text where a list belongs, and the like.
    WrongType = "wrong_type",
    /// A key that does not exist there.
    UnknownKey = "unknown_key",
    /// A key that must be there.
    MissingKey = "missing_key",
    /// A key that exists, but not together with what stands beside it.
    MisplacedKey = "misplaced_key",
    /// A list, mapping or text with nothing in it.
    Empty = "empty",
    /// More entries than fit.
    TooMany = "too_many",
    /// A text longer than fits.
    TooLong = "too_long",
    /// A number or duration outside its range.
    OutOfRange = "out_of_range",
    /// A word outside a closed list.
    UnknownWord = "unknown_word",
    /// A name with characters that names can't have.
    BadIdentifier = "bad_identifier",
    /// Not an integer and one of `s m h d`.
    BadDuration = "bad_duration",
    /// Not a range of semantic versions, or one that no version is in.
    BadVersionRange = "bad_version_range",
    /// Not a BCP 47 language tag.
    BadLocale = "bad_locale",
    /// Not an RFC 3339 time.
    BadTime = "bad_time",
    /// Not a path.
    BadPath = "bad_path",
    /// Not a regular expression, too large a one, or one that matches everything.
    BadPattern = "bad_pattern",
    /// Braces that are not a slot.
    BadSlot = "bad_slot",
    /// Not exactly one of the forms of a condition.
    BadCondition = "bad_condition",
    /// Conditions nested deeper than eight levels.
    ConditionDepth = "condition_depth",

    /// Two things of one kind with one name.
    DuplicateId = "duplicate_id",
    /// A name that the engine keeps for itself.
    ReservedName = "reserved_name",
    /// No such event type.
    UnknownEvent = "unknown_event",
    /// No such error name.
    UnknownError = "unknown_error",
    /// No such attribute.
    UnknownAttribute = "unknown_attribute",
    /// No such milestone.
    UnknownMilestone = "unknown_milestone",
    /// No such route.
    UnknownRoute = "unknown_route",
    /// No such target.
    UnknownTarget = "unknown_target",
    /// Copy with a slot for an attribute that isn't declared.
    UnknownSlot = "unknown_slot",

    /// A value that the attribute can't have.
    ValueMismatch = "value_mismatch",
    /// A comparison that nothing can pass.
    Contradiction = "contradiction",
    /// A personal attribute outside copy.
    PersonalAttribute = "personal_attribute",
    /// An attribute that can't be a feature, or not of that form.
    UnfitFeature = "unfit_feature",
    /// Milestones that require each other in a circle.
    RequiresCycle = "requires_cycle",
    /// Milestones whose `blocked` conditions ask for each other's status in a circle.
    StatusCycle = "status_cycle",
    /// The activation milestone, or one that it requires, can never be reached.
    UnreachableActivation = "unreachable_activation",
    /// Two things that belong together, but share no app version.
    NoCommonVersion = "no_common_version",
    /// A tooltip or hotspot whose target has no anchor.
    MissingAnchor = "missing_anchor",
    /// A call to action that leads to a path with variable segments.
    OpenPath = "open_path",
    /// Copy without the default locale.
    MissingLocale = "missing_locale",
    /// Holdout and groups are more than everybody.
    SharesExceedOne = "shares_exceed_one",
    /// Copy with too many graphemes.
    TextTooLong = "text_too_long",
    /// Copy that a forbidden expression matches.
    TextForbidden = "text_forbidden",
    /// Copy with a URL.
    TextUrl = "text_url",
    /// Copy with markup.
    TextMarkup = "text_markup",
    /// Copy with controls that turn the direction of writing.
    TextBidi = "text_bidi",
    /// Copy with characters that can't be seen.
    TextInvisible = "text_invisible",
    /// Text with control characters.
    TextControl = "text_control",

    /// Warning: no guide serves the milestone.
    UnservedMilestone = "unserved_milestone",
    /// Warning: the guide can never be eligible.
    NeverEligible = "never_eligible",
    /// Warning: wherever the guide is eligible, an earlier one is too.
    AlwaysShadowed = "always_shadowed",
}

impl FaultCode {
    /// Whether it keeps a definition from loading.
    pub const fn severity(self) -> Severity {
        match self {
            Self::UnservedMilestone | Self::NeverEligible | Self::AlwaysShadowed => {
                Severity::Warning
            }
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The most faults that are noted: whoever reads them has enough to do.
const MOST_FAULTS: usize = 1_000;

/// Faults as they are found.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Notes one; beyond `MOST_FAULTS`, nothing.
    pub(crate) fn add(&mut self, code: FaultCode, span: Span, message: impl Into<String>) {
        if self.0.len() < MOST_FAULTS {
            self.0.push(Fault { span, code, path: String::new(), message: message.into() });
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether nothing more is noted.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() == MOST_FAULTS
    }

    /// Whether there is one of that code.
    pub(crate) fn has(&self, code: FaultCode) -> bool {
        self.0.iter().any(|fault| fault.code == code)
    }

    /// All of them in file order, each once, with their paths in the tree; errors apart from warnings.
    pub(crate) fn into_sorted(mut self, root: &Node) -> (Vec<Fault>, Vec<Fault>) {
        for fault in &mut self.0 {
            fault.path = path_to(root, fault.span);
        }
        self.0.sort();
        self.0.dedup();
        self.0.into_iter().partition(|fault| fault.code.severity() == Severity::Error)
    }
}

/// The path to the value with that span, or else to the innermost key or value that begins at or before it.
///
/// Values are found by where they stand, so no reader has to carry a path along.
fn path_to(root: &Node, span: Span) -> String {
    let mut path = String::new();
    let mut node = root;
    while node.span != span {
        let entry = node.entries().iter().rfind(|entry| entry.key_span.start <= span.start);
        let item = node.items().iter().enumerate().rfind(|(_, item)| item.span.start <= span.start);
        if let Some(entry) = entry {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&entry.key);
            if span.start < entry.value.span.start {
                break;
            }
            node = &entry.value;
        } else if let Some((index, item)) = item {
            path.push_str(&format!("[{index}]"));
            node = item;
        } else {
            break;
        }
    }
    path
}
