//! A provider's key. Must not be shown, logged or compared: it goes into one header and nowhere else.

use std::fmt;

use reqwest::header::HeaderValue;
use thiserror::Error;

/// A key that says nothing of itself.
#[derive(Clone)]
pub struct Key(HeaderValue);

/// What was given is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a key is not empty, and has no spaces, line breaks or letters beyond ASCII in it")]
pub struct NoKey;

impl Key {
    /// The key in this text; white space around it, as a file ends with, is left out.
    ///
    /// # Errors
    /// Where it can't be a key.
    pub fn new(text: &str) -> Result<Self, NoKey> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NoKey);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| NoKey)
    }

    /// The header's value, marked so that nobody who handles it shows it.
    pub(super) fn header(&self, before: &str) -> HeaderValue {
        let whole = [before.as_bytes(), self.0.as_bytes()].concat();
        let mut value = HeaderValue::from_bytes(&whole).unwrap_or_else(|_| self.0.clone());
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word() {
        for text in ["", " \n", "two words", "a\nb", "schlüssel"] {
            assert_eq!(Key::new(text).err(), Some(NoKey), "{text:?}");
        }
        let key = Key::new("sk-1\n").expect("a key");
        assert_eq!(key.header("Bearer "), "Bearer sk-1");
        assert!(key.header("").is_sensitive());
    }
}
