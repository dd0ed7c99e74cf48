//! Chat completions with a strict schema. Must not ask for reasons, nor for more tokens than a choice has.

use pilotage_domain::advise::refusal::{Form, Transport};
use pilotage_domain::advise::{Proposal, Refusal};
use pilotage_domain::value::Value;
use serde_json::{Value as Json, json};

use super::{Question, TokenLimit, choice, json, words};

pub(super) fn request(question: &Question<'_>) -> Vec<u8> {
    let Question { brief, repair, .. } = *question;
    let text = words::question(brief, |_| "-".to_owned(), choice::ENDING, repair);
    let mut body = chat(question, &text, choice::most_tokens(brief));
    body["response_format"] = json!({
        "type": "json_schema",
        "json_schema": { "name": "choice", "strict": true, "schema": choice::schema(brief) },
    });
    body.to_string().into_bytes()
}

/// What every chat completion has.
pub(super) fn chat(question: &Question<'_>, text: &str, most_tokens: u32) -> Json {
    let mut body = json!({
        "model": question.model,
        "messages": [
            { "role": "system", "content": question.prompt.task() },
            { "role": "user", "content": text },
        ],
    });
    match question.limit {
        TokenLimit::MaxTokens => {
            body["max_tokens"] = json!(most_tokens);
            body["temperature"] = json!(0);
        }
        TokenLimit::MaxCompletionTokens => body["max_completion_tokens"] = json!(most_tokens),
    }
    body
}

pub(super) fn read(body: &Value) -> Result<Proposal, Refusal> {
    let chosen = only_choice(body)?;
    match finish_reason(chosen) {
        "stop" | "eos" => {}
        "length" => return Err(Refusal::whole(Transport::CutOff)),
        "content_filter" => return Err(Refusal::whole(Transport::Declined)),
        _ => return Err(Refusal::whole(Transport::Unfinished)),
    }
    let message = json::member(chosen, "message").map_err(Refusal::whole)?;
    if message.member("refusal").is_some_and(|refusal| *refusal != Value::Null) {
        return Err(Refusal::whole(Transport::Declined));
    }
    let content = json::text(message, "content").map_err(Refusal::whole)?;
    json::parse(content.as_bytes()).and_then(|value| choice::read(&value)).map_err(Refusal::whole)
}

/// The one completion that was asked for.
pub(super) fn only_choice(body: &Value) -> Result<&Value, Refusal> {
    match json::list(body, "choices").map_err(Refusal::whole)? {
        [chosen] => Ok(chosen),
        _ => Err(Refusal::whole(Form::Schema)),
    }
}

/// Why it ended; empty where it does not say.
pub(super) fn finish_reason(chosen: &Value) -> &str {
    chosen.member("finish_reason").and_then(Value::as_text).unwrap_or_default()
}
