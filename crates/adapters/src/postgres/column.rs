//! How values stand in columns. Must not change: rows that were written keep their form.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use pilotage_domain::decide::Group;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::{DecisionId, IdError};
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::log::EntryName;
use pilotage_engine::port::store::{RowId, UserKey};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use super::fault::{Fault, Result};

/// Sixteen bytes in a column of type `uuid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Uuid([u8; 16]);

impl Uuid {
    pub(super) const fn of_decision(id: DecisionId) -> Self {
        Self(id.bits().to_be_bytes())
    }

    pub(super) const fn decision(self) -> DecisionId {
        DecisionId::from_bits(u128::from_be_bytes(self.0))
    }

    /// The name of a record of that user: a decision's own, of all others a hash, of which two never meet.
    pub(super) fn of_name(key: &UserKey, name: &EntryName) -> Self {
        let (product, user) = (key.product.as_str().as_bytes(), key.user.as_str().as_bytes());
        match name {
            EntryName::Decision(id) => Self::of_decision(*id),
            EntryName::Event(id) => Self::of_parts(&[product, user, id.as_str().as_bytes()]),
            EntryName::Named(into) => {
                Self::of_parts(&[product, user, b"named", into.as_str().as_bytes()])
            }
            EntryName::Carried(from, fold) => {
                let from = from.as_str().as_bytes();
                Self::of_parts(&[product, user, b"carried", from, fold.as_bytes()])
            }
        }
    }

    fn of_parts(parts: &[&[u8]]) -> Self {
        let mut name = [0; 16];
        for (to, from) in name.iter_mut().zip(ContentHash::of(parts).as_bytes()) {
            *to = *from;
        }
        Self(name)
    }
}

impl ToSql for Uuid {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    accepts!(UUID);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Uuid {
    fn from_sql(
        _: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    accepts!(UUID);
}

/// The value in that column.
pub(super) fn cell<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T> {
    row.try_get(column).map_err(|error| Fault::Damaged(super::fault::text(&error)))
}

/// Numbers of ours are below 2⁶³: positions have partitions below 2¹⁵, and nobody counts so far.
pub(super) fn from_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number in that column, which is never negative.
pub(super) fn number(row: &Row, column: usize) -> Result<u64> {
    let number: i64 = cell(row, column)?;
    u64::try_from(number).map_err(|_| Fault::Damaged(format!("{number} counts nothing")))
}

pub(super) fn position(row: &Row, column: usize) -> Result<Position> {
    number(row, column).map(Position)
}

pub(super) fn row_id(row: &Row, column: usize) -> Result<RowId> {
    number(row, column).map(RowId)
}

/// The moment in that column, where there is one.
pub(super) fn moment(row: &Row, column: usize) -> Result<Option<Timestamp>> {
    let millis: Option<i64> = cell(row, column)?;
    Ok(millis.map(Timestamp::from_millis))
}

/// The 32 bytes in that column.
pub(super) fn bytes_32(row: &Row, column: usize) -> Result<[u8; 32]> {
    let bytes: &[u8] = cell(row, column)?;
    bytes.try_into().map_err(|_| Fault::Damaged(format!("{} bytes for 32", bytes.len())))
}

/// The name in that column, which was checked when it was written.
pub(super) fn name<'a, T: TryFrom<&'a str, Error = IdError>>(
    row: &'a Row,
    column: usize,
) -> Result<T> {
    let text: &str = cell(row, column)?;
    T::try_from(text).map_err(|error| Fault::Damaged(format!("a name that can't be: {error}")))
}

/// How a group is stored.
pub(super) const fn group_code(group: Group) -> i16 {
    match group {
        Group::Guided => 0,
        Group::Holdout => 1,
        Group::Random => 2,
        Group::Static => 3,
    }
}

/// The group that was stored so.
pub(super) fn group(code: i16) -> Result<Group> {
    let all = [Group::Guided, Group::Holdout, Group::Random, Group::Static];
    let group = all.into_iter().find(|group| group_code(*group) == code);
    group.ok_or_else(|| Fault::Damaged(format!("group {code} is none")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilotage_domain::id::{EventId, ProductId, UserId};

    #[test]
    fn the_name_of_an_event_stays() {
        let key = |product: &str, user: &str| UserKey {
            product: ProductId::new(product).expect("a product"),
            user: UserId::new(user).expect("a user"),
        };
        let event = |id: &str| EntryName::Event(EventId::new(id).expect("an id"));
        let name = Uuid::of_name(&key("acme", "u-1"), &event("e-1"));
        // Half of the SHA-256 of the three, each after its length in eight bytes, by another program.
        assert_eq!(
            format!("{:032x}", u128::from_be_bytes(name.0)),
            "b4035fd6ac9e40e01412b0d339c135e5"
        );
        assert_ne!(Uuid::of_name(&key("acme", "u-1e"), &event("-1")), name);
    }
}
