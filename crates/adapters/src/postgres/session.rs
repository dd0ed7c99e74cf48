//! One session outside the pool: for migrations, and to listen. Must not outlive its owner.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Notification, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{Fault, Result};

/// A session: what is asked through the client is carried by the wire.
pub(super) struct Session {
    pub client: Client,
    pub wire: Wire,
}

/// A connection that moves only while it carries something.
pub(super) struct Wire(Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

impl Session {
    /// Begins a session.
    pub(super) async fn begin(
        config: &Config,
        tls: &MakeRustlsConnect,
        patience: Duration,
    ) -> Result<Self> {
        let begun = timeout(patience, config.connect(tls.clone())).await;
        let late = |_| Fault::Away(format!("no answer within {patience:?}"));
        let (client, wire) = begun.map_err(late)??;
        Ok(Self { client, wire: Wire(wire) })
    }
}

impl Wire {
    /// Carries the work on the session; what is notified meanwhile goes to `heard`.
    pub(super) async fn carry<T>(
        &mut self,
        work: impl Future<Output = Result<T>>,
        heard: impl FnMut(&Notification),
    ) -> Result<T> {
        let mut work = pin!(work);
        let fault = tokio::select! {
            biased;
            done = &mut work => return done,
            fault = self.ended(heard) => fault,
        };
        // The server's last word may have been an answer to the work: it says more than that the connection has ended.
        let last = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        if let Poll::Ready(done) = last { done } else { Err(fault) }
    }

    /// Moves until the connection ends; why it did.
    async fn ended(&mut self, mut heard: impl FnMut(&Notification)) -> Fault {
        loop {
            match poll_fn(|context| self.0.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(told))) => heard(&told),
                Some(Ok(_)) => {}
                Some(Err(error)) => return error.into(),
                None => return Fault::Away("the connection ended".to_owned()),
            }
        }
    }
}
