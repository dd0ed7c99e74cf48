//! The little that is not folded from the log: paused guides, definitions, secrets. Must not be touched by a reset.

use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{GuideId, ProductId};
use pilotage_engine::port::store::Pause;
use rusqlite::{Connection, params};

use super::row::{self, Result, RowError};
use crate::sqlite::sum;

/// Pauses or resumes a guide.
pub(super) fn set_paused(
    connection: &Connection,
    product: &ProductId,
    guide: &GuideId,
    pause: Pause,
) -> Result<()> {
    let (product, guide) = (product.as_str(), guide.as_str());
    let sum = sum::of(&[], &[product.as_bytes(), guide.as_bytes()]);
    match pause {
        Pause::Pause => connection.execute(
            "INSERT OR REPLACE INTO paused VALUES (?, ?, ?)",
            params![product, guide, sum],
        )?,
        Pause::Resume => connection.execute(
            "DELETE FROM paused WHERE product = ? AND guide = ?",
            params![product, guide],
        )?,
    };
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
pub(super) fn keep_definition(connection: &Connection, definition: &Definition) -> Result<()> {
    let insert = "INSERT INTO definition (product, hash, version, sum, text) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING";
    let Definition { product, version, hash, text } = definition;
    let sum = definition_sum(product, *hash, text);
    let version = i64::try_from(*version).unwrap_or(i64::MAX);
    connection.execute(insert, params![product.as_str(), hash.as_bytes(), version, sum, text])?;
    Ok(())
}

/// A kept definition's text.
pub(super) fn definition(
    connection: &Connection,
    product: &ProductId,
    hash: ContentHash,
) -> Result<Option<String>> {
    let query = "SELECT text, sum FROM definition WHERE product = ? AND hash = ?";
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(params![product.as_str(), hash.as_bytes()])?;
    let Some(found) = rows.next()? else { return Ok(None) };
    let text: String = found.get(0)?;
    let fits = definition_sum(product, hash, &text) == found.get::<_, u32>(1)?;
    row::check(&format!("definition {hash} of {product}"), fits)?;
    Ok(Some(text))
}

fn definition_sum(product: &ProductId, hash: ContentHash, text: &str) -> u32 {
    sum::of(&[], &[product.as_str().as_bytes(), hash.as_bytes(), text.as_bytes()])
}

/// The secret under that name, `fresh` where there is none yet.
pub(super) fn secret(connection: &Connection, name: &str, fresh: [u8; 32]) -> Result<[u8; 32]> {
    let sum = |value: &[u8]| sum::of(&[], &[name.as_bytes(), value]);
    let insert = "INSERT INTO secret VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    connection.execute(insert, params![name, sum(&fresh), fresh])?;
    let query = "SELECT value, sum FROM secret WHERE name = ?";
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([name])?;
    let found = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let value = row::blob(found, 0)?;
    row::check("a secret", sum(value) == found.get::<_, u32>(1)?)?;
    value.try_into().map_err(|_| RowError::Damaged("a secret: its length is wrong".to_owned()))
}
