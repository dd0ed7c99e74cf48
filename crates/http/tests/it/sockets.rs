//! Real connections: slow and rude clients, keep-alive, an orderly end. Must wait for what happens, never for a while.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use pilotage_http::{Keys, ServeError, Settings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::world::{Plan, World, page_view, two_keys};

struct Server {
    address: SocketAddr,
    world: World,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Result<(), ServeError>>,
}

fn impatient() -> Settings {
    let short = Duration::from_millis(150);
    Settings { head_timeout: short, body_timeout: short, ..Settings::default() }
}

#[expect(clippy::disallowed_methods, reason = "the server is its test's own task")]
async fn start(settings: Settings, more: Router) -> Server {
    let world = World::with(Plan { settings, ..Plan::default() }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let (site, app) = (world.site().with(more), world.app.clone());
    let ended =
        tokio::spawn(
            async move { serve(listener, site, &app, async { drop(stopped.await) }).await },
        );
    Server { address, world, stop: Some(stop), ended }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    fn stop(&mut self) {
        drop(self.stop.take());
    }
}

fn event_request(headers: &str) -> String {
    let body = page_view().to_string();
    format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// One answer: its head and its body.
async fn answer(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (Vec::new(), [0; 1]);
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await.expect("readable") == 0 {
            return String::from_utf8(text).expect("text");
        }
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).expect("text");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.expect("the whole body");
    head + &String::from_utf8(body).expect("text")
}

/// Whatever still comes until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    String::from_utf8(rest).expect("text")
}

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let server = start(Settings::default(), Router::new()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(event_request("").as_bytes()).await.expect("sent");
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 202"));
    }
    let both = event_request("").repeat(2);
    stream.write_all(both.as_bytes()).await.expect("sent");
    for _ in 0..2 {
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 202"));
    }
    stream.write_all(event_request("connection: close\r\n").as_bytes()).await.expect("sent");
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 202"));
}

