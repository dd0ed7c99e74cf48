//! What is read from each dialect's answers, good and bad: a row for each fault, with the one rung that finds it.

use pilotage_domain::advise::brief::Brief;
use pilotage_domain::advise::price::Usage;
use pilotage_domain::advise::refusal::{Fault, Form, Protocol, Transport};
use pilotage_domain::advise::{Proposal, Rung};
use pilotage_wire::model::{Answer, Dialect, MAX_ANSWER, Reply};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::replies::{completion, decisions, good, message, ok, systemone, token, tool_use};
use crate::scene::{brief, example};

/// Options: `connect-billing`, `import-data`, `no_guide`.
fn trial() -> Brief {
    brief(&example("acme").0, "trial")
}

fn read(dialect: Dialect, body: &Json) -> Reply {
    dialect.read(&trial(), &ok(body.to_string().as_bytes()))
}

fn fault(dialect: Dialect, answer: &Answer<'_>) -> Fault {
    dialect.read(&trial(), answer).proposal.expect_err("a bad answer").fault
}

fn all_find(dialect: Dialect, table: &[(Json, Fault)]) {
    for (body, expected) in table {
        let found = fault(dialect, &ok(body.to_string().as_bytes()));
        assert_eq!(found, *expected, "{} {body}", dialect.name());
    }
}

#[test]
fn good_answers_are_read_with_their_tokens_and_model() {
    for dialect in Dialect::ALL {
        let reply = read(dialect, &good(dialect, &trial(), &[10, 60, 30]));
        let output = match dialect {
            Dialect::OpenAi | Dialect::LabelLogprobs => 14,
            Dialect::Anthropic => 40,
            Dialect::SystemOne | Dialect::Decisions => 0,
        };
        assert_eq!(reply.usage, Some(Usage { input: 612, output }), "{}", dialect.name());
        assert_eq!(reply.model.as_deref(), Some("model-1-0901"));
        match reply.proposal.expect("good") {
            Proposal::Ranked(names) => {
                assert_eq!(names, [Box::from("import-data"), Box::from("no_guide")]);
            }
            Proposal::Weighed { options, .. } => {
                let of = |name: &str| options.iter().find(|(n, _)| &**n == name).map(|(_, p)| *p);
                assert!((of("import-data").expect("there") - 0.6).abs() < 1e-9);
                assert!((of("connect-billing").expect("there") - 0.1).abs() < 1e-9);
                assert_eq!(options.len(), 3);
            }
        }
    }
}

#[test]
fn l0_whatever_the_dialect() {
    let body = |bytes: &'static [u8]| ok(bytes);
    let status = |status| Answer { status, ..body(b"{}") };
    let quota = br#"{"error":{"code":"insufficient_quota","message":"x"}}"#;
    let table = [
        (status(301), Transport::Redirected),
        (status(400), Transport::Status(400)),
        (status(429), Transport::Status(429)),
        (Answer { status: 429, ..body(quota) }, Transport::OutOfQuota),
        (Answer { status: 400, ..body(quota) }, Transport::Status(400)),
        (status(501), Transport::Status(501)),
        (status(100), Transport::Status(100)),
        (Answer { content_type: Some("text/html"), ..body(b"{}") }, Transport::WrongType),
        (Answer { content_type: Some("text/event-stream"), ..body(b"{}") }, Transport::WrongType),
    ];
    for dialect in Dialect::ALL {
        for (answer, expected) in &table {
            assert_eq!(fault(dialect, answer), Fault::Transport(*expected), "{}", dialect.name());
        }
        let large = vec![b' '; MAX_ANSWER + 1];
        assert_eq!(fault(dialect, &ok(&large)), Fault::Transport(Transport::TooLarge));
    }
}

#[test]
fn l1_whatever_the_dialect() {
    let table: [(&[u8], Form); 8] = [
        (b"", Form::NotJson),
        (b"upstream timed out", Form::NotJson),
        (b"{\"model\":\"m\",\"choices\":[{\"fini", Form::NotJson),
        (b"{\"usage\":NaN}", Form::NotJson),
        (b"{\"model\":\"a\",\"model\":\"b\"}", Form::Doubled),
        (b"[]", Form::Schema),
        (b"null", Form::Schema),
        (b"{\"error\":{\"message\":\"no\"}}", Form::Schema),
    ];
    for dialect in Dialect::ALL {
        for (body, expected) in table {
            // A message without a reason to end is unfinished before it is anything else.
            let expected = match (dialect, expected) {
                (Dialect::Anthropic, Form::Schema) => Fault::Transport(Transport::Unfinished),
                _ => Fault::Form(expected),
            };
            assert_eq!(fault(dialect, &ok(body)), expected, "{} {body:?}", dialect.name());
        }
        let no_type = Answer { content_type: None, ..ok(b"nothing") };
        assert_eq!(fault(dialect, &no_type).rung(), Rung::Form);
        let other =
            Answer { content_type: Some("Application/Problem+JSON; charset=utf-8"), ..ok(b"x") };
        assert_eq!(fault(dialect, &other).rung(), Rung::Form);
    }
}

