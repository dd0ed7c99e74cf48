//! Distinct names for distinct things, each checked once when it is made. Must not know what they name.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::hash::tagged;

/// Why a text is not the name that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdError {
    /// Nothing, or nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than the kind allows; the bound in bytes.
    #[error("must be at most {0} bytes")]
    TooLong(usize),
    /// A character outside the kind's alphabet.
    #[error("may hold only {0}")]
    Alphabet(&'static str),
}

/// The longest caller-owned id (user, session, event), in bytes.
pub const MAX_CALLER_ID: usize = 200;
/// The longest identifier of a definition, in bytes.
pub const MAX_IDENTIFIER: usize = 64;

fn identifier(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_IDENTIFIER {
        return Err(IdError::TooLong(MAX_IDENTIFIER));
    }
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if text.bytes().all(fits) { Ok(()) } else { Err(IdError::Alphabet("a-z, 0-9, _ and -")) }
}

fn caller_owned(text: &str) -> Result<(), IdError> {
    // Nearly every id: no need to look at it character by character.
    if (1..=MAX_CALLER_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    if text.trim().is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_CALLER_ID {
        return Err(IdError::TooLong(MAX_CALLER_ID));
    }
    if text.chars().any(char::is_control) {
        return Err(IdError::Alphabet("printable characters"));
    }
    Ok(())
}

/// Reads a name from a text, checked, without a copy on the way.
struct Named<T>(PhantomData<T>);

impl<T: for<'a> TryFrom<&'a str, Error = IdError>> Visitor<'_> for Named<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::try_from(text).map_err(E::custom)
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text and makes the name.
            pub fn new(text: &str) -> Result<Self, IdError> {
                $check(text).map(|()| Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;
            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Named(PhantomData))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// The product that a definition describes.
    ProductId, identifier);
name_type!(
    /// A milestone of a journey.
    MilestoneId, identifier);
name_type!(
    /// A guide of a catalogue.
    GuideId, identifier);
name_type!(
    /// A variant of a guide; unique inside its guide.
    VariantId, identifier);
name_type!(
    /// A route of the product.
    RouteId, identifier);
name_type!(
    /// A target of the product: a route and, perhaps, a place on its page.
    TargetId, identifier);
name_type!(
    /// An error name that a product declares.
    ErrorName, identifier);
name_type!(
    /// One model of one provider, as the settings name it.
    ProviderId, identifier);
name_type!(
    /// What a model is asked with, in one version for ever.
    PromptId, identifier);
name_type!(
    /// A user, named by the caller.
    UserId, caller_owned);
name_type!(
    /// One visit of a user, named by the caller.
    SessionId, caller_owned);
name_type!(
    /// One event, named by the caller (or by us where absent); the key of redelivery.
    EventId, caller_owned);

/// The name of one decision: 128 random bits, as `dec_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId(u128);

impl DecisionId {
    /// The decision with these random bits.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The random bits.
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// The low 80 bits: the random ones also where the others tell the moment, so that a draw keyed by them doesn't
    /// depend on when it is made.
    pub const fn draw_bits(self) -> u128 {
        self.0 & ((1 << 80) - 1)
    }

    fn with_text<T>(self, write: impl FnOnce(&str) -> T) -> T {
        write(std::str::from_utf8(&tagged::<36>(*b"dec_", self.0)).unwrap_or_default())
    }

    /// Reads `dec_…`; `None` where the text is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("dec_")?;
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() != 32 || !digits.bytes().all(lower) {
            return None;
        }
        u128::from_str_radix(digits, 16).ok().map(Self)
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl TryFrom<&str> for DecisionId {
    type Error = IdError;
    fn try_from(text: &str) -> Result<Self, IdError> {
        Self::parse(text).ok_or(IdError::Alphabet("dec_ and 32 hexadecimal digits"))
    }
}

impl Serialize for DecisionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for DecisionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Named(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_keep_to_their_alphabet() {
        assert!(GuideId::new("retry-billing_2").is_ok());
        assert_eq!(GuideId::new(""), Err(IdError::Empty));
        assert_eq!(GuideId::new("Über"), Err(IdError::Alphabet("a-z, 0-9, _ and -")));
        assert_eq!(GuideId::new(&"a".repeat(65)), Err(IdError::TooLong(64)));
    }

    #[test]
    fn callers_may_name_users_as_they_like_but_not_with_control_characters() {
        assert!(UserId::new("Ünal 🙂 / 7").is_ok());
        assert_eq!(UserId::new("  "), Err(IdError::Empty));
        assert_eq!(UserId::new("a\nb"), Err(IdError::Alphabet("printable characters")));
    }

    #[test]
    fn a_decision_id_reads_back_what_it_prints() {
        let id = DecisionId::from_bits(0xdead_beef);
        assert_eq!(DecisionId::parse(&id.to_string()), Some(id));
        assert_eq!(DecisionId::parse("dec_zz"), None);
        assert_eq!(DecisionId::parse("dec_+000000000000000000000000000000f"), None);
    }
}
