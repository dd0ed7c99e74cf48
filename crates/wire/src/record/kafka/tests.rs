//! The envelope against its golden forms, and any bytes against it.

use pilotage_domain::decide::{Group, Reason, Trace};
use pilotage_domain::event::EventContext;
use pilotage_domain::id::SessionId;
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;
use crate::event::IncomingEvent;
use crate::record::decision::{OutcomeName, StoredDecision, SurfaceBody};
use crate::record::merge::{Carried, Named, encode_carried, encode_named};
use crate::record::user::UserRecord;

const NOW: Timestamp = Timestamp::from_millis(1_795_378_500_123);
/// As `event` writes it: version 1, which must be read for ever.
const EVENT: &str = r#"{"v":1,"eventId":"evt 1","product":"acme","userId":"Ünal: 7","sessionId":"s","eventType":"form_submit","timestamp":"2026-11-22T20:15:00.123Z","receivedAt":"2026-11-22T20:15:00.123Z","payload":{"form":"import","record":"x"}}"#;
/// As `encode` writes a decision around its stored form.
const DECISION: &str = r#"{"v":1,"eventId":"dec_00000000000000000000000000000007","product":"acme","userId":"Ünal: 7","sessionId":"s","eventType":"guide_decided","timestamp":"2026-11-22T20:15:00.122Z","receivedAt":"2026-11-22T20:15:00.123Z","record":"GOLDEN"}"#;
/// The stored form of version 1, which must be read for ever.
const GOLDEN_1: &str = "ASRkZWNfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDcBc7TIrs7AaAAEYWNtZQjDnG5hbDogNwAAAAACBnJhbmRvbQAAAwIwMAIxMQEBAwAAAAAAAA==";
/// That of version 2: it says as well that there was no advice.
const GOLDEN_2: &str = "AiRkZWNfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDcBc7TIrs7AaAAEYWNtZQjDnG5hbDogNwAAAAACBnJhbmRvbQAAAwIwMAIxMQEBAwAAAAAAAAA=";

/// As `encode` writes a naming, of version 1, which must be read for ever.
const NAMED: &str = r#"{"v":2,"eventId":"named:anon-1:Ünal: 7","product":"acme","userId":"anon-1","sessionId":"s","eventType":"user_named","timestamp":"2026-11-22T20:15:00.122Z","receivedAt":"2026-11-22T20:15:00.123Z","mergedInto":"Ünal: 7","record":"GOLDEN"}"#;
/// As `encode` writes what is carried.
const CARRIED: &str = r#"{"v":2,"eventId":"carried:anon-1:Ünal: 7:abababababababababababababababababababababababababababababababab","product":"acme","userId":"Ünal: 7","sessionId":"s","eventType":"user_carried","timestamp":"2026-11-22T20:15:00.122Z","receivedAt":"2026-11-22T20:15:00.123Z","mergedFrom":"anon-1","record":"GOLDEN"}"#;

fn product() -> ProductId {
    ProductId::new("acme").expect("valid")
}

fn user() -> UserId {
    UserId::new("Ünal: 7").expect("valid")
}

fn event_name(id: &str) -> Name {
    Name::Event(EventId::new(id).expect("valid"))
}

fn decision_json(stored: &str) -> String {
    DECISION.replace("GOLDEN", stored)
}

fn decision(id: u128) -> StoredDecision {
    StoredDecision {
        decision_id: DecisionId::from_bits(id),
        session_id: SessionId::new("s").expect("valid"),
        at: Timestamp::from_millis(NOW.as_millis() - 1),
        guide: None,
        product: product(),
        user_id: user(),
        context: SurfaceBody::default(),
        group: Group::Random,
        policy: "random".into(),
        explore: false,
        stale: false,
        catalogue_version: 3,
        catalogue_hash: "00".into(),
        signature: "11".into(),
        outcome: OutcomeName::Withhold,
        reason: Some(Reason::Policy),
        propensity: None,
        expires_at: None,
        validation_hash: None,
        trace: Trace::default(),
        weighing: None,
    }
}

fn anonymous() -> UserId {
    UserId::new("anon-1").expect("valid")
}

fn named() -> Named {
    let session = SessionId::new("s").expect("valid");
    Named { into: user(), session, at: Timestamp::from_millis(NOW.as_millis() - 1) }
}

