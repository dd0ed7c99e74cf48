//! Untrusted data as a tree, and the scalars that conditions compare. Must not interpret what it carries.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A JSON value. Numbers are doubles; an object keeps its order, and its last member wins where a key is doubled.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number, as a double.
    Number(f64),
    /// Text.
    Text(Box<str>),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Map(Vec<(Box<str>, Value)>),
}

impl Value {
    /// The member of that name, where this is an object that has one.
    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Map(members) => {
                members.iter().rev().find(|(key, _)| &**key == name).map(|m| &m.1)
            }
            _ => None,
        }
    }

    /// The value at a dotted path (`form.field`), through objects only.
    pub fn at_path<'a, 'p>(&'a self, path: impl IntoIterator<Item = &'p str>) -> Option<&'a Value> {
        path.into_iter().try_fold(self, |value, name| value.member(name))
    }

    /// The text, where this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The scalar, where this is one.
    pub fn as_scalar(&self) -> Option<Scalar> {
        match self {
            Self::Bool(b) => Some(Scalar::Bool(*b)),
            Self::Number(n) => Some(Scalar::Number(*n)),
            Self::Text(t) => Some(Scalar::Text(t.clone())),
            _ => None,
        }
    }
}

/// A value that conditions compare. Values of different kinds are never equal and never ordered.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Scalar {
    /// `true` or `false`
    Bool(bool),
    /// A finite double.
    Number(f64),
    /// Text.
    Text(Box<str>),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(t) => f.write_str(t),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Number(n as f64))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::Number(n as f64))
    }
    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(Value::Number(n))
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }
    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            members.push((key.into_boxed_str(), value));
        }
        Ok(Value::Map(members))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Number(n) => serializer.serialize_f64(*n),
            Self::Text(t) => serializer.serialize_str(t),
            Self::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(&**key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_paths_go_through_objects_only() {
        let value: Value =
            serde_json::from_str(r#"{"form":{"field":{"ok":true}},"list":[1]}"#).expect("valid");
        let at = |path: &str| value.at_path(path.split('.')).and_then(Value::as_scalar);
        assert_eq!(at("form.field.ok"), Some(Scalar::Bool(true)));
        assert_eq!(at("list.0"), None);
        assert_eq!(at("form"), None);
    }

    #[test]
    fn the_last_of_doubled_keys_wins() {
        let value: Value = serde_json::from_str(r#"{"a":1,"a":2}"#).expect("valid");
        assert_eq!(value.member("a"), Some(&Value::Number(2.0)));
    }
}
