//! Some members of an object, the others passed over. Must not keep what nobody asked for.

use std::fmt;

use pilotage_domain::value::Value;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The object's members of these names (sorted), in its order.
pub(super) fn heeded(object: &RawValue, names: &[Box<str>]) -> serde_json::Result<Value> {
    serde_json::Deserializer::from_str(object.get()).deserialize_map(Members { names })
}

struct Members<'n> {
    names: &'n [Box<str>],
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name { names: self.names })? {
            match name {
                Some(name) => members.push((name.into(), map.next_value()?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Map(members))
    }
}

/// The name, where it is one of these.
struct Name<'n> {
    names: &'n [Box<str>],
}

impl<'n> Name<'n> {
    fn find(&self, name: &str) -> Option<&'n str> {
        self.names.binary_search_by(|known| (**known).cmp(name)).ok().map(|at| &*self.names[at])
    }
}

impl<'de, 'n> DeserializeSeed<'de> for Name<'n> {
    type Value = Option<&'n str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Name<'n> {
    type Value = Option<&'n str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.find(name))
    }
}