fn fold() -> ContentHash {
    ContentHash::from_bytes([0xab; 32])
}

fn carried() -> Carried {
    Carried::new(anonymous(), &named(), fold(), &UserRecord::default())
}

/// The JSON around that stored form.
fn json_around(json: &str, stored: &[u8]) -> String {
    json.replace("GOLDEN", &STANDARD.encode(stored))
}

/// Encodes it.
fn encoded<'a>(
    product: &'a ProductId,
    user: &'a UserId,
    name: &'a Name,
    body: &'a [u8],
) -> Result<Message<'a>, RecordError> {
    encode(Outgoing { product, user, name, received_at: NOW, body })
}

fn lines(message: &Message<'_>) -> String {
    let headers = message.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
    let value = String::from_utf8_lossy(&message.value);
    format!("{}\n{}{value}\n", message.key, headers.collect::<String>())
}

#[test]
fn an_event_stands_in_the_topic_as_promised() {
    let (product, user, name) = (product(), user(), event_name("evt 1"));
    let message = encoded(&product, &user, &name, EVENT.as_bytes()).expect("it is an event");
    let expected = "acme:Ünal: 7
x-api-version: 2024-10-01
event-id: evt 1
content-type: application/json
ce_specversion: 1.0
ce_id: evt 1
ce_source: pilotage/acme
ce_type: pilotage.event.form_submit
ce_time: 2026-11-22T20:15:00.123Z
";
    assert_eq!(lines(&message), format!("{expected}{EVENT}\n"));
}

