//! A listener between the product and a peer that keeps every byte which goes by. Must not change a byte of a body.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// The listener; it ends with the value.
pub(crate) struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    peer: SocketAddr,
    kept: Mutex<Vec<Exchange>>,
    is_over: AtomicBool,
}

/// A request and its answer, with their heads; the answer has no byte where the connection broke.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) sent: Vec<u8>,
    pub(crate) came: Vec<u8>,
}

impl Exchange {
    /// The request's body.
    pub(crate) fn asked(&self) -> Value {
        serde_json::from_slice(split(&self.sent).1).expect("requests are JSON")
    }

    /// The answer's status.
    pub(crate) fn status(&self) -> Option<u16> {
        let line = String::from_utf8_lossy(split(&self.came).0);
        line.split(' ').nth(1)?.parse().ok()
    }

    /// The answer's body, as it was framed.
    pub(crate) fn answer(&self) -> &[u8] {
        split(&self.came).1
    }
}

/// Head and body.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let end = message.windows(END_OF_HEAD.len()).position(|part| part == END_OF_HEAD);
    message.split_at(end.map_or(message.len(), |end| end + END_OF_HEAD.len()))
}

impl Relay {
    /// One that passes everything on to that peer.
    pub(crate) fn to(peer: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared =
            Arc::new(Shared { peer, kept: Mutex::default(), is_over: AtomicBool::new(false) });
        let of = Arc::clone(&shared);
        let serve = move || of.serve(&listener);
        let thread = Builder::new().name("relay".to_owned()).spawn(serve).expect("a thread");
        Self { address, shared, thread: Some(thread) }
    }

    /// The URL of this path here.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What went by, in the order of the answers' ends.
    pub(crate) fn kept(&self) -> Vec<Exchange> {
        self.shared.kept.lock().expect("nobody failed").clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        // It waits for a caller: this is the last one.
        drop(TcpStream::connect(self.address));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

impl Shared {
    fn serve(&self, listener: &TcpListener) {
        std::thread::scope(|scope| {
            for socket in listener.incoming() {
                if self.is_over.load(Ordering::Acquire) {
                    return;
                }
                let Ok(socket) = socket else { return };
                scope.spawn(move || self.exchange(socket));
            }
        });
    }

    /// One request and its answer; a connection that breaks on one side breaks on the other.
    fn exchange(&self, mut caller: TcpStream) {
        let mut sent = Vec::new();
        let whole = read_request(&mut caller, &mut sent);
        let mut came = Vec::new();
        if whole.is_ok() {
            // What came before it broke is passed on as well.
            drop(self.pass_on(&sent, &mut came));
            drop(caller.write_all(&came));
        }
        if !sent.is_empty() {
            self.kept.lock().expect("nobody failed").push(Exchange { sent, came });
        }
    }

    fn pass_on(&self, request: &[u8], came: &mut Vec<u8>) -> io::Result<()> {
        let mut peer = TcpStream::connect(self.peer)?;
        peer.set_read_timeout(Some(PATIENCE))?;
        let (head, body) = split(request);
        // The end of the connection is the end of the answer.
        let head = &head[..head.len() - END_OF_HEAD.len()];
        peer.write_all(&[head, b"\r\nconnection: close", END_OF_HEAD, body].concat())?;
        peer.read_to_end(came).map(drop)
    }
}

/// Reads a request with a length, and keeps what came of it.
fn read_request(caller: &mut TcpStream, sent: &mut Vec<u8>) -> io::Result<()> {
    caller.set_read_timeout(Some(PATIENCE))?;
    let mut part = [0; 4096];
    loop {
        let length = caller.read(&mut part)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        sent.extend_from_slice(&part[..length]);
        let (head, body) = split(sent);
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        if !head.as_bytes().ends_with(END_OF_HEAD) {
            continue;
        }
        let named = head.split_once("content-length: ").and_then(|(_, rest)| rest.lines().next());
        let wanted: usize = named.and_then(|length| length.parse().ok()).unwrap_or(0);
        if body.len() >= wanted {
            return Ok(());
        }
    }
}
