//! Typed decisions in OpenAI's shape: an input, one question, and a probability for each choice. Must not use the provider's
//! confidence: no two mean the same by it.

use pilotage_domain::advise::refusal::{Form, Protocol, Transport};
use pilotage_domain::advise::{Proposal, Refusal};
use pilotage_domain::value::Value;
use serde_json::{Value as Json, json};

use super::systemone::QUESTION;
use super::{Question, json, words};

pub(super) fn request(question: &Question<'_>) -> Vec<u8> {
    let Question { brief, prompt, model, .. } = *question;
    let choice = |(value, description): (&str, &str)| -> Json {
        json!({ "value": value, "description": description })
    };
    let body = json!({
        "model": model,
        "input": brief.situation(),
        "questions": [{
            "type": "choice",
            "name": QUESTION,
            "instructions": prompt.task(),
            "choices": words::options(brief).map(choice).collect::<Vec<_>>(),
        }],
    });
    body.to_string().into_bytes()
}

pub(super) fn read(body: &Value) -> Result<Proposal, Refusal> {
    let [answer] = json::list(body, "answers").map_err(Refusal::whole)? else {
        return Err(Refusal::whole(Protocol::Question));
    };
    match json::text(answer, "type").map_err(Refusal::whole)? {
        "choice" => {}
        "refusal" => return Err(Refusal::whole(Transport::Declined)),
        _ => return Err(Refusal::whole(Protocol::Question)),
    }
    // A server that keeps the order of the questions may leave their names out.
    let name = answer.member("name").unwrap_or(&Value::Null);
    if *name != Value::Null && name.as_text() != Some(QUESTION) {
        return Err(Refusal::whole(Protocol::Question));
    }
    weighed(answer).map_err(Refusal::whole)
}

fn weighed(answer: &Value) -> Result<Proposal, Form> {
    let chosen = json::text(answer, "choice")?;
    let option = |weight: &Value| {
        let probability = json::number(json::member(weight, "probability")?)?;
        Ok((json::text(weight, "value")?.into(), probability))
    };
    let options = json::list(answer, "probabilities")?.iter().map(option);
    Ok(Proposal::Weighed {
        options: options.collect::<Result<_, Form>>()?,
        chosen: Some(chosen.into()),
    })
}
