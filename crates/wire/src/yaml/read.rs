//! From YAML text to a tree with places: one document, bounded in size and depth, without anchors, aliases, tags and
//! merge keys, so that what is written is all there is. Must not recurse, and must not know what a product file says.

use pilotage_domain::definition::fault::{Fault, FaultCode};
use pilotage_domain::definition::node::{Entry, Node, NodeValue, Place, Span};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::scalar;

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The deepest nesting of lists and mappings that is read.
pub const MAX_DEPTH: usize = 64;

/// Reads the text.
///
/// # Errors
/// What keeps the text from being read: all that this format does without, or else the first place where it isn't YAML.
pub fn parse(text: &str) -> Result<Node, Vec<Fault>> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is {} bytes long; {MAX_BYTES} fit", text.len());
        return Err(vec![fault(FaultCode::TooLarge, Span::default(), message)]);
    }
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let read = event.map_err(|error| scan_fault(&error));
        if let Err(fault) = read.and_then(|(event, span)| reader.event(event, span_of(span))) {
            reader.faults.push(fault);
            break;
        }
    }
    if reader.faults.is_empty() { Ok(reader.root.unwrap_or_default()) } else { Err(reader.faults) }
}

fn fault(code: FaultCode, span: Span, message: impl Into<String>) -> Fault {
    Fault { span, code, path: String::new(), message: message.into() }
}

fn scan_fault(error: &ScanError) -> Fault {
    let span = Span::at(place(*error.marker()));
    if error.info().ends_with("unknown anchor") {
        return fault(
            FaultCode::YamlFeature,
            span,
            "an alias is no part of this format; write the value out",
        );
    }
    let message = format!("this is not YAML: {}{}", error.info(), cure(error.info()));
    fault(FaultCode::Syntax, span, message)
}

/// What is most often behind the parser's words.
fn cure(info: &str) -> &'static str {
    if info.starts_with("mapping values") || info.contains("placement of ':'") {
        "; text with a `: ` in it needs quotes"
    } else if info.contains("quoted scalar") && info.contains("end of stream") {
        "; a quote is never closed"
    } else {
        ""
    }
}

fn place(marker: Marker) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: number(marker.line()), column: number(marker.col() + 1) }
}

fn span_of(span: saphyr_parser::Span) -> Span {
    Span { start: place(span.start), end: place(span.end) }
}

/// A list or mapping that is not at its end yet.
struct Open {
    span: Span,
    value: NodeValue,
    /// The key whose value comes next.
    key: Option<(Box<str>, Span)>,
}

impl Open {
    fn new(span: Span, value: NodeValue) -> Self {
        Self { span, value, key: None }
    }

    /// A mapping that waits for a key.
    fn wants_key(&self) -> bool {
        self.key.is_none() && matches!(self.value, NodeValue::Map(_))
    }

    fn put(&mut self, node: Node) {
        match &mut self.value {
            NodeValue::List(items) => items.push(node),
            NodeValue::Map(entries) => {
                if let Some((key, key_span)) = self.key.take() {
                    entries.push(Entry { key, key_span, value: node });
                }
            }
            _ => {}
        }
    }

    /// In brackets it ends where they do; else with its last entry, not where the next thing begins.
    fn close(self, end: Span) -> Node {
        let in_brackets = self.span.start != self.span.end;
        let last = match &self.value {
            NodeValue::List(items) => items.last().map(|item| item.span.end),
            NodeValue::Map(entries) => entries.last().map(|entry| entry.value.span.end),
            _ => None,
        };
        let end = if in_brackets { end.end } else { last.unwrap_or(self.span.start) };
        Node { span: Span { start: self.span.start, end }, value: self.value }
    }
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    root: Option<Node>,
    faults: Vec<Fault>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(fault(
                FaultCode::YamlFeature,
                span,
                "a second document is no part of this format; take it out",
            )),
            Event::Alias(_) => {
                self.unwanted(span, "an alias");
                self.value(Node { span, value: NodeValue::Null })
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.marks(span, anchor, tag.is_some());
                self.scalar(&text, style, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.marks(span, anchor, tag.is_some());
                self.open(Open::new(span, NodeValue::List(Vec::new())))
            }
            Event::MappingStart(anchor, tag) => {
                self.marks(span, anchor, tag.is_some());
                self.open(Open::new(span, NodeValue::Map(Vec::new())))
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.value(open.close(span)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn marks(&mut self, span: Span, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.unwanted(span, "an anchor");
        }
        if tagged {
            self.unwanted(span, "a tag");
        }
    }

    fn unwanted(&mut self, span: Span, what: &str) {
        let message = format!("{what} is no part of this format; write the value out");
        self.faults.push(fault(FaultCode::YamlFeature, span, message));
    }

    fn open(&mut self, open: Open) -> Result<(), Fault> {
        if self.open.len() == MAX_DEPTH {
            let message =
                format!("lists and mappings may be nested {MAX_DEPTH} levels deep, no deeper");
            return Err(fault(FaultCode::TooDeep, open.span, message));
        }
        if self.open.last().is_some_and(Open::wants_key) {
            return Err(fault(
                FaultCode::Syntax,
                open.span,
                "a key must be a word, not a list or a mapping",
            ));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Result<(), Fault> {
        let plain = style == ScalarStyle::Plain;
        if let Some(open) = self.open.last_mut().filter(|open| open.wants_key()) {
            open.key = Some((text.into(), span));
            if plain && text == "<<" {
                self.unwanted(span, "a merge key");
            }
            return Ok(());
        }
        let value = if plain { scalar::resolve(text) } else { NodeValue::Text(text.into()) };
        self.value(Node { span, value })
    }

    fn value(&mut self, node: Node) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(open) if open.wants_key() => {
                // Only an alias comes here, and it is noted already; its place needs a key all the same.
                open.key = Some(("*".into(), node.span));
            }
            Some(open) => open.put(node),
            None => self.root = Some(node),
        }
        Ok(())
    }
}
