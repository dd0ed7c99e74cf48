//! That no byte of what a user writes, does or is called goes out, or is kept with an answer.

use pilotage_domain::advise::MicroUsd;
use pilotage_domain::advise::ladder::{InForce, judge};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::{ProductId, ProviderId};
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Value;
use pilotage_wire::model::Dialect;
use pilotage_wire::model::record::{AnswerRecord, Told};
use proptest::prelude::*;

use crate::life::{Ask, Life};
use crate::replies::{good, ok};
use crate::scene::{PROMPT, ask, asked, example, json, life, requests};

/// A user of the scene in whose every text this one stands: id, session, payloads, attributes, path, locale, components.
fn marked<'d>(acme: &'d Definition, scene: &str, mark: &str) -> (Life<'d>, Ask) {
    let mut life = life(acme, scene);
    life.session = mark.to_owned();
    life.user = pilotage_domain::id::UserId::new(mark).expect("an id");
    let text = Value::Text(mark.into());
    let payload = Value::Map(vec![
        ("form".into(), text.clone()),
        ("error".into(), text.clone()),
        (mark.into(), Value::List(vec![text.clone()])),
        ("path".into(), Value::Text(format!("/projects?token={mark}").into())),
    ]);
    let name = vec![("firstName".to_owned(), text)];
    life.does("page_view", 90_000, payload.clone(), name);
    life.does("report_teased", 80_000, payload, Vec::new());
    life.does("page_view", 70_000, json(r#"{"error":"permission_denied"}"#), Vec::new());
    let ask = Ask {
        path: Some(format!("/projects/{mark}?name={mark}#{mark}")),
        locale: Some(mark.to_owned()),
        components: Some(vec!["banner".to_owned(), mark.to_owned()]),
        ..ask()
    };
    (life, ask)
}

/// Everything that leaves the process or is kept, for one user.
fn out(acme: &Definition, scene: &str, mark: &str) -> Vec<Vec<u8>> {
    let (life, ask) = marked(acme, scene, mark);
    let brief = asked(&life, &ask).expect("a question");
    let mut out: Vec<Vec<u8>> = requests(&brief).into_iter().map(|(_, body)| body).collect();
    let reply = Dialect::OpenAi
        .read(&brief, &ok(good(Dialect::OpenAi, &brief, &[1, 2, 3]).to_string().as_bytes()));
    let at = Timestamp::from_millis(0);
    let in_force = InForce { definition: acme, prompt: PROMPT.id(), paused: &[], at };
    let verdict = judge(&brief, reply.proposal.as_ref().expect("good"), &in_force);
    let (product, provider) = (ProductId::new("acme"), ProviderId::new("main"));
    let told = Told {
        product: &product.expect("an identifier"),
        provider: &provider.expect("an identifier"),
        at,
        cost: MicroUsd::new(70),
    };
    out.push(AnswerRecord::new(&told, &brief, &reply, Some(&verdict)).encode());
    out
}

fn holds(bytes: &[u8], mark: &str) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
}

#[test]
fn the_mark_would_be_found() {
    assert!(holds(br#"{"a":"x-kanarienvogel-x"}"#, "kanarienvogel"));
}

#[test]
fn no_canary_gets_out() {
    let (acme, _) = example("acme");
    for scene in crate::scene::SCENES {
        for mark in
            ["kanarienvogel", "4e0d5c7a-9b1f-4c55-8a77-6f2f5b1a9d10", "jane.doe@example.org"]
        {
            let out = out(&acme, scene, mark);
            assert_eq!(out.len(), 6);
            assert!(out.iter().all(|bytes| !holds(bytes, mark)), "{scene} {mark}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Stronger than looking for it: whatever the user writes, what goes out is the same to the byte.
    #[test]
    fn what_a_user_writes_changes_no_byte(mark in "[ -~äöü🙂]{1,40}") {
        prop_assume!(!mark.trim().is_empty());
        let (acme, _) = example("acme");
        prop_assert_eq!(out(&acme, "trial", &mark), out(&acme, "trial", "x"));
    }
}
