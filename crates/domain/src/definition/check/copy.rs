//! Variants and their copy: locales, slots, and the text rules on the words that are certain. Must not judge what a value
//! may bring in; that is done on what a user would read.

use std::collections::BTreeMap;

use unicode_segmentation::UnicodeSegmentation;

use super::guides;
use super::names::Names;
use super::scope::Scope;
use super::suggest::hint;
use super::template::{self, Part as Written};
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::{Entry, Node, quoted};
use crate::definition::{Attribute, AttributeForm, Copy, Piece, Template, TextRules, Variant};
use crate::id::VariantId;
use crate::rules::copy::same_tag;
use crate::rules::text::{self, Fault, Part};

/// What stands for values that only the user's moment knows. What breaks a rule with either of two so different ones breaks
/// it by its own words.
const UNKNOWN: [&str; 2] = ["a", "\u{fffc}"];

/// The variants of a guide; `None` where one is at fault.
pub(super) fn variants(
    guide: &Node,
    scope: &Scope,
    rules: &TextRules,
    faults: &mut Faults,
) -> Option<Vec<Variant>> {
    // Nothing refers to a variant by name.
    let mut names = Names::new("variant", FaultCode::DuplicateId);
    let mut variants = Vec::new();
    for node in guide.get("variants").map(Node::items).unwrap_or_default() {
        let id = node.get("id").unwrap_or(node);
        names.declare(id.text().unwrap_or_default(), id, Some(()), faults);
        let mut desk = Desk { scope, rules, action: guide.get("action").is_some(), faults };
        variants.push(desk.variant(node));
    }
    variants.into_iter().collect()
}

/// Where copy is read: with these names, by these rules.
struct Desk<'a> {
    scope: &'a Scope,
    rules: &'a TextRules,
    action: bool,
    faults: &'a mut Faults,
}

impl<'a> Desk<'a> {
    fn variant(&mut self, node: &Node) -> Option<Variant> {
        let copy = node.get("copy").and_then(|node| self.locales(node));
        Some(Variant {
            id: VariantId::new(node.get("id")?.text()?).ok()?,
            lifecycle: guides::lifecycle(node)?,
            copy: copy?,
        })
    }

    fn locales(&mut self, node: &Node) -> Option<BTreeMap<Box<str>, Copy>> {
        let mut copies: Vec<(Box<str>, Option<Copy>)> = Vec::new();
        for entry in node.entries() {
            let twin =
                copies.iter().find(|(tag, _)| same_tag(tag, &entry.key) && *tag != entry.key);
            if let Some((twin, _)) = twin {
                let message =
                    format!("{} and {} are the same language", quoted(&entry.key), quoted(twin));
                self.faults.add(FaultCode::DuplicateId, entry.key_span, message);
            }
            let copy = self.copy(entry);
            copies.push((entry.key.clone(), copy));
        }
        let default = &*self.scope.default_locale;
        if !node.entries().is_empty() && !copies.iter().any(|(tag, _)| same_tag(tag, default)) {
            let message =
                format!("the default locale `{default}` is missing; every other falls back to it");
            self.faults.add(FaultCode::MissingLocale, node.span, message);
        }
        copies.into_iter().map(|(tag, copy)| Some((tag, copy?))).collect()
    }

    fn copy(&mut self, entry: &Entry) -> Option<Copy> {
        let node = &entry.value;
        if self.action && !node.entries().is_empty() && node.get("cta").is_none() {
            let message =
                "copy needs the key `cta` where the guide has an action: the words that lead there";
            self.faults.add(FaultCode::MissingKey, node.span, message);
        }
        let mut template = |part: Part| node.get(part.name()).map(|node| self.template(node, part));
        let (title, body, cta) = (template(Part::Title), template(Part::Body), template(Part::Cta));
        let settled =
            |part: Option<Option<Template>>| part.map_or(Some(None), |there| there.map(Some));
        Some(Copy { title: title??, body: settled(body)?, cta: settled(cta)? })
    }

    fn template(&mut self, node: &Node, part: Part) -> Option<Template> {
        let text = node.text()?;
        let written = match template::parts(text) {
            Ok(written) => written,
            Err(fault) => {
                self.faults.add(
                    FaultCode::BadSlot,
                    node.span,
                    format!("in {}: {fault}", quoted(text)),
                );
                return None;
            }
        };
        let pieces: Vec<_> = written.iter().map(|piece| self.piece(node, piece)).collect();
        let template = Template(pieces.into_iter().collect::<Option<_>>()?);
        self.words(node, part, &template);
        Some(template)
    }

