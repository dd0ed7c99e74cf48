//! Callers for `bench/scale.sh`: a backlog as fast as it goes, or events at a fixed rate with probes that measure the time
//! from an event's 202 to a decision that knows it. Must measure from when a call was due, not from when it was made.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pilotage_bench::mix;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Users that the load is about; probes are about others.
const USERS: u64 = 10_000;
const BATCH: u64 = 1_000;
const CONNECTIONS: u64 = 64;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["fill", ingest, count] => fill(address(ingest), number(count)).await,
        ["lag", ingest, decide, rate, seconds] => {
            lag([address(ingest), address(decide)], number(rate), number(seconds)).await;
        }
        _ => panic!("usage: scale fill INGEST COUNT | scale lag INGEST DECIDE RATE SECONDS"),
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn event(user: u64, id: &str) -> String {
    format!(
        r#"{{"eventId":"{id}","userId":"00000000-0000-4000-8000-{user:012}","sessionId":"s1","eventType":"form_submit","payload":{{"form":"new_project","ok":true,"name":"Quarterly numbers","template":"blank","durationMs":48211}},"context":{{"appVersion":"2.1.0","locale":"en","path":"/projects/new"}}}}"#
    )
}

/// A connection that is kept.
struct Line {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Line {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, read: Vec::new() }
    }

    /// Posts JSON; status and body of the answer.
    async fn post(&mut self, path: &str, body: &str) -> (u16, String) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.stream.write_all(format!("{head}{body}").as_bytes()).await.expect("it takes calls");
        self.read.clear();
        loop {
            let count = self.stream.read_buf(&mut self.read).await.expect("it answers");
            assert!(count > 0, "the connection was closed");
            if let Some(answer) = answer(&self.read) {
                return answer;
            }
        }
    }
}

/// The answer, once it has come whole.
fn answer(read: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(read).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    (body.len() >= length).then(|| (status, body.to_owned()))
}

async fn fill(ingest: SocketAddr, count: u64) {
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut lines = JoinSet::new();
    for _ in 0..8 {
        let next = next.clone();
        lines.spawn(async move {
            let mut line = Line::open(ingest).await;
            loop {
                let first = next.fetch_add(BATCH, Ordering::Relaxed);
                if first >= count {
                    return;
                }
                let events =
                    (first..first + BATCH).map(|n| event(mix(n) % USERS, &format!("fill-{n}")));
                let events = events.collect::<Vec<_>>().join(",");
                let body = format!(r#"{{"events":[{events}]}}"#);
                // The queue may be full: the same events, a moment later.
                while line.post("/api/v1/events/batch", &body).await.0 != 202 {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        });
    }
    while lines.join_next().await.is_some() {}
    let seconds = start.elapsed().as_secs_f64();
    println!("filled {count} events in {seconds:.1} s: {:.0} events/s", count as f64 / seconds);
}

/// What the load came to.
#[derive(Default)]
struct Offered {
    sent: AtomicU64,
    refused: AtomicU64,
}

async fn lag([ingest, decide]: [SocketAddr; 2], rate: u64, seconds: u64) {
    let until = Instant::now() + Duration::from_secs(seconds);
    let offered = Arc::new(Offered::default());
    let mut tasks = JoinSet::new();
    for number in 0..CONNECTIONS {
        let offered = offered.clone();
        tasks.spawn(async move { offer(ingest, (number, rate), until, &offered).await });
    }
    // The first second is the load's own start.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut lags = probe(ingest, decide, until).await;
    while tasks.join_next().await.is_some() {}
    lags.sort_unstable();
    let at = |share: f64| lags[((lags.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let (sent, refused) =
        (offered.sent.load(Ordering::Relaxed), offered.refused.load(Ordering::Relaxed));
    println!(
        "offered {rate}/s, kept {:.0}/s, refused {refused}; {} probes: 202 to decision p50 {:.0} ms, p90 {:.0} ms, p99 {:.0} ms",
        sent as f64 / seconds as f64,
        lags.len(),
        at(0.5),
        at(0.9),
        at(0.99)
    );
}

/// One connection's share of the load: a call when it is due, or as soon as the one before is answered.
async fn offer(ingest: SocketAddr, (number, rate): (u64, u64), until: Instant, offered: &Offered) {
    let mut line = Line::open(ingest).await;
    let pause = Duration::from_secs_f64(CONNECTIONS as f64 / rate as f64);
    let mut due = Instant::now() + pause.mul_f64(number as f64 / CONNECTIONS as f64);
    let mut count = 0;
    while due < until {
        tokio::time::sleep_until(due.into()).await;
        count += 1;
        let user = mix(number << 32 | count) % USERS;
        let body = event(
            user,
            &format!("load-{number}-{count}-{due:?}").replace([' ', '{', '}', ':', ','], ""),
        );
        match line.post("/api/v1/events", &body).await.0 {
            202 => offered.sent.fetch_add(1, Ordering::Relaxed),
            _ => offered.refused.fetch_add(1, Ordering::Relaxed),
        };
        due += pause;
    }
}

/// One event after the other, each with a decision that is to know it: the times from the 202 on. One that is not known
/// within the wait counts as the whole wait.
async fn probe(ingest: SocketAddr, decide: SocketAddr, until: Instant) -> Vec<Duration> {
    let (mut events, mut decisions) = (Line::open(ingest).await, Line::open(decide).await);
    let mut lags = Vec::new();
    while Instant::now() < until {
        let number = lags.len() as u64;
        let (user, id) = (USERS + number, format!("probe-{number}-{}", std::process::id()));
        let taken = events.post("/api/v1/events", &event(user, &id)).await;
        assert_eq!(taken.0, 202, "{}", taken.1);
        let start = Instant::now();
        loop {
            let ask = format!(
                r#"{{"userId":"00000000-0000-4000-8000-{user:012}","sessionId":"s1","after":"{id}","waitMs":1000,"context":{{"path":"/projects"}}}}"#
            );
            let (status, body) = decisions.post("/api/v1/decisions", &ask).await;
            assert_eq!(status, 200, "{body}");
            if !body.contains(r#""stale":true"#) || start.elapsed() > Duration::from_secs(60) {
                break;
            }
        }
        lags.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lags
}
