//! The body of the fuzz target `definition`, run on the corpus and on bounded random input. Must not replace the fuzzer.

#[path = "../../../fuzz/bodies/definition.rs"]
mod body;

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::{Index, select};

fn files(folder: &str) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder is part of the repository");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    paths.map(|path| std::fs::read_to_string(path).expect("UTF-8")).collect()
}

#[test]
fn the_corpus() {
    let corpus: Vec<_> =
        ["../../examples", "tests/definitions/broken"].into_iter().flat_map(files).collect();
    assert!(corpus.len() > 40);
    corpus.iter().for_each(|text| body::run(text.as_bytes()));
}

/// An edit such as a fuzzer makes: bytes cut out, others put in.
fn edit() -> impl Strategy<Value = (Index, usize, Vec<u8>)> {
    let pieces = vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b": ",
        b"- ",
        b"\n",
        b"'",
        b"\"",
        b"*a",
        b"&a ",
        b"!!x ",
        b"|\n",
        b"\0",
        b"\xff",
        b"\t",
    ];
    let put = prop_oneof![
        select(pieces).prop_map(<[u8]>::to_vec),
        proptest::collection::vec(any::<u8>(), 0..8)
    ];
    (any::<Index>(), 0..20usize, put)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edited_files(file in any::<Index>(), edits in proptest::collection::vec(edit(), 1..4)) {
        let mut corpus = files("tests/definitions/broken");
        corpus.sort();
        let mut bytes = corpus[file.index(corpus.len())].clone().into_bytes();
        for (at, cut, put) in edits {
            let from = at.index(bytes.len() + 1);
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, put);
        }
        body::run(&bytes);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        body::run(&bytes);
    }
}
