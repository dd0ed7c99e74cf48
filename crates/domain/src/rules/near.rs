//! Facts as data. Must not find them; `sentence` puts them into words.

use std::borrow::Cow;

use super::fact;
use crate::decide::Near;
use crate::definition::condition::Status;
use crate::profile::charge::{Limit, Stop};
use crate::time::Millis;

/// Every status that a milestone can have.
pub(crate) const STATUSES: [Status; 4] =
    [Status::Locked, Status::Open, Status::Blocked, Status::Reached];

/// The status as a definition names it.
pub(crate) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Locked => "locked",
        Status::Open => "open",
        Status::Blocked => "blocked",
        Status::Reached => "reached",
    }
}

/// Words of our own, or put together.
type Text = Cow<'static, str>;

/// A fact with all its words.
pub(super) fn words(
    fact: &'static str,
    subject: &str,
    needed: impl Into<Text>,
    actual: impl Into<Text>,
) -> Near {
    Near { actual: Some(actual.into()), ..needs(fact, subject, needed) }
}

/// A fact that does not say what is.
pub(super) fn needs(fact: &'static str, subject: &str, needed: impl Into<Text>) -> Near {
    Near { needed: Some(needed.into()), ..about(fact, subject) }
}

/// A fact that says neither what is nor what is needed.
pub(super) fn about(fact: &'static str, subject: &str) -> Near {
    let subject = (!subject.is_empty()).then(|| subject.into());
    Near { fact: fact.into(), subject, needed: None, actual: None, missing: None, at: None }
}

/// A limit that is used up.
pub(super) fn limit(stop: Stop, subject: &str) -> Near {
    let (fact, counts) = match stop.limit {
        Limit::Shows => (fact::GUIDE_SHOWS, true),
        Limit::GuideGap => (fact::GUIDE_GAP, false),
        Limit::Session => (fact::SESSION_CONTACTS, true),
        Limit::Day => (fact::DAY_CONTACTS, true),
        Limit::Gap => (fact::CONTACT_GAP, false),
        Limit::Dismissed => (fact::DISMISSED, false),
    };
    let (need, have) = (Millis::new(stop.need), Millis::new(stop.have));
    let (needed, actual) = match stop.limit {
        _ if counts => (format!("fewer than {}", stop.need), stop.have.to_string()),
        // Ages are told in whole units, as people tell them.
        Limit::Dismissed => (format!("at least {need} old"), format!("{} old", whole(have))),
        _ => (format!("at least {need}"), roughly(have)),
    };
    let subject =
        if matches!(stop.limit, Limit::Session | Limit::Day | Limit::Gap) { "" } else { subject };
    Near { at: stop.opens_at, ..words(fact, subject, needed, actual) }
}

/// The length in its largest whole unit: `23h`, or `over 23h` where that is not all of it.
pub(super) fn roughly(length: Millis) -> String {
    let whole = whole(length);
    if whole == length { length.to_string() } else { format!("over {whole}") }
}

/// As much of the length as its largest unit holds.
fn whole(length: Millis) -> Millis {
    const UNITS: [Millis; 4] =
        [Millis::days(1), Millis::hours(1), Millis::minutes(1), Millis::seconds(1)];
    let ms = length.get();
    let unit = UNITS.iter().map(|unit| unit.get()).find(|unit| ms >= *unit).unwrap_or(1);
    Millis::new(ms - ms % unit)
}
