//! What differs between the record and the replay, counted. Must not decide anything.

use std::collections::BTreeMap;

use pilotage_domain::decide::{Decision, Outcome, Reason};
use pilotage_domain::id::{GuideId, MilestoneId, UserId};
use pilotage_domain::profile::Profile;
use pilotage_domain::time::Timestamp;
use pilotage_wire::decision_log::NO_GUIDE;
use pilotage_wire::instant;
use pilotage_wire::record::decision::StoredDecision;
use serde::Serialize;

use super::Replay;
use super::rows::{action, name_of};

/// In which way a decision comes out otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It does not.
    Same,
    /// Another guide.
    OtherGuide,
    /// The same guide in another wording.
    OtherWording,
    /// A guide where there was none.
    Gained,
    /// No guide where there was one.
    Lost,
}

/// One decision that comes out otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Which.
    pub decision_id: String,
    /// For which moment.
    #[serde(with = "instant::text")]
    pub at: Timestamp,
    /// What is on record: `GUIDE/VARIANT` or `no_guide`.
    pub recorded: String,
    /// What it comes to now.
    pub replayed: String,
    /// In which way.
    pub kind: Kind,
    /// Why: the gate that stops the recorded guide now, or the reason for which nothing was or is shown.
    pub because: String,
}

/// One guide.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuideLine {
    /// Which.
    pub guide: String,
    /// How often it was offered.
    pub recorded: u64,
    /// How often it is offered now.
    pub replayed: u64,
    /// Of these, in the same decisions.
    pub kept: u64,
}

/// One user.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserLine {
    /// Who.
    pub user: String,
    /// How many decisions.
    pub decisions: u64,
    /// How many come out otherwise.
    pub changed: u64,
    /// The first of these.
    pub first: Change,
}

/// One day, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DayLine {
    /// Which.
    pub day: String,
    /// Guides that were offered.
    pub recorded: u64,
    /// Guides that are offered now.
    pub replayed: u64,
}

/// One milestone, as the replay's definition sees the recorded events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MilestoneLine {
    /// Which.
    pub milestone: MilestoneId,
    /// How many users reach it.
    pub users: u64,
}

/// What a replay comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// Of which product.
    pub product: String,
    /// The content hash of the definition that was decided by.
    pub catalogue_hash: String,
    /// How many decisions were made by this very definition.
    pub same_definition: u64,
    /// Who chose for the guided group.
    pub policy: String,
    /// Decisions of record.
    pub decisions: u64,
    /// Users that they are about.
    pub users: u64,
    /// How many come out in which way.
    pub kinds: BTreeMap<Kind, u64>,
    /// Why those differ that do, by how often.
    pub because: Vec<(String, u64)>,
    /// Guides by id.
    pub guides: Vec<GuideLine>,
    /// Days in order.
    pub days: Vec<DayLine>,
    /// Milestones in the file's order.
    pub milestones: Vec<MilestoneLine>,
    /// How many users have a decision that comes out otherwise.
    pub changed_users: u64,
    /// Those with the most such decisions first; at most as many as were asked for.
    pub most_changed: Vec<UserLine>,
}

impl Replayed {
    /// Decisions that come out otherwise.
    pub fn changed(&self) -> u64 {
        self.kinds.iter().filter(|(kind, _)| **kind != Kind::Same).map(|(_, count)| count).sum()
    }
}

#[derive(Default)]
struct UserTelling {
    decisions: u64,
    changed: u64,
    first: Option<Change>,
}

/// The counts on the way.
#[derive(Default)]
pub(super) struct Telling {
    decisions: u64,
    hashes: BTreeMap<String, u64>,
    kinds: BTreeMap<Kind, u64>,
    because: BTreeMap<String, u64>,
    guides: BTreeMap<GuideId, GuideLine>,
    days: BTreeMap<String, (u64, u64)>,
    users: BTreeMap<UserId, UserTelling>,
}

