//! What a situation's name depends on, and what it must not.

use serde_json::json;

use super::*;
use crate::rules::fixture::{Ask, DAY, HOUR, Product, User, guide_id, session};

fn sign(definition: &Definition, user: &User, ask: &Ask, ms: u64) -> ContentHash {
    ask.decide(definition, user, ms).signature
}

fn canonical(definition: &Definition, user: &User, ask: &Ask, ms: u64) -> String {
    ask.judge(definition, user, ms, |situation, judged| {
        context(NO_PROMPT, features(situation), situation, &judged.situational)
    })
}

#[test]
fn the_context_in_full() {
    let definition = Product::small().definition();
    let user = User::signed_up(&definition).having(&definition, "tier", json!("pro")).did(
        &definition,
        "form_submit",
        HOUR,
        json!({ "form": "project", "error": "card_declined" }),
    );
    let ask = Ask { app_version: Some("2.1.0-beta"), locale: Some("en-GB"), ..Ask::default() };
    let expected = format!(
        concat!(
            r#"{{"catalogue":"{}","features":{{"appVersion.major":2,"daysSinceSignup":"d2_3","#,
            r#""lastError":"card_declined","locale":"en","tier":"pro"}},"guides":["import"],"#,
            r#""milestones":{{"data":"open","project":"reached","report":"locked"}},"prompt":"none"}}"#
        ),
        definition.hash
    );
    assert_eq!(canonical(&definition, &user, &ask, 2 * DAY), expected);
    let hash = ContentHash::of_bytes(expected.as_bytes());
    assert_eq!(sign(&definition, &user, &ask, 2 * DAY), hash);
}

#[test]
fn the_context_is_canonical() {
    let definition = Product::small().definition();
    let user = User::signed_up(&definition);
    let written = canonical(&definition, &user, &Ask::default(), 0);
    let value: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(canonical::to_string(&value), written);
}

#[test]
fn an_unknown_user_has_no_features() {
    let definition = Product::small().definition();
    let text = canonical(&definition, &User::new(), &Ask::default(), 0);
    let features = r#""features":{"appVersion.major":null,"daysSinceSignup":null,"lastError":null,"locale":"en","tier":"free"}"#;
    assert!(text.contains(features), "{text}");
}

#[test]
fn who_and_when_and_where_on_the_page_change_nothing() {
    let definition = Product::small().definition();
    let user = User::signed_up(&definition);
    let ask = Ask::default();
    let same = sign(&definition, &user, &ask, HOUR);
    let named = user.clone().having(&definition, "firstName", json!("Ann")).having(
        &definition,
        "nick",
        json!("A"),
    );
    let shown = ask.decide(&definition, &user, 0);
    let weary =
        user.clone().met(&definition, &shown, &[("guide_shown", 1), ("guide_dismissed", 2)]);
    let elsewhere = Ask {
        n: 99,
        session: session("other"),
        path: Some("/users/ann"),
        components: Some(vec!["modal".into()]),
        ..Ask::default()
    };
    let table = [
        ("user", sign(&definition, &user.clone().named("bob"), &ask, HOUR)),
        ("path, session, component and decision", sign(&definition, &user, &elsewhere, HOUR)),
        ("the exact moment", sign(&definition, &user, &ask, 23 * HOUR + 17)),
        ("text and personal attributes", sign(&definition, &named, &ask, HOUR)),
        ("contact and limits", sign(&definition, &weary, &ask, HOUR)),
        (
            "a locale that no copy has",
            sign(&definition, &user, &Ask { locale: Some("x-ann-lee"), ..Ask::default() }, HOUR),
        ),
    ];
    for (what, signature) in table {
        assert_eq!(signature, same, "{what}");
    }
}

