//! The System One protocol: a state, one typed question, and a probability for each option. Must not use the provider's
//! confidence: no two mean the same by it.

use std::collections::BTreeMap;

use pilotage_domain::advise::refusal::{Form, Protocol};
use pilotage_domain::advise::{Proposal, Refusal};
use pilotage_domain::value::Value;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Question, json, words};

/// The name of the one question.
pub(super) const QUESTION: &str = "guide";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    state: Box<RawValue>,
    questions: BTreeMap<&'static str, Choice<'a>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    r#type: &'static str,
    instructions: &'a str,
    criteria: BTreeMap<&'a str, &'a str>,
}

pub(super) fn request(question: &Question<'_>) -> Vec<u8> {
    let Question { brief, prompt, model, .. } = *question;
    let criteria = words::options(brief).collect();
    let choice = Choice { r#type: "choice", instructions: prompt.task(), criteria };
    let body = Body {
        model,
        state: RawValue::from_string(brief.situation()).expect("canonical JSON is JSON"),
        questions: BTreeMap::from([(QUESTION, choice)]),
    };
    serde_json::to_vec(&body).expect("text and maps of text are always writable")
}

pub(super) fn read(body: &Value) -> Result<Proposal, Refusal> {
    let answers = json::map(body, "answers").map_err(Refusal::whole)?;
    let [(name, answer)] = answers else { return Err(Refusal::whole(Protocol::Question)) };
    if &**name != QUESTION || kind(answer).map_err(Refusal::whole)? != "choice" {
        return Err(Refusal::whole(Protocol::Question));
    }
    weighed(answer).map_err(Refusal::whole)
}

fn kind(answer: &Value) -> Result<&str, Form> {
    json::text(answer, "type")
}

fn weighed(answer: &Value) -> Result<Proposal, Form> {
    let chosen = json::text(answer, "choice")?;
    let weights = json::map(answer, "probabilities")?.iter();
    let options = weights.map(|(name, p)| Ok((name.clone(), json::number(p)?)));
    Ok(Proposal::Weighed {
        options: options.collect::<Result<_, Form>>()?,
        chosen: Some(chosen.into()),
    })
}
