//! Hearing what changes, in other processes and this one. Must not let a lost message cost more than a moment for pauses,
//! nor more than a look at everything for the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pilotage_engine::port::shared::{Change, user_mark};
use pilotage_engine::port::store::{UserKey, UserWrite};
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::{Client, Config, Notification};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{info, warn};

use super::column;
use super::fault::{Fault, Result};
use super::session::Session;

/// Tells a change: its text goes to all who listen.
pub(super) const NOTIFY: &str = "SELECT pg_notify('pilotage_changes', $1)";
/// Counts what was paused or resumed.
pub(super) const COUNT_PAUSE: &str = "UPDATE meta SET value = value + 1 WHERE name = 'pauses'";

const LISTEN: &str = "LISTEN pilotage_changes";
const PAUSES: &str = "SELECT value FROM meta WHERE name = 'pauses'";
/// The same, as a write: it succeeds only where others would.
const PAUSES_BY_WRITING: &str =
    "UPDATE meta SET value = value WHERE name = 'pauses' RETURNING value";

/// How often pauses are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long to wait before connecting again: twice as long each time, up to the second.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// The server takes messages of less than 8,000 bytes.
const MOST_BYTES: usize = 7_900;

/// The message of a fold: the users' marks, sixteen digits each, or that there are too many.
pub(super) fn message(users: &[UserWrite]) -> String {
    if users.len() * 16 > MOST_BYTES {
        return "all".to_owned();
    }
    let mark = |key: &UserKey| format!("{:016x}", user_mark(key));
    users.iter().map(|user| mark(&user.key)).collect()
}

/// What a message says; one that can't be read says that something has changed.
fn change(message: &str) -> Change {
    match message {
        "paused" => return Change::Paused,
        "learnt" => return Change::Learnt,
        _ => {}
    }
    let marks = message.as_bytes().chunks(16).map(|digits| {
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 16)?;
        u64::from_str_radix(digits, 16).ok()
    });
    marks.collect::<Option<Vec<u64>>>().map_or(Change::All, Change::Users)
}

/// Who listens.
pub(super) struct Listener {
    pub config: Config,
    pub tls: MakeRustlsConnect,
    /// How long to wait for an answer.
    pub patience: Duration,
    pub changes: broadcast::Sender<Change>,
    pub well: Arc<AtomicBool>,
}

impl Listener {
    /// A session that hears of every change from now on, and how often something was paused or resumed until now.
    pub(super) async fn begin(&self) -> Result<(Session, i64)> {
        let mut session = Session::begin(&self.config, &self.tls, self.patience).await?;
        let Session { client, wire } = &mut session;
        let listen = async {
            timeout(self.patience, client.batch_execute(LISTEN)).await.map_err(|_| late())??;
            let count = timeout(self.patience, client.query_one(PAUSES, &[])).await;
            column::cell(&count.map_err(|_| late())??, 0)
        };
        // What is told between the two is in the count.
        let pauses = wire.carry(listen, |_| {}).await?;
        Ok((session, pauses))
    }

    /// Listens for ever, with a new session where one ends.
    pub(super) async fn listen(self, (mut session, mut pauses): (Session, i64)) {
        loop {
            let Session { client, wire } = &mut session;
            let heard = |told: &Notification| self.tell(change(told.payload()));
            if let Err(fault) = wire.carry(self.look(client, &mut pauses), heard).await {
                self.well.store(false, Ordering::Relaxed);
                warn!(error = fault.detail(), "changes can't be heard: connecting again");
            }
            let count;
            (session, count) = self.begin_again().await;
            info!("changes are heard again");
            self.tell(Change::All);
            self.compare(&mut pauses, count);
        }
    }

    async fn begin_again(&self) -> (Session, i64) {
        let (mut pause, longest) = BACK_OFF;
        loop {
            sleep(pause).await;
            match self.begin().await {
                Ok(begun) => return begun,
                Err(_) => pause = longest.min(pause * 2),
            }
        }
    }

    /// Looks at the count of pauses again and again, until that fails. Where writes have failed, it looks by writing, and so
    /// finds out whether they succeed again.
    async fn look(&self, client: &Client, pauses: &mut i64) -> Result<()> {
        let mut moments = interval(LOOK_EVERY);
        moments.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (reading, writing) =
            (client.prepare(PAUSES).await?, client.prepare(PAUSES_BY_WRITING).await?);
        loop {
            moments.tick().await;
            let well = self.well.load(Ordering::Relaxed);
            let statement = if well { &reading } else { &writing };
            let looked = timeout(self.patience, client.query_one(statement, &[])).await;
            let row = match looked.map_err(|_| late())? {
                Ok(row) => row,
                // Writes fail still; the session is fine.
                Err(error) if !well && !client.is_closed() && error.code().is_some() => continue,
                Err(error) => return Err(error.into()),
            };
            self.well.store(true, Ordering::Relaxed);
            self.compare(pauses, column::cell(&row, 0)?);
        }
    }

    fn compare(&self, pauses: &mut i64, count: i64) {
        if std::mem::replace(pauses, count) != count {
            self.tell(Change::Paused);
        }
    }

    fn tell(&self, change: Change) {
        // Nobody needs to listen here.
        let _ = self.changes.send(change);
    }
}

fn late() -> Fault {
    Fault::Away("no answer in time".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use pilotage_domain::event::Position;
    use pilotage_domain::id::{ProductId, UserId};

    fn users(count: usize) -> Vec<UserWrite> {
        let product = ProductId::new("p").expect("a product");
        let user = |n| UserWrite {
            key: UserKey {
                product: product.clone(),
                user: UserId::new(&format!("{n}")).expect("a user"),
            },
            row: None,
            body: Bytes::new(),
            applied: Position(1),
            spilled: Vec::new(),
            counting: Default::default(),
        };
        (0..count).map(user).collect()
    }

    #[test]
    fn a_message_says_every_user_or_all() {
        for (count, is_told) in [(0, true), (1, true), (2, true), (493, true), (494, false)] {
            let users = users(count);
            let marks = users.iter().map(|user| user_mark(&user.key)).collect();
            let expected = if is_told { Change::Users(marks) } else { Change::All };
            let message = message(&users);
            assert!(message.len() <= MOST_BYTES);
            assert_eq!(change(&message), expected, "{count}");
        }
    }

    #[test]
    fn a_message_of_a_newer_version_says_that_something_changed() {
        assert_eq!(change("paused"), Change::Paused);
        assert_eq!(change("learnt"), Change::Learnt);
        for message in ["all", "0123", "0123456789abcdefg", "something else..", "ääääääää"]
        {
            assert_eq!(change(message), Change::All, "{message}");
        }
    }
}
