//! A product file with further wordings of a guide, and what changed as a patch. Must leave every other byte as it was, and
//! must not call a file patched that says anything else than before.

use pilotage_domain::definition::node::{Node, Place, invisible};
use pilotage_domain::value::Value;
use thiserror::Error;

use super::parse;
use crate::model::drafts::{Wording, Words};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// A wording to be added, as a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVariant {
    /// Its name, which the guide does not have yet.
    pub id: String,
    /// A line that says where it comes from.
    pub note: String,
    /// Its copy.
    pub wording: Wording,
}

/// Why a file can't be patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PatchError {
    /// The text is no product file, or has no such guide.
    #[error("the file has no such guide with a list of variants")]
    NoGuide,
    /// It is written in a way that can't be added to without writing it anew.
    #[error(
        "the guide's variants are written in a way that can't be added to: put each on a line of its own, behind `- `"
    )]
    Layout,
}

/// The text with these wordings behind those that the guide has, with `lifecycle: draft`.
///
/// # Errors
/// Where there is no such guide, or its variants stand in a form that can't be added to.
pub fn with_drafts(text: &str, guide: &str, drafts: &[NewVariant]) -> Result<String, PatchError> {
    let tree = parse(text).map_err(|_| PatchError::NoGuide)?;
    let guides = tree.get("guides").map(Node::items).unwrap_or_default();
    let place = guides.iter().position(|node| node.get("id").and_then(Node::text) == Some(guide));
    let place = place.ok_or(PatchError::NoGuide)?;
    let variants = guides.get(place).and_then(|node| node.get("variants"));
    let variants = variants.filter(|list| !list.items().is_empty()).ok_or(PatchError::NoGuide)?;
    let patched = insert(text, variants, drafts).ok_or(PatchError::Layout)?;
    // Reading it again is the proof: the same file, and the drafts in their place.
    let expected = expected(&tree, place, drafts);
    let said = parse(&patched).ok().map(|tree| tree.to_value());
    if said == Some(expected) { Ok(patched) } else { Err(PatchError::Layout) }
}

fn insert(text: &str, variants: &Node, drafts: &[NewVariant]) -> Option<String> {
    let start = offset(text, variants.span.start)?;
    if text.get(start..)?.starts_with('[') {
        let end = offset(text, variants.span.end)?.checked_sub(1)?;
        let items: String = drafts.iter().map(|draft| format!(", {}", inline(draft))).collect();
        return Some(format!("{}{items}{}", text.get(..end)?.trim_end(), text.get(end..)?));
    }
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let last = variants.items().last()?;
    let end = offset(text, last.span.end)?;
    // Behind the line in which the last one ends.
    let end = text.get(end..)?.find('\n').map_or(text.len(), |more| end + more + 1);
    let indent = indent(text, last)?;
    let lines = drafts.iter().flat_map(|draft| block(draft, indent));
    let lines: String = lines.map(|line| format!("{line}{newline}")).collect();
    let before = text.get(..end)?;
    let between = if before.ends_with('\n') { "" } else { newline };
    Some(format!("{before}{between}{lines}{}", text.get(end..)?))
}

/// How far the dash of an item is from the beginning of its line.
fn indent(text: &str, item: &Node) -> Option<usize> {
    let line = Place { column: 1, ..item.span.start };
    let before = text.get(offset(text, line)?..offset(text, item.span.start)?)?;
    before.trim_end().strip_suffix('-').map(str::len)
}

fn block(draft: &NewVariant, indent: usize) -> Vec<String> {
    let pad = " ".repeat(indent);
    let mut lines = vec![
        format!("{pad}# {}", draft.note),
        format!("{pad}- id: {}", draft.id),
        format!("{pad}  lifecycle: draft"),
        format!("{pad}  copy:"),
    ];
    lines.extend(
        draft
            .wording
            .iter()
            .map(|(tag, words)| format!("{pad}    {}: {}", scalar(tag), parts(words))),
    );
    lines
}

