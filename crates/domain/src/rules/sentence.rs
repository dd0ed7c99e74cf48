//! Facts in plain words: what is, then what the guide needs. Must not find facts, nor say more than they hold.

use std::borrow::Cow;

use super::fact;
use crate::decide::Near;

impl Near {
    /// The fact in plain words, in one sentence or two. The instant `at` is only hinted at.
    pub fn sentence(&self) -> String {
        let parts = Parts {
            subject: self.subject.as_deref().unwrap_or_default(),
            needed: self.needed.as_deref().unwrap_or_default(),
            actual: self.actual.as_deref().unwrap_or_default(),
            missing: self.missing.as_deref(),
        };
        let told = parts.of_user(&self.fact).or_else(|| parts.of_guide(&self.fact));
        let told = told.or_else(|| parts.of_place(&self.fact));
        let told = told.or_else(|| parts.of_contact(&self.fact));
        // A decision of record may hold a fact that another version knew.
        let mut told = told.unwrap_or_else(|| parts.anyhow(&self.fact));
        if self.at.is_some() {
            told.push_str(" Time alone opens this gate.");
        }
        told
    }
}

/// The words that a fact has; empty where it has none.
struct Parts<'a> {
    subject: &'a str,
    needed: &'a str,
    actual: &'a str,
    missing: Option<&'a str>,
}

impl Parts<'_> {
    /// What the user is and has done: the gates `state`, `when` and `never`.
    fn of_user(&self, kind: &str) -> Option<String> {
        let Self { subject, actual, .. } = self;
        let needs = need(self.needed);
        Some(match kind {
            fact::MERGED => "The user is merged into another, and guides are for that one.".into(),
            fact::NEVER_HOLDS => "The guide's condition can't be met.".into(),
            fact::MILESTONE_STATUS => {
                let lock = self.missing.map(|id| format!(", as `{id}` is not reached yet"));
                let lock = lock.unwrap_or_default();
                format!(
                    "Milestone `{subject}` is {actual}{lock}; the guide needs it to be {needs}."
                )
            }
            // A personal one comes without words.
            fact::ATTRIBUTE if self.needed.is_empty() => {
                format!("Attribute `{subject}` does not fit; it is personal and not told.")
            }
            fact::ATTRIBUTE => {
                format!("Attribute `{subject}` is {actual}; the guide needs it to be {needs}.")
            }
            fact::EVENT_COUNT => return self.of_count(),
            fact::SINCE => {
                format!("{}; the guide needs it to be {needs} ago.", self.since())
            }
            fact::LAST_ERROR if *actual == "none" => {
                format!("There is no error yet; the guide needs {needs}.")
            }
            fact::LAST_ERROR => format!("The last error is {actual}; the guide needs {needs}."),
            _ => return None,
        })
    }

    /// `at least 3 where …`, of events.
    fn of_count(&self) -> Option<String> {
        let (bound, rest) = match self.needed.strip_prefix("at least ") {
            Some(rest) => ("at least ", rest),
            None => ("fewer than ", self.needed.strip_prefix("fewer than ")?),
        };
        let (number, which) = rest.split_once(' ').unwrap_or((rest, ""));
        let which = match which.rsplit_once(" within ") {
            Some((filter, window)) => format!(" {filter}, within {window}"),
            None if which.is_empty() => String::new(),
            None => format!(" {which}"),
        };
        let count = match (bound, number) {
            ("fewer than ", "1") => "no".to_owned(),
            _ => format!("{bound}{number}"),
        };
        let thing = if number == "1" { "event" } else { "events" };
        let there = match (self.actual, self.actual.strip_suffix(" or more")) {
            ("0", _) => "there is none".to_owned(),
            ("1", _) => "there is 1".to_owned(),
            (_, Some("1")) => "there is at least 1".to_owned(),
            (_, Some(least)) => format!("there are at least {least}"),
            (some, None) => format!("there are {some}"),
        };
        Some(format!("The guide needs {count} `{}` {thing}{which}; {there}.", self.subject))
    }

    /// How long ago a clock was set.
    fn since(&self) -> String {
        let Self { subject, actual, .. } = self;
        match (*subject, *actual) {
            ("signup", "not running") => "There was no signup yet".to_owned(),
            ("last_event", "not running") => "There was no event yet".to_owned(),
            (id, "not running") => format!("Milestone `{id}` is not reached yet"),
            ("signup", _) => format!("Signup was {actual} ago"),
            ("last_event", _) => format!("The last event was {actual} ago"),
            (id, _) => format!("Milestone `{id}` was reached {actual} ago"),
        }
    }

    /// What the guide itself is: the gate `lifecycle`.
    fn of_guide(&self, kind: &str) -> Option<String> {
        Some(match kind {
            fact::LIFECYCLE => format!("The guide is {}; only a live one is shown.", self.actual),
            fact::PAUSED => "The guide is paused until somebody resumes it.".to_owned(),
            fact::EXPIRED => "The guide has expired.".to_owned(),
            fact::VARIANTS => "No wording of the guide is live.".to_owned(),
            _ => return None,
        })
    }

    /// What the caller, the app, the page and the words are: the gates `surface`, `copy` and `text`.
    fn of_place(&self, kind: &str) -> Option<String> {
        let Self { subject, needed, actual, .. } = self;
        Some(match kind {
            fact::COMPONENT => format!("The caller can't draw the component `{subject}`."),
            fact::APP_VERSION => {
                format!("`{subject}` is in app versions {needed}; the user's is {actual}.")
            }
            fact::PATH => {
                format!("The guide stands on `{subject}` ({needed}); the user is on another page.")
            }
            fact::ACTION_PATH => {
                format!("The guide leads to `{subject}`, and the user is there already.")
            }
            fact::COPY_SLOT if *needed == "set" => {
                format!("The wording needs attribute `{subject}`, which is not set.")
            }
            fact::COPY_SLOT => {
                "The wording is there neither in the user's locale nor in the default one."
                    .to_owned()
            }
            fact::TEXT_RULE => {
                format!("Filled in for this user, the {subject} must have {needed}.")
            }
            _ => return None,
        })
    }

    /// What was shown before: the gates `limits` and `contact`.
    fn of_contact(&self, kind: &str) -> Option<String> {
        let Self { subject, needed, actual, .. } = self;
        let most = needed.strip_prefix("fewer than ");
        let gap = needed.strip_prefix("at least ");
        let were = if *actual == "1" { "guide was" } else { "guides were" };
        Some(match kind {
            fact::GUIDE_SHOWS => {
                let times = if *actual == "1" { "once" } else { &format!("{actual} times") };
                format!("The user was shown this guide {times}; its limit is {}.", most?)
            }
            fact::GUIDE_GAP => {
                format!("The user was shown this guide {actual} ago; its gap is {}.", gap?)
            }
            fact::SESSION_CONTACTS => {
                format!("{actual} {were} shown in this session; the limit is {}.", most?)
            }
            fact::DAY_CONTACTS => {
                format!("{actual} {were} shown in the last 24h; the limit is {}.", most?)
            }
            fact::CONTACT_GAP => {
                format!("A guide was shown {actual} ago; the gap between two is {}.", gap?)
            }
            fact::DISMISSED => {
                let (silence, age) = (gap?.strip_suffix(" old")?, actual.strip_suffix(" old")?);
                format!(
                    "A guide for milestone `{subject}` was dismissed {age} ago; the silence about it lasts {silence}."
                )
            }
            _ => return None,
        })
    }

    /// A fact that this version has no sentence for.
    fn anyhow(&self, kind: &str) -> String {
        let of = |text: &str, before: &str| {
            if text.is_empty() { String::new() } else { format!("{before}{text}") }
        };
        let needed = if self.needed.is_empty() { "something else" } else { self.needed };
        let (subject, actual) = (of(self.subject, " of "), of(self.actual, "; it is "));
        format!("The guide needs {}{subject} to be {needed}{actual}.", kind.replace('_', " "))
    }
}

