//! Signed users: JSON Web Tokens with HS256 and nothing else. Must not trust a token's own word about its algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;
use thiserror::Error;

/// How far the signer's clock may be off, in seconds.
const LEEWAY: u64 = 30;
/// The longest token that is looked at, in bytes.
const LONGEST: usize = 4_096;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TokenError {
    #[error("the user token is not a JSON Web Token")]
    Malformed,
    #[error("the user token must be signed with HS256")]
    Algorithm,
    #[error("the user token's signature does not fit")]
    Signature,
    #[error("the user token has expired")]
    Expired,
    #[error("the user token is not valid yet")]
    Early,
}

/// Checks tokens against one secret.
pub(crate) struct Verifier(Hmac<Sha256>);

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that a reader must understand; we understand none.
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: Option<f64>,
    nbf: Option<f64>,
}

impl Verifier {
    pub(crate) fn new(secret: &[u8]) -> Self {
        // HMAC takes keys of any length.
        Self(Hmac::new_from_slice(secret).expect("any key length is fine"))
    }

    /// The user that the token speaks for. `now` in seconds since 1970.
    pub(crate) fn verify(&self, token: &str, now: u64) -> Result<String, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = part(header)?;
        if header.alg != "HS256" || header.crit.is_some() {
            return Err(TokenError::Algorithm);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        let mac = self.0.clone().chain_update(signed.as_bytes());
        mac.verify_slice(&signature).map_err(|_| TokenError::Signature)?;
        let claims: Claims = part(claims)?;
        if claims.exp.is_some_and(|exp| (now as f64) >= exp + LEEWAY as f64) {
            return Err(TokenError::Expired);
        }
        if claims.nbf.is_some_and(|nbf| ((now + LEEWAY) as f64) < nbf) {
            return Err(TokenError::Early);
        }
        Ok(claims.sub)
    }
}

fn part<T: for<'de> Deserialize<'de>>(encoded: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"a secret that only the two of us know";

    fn token(header: &str, claims: &str) -> String {
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length");
        let signature = mac.chain_update(signed.as_bytes()).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn verify(header: &str, claims: &str) -> Result<String, TokenError> {
        Verifier::new(SECRET).verify(&token(header, claims), 1_000)
    }

    #[test]
    fn a_good_token_names_its_user_until_it_expires() {
        let hs256 = r#"{"alg":"HS256","typ":"JWT"}"#;
        assert_eq!(verify(hs256, r#"{"sub":"u1"}"#), Ok("u1".to_owned()));
        assert_eq!(verify(hs256, r#"{"sub":"u1","exp":971}"#), Ok("u1".to_owned()));
        assert_eq!(verify(hs256, r#"{"sub":"u1","exp":970}"#), Err(TokenError::Expired));
        assert_eq!(verify(hs256, r#"{"sub":"u1","nbf":1030}"#), Ok("u1".to_owned()));
        assert_eq!(verify(hs256, r#"{"sub":"u1","nbf":1031}"#), Err(TokenError::Early));
        assert_eq!(verify(hs256, r#"{"exp":2000}"#), Err(TokenError::Malformed));
    }

    #[test]
    fn the_algorithm_is_pinned() {
        assert_eq!(verify(r#"{"alg":"none"}"#, r#"{"sub":"u1"}"#), Err(TokenError::Algorithm));
        assert_eq!(verify(r#"{"alg":"HS512"}"#, r#"{"sub":"u1"}"#), Err(TokenError::Algorithm));
        let critical = r#"{"alg":"HS256","crit":["exp"]}"#;
        assert_eq!(verify(critical, r#"{"sub":"u1"}"#), Err(TokenError::Algorithm));
    }

    #[test]
    fn forged_cut_and_odd_tokens_are_refused() {
        let good = token(r#"{"alg":"HS256"}"#, r#"{"sub":"u1"}"#);
        let verifier = Verifier::new(SECRET);
        let (signed, signature) = good.rsplit_once('.').expect("three parts");
        let other = token(r#"{"alg":"HS256"}"#, r#"{"sub":"u2"}"#);
        let (_, other_signature) = other.rsplit_once('.').expect("three parts");
        assert_eq!(
            verifier.verify(&format!("{signed}.{other_signature}"), 0),
            Err(TokenError::Signature)
        );
        assert_eq!(verifier.verify(&format!("{signed}."), 0), Err(TokenError::Signature));
        assert_eq!(verifier.verify(signature, 0), Err(TokenError::Malformed));
        assert_eq!(verifier.verify("", 0), Err(TokenError::Malformed));
        assert_eq!(verifier.verify(&"a.".repeat(4_000), 0), Err(TokenError::Malformed));
        let elsewhere = Verifier::new(b"another secret, just as long as ours");
        assert_eq!(elsewhere.verify(&good, 0), Err(TokenError::Signature));
    }
}