#[test]
fn openai_faults() {
    let said = |content: &str| completion("stop", content);
    let mut refused = said("{}");
    refused["choices"][0]["message"]["refusal"] = json!("I can't help with that.");
    let mut two = said("{}");
    two["choices"] = json!([two["choices"][0], two["choices"][0]]);
    let mut silent = said("{}");
    silent["choices"][0]["message"]["content"] = json!(null);
    let mut endless = said("{}");
    endless["choices"][0]["finish_reason"] = json!(null);
    let good = r#"{"first":"import-data","second":"no_guide"}"#;
    all_find(
        Dialect::OpenAi,
        &[
            (completion("length", good), Transport::CutOff.into()),
            (completion("content_filter", good), Transport::Declined.into()),
            (completion("tool_calls", good), Transport::Unfinished.into()),
            (endless, Transport::Unfinished.into()),
            (refused, Transport::Declined.into()),
            (two, Form::Schema.into()),
            (silent, Form::Schema.into()),
            (said("import-data"), Form::NotJson.into()),
            (said(&format!("```json\n{good}\n```")), Form::NotJson.into()),
            (said(&format!("{good} Because it helps.")), Form::NotJson.into()),
            (said(r#"{"first":"a","first":"b","second":"c"}"#), Form::Doubled.into()),
            (said(r#"{"first":"import-data"}"#), Form::Schema.into()),
            (said(r#"{"first":"a","second":"b","reason":"c"}"#), Form::Schema.into()),
            (said(r#"{"first":["import-data"],"second":"no_guide"}"#), Form::Schema.into()),
            (said(r#""import-data""#), Form::Schema.into()),
        ],
    );
}

#[test]
fn a_next_best_that_repeats_the_best_says_nothing() {
    let body = completion("stop", r#"{"first":"import-data","second":"import-data"}"#);
    let proposal = read(Dialect::OpenAi, &body).proposal;
    assert_eq!(proposal, Ok(Proposal::Ranked(vec!["import-data".into()])));
}

#[test]
fn label_faults() {
    let mut unlisted = token(&[]);
    unlisted["choices"][0]["logprobs"] = json!(null);
    let mut untold = token(&[]);
    untold["choices"][0]["logprobs"]["content"] = json!([]);
    let mut textual = token(&[("A", -1.0)]);
    textual["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["logprob"] = json!("-1");
    let mut filtered = token(&[("A", -0.1)]);
    filtered["choices"][0]["finish_reason"] = json!("content_filter");
    all_find(
        Dialect::LabelLogprobs,
        &[
            (unlisted, Form::Schema.into()),
            (untold, Form::Schema.into()),
            (textual, Form::Schema.into()),
            (filtered, Transport::Declined.into()),
            (token(&[]), Protocol::Question.into()),
            (token(&[("The", -0.01), ("A", -5.0)]), Protocol::Question.into()),
            (token(&[("D", -0.01)]), Protocol::Question.into()),
            (token(&[("A", 0.5)]), Protocol::Range.into()),
        ],
    );
}

#[test]
fn letters_are_counted_with_and_without_a_space_and_only_ours() {
    let listed = [(" B", -1.0), ("B", -1.0), ("C", -2.0), ("AB", -0.5), ("a", -0.5), ("Z", -1.5)];
    let Ok(Proposal::Weighed { options, .. }) =
        read(Dialect::LabelLogprobs, &token(&listed)).proposal
    else {
        panic!("letters are read")
    };
    let (twice, once) = (2.0 * (-1.0f64).exp(), (-2.0f64).exp());
    let names: Vec<&str> = options.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["connect-billing", "import-data", "no_guide"]);
    assert_eq!(options[0].1, 0.0);
    assert!((options[1].1 - twice / (twice + once)).abs() < 1e-12);
}

#[test]
fn anthropic_faults() {
    let choice = json!({ "first": "import-data", "second": "no_guide" });
    let using = |stop: &str| message(stop, json!([tool_use(choice.clone())]));
    let mut other = tool_use(choice.clone());
    other["name"] = json!("search");
    let text = json!({ "type": "text", "text": choice.to_string() });
    all_find(
        Dialect::Anthropic,
        &[
            (using("max_tokens"), Transport::CutOff.into()),
            (using("refusal"), Transport::Declined.into()),
            (using("pause_turn"), Transport::Unfinished.into()),
            (message("end_turn", json!([text])), Form::Schema.into()),
            (message("tool_use", json!([])), Form::Schema.into()),
            (message("tool_use", json!("text")), Form::Schema.into()),
            (message("tool_use", json!([other])), Protocol::Question.into()),
            (
                message("tool_use", json!([tool_use(choice.clone()), tool_use(choice.clone())])),
                Protocol::Question.into(),
            ),
            (message("tool_use", json!([tool_use(json!("import-data"))])), Form::Schema.into()),
            (message("tool_use", json!([tool_use(json!({}))])), Form::Schema.into()),
        ],
    );
    let talking = message("tool_use", json!([text, tool_use(choice)]));
    assert!(read(Dialect::Anthropic, &talking).proposal.is_ok());
}

#[test]
fn systemone_faults() {
    let answer = |p: Json| json!({ "type": "choice", "choice": "a", "probabilities": p });
    let guide = |answer: Json| systemone(json!({ "guide": answer }));
    let good = answer(json!({ "a": 1.0 }));
    all_find(
        Dialect::SystemOne,
        &[
            (systemone(json!({})), Protocol::Question.into()),
            (systemone(json!([])), Form::Schema.into()),
            (systemone(json!({ "action": good })), Protocol::Question.into()),
            (systemone(json!({ "guide": good, "more": good })), Protocol::Question.into()),
            (guide(json!({ "type": "score", "score": 0.5 })), Protocol::Question.into()),
            (guide(json!({ "choice": "a" })), Form::Schema.into()),
            (guide(json!({ "type": "choice", "choice": "a" })), Form::Schema.into()),
            (guide(json!({ "type": "choice", "probabilities": {} })), Form::Schema.into()),
            (guide(answer(json!({ "a": "1.0" }))), Form::Schema.into()),
            (guide(answer(json!({ "a": null }))), Form::Schema.into()),
            (guide(answer(json!([["a", 1.0]]))), Form::Schema.into()),
            (guide(json!("a")), Form::Schema.into()),
        ],
    );
}

#[test]
fn decisions_faults() {
    let answer =
        |p: Json| json!({ "type": "choice", "name": "guide", "choice": "a", "probabilities": p });
    let good = answer(json!([{ "value": "a", "probability": 1.0 }]));
    let mut other = good.clone();
    other["name"] = json!("action");
    all_find(
        Dialect::Decisions,
        &[
            (decisions(json!([])), Protocol::Question.into()),
            (decisions(json!({})), Form::Schema.into()),
            (decisions(json!([good, good])), Protocol::Question.into()),
            (decisions(json!([other])), Protocol::Question.into()),
            (
                decisions(json!([{ "type": "predicate", "probability": 1.0 }])),
                Protocol::Question.into(),
            ),
            (
                decisions(json!([{ "type": "refusal", "name": "guide" }])),
                Transport::Declined.into(),
            ),
            (decisions(json!([{ "name": "guide" }])), Form::Schema.into()),
            (decisions(json!([answer(json!({ "a": 1.0 }))])), Form::Schema.into()),
            (decisions(json!([answer(json!([{ "value": "a" }]))])), Form::Schema.into()),
            (decisions(json!([answer(json!([{ "probability": 1.0 }]))])), Form::Schema.into()),
        ],
    );
    let mut unnamed = good;
    unnamed["name"] = json!(null);
    assert!(read(Dialect::Decisions, &decisions(json!([unnamed]))).proposal.is_ok());
}

#[test]
fn tokens_that_nobody_counted_are_not_none() {
    let with = |usage: Json| {
        let mut body = good(Dialect::OpenAi, &trial(), &[1, 2, 3]);
        body["usage"] = usage;
        read(Dialect::OpenAi, &body).usage
    };
    let table = [
        (json!({ "prompt_tokens": 5, "completion_tokens": 0 }), Some((5, 0))),
        (json!({ "prompt_tokens": 0, "completion_tokens": 0 }), None),
        (json!({ "prompt_tokens": 5 }), None),
        (json!({ "prompt_tokens": -5, "completion_tokens": 1 }), None),
        (json!({ "prompt_tokens": 1.5, "completion_tokens": 1 }), None),
        (json!(null), None),
    ];
    for (usage, expected) in table {
        let expected = expected.map(|(input, output)| Usage { input, output });
        assert_eq!(with(usage.clone()), expected, "{usage}");
    }
    // A bad answer is billed as well.
    let bad = completion("length", "{");
    assert_eq!(read(Dialect::OpenAi, &bad).usage, Some(Usage { input: 612, output: 14 }));
}

#[test]
fn a_models_name_is_a_name() {
    for name in ["", "two words", "line\nbreak", &"x".repeat(101)] {
        let mut body = good(Dialect::OpenAi, &trial(), &[1]);
        body["model"] = json!(name);
        assert_eq!(read(Dialect::OpenAi, &body).model, None, "{name:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_proposal_or_one_refusal_of_the_first_rungs(
        status in prop_oneof![9 => Just(200u16), 1 => any::<u16>()],
        kind in prop::option::of("[a-z/+; ]{0,20}"), body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let brief = trial();
        let answer = Answer { status, content_type: kind.as_deref(), body: &body };
        for dialect in Dialect::ALL {
            if let Err(refusal) = dialect.read(&brief, &answer).proposal {
                prop_assert!(refusal.rung() <= Rung::Protocol && refusal.option.is_none());
            }
        }
    }
}
