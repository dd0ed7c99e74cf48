//! What operators see: users, timelines, decisions, counts. Must go through the engine's public calls alone.

use pilotage_domain::decide::Group;
use pilotage_engine::{GuideOutcome, TimelineItem};

use crate::world::{World, acme, event, form, named, product, small_memory, user};

#[tokio::test]
async fn a_timeline_tells_events_decisions_and_outcomes_in_order() {
    let world = World::new().await;
    let ada = user(1);
    world.send(event(&ada, "signed_up", "{}")).await;
    let decision = world.decide(&ada, "/projects").await;
    let payload = format!(r#"{{"decisionId":"{}"}}"#, decision.decision_id);
    for kind in ["guide_shown", "button_click"] {
        world.send(event(&ada, kind, &payload)).await;
    }
    world.settle().await;
    let page =
        world.engine.timeline(&product(), &ada, 100, None).await.expect("read").expect("known");
    let told: Vec<&str> = page
        .items
        .iter()
        .map(|(_, item)| match item {
            TimelineItem::Event(event) => &*event.kind,
            TimelineItem::Decision(_) => "decision",
            TimelineItem::Outcome { outcome: GuideOutcome::Shown, .. } => "shown",
            TimelineItem::Outcome { outcome: GuideOutcome::Clicked, .. } => "clicked",
            TimelineItem::Outcome { outcome: GuideOutcome::Dismissed, .. } => "dismissed",
            TimelineItem::Named { .. } | TimelineItem::Carried { .. } => "merged",
        })
        .collect();
    assert_eq!(told, ["signed_up", "decision", "shown", "clicked"]);
    let again = world.engine.decision(&product(), decision.decision_id).await.expect("read");
    assert_eq!(again, Some(decision));
}

#[tokio::test]
async fn long_timelines_are_paged_without_holes_across_spilled_runs() {
    let world = World::with(acme(), small_memory()).await;
    let ada = user(1);
    for n in 0..700 {
        world.send(named(&format!("e{n}"), event(&ada, "page_view", "{}"))).await;
        if n == 400 {
            world.engine.digest().await.expect("written back");
        }
    }
    world.settle().await;
    let mut after = None;
    let mut told = Vec::new();
    loop {
        let page =
            world.engine.timeline(&product(), &ada, 99, after).await.expect("read").expect("known");
        told.extend(page.items.iter().map(|(_, item)| match item {
            TimelineItem::Event(event) => event.id.to_string(),
            other => panic!("{other:?}"),
        }));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..700).map(|n| format!("e{n}")).collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_user_without_records_is_unknown() {
    let world = World::new().await;
    assert!(world.engine.user(&product(), &user(9)).await.expect("read").is_none());
    assert!(world.engine.timeline(&product(), &user(9), 10, None).await.expect("read").is_none());
}

#[tokio::test]
async fn reports_count_each_user_once_whatever_is_let_go_or_lost() {
    let world = World::with(acme(), small_memory()).await;
    for n in 0..200 {
        world.send(event(&user(n), "signed_up", "{}")).await;
        if n % 2 == 0 {
            world.send(event(&user(n), "report_viewed", "{}")).await;
        }
    }
    world.settle().await;
    world.engine.digest().await.expect("written back");
    for n in 0..200 {
        world.send(form(&user(n), "new_project", true)).await;
    }
    world.send(event(&user(1), "report_viewed", "{}")).await;
    world.settle().await;
    let world = world.crash_and_restart().await;
    let report = world.engine.report(&product()).await.expect("counted");
    let groups = report.expect("it is served").summary.groups;
    let guided = groups.iter().find(|of| of.group == Group::Guided).map(|of| of.count);
    let guided = guided.expect("every group is named");
    assert_eq!((guided.users, guided.signed_up, guided.activated), (200, 200, 101));
}
