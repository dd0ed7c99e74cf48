//! How a model is asked and its answer read, in the dialects of the providers: a brief to bytes, and bytes to a proposal or
//! one refusal (rungs L0 and L1 of the ladder). Must not call anybody, nor judge a proposal: `domain::advise` does.

mod anthropic;
pub mod book;
pub mod brief;
mod choice;
mod decisions;
pub mod drafts;
mod envelope;
mod json;
mod labels;
mod openai;
pub mod prompt;
pub mod record;
pub mod retry_after;
mod systemone;
mod words;

use pilotage_domain::advise::price::Usage;
use pilotage_domain::advise::{Brief, Proposal, Refusal, Rung};

pub use prompt::Prompt;

/// The most bytes of an answer that anybody should read; more is refused at L0.
pub const MAX_ANSWER: usize = 256 * 1024;

/// How a provider wants to be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// Chat completions with a strict `json_schema`: OpenAI, vLLM, llama.cpp, Ollama, gateways.
    OpenAi,
    /// Chat completions of one token with its log-probabilities: a letter for each option.
    LabelLogprobs,
    /// Messages with one tool that has to be used.
    Anthropic,
    /// A state and a typed question, answered with a probability for each option.
    SystemOne,
    /// The same in OpenAI's shape.
    Decisions,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::OpenAi, Self::LabelLogprobs, Self::Anthropic, Self::SystemOne, Self::Decisions];

    /// As settings name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::LabelLogprobs => "label_logprobs",
            Self::Anthropic => "anthropic",
            Self::SystemOne => "systemone",
            Self::Decisions => "decisions",
        }
    }

    /// The dialect of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// What comes behind the base URL, which ends with the version: `https://api.openai.com/v1`.
    pub const fn path(self) -> &'static str {
        match self {
            Self::OpenAi | Self::LabelLogprobs => "/chat/completions",
            Self::Anthropic => "/messages",
            Self::SystemOne => "/systemone",
            Self::Decisions => "/decisions",
        }
    }

    /// The header that carries the key, and what stands before the key in it.
    pub const fn key_header(self) -> (&'static str, &'static str) {
        match self {
            Self::Anthropic => ("x-api-key", ""),
            _ => ("authorization", "Bearer "),
        }
    }

    /// Other headers that the provider wants, besides `content-type: application/json`.
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Anthropic => &[("anthropic-version", "2023-06-01")],
            _ => &[],
        }
    }

    /// The most tokens of an answer about this brief: what the request allows.
    pub fn most_output(self, brief: &Brief) -> u32 {
        match self {
            Self::OpenAi => choice::most_tokens(brief),
            Self::LabelLogprobs => labels::MOST_TOKENS,
            Self::Anthropic => anthropic::most_tokens(brief),
            Self::SystemOne | Self::Decisions => 0,
        }
    }

    /// The body of the request, JSON in UTF-8. The same question gives the same bytes.
    pub fn request(self, question: &Question<'_>) -> Vec<u8> {
        match self {
            Self::OpenAi => openai::request(question),
            Self::LabelLogprobs => labels::request(question),
            Self::Anthropic => anthropic::request(question),
            Self::SystemOne => systemone::request(question),
            Self::Decisions => decisions::request(question),
        }
    }

    /// Reads the answer to a request about this brief. Total: for any bytes a proposal or one refusal, of L0, L1 or, where
    /// the form is right and the question is not ours, L2.
    pub fn read(self, brief: &Brief, answer: &Answer<'_>) -> Reply {
        let body = match envelope::open(answer) {
            Ok(body) => body,
            Err(refusal) => return Reply { proposal: Err(refusal), usage: None, model: None },
        };
        let proposal = match self {
            Self::OpenAi => openai::read(&body),
            Self::LabelLogprobs => labels::read(brief, &body),
            Self::Anthropic => anthropic::read(&body),
            Self::SystemOne => systemone::read(&body),
            Self::Decisions => decisions::read(&body),
        };
        Reply { proposal, usage: envelope::usage(&body), model: envelope::model(&body) }
    }
}

/// What is asked, of which model.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// About what.
    pub brief: &'a Brief,
    /// With which words; the brief's own prompt.
    pub prompt: &'a Prompt,
    /// The model's name, as the provider knows it.
    pub model: &'a str,
    /// How the provider bounds an answer.
    pub limit: TokenLimit,
    /// The code of the last refusal, where this asks again.
    pub repair: Option<Rung>,
}

/// What a chat server calls the bound of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenLimit {
    /// `max_tokens`, and a temperature of 0: every compatible server.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, and no temperature: newer models of OpenAI refuse the others.
    MaxCompletionTokens,
}

/// What a provider has sent.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The header `content-type`, where there is one.
    pub content_type: Option<&'a str>,
    /// The body; whoever reads it may stop one byte after `MAX_ANSWER`.
    pub body: &'a [u8],
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The proposal, or why it can't be read.
    pub proposal: Result<Proposal, Refusal>,
    /// What the call is billed by: a refused answer is billed as well. `None` where the provider does not say; then the
    /// worst case is to be paid.
    pub usage: Option<Usage>,
    /// The model that answered, by its own word.
    pub model: Option<Box<str>>,
}
