//! Providers of models on loopback: one that answers what it is told to, and one that takes every request and never answers.
//! Must not know what is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};

use serde_json::{Value, json};

const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

/// The command, without what this process's environment says of proxies.
pub(crate) fn direct(mut command: Command) -> Command {
    for name in PROXIES {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    command
}

pub(crate) fn base(address: SocketAddr) -> String {
    format!("http://{address}/v1")
}

/// A provider that answers so many requests, and then is gone.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<Vec<(String, Value)>>,
}

impl Fake {
    pub(crate) fn start(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let serve = move || {
            let each = answers.into_iter().map(|answer| {
                let (socket, _) = listener.accept().expect("a caller");
                exchange(&socket, &answer)
            });
            each.collect()
        };
        let thread = Builder::new().name("provider".to_owned()).spawn(serve).expect("a thread");
        Self { address, thread }
    }

    /// Heads and bodies of the requests, once all have come.
    pub(crate) fn asked(self) -> Vec<(String, Value)> {
        self.thread.join().expect("it answered in order")
    }
}

fn exchange(socket: &TcpStream, (status, body): &(u16, String)) -> (String, Value) {
    let (head, request) = request(socket);
    let mut writer = socket;
    let length = body.len();
    write!(
        writer,
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
    .expect("the caller waits for it");
    (head, request)
}

pub(crate) fn completion(content: &str) -> (u16, String) {
    let body = json!({
        "model": "mine-0901",
        "choices": [{ "finish_reason": "stop", "message": { "content": content } }],
        "usage": { "prompt_tokens": 400, "completion_tokens": 12 },
    });
    (200, body.to_string())
}

/// The head and body of the request that this connection brings.
fn request(socket: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(socket);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).expect("a line"), 0, "cut off: {head}");
    }
    let lower = head.to_ascii_lowercase();
    let (_, rest) = lower.split_once("content-length: ").expect("a length");
    let length = rest.lines().next().and_then(|n| n.parse().ok()).expect("a number");
    let mut request = vec![0; length];
    reader.read_exact(&mut request).expect("a body");
    (head, serde_json::from_slice(&request).expect("JSON"))
}

/// A provider that reads every request and says nothing, until whoever asked hangs up.
pub(crate) struct Hanging {
    pub(crate) address: SocketAddr,
    calls: Arc<Calls>,
}

#[derive(Default)]
struct Calls {
    begun: AtomicUsize,
    left: AtomicUsize,
}

impl Hanging {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let calls = Arc::new(Calls::default());
        let of = Arc::clone(&calls);
        let serve = move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let of = Arc::clone(&of);
                let hang = move || {
                    request(&socket);
                    of.begun.fetch_add(1, Ordering::SeqCst);
                    // Ends when the caller closes, or is gone.
                    let _ = (&socket).read_to_end(&mut Vec::new());
                    of.left.fetch_add(1, Ordering::SeqCst);
                };
                Builder::new().name("call".to_owned()).spawn(hang).expect("a thread");
            }
        };
        Builder::new().name("provider".to_owned()).spawn(serve).expect("a thread");
        Self { address, calls }
    }

    /// Requests that have come whole.
    pub(crate) fn begun(&self) -> usize {
        self.calls.begun.load(Ordering::SeqCst)
    }

    /// Of these, those whose caller has hung up.
    pub(crate) fn left(&self) -> usize {
        self.calls.left.load(Ordering::SeqCst)
    }
}
