//! The closed list of facts that a `Near` can name, stable for readers of traces. Must not grow without a sentence.

/// Whether the user is merged into another.
pub const MERGED: &str = "merged";
/// A milestone's status.
pub const MILESTONE_STATUS: &str = "milestone_status";
/// How many events of a kind.
pub const EVENT_COUNT: &str = "event_count";
/// An attribute's value.
pub const ATTRIBUTE: &str = "attribute";
/// The time since signup, the last event or a milestone.
pub const SINCE: &str = "since";
/// The last error.
pub const LAST_ERROR: &str = "last_error";
/// A condition that no fact can bring about.
pub const NEVER_HOLDS: &str = "never_holds";
/// Whether the guide is live.
pub const LIFECYCLE: &str = "lifecycle";
/// Whether an operator has paused the guide.
pub const PAUSED: &str = "paused";
/// Whether the guide's time is over.
pub const EXPIRED: &str = "expired";
/// Whether some wording is live.
pub const VARIANTS: &str = "variants";
/// Whether the caller can draw the component.
pub const COMPONENT: &str = "component";
/// The version of the app.
pub const APP_VERSION: &str = "app_version";
/// The page.
pub const PATH: &str = "path";
/// The page that the guide's action leads to.
pub const ACTION_PATH: &str = "action_path";
/// An attribute that a slot of the copy needs.
pub const COPY_SLOT: &str = "copy_slot";
/// A text rule, on a part of the copy.
pub const TEXT_RULE: &str = "text_rule";
/// Exposures of the guide.
pub const GUIDE_SHOWS: &str = "guide_shows";
/// Time since the guide's last exposure.
pub const GUIDE_GAP: &str = "guide_gap";
/// Exposures in the session.
pub const SESSION_CONTACTS: &str = "session_contacts";
/// Exposures in 24 hours.
pub const DAY_CONTACTS: &str = "day_contacts";
/// Time since any exposure.
pub const CONTACT_GAP: &str = "contact_gap";
/// How long ago a guide about the milestone was dismissed.
pub const DISMISSED: &str = "dismissed";
