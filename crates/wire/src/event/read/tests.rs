//! What is taken for an event and what is refused, with every fault. Must hold for any text at all.

use std::sync::LazyLock;

use pilotage_domain::definition::Definition;
use pilotage_domain::id::{EventId, ProductId, UserId};
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Value;
use proptest::prelude::*;

use super::*;
use crate::{instant, record, yaml};

const USER: &str = "6f0e1b1c-8a0a-4c1e-9a53-0a2f4a3f9d11";

fn acme() -> Definition {
    static ACME: LazyLock<Definition> = LazyLock::new(|| {
        let text = include_str!("../../../../../examples/acme.yaml");
        yaml::load(text).unwrap_or_else(|faults| panic!("{faults:?}")).definition
    });
    ACME.clone()
}

/// An event with these further members.
fn with(members: &str) -> String {
    format!(r#"{{"userId":"{USER}","sessionId":"s1","eventType":"page_view"{members}}}"#)
}

fn faults(text: &str) -> Vec<(String, String)> {
    let refused = read(text, &acme()).expect_err(text);
    refused.faults.into_iter().map(|f| (f.path.into_owned(), f.message.into_owned())).collect()
}

fn fault(text: &str) -> (String, String) {
    let mut all = faults(text);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    all.remove(0)
}

#[test]
fn every_member_arrives() {
    let received = read(
        &with(
            r#","payload":{"form":"import","ok":false,"deep":[{"a":1e3}]},"timestamp":"2026-11-22T21:15:00.5+01:00",
            "eventId":"e-1","anonymousId":"anon","attributes":{"tier":"pro"},"userToken":"a.b.c",
            "context":{"appVersion":"2.1.0","locale":"de-AT","path":"/import","timezone":"Europe/Vienna","more":1},
            "further":{"is":["passed","over"]}"#,
        ),
        &acme(),
    )
    .expect("an event");
    let event = received.event;
    assert_eq!(
        (event.user.as_str(), event.session.as_str(), &*event.kind),
        (USER, "s1", "page_view")
    );
    assert_eq!(event.id, EventId::new("e-1").ok());
    assert_eq!(event.claimed, instant::parse("2026-11-22T20:15:00.500Z"));
    assert_eq!(event.anonymous.as_ref().map(UserId::as_str), Some("anon"));
    let raw = |part: Option<Box<RawValue>>| part.map(|raw| raw.get().to_owned());
    assert_eq!(raw(event.attributes).as_deref(), Some(r#"{"tier":"pro"}"#));
    assert_eq!(
        raw(event.payload).as_deref(),
        Some(r#"{"form":"import","ok":false,"deep":[{"a":1e3}]}"#)
    );
    assert_eq!(event.context.app_version.as_deref(), Some("2.1.0"));
    assert_eq!(event.context.locale.as_deref(), Some("de-AT"));
    assert_eq!(event.context.path.as_deref(), Some("/import"));
    assert_eq!(event.context.timezone.as_deref(), Some("Europe/Vienna"));
    assert_eq!(received.user_token.as_deref(), Some("a.b.c"));
}

#[test]
fn null_is_absence() {
    let event =
        read(&with(r#","payload":null,"timestamp":null,"eventId":null,"context":null"#), &acme());
    let event = event.expect("an event").event;
    assert!(event.id.is_none() && event.payload.is_none() && event.claimed.is_none());
    assert_eq!(faults(r#"{"userId":null,"sessionId":"s","eventType":"page_view"}"#).len(), 1);
}

#[test]
fn every_fault_is_told_at_once_and_the_id_is_kept() {
    let refused = read(
        r#"{"userId":"not-a-uuid","sessionId":7,"eventType":"unheard_of","payload":[],"timestamp":1795378500123,
            "eventId":"keep-me","anonymousId":"","attributes":"x",
            "context":{"appVersion":1,"locale":true,"path":[],"timezone":{}}}"#,
        &acme(),
    )
    .expect_err("faulty");
    assert_eq!(refused.id, EventId::new("keep-me").ok());
    let found: Vec<_> = refused.faults.iter().map(|f| (&*f.path, &*f.message)).collect();
    let string = "must be a string";
    let expected = [
        ("userId", "must be a UUID, or `anon-` and a UUID, as the product's definition demands"),
        ("sessionId", string),
        ("eventType", "is not an event type of the product's definition"),
        ("payload", "must be an object"),
        ("timestamp", string),
        ("anonymousId", "must not be empty"),
        ("attributes", "must be an object"),
        ("context.appVersion", string),
        ("context.locale", string),
        ("context.path", string),
        ("context.timezone", string),
    ];
    assert_eq!(found, expected);
}

#[test]
fn single_faults() {
    let required = |path: &str| (path.to_owned(), "is required".to_owned());
    let names = ["userId", "sessionId", "eventType"];
    assert_eq!(faults("{}"), names.map(required));
    let long = |n: usize| "x".repeat(n);
    let cases = [
        (with(r#","timestamp":"yesterday""#), "timestamp", "must be an RFC 3339 date and time"),
        (with(r#","timestamp":"2026-11-22""#), "timestamp", "must be an RFC 3339 date and time"),
        (with(&format!(r#","eventId":"{}""#, long(201))), "eventId", "must be at most 200 bytes"),
        (with(r#","eventId":"a\nb""#), "eventId", "may hold only printable characters"),
        (with(r#","eventId":"\ud800""#), "eventId", "holds an escape that is no character"),
        (with(r#","context":[]"#), "context", "must be an object"),
        (
            with(&format!(r#","context":{{"path":"{}"}}"#, long(2_049))),
            "context.path",
            "must be at most 2048 bytes",
        ),
        (
            with(r#","context":{"path":"/a","path":"/b"}"#),
            "context.path",
            "must not be given twice",
        ),
        (with(r#","sessionId":"s2""#), "sessionId", "must not be given twice"),
        (with(r#","payload":{"a":"\udc00"}"#), "payload", "lone leading surrogate in hex escape"),
        (with(r#","payload":{"a":1e999}"#), "payload", "number out of range"),
        (
            with(&format!(r#","payload":{{"{}":1}}"#, long(257))),
            "payload",
            "must not hold names over 256 bytes",
        ),
        ("[1]".to_owned(), "", "must be an object"),
        ("7".to_owned(), "", "must be an object"),
    ];
    for (text, path, message) in cases {
        assert_eq!(fault(&text), (path.to_owned(), message.to_owned()), "{text}");
    }
}

#[test]
fn what_is_not_json_is_said_to_be_so() {
    for text in
        ["", "{", r#"{"userId":"#, r#"{"userId":1}x"#, "nonsense", r#"{"a":1,}"#, "\u{feff}{}"]
    {
        let (path, message) = fault(text);
        assert_eq!(path, "", "{text}");
        assert!(message.starts_with("is not JSON: "), "{text}: {message}");
    }
}

#[test]
fn free_data_nests_to_a_bound() {
    let nested = |levels: usize| {
        let lists = levels - 1;
        with(&format!(r#","payload":{{"a":{}{}}}"#, "[".repeat(lists), "]".repeat(lists)))
    };
    assert!(read(&nested(32), &acme()).is_ok());
    let too_deep = ("payload".to_owned(), "must not nest deeper than 32 levels".to_owned());
    assert_eq!(fault(&nested(33)), too_deep);
    assert_eq!(fault(&nested(300_000)), too_deep);
}

#[test]
fn a_million_doubled_keys_are_one_fault() {
    let doubled = r#","userId":"x""#.repeat(100_000);
    let all = faults(&with(&doubled));
    assert!(all.len() <= 2, "{}", all.len());
}

/// JSON texts of any shape, and texts that nearly are.
fn any_member() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<f64>().prop_map(|n| serde_json::to_string(&n).expect("writable")),
        "\\PC{0,12}".prop_map(|s| serde_json::to_string(&s).expect("writable")),
        r#"\\?u?[0-9a-fdD]{0,5}["]?"#.prop_map(|s| format!("\"{s}\"")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|l| format!("[{}]", l.join(","))),
            prop::collection::vec(("[a-zA-Z]{0,6}", inner), 0..5).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_taken_can_be_stored_and_read_again(
        place in prop::sample::select(&EVENT[..]),
        value in any_member(),
        payload in any_member(),
    ) {
        let text = format!(
            r#"{{"userId":"{USER}","sessionId":"s","eventType":"page_view","{place}":{value},"payload":{payload}}}"#
        );
        match read(&text, &acme()) {
            Err(refused) => prop_assert!(!refused.faults.is_empty()),
            Ok(received) => {
                let product = ProductId::new("acme").expect("valid");
                let id = EventId::new("e").expect("valid");
                let now = Timestamp::from_millis(1_795_378_500_123);
                let body = record::event::encode(&product, &id, &received.event, now);
                let stored = record::event::decode(&body).expect("readable");
                let sent: Value = serde_json::from_str(&payload).expect("it was taken");
                prop_assert_eq!(stored.payload, sent);
            }
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_refused(text in "\\PC{0,80}") {
        prop_assert!(read(&text, &acme()).is_err());
    }
}
