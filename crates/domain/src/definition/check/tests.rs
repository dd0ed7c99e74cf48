//! The checker against the engine that runs what it lets through. Must not repeat the corpus of broken files, which lives
//! with the YAML reader.

mod soundness;
mod values;

use serde_json::Value;

use crate::definition::node::{Entry, Node, NodeValue, Place, Span};

/// The tree of some JSON, each key and value in a line of its own.
fn tree(json: &Value) -> Node {
    grow(json, &mut 0)
}

fn next(line: &mut u32) -> Span {
    *line += 1;
    Span { start: Place { line: *line, column: 1 }, end: Place { line: *line, column: 2 } }
}

fn grow(json: &Value, line: &mut u32) -> Node {
    let span = next(line);
    let value = match json {
        Value::Null => NodeValue::Null,
        Value::Bool(flag) => NodeValue::Bool(*flag),
        Value::Number(number) => NodeValue::Number(number.as_f64().expect("a double")),
        Value::String(text) => NodeValue::Text(text.as_str().into()),
        Value::Array(items) => NodeValue::List(items.iter().map(|item| grow(item, line)).collect()),
        Value::Object(members) => {
            let entry = |(key, value): (&String, &Value)| Entry {
                key: key.as_str().into(),
                key_span: next(line),
                value: grow(value, line),
            };
            NodeValue::Map(members.iter().map(entry).collect())
        }
    };
    Node { span, value }
}
