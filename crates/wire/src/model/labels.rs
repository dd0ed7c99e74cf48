//! Chat completions of one token: a letter for each option, and the log-probabilities of the letters. Must not read the token
//! itself: what counts is how probable each letter was.

use pilotage_domain::advise::refusal::{Form, Protocol, Transport};
use pilotage_domain::advise::{Brief, Proposal, Refusal};
use pilotage_domain::value::Value;
use serde_json::json;

use super::openai::{Chat, chat, finish_reason, only_choice};
use super::{Question, json, words};

pub(super) const MOST_TOKENS: u32 = 1;
/// The most alternatives that servers list; a brief has no more options.
const LISTED: u32 = 20;
/// Letters have at least this probability together, or the model was not answering the question.
const LEAST_MASS: f64 = 0.1;
/// A logarithm of a probability is at most 0, and rounding may add a little.
const ROUNDING: f64 = 1e-3;

const ENDING: &str = "Answer with the letter of the best guide, and nothing else.";

pub(super) fn request(question: &Question<'_>) -> Vec<u8> {
    let mark = |place: usize| format!("{}.", label(place));
    let text = words::question(question.brief, mark, ENDING, question.repair);
    let mut body = chat(&Chat::of(question, &text, MOST_TOKENS));
    body["logprobs"] = json!(true);
    body["top_logprobs"] = json!(LISTED);
    body.to_string().into_bytes()
}

/// The letter of the option at that place: a brief has fewer options than there are letters.
fn label(place: usize) -> char {
    ('A'..='Z').nth(place).unwrap_or('Z')
}

pub(super) fn read(brief: &Brief, body: &Value) -> Result<Proposal, Refusal> {
    let chosen = only_choice(body)?;
    match finish_reason(chosen) {
        // One token is all that was allowed.
        "stop" | "eos" | "length" => {}
        "content_filter" => return Err(Refusal::whole(Transport::Declined)),
        _ => return Err(Refusal::whole(Transport::Unfinished)),
    }
    let mut options: Vec<(Box<str>, f64)> = brief.names().map(|name| (name.into(), 0.0)).collect();
    for (token, probability) in listed(chosen)? {
        let mut letters = token.trim().chars();
        if let (Some(letter), None) = (letters.next(), letters.next())
            && let Some(place) = ('A'..='Z').position(|known| known == letter)
            && let Some((_, sum)) = options.get_mut(place)
        {
            *sum += probability;
        }
    }
    let mass: f64 = options.iter().map(|(_, probability)| probability).sum();
    if mass < LEAST_MASS {
        return Err(Refusal::whole(Protocol::Question));
    }
    options.iter_mut().for_each(|(_, probability)| *probability /= mass);
    Ok(Proposal::Weighed { options, chosen: None })
}

/// The alternatives of the first token with their probabilities.
fn listed(chosen: &Value) -> Result<Vec<(&str, f64)>, Refusal> {
    let tokens =
        json::member(chosen, "logprobs").and_then(|logprobs| json::list(logprobs, "content"));
    let first = tokens.and_then(|tokens| tokens.first().ok_or(Form::Schema));
    let alternatives = first.and_then(|first| json::list(first, "top_logprobs"));
    let mut listed = Vec::new();
    for alternative in alternatives.map_err(Refusal::whole)? {
        let token = json::text(alternative, "token").map_err(Refusal::whole)?;
        let log = json::member(alternative, "logprob").and_then(json::number);
        let log = log.map_err(Refusal::whole)?;
        if log > ROUNDING {
            return Err(Refusal::whole(Protocol::Range));
        }
        listed.push((token, log.min(0.0).exp()));
    }
    Ok(listed)
}
