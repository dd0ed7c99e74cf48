//! Serves connections: bounds on how many, how slow and how long, and an orderly end. Must not know routes.

mod head_timer;
mod stall;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::coop::has_budget_remaining;
use tokio::time::{interval, sleep, timeout};
use tracing::{debug, info, warn};

use crate::app::App;
use crate::routes::Site;
use head_timer::HeadTimer;
use stall::Stall;

/// The most bytes of a request's head. (The most headers are hyper's: 100.)
const MAX_HEAD_BYTES: usize = 32 << 10;
/// The most bytes that are read ahead of what is handled.
const READ_AHEAD: usize = 64 << 10;
/// How long to wait after a failed accept: most often the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often the metrics' histograms are folded.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// What a server is doing with its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Answer request after request.
    Serve,
    /// Answer the requests whose heads have come, then close.
    Finish,
    /// Close at once.
    Cut,
}

/// Why nothing is served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// A server that asks for no key may be reached by this machine alone.
    #[error("under --dev the server may listen on a loopback address alone, not on {0}")]
    NotLoopback(std::net::SocketAddr),
    /// The listener does not say where it listens.
    #[error("the listener is broken: {0}")]
    Listener(#[from] io::Error),
}

/// Serves until `shutdown` resolves, then: `/readyz` says no (for `unready_for`), the listener closes, requests in flight
/// end (within `drain_timeout`), and the call returns. Afterwards nothing more reaches the engine: close it.
pub async fn serve(
    listener: TcpListener,
    site: Site,
    app: &App,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    if app.keys.is_dev() && !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let most = app.settings.max_connections.clamp(1, Semaphore::MAX_PERMITS as u32);
    let slots = Arc::new(Semaphore::new(most as usize));
    let (phase, phases) = watch::channel(Phase::Serve);
    let end = async {
        shutdown.await;
        app.drain();
        sleep(app.settings.unready_for).await;
    };
    tokio::select! {
        () = end => {}
        () = accept(&listener, site, app, &slots, phases) => {}
        () = keep_metrics(app) => {}
    }
    drop(listener);
    phase.send_replace(Phase::Finish);
    let ended = timeout(app.settings.drain_timeout, slots.acquire_many(most)).await;
    match ended {
        Ok(_) => info!("every connection has ended"),
        Err(_) => {
            warn!(left = most as usize - slots.available_permits(), "connections are cut off");
            phase.send_replace(Phase::Cut);
        }
    }
    Ok(())
}

/// Accepts for ever. A connection holds a slot; when all are taken, new ones wait in the listener's queue.
#[expect(
    clippy::disallowed_methods,
    reason = "slots bound the connections, and `serve` waits for all of them"
)]
async fn accept(
    listener: &TcpListener,
    site: Site,
    app: &App,
    slots: &Arc<Semaphore>,
    phases: watch::Receiver<Phase>,
) {
    loop {
        // The semaphore is never closed.
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = Connection { app: app.clone(), slot, phases: phases.clone() };
                tokio::spawn(connection.run(stream, site.clone()));
            }
            Err(error) if is_the_clients(&error) => debug!(%error, "a client was gone at once"),
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn keep_metrics(app: &App) {
    let mut beat = interval(METRICS_UPKEEP);
    loop {
        beat.tick().await;
        app.exposition.run_upkeep();
    }
}

/// The connection's end; `None` where `finish` resolves first. What has arrived is read before that is looked at, and it is
/// looked at only where something may have changed: to ask a watch takes a lock that all connections share.
async fn before<C: Future>(
    mut connection: Pin<&mut C>,
    finish: impl Future<Output = ()>,
    may_finish: impl Fn() -> bool,
) -> Option<C::Output> {
    let mut finish = pin!(finish);
    let mut asked: Option<Waker> = None;
    poll_fn(|context| {
        if let Poll::Ready(ended) = connection.as_mut().poll(context) {
            return Poll::Ready(Some(ended));
        }
        let waker = context.waker();
        if asked.as_ref().is_some_and(|asked| asked.will_wake(waker)) && !may_finish() {
            return Poll::Pending;
        }
        // Who has used up a turn is only told to ask again.
        asked = has_budget_remaining().then(|| waker.clone());
        finish.as_mut().poll(context).map(|()| None)
    })
    .await
}

struct Connection {
    app: App,
    slot: OwnedSemaphorePermit,
    phases: watch::Receiver<Phase>,
}

impl Connection {
    async fn run(mut self, stream: TcpStream, site: Site) {
        self.app.metrics.connections.increment(1.0);
        // Answers are small and whole: waiting for more to send would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "a connection has no TCP_NODELAY");
        }
        let settings = &self.app.settings;
        let io = TokioIo::new(Stall::new(stream, settings.write_timeout));
        // Whether a whole head has come at all.
        let called = AtomicBool::new(false);
        let service = service_fn(|request: Request<Incoming>| {
            called.store(true, Ordering::Relaxed);
            site.answer(request.map(Body::new))
        });
        let connection = http1::Builder::new()
            .timer(HeadTimer::default())
            .writev(false)
            .half_close(true)
            .header_read_timeout(settings.head_timeout)
            .max_header_size(MAX_HEAD_BYTES)
            .max_buf_size(READ_AHEAD)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        let phases = self.phases.clone();
        let finish = Self::reaches(&mut self.phases, Phase::Finish);
        let mut ended =
            before(connection.as_mut(), finish, || phases.has_changed().unwrap_or(true)).await;
        // hyper waits for the rest of a first head that has begun to come, and nobody promised an answer to half of one.
        if ended.is_none() && called.load(Ordering::Relaxed) {
            connection.as_mut().graceful_shutdown();
            ended = tokio::select! {
                ended = connection => Some(ended),
                () = Self::reaches(&mut self.phases, Phase::Cut) => None,
            };
        }
        if let Some(Err(error)) = ended {
            debug!(%error, "a connection ended early");
        }
        self.app.metrics.connections.decrement(1.0);
        drop(self.slot);
    }

    /// Resolves once the server is in that phase or a later one; never, where it goes away without a word.
    async fn reaches(phases: &mut watch::Receiver<Phase>, phase: Phase) {
        if phases.wait_for(|now| *now >= phase).await.is_err() {
            std::future::pending().await
        }
    }
}
