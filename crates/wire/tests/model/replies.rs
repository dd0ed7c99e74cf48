//! Answers as providers send them, good ones and ones with a fault. Must not know what comes of them.

use pilotage_domain::advise::Brief;
use pilotage_wire::model::{Answer, Dialect};
use serde_json::{Value as Json, json};

pub(crate) fn ok(body: &[u8]) -> Answer<'_> {
    Answer { status: 200, content_type: Some("application/json"), body }
}

/// A completion that ends for that reason and says that.
pub(crate) fn completion(finish: &str, content: &str) -> Json {
    json!({
        "id": "c1", "object": "chat.completion", "model": "model-1-0901",
        "choices": [{ "index": 0, "finish_reason": finish,
                      "message": { "role": "assistant", "content": content, "refusal": null } }],
        "usage": { "prompt_tokens": 612, "completion_tokens": 14, "total_tokens": 626 },
    })
}

/// One token, with these alternatives.
pub(crate) fn token(listed: &[(&str, f64)]) -> Json {
    let listed: Vec<Json> =
        listed.iter().map(|(token, log)| json!({ "token": token, "logprob": log })).collect();
    let mut body = completion("length", "B");
    body["choices"][0]["logprobs"] =
        json!({ "content": [{ "token": "B", "logprob": -0.1, "top_logprobs": listed }] });
    body
}

pub(crate) fn message(stop: &str, content: Json) -> Json {
    json!({
        "id": "m1", "type": "message", "role": "assistant", "model": "model-1-0901",
        "content": content, "stop_reason": stop, "stop_sequence": null,
        "usage": { "input_tokens": 600, "cache_read_input_tokens": 12, "output_tokens": 40 },
    })
}

pub(crate) fn tool_use(input: Json) -> Json {
    json!({ "type": "tool_use", "id": "t1", "name": "choose", "input": input })
}

pub(crate) fn systemone(answers: Json) -> Json {
    json!({ "model": "model-1-0901", "answers": answers,
            "usage": { "input_tokens": 612, "output_tokens": 0 } })
}

pub(crate) fn decisions(answers: Json) -> Json {
    systemone(answers)
}

/// A good answer: each option with its weight, the first of the heaviest chosen. Text models name the two heaviest.
pub(crate) fn good(dialect: Dialect, brief: &Brief, weights: &[u32]) -> Json {
    let sum = f64::from(weights.iter().sum::<u32>().max(1));
    let mut ranked: Vec<(&str, f64)> = brief
        .names()
        .zip(weights.iter().chain(std::iter::repeat(&0)))
        .map(|(name, weight)| (name, f64::from(*weight) / sum))
        .collect();
    let labels = ranked.clone();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let choice = json!({ "first": ranked[0].0, "second": ranked[1].0 });
    match dialect {
        Dialect::OpenAi => completion("stop", &choice.to_string()),
        Dialect::Anthropic => message("tool_use", json!([tool_use(choice)])),
        Dialect::LabelLogprobs => {
            let letters: Vec<String> = ('A'..='Z').map(String::from).collect();
            let listed = letters.iter().zip(&labels);
            let log = |p: f64| if p > 0.0 { p.ln() } else { -9_999.0 };
            token(&listed.map(|(l, (_, p))| (l.as_str(), log(*p))).collect::<Vec<_>>())
        }
        Dialect::SystemOne => {
            let probabilities: serde_json::Map<String, Json> =
                ranked.iter().map(|(name, p)| ((*name).to_owned(), json!(p))).collect();
            systemone(json!({ "guide": { "type": "choice", "choice": ranked[0].0,
                                         "probabilities": probabilities, "confidence": 0.4 } }))
        }
        Dialect::Decisions => {
            let probabilities: Vec<Json> =
                ranked.iter().map(|(v, p)| json!({ "value": v, "probability": p })).collect();
            decisions(json!([{ "type": "choice", "name": "guide", "choice": ranked[0].0,
                               "probabilities": probabilities, "confidence": 0.4 }]))
        }
    }
}
