//! The report's statistics put together, as of a moment. Must not work anything out twice.

use super::cohort::{Cohorts, GROUPS, GroupCount};
use super::contrast::{Lift, Verdict, lift};
use super::curve::{Curve, curve};
use super::grid::Grid;
use super::ratio::{Ratio, Share, ratio};
use super::sequence::Interval;
use crate::advise::MicroUsd;
use crate::decide::Group;
use crate::definition::Definition;
use crate::time::Timestamp;

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Every group.
    pub groups: Vec<OfGroup>,
    /// The guided group against each other group that has a share.
    pub lifts: Vec<Lift>,
    /// Whether the groups are as large as they should be; `None` where there is only one.
    pub ratio: Option<Ratio>,
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct OfGroup {
    /// Which.
    pub group: Group,
    /// Its users.
    pub count: GroupCount,
    /// How many of those whose clock has started reached each milestone, in the definition's order.
    pub funnel: Vec<u64>,
    /// Time to activation.
    pub curve: Curve,
}

/// What an activation cost that would not have been without guides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Guided users who were activated and would not have been: the difference, times the guided users it is about.
    pub users: Interval,
    /// The money for each of them, in micro-dollars.
    pub micro_usd: Interval,
}

/// The share of each group by the settings.
pub fn shares(definition: &Definition) -> [(Group, f64); 4] {
    let others =
        [definition.holdout, definition.group_random, definition.group_static].map(|s| s.get());
    let guided = (1.0 - others.iter().sum::<f64>()).max(0.0);
    let [holdout, random, fixed] = others;
    // In the order of `GROUPS`.
    [
        (Group::Guided, guided),
        (Group::Holdout, holdout),
        (Group::Random, random),
        (Group::Static, fixed),
    ]
}

impl Summary {
    /// Of these users.
    pub fn of(definition: &Definition, cohorts: &Cohorts, grid: &Grid, now: Timestamp) -> Self {
        let milestones = definition.milestones.iter().count();
        let groups = GROUPS.map(|group| {
            let reached = |n: usize| {
                let number = u16::try_from(n).unwrap_or(u16::MAX);
                cohorts.reached.get(&(group, number)).copied().unwrap_or_default()
            };
            OfGroup {
                group,
                count: cohorts.count(group),
                funnel: (0..milestones).map(reached).collect(),
                curve: curve(cohorts, group, grid, now),
            }
        });
        let shares = shares(definition);
        let [(_, guided), others @ ..] = shares;
        let contrasted = others.into_iter().filter(|(_, share)| *share > 0.0 && guided > 0.0);
        let lifts = contrasted
            .map(|(group, share)| lift(cohorts, group, guided / (guided + share), grid, now));
        let users = shares.into_iter().map(|(group, expected)| Share {
            group,
            expected,
            users: cohorts.count(group).signed_up,
        });
        Self { lifts: lifts.collect(), ratio: ratio(users), groups: groups.into() }
    }

    /// What money that was spent comes to for each activation that would not have been; `None` while it is not proven that
    /// there are any.
    pub fn gain(&self, spent: MicroUsd) -> Option<Gain> {
        let lift = self.lifts.iter().find(|lift| lift.against == Group::Holdout)?;
        let difference = lift.difference.filter(|_| lift.verdict == Verdict::Better)?;
        let users = difference.times(lift.guided.users as f64);
        let spent = spent.get() as f64;
        // Proven: its lower end is above 0.
        let micro_usd = Interval {
            estimate: spent / users.estimate,
            low: spent / users.high,
            high: spent / users.low,
        };
        Some(Gain { users, micro_usd })
    }
}

#[cfg(test)]
mod tests {
    use super::super::cohort::{Cell, Day};
    use super::*;
    use crate::rules::fixture::Product;
    use serde_json::json;

    fn definition() -> Definition {
        Product::small()
            .with("/holdout", json!(0.25))
            .with("/groups", json!({ "random": 0.25 }))
            .definition()
    }

    /// Two thousand users a group and day, of which so many are activated at once in the guided group; twenty in the others.
    fn cohorts(activated: u64, days: i64) -> Cohorts {
        let mut cohorts = Cohorts::default();
        for day in 0..days {
            for (group, share, users) in [
                (Group::Guided, activated, 2_000),
                (Group::Holdout, 20, 1_000),
                (Group::Random, 20, 1_000),
            ] {
                let cell = |activated| Cell { group, day: Some(Day(day)), activated };
                cohorts.cells.insert(cell(Some(0)), share);
                cohorts.cells.insert(cell(None), users - share);
            }
        }
        cohorts.reached.insert((Group::Guided, 1), 7);
        cohorts
    }

    fn summary(activated: u64, days: i64) -> Summary {
        let definition = definition();
        let grid = Grid::new(definition.goal_window);
        let now = Timestamp::from_millis(100 * 86_400_000);
        Summary::of(&definition, &cohorts(activated, days), &grid, now)
    }

    #[test]
    fn every_group_is_there_and_lifts_where_there_is_a_share() {
        let summary = summary(40, 3);
        assert_eq!(summary.groups.iter().map(|of| of.group).collect::<Vec<_>>(), GROUPS);
        assert_eq!(summary.groups[0].funnel.get(..2), Some(&[0, 7][..]));
        assert_eq!(
            summary.groups[0].count,
            GroupCount { users: 6_000, signed_up: 6_000, activated: 120 }
        );
        let against: Vec<Group> = summary.lifts.iter().map(|lift| lift.against).collect();
        assert_eq!(against, [Group::Holdout, Group::Random]);
        let ratio = summary.ratio.expect("three groups");
        assert_eq!((ratio.shares.len(), ratio.alert), (3, false));
    }

    #[test]
    fn money_has_a_gain_only_once_the_lift_is_proven() {
        let (none, much, worse) = (summary(40, 9), summary(200, 9), summary(2, 9));
        let spent = MicroUsd::dollars(16);
        assert_eq!((none.gain(spent), worse.gain(spent)), (None, None));
        assert_eq!(worse.lifts[0].verdict, Verdict::Worse);
        let gain = much.gain(spent).expect("proven");
        // Of 18,000 guided users a tenth was activated, and of others a fiftieth.
        assert!((gain.users.estimate - 18_000.0 * 0.08).abs() < 2.0, "{gain:?}");
        assert!((gain.micro_usd.estimate - 16e6 / gain.users.estimate).abs() < 1e-6);
        assert!(
            gain.micro_usd.low < gain.micro_usd.estimate
                && gain.micro_usd.estimate < gain.micro_usd.high
        );
        let free = much.gain(MicroUsd::ZERO).expect("proven");
        assert_eq!(free.micro_usd, Interval { estimate: 0.0, low: 0.0, high: 0.0 });
    }
}