#[tokio::test]
async fn who_has_said_all_is_answered() {
    let server = start(Settings::default(), Router::new()).await;
    let mut stream = server.connect().await;
    let body = r#"{"userId":"00000000-0000-4000-8000-000000000001","sessionId":"s","after":"evt-none","waitMs":50}"#;
    let head =
        "POST /api/v1/decisions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    let whole = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(whole.as_bytes()).await.expect("sent");
    // The answer takes a while, in which the server could see that nothing more will come.
    stream.shutdown().await.expect("closed for writing");
    let reply = rest(&mut stream).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let server = start(impatient(), Router::new()).await;
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    slow.write_all(b"POST /api/v1/events HTTP/1.1\r\nhost: loc").await.expect("sent");
    assert_eq!(rest(&mut silent).await, "");
    assert!(!rest(&mut slow).await.starts_with("HTTP/1.1 2"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let server = start(impatient(), Router::new()).await;
    let mut stream = server.connect().await;
    let whole = event_request("");
    stream.write_all(&whole.as_bytes()[..whole.len() - 1]).await.expect("sent");
    let reply = answer(&mut stream).await;
    assert!(reply.starts_with("HTTP/1.1 408"), "{reply}");
    assert!(reply.contains("\"code\":\"request_timeout\""));
    assert_eq!(rest(&mut stream).await, "", "the connection is of no further use");
}

#[tokio::test]
async fn a_length_that_lies_is_found_out() {
    let server = start(Settings::default(), Router::new()).await;
    let mut large = server.connect().await;
    let head =
        "POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    large
        .write_all(format!("{head}content-length: 1048577\r\n\r\n").as_bytes())
        .await
        .expect("sent");
    assert!(
        answer(&mut large).await.starts_with("HTTP/1.1 413"),
        "before a byte of the body is sent"
    );

    let mut short = server.connect().await;
    short
        .write_all(format!("{head}content-length: 500\r\n\r\n{{}}").as_bytes())
        .await
        .expect("sent");
    short.shutdown().await.expect("half closed");
    let reply = rest(&mut short).await;
    assert!(!reply.starts_with("HTTP/1.1 2"), "{reply}");

    let mut chunked = server.connect().await;
    chunked
        .write_all(format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n").as_bytes())
        .await
        .expect("sent");
    let reply = rest(&mut chunked).await;
    assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
}

#[tokio::test]
async fn too_many_headers_and_too_long_ones_are_refused() {
    let server = start(Settings::default(), Router::new()).await;
    let refuses = async |headers: String| {
        let mut stream = server.connect().await;
        // The server may close before it has read all of this.
        let _ = stream.write_all(event_request(&headers).as_bytes()).await;
        rest(&mut stream).await
    };
    let reply = refuses("x: y\r\n".repeat(101)).await;
    assert!(reply.starts_with("HTTP/1.1 431"), "{reply}");
    let reply = refuses(format!("x: {}\r\n", "y".repeat(40_000))).await;
    assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 431"), "{reply}");
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let server = start(Settings { max_connections: 1, ..Settings::default() }, Router::new()).await;
    let mut first = server.connect().await;
    first.write_all(event_request("").as_bytes()).await.expect("sent");
    answer(&mut first).await;
    let mut second = server.connect().await;
    second.write_all(event_request("").as_bytes()).await.expect("sent");
    let early = tokio::time::timeout(Duration::from_millis(50), second.readable()).await;
    assert!(early.is_err(), "the second is not served while the first is open");
    drop(first);
    assert!(answer(&mut second).await.starts_with("HTTP/1.1 202"));
}

#[tokio::test]
async fn an_answer_that_is_not_read_ends_the_connection() {
    let settings = Settings { write_timeout: Duration::from_millis(150), ..Settings::default() };
    let much = Router::new().route("/much", get(|| async { "x".repeat(64 << 20) }));
    let server = start(Settings { max_connections: 1, ..settings }, much).await;
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /much HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("sent");
    let mut next = server.connect().await;
    next.write_all(event_request("").as_bytes()).await.expect("sent");
    assert!(answer(&mut next).await.starts_with("HTTP/1.1 202"), "its place is free again");
}

#[tokio::test]
async fn shutdown_finishes_what_has_begun_and_closes_what_is_idle() {
    let mut server = start(Settings::default(), Router::new()).await;
    let mut idle = server.connect().await;
    idle.write_all(event_request("").as_bytes()).await.expect("sent");
    answer(&mut idle).await;
    let mut busy = server.connect().await;
    let whole = event_request("");
    let (early, late) = whole.split_at(whole.len() - 5);
    busy.write_all(early.as_bytes()).await.expect("sent");
    // The server has seen the busy one's head once it has seen a later connection's whole request.
    let mut later = server.connect().await;
    later.write_all(event_request("connection: close\r\n").as_bytes()).await.expect("sent");
    rest(&mut later).await;

    server.stop();
    assert_eq!(rest(&mut idle).await, "");
    busy.write_all(late.as_bytes()).await.expect("sent");
    assert!(rest(&mut busy).await.starts_with("HTTP/1.1 202"));
    server.ended.await.expect("no panic").expect("an orderly end");
    assert!(TcpStream::connect(server.address).await.is_err());
    server.world.engine.settled().await.expect("the engine is still open");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_the_rest_of_a_head() {
    let mut server = start(Settings::default(), Router::new()).await;
    let whole = event_request("");
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.write_all(&whole.as_bytes()[..40]).await.expect("sent");
    second.write_all(whole.as_bytes()).await.expect("sent");
    answer(&mut second).await;
    second.write_all(&whole.as_bytes()[..40]).await.expect("sent");
    let mut busy = server.connect().await;
    let (early, late) = whole.split_at(whole.len() - 5);
    busy.write_all(early.as_bytes()).await.expect("sent");
    // The server has seen all this once it has seen a later connection's whole request.
    let mut later = server.connect().await;
    later.write_all(event_request("connection: close\r\n").as_bytes()).await.expect("sent");
    rest(&mut later).await;

    server.stop();
    // Both are closed while the drain still waits for the request that has begun.
    assert_eq!(rest(&mut first).await, "");
    assert_eq!(rest(&mut second).await, "");
    busy.write_all(late.as_bytes()).await.expect("sent");
    assert!(rest(&mut busy).await.starts_with("HTTP/1.1 202"));
    server.ended.await.expect("no panic").expect("an orderly end");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let settings = Settings { drain_timeout: Duration::from_millis(100), ..Settings::default() };
    let mut server = start(settings, Router::new()).await;
    let mut stuck = server.connect().await;
    let whole = event_request("");
    stuck.write_all(&whole.as_bytes()[..whole.len() - 5]).await.expect("sent");
    let mut later = server.connect().await;
    later.write_all(event_request("connection: close\r\n").as_bytes()).await.expect("sent");
    rest(&mut later).await;
    server.stop();
    server.ended.await.expect("no panic").expect("an orderly end");
    assert_eq!(rest(&mut stuck).await, "");
}

#[tokio::test]
async fn readiness_says_no_before_connections_are_refused() {
    let settings = Settings { unready_for: Duration::from_secs(3_600), ..Settings::default() };
    let mut server = start(settings, Router::new()).await;
    server.stop();
    loop {
        let mut stream = server.connect().await;
        let request = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        if rest(&mut stream).await.starts_with("HTTP/1.1 503") {
            break;
        }
        tokio::task::yield_now().await;
    }
    let mut stream = server.connect().await;
    stream.write_all(event_request("").as_bytes()).await.expect("sent");
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 202"), "events are still taken");
}

#[tokio::test]
async fn a_server_without_keys_listens_to_this_machine_alone() {
    let world = World::new().await;
    let everywhere = || async { TcpListener::bind("0.0.0.0:0").await.expect("a free port") };
    let refused = serve(everywhere().await, world.site(), &world.app, async {}).await;
    assert!(matches!(refused, Err(ServeError::NotLoopback(_))));
    let keys: Keys = two_keys();
    let world = World::with(Plan { keys, ..Plan::default() }).await;
    serve(everywhere().await, world.site(), &world.app, async {}).await.expect("served");
}
