//! A provider that takes one request after the other and answers as it is told, byte by byte. Must not be more than that.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// Such as `POST /v1/messages HTTP/1.1`.
    pub(crate) line: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut of = self.headers.iter().filter(|(known, _)| known == name);
        let first = of.next().map(|(_, value)| &**value);
        assert!(of.next().is_none(), "{name} stands twice: {self:?}");
        first
    }
}

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Does {
    /// Writes these bytes and closes.
    Writes(Vec<u8>),
    /// Writes these bytes and keeps the connection open without another.
    Stalls(Vec<u8>),
}

/// A server; its tasks end with it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) arrived: Receiver<Arrived>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(does: Does) -> Self {
        Self::start_behind(None, does).await
    }

    /// One that speaks TLS, where there is a certificate.
    pub(crate) async fn start_behind(tls: Option<TlsAcceptor>, does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, arrived) = channel(16);
        let mut tasks = JoinSet::new();
        let does = Arc::new(does);
        tasks.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let arrived = match &tls {
                    None => serve(socket, &does).await,
                    Some(tls) => match tls.accept(socket).await {
                        Ok(stream) => serve(stream, &does).await,
                        Err(_) => None,
                    },
                };
                if let Some((arrived, held)) = arrived {
                    let _ = sender.send(arrived).await;
                    if let Some(held) = held {
                        held.await;
                    }
                }
            }
        });
        Self { address, arrived, _tasks: tasks }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

/// A connection that is held open.
type Held = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    does: &Does,
) -> Option<(Arrived, Option<Held>)> {
    let arrived = read(&mut stream).await?;
    let (Does::Writes(bytes) | Does::Stalls(bytes)) = does;
    // A client that has seen enough may be gone before the end.
    let _ = stream.write_all(bytes).await;
    if let Does::Stalls(_) = does {
        let _ = stream.flush().await;
        let held = async move {
            let _ = stream.read(&mut [0]).await;
        };
        return Some((arrived, Some(Box::pin(held))));
    }
    let _ = stream.shutdown().await;
    Some((arrived, None))
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Arrived> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head in ASCII");
    let mut lines = head.lines();
    let line = lines.next().expect("a first line").to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let headers = lines.map(header).collect();
    let mut arrived = Arrived { line, headers, body: bytes.split_off(end + 4) };
    let length = arrived.header("content-length").map_or(0, |n| n.parse().expect("a number"));
    while arrived.body.len() < length {
        stream.read_buf(&mut arrived.body).await.ok().filter(|read| *read > 0)?;
    }
    Some(arrived)
}

/// An answer with these headers, its length among them.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str("connection: close\r\n\r\n");
    [bytes.as_bytes(), body].concat()
}

pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    answer("200 OK", &[("content-type", "application/json")], body)
}
