//! The body of the report: a page's worth of numbers for tables and charts. Must not compute anything but shares of counts.
//!
//! `docs/report.md` says what each of them means and where its method comes from.

use std::collections::BTreeMap;

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::decide::Group;
use pilotage_domain::id::ProductId;
use pilotage_domain::learn::Arm;
use pilotage_domain::learn::tally::Tally;
use pilotage_domain::number::Probability;
use pilotage_domain::report::curve::Point;
use pilotage_domain::report::ratio::Share;
use pilotage_domain::report::summary::Gain;
use pilotage_domain::report::{Interval, Lift, OfGroup, Ratio, Restricted, Side, Summary, Verdict};
use pilotage_domain::time::{Millis, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::schema;
use crate::instant;

/// Users and activations by group, and what guiding changed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Report")]
pub struct ReportBody {
    /// Of which product.
    pub product: String,
    /// As of when, by the clock in force.
    #[serde(with = "instant::text")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Within which time after signup an activation counts in `curves`, `lift` and `spend`, in milliseconds: the goal's window.
    pub window_ms: u64,
    /// Every group, also those without users.
    pub groups: Vec<GroupBody>,
    /// How far users came, by group: of those whose clock has started, whenever they did.
    pub funnel: Vec<FunnelBody>,
    /// Time from signup to activation, by group.
    pub curves: Vec<CurveBody>,
    /// The guided group against each other one that has a share: the holdout (what guides do), `random` (what learning
    /// does beyond showing something), `static`.
    pub lift: Vec<LiftBody>,
    /// Whether groups are as large as the settings say; null where only one has a share.
    pub sample_ratio: Option<RatioBody>,
    /// What became of exposures by wording, where the learner has drawn; by guide and wording.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmReport>,
    /// What asking models has cost, and what that bought.
    pub spend: SpendBody,
}

/// Users and activations of one group.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GroupReport")]
pub struct GroupBody {
    /// Which.
    #[schemars(with = "schema::Group")]
    pub group: Group,
    /// Users with at least one event.
    pub users: u64,
    /// Of these, those whose clock has started.
    pub signed_up: u64,
    /// Of these, those who reached activation.
    pub activated: u64,
    /// `activated` by `signedUp`; null where nobody has signed up.
    pub rate: Option<f64>,
}

/// How far the users of a group came.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FunnelReport")]
pub struct FunnelBody {
    /// Which group.
    #[schemars(with = "schema::Group")]
    pub group: Group,
    /// The milestones, in the definition's order.
    pub steps: Vec<StepBody>,
}

/// A milestone of the funnel.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FunnelStep")]
pub struct StepBody {
    /// Its id.
    pub milestone: String,
    /// Its name.
    pub name: String,
    /// Users who reached it.
    pub users: u64,
    /// Their share of the group's users whose clock has started; null where there is none.
    pub share: Option<f64>,
}

/// Time from signup to activation of one group, by Kaplan and Meier.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ActivationCurve")]
pub struct CurveBody {
    /// Which group.
    #[schemars(with = "schema::Group")]
    pub group: Group,
    /// When half of the users are activated, in milliseconds; null where that takes longer than was seen.
    pub median_ms: Option<f64>,
    /// The mean time to activation, of which at most the window counts; null until a day of users has had all of it.
    pub restricted_mean: Option<RestrictedBody>,
    /// The share that is activated by each time, as far as anybody was seen.
    pub points: Vec<PointBody>,
}

/// A restricted mean in milliseconds. Its interval of 95 % is for one look.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RestrictedMean")]
pub struct RestrictedBody {
    /// The mean.
    pub mean_ms: f64,
    /// The lower end.
    pub low_ms: f64,
    /// The upper end.
    pub high_ms: f64,
}

impl From<Restricted> for RestrictedBody {
    fn from(of: Restricted) -> Self {
        Self { mean_ms: of.mean_ms, low_ms: of.low_ms, high_ms: of.high_ms }
    }
}

/// A point of a curve. Its interval of 95 % is for one look at one point.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CurvePoint")]
pub struct PointBody {
    /// Time since signup, in milliseconds.
    pub after_ms: u64,
    /// Users who were seen from the point before to this one.
    pub at_risk: u64,
    /// The share that is activated by then.
    pub activated: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl From<&Point> for PointBody {
    fn from(of: &Point) -> Self {
        let Point { at, at_risk, activated, low, high, .. } = *of;
        Self { after_ms: at.get(), at_risk, activated, low, high }
    }
}

/// An estimate with an interval of 95 % that holds at every look, of all looks together.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "AlwaysValidInterval")]
pub struct IntervalBody {
    /// The estimate.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl From<Interval> for IntervalBody {
    fn from(of: Interval) -> Self {
        Self { estimate: of.estimate, low: of.low, high: of.high }
    }
}

/// The guided group against another: users whose whole day of signup has had the window.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LiftReport")]
pub struct LiftBody {
    /// The other group.
    #[schemars(with = "schema::Group")]
    pub against: Group,
    /// Days of signup (UTC) that are looked at.
    pub days: usize,
    /// Guided users.
    pub guided: SideBody,
    /// Users of the other group.
    pub other: SideBody,
    /// Difference of the shares that are activated in the window; null while there are too few users.
    pub difference: Option<IntervalBody>,
    /// Difference of the restricted mean times in milliseconds, below 0 where guided users are faster; null likewise.
    pub time_ms: Option<IntervalBody>,
    /// Evidence that there is a difference in activation: at 20 it counts as proven, whenever that is.
    pub e_value: f64,
    /// `open` until it is proven; then `better` or `worse`.
    pub verdict: &'static str,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "LiftSide")]
pub struct SideBody {
    /// Users.
    pub users: u64,
    /// Of these, those who were activated in the window.
    pub activated: u64,
    /// Their share; null of nobody.
    pub rate: Option<f64>,
}

impl From<Side> for SideBody {
    fn from(of: Side) -> Self {
        Self { users: of.users, activated: of.activated, rate: of.rate() }
    }
}

impl From<&Lift> for LiftBody {
    fn from(lift: &Lift) -> Self {
        Self {
            against: lift.against,
            days: lift.days,
            guided: lift.guided.into(),
            other: lift.other.into(),
            difference: lift.difference.map(IntervalBody::from),
            time_ms: lift.time_ms.map(IntervalBody::from),
            e_value: lift.e_value,
            verdict: match lift.verdict {
                Verdict::Open => "open",
                Verdict::Better => "better",
                Verdict::Worse => "worse",
            },
        }
    }
}

/// Whether groups are as large as the settings say.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SampleRatio")]
pub struct RatioBody {
    /// The groups that have a share.
    pub shares: Vec<ShareBody>,
    /// Evidence that they are not; valid however often one looks.
    pub e_value: f64,
    /// Whether it has reached 100: then no comparison of this report is to be trusted.
    pub alert: bool,
}

/// The share of one group among users whose clock has started.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GroupShare")]
pub struct ShareBody {
    /// Which group.
    #[schemars(with = "schema::Group")]
    pub group: Group,
    /// Its share by the settings.
    pub expected: f64,
    /// Its users.
    pub users: u64,
    /// Their share of all; null of nobody.
    pub share: Option<f64>,
}

impl From<&Ratio> for RatioBody {
    fn from(ratio: &Ratio) -> Self {
        let all: u64 = ratio.shares.iter().map(|share| share.users).sum();
        let share = |of: &Share| ShareBody {
            group: of.group,
            expected: of.expected,
            users: of.users,
            share: part(of.users, all),
        };
        let shares = ratio.shares.iter().map(share).collect();
        Self { shares, e_value: ratio.e_value, alert: ratio.alert }
    }
}

/// What became of the exposures of one wording, of draws that gave every wording a chance.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ArmReport {
    /// The guide.
    pub guide: String,
    /// The wording.
    pub variant: String,
    /// Exposures.
    pub shown: i64,
    /// Of these, those that were clicked in time.
    pub clicked: i64,
    /// Of these, those that were dismissed.
    pub dismissed: i64,
    /// Whether it is proven to be dismissed more often than `guard.dismiss` allows: while the learner serves, nobody is shown it.
    pub stopped: bool,
    /// Of these, those that are credited with an activation.
    pub activated: i64,
    /// The rate of credited exposures, each weighed by its inverse propensity: a plain mean is biased, since a wording is shown
    /// more after it was lucky. Null without an exposure before activation.
    pub rate: Option<f64>,
    /// Its standard error; not for looking again and again.
    pub error: Option<f64>,
    /// The lower end of an interval of 95 % around `rate` that holds at every look; null while there is too little.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
}

impl ArmReport {
    fn of((arm, tally): (&Arm, &Tally), guard: Option<Probability>) -> Self {
        let (rate, interval) = (tally.rate(), tally.interval());
        Self {
            guide: arm.guide.to_string(),
            variant: arm.variant.to_string(),
            shown: tally.shown,
            clicked: tally.clicked,
            dismissed: tally.dismissed,
            stopped: guard.is_some_and(|limit| tally.annoys(limit)),
            activated: tally.activated,
            rate: rate.map(|rate| rate.mean),
            error: rate.map(|rate| rate.error),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        }
    }
}

/// Money in millionths of a dollar.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SpendReport")]
pub struct SpendBody {
    /// What asking models about this product has cost so far.
    pub micro_usd: u64,
    /// Guided users of `lift` who were activated and would not have been; null while the lift against the holdout is not
    /// proven.
    pub incremental: Option<IntervalBody>,
    /// `microUsd` for each of them; null likewise.
    pub per_incremental_micro_usd: Option<IntervalBody>,
}

/// What a report is made of.
pub struct Parts<'a> {
    /// Of which product.
    pub product: &'a ProductId,
    /// As of when.
    pub at: Timestamp,
    /// The goal's window.
    pub window: Millis,
    /// The statistics.
    pub summary: &'a Summary,
    /// The milestones by id and name.
    pub milestones: &'a [(Box<str>, Box<str>)],
    /// The arms.
    pub arms: &'a BTreeMap<Arm, Tally>,
    /// The share of dismissals that a wording is allowed; `None` where there is no bound.
    pub guard: Option<Probability>,
    /// What models have cost.
    pub spent: MicroUsd,
    /// What that bought.
    pub gain: Option<Gain>,
}

impl ReportBody {
    /// The body of these.
    pub fn of(parts: &Parts<'_>) -> Self {
        let groups = &parts.summary.groups;
        Self {
            product: parts.product.to_string(),
            at: parts.at,
            window_ms: parts.window.get(),
            groups: groups.iter().map(group_body).collect(),
            funnel: groups.iter().map(|of| funnel_body(of, parts.milestones)).collect(),
            curves: groups.iter().map(curve_body).collect(),
            lift: parts.summary.lifts.iter().map(LiftBody::from).collect(),
            sample_ratio: parts.summary.ratio.as_ref().map(RatioBody::from),
            arms: parts.arms.iter().map(|arm| ArmReport::of(arm, parts.guard)).collect(),
            spend: SpendBody {
                micro_usd: parts.spent.get(),
                incremental: parts.gain.map(|gain| gain.users.into()),
                per_incremental_micro_usd: parts.gain.map(|gain| gain.micro_usd.into()),
            },
        }
    }
}

fn group_body(of: &OfGroup) -> GroupBody {
    let count = of.count;
    GroupBody {
        group: of.group,
        users: count.users,
        signed_up: count.signed_up,
        activated: count.activated,
        rate: part(count.activated, count.signed_up),
    }
}

fn funnel_body(of: &OfGroup, milestones: &[(Box<str>, Box<str>)]) -> FunnelBody {
    let step = |((milestone, name), users): (&(Box<str>, Box<str>), &u64)| StepBody {
        milestone: milestone.to_string(),
        name: name.to_string(),
        users: *users,
        share: part(*users, of.count.signed_up),
    };
    FunnelBody { group: of.group, steps: milestones.iter().zip(&of.funnel).map(step).collect() }
}

fn curve_body(of: &OfGroup) -> CurveBody {
    CurveBody {
        group: of.group,
        median_ms: of.curve.median_ms,
        restricted_mean: of.curve.restricted.map(RestrictedBody::from),
        points: of.curve.points.iter().map(PointBody::from).collect(),
    }
}

fn part(of: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| of as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use pilotage_domain::id::{GuideId, VariantId};

    use super::*;

    #[test]
    fn a_wording_that_is_dismissed_beyond_the_limit_is_stopped() {
        let arm = Arm {
            guide: GuideId::new("g").expect("an identifier"),
            variant: VariantId::new("v").expect("an identifier"),
        };
        let tally = |dismissed| Tally { shown: 40, dismissed, ..Tally::default() };
        let stopped = |dismissed, limit: Option<f64>| {
            ArmReport::of((&arm, &tally(dismissed)), limit.and_then(Probability::new)).stopped
        };
        assert!(stopped(40, Some(0.2)));
        assert!(!stopped(8, Some(0.2)), "as often as it may");
        assert!(!stopped(40, None), "no limit, no proof");
    }
}
