//! The answer of models that write: the best option and the next best, as one small object. Must not take a word more.

use pilotage_domain::advise::refusal::Form;
use pilotage_domain::advise::{Brief, Proposal};
use pilotage_domain::value::Value;
use serde_json::{Value as Json, json};

use super::json;

/// How a model is told to answer.
pub(super) const ENDING: &str =
    "Answer with the best guide as \"first\" and the next best as \"second\".";

/// Enough for two names: 48, or more where some name is very long. A token is taken to have two bytes of a name.
pub(super) fn most_tokens(brief: &Brief) -> u32 {
    let longest = brief.names().map(str::len).max().unwrap_or(0);
    u32::try_from(longest + 16).unwrap_or(u32::MAX).max(48)
}

/// The object's JSON Schema, in the subset that every server enforces: the names of this brief and nothing else.
pub(super) fn schema(brief: &Brief) -> Json {
    let names: Vec<&str> = brief.names().collect();
    let name = json!({ "type": "string", "enum": names });
    json!({
        "type": "object",
        "properties": { "first": name, "second": name },
        "required": ["first", "second"],
        "additionalProperties": false,
    })
}

/// The proposal of an object that has this form. A next best that repeats the best says nothing; whether a name is an
/// option is for the ladder to say (L3).
pub(super) fn read(value: &Value) -> Result<Proposal, Form> {
    let (first, second) = (json::text(value, "first")?, json::text(value, "second")?);
    if !matches!(value, Value::Map(members) if members.len() == 2) {
        return Err(Form::Schema);
    }
    let mut names = vec![Box::from(first)];
    if second != first {
        names.push(second.into());
    }
    Ok(Proposal::Ranked(names))
}
