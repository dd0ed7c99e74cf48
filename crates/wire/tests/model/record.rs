//! Answers of record: what is kept reads back as the same advice, and what was never kept is refused.

use pilotage_domain::advise::history::{Approval, History, Review, Terms};
use pilotage_domain::advise::ladder::{InForce, judge};
use pilotage_domain::advise::{Advice, Brief, MicroUsd};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::{ProductId, ProviderId};
use pilotage_domain::time::Timestamp;
use pilotage_wire::model::Dialect;
use pilotage_wire::model::record::{AnswerRecord, ReviewName, Told};
use pilotage_wire::record::RecordError;
use serde_json::{Value as Json, json};

use crate::replies::{completion, good, ok};
use crate::scene::{PROMPT, brief, example};

const AT: Timestamp = Timestamp::from_millis(1_795_348_800_000);

fn in_force(acme: &Definition) -> InForce<'_> {
    InForce { definition: acme, prompt: PROMPT.id(), paused: &[], at: AT }
}

fn record(acme: &Definition, brief: &Brief, body: &Json) -> (AnswerRecord, Option<Advice>) {
    let reply = Dialect::OpenAi.read(brief, &ok(body.to_string().as_bytes()));
    let verdict = reply.proposal.as_ref().ok().map(|p| judge(brief, p, &in_force(acme)));
    let (product, provider) = (ProductId::new("acme"), ProviderId::new("main"));
    let told = Told {
        product: &product.expect("an identifier"),
        provider: &provider.expect("an identifier"),
        at: AT,
        cost: MicroUsd::new(70),
    };
    let record = AnswerRecord::new(&told, brief, &reply, verdict.as_ref());
    (record, verdict.and_then(|verdict| verdict.advice.ok()))
}

#[test]
fn what_is_kept_is_the_same_advice() {
    let (acme, _) = example("acme");
    let brief = brief(&acme, "trial");
    let (record, advice) = record(&acme, &brief, &good(Dialect::OpenAi, &brief, &[1, 2, 3]));
    let mut read = AnswerRecord::decode(&record.encode()).expect("written here");
    let entry = read.entry(3).expect("sound").expect("advice");
    assert_eq!((Some(&entry.advice), entry.review), (advice.as_ref(), Review::Open));
    read.review = ReviewName::Approved;
    let mut history = History::new();
    history.insert(read.entry(3).expect("sound").expect("advice"));
    let terms = Terms { in_force: in_force(&acme), approval: Approval::Needed };
    assert_eq!(history.current(&terms).map(|entry| &entry.advice), advice.as_ref());
}

#[test]
fn golden_records() {
    let (acme, _) = example("acme");
    let brief = brief(&acme, "trial");
    let fixed = |record: AnswerRecord| {
        let mut body: Json = serde_json::from_slice(&record.encode()).expect("JSON");
        for name in ["catalogue", "parent", "signature"] {
            assert_eq!(body["brief"][name].as_str().map(str::len), Some(64));
            body["brief"][name] = json!("64 hexadecimal digits");
        }
        serde_json::to_string_pretty(&body).expect("written")
    };
    let (passed, _) = record(&acme, &brief, &good(Dialect::OpenAi, &brief, &[1, 2, 3]));
    insta::assert_snapshot!("record_v1_passed", fixed(passed));
    let smuggled = completion("stop", r#"{"first":"DROP TABLE guides","second":"open-report"}"#);
    let (refused, _) = record(&acme, &brief, &smuggled);
    insta::assert_snapshot!("record_v1_refused", fixed(refused));
    let (unread, _) = record(&acme, &brief, &completion("length", "{"));
    insta::assert_snapshot!("record_v1_unread", fixed(unread));
}

#[test]
fn what_was_never_kept_is_refused() {
    let (acme, _) = example("acme");
    let brief = brief(&acme, "trial");
    let (record, _) = record(&acme, &brief, &good(Dialect::OpenAi, &brief, &[1, 2, 3]));
    let body: Json = serde_json::from_slice(&record.encode()).expect("JSON");
    let changed = |pointer: &str, value: Json| {
        let mut body = body.clone();
        *body.pointer_mut(pointer).expect("there") = value;
        let record = AnswerRecord::decode(body.to_string().as_bytes())?;
        record.entry(0).map(|_| ())
    };
    assert_eq!(changed("/v", json!(2)), Err(RecordError::Newer { found: 2, known: 1 }));
    let table = [
        ("/v", json!("1")),
        ("/brief/signature", json!("00")),
        ("/brief/parent", json!("G".repeat(64))),
        ("/advice/0/parts", json!(1)),
        ("/advice/0/option", json!("Not An Id")),
        ("/advice/0/option", body["advice"][1]["option"].clone()),
    ];
    for (pointer, value) in table {
        let read = changed(pointer, value);
        assert!(matches!(read, Err(RecordError::Malformed(_))), "{pointer} {read:?}");
    }
}
