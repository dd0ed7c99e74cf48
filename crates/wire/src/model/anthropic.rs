//! Messages with one tool that has to be used: its input is the choice. Must not run anything: the tool is a form.

use pilotage_domain::advise::refusal::{Form, Protocol, Transport};
use pilotage_domain::advise::{Brief, Proposal, Refusal};
use pilotage_domain::value::Value;
use serde_json::{Value as Json, json};

use super::{Question, choice, json, words};

const TOOL: &str = "choose";
/// What calling a tool takes around a choice.
const AROUND: u32 = 80;

pub(super) fn most_tokens(brief: &Brief) -> u32 {
    choice::most_tokens(brief).saturating_add(AROUND)
}

pub(super) fn request(question: &Question<'_>) -> Vec<u8> {
    let Question { brief, prompt, model, repair, .. } = *question;
    let text = words::question(brief, |_| "-".to_owned(), choice::ENDING, repair);
    let tool = Tool { name: TOOL, about: "Takes the choice.", schema: choice::schema(brief) };
    message(
        &Message { model, task: prompt.task(), text: &text, most_tokens: most_tokens(brief) },
        &tool,
    )
}

/// What every message says.
pub(super) struct Message<'a> {
    pub(super) model: &'a str,
    pub(super) task: &'a str,
    pub(super) text: &'a str,
    pub(super) most_tokens: u32,
}

/// A form for the answer.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) schema: Json,
}

pub(super) fn message(message: &Message<'_>, tool: &Tool) -> Vec<u8> {
    let body = json!({
        "model": message.model,
        "max_tokens": message.most_tokens,
        "system": message.task,
        "messages": [{ "role": "user", "content": message.text }],
        "tools": [{ "name": tool.name, "description": tool.about, "input_schema": tool.schema }],
        "tool_choice": { "type": "tool", "name": tool.name },
    });
    body.to_string().into_bytes()
}

pub(super) fn read(body: &Value) -> Result<Proposal, Refusal> {
    input(body, TOOL).and_then(|input| choice::read(input).map_err(Refusal::whole))
}

/// What the one tool of that name was given.
pub(super) fn input<'a>(body: &'a Value, tool: &str) -> Result<&'a Value, Refusal> {
    match body.member("stop_reason").and_then(Value::as_text).unwrap_or_default() {
        "tool_use" | "end_turn" | "stop_sequence" => {}
        "max_tokens" | "model_context_window_exceeded" => {
            return Err(Refusal::whole(Transport::CutOff));
        }
        "refusal" => return Err(Refusal::whole(Transport::Declined)),
        _ => return Err(Refusal::whole(Transport::Unfinished)),
    }
    let blocks = json::list(body, "content").map_err(Refusal::whole)?;
    let is_use = |block: &&Value| block.member("type").and_then(Value::as_text) == Some("tool_use");
    let mut uses = blocks.iter().filter(is_use);
    let (first, second) = (uses.next(), uses.next());
    let used = first.ok_or(Refusal::whole(Form::Schema))?;
    if second.is_some() || json::text(used, "name").map_err(Refusal::whole)? != tool {
        return Err(Refusal::whole(Protocol::Question));
    }
    json::member(used, "input").map_err(Refusal::whole)
}
