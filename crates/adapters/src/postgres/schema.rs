//! The steps from an empty database to this version's tables. Must not go back, nor let two processes step at once.

use tokio_postgres::{Client, Config, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::info;

use super::fault::Fault;
use super::options::place;
use super::session::Session;
use super::{OpenError, Options, column};

/// Where our tables are.
pub(super) const SCHEMA: &str = "pilotage";
/// The oldest server that we know.
pub(super) const OLDEST_SERVER: i32 = 17;
/// Held by who migrates: a number of ours among the advisory locks of the database.
pub(super) const LOCK: i64 = 0x5069_6c6f_7401;

/// A step, in a file of its own. One that was released never changes.
pub(super) struct Step {
    pub number: i32,
    pub name: &'static str,
    pub sql: &'static str,
}

/// All steps, numbered from 1.
pub(super) const STEPS: &[Step] = &[
    Step { number: 1, name: "base", sql: include_str!("migrations/0001_base.sql") },
    Step { number: 2, name: "learnt", sql: include_str!("migrations/0002_learnt.sql") },
    Step { number: 3, name: "advice", sql: include_str!("migrations/0003_advice.sql") },
    Step { number: 4, name: "addends", sql: include_str!("migrations/0004_addends.sql") },
    Step { number: 5, name: "reached", sql: include_str!("migrations/0005_reached.sql") },
    Step { number: 6, name: "days", sql: include_str!("migrations/0006_days.sql") },
];

/// The schema that all steps lead to.
pub(super) const NEWEST: i32 = STEPS.len() as i32;

/// From where to where a database was brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// Its schema before; 0 where there was none.
    pub from: i32,
    /// Its schema now.
    pub to: i32,
}

/// Brings the database to that schema by steps, each in a transaction. Of several that try at once, the others wait.
pub(super) async fn migrate(options: &Options, target: i32) -> Result<Migrated, OpenError> {
    let config = options.config()?;
    let tls = super::tls::connector(config.get_ssl_mode(), options.trusted.as_deref())?;
    let place = place(&config);
    let away = |fault| unavailable(&place, fault);
    let session = Session::begin(&config, &tls, options.connect_timeout).await.map_err(away)?;
    let Session { mut client, mut wire } = session;
    let work = async {
        let fits = check_server(&client, &place).await;
        Ok(match fits {
            Ok(()) => steps(&mut client, &place, target).await,
            Err(error) => Err(error),
        })
    };
    wire.carry(work, |_| {}).await.map_err(away)?
}

async fn steps(client: &mut Client, place: &str, target: i32) -> Result<Migrated, OpenError> {
    // A step takes as long as it takes, and so does waiting for another that migrates.
    let patient = "SET statement_timeout = 0; SET lock_timeout = 0;
        SET idle_in_transaction_session_timeout = 0";
    client.batch_execute(patient).await.map_err(|error| unavailable(place, error.into()))?;
    let mut from = None;
    loop {
        let before = step(client, place, target).await?;
        let from = *from.get_or_insert(before.number);
        if before.number > NEWEST {
            return Err(newer(place, before));
        }
        if before.number >= target {
            return Ok(Migrated { from, to: before.number });
        }
        info!(schema = before.number + 1, "the database was brought to a newer schema");
    }
}

/// Takes the next step, where one is left; how the schema stood before.
async fn step(client: &mut Client, place: &str, target: i32) -> Result<Stands, OpenError> {
    let away = |fault| unavailable(place, fault);
    let transaction = client.transaction().await.map_err(|error| away(error.into()))?;
    let locked = transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await;
    locked.map_err(|error| away(error.into()))?;
    let before = stands(transaction.client()).await.map_err(away)?;
    let next = STEPS.iter().find(|step| step.number == before.number + 1);
    if let Some(step) = next.filter(|step| step.number <= target) {
        take(step, transaction).await.map_err(|fault| OpenError::Step {
            place: place.to_owned(),
            to: step.number,
            detail: fault.detail(),
        })?;
    } else {
        // To go without an end would be noted in the server's log.
        transaction.rollback().await.map_err(|error| away(error.into()))?;
    }
    Ok(before)
}

async fn take(step: &Step, transaction: Transaction<'_>) -> Result<(), Fault> {
    if step.number == 1 {
        transaction.batch_execute(BEGINNING).await?;
    }
    transaction.batch_execute(step.sql).await?;
    let note = "INSERT INTO migrations (number, name, writer) VALUES ($1, $2, $3)";
    let writer = env!("CARGO_PKG_VERSION");
    transaction.execute(note, &[&step.number, &step.name, &writer]).await?;
    Ok(transaction.commit().await?)
}

const BEGINNING: &str = "
CREATE SCHEMA IF NOT EXISTS pilotage;
CREATE TABLE migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    writer text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);";

/// Where a database stands, and who brought it there.
struct Stands {
    number: i32,
    writer: String,
}

async fn stands(client: &Client) -> Result<Stands, Fault> {
    let is_ours = "SELECT to_regclass('pilotage.migrations') IS NOT NULL";
    if !column::cell(&client.query_one(is_ours, &[]).await?, 0)? {
        return Ok(Stands { number: 0, writer: String::new() });
    }
    let newest = "SELECT number, writer FROM migrations ORDER BY number DESC LIMIT 1";
    let row = client.query_one(newest, &[]).await?;
    Ok(Stands { number: column::cell(&row, 0)?, writer: column::cell(&row, 1)? })
}

/// Refuses a server or a database that does not fit this program.
pub(super) async fn check(
    config: &Config,
    tls: &MakeRustlsConnect,
    options: &Options,
) -> Result<(), OpenError> {
    let place = place(config);
    let away = |fault| unavailable(&place, fault);
    let session = Session::begin(config, tls, options.connect_timeout).await.map_err(away)?;
    let Session { client, mut wire } = session;
    let work = async {
        let fits = check_server(&client, &place).await;
        Ok((fits, stands(&client).await?))
    };
    let (fits, stands) = wire.carry(work, |_| {}).await.map_err(away)?;
    fits?;
    match stands.number {
        NEWEST => Ok(()),
        number if number > NEWEST => Err(newer(&place, stands)),
        found => Err(OpenError::Older { place, found, needed: NEWEST }),
    }
}

async fn check_server(client: &Client, place: &str) -> Result<(), OpenError> {
    let ask = "SELECT current_setting('server_version_num')::integer / 10000,
        current_setting('server_encoding')";
    let asked = client.query_one(ask, &[]).await;
    let row = asked.map_err(|error| unavailable(place, error.into()))?;
    let answer = column::cell(&row, 0).and_then(|version| Ok((version, column::cell(&row, 1)?)));
    let (version, found): (i32, String) = answer.map_err(|fault| unavailable(place, fault))?;
    let place = place.to_owned();
    if version < OLDEST_SERVER {
        return Err(OpenError::OldServer { place, found: version });
    }
    if found != "UTF8" {
        return Err(OpenError::Encoding { place, found });
    }
    Ok(())
}

fn newer(place: &str, stands: Stands) -> OpenError {
    let Stands { number: found, writer } = stands;
    OpenError::Newer { place: place.to_owned(), found, known: NEWEST, writer }
}

pub(super) fn unavailable(place: &str, fault: Fault) -> OpenError {
    OpenError::Unavailable { place: place.to_owned(), detail: fault.detail() }
}
