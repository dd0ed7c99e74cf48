//! Whether a service truly answers: the first words of each protocol. Must not wait or try again.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::postgres::{DATABASE, USER};

/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(5);
/// No answer to these questions is longer.
const LONGEST: usize = 1 << 20;

/// The nodes that this broker knows to be there. An error, if it does not answer (yet).
pub(super) fn brokers(port: u16) -> io::Result<BTreeSet<i32>> {
    let mut stream = connect(port)?;
    stream.write_all(&METADATA)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(io::Error::other("no answer of a broker"));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    read_brokers(&answer).ok_or_else(|| io::Error::other("no answer to a metadata request"))
}

/// Whether PostgreSQL asks for a password: it does so as soon as it takes sessions, and refuses before.
pub(super) fn takes_sessions(port: u16) -> io::Result<bool> {
    let mut stream = connect(port)?;
    stream.write_all(&startup(USER, DATABASE))?;
    let mut kind = [0; 1];
    stream.read_exact(&mut kind)?;
    Ok(kind == *b"R")
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

/// Kafka's Metadata request, version 1: length, key, version, a number for the answer, no client id, no topics.
const METADATA: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0];
/// The number for the answer.
const QUESTION: i32 = 7;

/// PostgreSQL's start of a session, protocol 3.0; the length counts its own four bytes.
fn startup(user: &str, database: &str) -> Vec<u8> {
    let words = format!("user\0{user}\0database\0{database}\0\0");
    let length = u32::try_from(words.len() + 8).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), &[0, 3, 0, 0][..], words.as_bytes()].concat()
}

/// The nodes in an answer: a number, then for each broker its node, host, port and rack.
fn read_brokers(answer: &[u8]) -> Option<BTreeSet<i32>> {
    let mut rest = answer;
    (int(&mut rest)? == QUESTION).then_some(())?;
    let mut nodes = BTreeSet::new();
    for _ in 0..int(&mut rest)? {
        nodes.insert(int(&mut rest)?);
        text(&mut rest)?;
        int(&mut rest)?;
        text(&mut rest)?;
    }
    Some(nodes)
}

fn int(rest: &mut &[u8]) -> Option<i32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*bytes))
}

/// A text of the length before it; none has the length -1.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (bytes, after) = rest.split_first_chunk()?;
    let length = usize::try_from(i16::from_be_bytes(*bytes)).unwrap_or(0);
    let (text, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer that names nodes 1 and 3; after them come the controller and no topics.
    const ANSWER: &[u8] = b"\0\0\0\x07\0\0\0\x02\
        \0\0\0\x01\0\x09127.0.0.1\0\0\x52\x08\xff\xff\
        \0\0\0\x03\0\x09127.0.0.1\0\0\x52\x0a\0\x01r\
        \0\0\0\x01\0\0\0\0";

    #[test]
    fn a_broker_names_the_nodes_that_it_knows() {
        assert_eq!(read_brokers(ANSWER), Some(BTreeSet::from([1, 3])));
        let brokers = ANSWER.len() - 8;
        for end in 0..brokers {
            assert_eq!(read_brokers(&ANSWER[..end]), None, "cut at {end}");
        }
        let another = [&[0, 0, 0, 8], &ANSWER[4..]].concat();
        assert_eq!(read_brokers(&another), None, "the answer to another question");
    }

    #[test]
    fn a_session_begins_as_the_protocol_wants_it() {
        let expected = b"\0\0\0\x1d\0\x03\0\0user\0ada\0database\0d\0\0";
        assert_eq!(startup("ada", "d"), expected);
    }

    #[test]
    fn nobody_at_the_port_is_an_error() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        assert!(brokers(port).is_err());
        assert!(takes_sessions(port).is_err());
    }
}
