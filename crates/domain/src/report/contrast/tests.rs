//! The comparison beside another program's, and what is looked at.

use super::super::cohort::Cell;
use super::*;
use crate::time::Millis;

const DAY: i64 = 86_400_000;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

/// Users a day and how many of them are activated in the window, of the guided group and of the other.
const DAYS: [(u64, u64, u64, u64); 6] = [
    (360, 20, 40, 2),
    (350, 19, 50, 2),
    (371, 30, 29, 0),
    (0, 0, 0, 0),
    (358, 24, 42, 3),
    (361, 33, 39, 4),
];

fn cohorts(days: &[(u64, u64, u64, u64)]) -> Cohorts {
    let mut cohorts = Cohorts::default();
    for (day, (n, y, m, z)) in (0i64..).zip(days) {
        for (group, users, activated) in [(Group::Guided, n, y), (Group::Holdout, m, z)] {
            let cell = |activated| Cell { group, day: Some(Day(day)), activated };
            cohorts.cells.insert(cell(None), users - activated);
            cohorts.cells.insert(cell(Some(0)), *activated);
        }
    }
    cohorts
}

/// A window of two minutes: bins end at 1 and 2, and are half way at a quarter and three quarters of it.
fn grid() -> Grid {
    Grid::new(Millis::minutes(2))
}

#[test]
fn the_estimate_and_the_evidence_are_those_of_another_program() {
    let lift = lift(&cohorts(&DAYS), Group::Holdout, 0.9, &grid(), Timestamp::from_millis(9 * DAY));
    assert_eq!(lift.guided, Side { users: 1_800, activated: 126 });
    assert_eq!(lift.other, Side { users: 200, activated: 11 });
    let difference = lift.difference.expect("enough users");
    near(difference.estimate, EXPECTED[0]);
    near(difference.high - difference.estimate, EXPECTED[1]);
    near(lift.e_value, EXPECTED[2]);
    let time = lift.time_ms.expect("enough users");
    near(time.estimate, EXPECTED[3]);
    near(time.estimate - time.low, EXPECTED[4]);
    assert_eq!(lift.verdict, Verdict::Open);
}

/// Difference, half width, evidence; time in milliseconds, half width.
const EXPECTED: [f64; 5] = [
    0.015095672050290413,
    0.05298619569203853,
    0.7025733292007574,
    -1358.6104845261254,
    4768.75761228345,
];

#[test]
fn only_days_that_have_had_the_whole_window_are_looked_at() {
    let users = cohorts(&DAYS);
    let at = |ms: i64| {
        lift(&users, Group::Holdout, 0.9, &grid(), Timestamp::from_millis(ms)).guided.users
    };
    let table = [(DAY, 0), (DAY + 119_999, 0), (DAY + 120_000, 360), (2 * DAY + 120_000, 710)];
    table.into_iter().for_each(|(ms, users)| assert_eq!(at(ms), users, "at {ms}"));
}

#[test]
fn other_groups_and_those_whose_clock_has_not_started_count_for_nothing() {
    let mut users = cohorts(&DAYS);
    let now = Timestamp::from_millis(9 * DAY);
    let before = lift(&users, Group::Holdout, 0.9, &grid(), now);
    for (group, day) in
        [(Group::Random, Some(Day(7))), (Group::Static, Some(Day(1))), (Group::Guided, None)]
    {
        users.cells.insert(Cell { group, day, activated: Some(0) }, 500);
    }
    assert_eq!(lift(&users, Group::Holdout, 0.9, &grid(), now), before);
}

#[test]
fn whoever_is_activated_after_the_window_is_not() {
    let (mut early, mut late) = (cohorts(&[]), cohorts(&[]));
    for group in [Group::Guided, Group::Holdout] {
        let cell = |activated| Cell { group, day: Some(Day(0)), activated };
        early.cells.insert(cell(None), 50);
        late.cells.insert(cell(Some(grid().bins())), 50);
    }
    let of = |users: &Cohorts| {
        lift(users, Group::Holdout, 0.5, &grid(), Timestamp::from_millis(9 * DAY))
    };
    assert_eq!(of(&early), of(&late));
    assert_eq!(of(&early).difference, None);
}

#[test]
fn an_interval_waits_for_ten_users_of_each_kind() {
    let of = |days: &[(u64, u64, u64, u64)]| {
        lift(&cohorts(days), Group::Holdout, 0.5, &grid(), Timestamp::from_millis(9 * DAY))
            .difference
    };
    assert_eq!(of(&[(900, 300, 900, 9)]), None);
    assert_eq!(of(&[(900, 300, 900, 891)]), None);
    assert!(of(&[(900, 300, 900, 10)]).is_some());
}

#[test]
fn the_verdict_needs_both_and_says_which_way() {
    let of = |y: u64, z: u64| {
        let days = vec![(1_000, y, 1_000, z); 5];
        lift(&cohorts(&days), Group::Holdout, 0.5, &grid(), Timestamp::from_millis(9 * DAY)).verdict
    };
    assert_eq!(
        (of(300, 100), of(100, 300), of(200, 200)),
        (Verdict::Better, Verdict::Worse, Verdict::Open)
    );
}