/// What is needed, as it follows on "to be".
fn need(needed: &str) -> Cow<'_, str> {
    let Some(unwanted) = needed.strip_prefix("other than ") else { return needed.into() };
    let bound = |side| unwanted.strip_prefix(side).filter(|rest| !rest.contains(" and "));
    match (bound("at least "), bound("at most ")) {
        (Some(least), _) => format!("under {least}").into(),
        (_, Some(most)) => format!("over {most}").into(),
        _ => format!("anything but {unwanted}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_other_versions_are_told_all_the_same() {
        let near = |fact: &'static str, needed: &'static str| Near {
            fact: fact.into(),
            subject: Some("project".into()),
            needed: Some(needed.into()),
            actual: Some("blue".into()),
            missing: None,
            at: None,
        };
        let table = [
            ("moon_phase", "full", "The guide needs moon phase of project to be full; it is blue."),
            (
                fact::EVENT_COUNT,
                "many",
                "The guide needs event count of project to be many; it is blue.",
            ),
            (
                fact::DISMISSED,
                "at least 1d",
                "The guide needs dismissed of project to be at least 1d; it is blue.",
            ),
        ];
        for (fact, needed, sentence) in table {
            assert_eq!(near(fact, needed).sentence(), sentence);
        }
        let bare = Near { subject: None, needed: None, actual: None, ..near("moon_phase", "") };
        assert_eq!(bare.sentence(), "The guide needs moon phase to be something else.");
    }
}
