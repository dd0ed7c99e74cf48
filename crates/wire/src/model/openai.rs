//! Chat completions with a strict schema. Must not ask for reasons, nor for more tokens than a choice has.

use pilotage_domain::advise::refusal::{Form, Transport};
use pilotage_domain::advise::{Proposal, Refusal};
use pilotage_domain::value::Value;
use serde_json::{Value as Json, json};

use super::{Question, TokenLimit, choice, json, words};

pub(super) fn request(question: &Question<'_>) -> Vec<u8> {
    let Question { brief, repair, .. } = *question;
    let text = words::question(brief, |_| "-".to_owned(), choice::ENDING, repair);
    let mut body = chat(&Chat::of(question, &text, choice::most_tokens(brief)));
    body["response_format"] = json!({
        "type": "json_schema",
        "json_schema": { "name": "choice", "strict": true, "schema": choice::schema(brief) },
    });
    body.to_string().into_bytes()
}

/// What every chat completion says.
pub(super) struct Chat<'a> {
    pub(super) model: &'a str,
    pub(super) task: &'a str,
    pub(super) text: &'a str,
    pub(super) limit: TokenLimit,
    pub(super) most_tokens: u32,
}

impl<'a> Chat<'a> {
    /// A question in these words.
    pub(super) fn of(question: &Question<'a>, text: &'a str, most_tokens: u32) -> Self {
        let Question { model, prompt, limit, .. } = *question;
        Self { model, task: prompt.task(), text, limit, most_tokens }
    }
}

pub(super) fn chat(chat: &Chat<'_>) -> Json {
    let mut body = json!({
        "model": chat.model,
        "messages": [
            { "role": "system", "content": chat.task },
            { "role": "user", "content": chat.text },
        ],
    });
    match chat.limit {
        TokenLimit::MaxTokens => {
            body["max_tokens"] = json!(chat.most_tokens);
            body["temperature"] = json!(0);
        }
        TokenLimit::MaxCompletionTokens => body["max_completion_tokens"] = json!(chat.most_tokens),
    }
    body
}

pub(super) fn read(body: &Value) -> Result<Proposal, Refusal> {
    content(body).and_then(|content| choice::read(&content).map_err(Refusal::whole))
}

/// The JSON text that a whole completion holds.
pub(super) fn content(body: &Value) -> Result<Value, Refusal> {
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
    json::parse(content.as_bytes()).map_err(Refusal::whole)
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
