//! The fuzz target's body on bodies that nearly are events, so that it is run without a fuzzer, too. Must not need nightly.

#[path = "../../../fuzz/bodies/event.rs"]
mod body;

use proptest::prelude::*;

const SEEDS: [&str; 4] = [
    r#"{"userId":"u","sessionId":"s","eventType":"form_submit","payload":{"form":"import","ok":false,"n":[1e3,-0.5,"\u00e9"]},
        "timestamp":"2026-11-22T20:15:00+01:00","eventId":"e","context":{"path":"/import","locale":"de-AT"}}"#,
    r#"{"events":[{"userId":"u","sessionId":"s","eventType":"page_view"},{"userId":7}],"userToken":"a.b.c"}"#,
    "{\"userId\":\"u\",\"sessionId\":\"s\",\"eventType\":\"page_view\"}\n{\n",
    r#"{"userId":"u","sessionId":"s","context":{"components":["tooltip"]},"after":"e","waitMs":50,"at":"2026-11-22T20:15:00Z"}"#,
];

/// A seed with some of its bytes replaced, dropped or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>()), 0..6);
    (prop::sample::select(&SEEDS[..]), edits).prop_map(|(seed, edits)| {
        let mut bytes = seed.as_bytes().to_vec();
        for (place, edit, byte) in edits {
            let at = place.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, bytes[at]),
            }
        }
        bytes
    })
}

#[test]
fn the_seeds_hold() {
    SEEDS.iter().for_each(|seed| body::run(seed.as_bytes()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_nearly_is_a_body_holds(bytes in mutated()) {
        body::run(&bytes);
    }
}
