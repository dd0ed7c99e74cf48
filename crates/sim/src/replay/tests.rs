//! Recorded visits replayed: the same definition and policy differ in nothing; an edit differs where it should.

use std::collections::BTreeSet;
use std::sync::Arc;

use pilotage_domain::event::EventContext;
use pilotage_domain::id::{ProductId, SessionId, UserId};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::memory::{ManualClock, MemoryLog, MemoryStore, SeededEntropy};
use pilotage_engine::{ClockMode, DecideCall, Engine, Options, Parts, ProductSource};
use pilotage_wire::decision_log::NO_GUIDE;
use pilotage_wire::event::IncomingEvent;
use pilotage_wire::record::decision::SurfaceBody;
use pilotage_wire::yaml;

use super::*;
use crate::evaluate::{Asked, Estimator, Question, Target, evaluate};
use crate::visit::{Plan, visit};

const ACME: &str = include_str!("../../../../examples/acme.yaml");
const UNTIL: Timestamp = Timestamp::from_millis(1_780_000_000_000);

fn definition(text: &str) -> Definition {
    yaml::load(text).unwrap_or_else(|faults| panic!("{faults:?}")).definition
}

/// The log that visitors of the sample product leave behind.
async fn recorded(visitors: u32, policy: Policy) -> MemoryLog {
    let log = MemoryLog::default();
    let parts = Parts {
        log: Arc::new(log.reopen()),
        store: Arc::new(MemoryStore::default()),
        clock: Arc::new(ManualClock::new(UNTIL)),
        entropy: Arc::new(SeededEntropy::new(1)),
        products: vec![ProductSource { definition: definition(ACME), text: ACME.to_owned() }],
        options: Options { clock: ClockMode::Events, policy, ..Options::default() },
    };
    let engine = Engine::open(parts).await.expect("memory opens");
    let plan = Plan { visitors, seed: 3, until: UNTIL, days: 14 };
    visit(&engine, &definition(ACME).product, &plan).await.expect("the visit ends");
    engine.close().await;
    log.reopen()
}

async fn replayed(log: &MemoryLog, text: &str, policy: Policy) -> (Replayed, Vec<Row>) {
    let definition = definition(text);
    let asked = Replay { definition: &definition, policy, most_users: 5 };
    replay(Traffic::Ordered(log), &asked, |_, _| {}).await.expect("the log is whole")
}

fn count(told: &Replayed, kind: Kind) -> u64 {
    told.kinds.get(&kind).copied().unwrap_or(0)
}

fn guide<'a>(told: &'a Replayed, id: &str) -> &'a GuideLine {
    told.guides.iter().find(|line| line.guide == id).expect("every guide has a line")
}

