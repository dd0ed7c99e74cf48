//! The product file end to end: examples load, broken files are told apart. Must not test single rules; they have their
//! own tests beside them.

use super::*;

fn example(name: &str) -> String {
    let path = format!("{}/../../examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn loaded(name: &str) -> Checked {
    let text = example(name);
    load(&text).unwrap_or_else(|faults| panic!("\n{}", render(name, &text, &faults, Colour::Plain)))
}

#[test]
fn acme_loads_unchanged() {
    let Checked { definition, warnings } = loaded("acme");
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(definition.product.as_str(), "acme");
    assert_eq!(definition.version, 7);
    assert_eq!((definition.milestones.len(), definition.guides.len()), (4, 6));
}
