//! The report and what it is counted from: whatever stops the engine, and in whatever order outcomes come in.

use std::time::Duration;

use pilotage_domain::decide::Group;
use pilotage_domain::hash::uniform;
use pilotage_domain::id::UserId;
use pilotage_domain::policy::Policy;
use pilotage_domain::report::{GroupCount, Summary};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::{Engine, Options, Report};
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record::decision::StoredDecision;

use crate::world::{START, World, event, form, named, product, user};

const MARKET: &str = include_str!("market.yaml");

fn options(policy: Policy) -> Options {
    Options { policy, write_back_every: Duration::from_millis(20), ..Options::default() }
}

/// acme with shares for each group.
fn shared_out() -> String {
    let text = include_str!("../../../../examples/acme.yaml");
    let text =
        text.replace("holdout: 0.1 ", "holdout: 0.3 ").replace("explore: 0.02 ", "explore: 0 ");
    assert!(text.contains("holdout: 0.3 "), "the share has another form now");
    text
}

async fn report(world: &World) -> Report {
    world.settle().await;
    world.engine.report(&product()).await.expect("the store answers").expect("it is served")
}

/// Sixty users a day, of whom every second creates a project at once and every third goes all the way within hours.
async fn days_pass(world: &World, days: std::ops::Range<u32>) {
    for day in days {
        for n in 0..60 {
            let who = user(1 + day * 60 + n);
            let at = START + Millis::days(u64::from(day)) + Millis::minutes(u64::from(n));
            world.at(at);
            world.send(event(&who, "signed_up", "{}")).await;
            if n % 2 == 0 {
                world.send(form(&who, "new_project", true)).await;
            }
            if n % 6 == 0 {
                world.at(at + Millis::hours(u64::from(n / 6)));
                world.send(event(&who, "data_imported", "{}")).await;
                world.send(event(&who, "report_viewed", "{}")).await;
            }
        }
    }
}

#[tokio::test]
async fn the_report_counts_users_milestones_and_times() {
    let world = World::with(shared_out(), options(Policy::Static)).await;
    days_pass(&world, 0..3).await;
    world.at(START + Millis::days(30));
    let report = report(&world).await;
    let groups = &report.summary.groups;
    let total = |of: fn(&GroupCount) -> u64| groups.iter().map(|g| of(&g.count)).sum::<u64>();
    assert_eq!(
        (total(|c| c.users), total(|c| c.signed_up), total(|c| c.activated)),
        (180, 180, 30)
    );
    let names: Vec<&str> = report.milestones.iter().map(|(id, _)| &**id).collect();
    assert_eq!(names, ["project", "data", "billing", "first_report"]);
    let reached = |n: usize| groups.iter().map(|g| g.funnel[n]).sum::<u64>();
    assert_eq!([0, 1, 2, 3].map(reached), [90, 30, 0, 30]);
    for of in groups.iter().filter(|of| matches!(of.group, Group::Guided | Group::Holdout)) {
        let curve = &of.curve;
        let last = curve.points.last().expect("all were seen for the whole window");
        assert_eq!(
            (last.at, last.at_risk),
            (report.window, of.count.signed_up - of.count.activated)
        );
        let share = of.count.activated as f64 / of.count.signed_up as f64;
        assert!((last.activated - share).abs() < 1e-9, "nobody is censored: {last:?}");
        assert!(curve.restricted.is_some() && curve.median_ms.is_none());
    }
    let [lift] = &report.summary.lifts[..] else { panic!("one other group has a share") };
    assert_eq!((lift.against, lift.days), (Group::Holdout, 3));
    assert_eq!(lift.guided.users + lift.other.users, 180);
    assert_eq!(lift.guided.activated + lift.other.activated, 30);
    assert_eq!(report.gain, None);
    let ratio = report.summary.ratio.expect("two groups");
    assert!(!ratio.alert && (ratio.shares[0].expected - 0.7).abs() < 1e-12, "{ratio:?}");
}

#[tokio::test]
async fn what_is_too_young_is_not_compared() {
    let world = World::with(shared_out(), options(Policy::Static)).await;
    days_pass(&world, 0..2).await;
    let days_at = async |moment: Timestamp| {
        world.at(moment);
        report(&world).await.summary.lifts[0].days
    };
    // Users of the first day were all there at its end, twelve hours after it began for us; the window is a week.
    let end = START + Millis::hours(12);
    assert_eq!(days_at(end + Millis::days(7) - Millis::new(1)).await, 0);
    assert_eq!(days_at(end + Millis::days(7)).await, 1);
    assert_eq!(days_at(end + Millis::days(8)).await, 2);
}

