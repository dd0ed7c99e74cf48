//! Admits a request: which key it presents, whose product it means, whether its page may ask. Must not read its body.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilotage_domain::id::{ProductId, UserId};
use pilotage_wire::problem::ErrorCode;

use crate::app::App;
use crate::cors;
use crate::keys::{Key, KeyKind};
use crate::problem::Problem;

const PRODUCT: HeaderName = HeaderName::from_static("x-pilotage-product");
const USER_TOKEN: HeaderName = HeaderName::from_static("x-pilotage-user-token");

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone.
    Open,
    /// Any key.
    Publishable,
    /// A secret key.
    Secret,
}

/// Who calls, on behalf of which product.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) product: ProductId,
    /// `None` under `--dev`.
    key: Option<Arc<Key>>,
}

impl Caller {
    /// Whether the caller may see and do everything.
    pub(crate) fn is_trusted(&self) -> bool {
        self.key.as_ref().is_none_or(|key| key.kind == KeyKind::Secret)
    }
}

/// Admits the request, or says why not. Costs one hash and no lock.
pub(crate) fn admit(app: &App, access: Access, parts: &Parts) -> Result<Caller, Problem> {
    match (app.keys.is_dev(), access) {
        (true, _) => admit_dev(app, access, &parts.headers),
        (false, Access::Open) => Ok(Caller { product: default_product(app)?, key: None }),
        (false, _) => admit_key(key_of(app, parts)?, access, &parts.headers),
    }
}

fn admit_dev(app: &App, access: Access, headers: &HeaderMap) -> Result<Caller, Problem> {
    let refuse = |detail: &'static str| Err(Problem::new(ErrorCode::OriginNotAllowed, detail));
    if !cors::host_is_loopback(headers) {
        return refuse("a server under --dev answers to this machine's own names alone");
    }
    if access != Access::Open && !cors::may_use(headers, None) {
        return refuse("a server under --dev answers to this machine's own pages alone");
    }
    let product = match headers.get(PRODUCT) {
        Some(name) if access != Access::Open => named_product(app, name.as_bytes())?,
        _ => default_product(app)?,
    };
    Ok(Caller { product, key: None })
}

fn admit_key(key: &Arc<Key>, access: Access, headers: &HeaderMap) -> Result<Caller, Problem> {
    if access == Access::Secret && key.kind == KeyKind::Publishable {
        return Err(Problem::new(ErrorCode::Forbidden, "this call needs a secret key"));
    }
    if !cors::may_use(headers, Some(key)) {
        let detail = "the key's list of origins does not hold this page's";
        return Err(Problem::new(ErrorCode::OriginNotAllowed, detail));
    }
    if let Some(Err(wait)) = key.bucket.as_ref().map(|bucket| bucket.take(Instant::now())) {
        let problem = Problem::new(ErrorCode::RateLimited, "the key's rate limit is used up");
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        return Err(Problem { retry_after: Some(seconds.max(1)), ..problem });
    }
    Ok(Caller { product: key.product.clone(), key: Some(key.clone()) })
}

fn key_of<'a>(app: &'a App, parts: &Parts) -> Result<&'a Arc<Key>, Problem> {
    let missing = || {
        let detail = "send a key: Authorization: Bearer KEY, Basic KEY: or ?key=KEY";
        Problem::new(ErrorCode::Unauthorized, detail)
    };
    let text = presented(parts).ok_or_else(missing)?;
    let unknown = || Problem::new(ErrorCode::Unauthorized, "the key is not known");
    app.keys.find(&text).ok_or_else(unknown)
}

/// The key's text, wherever it was put.
fn presented(parts: &Parts) -> Option<Cow<'_, str>> {
    if let Some(header) = parts.headers.get(AUTHORIZATION) {
        let (scheme, rest) = header.to_str().ok()?.split_once(' ')?;
        let rest = rest.trim();
        return if scheme.eq_ignore_ascii_case("bearer") {
            Some(Cow::Borrowed(rest))
        } else if scheme.eq_ignore_ascii_case("basic") {
            let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
            Some(Cow::Owned(text.split_once(':')?.0.to_owned()))
        } else {
            None
        };
    }
    query(parts, "key")
}

/// A parameter of the query; the first one of that name.
pub(crate) fn query<'a>(parts: &'a Parts, name: &str) -> Option<Cow<'a, str>> {
    let query = parts.uri.query()?;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
}

fn default_product(app: &App) -> Result<ProductId, Problem> {
    app.engine.products().first().cloned().ok_or_else(unknown_product)
}

fn named_product(app: &App, name: &[u8]) -> Result<ProductId, Problem> {
    let mut served = app.engine.products().iter();
    served.find(|product| product.as_str().as_bytes() == name).cloned().ok_or_else(unknown_product)
}

pub(crate) fn unknown_product() -> Problem {
    Problem::new(ErrorCode::UnknownProduct, "no such product is served here")
}

/// The user that a request may speak for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// Anyone: the key demands no signed users.
    Anyone,
    /// The one that the token is signed for.
    Signed(String),
}

impl Speaker {
    /// Whether the request may speak for that user.
    pub(crate) fn may_be(&self, user: &UserId) -> bool {
        match self {
            Self::Anyone => true,
            Self::Signed(sub) => sub == user.as_str(),
        }
    }

    pub(crate) fn check(&self, user: &UserId) -> Result<(), Problem> {
        let detail = "the user token is signed for another user";
        let wrong = || Problem::new(ErrorCode::WrongUser, detail);
        self.may_be(user).then_some(()).ok_or_else(wrong)
    }
}

/// Whom the request may speak for: by the token in the header, else by the one in the body.
pub(crate) fn speaker(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    in_body: Option<&str>,
) -> Result<Speaker, Problem> {
    let Some(verifier) = caller.key.as_ref().and_then(|key| key.token.as_ref()) else {
        return Ok(Speaker::Anyone);
    };
    let refuse = |detail| Problem::new(ErrorCode::InvalidUserToken, detail);
    let in_header = headers.get(USER_TOKEN).and_then(|value| value.to_str().ok());
    let token = in_header
        .or(in_body)
        .ok_or_else(|| refuse("the key demands a signed user: send a userToken".to_owned()))?;
    let now = u64::try_from(app.engine.now().as_millis() / 1_000).unwrap_or(0);
    let signed = verifier.verify(token, now);
    signed.map(Speaker::Signed).map_err(|error| refuse(error.to_string()))
}
