//! A model that always names the first guides of a question: to see advice at work without any provider. Must not be taken for
//! one that knows anything.

use std::future::ready;

use pilotage_domain::time::Millis;
use pilotage_engine::port::Answer;
use pilotage_engine::port::model::{Model, ModelError, Raw};
use serde_json::{Value, json};

/// Answers in the dialect `openai`.
pub(super) struct FirstOfAll;

impl Model for FirstOfAll {
    fn ask(&self, request: bytes::Bytes, _: Millis) -> Answer<'_, Result<Raw, ModelError>> {
        let request: Value = serde_json::from_slice(&request).unwrap_or_default();
        let names = "/response_format/json_schema/schema/properties/first/enum";
        let name = |place: usize| request.pointer(&format!("{names}/{place}"));
        let choice = json!({ "first": name(0), "second": name(1) }).to_string();
        let body = json!({
            "model": "scripted",
            "choices": [{ "finish_reason": "stop", "message": { "content": choice } }],
            "usage": { "prompt_tokens": 0, "completion_tokens": 0 },
        });
        let raw = Raw {
            status: 200,
            content_type: Some("application/json".into()),
            body: body.to_string().into(),
            ..Raw::default()
        };
        Box::pin(ready(Ok(raw)))
    }
}
