//! Connections that were left in the middle of something. Must not let anyone have one before it has ended.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::pool::Held;

/// So long may what is left take to end by itself, and once more where it was told to.
const SOON: Duration = Duration::from_millis(200);

/// Mends what is left, as it comes: at most as many at once as there are connections.
pub(super) async fn mend(mut left: mpsc::Receiver<Held>, tls: MakeRustlsConnect) {
    let mut mending = JoinSet::new();
    loop {
        tokio::select! {
            held = left.recv() => match held {
                Some(held) => drop(mending.spawn(mend_one(held, tls.clone()))),
                None => return,
            },
            Some(_) = mending.join_next() => {}
        }
    }
}

/// Gives the connection back once all that was ordered is answered. What does not end soon is cancelled; a connection
/// whose server does not even heed that is thrown away.
async fn mend_one(held: Held, tls: MakeRustlsConnect) {
    if is_quiet(&held).await {
        return;
    }
    if held.client().is_closed() {
        return held.discard();
    }
    let token = held.client().cancel_token();
    // One that is still on its way would hit whatever comes next.
    let is_told = matches!(timeout(SOON, token.cancel_query(tls)).await, Ok(Ok(())));
    if !is_told || !is_quiet(&held).await {
        held.discard();
    }
}

/// Whether an empty order, which stands behind all others, is answered soon.
async fn is_quiet(held: &Held) -> bool {
    matches!(timeout(SOON, held.client().simple_query("")).await, Ok(Ok(_)))
}
