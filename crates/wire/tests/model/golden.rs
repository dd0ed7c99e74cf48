//! Briefs and request bodies as they are: a change here is another way of asking, and needs another `prompt::FORM`.

use pilotage_domain::advise::Rung;
use pilotage_wire::model::brief::BriefBody;
use pilotage_wire::model::drafts::Assignment;
use pilotage_wire::model::{Dialect, Prompt, Question, TokenLimit};

use crate::scene::{SCENES, brief, example, question};

fn pretty(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    serde_json::to_string_pretty(&body).expect("written")
}

#[test]
fn briefs() {
    let (acme, _) = example("acme");
    for scene in SCENES {
        let body = serde_json::to_vec(&BriefBody::from(&brief(&acme, scene))).expect("written");
        // The example may grow: its hash and what depends on it are not what is looked at here.
        let text = pretty(&body);
        let lines = text.lines().filter(|line| {
            !["\"catalogue\"", "\"parent\"", "\"signature\""].iter().any(|name| line.contains(name))
        });
        insta::assert_snapshot!(format!("brief_{scene}"), lines.collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn requests() {
    let (acme, _) = example("acme");
    let brief = brief(&acme, "card_declined");
    for dialect in Dialect::ALL {
        let body = dialect.request(&question(&brief));
        insta::assert_snapshot!(format!("request_{}", dialect.name()), pretty(&body));
        assert_eq!(dialect.request(&question(&brief)), body, "the same question, the same bytes");
    }
}

#[test]
fn requests_for_drafts() {
    let (acme, _) = example("acme");
    let guide = acme.guides.iter().next().expect("it has guides");
    let prompt = Prompt::drafting();
    let assignment = Assignment { definition: &acme, guide, wordings: 3, prompt: &prompt };
    let request = |dialect: Dialect, repair| {
        dialect.request_drafts(&assignment, ("model-1", TokenLimit::MaxTokens), repair)
    };
    for dialect in Dialect::ALL {
        let body = request(dialect, None);
        assert_eq!(body.is_some(), dialect.writes(), "{}", dialect.name());
        assert_eq!(body, request(dialect, None), "the same assignment, the same bytes");
    }
    let written = |dialect, repair| pretty(&request(dialect, repair).expect("it writes"));
    insta::assert_snapshot!("drafts_openai", written(Dialect::OpenAi, None));
    insta::assert_snapshot!(
        "drafts_anthropic_repair",
        written(Dialect::Anthropic, Some(Rung::Form))
    );
}

#[test]
fn a_repair_and_another_word_for_the_limit() {
    let (acme, _) = example("acme");
    let brief = brief(&acme, "card_declined");
    let limit = TokenLimit::MaxCompletionTokens;
    let again = Question { limit, repair: Some(Rung::Form), ..question(&brief) };
    insta::assert_snapshot!("request_openai_repair", pretty(&Dialect::OpenAi.request(&again)));
}

#[test]
fn where_a_request_goes() {
    let table: Vec<String> = Dialect::ALL
        .into_iter()
        .map(|d| format!("{} {} {:?} {:?}", d.name(), d.path(), d.key_header(), d.headers()))
        .collect();
    insta::assert_snapshot!("dialects", table.join("\n"));
    assert!(Dialect::ALL.into_iter().all(|d| Dialect::parse(d.name()) == Some(d)));
    assert_eq!(Dialect::parse("gpt"), None);
}
