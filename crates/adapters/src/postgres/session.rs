//! One session outside the pool: for migrations, and to listen. Must not outlive its owner.

use std::future::poll_fn;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Notification, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{Fault, Result};

type Wire = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A session and the connection that carries it, which moves only while `drive` or `with` runs.
pub(super) struct Session {
    pub(super) client: Client,
    wire: Wire,
}

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
        Ok(Self { client, wire })
    }

    /// Does the work over the session; what is notified meanwhile goes to `heard`.
    pub(super) async fn with<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Client) -> Result<T>,
        heard: impl FnMut(&Notification),
    ) -> Result<T> {
        let Self { client, wire } = self;
        tokio::select! {
            done = work(client) => done,
            fault = drive(wire, heard) => Err(fault),
        }
    }
}

/// Moves the connection until it ends; why it did.
async fn drive(wire: &mut Wire, mut heard: impl FnMut(&Notification)) -> Fault {
    loop {
        match poll_fn(|context| wire.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(told))) => heard(&told),
            Some(Ok(_)) => {}
            Some(Err(error)) => return error.into(),
            None => return Fault::Away("the connection ended".to_owned()),
        }
    }
}
