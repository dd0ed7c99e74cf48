//! The little that is not folded from the log: paused guides, definitions, secrets, the topic's partitions. Must not be
//! touched by a reset.

use deadpool_postgres::{Client, Transaction};
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId};
use pilotage_engine::port::store::Pause;

use crate::postgres::column::{bytes_32, cell, from_number, number};
use crate::postgres::fault::{Fault, Result};
use crate::postgres::listen::{COUNT_PAUSE, NOTIFY};

/// Pauses or resumes a guide, and tells.
pub(super) async fn set_paused(
    work: &Transaction<'_>,
    product: &ProductId,
    guide: &GuideId,
    pause: Pause,
) -> Result<()> {
    let change = match pause {
        Pause::Pause => "INSERT INTO paused VALUES ($1, $2) ON CONFLICT DO NOTHING",
        Pause::Resume => "DELETE FROM paused WHERE product = $1 AND guide = $2",
    };
    work.execute(change, &[&product.as_str(), &guide.as_str()]).await?;
    work.execute(COUNT_PAUSE, &[]).await?;
    work.execute(NOTIFY, &[&"paused"]).await?;
    Ok(())
}

/// A definition to be kept.
pub(super) struct Definition {
    pub product: ProductId,
    pub version: u64,
    pub hash: ContentHash,
    pub text: String,
}

/// Keeps a definition, where there is none with that hash.
pub(super) async fn keep_definition(client: &Client, definition: &Definition) -> Result<()> {
    let insert = "INSERT INTO definitions (product, hash, version, text) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING";
    let Definition { product, version, hash, text } = definition;
    let (hash, version) = (hash.as_bytes().as_slice(), from_number(*version));
    client.execute(insert, &[&product.as_str(), &hash, &version, text]).await?;
    Ok(())
}

/// A kept definition's text.
pub(super) async fn definition(
    client: &Client,
    product: &ProductId,
    hash: ContentHash,
) -> Result<Option<String>> {
    let query = "SELECT text FROM definitions WHERE product = $1 AND hash = $2";
    let hash = hash.as_bytes().as_slice();
    let found = client.query_opt(query, &[&product.as_str(), &hash]).await?;
    found.map(|row| cell(&row, 0)).transpose()
}

/// The secret under that name, `fresh` where there is none yet.
pub(super) async fn secret(client: &Client, name: &str, fresh: [u8; 32]) -> Result<[u8; 32]> {
    let insert = "INSERT INTO secrets VALUES ($1, $2) ON CONFLICT DO NOTHING";
    client.execute(insert, &[&name, &fresh.as_slice()]).await?;
    // A statement of its own: it sees what another process inserted while the first one waited for it.
    let row = client.query_one("SELECT value FROM secrets WHERE name = $1", &[&name]).await?;
    bytes_32(&row, 0)
}

/// The number of partitions that was first told.
pub(super) async fn topic_partitions(client: &Client, fresh: u16) -> Result<u16> {
    let insert = "INSERT INTO meta VALUES ('topic_partitions', $1) ON CONFLICT DO NOTHING";
    client.execute(insert, &[&i64::from(fresh)]).await?;
    let query = "SELECT value FROM meta WHERE name = 'topic_partitions'";
    let count = number(&client.query_one(query, &[]).await?, 0)?;
    u16::try_from(count).map_err(|_| Fault::Damaged(format!("{count} partitions of a topic")))
}
