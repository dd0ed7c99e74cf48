//! Columns into rows, by their names; columns of other names are passed over. Must not judge what rows say.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, List, Row as Columns};
use pilotage_domain::time::Timestamp;
use pilotage_wire::decision_log::{Action, Row};
use pilotage_wire::instant;

use super::FileError;

/// Reads the file's rows; `tell` hears how many rows of how many are read.
///
/// # Errors
/// The first fault: of the file, of a column, of a row.
pub fn read(path: &Path, mut tell: impl FnMut(u64, u64)) -> Result<Vec<Row>, FileError> {
    let file = SerializedFileReader::new(File::open(path)?)?;
    let of = u64::try_from(file.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mut rows = Vec::new();
    for (number, columns) in (1..).zip(file.get_row_iter(None)?) {
        rows.push(row(number, columns?)?);
        if number % TELL_EVERY == 0 {
            tell(number as u64, of);
        }
    }
    tell(of, of);
    Ok(rows)
}

/// After so many rows it is told how far the reading is.
const TELL_EVERY: usize = 4_096;

/// What a column should hold, where it does not.
type Wanted = &'static str;

fn row(number: usize, columns: Columns) -> Result<Row, FileError> {
    let mut row = Row::default();
    let mut is_named = false;
    for (column, field) in columns.into_columns() {
        is_named |= column == "action" && field != Field::Null;
        let fault = |wanted| FileError::Column { row: number, column: column.clone(), wanted };
        fill(&mut row, &column, field).map_err(fault)?;
    }
    if is_named { Ok(row) } else { Err(FileError::NoAction(number)) }
}

fn fill(row: &mut Row, column: &str, field: Field) -> Result<(), Wanted> {
    match column {
        "decisionId" => row.decision_id = text(field)?,
        "at" => row.at = time(field)?,
        "product" => row.product = text(field)?,
        "userId" => row.user_id = text(field)?,
        "sessionId" => row.session_id = text(field)?,
        "group" => row.group = text(field)?,
        "policy" => row.policy = text(field)?,
        "explore" => row.explore = flag(field)?,
        "repeat" => row.repeat = flag(field)?,
        "slot" => row.slot = text(field)?,
        "reason" => row.reason = text(field)?,
        "signature" => row.signature = text(field)?,
        "catalogueHash" => row.catalogue_hash = text(field)?,
        "action" => row.action = text(field)?.unwrap_or_default(),
        "propensity" => row.propensity = number(field)?,
        "reward" => row.reward = number(field)?,
        "mature" => row.mature = flag(field)?,
        "matureAt" => row.mature_at = time(field)?,
        "shownAt" => row.shown_at = time(field)?,
        "clickedAt" => row.clicked_at = time(field)?,
        "dismissedAt" => row.dismissed_at = time(field)?,
        "actions" => row.actions = actions(field)?,
        _ => {}
    }
    Ok(())
}

fn text(field: Field) -> Result<Option<String>, Wanted> {
    match field {
        Field::Null => Ok(None),
        Field::Str(text) => Ok(Some(text)),
        _ => Err("text"),
    }
}

fn flag(field: Field) -> Result<Option<bool>, Wanted> {
    match field {
        Field::Null => Ok(None),
        Field::Bool(flag) => Ok(Some(flag)),
        _ => Err("booleans"),
    }
}

fn number(field: Field) -> Result<Option<f64>, Wanted> {
    match field {
        Field::Null => Ok(None),
        Field::Double(number) => Ok(Some(number)),
        Field::Float(number) => Ok(Some(f64::from(number))),
        Field::Int(number) => Ok(Some(f64::from(number))),
        // Exact up to 2⁵³, which no count of rewards comes near.
        Field::Long(number) => Ok(Some(number as f64)),
        _ => Err("numbers"),
    }
}

fn time(field: Field) -> Result<Option<Timestamp>, Wanted> {
    match field {
        Field::Null => Ok(None),
        Field::TimestampMillis(ms) => Ok(Some(Timestamp::from_millis(ms))),
        Field::TimestampMicros(us) => Ok(Some(Timestamp::from_millis(us.div_euclid(1_000)))),
        Field::Str(text) => instant::parse(&text).map(Some).ok_or("instants"),
        _ => Err("instants"),
    }
}

const ACTIONS: Wanted = "a list of structs: action, propensity, evaluation, estimate";

fn actions(field: Field) -> Result<Vec<Action>, Wanted> {
    match field {
        Field::Null => Ok(Vec::new()),
        Field::ListInternal(list) => listed(&list),
        _ => Err(ACTIONS),
    }
}

fn listed(list: &List) -> Result<Vec<Action>, Wanted> {
    let action = |field: &Field| {
        let Field::Group(columns) = field else { return Err(ACTIONS) };
        let mut action = Action::default();
        for (column, field) in columns.get_column_iter() {
            match &**column {
                "action" => action.action = text(field.clone())?.ok_or(ACTIONS)?,
                "propensity" => action.propensity = number(field.clone())?,
                "evaluation" => action.evaluation = number(field.clone())?,
                "estimate" => action.estimate = number(field.clone())?,
                _ => {}
            }
        }
        Ok(action)
    };
    list.elements().iter().map(action).collect()
}
