//! What a row of the store holds, read back and checked. Must not give out what is not as it was written.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;
use pilotage_domain::decide::Group;
use pilotage_domain::event::Position;
use pilotage_domain::hash::ContentHash;
use pilotage_domain::id::ProductId;
use pilotage_domain::time::Timestamp;
use pilotage_engine::port::store::{Cohort, Reached, RowId, StoredUser, UserKey, Watermark};
use rusqlite::{Row, types::FromSqlResult};

use crate::sqlite::sum;

/// Why a row was not read.
#[derive(Debug)]
pub(super) enum RowError {
    /// It is not what was written.
    Damaged(String),
    /// It can't be read or written now.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

pub(super) type Result<T> = std::result::Result<T, RowError>;

/// Refuses what does not have its checksum.
pub(super) fn check(what: &str, fits: bool) -> Result<()> {
    if fits { Ok(()) } else { Err(RowError::Damaged(format!("{what}: its checksum does not fit"))) }
}

/// The checksum of a user's row.
pub(super) fn user_sum(row: i64, key: &UserKey, body: &[u8]) -> u32 {
    sum::of(&[row], &[key.product.as_str().as_bytes(), key.user.as_str().as_bytes(), body])
}

/// The user in the columns `row, sum, body`.
pub(super) fn user(row: &Row<'_>, key: &UserKey) -> Result<StoredUser> {
    let (number, sum): (i64, u32) = (row.get(0)?, row.get(1)?);
    let body = blob(row, 2)?;
    check(&format!("user row {number}"), user_sum(number, key, body) == sum)?;
    Ok(StoredUser { row: from_column(number), body: Bytes::copy_from_slice(body) })
}

/// The bytes in that column.
pub(super) fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    let bytes: FromSqlResult<_> = row.get_ref(column)?.as_blob();
    bytes.map_err(|error| RowError::Sqlite(error.into()))
}

/// Row numbers count users, and nobody has 2^63 of them.
pub(super) fn to_column(row: RowId) -> i64 {
    i64::try_from(row.0).unwrap_or(i64::MAX)
}

/// The number that a column holds; none is negative unless the file is damaged, and 0 stands for nobody.
pub(super) fn from_column(column: i64) -> RowId {
    RowId(u64::try_from(column).unwrap_or(0))
}

/// How a group is stored.
pub(super) const fn group_code(group: Group) -> i64 {
    match group {
        Group::Guided => 0,
        Group::Holdout => 1,
        Group::Random => 2,
        Group::Static => 3,
    }
}

/// The group that was stored so.
pub(super) fn group(code: i64) -> Result<Group> {
    let all = [Group::Guided, Group::Holdout, Group::Random, Group::Static];
    let group = all.into_iter().find(|group| group_code(*group) == code);
    group.ok_or_else(|| RowError::Damaged(format!("group {code} is none")))
}

/// What is counted of a user, in the columns `grp, first_seen, signup, activated, reached`.
pub(super) fn cohort(row: &Row<'_>) -> Result<Cohort> {
    let moment =
        |column| row.get::<_, Option<i64>>(column).map(|ms| ms.map(Timestamp::from_millis));
    let reached: Option<Vec<u8>> = row.get(4)?;
    let unreadable = || RowError::Damaged("a counted user: milestones that can't be".to_owned());
    Ok(Cohort {
        group: group(row.get(0)?)?,
        first_seen: Timestamp::from_millis(row.get(1)?),
        signup: moment(2)?,
        activated: moment(3)?,
        reached: Reached::from_bytes(&reached.unwrap_or_default()).ok_or_else(unreadable)?,
    })
}

/// The watermark as it is stored: position, newest event, folds, checksum.
pub(super) fn watermark_columns(watermark: &Watermark) -> (i64, Option<i64>, String, u32) {
    let mut folds = String::new();
    for (product, hash) in &watermark.folds {
        // Writing to a string can't fail.
        let _ = writeln!(folds, "{product} {hash}");
    }
    let position = i64::try_from(watermark.position.0).unwrap_or(i64::MAX);
    let newest = watermark.newest_event.map(Timestamp::as_millis);
    let sum = watermark_sum(position, newest, &folds);
    (position, newest, folds, sum)
}

/// The watermark in the columns `position, newest_event, folds, sum`.
pub(super) fn watermark(row: &Row<'_>) -> Result<Watermark> {
    let (position, newest, sum): (i64, Option<i64>, u32) = (row.get(0)?, row.get(1)?, row.get(3)?);
    let folds: String = row.get(2)?;
    check("the watermark", watermark_sum(position, newest, &folds) == sum)?;
    let folds = folds.lines().map(fold).collect::<Option<BTreeMap<_, _>>>();
    let position = u64::try_from(position).ok();
    let (position, folds) = position
        .zip(folds)
        .ok_or_else(|| RowError::Damaged("the watermark: it holds what can't be".to_owned()))?;
    let newest_event = newest.map(Timestamp::from_millis);
    Ok(Watermark { position: Position(position), newest_event, folds })
}

fn watermark_sum(position: i64, newest: Option<i64>, folds: &str) -> u32 {
    let present = i64::from(newest.is_some());
    sum::of(&[position, present, newest.unwrap_or(0)], &[folds.as_bytes()])
}

/// One line of the folds.
fn fold(line: &str) -> Option<(ProductId, ContentHash)> {
    let (product, digits) = line.split_once(' ')?;
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some((ProductId::new(product).ok()?, ContentHash::from_bytes(hash)))
}
