//! The small numbers that stand for products in the rows of both files. Must not outlive a transaction that failed.

use pilotage_domain::id::ProductId;
use rusqlite::{Connection, OptionalExtension};

/// Products whose numbers are known.
#[derive(Debug, Default)]
pub(super) struct Products(Vec<(ProductId, i64)>);

impl Products {
    /// The product's number; a new one gets the next.
    pub(super) fn number(
        &mut self,
        connection: &Connection,
        product: &ProductId,
    ) -> rusqlite::Result<i64> {
        if let Some((_, number)) = self.0.iter().find(|(known, _)| known == product) {
            return Ok(*number);
        }
        let known = "SELECT id FROM product WHERE name = ?";
        let add = "INSERT INTO product (name) VALUES (?) RETURNING id";
        let find = |sql| connection.query_row(sql, [product.as_str()], |row| row.get(0)).optional();
        let number = match find(known)? {
            Some(number) => number,
            None => find(add)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
        };
        self.0.push((product.clone(), number));
        Ok(number)
    }
}
