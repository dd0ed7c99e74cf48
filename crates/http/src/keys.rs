//! Who may call: keys, what each is good for, and how one is recognised. Must not hold a key's text: hashes suffice.

pub(crate) mod token;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use thiserror::Error;

use crate::cors;
use crate::rate::{Bucket, Rate};

/// The least length of a key and of a user token secret, in bytes.
const MIN_KEY: usize = 16;
const MIN_TOKEN_SECRET: usize = 32;

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// May be in a browser: events and decisions.
    Publishable,
    /// Everything.
    Secret,
}

/// A key as it is configured.
#[derive(Clone)]
pub struct KeySpec {
    /// The text that callers present; at least 16 visible ASCII characters.
    pub key: String,
    /// What it is good for.
    pub kind: KeyKind,
    /// Whose it is.
    pub product: ProductId,
    /// Origins whose pages may use it, as browsers write them (`https://app.example.com`).
    pub origins: Vec<String>,
    /// How often it may call; unbounded where `None`.
    pub rate: Option<Rate>,
    /// Users must be signed with this secret (HS256), at least 32 bytes.
    pub user_token_secret: Option<String>,
}

impl fmt::Debug for KeySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySpec")
            .field("kind", &self.kind)
            .field("product", &self.product)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a configured key; keys are named by their place in the list, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// Too short to be a secret, or not fit for a header.
    #[error("key {0} must be at least {MIN_KEY} visible ASCII characters, without a colon")]
    Weak(usize),
    /// Given twice.
    #[error("key {0} is the same as an earlier one")]
    Doubled(usize),
    /// Not what a browser sends.
    #[error("key {0}: {1:?} is not an origin like https://app.example.com")]
    Origin(usize, String),
    /// Too short to sign with.
    #[error("key {0}: the user token secret must be at least {MIN_TOKEN_SECRET} bytes")]
    WeakTokenSecret(usize),
    /// Only browsers are asked for signed users.
    #[error("key {0}: only a publishable key may demand signed users")]
    TokenOnSecretKey(usize),
}

/// A key in use.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) kind: KeyKind,
    pub(crate) product: ProductId,
    pub(crate) origins: Vec<Box<str>>,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) token: Option<token::Verifier>,
}

/// Who may call.
#[derive(Debug)]
pub struct Keys(Access);

#[derive(Debug)]
enum Access {
    Dev,
    /// By the hash of the key's text: looking one up tells an attacker nothing about how much of a guess was right.
    Keyed(HashMap<ContentHash, Arc<Key>>),
}

impl Keys {
    /// No key needed; for a server that only this machine can reach.
    pub const fn dev() -> Self {
        Self(Access::Dev)
    }

    /// These keys and no others; every fault at once.
    pub fn new(specs: Vec<KeySpec>) -> Result<Self, Vec<KeyFault>> {
        let (mut faults, mut known) = (Vec::new(), HashMap::new());
        for (at, spec) in specs.into_iter().enumerate().map(|(at, spec)| (at + 1, spec)) {
            faults.extend(faults_of(at, &spec));
            let hash = ContentHash::of_bytes(spec.key.as_bytes());
            if known.insert(hash, Arc::new(Key::new(spec))).is_some() {
                faults.push(KeyFault::Doubled(at));
            }
        }
        if faults.is_empty() { Ok(Self(Access::Keyed(known))) } else { Err(faults) }
    }

    pub(crate) fn is_dev(&self) -> bool {
        matches!(self.0, Access::Dev)
    }

    /// The key with this text.
    pub(crate) fn find(&self, text: &str) -> Option<&Arc<Key>> {
        match &self.0 {
            Access::Dev => None,
            Access::Keyed(known) => known.get(&ContentHash::of_bytes(text.as_bytes())),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Key> {
        let known = match &self.0 {
            Access::Dev => None,
            Access::Keyed(known) => Some(known.values().map(|key| &**key)),
        };
        known.into_iter().flatten()
    }
}

impl Key {
    fn new(spec: KeySpec) -> Self {
        Self {
            kind: spec.kind,
            product: spec.product,
            origins: spec.origins.into_iter().map(Into::into).collect(),
            bucket: spec.rate.map(|rate| Bucket::new(rate, Instant::now())),
            token: spec.user_token_secret.map(|secret| token::Verifier::new(secret.as_bytes())),
        }
    }
}

fn faults_of(at: usize, spec: &KeySpec) -> Vec<KeyFault> {
    let mut faults = Vec::new();
    let fits = |b: u8| b.is_ascii_graphic() && b != b':';
    if spec.key.len() < MIN_KEY || !spec.key.bytes().all(fits) {
        faults.push(KeyFault::Weak(at));
    }
    let bad = spec.origins.iter().filter(|origin| !cors::is_origin(origin));
    faults.extend(bad.map(|origin| KeyFault::Origin(at, origin.clone())));
    if let Some(secret) = &spec.user_token_secret {
        if secret.len() < MIN_TOKEN_SECRET {
            faults.push(KeyFault::WeakTokenSecret(at));
        }
        if spec.kind == KeyKind::Secret {
            faults.push(KeyFault::TokenOnSecretKey(at));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(key: &str) -> KeySpec {
        KeySpec {
            key: key.to_owned(),
            kind: KeyKind::Publishable,
            product: ProductId::new("acme").expect("valid"),
            origins: vec!["https://app.example.com".to_owned()],
            rate: None,
            user_token_secret: None,
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut odd = spec("pk_0123456789abcdef");
        odd.kind = KeyKind::Secret;
        odd.user_token_secret = Some("short".to_owned());
        odd.origins.push("https://app.example.com/".to_owned());
        let faults = Keys::new(vec![spec("short"), spec("pk_0123456789abcdef"), odd]);
        let expected = vec![
            KeyFault::Weak(1),
            KeyFault::Origin(3, "https://app.example.com/".to_owned()),
            KeyFault::WeakTokenSecret(3),
            KeyFault::TokenOnSecretKey(3),
            KeyFault::Doubled(3),
        ];
        assert_eq!(faults.expect_err("faulty"), expected);
    }

    #[test]
    fn a_key_is_found_by_its_whole_text_alone() {
        let keys = Keys::new(vec![spec("pk_0123456789abcdef")]).expect("valid");
        assert!(keys.find("pk_0123456789abcdef").is_some());
        assert!(keys.find("pk_0123456789abcde").is_none());
        assert!(keys.find("").is_none());
        assert!(!format!("{keys:?}").contains("pk_0123"), "keys are not printed");
    }
}