    fn piece(&mut self, node: &Node, written: &Written<'_>) -> Option<Piece> {
        let (name, fallback) = match written {
            Written::Words(words) => return Some(Piece::Words((*words).into())),
            Written::Slot(name, fallback) => (*name, *fallback),
        };
        let found = self.scope.attributes.find(name);
        if found.is_none() {
            let hint = hint(name, self.scope.attributes.names());
            let message =
                format!("the slot `{{{name}}}` asks for an attribute that is not declared{hint}");
            self.faults.add(FaultCode::UnknownSlot, node.span, message);
        }
        Some(Piece::Slot { attribute: found?, fallback: fallback.map(Box::from) })
    }

    /// The text rules: length on the shortest text that a user could read, the others on all words that are certain.
    fn words(&mut self, node: &Node, part: Part, template: &Template) {
        let written = node.text().unwrap_or_default();
        if written.trim().is_empty() {
            return; // That there is nothing at all is noted elsewhere.
        }
        let shortest = self.shortest(template);
        for fault in self.broken(part, template, &shortest) {
            let found = match fault {
                Fault::Long(_) => format!("; it has {} at the least", graphemes(&shortest)),
                _ => String::new(),
            };
            let (name, written) = (part.name(), quoted(written));
            let message = format!("the {name} {written} must have {fault}{found}");
            self.faults.add(code(fault), node.span, message);
        }
    }

    fn broken(&self, part: Part, template: &Template, shortest: &str) -> Vec<Fault<'a>> {
        let [one, other] = UNKNOWN.map(|value| certain(template, value));
        let mut broken = text::faults(self.rules, part, &one);
        if one == other && one == shortest {
            return broken;
        }
        let with_other: Vec<_> = text::faults(self.rules, part, &other);
        let with_other: Vec<_> = with_other.iter().map(Fault::to_string).collect();
        broken.retain(|fault| !is_long(fault) && with_other.contains(&fault.to_string()));
        broken.extend(text::faults(self.rules, part, shortest).into_iter().filter(is_long));
        broken
    }

    fn shortest(&self, template: &Template) -> String {
        let fill = |piece: &Piece| match piece {
            Piece::Words(words) => words.to_string(),
            Piece::Slot { attribute, fallback } => {
                let value =
                    self.scope.attributes.get(*attribute).map_or(String::new(), shortest_value);
                let fallback = fallback.as_deref().map(str::to_owned);
                fallback.filter(|text| graphemes(text) <= graphemes(&value)).unwrap_or(value)
            }
        };
        template.0.iter().map(fill).collect()
    }
}

/// A shortest text that a value of the attribute fills a slot with.
fn shortest_value(attribute: &Attribute) -> String {
    let text = match &attribute.form {
        AttributeForm::Enum(values) => {
            values.iter().min_by_key(|value| graphemes(value)).map_or("", |value| &**value)
        }
        AttributeForm::Version => "0.0.0",
        AttributeForm::Locale => "aa",
        AttributeForm::Bool => "true",
        AttributeForm::Number | AttributeForm::Text => "0",
    };
    text.to_owned()
}

/// The words that every user reads, or reads where a value is missing, with `unknown` for what is neither.
fn certain(template: &Template, unknown: &str) -> String {
    let fill = |piece: &Piece| match piece {
        Piece::Words(words) => words.to_string(),
        Piece::Slot { fallback, .. } => fallback.as_deref().unwrap_or(unknown).to_owned(),
    };
    template.0.iter().map(fill).collect()
}

fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

fn is_long(fault: &Fault<'_>) -> bool {
    matches!(fault, Fault::Long(_))
}

fn code(fault: Fault<'_>) -> FaultCode {
    match fault {
        Fault::Blank => FaultCode::Empty,
        Fault::Long(_) => FaultCode::TextTooLong,
        Fault::Forbidden(_) => FaultCode::TextForbidden,
        Fault::Link => FaultCode::TextUrl,
        Fault::Html => FaultCode::TextMarkup,
        Fault::Bidi => FaultCode::TextBidi,
        Fault::Invisible => FaultCode::TextInvisible,
        Fault::Control => FaultCode::TextControl,
    }
}
