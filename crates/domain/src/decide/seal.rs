//! The proof that this very content passed the rules on this server. Must not hold the key, nor compare hashes.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Decision, Outcome, Rendered, ValidGuide};
use crate::canonical;
use crate::definition::Definition;
use crate::hash::ContentHash;
use crate::id::UserId;
use crate::number::Propensity;
use crate::time::Timestamp;
use crate::value::Value;

/// HMAC-SHA256 under the server's key over `decision ‖ catalogue ‖ copy`, where
///
/// - *decision* is the canonical JSON (RFC 8785) of
///   `{"at","decisionId","expiresAt","guide","outcome","policy","product","propensity","reason","signature","userId"}`:
///   instants in milliseconds since 1970, `signature` in hexadecimal, `outcome` `show` or `withhold`, what is absent
///   `null`; *guide* is `{"action","anchor","component","id","milestone","path","variant"}`, the two paths and the
///   anchor `null` where absent;
/// - *catalogue* is the definition's hash, 32 bytes;
/// - *copy* is the SHA-256, 32 bytes, of the canonical JSON of `{"body","cta","locale","title"}` as the user reads it,
///   absent parts `null`; for a withheld decision of `null`.
///
/// The last 64 bytes have a fixed length, so nothing can move from one part to another. All of it is in the decision's
/// answer and record, save for the key.
pub fn validation_hash(
    key: &[u8],
    definition: &Definition,
    user: &UserId,
    decision: &Decision,
) -> ContentHash {
    let content = canonical::to_string(&content(definition, user, decision));
    let copy = match &decision.outcome {
        Outcome::Show { guide, .. } => copy(guide.copy()),
        Outcome::Withhold { .. } => Value::Null,
    };
    let copy = ContentHash::of_bytes(canonical::to_string(&copy).as_bytes());
    keyed(key, &[content.as_bytes(), definition.hash.as_bytes(), copy.as_bytes()])
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> ContentHash {
    // HMAC takes a key of any length: the error can't happen, and would seal nothing that verifies.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return ContentHash::from_bytes([0; 32]);
    };
    parts.iter().for_each(|part| mac.update(part));
    ContentHash::from_bytes(mac.finalize().into_bytes().into())
}

fn content(definition: &Definition, user: &UserId, decision: &Decision) -> Value {
    let (outcome, guide, reason, propensity, expires) = match &decision.outcome {
        Outcome::Show { guide, propensity, expires } => {
            ("show", guide_value(guide), Value::Null, Some(*propensity), Some(*expires))
        }
        Outcome::Withhold { reason, propensity } => {
            ("withhold", Value::Null, text(reason.name()), *propensity, None)
        }
    };
    map([
        ("at", instant(decision.at)),
        ("decisionId", text(&decision.id.to_string())),
        ("expiresAt", expires.map_or(Value::Null, instant)),
        ("guide", guide),
        ("outcome", text(outcome)),
        ("policy", text(decision.policy)),
        ("product", text(definition.product.as_str())),
        ("propensity", propensity.map(Propensity::get).map_or(Value::Null, Value::Number)),
        ("reason", reason),
        ("signature", text(&decision.signature.to_string())),
        ("userId", text(user.as_str())),
    ])
}

fn guide_value(guide: &ValidGuide) -> Value {
    map([
        ("action", optional(guide.action_path())),
        ("anchor", optional(guide.anchor())),
        ("component", text(guide.component())),
        ("id", text(guide.id().as_str())),
        ("milestone", text(guide.milestone().as_str())),
        ("path", optional(guide.target_path())),
        ("variant", text(guide.variant().as_str())),
    ])
}

fn copy(copy: &Rendered) -> Value {
    map([
        ("body", optional(copy.body.as_deref())),
        ("cta", optional(copy.cta.as_deref())),
        ("locale", text(&copy.locale)),
        ("title", text(&copy.title)),
    ])
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn optional(words: Option<&str>) -> Value {
    words.map_or(Value::Null, text)
}

// Exact for any instant within 285,000 years of 1970.
fn instant(at: Timestamp) -> Value {
    Value::Number(at.as_millis() as f64)
}