#[tokio::test]
async fn the_same_definition_and_policy_differ_in_nothing() {
    for policy in [Policy::Static, Policy::Random, Policy::Learner] {
        let log = recorded(50, policy).await;
        let (told, rows) = replayed(&log, ACME, policy).await;
        assert!(told.decisions > 200, "{told:?}");
        assert_eq!((told.changed(), told.changed_users), (0, 0), "{policy:?}: {:?}", told.because);
        assert_eq!(count(&told, Kind::Same), told.decisions);
        assert_eq!(told.same_definition, told.decisions);
        assert!(told.most_changed.is_empty() && told.because.is_empty());
        assert!(told.guides.iter().any(|line| line.recorded > 0));
        assert!(told.guides.iter().all(|l| l.recorded == l.replayed && l.replayed == l.kept));
        for row in rows.iter().filter(|row| row.explore == Some(false)) {
            for action in &row.actions {
                assert_eq!(action.evaluation, action.propensity, "{policy:?}: {row:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_edit_differs_where_it_should() {
    let log = recorded(80, Policy::Random).await;
    let without = ACME.replace(
        "  - id: open-report\n",
        "  - id: open-report\n    never: { event: page_view, count: 1 }\n",
    );
    let (told, _) = replayed(&log, &without, Policy::Random).await;
    let line = guide(&told, "open-report");
    assert!(line.recorded > 0 && line.replayed == 0, "{line:?}");
    assert_eq!(told.same_definition, 0);
    assert!(told.because.iter().any(|(why, _)| why == "stopped by never"), "{:?}", told.because);
    assert!(told.changed() >= line.recorded && told.changed_users > 0);
    assert_eq!(told.most_changed.len(), 5);
    let changes: Vec<u64> = told.most_changed.iter().map(|line| line.changed).collect();
    assert!(changes.is_sorted_by(|a, b| a >= b), "{changes:?}");
    let sum: u64 = told.kinds.values().sum();
    assert_eq!(sum, told.decisions);
    let days: (u64, u64) =
        told.days.iter().fold((0, 0), |sum, day| (sum.0 + day.recorded, sum.1 + day.replayed));
    let guides =
        told.guides.iter().fold((0, 0), |sum, line| (sum.0 + line.recorded, sum.1 + line.replayed));
    assert_eq!(days, guides);
    assert_eq!(days.0 + count(&told, Kind::Gained), days.1 + count(&told, Kind::Lost));
}

/// What would have been offered counts for its own limits: a guide that takes another's place is seen, too.
#[tokio::test]
async fn the_other_lives_keep_their_own_limits() {
    let log = recorded(80, Policy::Static).await;
    let once = ACME.replace("limits: { shows: 3, gap: 24h }", "limits: { shows: 1, gap: 24h }");
    let (told, _) = replayed(&log, &once, Policy::Static).await;
    assert!(told.because.iter().any(|(why, _)| why == "stopped by limits"), "{:?}", told.because);
    let strict = ACME.replace("  session: 2 ", "  session: 1 ").replace("  day: 4 ", "  day: 1 ");
    let (told, _) = replayed(&log, &strict, Policy::Static).await;
    assert!(count(&told, Kind::Lost) > 0);
    assert!(told.because.iter().any(|(why, _)| why == "stopped by contact"), "{:?}", told.because);
    let open = ACME.replace("holdout: 0.1 ", "holdout: 0 ");
    let (told, _) = replayed(&log, &open, Policy::Static).await;
    assert!(
        told.because.iter().any(|(why, _)| why == "was withheld: holdout"),
        "{:?}",
        told.because
    );
    // Nobody is offered a guide without end where nobody could be seen to see it.
    let gained = count(&told, Kind::Gained);
    let most = 4 * told.changed_users * told.days.len() as u64;
    assert!(gained > 0 && gained <= most, "{gained} of at most {most}");
}

#[tokio::test]
async fn rows_say_what_was_drawn_and_what_came_of_it() {
    let log = recorded(150, Policy::Random).await;
    let definition = definition(ACME);
    let rows =
        decisions(Traffic::Ordered(&log), &definition, |_, _| {}).await.expect("the log is whole");
    let (told, others) = replayed(&log, ACME, Policy::Random).await;
    assert_eq!((rows.len() as u64, others.len()), (told.decisions, rows.len()));
    let drawn: Vec<&Row> = rows.iter().filter(|row| row.propensity.is_some()).collect();
    assert!(drawn.iter().any(|row| row.action == NO_GUIDE));
    for row in &drawn {
        let sum: f64 = row.actions.iter().filter_map(|action| action.propensity).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{row:?}");
        assert_eq!(row.actions.last().map(|action| &*action.action), Some(NO_GUIDE));
        let even = 1.0 / row.actions.len() as f64;
        assert!((row.propensity.expect("drawn") - even).abs() < 1e-9, "{row:?}");
        assert!(row.mature.is_some() && row.repeat == Some(false));
        assert_eq!(row.mature_at.is_some(), row.mature == Some(false), "{row:?}");
    }
    assert!(rows.iter().filter(|row| row.propensity.is_none()).all(|row| row.actions.is_empty()));
    let activated = told.milestones.iter().find(|m| m.milestone.as_str() == "first_report");
    let rewarded: BTreeSet<_> =
        drawn.iter().filter(|row| row.reward == Some(1.0)).map(|row| &row.user_id).collect();
    let activated = activated.expect("it is the activation").users;
    assert!(!rewarded.is_empty() && rewarded.len() as u64 <= activated);
    assert!(drawn.iter().any(|row| row.shown_at.is_some() && row.clicked_at.is_some()));
    assert!(drawn.iter().all(|row| row.clicked_at.is_none() || row.action != NO_GUIDE));
}

/// A policy that draws alike is worth what the log is worth; another one has an answer, too.
#[tokio::test]
async fn rows_of_a_replay_can_be_evaluated() {
    let log = recorded(450, Policy::Random).await;
    let question = Question { target: Target::Given, rows: Asked::Drawn };
    let (_, rows) = replayed(&log, ACME, Policy::Random).await;
    let told = evaluate(&rows, &question).expect("sound rows");
    let value = |estimator: Estimator| {
        let found = told.estimates.iter().find(|estimate| estimate.estimator == estimator);
        found.map(|estimate| estimate.value)
    };
    assert_eq!(told.refused, None);
    assert!((told.largest_weight - 1.0).abs() < 1e-9, "{told:?}");
    assert_eq!(value(Estimator::Ips), told.logged.map(|logged| logged.value));
    let (_, rows) = replayed(&log, ACME, Policy::Learner).await;
    let told = evaluate(&rows, &question).expect("sound rows");
    assert_eq!(told.refused, None);
    assert!(!told.propensities_doubtful, "{told:?}");
    assert!(told.largest_weight > 1.0, "the learner has learnt of draws that it did not make");
}

#[tokio::test]
async fn pages_show_text_as_text_and_load_nothing() {
    let log = recorded(40, Policy::Static).await;
    let (mut told, _) = replayed(&log, ACME, Policy::Random).await;
    let evil = "<script>alert(1)</script>";
    told.most_changed[0].user = evil.to_owned();
    told.because.push((evil.to_owned(), 1));
    let page = html(&told);
    assert!(!page.contains("<script") && page.contains("&#60;script"));
    for loading in ["http:", "https:", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert!(page.contains("<svg") && page.contains("open-report"));
    let text = table(&told);
    assert!(text.contains("open-report") && text.contains("first_report"), "{text}");
    let json = serde_json::to_value(&told).expect("JSON");
    assert_eq!(json["policy"], "random");
    assert!(json["kinds"]["same"].is_u64() && json["mostChanged"][0]["first"]["at"].is_string());
}

/// The log of people who come anonymously, are guided, and sign up under another id.
async fn recorded_signing_up(policy: Policy) -> MemoryLog {
    let log = MemoryLog::default();
    let definition = definition(ACME);
    let parts = Parts {
        log: Arc::new(log.reopen()),
        store: Arc::new(MemoryStore::default()),
        clock: Arc::new(ManualClock::new(UNTIL)),
        entropy: Arc::new(SeededEntropy::new(1)),
        products: vec![ProductSource { definition: definition.clone(), text: ACME.to_owned() }],
        options: Options { clock: ClockMode::Events, policy, ..Options::default() },
    };
    let engine = Engine::open(parts).await.expect("memory opens");
    for n in 0..40 {
        signs_up(&engine, &definition.product, n).await;
    }
    engine.close().await;
    log.reopen()
}

async fn signs_up(engine: &Engine, product: &ProductId, n: u32) {
    let known = UserId::new(&format!("00000000-0000-4000-8000-{n:012}")).expect("valid");
    let anonymous = UserId::new(&format!("anon-{known}")).expect("valid");
    let mut at = UNTIL - Millis::days(30) + Millis::hours(u64::from(n));
    let steps = [
        (&anonymous, "page_view", "{}", false),
        (&anonymous, "form_submit", r#"{"form":"new_project","ok":true}"#, false),
        (&known, "signed_up", "{}", true),
        (&anonymous, "page_view", "{}", false),
        (&known, "data_imported", "{}", n % 3 == 0),
        (&known, "report_viewed", "{}", false),
    ];
    for (user, kind, payload, names) in steps {
        at = at + Millis::minutes(9);
        let body = |kind: &str, payload: String| IncomingEvent {
            id: None,
            user: user.clone(),
            session: SessionId::new("s").expect("valid"),
            kind: kind.into(),
            claimed: Some(at),
            anonymous: names.then(|| anonymous.clone()),
            attributes: None,
            context: EventContext::default(),
            payload: serde_json::value::RawValue::from_string(payload).ok(),
            api_version: None,
            trace_parent: None,
        };
        let happens = body(kind, payload.to_owned());
        engine.ingest(product, vec![happens]).await.expect("taken");
        engine.settled().await.expect("folded");
        let call = DecideCall {
            user: user.clone(),
            session: SessionId::new("s").expect("valid"),
            surface: SurfaceBody {
                path: Some("/import".to_owned()),
                app_version: Some("2.1.0".to_owned()),
                ..SurfaceBody::default()
            },
            after: None,
            wait: Millis::ZERO,
            at: Some(at),
        };
        let decided = engine.decide(product, call).await.expect("served").decision;
        if decided.guide.is_some() {
            let seen = format!(r#"{{"decisionId":"{}"}}"#, decided.decision_id);
            engine.ingest(product, vec![body("guide_shown", seen)]).await.expect("taken");
            engine.settled().await.expect("folded");
        }
    }
}

#[tokio::test]
async fn people_with_two_ids_are_replayed_as_one() {
    for policy in [Policy::Static, Policy::Random, Policy::Learner] {
        let log = recorded_signing_up(policy).await;
        let (told, rows) = replayed(&log, ACME, policy).await;
        assert_eq!(told.decisions, 240);
        assert_eq!((told.changed(), told.changed_users), (0, 0), "{policy:?}: {:?}", told.because);
        assert!(told.guides.iter().any(|line| line.recorded > 0));
        let users: Vec<u64> = told.milestones.iter().map(|milestone| milestone.users).collect();
        assert_eq!(users, [40, 40, 0, 40], "each person once");
        // What was drawn before signing up is credited with what came after it.
        let of_anonymous =
            |row: &&Row| row.user_id.as_ref().is_some_and(|id| id.starts_with("anon-"));
        let rewarded = rows.iter().filter(of_anonymous).filter(|row| row.reward == Some(1.0));
        assert!(policy == Policy::Static || rewarded.count() > 0, "{policy:?}");
    }
}
