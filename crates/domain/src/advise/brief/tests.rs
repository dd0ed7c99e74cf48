//! What a brief holds, how it is made to fit, and that nothing of a user is in it.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::advise::fixture::{asked, brief, guide, guide_about, product};
use crate::definition::Definition;
use crate::rules::fixture::{Ask, HOUR, Product, User, session, t};

fn about_user(definition: &Definition, user: &User, ask: &Ask) -> Result<Brief, NoCall> {
    asked(definition, user, ask, HOUR)
}

#[test]
fn options_go_by_id_and_no_guide_comes_last() {
    let brief = brief(&product(&["b", "c", "a"]).definition());
    assert_eq!(brief.names().collect::<Vec<_>>(), ["a", "b", "c", "no_guide"]);
    assert_eq!(brief.pick("b"), GuideId::new("b").ok().map(Pick::Guide));
    assert_eq!(brief.pick("no_guide"), Some(Pick::NoGuide));
    assert_eq!(brief.pick("d"), None);
}

#[test]
fn the_situation_in_full() {
    let definition = product(&["a", "b"]).definition();
    let user = User::signed_up(&definition).having(&definition, "tier", json!("pro"));
    let ask = Ask { app_version: Some("2.1.0"), locale: Some("en-GB"), ..Ask::default() };
    let brief = about_user(&definition, &user, &ask).expect("a question");
    let expected = concat!(
        r#"{"features":{"appVersion.major":2,"daysSinceSignup":"d0","lastError":null,"locale":"en","tier":"pro"},"#,
        r#""milestones":{"data":"locked","project":"open","report":"locked"}}"#
    );
    assert_eq!(brief.situation(), expected);
}

#[test]
fn without_a_choice_there_is_no_call() {
    let nobody = product(&["a"]).with("/guides/0/intent", json!("unblock")).definition();
    let one = product(&["a"]).definition();
    let reserved = product(&["a", "no_guide"]).definition();
    for definition in [nobody, one, reserved] {
        let brief = about_user(&definition, &User::signed_up(&definition), &Ask::default());
        assert_eq!(brief, Err(NoCall::NothingToChoose));
    }
}

#[test]
fn a_guide_that_is_called_like_no_guide_is_not_asked_about() {
    let brief = brief(&product(&["a", "b", "no_guide"]).definition());
    assert_eq!(brief.names().collect::<Vec<_>>(), ["a", "b", "no_guide"]);
}

#[test]
fn only_guides_that_fit_are_options() {
    let mut guides = vec![guide("a"), guide("b"), guide("c"), guide("d")];
    guides[1]["lifecycle"] = json!("draft");
    guides[2]["when"] = json!({ "attribute": "tier", "eq": "pro" });
    let definition = Product::small().with("/guides", Json::Array(guides)).definition();
    let brief = brief(&definition);
    assert_eq!(brief.names().collect::<Vec<_>>(), ["a", "d", "no_guide"]);
}

fn named(count: usize, about: &str) -> Definition {
    let guides = (0..count).map(|n| guide_about(&format!("guide-number-{n:02}"), about));
    Product::small().with("/guides", guides.collect()).definition()
}

#[test]
fn too_many_guides_are_not_asked_about() {
    assert_eq!(brief(&named(MOST_GUIDES, "Short.")).options().len(), MOST_GUIDES);
    let definition = named(MOST_GUIDES + 1, "Short.");
    let user = User::signed_up(&definition);
    assert_eq!(about_user(&definition, &user, &Ask::default()), Err(NoCall::TooMany));
}

#[test]
fn sentences_are_cut_before_anything_is_left_out() {
    let sentence = "Wörter und noch mehr Wörter ".repeat(30);
    let brief = brief(&named(6, &sentence));
    let abouts: Vec<&str> = brief.options().iter().map(|option| &*option.about).collect();
    assert!(
        abouts.iter().all(|about| about.len() <= 124 && about.ends_with("Wörter …")),
        "{abouts:?}"
    );
    assert!(brief.situation().contains("daysSinceSignup"));
    assert!(brief.situation().contains("report"));
}

#[test]
fn milestones_without_an_option_go_before_features_and_options_never() {
    let long = |n: usize| "m".repeat(50) + &n.to_string();
    let milestones =
        (0..20).map(|n| json!({ "id": long(n), "name": "M", "reached": { "event": "imported" } }));
    let product = Product::small()
        .with("/journey/milestones", milestones.collect())
        .with("/journey/activation", json!(long(7)))
        .with("/guides", ["a", "b"].iter().map(|id| guide(id)).collect());
    let serving = |product: Product| {
        let product = product.with("/guides/0/serves", json!(long(3)));
        product.with("/guides/1/serves", json!(long(3)))
    };
    let brief = brief(&serving(product).definition());
    let situation = brief.situation();
    assert!(situation.contains("\"daysSinceSignup\""), "{situation}");
    assert!(situation.contains(&long(3)) && situation.contains(&long(0)), "{situation}");
    assert!(!situation.contains(&long(29)), "{situation}");
    assert_eq!(brief.options().len(), 2);
    assert!(brief.fits());
}

