//! Rows into columns. Must write what `read` reads.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use pilotage_domain::time::Timestamp;
use pilotage_wire::decision_log::{Action, Row};

use super::FileError;

/// Rows that are encoded together.
const GROUP: usize = 65_536;

/// A column of rows, and how a row fills it.
enum Column {
    Text(&'static str, fn(&Row) -> Option<&str>),
    Number(&'static str, fn(&Row) -> Option<f64>),
    Flag(&'static str, fn(&Row) -> Option<bool>),
    Time(&'static str, fn(&Row) -> Option<Timestamp>),
}

/// The columns in the file's order; the list of actions comes after them.
const COLUMNS: [Column; 21] = [
    Column::Text("decisionId", |row| row.decision_id.as_deref()),
    Column::Time("at", |row| row.at),
    Column::Text("product", |row| row.product.as_deref()),
    Column::Text("userId", |row| row.user_id.as_deref()),
    Column::Text("sessionId", |row| row.session_id.as_deref()),
    Column::Text("group", |row| row.group.as_deref()),
    Column::Text("policy", |row| row.policy.as_deref()),
    Column::Flag("explore", |row| row.explore),
    Column::Flag("repeat", |row| row.repeat),
    Column::Text("slot", |row| row.slot.as_deref()),
    Column::Text("reason", |row| row.reason.as_deref()),
    Column::Text("signature", |row| row.signature.as_deref()),
    Column::Text("catalogueHash", |row| row.catalogue_hash.as_deref()),
    Column::Text("action", |row| Some(&row.action)),
    Column::Number("propensity", |row| row.propensity),
    Column::Number("reward", |row| row.reward),
    Column::Flag("mature", |row| row.mature),
    Column::Time("matureAt", |row| row.mature_at),
    Column::Time("shownAt", |row| row.shown_at),
    Column::Time("clickedAt", |row| row.clicked_at),
    Column::Time("dismissedAt", |row| row.dismissed_at),
];

/// A number of an action, by name.
type OfAction = (&'static str, fn(&Action) -> Option<f64>);
const OF_ACTIONS: [OfAction; 3] = [
    ("propensity", |action| action.propensity),
    ("evaluation", |action| action.evaluation),
    ("estimate", |action| action.estimate),
];

impl Column {
    fn declared(&self) -> String {
        match self {
            Self::Text(name, _) => format!("optional binary {name} (UTF8);"),
            Self::Number(name, _) => format!("optional double {name};"),
            Self::Flag(name, _) => format!("optional boolean {name};"),
            Self::Time(name, _) => format!("optional int64 {name} (TIMESTAMP(MILLIS,true));"),
        }
    }
}

fn schema() -> String {
    let columns: String = COLUMNS.iter().map(Column::declared).collect();
    let numbers: String =
        OF_ACTIONS.iter().map(|(name, _)| format!("optional double {name};")).collect();
    format!(
        "message decision {{ {columns} required group actions (LIST) {{ repeated group list {{ \
         required group element {{ required binary action (UTF8); {numbers} }} }} }} }}"
    )
}

/// Writes the rows into a new file, over one that is there.
///
/// # Errors
/// Where the file can't be written.
pub fn write(path: &Path, rows: &[Row]) -> Result<(), FileError> {
    write_in_groups(path, rows, GROUP)
}

/// The same, so many rows at a time.
pub(super) fn write_in_groups(path: &Path, rows: &[Row], most: usize) -> Result<(), FileError> {
    let schema = Arc::new(parse_message_type(&schema())?);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties))?;
    for rows in rows.chunks(most) {
        let mut group = file.next_row_group()?;
        for column in &COLUMNS {
            match column {
                Column::Text(_, of) => {
                    put::<ByteArrayType>(&mut group, rows.iter().map(|row| of(row).map(bytes)))?;
                }
                Column::Number(_, of) => put::<DoubleType>(&mut group, rows.iter().map(of))?,
                Column::Flag(_, of) => put::<BoolType>(&mut group, rows.iter().map(of))?,
                Column::Time(_, of) => {
                    let times = rows.iter().map(|row| of(row).map(Timestamp::as_millis));
                    put::<Int64Type>(&mut group, times)?;
                }
            }
        }
        let name = |action: &Action| Some(bytes(&action.action));
        put_listed::<ByteArrayType>(&mut group, rows, 1, name)?;
        for (_, of) in OF_ACTIONS {
            put_listed::<DoubleType>(&mut group, rows, 2, of)?;
        }
        group.close()?;
    }
    file.close()?;
    Ok(())
}

fn bytes(text: &str) -> ByteArray {
    text.as_bytes().to_vec().into()
}

type Group<'a> = SerializedRowGroupWriter<'a, File>;

/// Fills the next column: level 1 where there is a value, 0 where there is none.
fn put<T: DataType>(
    group: &mut Group<'_>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut levels, mut present) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        present.extend(value);
    }
    flush::<T>(group, (&present, &levels, None))
}

/// Fills the next column of the list of actions. Levels of definition: 0 for an empty list, 1 for an element without a value, 2
/// for one with it; `most` is the level of a value that is there. Of repetition: 0 for a row's first element, 1 for others.
fn put_listed<T: DataType>(
    group: &mut Group<'_>,
    rows: &[Row],
    most: i16,
    of: impl Fn(&Action) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut levels, mut repeats, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        if row.actions.is_empty() {
            levels.push(0);
            repeats.push(0);
        }
        for (place, action) in row.actions.iter().enumerate() {
            let value = of(action);
            levels.push(if value.is_some() { most } else { 1 });
            repeats.push(i16::from(place > 0));
            present.extend(value);
        }
    }
    flush::<T>(group, (&present, &levels, Some(&repeats)))
}

fn flush<T: DataType>(
    group: &mut Group<'_>,
    (values, levels, repeats): (&[T::T], &[i16], Option<&[i16]>),
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns than rows have".into());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, Some(levels), repeats)?;
    column.close()
}
