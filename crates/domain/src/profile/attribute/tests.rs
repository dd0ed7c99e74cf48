//! Which values fit, and what a profile keeps of them.

use super::*;
use crate::definition::table::Ix;
use crate::profile::fixture::{Draft, User, attribute, event, json, text};

#[test]
fn values_fit_their_form_or_not_at_all() {
    let definition = Draft::new().done();
    let longest = format!("\"{}\"", "é".repeat(250));
    let too_long = format!("\"{}\"", "é".repeat(250) + "x");
    let table = [
        ("tier", "\"pro\"", Some(text("pro"))),
        ("tier", "\"Pro\"", None),
        ("tier", "1", None),
        ("appVersion", "\"1.2.3-beta+7\"", Some(text("1.2.3-beta+7"))),
        ("appVersion", "\"1.2\"", None),
        ("locale", "\"DE-at\"", Some(text("de-AT"))),
        ("locale", "\"?\"", None),
        ("seats", "-2.5", Some(Scalar::Number(-2.5))),
        ("seats", "\"2\"", None),
        ("beta", "true", Some(Scalar::Bool(true))),
        ("beta", "\"true\"", None),
        ("beta", "1", None),
        ("note", "\"\"", Some(text(""))),
        ("note", "[\"a\"]", None),
        ("note", "null", None),
        ("note", &longest, json(&longest).as_scalar()),
        ("note", &too_long, None),
    ];
    for (name, value, expected) in table {
        let form = &definition.attributes[attribute(&definition, name)].form;
        assert_eq!(form.fit(&json(value)), expected, "{name} {value}");
    }
    for number in [f64::NAN, f64::INFINITY] {
        assert_eq!(AttributeForm::Number.fit(&Value::Number(number)), None);
    }
}

#[test]
fn language_tags_take_their_usual_case() {
    let table = [
        ("de", Some("de")),
        ("DE-at", Some("de-AT")),
        ("de_at", Some("de-AT")),
        ("ZH-hANT-tw", Some("zh-Hant-TW")),
        ("es-419", Some("es-419")),
        ("sl-ROZAJ-1994", Some("sl-rozaj-1994")),
        ("en-US-u-CA-Buddhist", Some("en-US-u-ca-buddhist")),
        ("en-a-BBBB-CC", Some("en-a-bbbb-cc")),
        ("", None),
        ("d", None),
        ("d3", None),
        ("de-", None),
        ("-de", None),
        ("de--AT", None),
        ("de-x", None),
        ("de-AT!", None),
        ("dé", None),
        ("de-abcdefghi", None),
        ("abcdefghi", None),
        ("en-aaaaaaaa-bbbbbbbb-cccccccc-dddddd", None),
    ];
    for (tag, expected) in table {
        assert_eq!(normal_locale(tag).as_deref(), expected, "{tag}");
    }
    assert!(normal_locale("en-aaaaaaaa-bbbbbbbb-cccccccc-ddddd").is_some(), "35 bytes fit");
}

fn setting(ms: u64, values: &[(&str, &str)]) -> Event {
    let attributes = values.iter().map(|(name, value)| ((*name).into(), json(value))).collect();
    Event { attributes, ..event("page_view", ms) }
}

#[test]
fn the_last_in_log_order_wins_whatever_its_time() {
    let definition = Draft::new().done();
    let mut user = User::new();
    user.event(&definition, &setting(9, &[("tier", "\"pro\""), ("seats", "3")]));
    user.event(
        &definition,
        &setting(5, &[("tier", "\"free\""), ("beta", "true"), ("beta", "false")]),
    );
    let expected =
        [("beta", Scalar::Bool(false)), ("seats", Scalar::Number(3.0)), ("tier", text("free"))];
    assert_eq!(user.profile.attributes, expected.map(|(name, value)| (name.into(), value)));
}

#[test]
fn what_does_not_fit_is_dropped_and_counted_and_null_removes() {
    let definition = Draft::new().done();
    let mut user = User::new();
    user.event(&definition, &setting(1, &[("tier", "\"pro\""), ("seats", "3")]));
    let bad =
        setting(2, &[("tier", "\"gold\""), ("seats", "{}"), ("undeclared", "1"), ("beta", "true")]);
    assert_eq!(user.event(&definition, &bad).dropped_values, 2);
    assert_eq!(user.profile.attribute("tier"), Some(&text("pro")));
    assert_eq!(user.profile.attribute("seats"), Some(&Scalar::Number(3.0)));
    assert_eq!(user.profile.attribute("beta"), Some(&Scalar::Bool(true)));
    assert_eq!(user.profile.attribute("undeclared"), None);
    let gone = setting(3, &[("seats", "null"), ("note", "null")]);
    assert_eq!(user.event(&definition, &gone).dropped_values, 0);
    assert_eq!(user.profile.attribute("seats"), None);
    assert_eq!(user.event(&definition, &setting(4, &[("beta", "7")])).dropped_values, 1);
    assert_eq!(user.profile.dropped_values, 3);
}

#[test]
fn the_context_sets_version_and_locale_and_an_explicit_value_wins() {
    let definition = Draft::new().done();
    let mut user = User::new();
    let in_context = |ms: u64, version: &str, locale: &str| {
        let mut event = event("page_view", ms);
        event.context.app_version = Some(version.into());
        event.context.locale = Some(locale.into());
        event
    };
    let value = |user: &User, ix: Ix<Attribute>| user.view(&definition, 9).attribute(ix).cloned();
    assert_eq!(user.event(&definition, &in_context(1, "2.0.0", "de-at")).dropped_values, 0);
    assert_eq!(value(&user, definition.app_version), Some(text("2.0.0")));
    assert_eq!(value(&user, definition.locale), Some(text("de-AT")));
    assert_eq!(user.event(&definition, &in_context(2, "latest", "fr")).dropped_values, 1);
    assert_eq!(value(&user, definition.app_version), Some(text("2.0.0")));
    assert_eq!(value(&user, definition.locale), Some(text("fr")));
    let attributes = vec![("locale".into(), json("\"it\""))];
    user.event(&definition, &Event { attributes, ..in_context(3, "2.1.0", "es") });
    assert_eq!(value(&user, definition.locale), Some(text("it")));
    assert_eq!(value(&user, definition.app_version), Some(text("2.1.0")));
}
