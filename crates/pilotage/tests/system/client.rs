//! A caller of the API: HTTP/1.1 on one kept connection. Must not try again by itself: a test decides that.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer that takes longer is a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// A caller. It connects with its first call; after a fault of the connection it is of no further use.
pub(crate) struct Client {
    address: SocketAddr,
    headers: String,
    connection: RefCell<Option<BufReader<TcpStream>>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, headers: String::new(), connection: RefCell::default() }
    }

    /// The same, sending one more header with each call.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        Self { headers: format!("{}{name}: {value}\r\n", self.headers), ..self }
    }

    /// The same, presenting a key.
    pub(crate) fn with_key(self, key: &str) -> Self {
        self.with("authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).expect("an answer")
    }

    /// Posts JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.try_post(path, body).expect("an answer")
    }

    /// Posts JSON to a server that may be gone.
    pub(crate) fn try_post(&self, path: &str, body: &Value) -> io::Result<Reply> {
        self.call("POST", path, Some(("application/json", &body.to_string())))
    }

    /// One call: method, path, and the body's media type and text.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<(&str, &str)>,
    ) -> io::Result<Reply> {
        let (media, text) = body.unwrap_or(("text/plain", ""));
        let mut kept = self.connection.borrow_mut();
        let connection = match &mut *kept {
            Some(connection) => connection,
            None => kept.insert(BufReader::new(connect(self.address)?)),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: {media}\r\ncontent-length: {}\r\n{}\r\n{text}",
            self.address,
            text.len(),
            self.headers
        );
        connection.get_mut().write_all(request.as_bytes())?;
        Reply::read(connection)
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Reply {
    fn read(connection: &mut impl BufRead) -> io::Result<Self> {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "no HTTP/1.1 answer");
        let status = line(connection)?.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut length = None;
        loop {
            let header = line(connection)?;
            let Some((name, value)) = header.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            }
        }
        let mut body = vec![0; length.ok_or_else(broken)?];
        connection.read_exact(&mut body)?;
        let text = String::from_utf8(body).map_err(|_| broken())?;
        Ok(Self { status: status.ok_or_else(broken)?, text })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of an answer with that status; a panic that shows it where the status is another.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// Status and code of a refusal.
    pub(crate) fn problem(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or(&self.text).to_owned())
    }
}

fn line(connection: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match connection.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}
