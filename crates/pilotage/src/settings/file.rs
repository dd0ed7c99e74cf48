//! The settings file: from TOML to `Raw`, key by key. Must tell every key at fault, not just the first, and no value at length.

use serde::Deserialize;
use toml::de::DeTable;
use toml::{Table, Value};

use super::{Faults, Raw};
use crate::cli::UsageError;

/// Lists of tables, and what each of their entries must have.
const LISTS: [(&str, &[&str]); 2] =
    [("models", &["provider"]), ("keys", &["key", "kind", "product"])];

/// What the text says, as far as it is sound; each key that is not is told, with its line.
///
/// # Errors
/// The text is not TOML: where and why.
pub(super) fn read(text: &str, name: &str, faults: &mut Faults) -> Result<Raw, UsageError> {
    let no_toml = |fault: toml::de::Error| UsageError(format!("{name}: {fault}"));
    let keys = DeTable::parse(text).map_err(no_toml)?;
    let table: Table = toml::from_str(text).map_err(no_toml)?;
    let line_of = |key: &str| {
        let known = keys.get_ref().keys().find(|known| known.get_ref() == key);
        let before = known.and_then(|key| text.get(..key.span().start)).unwrap_or_default();
        before.matches('\n').count() + 1
    };
    let mut sound = Table::new();
    for (key, value) in table {
        let wrong = faults_of(&key, &value);
        for fault in &wrong {
            faults.about(&key, &format!("{fault} ({name}, line {})", line_of(&key)));
        }
        if wrong.is_empty() {
            sound.insert(key, value);
        }
    }
    // Each key has been read by itself: nothing is left to go wrong.
    Ok(Raw::deserialize(sound).unwrap_or_default())
}

/// What is wrong with a key of the file.
fn faults_of(key: &str, value: &Value) -> Vec<String> {
    let list = LISTS.iter().find(|(list, _)| *list == key).zip(value.as_array());
    let Some(((_, needed), entries)) = list else {
        return fault_of(key, value.clone()).into_iter().collect();
    };
    let of_entry = |(place, entry): (usize, &Value)| match entry.as_table() {
        Some(entry) => faults_of_entry(key, needed, entry)
            .into_iter()
            .map(|fault| format!("entry {place}: {fault}"))
            .collect(),
        None => vec![format!("entry {place}: must be a table")],
    };
    (1..).zip(entries).flat_map(of_entry).collect()
}

/// What is wrong with an entry of a list: each of its keys is tried beside stand-ins for what it must have.
fn faults_of_entry(list: &str, needed: &[&str], entry: &Table) -> Vec<String> {
    let stand_in = || needed.iter().map(|key| ((*key).to_owned(), Value::String(String::new())));
    let wrong = entry.iter().filter_map(|(key, value)| {
        let mut tried: Table = stand_in().collect();
        tried.insert(key.clone(), value.clone());
        let fault = fault_of(list, Value::Array(vec![Value::Table(tried)]))?;
        Some(if fault.starts_with("there is") { fault } else { format!("{key}: {fault}") })
    });
    let missing = needed.iter().filter(|key| !entry.contains_key(**key));
    wrong.chain(missing.map(|key| format!("{key}: is needed"))).collect()
}

fn fault_of(key: &str, value: Value) -> Option<String> {
    let alone: Table = [(key.to_owned(), value)].into_iter().collect();
    let fault = Raw::deserialize(alone).err()?;
    let message = fault.message();
    match message.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", expected")) {
        Some((unknown, _)) => Some(format!("there is no setting {unknown}")),
        None => Some(message.to_owned()),
    }
}