impl Telling {
    /// Takes in a decision of record and what it comes to now.
    pub(super) fn decision(&mut self, stored: &StoredDecision, now: &Decision) {
        self.decisions += 1;
        *self.hashes.entry(stored.catalogue_hash.to_string()).or_default() += 1;
        let recorded = stored.guide.as_ref().map(|guide| (&guide.id, &guide.variant));
        let replayed = match &now.outcome {
            Outcome::Show { guide, .. } => Some((guide.id(), guide.variant())),
            Outcome::Withhold { .. } => None,
        };
        let kind = match (recorded, replayed) {
            (was, is) if was == is => Kind::Same,
            (Some(was), Some(is)) if was.0 == is.0 => Kind::OtherWording,
            (Some(_), Some(_)) => Kind::OtherGuide,
            (None, _) => Kind::Gained,
            (Some(_), None) => Kind::Lost,
        };
        *self.kinds.entry(kind).or_default() += 1;
        self.offers(recorded.map(|arm| arm.0), replayed.map(|arm| arm.0));
        let day = instant::format(stored.at).chars().take(10).collect();
        let day = self.days.entry(day).or_default();
        day.0 += u64::from(recorded.is_some());
        day.1 += u64::from(replayed.is_some());
        let user = self.users.entry(stored.user_id.clone()).or_default();
        user.decisions += 1;
        if kind == Kind::Same {
            return;
        }
        let because = because(stored, now);
        *self.because.entry(because.clone()).or_default() += 1;
        user.changed += 1;
        user.first.get_or_insert_with(|| {
            let named =
                |arm: Option<(&_, &_)>| arm.map_or(NO_GUIDE.to_owned(), |a| action(a.0, a.1));
            Change {
                decision_id: stored.decision_id.to_string(),
                at: stored.at,
                recorded: named(recorded),
                replayed: named(replayed),
                kind,
                because,
            }
        });
    }

    fn offers(&mut self, recorded: Option<&GuideId>, replayed: Option<&GuideId>) {
        if let Some(guide) = recorded {
            self.guides.entry(guide.clone()).or_default().recorded += 1;
        }
        if let Some(guide) = replayed {
            let line = self.guides.entry(guide.clone()).or_default();
            line.replayed += 1;
            line.kept += u64::from(recorded == replayed);
        }
    }

    pub(super) fn finish(
        mut self,
        asked: &Replay<'_>,
        profiles: impl Iterator<Item = Profile>,
    ) -> Replayed {
        let definition = asked.definition;
        for guide in definition.guides.iter() {
            self.guides.entry(guide.id.clone()).or_default();
        }
        let hash = definition.hash.to_string();
        let (mut reached, seen) = (BTreeMap::<MilestoneId, u64>::new(), self.users.len());
        for profile in profiles {
            for (milestone, _) in profile.reached {
                *reached.entry(milestone).or_default() += 1;
            }
        }
        let milestone = |id: &MilestoneId| MilestoneLine {
            milestone: id.clone(),
            users: reached.get(id).copied().unwrap_or(0),
        };
        let named =
            |(guide, line): (GuideId, GuideLine)| GuideLine { guide: guide.to_string(), ..line };
        let day = |(day, (recorded, replayed))| DayLine { day, recorded, replayed };
        let mut because: Vec<(String, u64)> = self.because.into_iter().collect();
        because.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let (changed_users, most_changed) = most_changed(self.users, asked.most_users);
        Replayed {
            product: definition.product.to_string(),
            same_definition: self.hashes.get(&hash).copied().unwrap_or(0),
            catalogue_hash: hash,
            policy: asked.policy.name().to_owned(),
            decisions: self.decisions,
            users: seen as u64,
            kinds: self.kinds,
            because,
            guides: self.guides.into_iter().map(named).collect(),
            days: self.days.into_iter().map(day).collect(),
            milestones: definition.milestones.iter().map(|m| milestone(&m.id)).collect(),
            changed_users,
            most_changed,
        }
    }
}

fn most_changed(users: BTreeMap<UserId, UserTelling>, most: usize) -> (u64, Vec<UserLine>) {
    let line = |(user, told): (UserId, UserTelling)| {
        let UserTelling { decisions, changed, first } = told;
        Some(UserLine { user: user.to_string(), decisions, changed, first: first? })
    };
    let mut lines: Vec<UserLine> = users.into_iter().filter_map(line).collect();
    // A stable sort: users with as many stay in the order of their ids.
    lines.sort_by_key(|line| std::cmp::Reverse(line.changed));
    let count = lines.len() as u64;
    lines.truncate(most);
    (count, lines)
}

/// Why a decision comes out otherwise: what stops the recorded guide now; where there was none, why there was none.
fn because(stored: &StoredDecision, now: &Decision) -> String {
    let Some(guide) = &stored.guide else {
        let reason = stored.reason.map_or("none", Reason::name);
        return format!("was withheld: {reason}");
    };
    if let Outcome::Withhold { reason: Reason::Holdout, .. } = now.outcome {
        return "held out".to_owned();
    }
    match now.trace.guides.iter().find(|trace| trace.id == guide.id) {
        None => "not in the catalogue".to_owned(),
        Some(trace) => match &trace.stopped {
            Some((gate, _)) => format!("stopped by {}", name_of(gate)),
            None if trace.arms.iter().all(|(variant, _)| *variant != guide.variant) => {
                "the wording is not there".to_owned()
            }
            None => "drawn otherwise".to_owned(),
        },
    }
}
