//! A log is asked as a whole: which rows count, what is refused, what people see.

use pilotage_wire::decision_log::Action;

use super::*;

/// Two actions, drawn alike; the first is worth 0.6, the second 0.2, to the row.
fn log(rows: usize) -> Vec<Row> {
    let row = |n: usize| {
        let first = n.is_multiple_of(2);
        let reward = (n / 2) % 5 < if first { 3 } else { 1 };
        let (action, reward) = (if first { "g/a" } else { "no_guide" }, i32::from(reward));
        let line = format!(
            "{{\"userId\":\"u{n}\",\"group\":\"random\",\"action\":\"{action}\",\"propensity\":0.5,\"reward\":{reward},\
             \"actions\":[{{\"action\":\"g/a\",\"propensity\":0.5}},{{\"action\":\"no_guide\",\"propensity\":0.5}}]}}"
        );
        Row::read(&line).expect("a row")
    };
    (0..rows).map(row).collect()
}

fn ask(rows: &[Row], policy: &str) -> Evaluated {
    let target = policy.parse().expect("a policy");
    evaluate(rows, &Question { target, rows: Asked::Drawn }).expect("sound rows")
}

fn value(told: &Evaluated, estimator: Estimator) -> f64 {
    let told = told.estimates.iter().find(|estimate| estimate.estimator == estimator);
    told.expect("every estimator speaks").value
}

#[test]
fn each_policy_is_worth_what_its_actions_are() {
    let rows = log(1_000);
    for (policy, worth, effective) in [
        ("always:g/a", 0.6, 500.0),
        ("static", 0.6, 500.0),
        ("always:no_guide", 0.2, 500.0),
        ("random", 0.4, 1_000.0),
        ("logged", 0.4, 1_000.0),
    ] {
        let told = ask(&rows, policy);
        for estimator in Estimator::ALL {
            let found = value(&told, estimator);
            assert!((found - worth).abs() < 0.02, "{policy}, {}: {found}", estimator.name());
        }
        assert!((value(&told, Estimator::Snips) - worth).abs() < 1e-12, "{policy}");
        assert!((told.effective_sample_size - effective).abs() < 1e-9, "{policy}");
        assert!((told.logged.expect("told").value - 0.4).abs() < 1e-12);
        assert!(!told.propensities_doubtful && told.refused.is_none());
        assert_eq!((told.rows, told.used, told.users), (1_000, 1_000, 1_000));
    }
}

#[test]
fn rows_that_tell_nothing_are_left_out_and_counted() {
    let mut rows = log(1_000);
    rows[0].propensity = None;
    rows[1].group = Some("static".into());
    rows[2].repeat = Some(true);
    rows[3].mature = Some(false);
    rows[4].reward = None;
    rows[5].group = Some("guided".into());
    rows[6].group = Some("guided".into());
    rows[6].explore = Some(true);
    let told = ask(&rows, "random");
    let expected = LeftOut {
        not_drawn: 1,
        fixed: 1,
        not_uniform: 0,
        repeated: 1,
        not_mature: 1,
        no_reward: 1,
    };
    assert_eq!((told.left_out, told.used), (expected, 995));
    let question = Question { target: Target::Random, rows: Asked::Uniform };
    let told = evaluate(&rows, &question).expect("sound");
    assert_eq!(told.left_out, LeftOut { not_uniform: 1, ..expected });
    assert!(table(&told).contains("1 left out: not drawn uniformly"));
}

#[test]
fn too_little_is_refused() {
    let told = ask(&log(398), "always:g/a");
    assert!(matches!(told.refused, Some(Refusal::TooFew { effective, .. }) if effective < 200.0));
    assert!(told.estimates.is_empty() && told.logged.is_none());
    assert!(table(&told).contains("no answer") && html(&told).contains("No answer"));
    assert!(ask(&log(400), "always:g/a").refused.is_none());
}

