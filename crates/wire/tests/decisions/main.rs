//! Decisions on the product files of `examples/`: the worked example as a story, and every example against an oracle that
//! knows the rules by heart and nothing of the code. Must not use anything of the domain but its front doors.

mod acme;
mod compare;
mod life;
mod oracle;
mod property;
mod story;

use pilotage_domain::definition::Definition;
use pilotage_domain::value::Value;
use pilotage_wire::yaml;

/// A product file as text means it: compiled, and as the plain tree.
fn load(text: &str) -> (Definition, Value) {
    let tree = yaml::parse(text).expect("YAML").to_value();
    let checked = yaml::load(text).expect("a product without faults");
    (checked.definition, tree)
}

/// One of the repository's examples.
fn example(name: &str) -> (Definition, Value) {
    let path = format!("{}/../../examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    load(&std::fs::read_to_string(path).expect("the example is part of the repository"))
}
