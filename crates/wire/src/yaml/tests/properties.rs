//! What never happens, whatever the file says.

use pilotage_domain::definition::check;
use pilotage_domain::definition::fault::Severity;
use pilotage_domain::definition::node::{Entry, Node, NodeValue, Span};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Checked, Colour, example, load, loaded, parse, render, to_json};

/// What a fuzzer does with a product file; the target in `fuzz/` does the same.
fn exercise(text: &str) -> Result<(), TestCaseError> {
    match load(text) {
        Ok(Checked { warnings, .. }) => {
            prop_assert!(warnings.iter().all(|fault| fault.code.severity() == Severity::Warning));
        }
        Err(faults) => {
            prop_assert!(faults.iter().any(|fault| fault.code.severity() == Severity::Error));
            prop_assert!(faults.is_sorted());
            render("file", text, &faults, Colour::Ansi);
            to_json("file", &faults);
            prop_assert_eq!(load(text).err(), Some(faults));
        }
    }
    Ok(())
}

/// Words that a product file is made of, and some that it is not.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "format",
            "product",
            "journey",
            "milestones",
            "id",
            "reached",
            "event",
            "page_view",
            "all",
            "any",
            "not",
            "guides",
            "variants",
            "copy",
            "en",
            "title",
            "{firstName|x}",
            "{",
            "7d",
            ">=1.0.0",
            "1",
            "0.5",
            "true",
            "",
            "(a{999}){999}",
            "*",
            "/a/:b",
            "\u{202e}",
            "👩🏽‍🚀",
            "\0",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ]
}

fn tree() -> impl Strategy<Value = NodeValue> {
    let leaf = prop_oneof![
        Just(NodeValue::Null),
        any::<bool>().prop_map(NodeValue::Bool),
        any::<f64>().prop_map(NodeValue::Number),
        word().prop_map(|text| NodeValue::Text(text.into())),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        let node = inner.prop_map(|value| Node { span: Span::default(), value });
        let entry = (word(), node.clone()).prop_map(|(key, value)| Entry {
            key: key.into(),
            key_span: Span::default(),
            value,
        });
        prop_oneof![
            proptest::collection::vec(node, 0..6).prop_map(NodeValue::List),
            proptest::collection::vec(entry, 0..6).prop_map(NodeValue::Map),
        ]
    })
}

/// Every node of the tree, the root first.
fn nodes(root: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    visit(root);
    match &mut root.value {
        NodeValue::List(items) => items.iter_mut().for_each(|item| nodes(item, visit)),
        NodeValue::Map(entries) => {
            entries.iter_mut().for_each(|entry| nodes(&mut entry.value, visit))
        }
        _ => {}
    }
}

/// An example with one value put in the place of another.
fn mutated(name: &str, place: Index, value: &NodeValue) -> Node {
    let mut root = parse(&example(name)).expect("YAML");
    let mut count = 0;
    nodes(&mut root, &mut |_| count += 1);
    let (chosen, mut at) = (place.index(count), 0);
    nodes(&mut root, &mut |node| {
        if at == chosen {
            node.value = value.clone();
        }
        at += 1;
    });
    root
}

/// The tree with the entries of every mapping in another order.
fn reordered(mut root: Node, by: u64) -> Node {
    nodes(&mut root, &mut |node| {
        if let NodeValue::Map(entries) = &mut node.value {
            entries.sort_by_key(|entry| (entry.key.len() as u64 ^ by, entry.key.clone()));
        }
    });
    root
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,200}") {
        exercise(&text)?;
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        exercise(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn no_piece_of_an_example_is_too_strange(name in select(vec!["acme", "forms"]), cut in any::<Index>(), put in word()) {
        let mut text = example(name);
        let at = (0..=cut.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &put);
        exercise(&text)?;
        exercise(&text[..at])?;
    }

    #[test]
    fn no_tree_is_too_strange(value in tree()) {
        let faults = check(&Node { span: Span::default(), value }).expect_err("it has no format");
        prop_assert!(!faults.is_empty());
    }

    #[test]
    fn no_change_to_an_example_goes_unseen(
        name in select(vec!["single", "acme", "forms"]), place in any::<Index>(), value in tree(),
    ) {
        // Whatever takes another's place either fits there, or is told.
        if let Err(faults) = check(&mutated(name, place, &value)) {
            prop_assert!(faults.iter().any(|fault| fault.code.severity() == Severity::Error));
        }
    }

    #[test]
    fn the_order_of_keys_makes_no_difference(name in select(vec!["single", "acme", "forms"]), by in 0u64..64) {
        let definition = loaded(&example(name)).definition;
        let other = check(&reordered(parse(&example(name)).expect("YAML"), by)).expect("the same content").definition;
        prop_assert_eq!(definition.hash, other.hash);
        prop_assert_eq!(definition.fold_hash, other.fold_hash);
        let keys = |definition: &pilotage_domain::definition::Definition| {
            let mut keys: Vec<_> = definition.counters.iter().map(|counter| counter.key).collect();
            keys.sort_unstable();
            keys
        };
        prop_assert_eq!(keys(&definition), keys(&other));
    }
}