#[tokio::test]
async fn neither_a_restart_nor_a_crash_nor_a_rebuild_changes_it() {
    let mut world = World::with(shared_out(), options(Policy::Static)).await;
    days_pass(&world, 0..2).await;
    world.engine.digest().await.expect("everything so far is stored");
    days_pass(&world, 2..3).await;
    let told = async |world: &World| {
        world.at(START + Millis::days(20));
        report(world).await.summary
    };
    let before = told(&world).await;
    world = world.crash(options(Policy::Static)).await;
    assert_eq!(told(&world).await, before, "after a crash");
    world = world.restart(options(Policy::Static)).await;
    assert_eq!(told(&world).await, before, "after a restart");
    world.engine.close().await;
    let rebuilt = Engine::rebuild(world.parts_with(options(Policy::Static)), |_, _| {}).await;
    rebuilt.expect("rebuilds");
    world = world.crash(options(Policy::Static)).await;
    assert_eq!(told(&world).await, before, "after a rebuild");
}

#[tokio::test]
async fn other_shares_count_everybody_anew() {
    let mut world = World::with(shared_out(), options(Policy::Static)).await;
    days_pass(&world, 0..2).await;
    let held = |summary: &Summary| summary.groups[1].count.users;
    let before = held(&report(&world).await.summary);
    let more = shared_out().replace("holdout: 0.3 ", "holdout: 0.6 ");
    world = world.restart_as(more, options(Policy::Static)).await;
    let after = report(&world).await.summary;
    assert!(held(&after) > before, "{after:?}");
    assert_eq!(after.groups[0].count.users + held(&after), 120);
    assert!(!after.ratio.expect("two groups").alert);
}

/// Shoppers who come twice, with what they see: what is to be told of them later.
struct Outcomes {
    told: Vec<IncomingEvent>,
    /// Those who see a guide and buy within three days of it.
    credited: i64,
    /// Those who see two guides before they buy.
    of_two: u32,
    /// Those who buy and see no guide.
    without: u32,
}

fn shopper(n: u32) -> UserId {
    UserId::new(&format!("shopper-{n}")).expect("valid")
}

async fn shop(world: &World) -> Outcomes {
    let mut outcomes = Outcomes { told: Vec::new(), credited: 0, of_two: 0, without: 0 };
    for n in 0..60 {
        let who = shopper(n);
        world.at(START + Millis::minutes(u64::from(n)));
        world.send(named(&format!("up-{n}"), event(&who, "signed_up", "{}"))).await;
        let mut seen = 0;
        // Every fourth comes to no page.
        for visit in (1..=2).filter(|_| n % 4 != 3) {
            let at = START + Millis::days(visit) + Millis::minutes(u64::from(n));
            world.at(at);
            let decision = world.decide(&who, "/home").await;
            if decision.guide.is_none() {
                continue;
            }
            let StoredDecision { decision_id, .. } = decision;
            seen += 1;
            for (kind, after) in [("guide_shown", 3), ("guide_clicked", 9)] {
                let payload = format!(r#"{{"decisionId":"{decision_id}"}}"#);
                let claimed = Some(at + Millis::seconds(after));
                let told = IncomingEvent { claimed, ..event(&who, kind, &payload) };
                outcomes.told.push(named(&format!("{kind}-{visit}-{n}"), told));
            }
        }
        if n % 3 == 0 {
            outcomes.credited += i64::from(seen > 0);
            outcomes.of_two += u32::from(seen == 2);
            outcomes.without += u32::from(seen == 0);
            let claimed = Some(START + Millis::days(3) + Millis::minutes(u64::from(n)));
            let sold = IncomingEvent { claimed, ..event(&who, "sold", "{}") };
            outcomes.told.push(named(&format!("sold-{n}"), sold));
        }
    }
    outcomes
}

/// The report once outcomes came in that order, days late.
async fn after(order: impl Fn(&mut Vec<IncomingEvent>)) -> (Report, Outcomes) {
    let world = World::with(MARKET.to_owned(), options(Policy::Learner)).await;
    let mut outcomes = shop(&world).await;
    order(&mut outcomes.told);
    world.at(START + Millis::days(20));
    for event in std::mem::take(&mut outcomes.told) {
        world.send(event).await;
    }
    (report(&world).await, outcomes)
}

#[tokio::test]
async fn late_doubled_and_reordered_outcomes_end_in_the_same_report() {
    let (plain, outcomes) = after(|_| ()).await;
    assert!(
        outcomes.of_two > 3 && outcomes.without >= 5,
        "{} {}",
        outcomes.of_two,
        outcomes.without
    );
    let arms = plain.arms.values();
    assert_eq!(arms.clone().map(|arm| arm.activated).sum::<i64>(), outcomes.credited, "once each");
    assert!(arms.map(|arm| arm.shown).sum::<i64>() > 60);
    let guided = plain.summary.groups[0].count;
    assert_eq!((guided.signed_up, guided.activated), (60, 20), "with a guide or without");
    for seed in 0u8..3 {
        let (mixed, _) = after(|told| {
            *told = told.iter().chain(told.iter()).cloned().collect();
            let mut n = 0u32;
            told.sort_by_cached_key(|_| {
                n += 1;
                uniform("order", &[&[seed], &n.to_be_bytes()])
            });
        })
        .await;
        assert_eq!(mixed.arms, plain.arms, "order {seed}");
        assert_eq!(mixed.summary, plain.summary, "order {seed}");
    }
}
