//! Models over HTTP: one client for each provider. Must not log a body or a key, follow a redirect, or try anything twice.

mod key;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pilotage_domain::time::Millis;
use pilotage_engine::port::Answer;
use pilotage_engine::port::model::{Model, ModelError, Raw};
use pilotage_wire::model::{Dialect, MAX_ANSWER};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Response, Url, redirect, retry};
use thiserror::Error;

pub use key::{Key, NoKey};

/// Looking up a name, connecting and shaking hands take no longer than this.
const TO_CONNECT: Duration = Duration::from_secs(5);
/// A connection that nobody uses is closed after so long.
const IDLE: Duration = Duration::from_secs(60);

/// Where and how a provider is reached.
#[derive(Debug, Clone)]
pub struct Options {
    /// The base URL, which ends with the version: `https://api.openai.com/v1`.
    pub base: String,
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Who asks, where the provider wants to know.
    pub key: Option<Key>,
    /// Further authorities whose certificates are trusted, as PEM; those of the system are as well.
    pub authorities: Option<Vec<u8>>,
    /// What stands between here and there.
    pub proxy: Through,
}

/// What requests go through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Through {
    /// What the environment says: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either case.
    #[default]
    Environment,
    /// Nothing.
    Nothing,
    /// The proxy at this URL.
    Proxy(String),
}

/// Why there is no client. No variant holds an address: it may carry a password.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The base URL is none.
    #[error(
        "the URL must be http or https, with a host, and without user, password, query or fragment"
    )]
    Url,
    /// The authorities are not PEM, or there is none among them.
    #[error("the authorities must be one or more certificates in PEM")]
    Authorities,
    /// The proxy's URL is none.
    #[error("the proxy must be a URL")]
    Proxy,
    /// TLS can't be set up.
    #[error("the client can't be set up: {0}")]
    Client(#[source] reqwest::Error),
}

/// A provider over HTTP.
#[derive(Debug)]
pub struct HttpModel {
    client: Client,
    url: Url,
}

impl HttpModel {
    /// A client; nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub fn new(options: &Options) -> Result<Self, SetupError> {
        // Whoever was first has chosen for the whole process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = url(&options.base, options.dialect)?;
        let builder = Client::builder()
            .user_agent(concat!("pilotage/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers(options))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(TO_CONNECT)
            .pool_idle_timeout(IDLE);
        let builder = trusting(builder, options.authorities.as_deref())?;
        let client = through(builder, &options.proxy)?.build().map_err(SetupError::Client)?;
        Ok(Self { client, url })
    }

    async fn send(&self, request: Bytes, within: Millis) -> Result<Raw, ModelError> {
        let within = Duration::from_millis(within.get());
        let sent = self.client.post(self.url.clone()).timeout(within).body(request).send();
        read(sent.await.map_err(|error| fault(&error))?).await
    }
}

impl Model for HttpModel {
    fn ask(&self, request: Bytes, within: Millis) -> Answer<'_, Result<Raw, ModelError>> {
        Box::pin(self.send(request, within))
    }
}

/// Where requests of this dialect go.
fn url(base: &str, dialect: Dialect) -> Result<Url, SetupError> {
    let url = Url::parse(base).map_err(|_| SetupError::Url)?;
    let is_plain = ["http", "https"].contains(&url.scheme())
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_plain {
        return Err(SetupError::Url);
    }
    let whole = format!("{}{}", url.as_str().trim_end_matches('/'), dialect.path());
    Url::parse(&whole).map_err(|_| SetupError::Url)
}

fn headers(options: &Options) -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    let mut headers = HeaderMap::from_iter([(ACCEPT, json.clone()), (CONTENT_TYPE, json)]);
    for (name, value) in options.dialect.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(key) = &options.key {
        let (name, before) = options.dialect.key_header();
        headers.insert(HeaderName::from_static(name), key.header(before));
    }
    headers
}

fn trusting(builder: ClientBuilder, pem: Option<&[u8]>) -> Result<ClientBuilder, SetupError> {
    let Some(pem) = pem else { return Ok(builder) };
    let authorities = Certificate::from_pem_bundle(pem).map_err(|_| SetupError::Authorities)?;
    if authorities.is_empty() {
        return Err(SetupError::Authorities);
    }
    Ok(builder.tls_certs_merge(authorities))
}

fn through(builder: ClientBuilder, proxy: &Through) -> Result<ClientBuilder, SetupError> {
    Ok(match proxy {
        Through::Environment => builder,
        Through::Nothing => builder.no_proxy(),
        Through::Proxy(url) => builder.proxy(Proxy::all(url).map_err(|_| SetupError::Proxy)?),
    })
}

/// The answer, whatever its status; of its body no more than it takes to see that it is too long.
async fn read(mut response: Response) -> Result<Raw, ModelError> {
    let mut body = BytesMut::new();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    while body.len() <= MAX_ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(fault(&error)),
        }
    }
    body.truncate(MAX_ANSWER + 1);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(Box::from);
    Ok(Raw {
        status,
        content_type: text("content-type"),
        retry_after: text("retry-after"),
        retry_after_ms: text("retry-after-ms"),
        body: body.freeze(),
    })
}

fn fault(error: &reqwest::Error) -> ModelError {
    if error.is_connect() {
        ModelError::NoConnection
    } else if error.is_timeout() {
        ModelError::TimedOut
    } else {
        ModelError::Broken
    }
}
