//! Briefs and request bodies as they are: a change here is another way of asking, and needs another `prompt::FORM`.

use pilotage_domain::advise::Rung;
use pilotage_wire::model::brief::BriefBody;
use pilotage_wire::model::{Dialect, Question, TokenLimit};

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