/// On one line, where the list stands in brackets; there is no room for the note.
fn inline(draft: &NewVariant) -> String {
    let locale = |(tag, words): &(Box<str>, _)| format!("{}: {}", scalar(tag), parts(words));
    let copy: Vec<String> = draft.wording.iter().map(locale).collect();
    format!("{{ id: {}, lifecycle: draft, copy: {{ {} }} }}", draft.id, copy.join(", "))
}

fn parts(words: &Words) -> String {
    let cta = words.cta.as_ref().map(|cta| format!(", cta: {}", quoted(cta)));
    let (title, body) = (quoted(&words.title), quoted(&words.body));
    format!("{{ title: {title}, body: {body}{} }}", cta.unwrap_or_default())
}

/// A locale's tag as it is; anything else in quotes.
fn scalar(tag: &str) -> String {
    let is_plain = tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_plain { tag.to_owned() } else { quoted(tag) }
}

/// In single quotes as people write it; with escapes where a character can't be seen.
fn quoted(text: &str) -> String {
    if !text.chars().any(|c| c.is_control() || invisible(c) || is_special(c)) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// What a reader of YAML may take for the end of a line, or may not take at all.
fn is_special(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// The byte at a place, whose column counts characters.
fn offset(text: &str, place: Place) -> Option<usize> {
    let line = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(before..)?;
    let within: usize = rest.chars().take(column).map(char::len_utf8).sum();
    Some(before + within)
}

/// What the file says once the drafts are in it.
fn expected(tree: &Node, guide: usize, drafts: &[NewVariant]) -> Value {
    let mut said = tree.to_value();
    let guide = member(&mut said, "guides").and_then(|guides| match guides {
        Value::List(items) => items.get_mut(guide),
        _ => None,
    });
    if let Some(Value::List(variants)) = guide.and_then(|guide| member(guide, "variants")) {
        variants.extend(drafts.iter().map(value));
    }
    said
}

fn member<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    match value {
        Value::Map(members) => {
            members.iter_mut().find(|(known, _)| &**known == name).map(|(_, value)| value)
        }
        _ => None,
    }
}

fn value(draft: &NewVariant) -> Value {
    let text = |text: &str| Value::Text(text.into());
    let locale = |(tag, words): &(Box<str>, Words)| {
        let cta = words.cta.as_ref().map(|cta| ("cta".into(), text(cta)));
        let parts = [("title".into(), text(&words.title)), ("body".into(), text(&words.body))];
        (tag.clone(), Value::Map(parts.into_iter().chain(cta).collect()))
    };
    Value::Map(vec![
        ("id".into(), text(&draft.id)),
        ("lifecycle".into(), text("draft")),
        ("copy".into(), Value::Map(draft.wording.iter().map(locale).collect())),
    ])
}

/// What changed between two texts that differ in one stretch, as a unified diff; empty where nothing did.
pub fn diff(file: &str, old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let before = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    if before == old.len() && before == new.len() {
        return String::new();
    }
    let rest = old.len().min(new.len()) - before;
    let after = old.iter().rev().zip(new.iter().rev()).take(rest);
    let after = after.take_while(|(one, other)| one == other).count();
    let (first, context) = (before.saturating_sub(CONTEXT), after.min(CONTEXT));
    let (old_end, new_end) = (old.len() - after, new.len() - after);
    let range = |from: usize, to: usize| {
        // An empty stretch is named by the line before it.
        let line = if from == to { from } else { from + 1 };
        format!("{line},{}", to - from)
    };
    let mut out = format!(
        "--- a/{file}\n+++ b/{file}\n@@ -{} +{} @@\n",
        range(first, old_end + context),
        range(first, new_end + context)
    );
    let mut write = |mark: char, lines: &[&str]| {
        for line in lines {
            out.push(mark);
            out.push_str(line);
            if !line.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    };
    write(' ', old.get(first..before).unwrap_or_default());
    write('-', old.get(before..old_end).unwrap_or_default());
    write('+', new.get(before..new_end).unwrap_or_default());
    write(' ', old.get(old_end..old_end + context).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
