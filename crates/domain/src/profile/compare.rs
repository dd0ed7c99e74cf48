//! How a test compares a value with what it asks for. Must not know where the value came from.

use std::cmp::Ordering;

use semver::Version;

use crate::definition::condition::Test;
use crate::value::{Scalar, Value};

/// A value as a comparison sees it, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found<'a> {
    /// Absent, or `null`.
    Nothing,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    /// A list or an object: there, but equal to no scalar.
    Tree,
}

impl<'a> From<&'a Scalar> for Found<'a> {
    fn from(scalar: &'a Scalar) -> Self {
        match scalar {
            Scalar::Bool(b) => Self::Bool(*b),
            Scalar::Number(n) => Self::Number(*n),
            Scalar::Text(t) => Self::Text(t),
        }
    }
}

impl<'a> From<&'a Value> for Found<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => Self::Number(*n),
            Value::Text(t) => Self::Text(t),
            Value::List(_) | Value::Map(_) => Self::Tree,
        }
    }
}

impl Test {
    /// Whether the scalar passes every part of this test; `None` is an absent one.
    ///
    /// Absent values pass `ne` and `exists: false` alone. Scalars of different kinds are neither equal nor ordered,
    /// and text has no order but that of versions.
    pub fn passes(&self, scalar: Option<&Scalar>) -> bool {
        self.accepts(scalar.map_or(Found::Nothing, Found::from))
    }

    /// The same for a value of a payload: `null` is absent; a list or an object exists, and equals nothing.
    pub fn passes_value(&self, value: Option<&Value>) -> bool {
        self.accepts(value.map_or(Found::Nothing, Found::from))
    }

    fn accepts(&self, found: Found<'_>) -> bool {
        let same = |wanted: &Scalar| self.equal(found, wanted.into());
        let order = |bound: &Scalar| self.order(found, bound.into());
        self.eq.as_ref().is_none_or(same)
            && self.ne.as_ref().is_none_or(|unwanted| !same(unwanted))
            && self.any_of.as_ref().is_none_or(|wanted| wanted.iter().any(same))
            && self.gte.as_ref().is_none_or(|least| order(least).is_some_and(Ordering::is_ge))
            && self.lte.as_ref().is_none_or(|most| order(most).is_some_and(Ordering::is_le))
            && self.exists.is_none_or(|wanted| (found != Found::Nothing) == wanted)
    }

    fn equal(&self, found: Found<'_>, wanted: Found<'_>) -> bool {
        if self.as_version {
            return self.order(found, wanted) == Some(Ordering::Equal);
        }
        found == wanted
    }

    fn order(&self, found: Found<'_>, bound: Found<'_>) -> Option<Ordering> {
        match (found, bound) {
            (Found::Number(a), Found::Number(b)) if !self.as_version => a.partial_cmp(&b),
            (Found::Text(a), Found::Text(b)) if self.as_version => {
                let (a, b) = (Version::parse(a).ok()?, Version::parse(b).ok()?);
                Some(a.cmp_precedence(&b))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
