//! How a model that writes is asked for drafts of copy, and what it wrote: wordings of one guide in the product's locales.
//! Must not say anything of a user, nor judge a word: whatever is written here is for a person to read.

use std::collections::BTreeMap;

use pilotage_domain::advise::price::Usage;
use pilotage_domain::advise::refusal::Protocol;
use pilotage_domain::advise::{Refusal, Rung};
use pilotage_domain::definition::{Copy, Definition, Guide, Intent, Piece, Template};
use pilotage_domain::value::Value;
use serde_json::{Map, Value as Json, json};

use super::anthropic::{self, Message, Tool};
use super::openai::{self, Chat};
use super::{Answer, Dialect, Prompt, TokenLimit, envelope, json};

/// The most wordings that are asked for at a time.
pub const MOST_WORDINGS: usize = 8;
/// The most tokens of an answer.
const MOST_TOKENS: usize = 8_192;
/// What JSON takes around the texts of one locale.
const AROUND: usize = 48;
const TOOL: &str = "write";

/// The texts of a wording in one locale, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The headline.
    pub title: Box<str>,
    /// The sentence below.
    pub body: Box<str>,
    /// The call to action, where the guide has an action.
    pub cta: Option<Box<str>>,
}

/// One wording by locale, in the order that was asked for.
pub type Wording = Vec<(Box<str>, Words)>;

/// What is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Assignment<'a> {
    /// The product.
    pub definition: &'a Definition,
    /// Its guide.
    pub guide: &'a Guide,
    /// How many wordings.
    pub wordings: usize,
    /// With which words it is asked.
    pub prompt: &'a Prompt,
}

/// What a writer has sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The wordings, or why they can't be read.
    pub wordings: Result<Vec<Wording>, Refusal>,
    /// What the call is billed by, where the provider says.
    pub usage: Option<Usage>,
}

impl Assignment<'_> {
    /// Every locale that the product has copy in, the default one first.
    pub fn locales(&self) -> Vec<&str> {
        let variants = self.definition.guides.iter().flat_map(|guide| &guide.variants);
        let mut all: Vec<&str> = variants.flat_map(|v| v.copy.keys()).map(|tag| &**tag).collect();
        all.sort_unstable();
        all.dedup();
        let default = &*self.definition.default_locale;
        // As the guides write it, where they do.
        let place = all.iter().position(|tag| tag.eq_ignore_ascii_case(default));
        let first = place.map_or(default, |place| all.remove(place));
        all.insert(0, first);
        all
    }

    /// The most tokens of an answer: one for each character that the rules let through.
    pub fn most_tokens(&self) -> u32 {
        let rules = &self.definition.text;
        let each = rules.title + rules.body + rules.cta + AROUND;
        let all = each.saturating_mul(self.wordings * self.locales().len()).saturating_add(AROUND);
        u32::try_from(all.min(MOST_TOKENS)).unwrap_or(u32::MAX)
    }

    /// What is asked, in words of the product file and nothing else.
    fn text(&self, repair: Option<Rung>) -> String {
        let Self { definition, guide, wordings, .. } = *self;
        let intent = match guide.intent {
            Intent::Activate => "take the next step",
            Intent::Unblock => "find a way out of what is blocked",
            Intent::Educate => "understand",
        };
        let slots: Vec<_> = definition.attributes.iter().map(|a| &*a.name).collect();
        let forbidden: Vec<_> = definition.text.forbid.iter().map(|e| e.as_str()).collect();
        let told = json!({
            "guide": guide.about,
            "milestone": definition.milestones[guide.serves].name,
            "helpsTo": intent,
            "wordings": guide.variants.iter().map(|v| self.wording(&v.copy)).collect::<Vec<_>>(),
            "locales": self.locales(),
            "mostCharacters": {
                "title": definition.text.title,
                "body": definition.text.body,
                "cta": definition.text.cta,
            },
            "mustNotMatch": forbidden,
            "slots": slots,
        });
        let mut text = format!("{told}\n\nWrite {wordings} new wordings, each in every locale.");
        if let Some(rung) = repair {
            let code = rung.code();
            text.push_str(&format!(
                "\nYour last answer was refused ({code}). Answer in exactly this form."
            ));
        }
        text
    }

    /// A wording that is there, as it is written.
    fn wording(&self, copy: &BTreeMap<Box<str>, Copy>) -> Json {
        let text = |template: &Template| self.template(template);
        let words = |copy: &Copy| {
            let parts = [
                ("title", Some(text(&copy.title))),
                ("body", copy.body.as_ref().map(text)),
                ("cta", copy.cta.as_ref().map(text)),
            ];
            let there = parts.into_iter().filter_map(|(name, text)| Some((name, text?)));
            Json::Object(there.map(|(name, text)| (name.to_owned(), json!(text))).collect())
        };
        Json::Object(copy.iter().map(|(tag, copy)| (tag.to_string(), words(copy))).collect())
    }

    fn template(&self, template: &Template) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Words(words) => words.to_string(),
            Piece::Slot { attribute, fallback } => {
                let name = &self.definition.attributes[*attribute].name;
                match fallback {
                    Some(fallback) => format!("{{{name}|{fallback}}}"),
                    None => format!("{{{name}}}"),
                }
            }
        };
        template.0.iter().map(piece).collect()
    }

    fn parts(&self) -> &'static [&'static str] {
        if self.guide.action.is_some() { &["title", "body", "cta"] } else { &["title", "body"] }
    }

    /// The answer's JSON Schema, in the subset that every server enforces.
    fn schema(&self) -> Json {
        let text = json!({ "type": "string" });
        let words = object(self.parts().iter().map(|part| (*part, text.clone())));
        let wording = object(self.locales().into_iter().map(|tag| (tag, words.clone())));
        object([("wordings", json!({ "type": "array", "items": wording }))])
    }

    fn read(&self, answer: &Value) -> Result<Vec<Wording>, Refusal> {
        only(answer, &["wordings"])?;
        let list = json::list(answer, "wordings").map_err(Refusal::whole)?;
        let read = list.iter().map(|wording| self.read_wording(wording));
        let read: Vec<Wording> = read.collect::<Result<_, _>>()?;
        match read.len() {
            0 => Err(Refusal::whole(Protocol::Empty)),
            // Too many are as good as enough.
            _ => Ok(read.into_iter().take(self.wordings).collect()),
        }
    }

    fn read_wording(&self, wording: &Value) -> Result<Wording, Refusal> {
        let locales = self.locales();
        only(wording, &locales)?;
        let read = locales.into_iter().map(|tag| {
            let words = json::member(wording, tag).map_err(Refusal::whole)?;
            only(words, self.parts())?;
            let text = |part| json::text(words, part).map(Box::from).map_err(Refusal::whole);
            let cta = self.guide.action.is_some().then(|| text("cta")).transpose()?;
            Ok((tag.into(), Words { title: text("title")?, body: text("body")?, cta }))
        });
        read.collect()
    }
}

