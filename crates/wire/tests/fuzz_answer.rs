//! The fuzz target's body on answers that nearly are good, so that it is run without a fuzzer, too. Must not need nightly.

#[path = "../../../fuzz/bodies/answer.rs"]
mod body;

use proptest::prelude::*;

/// A dialect, a user's state, and what was sent.
const SEEDS: [(u8, u8, &str); 6] = [
    (
        0,
        1,
        r#"{"choices":[{"finish_reason":"stop","message":{"content":"{\"first\":\"import-data\",\"second\":\"connect-billing\"}"}}],"usage":{"prompt_tokens":9,"completion_tokens":3}}"#,
    ),
    (
        1,
        2,
        r#"{"choices":[{"finish_reason":"length","logprobs":{"content":[{"token":"A","top_logprobs":[{"token":"A","logprob":-0.1},{"token":"B","logprob":-3}]}]}}]}"#,
    ),
    (
        2,
        3,
        r#"{"stop_reason":"tool_use","content":[{"type":"tool_use","name":"choose","input":{"first":"no_guide","second":"import-data"}}]}"#,
    ),
    (
        3,
        0,
        r#"{"answers":{"guide":{"type":"choice","choice":"import-data","probabilities":{"import-data":0.7,"connect-billing":0.2,"no_guide":0.1}}}}"#,
    ),
    (
        4,
        1,
        r#"{"answers":[{"type":"choice","name":"guide","choice":"import-data","probabilities":[{"value":"import-data","probability":0.7},{"value":"connect-billing","probability":0.2},{"value":"no_guide","probability":0.1}]}]}"#,
    ),
    (
        0,
        1,
        r#"{"choices":[{"finish_reason":"stop","message":{"content":"{\"wordings\":[{\"en\":{\"title\":\"a\",\"body\":\"b\",\"cta\":\"c\"},\"de\":{\"title\":\"a\",\"body\":\"b\",\"cta\":\"c\"}}]}"}}]}"#,
    ),
];

fn bytes((dialect, state, body): &(u8, u8, &str)) -> Vec<u8> {
    [&[*dialect, *state], body.as_bytes()].concat()
}

/// A seed with some of its bytes replaced, dropped or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, any::<u8>()), 0..6);
    (prop::sample::select(&SEEDS[..]), any::<u8>(), edits).prop_map(|(seed, state, edits)| {
        let mut bytes = bytes(&seed);
        bytes[1] = state;
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
    SEEDS.iter().for_each(|seed| body::run(&bytes(seed)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_nearly_is_an_answer_holds(bytes in mutated()) {
        body::run(&bytes);
    }
}