#[test]
fn where_nothing_counts_yet_it_is_said_when_something_will() {
    let empty = ask(&[], "logged");
    assert_eq!(empty.refused, Some(Refusal::Nothing { waiting: 0, first_at: None }));
    assert!(table(&empty).contains("mean weight 0.0000"), "{}", table(&empty));
    let mut rows = log(3);
    for (n, row) in rows.iter_mut().enumerate() {
        row.mature = Some(false);
        row.mature_at = Some(Timestamp::from_millis(1_795_348_800_000 + n as i64));
    }
    rows[0].propensity = None;
    let told = table(&ask(&rows, "random"));
    let expected =
        "a reward may still come of 2. Wait until the log goes on to 2026-11-22T12:00:00.001Z";
    assert!(told.contains(expected) && !told.contains("do not average"), "{told}");
    rows.iter_mut().for_each(|row| row.mature_at = None);
    assert!(table(&ask(&rows, "random")).contains("still come of 2. Wait, and"));
}

#[test]
fn an_action_that_no_row_names_is_taken_for_a_slip() {
    let told = ask(&log(1_000), "always:g/c");
    assert_eq!(told.refused, Some(Refusal::UnknownAction { action: "g/c".into() }));
    assert!(table(&told).contains("`g/c`: is it misspelt?"));
}

#[test]
fn what_was_never_drawn_is_refused() {
    let mut rows = log(1_000);
    for row in &mut rows {
        row.actions.push(Action {
            action: "g/b".into(),
            propensity: Some(0.0),
            ..Action::default()
        });
    }
    let told = ask(&rows, "random");
    assert!(!told.propensities_doubtful, "the log is sound: it tells of something else");
    let Some(Refusal::NoSupport { share, actions }) = told.refused else {
        panic!("a third of it has no support")
    };
    assert!((share - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(actions, ["g/b"]);
    assert!(ask(&rows, "always:g/a").refused.is_none(), "it needs none of it");
    // The same where the log does not tell how likely it was: it was drawn nowhere.
    rows.iter_mut().for_each(|row| row.actions[2].propensity = None);
    assert!(matches!(ask(&rows, "random").refused, Some(Refusal::NoSupport { .. })));
    rows[0].action = "g/b".into();
    assert!(ask(&rows, "random").refused.is_none(), "it was drawn somewhere");
}

#[test]
fn false_propensities_are_doubted() {
    let mut rows = log(1_000);
    for row in &mut rows {
        row.propensity = Some(0.25);
        row.actions.iter_mut().for_each(|action| action.propensity = None);
    }
    let told = ask(&rows, "random");
    assert!(told.propensities_doubtful);
    assert!(table(&told).contains("do not average 1") && html(&told).contains("do not average 1"));
}

#[test]
fn faulty_rows_are_named_and_counted() {
    let mut rows = log(1_000);
    rows[9].propensity = Some(2.0);
    let question = Question { target: Target::Given, rows: Asked::Drawn };
    let faults = evaluate(&rows, &question).expect_err("no row has an evaluation");
    assert_eq!((faults.rows, faults.named.len()), (1_000, 20));
    assert_eq!(faults.named[9], (10, RowFault::Propensity("propensity")));
    let told = faults.to_string();
    assert!(told.starts_with("row 1: ") && told.ends_with("and 980 rows more"), "{told}");
}

#[test]
fn a_model_of_the_callers_is_taken() {
    let mut rows = log(1_000);
    for row in &mut rows {
        row.actions.iter_mut().for_each(|action| action.estimate = Some(0.9));
    }
    assert!((value(&ask(&rows, "random"), Estimator::Dm) - 0.9).abs() < 1e-12);
}

#[test]
fn weights_are_counted_by_size() {
    let told = by_size([0.0, 0.1, 0.125, 0.126, 1.0, 1.5, 2.0].into_iter());
    let expected = [(0.0, 1), (0.125, 2), (0.25, 1), (0.5, 0), (1.0, 1), (2.0, 2)];
    assert_eq!(told, expected);
}

#[test]
fn pages_show_text_as_text_and_load_nothing() {
    let mut rows = log(1_000);
    let evil = "<script>alert(1)</script>";
    for row in &mut rows {
        row.actions[0].action = evil.into();
        if row.action == "g/a" {
            row.action = evil.into();
        }
    }
    let told = ask(&rows, &format!("always:{evil}"));
    let page = html(&told);
    assert!(!page.contains("<script") && page.contains("&#60;script"), "{page}");
    for loading in ["http:", "https:", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert!(page.contains("<svg") && page.contains("SNDR"));
    let json = serde_json::to_value(&told).expect("JSON");
    assert_eq!(json["estimates"][1]["estimator"], "snips");
    assert!(json.get("refused").is_none());
}
