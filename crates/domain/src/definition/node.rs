//! What a product file says, as a plain tree that remembers where everything stood. Must not know in which format it
//! was written.

use crate::value::{Scalar, Value};

/// A place in a text, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Default for Place {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

/// A stretch of text: from the first place up to, but not including, the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Where it begins.
    pub start: Place,
    /// The place after its last character.
    pub end: Place,
}

impl Span {
    /// The empty stretch at a place.
    pub const fn at(place: Place) -> Self {
        Self { start: place, end: place }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Where.
    pub span: Span,
    /// What.
    pub value: NodeValue,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum NodeValue {
    /// Nothing.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(Box<str>),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in file order, doubled keys and all.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key as written.
    pub key: Box<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value under the key, where this is a mapping that has it; the first of doubled ones.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| &*entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a mapping; none where this is something else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            NodeValue::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none where this is something else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            NodeValue::List(items) => items,
            _ => &[],
        }
    }

    /// The text, where this is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where this is one.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            NodeValue::Number(number) => Some(number),
            _ => None,
        }
    }

    /// `true` or `false`, where this is one of them.
    pub fn flag(&self) -> Option<bool> {
        match self.value {
            NodeValue::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// The scalar, where this is one.
    pub fn scalar(&self) -> Option<Scalar> {
        match &self.value {
            NodeValue::Bool(flag) => Some(Scalar::Bool(*flag)),
            NodeValue::Number(number) => Some(Scalar::Number(*number)),
            NodeValue::Text(text) => Some(Scalar::Text(text.clone())),
            _ => None,
        }
    }

    /// The content without the places.
    pub fn to_value(&self) -> Value {
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(flag) => Value::Bool(*flag),
            NodeValue::Number(number) => Value::Number(*number),
            NodeValue::Text(text) => Value::Text(text.clone()),
            NodeValue::List(items) => Value::List(items.iter().map(Self::to_value).collect()),
            NodeValue::Map(entries) => Value::Map(
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect(),
            ),
        }
    }

    /// What this is, in words that a fault can use: `a list`, `the number 3`, `the text "x"`.
    pub fn describe(&self) -> String {
        match &self.value {
            NodeValue::Null => "nothing".to_owned(),
            NodeValue::Bool(flag) => format!("`{flag}`"),
            NodeValue::Number(number) => format!("the number {number}"),
            NodeValue::Text(text) => format!("the text {}", quoted(text)),
            NodeValue::List(_) => "a list".to_owned(),
            NodeValue::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// The text in quotes, shortened, with everything escaped that could disturb a terminal.
pub fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let mut out = String::from("\"");
    for (place, c) in text.chars().enumerate() {
        if place == MOST {
            out.push('…');
            break;
        }
        if c.is_control() || invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

/// Whether the character changes the direction of text or takes no room: zero-width, bidirectional control, soft hyphen.
pub fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
}