#[test]
fn a_trace_is_a_header_too() {
    let (product, user, name) = (product(), user(), event_name("evt 1"));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let traced = EVENT.replacen('{', &format!(r#"{{"traceparent":"{trace}","#), 1);
    let message = encoded(&product, &user, &name, traced.as_bytes()).expect("it is an event");
    assert_eq!(message.headers.last(), Some(&("traceparent", trace.into())));
}

#[test]
fn a_decision_stands_in_the_topic_as_promised() {
    let (product, user, body) = (product(), user(), decision(7).encode());
    let name = Name::Decision(DecisionId::from_bits(7));
    let message = encoded(&product, &user, &name, &body).expect("it is a decision");
    let expected = "acme:Ünal: 7
x-api-version: 2024-10-01
event-id: dec_00000000000000000000000000000007
content-type: application/json
ce_specversion: 1.0
ce_id: dec_00000000000000000000000000000007
ce_source: pilotage/acme
ce_type: pilotage.decision
ce_time: 2026-11-22T20:15:00.122Z
";
    assert_eq!(lines(&message), format!("{expected}{}\n", decision_json(GOLDEN_2)));
}

#[test]
fn a_merge_stands_in_the_topic_as_promised() {
    let (product, user, anonymous) = (product(), user(), anonymous());
    let (named, carried) = (encode_named(&named()), encode_carried(&carried()));
    let expected = |key: &str, id: &str, kind: &str| {
        format!(
            "acme:{key}
x-api-version: 2024-10-01
event-id: {id}
content-type: application/json
ce_specversion: 1.0
ce_id: {id}
ce_source: pilotage/acme
ce_type: pilotage.{kind}
ce_time: 2026-11-22T20:15:00.122Z
"
        )
    };
    let name = Name::Named(user.clone());
    let message = encoded(&product, &anonymous, &name, &named).expect("it is a naming");
    let (told, json) =
        (expected("anon-1", "named:anon-1:Ünal: 7", "named"), json_around(NAMED, &named));
    assert_eq!(lines(&message), format!("{told}{json}\n"));
    let read = decode(Some(b"acme:anon-1"), Some(json.as_bytes())).expect("readable");
    assert_eq!((&read.user, &read.name, &*read.body), (&anonymous, &name, &*named));

    let name = Name::Carried(anonymous, fold());
    let message = encoded(&product, &user, &name, &carried).expect("it is what is carried");
    let (told, json) = (
        expected("Ünal: 7", &format!("carried:anon-1:Ünal: 7:{}", fold()), "carried"),
        json_around(CARRIED, &carried),
    );
    assert_eq!(lines(&message), format!("{told}{json}\n"));
    let key = "acme:Ünal: 7".as_bytes();
    let read = decode(Some(key), Some(json.as_bytes())).expect("readable");
    assert_eq!((&read.user, &read.name, &*read.body), (&user, &name, &*carried));
}

#[test]
fn version_1_loads_for_ever() {
    let key = "acme:Ünal: 7".as_bytes();
    let event = decode(Some(key), Some(EVENT.as_bytes())).expect("readable");
    assert_eq!((event.product, event.user), (product(), user()));
    assert_eq!((event.name, event.received_at), (event_name("evt 1"), NOW));
    assert_eq!(&*event.body, EVENT.as_bytes());

    let json = decision_json(GOLDEN_1);
    let stored = decode(Some(key), Some(json.as_bytes())).expect("readable");
    assert_eq!((stored.product, stored.user), (product(), user()));
    assert_eq!(stored.name, Name::Decision(DecisionId::from_bits(7)));
    assert_eq!(stored.received_at, NOW);
    assert_eq!(super::decision::decode(&stored.body), Ok(decision(7)));
}

#[test]
fn the_callers_version_of_the_api_is_told() {
    let (product, user, name) = (product(), user(), event_name("evt 1"));
    let body = EVENT.replace("\"payload\"", "\"apiVersion\":\"2025-01-01\",\"payload\"");
    let message = encoded(&product, &user, &name, body.as_bytes()).expect("it is an event");
    assert_eq!(message.headers[0], ("x-api-version", "2025-01-01".into()));
}

#[test]
fn what_is_not_the_stored_form_of_the_record_is_not_encoded() {
    let decided = decision(7).encode();
    let named = |id| Name::Decision(DecisionId::from_bits(id));
    let (product, user) = (product(), user());
    let stranger = UserId::new("v").expect("valid");
    let (naming, carried) = (encode_named(&self::named()), encode_carried(&carried()));
    let other_fold = ContentHash::from_bytes([0; 32]);
    let other_time = EVENT.replace("receivedAt\":\"2026", "receivedAt\":\"2025");
    let cases: &[(Name, &[u8], &str)] = &[
        (event_name("evt 2"), EVENT.as_bytes(), "its eventId is not the record's"),
        (event_name("evt 1"), other_time.as_bytes(), "not the stored form of that event"),
        (event_name("evt 1"), &decided, "it is not JSON"),
        (event_name("evt 1"), b"", "it ends too soon"),
        (named(8), &decided, "its decision is not the record's"),
        (named(7), EVENT.as_bytes(), "version 123"),
        (named(7), b"", "empty"),
        (Name::Named(stranger.clone()), &naming, "its users are not the record's"),
        (Name::Named(user.clone()), &naming, "its users are not the record's"),
        (Name::Named(user.clone()), &carried, "names no"),
        (Name::Carried(stranger.clone(), fold()), &carried, "its users are not the record's"),
        (Name::Carried(anonymous(), other_fold), &carried, "its users are not the record's"),
        (Name::Carried(anonymous(), fold()), &decided, "has version 2"),
    ];
    for (name, body, expected) in cases {
        let error = encoded(&product, &user, name, body).expect_err("it can't be read back");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let name = event_name("evt 1");
    let error = encoded(&product, &stranger, &name, EVENT.as_bytes()).expect_err("another's");
    assert!(error.to_string().contains("its userId is not"), "{error}");
}

#[test]
fn what_is_not_ours_is_told_with_its_reason() {
    let decision = decision_json(GOLDEN_2);
    let named = json_around(NAMED, &encode_named(&named()));
    let carried = json_around(CARRIED, &encode_carried(&carried()));
    let swapped = decision.replace("00000000000000000000000000000007", &"0".repeat(32));
    let newer = [EVENT, &decision].map(|json| json.replace("\"v\":1", "\"v\":2"));
    let blank = EVENT.replace("evt 1", " ");
    let unknown = EVENT.replace("acme", "Acme");
    let personal = EVENT.replace("\"v\":1", "\"v\":\"ada@example.com\"");
    let cut = decision.replace(GOLDEN_2, &GOLDEN_2[..GOLDEN_2.len() - 1]);
    let cases: &[(Option<&str>, Option<&str>, &str)] = &[
        (Some("acme:Ünal: 7"), None, "it has no value"),
        (None, Some(EVENT), "its key is not product:user"),
        (Some("acme:u"), Some(EVENT), "its key is not product:user"),
        (Some("acme:Ünal: 7"), Some("{}"), "a field is missing"),
        (Some("acme:Ünal: 7"), Some("hello"), "it is not JSON, at line 1 column 1"),
        (Some("acme:Ünal: 7"), Some(&newer[0]), "has version 2"),
        (Some("acme:Ünal: 7"), Some(&newer[1]), "has version 2"),
        (Some("acme:Ünal: 7"), Some(&blank), "eventId"),
        (Some("acme:Ünal: 7"), Some(&unknown), "product"),
        (Some("acme:Ünal: 7"), Some(&swapped), "its eventId is not that of what it holds"),
        (Some("acme:Ünal: 7"), Some(&cut), "record: "),
        (
            Some("acme:anon-1"),
            Some(&named.replace("named:anon-1", "named:anon-2")),
            "its eventId is not",
        ),
        (Some("acme:v"), Some(&named.replace("anon-1", "v")), "can't be merged"),
        (Some("acme:anon-1"), Some(&named.replace("\"v\":2", "\"v\":3")), "has version 3"),
        (Some("acme:anon-9"), Some(&carried.replace("Ünal: 7", "anon-9")), "can't be merged"),
        (Some("acme:Ünal: 7"), Some(r#"{"v":3,"eventId":{"of":"another form"}}"#), "has version 3"),
        (Some("acme:Ünal: 7"), Some(&personal), "a field is missing or has another form"),
    ];
    for (key, value, expected) in cases {
        let read = decode(key.map(str::as_bytes), value.map(str::as_bytes));
        let error = read.expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("ada@example.com"), "{error}");
    }
}

/// Ids as callers own them: anything printable, not blank.
fn caller_owned() -> impl Strategy<Value = String> {
    "\\PC{1,40}".prop_filter("not blank", |text| EventId::new(text).is_ok())
}

proptest! {
    #[test]
    fn an_event_survives_the_topic(
        (user, session, id) in (caller_owned(), caller_owned(), caller_owned()),
        kind in "\\PC{1,20}",
        note in any::<String>(),
        now in -62_167_219_200_000i64..253_402_300_799_999,
    ) {
        let (product, received_at) = (product(), Timestamp::from_millis(now));
        let (user, id) = (UserId::new(&user).expect("valid"), EventId::new(&id).expect("valid"));
        let payload = serde_json::json!({ "note": note }).to_string();
        let incoming = IncomingEvent {
            id: None,
            user: user.clone(),
            session: SessionId::new(&session).expect("valid"),
            kind: kind.into(),
            claimed: None,
            anonymous: None,
            attributes: None,
            context: EventContext::default(),
            payload: RawValue::from_string(payload).ok(),
            api_version: None,
            trace_parent: None,
        };
        let body = event::encode(&product, &id, &incoming, received_at);
        let name = Name::Event(id);
        let record = Outgoing {
            product: &product, user: &user, name: &name, received_at, body: &body,
        };
        let message = encode(record).expect("a stored event");
        let read = decode(Some(message.key.as_bytes()), Some(&message.value)).expect("ours");
        prop_assert_eq!((&read.product, &read.user, &read.name), (&product, &user, &name));
        prop_assert_eq!((read.received_at, &*read.body), (received_at, &*body));
    }

    #[test]
    fn any_bytes_give_a_record_or_an_error(
        key in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
        value in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
    ) {
        let _ = decode(key.as_deref(), value.as_deref());
        let (product, user, body) = (product(), user(), value.unwrap_or_default());
        let merges = [Name::Named(self::user()), Name::Carried(anonymous(), fold())];
        for name in [event_name("evt 1"), Name::Decision(DecisionId::from_bits(7))].into_iter().chain(merges) {
            let _ = encoded(&product, &user, &name, &body);
        }
    }

    /// Damage is told, or the record is still whole in all that was looked at: its user and its key agree.
    #[test]
    fn a_damaged_value_gives_a_record_or_an_error(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), kind in 0..3usize,
    ) {
        let carried = json_around(CARRIED, &encode_carried(&carried()));
        let mut value = vec![decision_json(GOLDEN_2), EVENT.to_owned(), carried].swap_remove(kind).into_bytes();
        let at = at.index(value.len());
        value[at] = byte;
        if let Ok(read) = decode(Some("acme:Ünal: 7".as_bytes()), Some(&value)) {
            prop_assert_eq!((read.product, read.user), (product(), user()));
        }
    }
}
