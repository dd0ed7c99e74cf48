//! Providers that fail: each becomes the one fault that the ladder has for it. Must not wait for longer than it says.

use std::time::Duration;

use pilotage_adapters::model::HttpModel;
use pilotage_domain::advise::Brief;
use pilotage_domain::advise::refusal::{Fault, Transport};
use pilotage_domain::time::{Millis, Timestamp};
use pilotage_engine::advise::sample;
use pilotage_engine::port::model::{Model, ModelError, Raw};
use pilotage_wire::model::{Answer, Dialect, MAX_ANSWER, Prompt};
use pilotage_wire::yaml;
use tokio::net::TcpListener;

use crate::asking::{PATIENCE, options, request};
use crate::server::{Does, Server, answer, ok};

const SHORT: Millis = Millis::new(200);

fn brief() -> Brief {
    let text = include_str!("../../../../examples/acme.yaml");
    let acme = yaml::load(text).expect("a product without faults").definition;
    let now = Timestamp::from_millis(1_790_000_000_000);
    sample(&acme, Prompt::newest().id(), now).expect("acme has one").brief
}

/// What the ladder says of it.
fn refused(raw: &Raw) -> Fault {
    let answer =
        Answer { status: raw.status, content_type: raw.content_type.as_deref(), body: &raw.body };
    Dialect::OpenAi.read(&brief(), &answer).proposal.expect_err("no proposal").fault
}

async fn asked(server: &Server, within: Millis) -> Result<Raw, ModelError> {
    HttpModel::new(&options(&server.base())).expect("a client").ask(request(), within).await
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = Server::start(Does::Writes(ok(b"{}"))).await;
    for status in ["301 Moved", "302 Found", "307 There", "308 There"] {
        let location = format!("{}/chat/completions", elsewhere.base());
        let bytes = answer(status, &[("location", &location)], b"");
        let server = Server::start(Does::Writes(bytes)).await;
        let raw = asked(&server, PATIENCE).await.expect("an answer");
        assert_eq!(refused(&raw), Transport::Redirected.into(), "{status}");
    }
    assert!(elsewhere.arrived.try_recv().is_err(), "somebody followed");
}

#[tokio::test]
async fn an_answer_is_read_one_byte_too_far_and_no_further() {
    for (length, kept) in [
        (MAX_ANSWER, MAX_ANSWER),
        (MAX_ANSWER + 1, MAX_ANSWER + 1),
        (4 * MAX_ANSWER, MAX_ANSWER + 1),
    ] {
        let server = Server::start(Does::Writes(ok(&vec![b' '; length]))).await;
        let raw = asked(&server, PATIENCE).await.expect("an answer");
        assert_eq!(raw.body.len(), kept);
        let is_too_large = refused(&raw) == Transport::TooLarge.into();
        assert_eq!(is_too_large, kept > MAX_ANSWER, "{length}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_left_where_it_is() {
    let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n".to_vec();
    bytes.resize(bytes.len() + MAX_ANSWER + 1, b' ');
    let server = Server::start(Does::Stalls(bytes)).await;
    let raw = asked(&server, PATIENCE).await.expect("as much as is needed");
    assert_eq!(refused(&raw), Transport::TooLarge.into());
}

#[tokio::test]
async fn silence_is_timed_out_before_and_within_an_answer() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\"".to_vec();
    for begun in [Vec::new(), half] {
        let server = Server::start(Does::Stalls(begun)).await;
        let asked = tokio::time::timeout(Duration::from_secs(30), asked(&server, SHORT)).await;
        let error = asked.expect("it gives up by itself").expect_err("nothing whole came");
        assert_eq!(error, ModelError::TimedOut);
        assert_eq!((error.fault(), error.may_be_billed()), (Transport::TimedOut, true));
    }
}

#[tokio::test]
async fn a_closed_port_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}/v1", listener.local_addr().expect("bound"));
    drop(listener);
    let model = HttpModel::new(&options(&base)).expect("a client");
    let error = model.ask(request(), PATIENCE).await.expect_err("nobody is there");
    assert_eq!(error, ModelError::NoConnection);
    assert_eq!((error.fault(), error.may_be_billed()), (Transport::Unreachable, false));
}

#[tokio::test]
async fn a_connection_that_breaks_may_be_billed() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\"".to_vec();
    for begun in [Vec::new(), half, b"garbage\r\n\r\n".to_vec()] {
        let server = Server::start(Does::Writes(begun)).await;
        let error = asked(&server, PATIENCE).await.expect_err("nothing whole came");
        assert_eq!(error, ModelError::Broken);
        assert_eq!((error.fault(), error.may_be_billed()), (Transport::Unreachable, true));
    }
}
