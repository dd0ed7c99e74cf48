//! Reads one JSON object from outside into its known members, so that every fault can be told at once. Must not interpret a member.

use std::borrow::Cow;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::problem::Fault;

/// How deep lists and objects may nest in free data (`payload`, `attributes`).
pub const MAX_DEPTH: u8 = 32;
/// The longest member name in free data, in bytes.
pub const MAX_NAME: usize = 256;

/// The known members of an object, as they stand, in the order of their names; and the faults found on the way.
pub struct Members<'a, const N: usize> {
    names: &'static [&'static str; N],
    /// Put before the names in a fault's path: empty, or `context.`.
    prefix: &'static str,
    values: [Option<&'a RawValue>; N],
    /// Every fault so far.
    pub faults: Vec<Fault>,
}

impl<'a, const N: usize> Members<'a, N> {
    /// Reads the object; unknown members are passed over, `null` counts as absent. The fault stands where the text is
    /// no JSON object at all.
    pub fn read(
        text: &'a str,
        names: &'static [&'static str; N],
        prefix: &'static str,
    ) -> Result<Self, Fault> {
        let whole = || prefix.trim_end_matches('.');
        let mut members = Self { names, prefix, values: [None; N], faults: Vec::new() };
        let mut source = serde_json::Deserializer::from_str(text);
        if !is_object(text) {
            return Err(match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => Fault::new(whole(), "must be an object"),
                Err(error) => not_json(whole(), &error),
            });
        }
        let read = (&mut source).deserialize_map(&mut members).and_then(|()| source.end());
        read.map_err(|error| not_json(whole(), &error))?;
        Ok(members)
    }

    /// The member as it stands.
    pub fn raw(&self, member: usize) -> Option<&'a RawValue> {
        self.values.get(member).copied().flatten()
    }

    /// Notes a fault of that member.
    pub fn fault(&mut self, member: usize, message: impl Into<Cow<'static, str>>) {
        let name = self.names.get(member).copied().unwrap_or_default();
        let path = match self.prefix {
            "" => Cow::Borrowed(name),
            prefix => Cow::Owned(format!("{prefix}{name}")),
        };
        self.faults.push(Fault { path, message: message.into() });
    }

    /// The member as text; a fault where it is anything else.
    pub fn text(&mut self, member: usize) -> Option<Cow<'a, str>> {
        let text = unquote(self.raw(member)?);
        match text {
            Ok(text) => Some(text),
            Err(message) => {
                self.fault(member, message);
                None
            }
        }
    }

    /// The member as text of at most so many bytes; a fault where it is anything else.
    pub fn bounded_text(&mut self, member: usize, most: usize) -> Option<Box<str>> {
        let text = self.text(member)?;
        if text.len() > most {
            self.fault(member, format!("must be at most {most} bytes"));
            return None;
        }
        Some(text.into())
    }

    /// The member as a checked name; a fault where it is none.
    pub fn name<T, E: std::fmt::Display>(
        &mut self,
        member: usize,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(member)?;
        check(&text).map_err(|error| self.fault(member, error.to_string())).ok()
    }

    /// As `name`, but its absence is a fault as well.
    pub fn required<T, E: std::fmt::Display>(
        &mut self,
        member: usize,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.raw(member).is_none() {
            self.fault(member, "is required");
            return None;
        }
        self.name(member, check)
    }

    /// The member as an object of free data, nested no deeper than `MAX_DEPTH`; a fault where it is anything else.
    pub fn free_object(&mut self, member: usize) -> Option<Box<RawValue>> {
        let raw = self.raw(member)?;
        if !is_object(raw.get()) {
            self.fault(member, "must be an object");
            return None;
        }
        match sound(raw.get()) {
            Ok(()) => Some(raw.to_owned()),
            Err(error) => {
                self.fault(member, reason(&error));
                None
            }
        }
    }
}

impl<'de, const N: usize> Visitor<'de> for &mut Members<'de, N> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = [0u8; N];
        while let Some(place) = map.next_key_seed(Known(self.names))? {
            let Some(place) = place else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: &'de RawValue = map.next_value()?;
            if let (Some(slot), Some(times)) = (self.values.get_mut(place), seen.get_mut(place)) {
                *slot = (value.get() != "null").then_some(value);
                *times = times.saturating_add(1);
            }
        }
        for (place, _) in seen.iter().enumerate().filter(|(_, times)| **times > 1) {
            self.fault(place, "must not be given twice");
        }
        Ok(())
    }
}

/// Finds a key among the known names: its place, or `None` for a name that is not among them.
struct Known(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Known {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_str(self)
    }
}

impl Visitor<'_> for Known {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a member name")
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

/// Walks free data without keeping it: everything that a later reader would refuse is refused here.
#[derive(Clone, Copy)]
struct Sound {
    depth: u8,
}

fn sound(text: &str) -> serde_json::Result<()> {
    let mut source = serde_json::Deserializer::from_str(text);
    Sound { depth: MAX_DEPTH }.deserialize(&mut source)
}

impl Sound {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        let too_deep = || E::custom(format_args!("must not nest deeper than {MAX_DEPTH} levels"));
        depth.map(|depth| Self { depth }).ok_or_else(too_deep)
    }
}

impl<'de> DeserializeSeed<'de> for Sound {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sound {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while map.next_key_seed(ShortName)?.is_some() {
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

struct ShortName;

impl<'de> DeserializeSeed<'de> for ShortName {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_str(self)
    }
}

impl Visitor<'_> for ShortName {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a member name")
    }
    fn visit_str<E: de::Error>(self, name: &str) -> Result<(), E> {
        let too_long = || E::custom(format_args!("must not hold names over {MAX_NAME} bytes"));
        (name.len() <= MAX_NAME).then_some(()).ok_or_else(too_long)
    }
}

/// The text of a JSON string, borrowed where it has no escapes.
fn unquote(raw: &RawValue) -> Result<Cow<'_, str>, &'static str> {
    let quoted = raw.get();
    let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inside {
        None => Err("must be a string"),
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        Some(_) => serde_json::from_str::<String>(quoted)
            .map(Cow::Owned)
            .map_err(|_| "holds an escape that is no character"),
    }
}

fn is_object(text: &str) -> bool {
    text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{')
}

fn not_json(path: &'static str, error: &serde_json::Error) -> Fault {
    Fault::new(path, format!("is not JSON: {error}"))
}

/// What a reader said, without the place inside the member: it would mislead.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}
