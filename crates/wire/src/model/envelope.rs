//! L0, and what every answer has around it: status, size, type, tokens, the model's name. Must not look into the answer.

use pilotage_domain::advise::Refusal;
use pilotage_domain::advise::price::Usage;
use pilotage_domain::advise::refusal::Transport;
use pilotage_domain::value::Value;

use super::json;
use super::{Answer, MAX_ANSWER};

/// The longest name of a model that is kept.
const MAX_NAME: usize = 100;
/// The members that count what was read, where a provider has them; together they are the input.
const INPUT: [&str; 4] =
    ["prompt_tokens", "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
const OUTPUT: [&str; 2] = ["completion_tokens", "output_tokens"];

/// The body as JSON, if a whole one has arrived: a success, in time, of a size and type that an answer has.
pub(super) fn open(answer: &Answer<'_>) -> Result<Value, Refusal> {
    let fault = |fault: Transport| Err(Refusal::whole(fault));
    match answer.status {
        200..=299 => {}
        300..=399 => return fault(Transport::Redirected),
        429 if is_out_of_quota(answer.body) => return fault(Transport::OutOfQuota),
        status => return fault(Transport::Status(status)),
    }
    if answer.body.len() > MAX_ANSWER {
        return fault(Transport::TooLarge);
    }
    if answer.content_type.is_some_and(|kind| !is_json(kind)) {
        return fault(Transport::WrongType);
    }
    json::parse(answer.body).map_err(Refusal::whole)
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// A 429 that says that the account has nothing left: waiting does not help.
fn is_out_of_quota(body: &[u8]) -> bool {
    let Ok(body) = json::parse(body.get(..MAX_ANSWER).unwrap_or(body)) else { return false };
    let of = |name: &str| body.at_path(["error", name]).and_then(Value::as_text);
    [of("code"), of("type")].contains(&Some("insufficient_quota"))
}

/// The tokens that the provider has counted. A call that read nothing was not counted.
pub(super) fn usage(body: &Value) -> Option<Usage> {
    let counts = body.member("usage")?;
    let sum = |names: &[&str]| {
        names
            .iter()
            .filter_map(|name| counts.member(name))
            .filter_map(count)
            .reduce(u64::saturating_add)
    };
    let input = sum(&INPUT).filter(|tokens| *tokens > 0)?;
    Some(Usage { input, output: sum(&OUTPUT)? })
}

fn count(value: &Value) -> Option<u64> {
    let number = json::number(value).ok()?;
    // Whole numbers that a double holds exactly.
    let whole = number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number);
    whole.then_some(number as u64)
}

/// The model's name, where it is one.
pub(super) fn model(body: &Value) -> Option<Box<str>> {
    let name = body.member("model")?.as_text()?;
    let plain =
        !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(|b| b.is_ascii_graphic());
    plain.then(|| name.into())
}
