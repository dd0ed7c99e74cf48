//! The name that an `event` condition has in every definition. Must never change: stored profiles count by it.

use super::comparisons::Filter;
use crate::canonical;
use crate::definition::condition::Test;
use crate::hash::ContentHash;
use crate::time::Millis;
use crate::value::{Scalar, Value};

/// The first eight bytes of the SHA-256 of the canonical JSON of what the condition says, defaults and all: conditions
/// that mean the same have the same key, however they are written.
pub(super) fn key(event: &str, filter: &Filter, count: u32, within: Option<Millis>) -> u64 {
    let paths = filter.iter().map(|(path, test)| (path.join(".").into(), test_value(test)));
    let mut members: Vec<(Box<str>, Value)> = vec![
        ("event".into(), Value::Text(event.into())),
        ("where".into(), Value::Map(paths.collect())),
        ("count".into(), Value::Number(count.into())),
    ];
    members.extend(within.map(|span| ("within".into(), Value::Text(span.to_string().into()))));
    ContentHash::of_bytes(canonical::to_string(&Value::Map(members)).as_bytes()).short()
}

fn test_value(test: &Test) -> Value {
    let list = |scalars: &Vec<Scalar>| Value::List(scalars.iter().map(value).collect());
    let parts = [
        ("eq", test.eq.as_ref().map(value)),
        ("ne", test.ne.as_ref().map(value)),
        ("in", test.any_of.as_ref().map(list)),
        ("gte", test.gte.as_ref().map(value)),
        ("lte", test.lte.as_ref().map(value)),
        ("exists", test.exists.map(Value::Bool)),
    ];
    Value::Map(parts.into_iter().filter_map(|(key, value)| Some((key.into(), value?))).collect())
}

fn value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(flag) => Value::Bool(*flag),
        Scalar::Number(number) => Value::Number(*number),
        Scalar::Text(text) => Value::Text(text.clone()),
    }
}
