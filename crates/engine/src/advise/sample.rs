//! A situation to try a model with: of a new user, as early as there is something to choose. Must not look at real users.

use std::collections::BTreeSet;

use pilotage_domain::advise::{Brief, NoCall};
use pilotage_domain::decide::{Request, Surface};
use pilotage_domain::definition::{AttributeForm, Definition};
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, MilestoneId, PromptId, SessionId, UserId};
use pilotage_domain::kin::ALONE;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::view::View;
use pilotage_domain::rules::{Situation, judge};
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Scalar;
use semver::Version;
use thiserror::Error;

/// A made-up user's situation, and the question about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The question.
    pub brief: Brief,
    /// The milestones that the user has reached, in that order.
    pub reached: Vec<MilestoneId>,
    /// The one attribute that is not at its default, with its value.
    pub attribute: Option<(Box<str>, Box<str>)>,
    /// The version of the user's app, where it matters.
    pub app_version: Option<Version>,
}

/// There is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no situation of a new user leaves a model two guides to choose between")]
pub struct NoSample;

/// The first situation in which two guides fit a user who has signed up just now: with as few milestones reached as may be,
/// one after the other as they open; then with attributes and app version as they are by default, then with others.
///
/// # Errors
/// Where there is none: then no model would be asked about new users.
pub fn sample(
    definition: &Definition,
    prompt: &PromptId,
    now: Timestamp,
) -> Result<Sample, NoSample> {
    let versions: Vec<Option<Version>> =
        std::iter::once(None).chain(versions(definition).into_iter().rev().map(Some)).collect();
    for reached in walk(definition) {
        for attribute in attributes(definition) {
            for app_version in &versions {
                let user = Newcomer { reached: &reached, attribute: &attribute, app_version };
                if let Ok(brief) = user.brief(definition, prompt, now) {
                    let app_version = app_version.clone();
                    return Ok(Sample { brief, reached, attribute, app_version });
                }
            }
        }
    }
    Err(NoSample)
}

/// An attribute with a value.
type Setting = Option<(Box<str>, Box<str>)>;

/// What has been reached after no step, one step, two …
fn walk(definition: &Definition) -> Vec<Vec<MilestoneId>> {
    let mut steps = vec![Vec::new()];
    let mut reached: Vec<MilestoneId> = Vec::new();
    loop {
        let is_open = |m: &&pilotage_domain::definition::Milestone| {
            let required = |ix| reached.contains(&definition.milestones[ix].id);
            !reached.contains(&m.id) && m.requires.iter().copied().all(required)
        };
        let mut milestones = definition.milestones.entries().map(|(_, milestone)| milestone);
        let Some(next) = milestones.find(is_open) else { return steps };
        reached.push(next.id.clone());
        steps.push(reached.clone());
    }
}

/// Nothing set, then each value of each attribute that has a list of them.
fn attributes(definition: &Definition) -> Vec<Setting> {
    let mut settings = vec![None];
    for (_, attribute) in definition.attributes.entries() {
        if let AttributeForm::Enum(values) = &attribute.form {
            let set = values.iter().map(|value| Some((attribute.name.clone(), value.clone())));
            settings.extend(set);
        }
    }
    settings
}

/// The versions at which a range of the product file begins or ends.
fn versions(definition: &Definition) -> BTreeSet<Version> {
    let routes = definition.routes.entries().filter_map(|(_, route)| route.app.as_ref());
    let targets = definition.targets.entries().filter_map(|(_, target)| target.app.as_ref());
    let bounds = routes.chain(targets).flat_map(|range| &range.comparators);
    bounds.map(|c| Version::new(c.major, c.minor.unwrap_or(0), c.patch.unwrap_or(0))).collect()
}

/// A user who has signed up just now.
struct Newcomer<'a> {
    reached: &'a [MilestoneId],
    attribute: &'a Setting,
    app_version: &'a Option<Version>,
}

impl Newcomer<'_> {
    fn brief(
        &self,
        definition: &Definition,
        prompt: &PromptId,
        now: Timestamp,
    ) -> Result<Brief, NoCall> {
        let profile = self.profile(now);
        let version = self.app_version.as_ref().map(Version::to_string);
        // Any user and visit: a brief knows neither.
        let (Ok(user), Ok(session)) = (UserId::new("somebody"), SessionId::new("sometime")) else {
            return Err(NoCall::NothingToChoose);
        };
        let request = Request {
            id: DecisionId::from_bits(0),
            user: &user,
            session: &session,
            at: now,
            surface: Surface { app_version: version.as_deref(), ..Surface::default() },
            paused: &[],
            pending: &[],
            kin: &ALONE,
        };
        let situation = Situation::new(View { definition, profile: &profile, now }, &request);
        let judged = judge(&situation);
        Brief::of(prompt, &situation, &judged.situational)
    }

    fn profile(&self, now: Timestamp) -> Profile {
        let mut reached: Vec<_> = self.reached.iter().map(|id| (id.clone(), now)).collect();
        reached.sort();
        let set =
            |(name, value): &(Box<str>, Box<str>)| (name.clone(), Scalar::Text(value.clone()));
        Profile {
            applied: Position(1),
            events: 1,
            first_seen: Some(now),
            last_seen: Some(now),
            signup: Some(now),
            attributes: self.attribute.iter().map(set).collect(),
            reached,
            ..Profile::default()
        }
    }
}
