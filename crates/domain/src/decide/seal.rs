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
    let content = content(definition, user, decision);
    let copy = match &decision.outcome {
        Outcome::Show { guide, .. } => copy(guide.copy()),
        Outcome::Withhold { .. } => "null".to_owned(),
    };
    let copy = ContentHash::of_bytes(copy.as_bytes());
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

fn content(definition: &Definition, user: &UserId, decision: &Decision) -> String {
    let (outcome, guide, reason, propensity, expires) = match &decision.outcome {
        Outcome::Show { guide, propensity, expires } => {
            ("show", guide_json(guide), None, Some(*propensity), Some(*expires))
        }
        Outcome::Withhold { reason, propensity } => {
            ("withhold", "null".to_owned(), Some(reason.name()), *propensity, None)
        }
    };
    let mut object = Object::new(768);
    object.number("at", Some(instant(decision.at)));
    object.text("decisionId", Some(&decision.id.to_string()));
    object.number("expiresAt", expires.map(instant));
    object.json("guide", &guide);
    object.text("outcome", Some(outcome));
    object.text("policy", Some(decision.policy));
    object.text("product", Some(definition.product.as_str()));
    object.number("propensity", propensity.map(Propensity::get));
    object.text("reason", reason);
    object.text("signature", Some(&decision.signature.to_string()));
    object.text("userId", Some(user.as_str()));
    object.end()
}

fn guide_json(guide: &ValidGuide) -> String {
    let mut object = Object::new(256);
    object.text("action", guide.action_path());
    object.text("anchor", guide.anchor());
    object.text("component", Some(guide.component()));
    object.text("id", Some(guide.id().as_str()));
    object.text("milestone", Some(guide.milestone().as_str()));
    object.text("path", guide.target_path());
    object.text("variant", Some(guide.variant().as_str()));
    object.end()
}

fn copy(copy: &Rendered) -> String {
    let mut object = Object::new(512);
    object.text("body", copy.body.as_deref());
    object.text("cta", copy.cta.as_deref());
    object.text("locale", Some(&copy.locale));
    object.text("title", Some(&copy.title));
    object.end()
}

/// Canonical JSON of an object, written at once: whoever writes it gives plain keys in ascending order.
struct Object(String);

impl Object {
    fn new(capacity: usize) -> Self {
        Self(String::with_capacity(capacity))
    }

    fn key(&mut self, key: &str) {
        self.0.push_str(if self.0.is_empty() { "{\"" } else { ",\"" });
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    fn json(&mut self, key: &str, json: &str) {
        self.key(key);
        self.0.push_str(json);
    }

    fn text(&mut self, key: &str, text: Option<&str>) {
        self.key(key);
        match text {
            Some(text) => canonical::write_text(&mut self.0, text),
            None => self.0.push_str("null"),
        }
    }

    fn number(&mut self, key: &str, number: Option<f64>) {
        self.key(key);
        canonical::write_number(&mut self.0, number.unwrap_or(f64::NAN));
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

// Exact for any instant within 285,000 years of 1970.
fn instant(at: Timestamp) -> f64 {
    at.as_millis() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn an_object_written_at_once_is_canonical() {
        let mut object = Object::new(0);
        object.number("at", Some(1_795_348_800_000.0));
        object.number("expiresAt", None);
        object.json("guide", "null");
        object.number("propensity", Some(0.25));
        object.text("reason", None);
        object.text("userId", Some("a \"b\"\n\u{1f642}"));
        let members = [
            ("userId", Value::Text("a \"b\"\n\u{1f642}".into())),
            ("reason", Value::Null),
            ("propensity", Value::Number(0.25)),
            ("guide", Value::Null),
            ("expiresAt", Value::Null),
            ("at", Value::Number(1_795_348_800_000.0)),
        ];
        let members = members.into_iter().map(|(key, value)| (key.into(), value)).collect();
        assert_eq!(object.end(), canonical::to_string(&Value::Map(members)));
    }
}