#[test]
fn what_fits_and_what_is_changes_it() {
    let product = Product::small().with("/guides/0/target", json!("item_button"));
    let with_de = product
        .clone()
        .with("/guides/1/variants/0/copy/de", json!({ "title": "Hallo", "cta": "Los" }));
    let definition = with_de.definition();
    let user = User::signed_up(&definition);
    let ask = Ask::default();
    let paused =
        Ask { paused: vec![guide_id("start")], app_version: Some("2.0.0"), ..Ask::default() };
    let signatures = [
        sign(&definition, &user, &ask, HOUR),
        sign(&definition, &user, &ask, 25 * HOUR),
        sign(&definition, &user, &Ask { locale: Some("de-CH"), ..ask.clone() }, HOUR),
        sign(&definition, &user, &Ask { app_version: Some("1.0.0"), ..ask.clone() }, HOUR),
        sign(&definition, &user, &Ask { app_version: Some("1.4.0"), ..ask.clone() }, HOUR),
        sign(&definition, &user, &Ask { app_version: Some("2.0.0"), ..ask.clone() }, HOUR),
        sign(&definition, &user, &paused, HOUR),
        sign(&definition, &user.clone().having(&definition, "tier", json!("pro")), &ask, HOUR),
        sign(
            &definition,
            &user.clone().did(&definition, "form_submit", 0, json!({ "error": "odd" })),
            &ask,
            HOUR,
        ),
        sign(
            &definition,
            &user.clone().did(&definition, "form_submit", 0, json!({ "form": "project" })),
            &ask,
            HOUR,
        ),
        sign(&product.definition(), &user, &ask, HOUR),
    ];
    let different: std::collections::BTreeSet<_> = signatures.iter().collect();
    assert_eq!(different.len(), signatures.len(), "{signatures:?}");
}

#[test]
fn days_fall_into_their_buckets() {
    let table = [
        (0, "d0"),
        (DAY - 1, "d0"),
        (DAY, "d1"),
        (2 * DAY, "d2_3"),
        (4 * DAY - 1, "d2_3"),
        (4 * DAY, "d4_7"),
        (8 * DAY - 1, "d4_7"),
        (8 * DAY, "d8_14"),
        (15 * DAY - 1, "d8_14"),
        (15 * DAY, "d15plus"),
        (900 * DAY, "d15plus"),
    ];
    for (age, bucket) in table {
        assert_eq!(days(Millis::new(age)), bucket, "{age}");
    }
}

#[test]
fn numbers_fall_into_their_buckets() {
    let bounds = [-1.0, 10.0, 50.5];
    let table = [
        (-2.0, "lt_-1"),
        (-1.0, "-1_to_10"),
        (9.9, "-1_to_10"),
        (10.0, "10_to_50.5"),
        (50.5, "ge_50.5"),
    ];
    for (number, bucket) in table {
        assert_eq!(number_bucket(number, &bounds), bucket);
    }
    let powers = [
        (-0.5, "neg"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.5, "lt_1"),
        (1.0, "1_to_2"),
        (1.99, "1_to_2"),
        (2.0, "2_to_4"),
        (1000.0, "512_to_1024"),
        (1024.0, "1024_to_2048"),
    ];
    for (number, bucket) in powers {
        assert_eq!(number_bucket(number, &[]), bucket, "{number}");
    }
}

#[test]
fn every_form_of_feature_is_bucketed() {
    let definition = Product::small()
        .with(
            "/features",
            json!([{ "attribute": "seats", "buckets": [5, 20] }, "beta", "shell.major", "locale"]),
        )
        .definition();
    let user = User::signed_up(&definition)
        .having(&definition, "seats", json!(7))
        .having(&definition, "beta", json!(true))
        .having(&definition, "shell", json!("3.1.4"));
    let text = canonical(&definition, &user, &Ask::default(), 0);
    let features = r#""features":{"beta":true,"locale":"en","seats":"5_to_20","shell.major":3}"#;
    assert!(text.contains(features), "{text}");
}

#[test]
fn a_prompt_makes_it_another_situation_and_its_parent_knows_no_feature() {
    let definition = Product::small().definition();
    let free = User::signed_up(&definition);
    let pro = free.clone().having(&definition, "tier", json!("pro"));
    let prompt = |name: &str| PromptId::new(name).expect("an identifier");
    let named = |user: &User, name: &str| {
        Ask::default().judge(&definition, user, HOUR, |situation, judged| {
            let (prompt, guides) = (prompt(name), &judged.situational);
            (signature_for(&prompt, situation, guides), parent(&prompt, situation, guides))
        })
    };
    assert_eq!(named(&free, "none").0, sign(&definition, &free, &Ask::default(), HOUR));
    assert_ne!(named(&free, "choose-1"), named(&free, "choose-2"));
    assert_ne!(named(&free, "choose-1").0, named(&pro, "choose-1").0);
    assert_eq!(named(&free, "choose-1").1, named(&pro, "choose-1").1);
    assert_ne!(named(&free, "choose-1").0, named(&free, "choose-1").1);
}