#[test]
fn a_brief_that_cannot_be_made_to_fit_is_none() {
    let long = |n: usize| format!("{}{n:02}", "g".repeat(60));
    let guides = (0..19).map(|n| guide_about(&long(n), &"word ".repeat(100)));
    let definition = Product::small().with("/guides", guides.collect()).definition();
    let user = User::signed_up(&definition);
    assert_eq!(about_user(&definition, &user, &Ask::default()), Err(NoCall::TooLarge));
}

#[test]
fn a_line_break_does_not_make_a_second_option() {
    let definition = Product::small()
        .with("/guides", json!([guide_about("a", "One.\n- b: Two."), guide("c")]))
        .definition();
    assert_eq!(&*brief(&definition).options()[0].about, "One. - b: Two.");
}

#[test]
fn a_version_that_no_product_has_is_not_told() {
    let definition = product(&["a", "b"])
        .with("/features", json!(["appVersion", "appVersion.major"]))
        .definition();
    let user = User::signed_up(&definition);
    let told = |version: &'static str| {
        let ask = Ask { app_version: Some(version), ..Ask::default() };
        about_user(&definition, &user, &ask).expect("a question").situation()
    };
    assert!(told("3.14.15-canary").contains(r#"{"appVersion":"3.14.15","appVersion.major":3}"#));
    assert!(told("4917012345678.0.1").contains(r#"{"appVersion":null,"appVersion.major":null}"#));
    assert!(told("1.4917012345678.0").contains(r#"{"appVersion":null,"appVersion.major":1}"#));
}

/// Everything that a user may write, with one text in all of it.
fn writing(definition: &Definition, text: &str) -> (User, Ask) {
    let user = User::new()
        .named(text)
        .did(definition, "signed_up", 0, json!({ "note": text, "form": { text: text } }))
        .did(definition, "clicked", 1, json!({ "error": text, "path": text }))
        .did(definition, "form_submit", 2, json!({ "error": "card_declined", "field": text }))
        .having(definition, "firstName", json!(text))
        .having(definition, "nick", json!(text));
    let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let ask = Ask {
        session: session(text),
        path: Some(leak(&format!("/home?q={text}"))),
        app_version: Some("2.0.0"),
        locale: Some(leak(text)),
        components: Some(vec!["banner".to_owned(), text.to_owned()]),
        ..Ask::default()
    };
    (user, ask)
}

proptest! {
    /// Not only does the text not show up: whatever it is, the brief is the same to the byte.
    #[test]
    fn what_a_user_writes_changes_nothing(text in "[a-zA-Z0-9 äöü🙂{}\"\\\\]{1,30}") {
        prop_assume!(!text.trim().is_empty());
        let definition = product(&["a", "b"]).definition();
        let of = |text: &str| {
            let (user, ask) = writing(&definition, text);
            about_user(&definition, &user, &ask).expect("a question")
        };
        prop_assert_eq!(of(&text), of("x"));
    }

    #[test]
    fn a_brief_fits_whatever_the_product_says(
        abouts in prop::collection::vec("[a-zé ]{1,400}[a-z]", 2..25), features in 0usize..6,
    ) {
        let guides = abouts.iter().enumerate().map(|(n, about)| guide_about(&format!("g{n}"), about));
        let all = ["tier", "appVersion.major", "locale", "lastError", "daysSinceSignup", "seats"];
        let definition = Product::small()
            .with("/guides", guides.collect())
            .with("/features", json!(all[..features]))
            .definition();
        let user = User::signed_up(&definition);
        match about_user(&definition, &user, &Ask::default()) {
            Ok(brief) => {
                prop_assert!(brief.fits());
                prop_assert_eq!(brief.options().len(), abouts.len());
            }
            Err(NoCall::TooMany) => prop_assert!(abouts.len() > MOST_GUIDES),
            Err(why) => prop_assert!(why == NoCall::TooLarge && abouts.len() > 12, "{why}"),
        }
    }
}

#[test]
fn the_moment_is_only_told_in_buckets() {
    let definition = product(&["a", "b"]).definition();
    let user = User::signed_up(&definition);
    let at = |ms| asked(&definition, &user, &Ask::default(), ms).expect("a question");
    assert_eq!(at(HOUR), at(2 * HOUR));
    assert!(!format!("{:?}", at(HOUR)).contains(&t(HOUR).as_millis().to_string()));
}
