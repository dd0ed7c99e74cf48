//! What products are folded with, as whoever begins first says. Must not let two who begin at once each have it his way.

use std::collections::BTreeMap;

use deadpool_postgres::Client;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;

use crate::postgres::column::{bytes_32, name};
use crate::postgres::fault::Result;

/// Rows in the order of their keys: two that insert at once wait for each other in the same order.
const NOTE: &str = "
    INSERT INTO folds SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING";
/// A statement of its own: it sees what another process inserted while the first one waited for it.
const NOTED: &str = "SELECT product, hash FROM folds";

/// Notes folds where none are noted; all that are then.
pub(super) async fn agree(
    client: &Client,
    folds: &BTreeMap<ProductId, ContentHash>,
) -> Result<BTreeMap<ProductId, ContentHash>> {
    let products: Vec<&str> = folds.keys().map(ProductId::as_str).collect();
    let hashes: Vec<&[u8]> = folds.values().map(|hash| hash.as_bytes().as_slice()).collect();
    client.execute(NOTE, &[&products, &hashes]).await?;
    let rows = client.query(NOTED, &[]).await?;
    let fold = |row| Ok((name(row, 0)?, ContentHash::from_bytes(bytes_32(row, 1)?)));
    rows.iter().map(fold).collect()
}
