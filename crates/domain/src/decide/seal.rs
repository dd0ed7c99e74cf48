//! The proof that this very content passed the rules on this server. Must not hold the key, nor compare hashes.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Decision, Outcome, Reason, ValidGuide};
use crate::canonical;
use crate::definition::Definition;
use crate::hash::ContentHash;
use crate::id::{DecisionId, ProductId, UserId};
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
    let (guide, reason, propensity, expires) = match &decision.outcome {
        Outcome::Show { guide, propensity, expires } => {
            (Some(sealed_guide(guide)), None, Some(*propensity), Some(*expires))
        }
        Outcome::Withhold { reason, propensity } => (None, Some(*reason), *propensity, None),
    };
    seal(
        key,
        &Sealed {
            at: decision.at,
            decision: decision.id,
            expires,
            guide,
            policy: decision.policy,
            product: &definition.product,
            propensity,
            reason,
            signature: &decision.signature.to_string(),
            user,
            catalogue: definition.hash,
        },
    )
}

/// What a validation hash proves, as an answer or a record holds it. A guide is shown where there is one.
#[derive(Debug, Clone, Copy)]
pub struct Sealed<'a> {
    /// For which moment.
    pub at: Timestamp,
    /// The decision.
    pub decision: DecisionId,
    /// Not to be shown from then on.
    pub expires: Option<Timestamp>,
    /// What is shown.
    pub guide: Option<SealedGuide<'a>>,
    /// What drew.
    pub policy: &'a str,
    /// Of which product.
    pub product: &'a ProductId,
    /// The probability of what was drawn.
    pub propensity: Option<Propensity>,
    /// Why nothing is shown.
    pub reason: Option<Reason>,
    /// The situation, in hexadecimal.
    pub signature: &'a str,
    /// For whom.
    pub user: &'a UserId,
    /// The definition's hash.
    pub catalogue: ContentHash,
}

/// A guide as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct SealedGuide<'a> {
    /// Where its call to action leads.
    pub action: Option<&'a str>,
    /// The selector of its element.
    pub anchor: Option<&'a str>,
    /// How it is drawn.
    pub component: &'a str,
    /// Its identifier.
    pub id: &'a str,
    /// The milestone that it serves.
    pub milestone: &'a str,
    /// The path pattern of its page.
    pub path: Option<&'a str>,
    /// Its wording.
    pub variant: &'a str,
    /// What it says: title, body, call to action, and the locale of all three.
    pub copy: SealedCopy<'a>,
}

/// Copy as a user reads it.
#[derive(Debug, Clone, Copy)]
pub struct SealedCopy<'a> {
    /// The headline.
    pub title: &'a str,
    /// The sentence below.
    pub body: Option<&'a str>,
    /// The call to action.
    pub cta: Option<&'a str>,
    /// The locale that it is written in.
    pub locale: &'a str,
}

/// The validation hash of that content, as `validation_hash` describes it.
pub fn seal(key: &[u8], sealed: &Sealed<'_>) -> ContentHash {
    let content = content(sealed);
    let copy = sealed.guide.map_or_else(|| "null".to_owned(), |guide| copy(&guide.copy));
    let copy = ContentHash::of_bytes(copy.as_bytes());
    keyed(key, &[content.as_bytes(), sealed.catalogue.as_bytes(), copy.as_bytes()])
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> ContentHash {
    // HMAC takes a key of any length: the error can't happen, and would seal nothing that verifies.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return ContentHash::from_bytes([0; 32]);
    };
    parts.iter().for_each(|part| mac.update(part));
    ContentHash::from_bytes(mac.finalize().into_bytes().into())
}

fn content(sealed: &Sealed<'_>) -> String {
    let guide = sealed.guide.as_ref().map_or_else(|| "null".to_owned(), guide_json);
    let mut object = Object::new(768);
    object.number("at", Some(instant(sealed.at)));
    object.text("decisionId", Some(&sealed.decision.to_string()));
    object.number("expiresAt", sealed.expires.map(instant));
    object.json("guide", &guide);
    object.text("outcome", Some(if sealed.guide.is_some() { "show" } else { "withhold" }));
    object.text("policy", Some(sealed.policy));
    object.text("product", Some(sealed.product.as_str()));
    object.number("propensity", sealed.propensity.map(Propensity::get));
    object.text("reason", sealed.reason.map(Reason::name));
    object.text("signature", Some(sealed.signature));
    object.text("userId", Some(sealed.user.as_str()));
    object.end()
}

fn guide_json(guide: &SealedGuide<'_>) -> String {
    let mut object = Object::new(256);
    object.text("action", guide.action);
    object.text("anchor", guide.anchor);
    object.text("component", Some(guide.component));
    object.text("id", Some(guide.id));
    object.text("milestone", Some(guide.milestone));
    object.text("path", guide.path);
    object.text("variant", Some(guide.variant));
    object.end()
}

fn sealed_guide(guide: &ValidGuide) -> SealedGuide<'_> {
    let copy = guide.copy();
    SealedGuide {
        action: guide.action_path(),
        anchor: guide.anchor(),
        component: guide.component(),
        id: guide.id().as_str(),
        milestone: guide.milestone().as_str(),
        path: guide.target_path(),
        variant: guide.variant().as_str(),
        copy: SealedCopy {
            title: &copy.title,
            body: copy.body.as_deref(),
            cta: copy.cta.as_deref(),
            locale: &copy.locale,
        },
    }
}

fn copy(copy: &SealedCopy<'_>) -> String {
    let mut object = Object::new(512);
    object.text("body", copy.body);
    object.text("cta", copy.cta);
    object.text("locale", Some(copy.locale));
    object.text("title", Some(copy.title));
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