/// An object that has exactly these members.
fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    let members: Map<String, Json> =
        members.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let names: Vec<&String> = members.keys().collect();
    json!({
        "type": "object",
        "required": names,
        "additionalProperties": false,
        "properties": members,
    })
}

/// Refuses what has another member, or is no object.
fn only(value: &Value, names: &[&str]) -> Result<(), Refusal> {
    use pilotage_domain::advise::refusal::Form;
    match value {
        Value::Map(members) if members.iter().all(|(name, _)| names.contains(&&**name)) => Ok(()),
        _ => Err(Refusal::whole(Form::Schema)),
    }
}

impl Dialect {
    /// Whether it can write at all: decision endpoints choose.
    pub const fn writes(self) -> bool {
        matches!(self, Self::OpenAi | Self::LabelLogprobs | Self::Anthropic)
    }

    /// The body of a request for drafts; `None` where the dialect can't write. The same assignment gives the same bytes.
    pub fn request_drafts(
        self,
        assignment: &Assignment<'_>,
        (model, limit): (&str, TokenLimit),
        repair: Option<Rung>,
    ) -> Option<Vec<u8>> {
        let (text, task) = (assignment.text(repair), assignment.prompt.task());
        let (most_tokens, schema) = (assignment.most_tokens(), assignment.schema());
        match self {
            Self::OpenAi | Self::LabelLogprobs => {
                let chat = Chat { model, task, text: &text, limit, most_tokens };
                let mut body = openai::chat(&chat);
                body["response_format"] = json!({
                    "type": "json_schema",
                    "json_schema": { "name": "wordings", "strict": true, "schema": schema },
                });
                Some(body.to_string().into_bytes())
            }
            Self::Anthropic => {
                let tool = Tool { name: TOOL, about: "Takes the wordings.", schema };
                let message = Message { model, task, text: &text, most_tokens };
                Some(anthropic::message(&message, &tool))
            }
            Self::SystemOne | Self::Decisions => None,
        }
    }

    /// Reads the answer to a request for drafts. Total: for any bytes wordings or one refusal, of L0 to L2.
    pub fn read_drafts(self, assignment: &Assignment<'_>, answer: &Answer<'_>) -> Written {
        let body = match envelope::open(answer) {
            Ok(body) => body,
            Err(refusal) => return Written { wordings: Err(refusal), usage: None },
        };
        let wordings = match self {
            Self::Anthropic => {
                anthropic::input(&body, TOOL).and_then(|input| assignment.read(input))
            }
            _ => openai::content(&body).and_then(|content| assignment.read(&content)),
        };
        Written { wordings, usage: envelope::usage(&body) }
    }
}
