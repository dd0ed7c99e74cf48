//! What goes out in every dialect, and through which way. Must see every byte of it.

use bytes::Bytes;
use pilotage_adapters::model::{HttpModel, Key, Options, SetupError, Through};
use pilotage_domain::time::Millis;
use pilotage_engine::port::model::Model;
use pilotage_wire::model::Dialect;

use crate::server::{Does, Server, answer, ok};

pub(crate) const SECRET: &str = "sk-0f3c-not-to-be-seen";
pub(crate) const PATIENCE: Millis = Millis::seconds(30);

pub(crate) fn options(base: &str) -> Options {
    Options {
        base: base.to_owned(),
        dialect: Dialect::OpenAi,
        key: Some(Key::new(SECRET).expect("a key")),
        authorities: None,
        proxy: Through::Nothing,
    }
}

pub(crate) fn request() -> Bytes {
    Bytes::from_static(b"{\"model\":\"m\",\"x\":\"\xc3\xa4\"}")
}

#[tokio::test]
async fn every_dialect_arrives_as_it_was_built() {
    for dialect in Dialect::ALL {
        let mut server = Server::start(Does::Writes(ok(b"{}"))).await;
        // A slash at the end is no other place.
        let base = format!("{}/", server.base());
        let model = HttpModel::new(&Options { dialect, ..options(&base) }).expect("a client");
        let raw = model.ask(request(), PATIENCE).await.expect("an answer");
        assert_eq!((raw.status, &raw.body[..]), (200, &b"{}"[..]));
        assert_eq!(raw.content_type.as_deref(), Some("application/json"));

        let arrived = server.arrived.recv().await.expect("a request");
        assert_eq!(arrived.line, format!("POST /v1{} HTTP/1.1", dialect.path()));
        assert_eq!(arrived.body, request());
        assert_eq!(arrived.header("content-type"), Some("application/json"));
        let (name, before) = dialect.key_header();
        assert_eq!(arrived.header(name), Some(&*format!("{before}{SECRET}")));
        for (name, value) in dialect.headers() {
            assert_eq!(arrived.header(name), Some(*value));
        }
        let known = ["accept", "content-length", "content-type", "host", "user-agent", name];
        let other = |n: &&(String, String)| {
            !known.contains(&&*n.0) && !dialect.headers().iter().any(|(h, _)| *h == n.0)
        };
        assert_eq!(arrived.headers.iter().find(other), None, "nothing else goes out");
    }
}

#[tokio::test]
async fn without_a_key_none_is_sent() {
    let mut server = Server::start(Does::Writes(ok(b"{}"))).await;
    let model = HttpModel::new(&Options { key: None, ..options(&server.base()) }).expect("one");
    model.ask(request(), PATIENCE).await.expect("an answer");
    assert_eq!(server.arrived.recv().await.expect("a request").header("authorization"), None);
}

#[tokio::test]
async fn every_status_is_an_answer_with_its_pause() {
    let headers = [("retry-after", "7"), ("retry-after-ms", "7100")];
    let server = Server::start(Does::Writes(answer("429 Slow Down", &headers, b"wait"))).await;
    let model = HttpModel::new(&options(&server.base())).expect("a client");
    let raw = model.ask(request(), PATIENCE).await.expect("an answer");
    assert_eq!((raw.status, &raw.body[..]), (429, &b"wait"[..]));
    assert_eq!(raw.content_type, None);
    assert_eq!(raw.retry_after.as_deref(), Some("7"));
    assert_eq!(raw.retry_after_ms.as_deref(), Some("7100"));
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_provider() {
    let mut proxy = Server::start(Does::Writes(ok(b"{}"))).await;
    let through = Through::Proxy(format!("http://{}", proxy.address));
    let base = "http://models.invalid/v1";
    let model = HttpModel::new(&Options { proxy: through, ..options(base) }).expect("a client");
    model.ask(request(), PATIENCE).await.expect("an answer");
    let arrived = proxy.arrived.recv().await.expect("a request");
    assert_eq!(arrived.line, "POST http://models.invalid/v1/chat/completions HTTP/1.1");
    assert_eq!(arrived.body, request());
}

#[test]
fn the_key_is_never_shown() {
    let options = options("https://models.invalid/v1");
    let model = HttpModel::new(&options).expect("a client");
    for shown in [format!("{options:?}"), format!("{options:#?}"), format!("{model:?}")] {
        assert!(!shown.contains("0f3c"), "{shown}");
    }
}

#[test]
fn what_is_no_address_is_refused_and_not_repeated() {
    let secret = "https://user:0f3c@models.invalid/v1";
    for base in
        ["", "models.invalid/v1", "ftp://models.invalid", "https://m.invalid/?a=0f3c", secret]
    {
        let error = HttpModel::new(&options(base)).expect_err(base);
        assert!(matches!(error, SetupError::Url), "{base}");
        assert!(!format!("{error:?} {error}").contains("0f3c"));
    }
    let base = "https://models.invalid/v1";
    let proxy = Through::Proxy("http://".to_owned());
    let error = HttpModel::new(&Options { proxy, ..options(base) }).expect_err("no proxy");
    assert!(matches!(error, SetupError::Proxy), "{error:?}");
    for pem in [&b""[..], b"no certificate"] {
        let authorities = Some(pem.to_vec());
        let error = HttpModel::new(&Options { authorities, ..options(base) }).expect_err("none");
        assert!(matches!(error, SetupError::Authorities), "{error:?}");
    }
}
