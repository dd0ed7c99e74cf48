//! Whether a tree has the form that the grammar says: keys, types, lengths, ranges, small texts. Must not look at names
//! or meaning: what passes here can be read without further questions.

mod text;

use std::collections::BTreeMap;

use super::suggest::hint;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::grammar::{
    CONDITION_DEPTH, CONDITIONS, FEATURE, Form, MOST_SCALAR, Presence, Shape, TEST,
};
use crate::definition::node::{Entry, Node, NodeValue, quoted};

/// Notes everything in the tree that has not the form.
pub(super) fn check(root: &Node, form: &Form, faults: &mut Faults) {
    Walk { faults, depth: 0 }.form(root, form);
}

/// A walk through the tree and the grammar side by side.
struct Walk<'a> {
    faults: &'a mut Faults,
    /// How many conditions are around the place.
    depth: usize,
}

impl Walk<'_> {
    fn form(&mut self, node: &Node, form: &Form) {
        match form {
            Form::Integer(least, most) => self.integer(node, *least, *most),
            Form::FormatNumber | Form::Number => self.number(node, "a finite number", |_| true),
            Form::Share => {
                self.number(node, "a share: 0 or more, less than 1", |n| (0.0..1.0).contains(&n))
            }
            Form::Rate => {
                self.number(node, "a rate: more than 0, at most 1", |n| n > 0.0 && n <= 1.0)
            }
            Form::Flag => self.flag(node),
            Form::Scalar => self.scalar(node),
            Form::ScalarOrTest if node.scalar().is_some() => self.scalar(node),
            Form::ScalarOrTest => self.shape(node, &TEST),
            Form::Feature if node.text().is_some() => {}
            Form::Feature if node.entries().is_empty() => {
                self.wrong_type(node, "the name of a feature, or a mapping")
            }
            Form::Feature => self.shape(node, &FEATURE),
            Form::Condition => self.condition(node),
            Form::List(of, least, most) => self.list(node, of, *least, *most),
            Form::ShapeOrNothing(_) if node.value == NodeValue::Null => {}
            Form::Shape(known) | Form::ShapeOrNothing(known) => self.shape(node, known),
            Form::Map(key, of, least, most) => self.map(node, (key, of), *least, *most),
            _ => match node.text() {
                Some(text) => text::check(node, text, form, self.faults),
                None => self.wrong_type(node, &text::wanted(form)),
            },
        }
    }

    fn wrong_type(&mut self, node: &Node, wanted: &str) {
        let scalar = matches!(node.value, NodeValue::Number(_) | NodeValue::Bool(_));
        let cure = if scalar && wanted.starts_with("text") { "; put it in quotes" } else { "" };
        let found = node.describe();
        self.faults.add(
            FaultCode::WrongType,
            node.span,
            format!("expected {wanted}, found {found}{cure}"),
        );
    }

    fn number(&mut self, node: &Node, wanted: &str, fits: impl Fn(f64) -> bool) {
        match node.number() {
            None => self.wrong_type(node, wanted),
            Some(number) if number.is_finite() && fits(number) => {}
            Some(number) => {
                self.faults.add(
                    FaultCode::OutOfRange,
                    node.span,
                    format!("{number} is not {wanted}"),
                );
            }
        }
    }

    fn integer(&mut self, node: &Node, least: u64, most: u64) {
        let wanted = format!("an integer from {least} to {most}");
        let range = least as f64..=most as f64;
        self.number(node, &wanted, |n| n.fract() == 0.0 && range.contains(&n));
    }

    fn flag(&mut self, node: &Node) {
        if node.flag().is_none() {
            self.wrong_type(node, "`true` or `false`");
        }
    }

    fn scalar(&mut self, node: &Node) {
        match &node.value {
            NodeValue::Bool(_) => {}
            NodeValue::Number(_) => self.number(node, "a finite number", |_| true),
            NodeValue::Text(text) if text.len() <= MOST_SCALAR => {}
            NodeValue::Text(text) => {
                let message =
                    format!("{} bytes are too long; there may be {MOST_SCALAR}", text.len());
                self.faults.add(FaultCode::TooLong, node.span, message);
            }
            _ => self.wrong_type(node, "text, a number, `true` or `false`"),
        }
    }

    /// How many entries a list or mapping has.
    fn length(&mut self, node: &Node, found: usize, least: usize, most: usize) {
        if found < least {
            self.faults.add(FaultCode::Empty, node.span, "there must be at least one entry");
        } else if found > most {
            let message = format!("{found} entries are too many; there may be {most}");
            self.faults.add(FaultCode::TooMany, node.span, message);
        }
    }

    fn list(&mut self, node: &Node, of: &Form, least: usize, most: usize) {
        let NodeValue::List(items) = &node.value else {
            return self.wrong_type(node, "a list");
        };
        self.length(node, items.len(), least, most);
        items.iter().for_each(|item| self.form(item, of));
    }

    fn map(&mut self, node: &Node, (key, of): (&Form, &Form), least: usize, most: usize) {
        let NodeValue::Map(entries) = &node.value else {
            return self.wrong_type(node, "a mapping");
        };
        self.length(node, entries.len(), least, most);
        self.doubled_keys(entries);
        for entry in entries {
            let name = Node { span: entry.key_span, value: NodeValue::Text(entry.key.clone()) };
            self.form(&name, key);
            self.form(&entry.value, of);
        }
    }

    fn doubled_keys(&mut self, entries: &[Entry]) {
        let mut lines = BTreeMap::new();
        for Entry { key, key_span, .. } in entries {
            if let Some(line) = lines.get(key) {
                let message =
                    format!("the key {} is here twice; the first is in line {line}", quoted(key));
                self.faults.add(FaultCode::DuplicateKey, *key_span, message);
            } else {
                lines.insert(key, key_span.start.line);
            }
        }
    }

    fn shape(&mut self, node: &Node, shape: &Shape) {
        let NodeValue::Map(entries) = &node.value else {
            return self.wrong_type(node, &format!("{}, which is a mapping", shape.name));
        };
        self.doubled_keys(entries);
        for Entry { key, key_span, value } in entries {
            match shape.key(key) {
                Some(known) => self.form(value, &known.form),
                None => {
                    let free = shape
                        .keys
                        .iter()
                        .map(|key| key.name)
                        .filter(|name| node.get(name).is_none());
                    let message =
                        format!("{} has no key {}{}", shape.name, quoted(key), hint(key, free));
                    self.faults.add(FaultCode::UnknownKey, *key_span, message);
                }
            }
        }
        self.missing_keys(node, shape);
    }

    fn missing_keys(&mut self, node: &Node, shape: &Shape) {
        let required = shape.keys.iter().filter(|key| key.presence == Presence::Required);
        for key in required.filter(|key| node.get(key.name).is_none()) {
            let message = format!("{} needs the key `{}`: {}", shape.name, key.name, key.about);
            self.faults.add(FaultCode::MissingKey, node.span, message);
        }
        if !shape.one_of.is_empty() && shape.one_of.iter().all(|name| node.get(name).is_none()) {
            let message =
                format!("{} needs one of the keys `{}`", shape.name, shape.one_of.join("`, `"));
            self.faults.add(FaultCode::MissingKey, node.span, message);
        }
    }

    /// A condition; its form is told by which first key of a form it has.
    fn condition(&mut self, node: &Node) {
        let NodeValue::Map(entries) = &node.value else {
            return self.wrong_type(node, "a condition, which is a mapping");
        };
        if self.depth == CONDITION_DEPTH {
            let message =
                format!("conditions may be nested {CONDITION_DEPTH} levels deep, no deeper");
            return self.faults.add(FaultCode::ConditionDepth, node.span, message);
        }
        let told =
            |shape: &&&Shape| shape.keys.first().is_some_and(|key| node.get(key.name).is_some());
        let found: Vec<_> = CONDITIONS.iter().filter(told).collect();
        self.depth += 1;
        match found.as_slice() {
            [form] => self.shape(node, form),
            [] => self.faults.add(FaultCode::BadCondition, node.span, no_form(entries)),
            several => {
                let names: Vec<_> = several.iter().map(|shape| shape.name).collect();
                let message = format!(
                    "this is {} at once; join them with `all` or `any`",
                    names.join(" and ")
                );
                self.faults.add(FaultCode::BadCondition, node.span, message);
            }
        }
        self.depth -= 1;
    }
}

fn no_form(entries: &[Entry]) -> String {
    let forms = || CONDITIONS.iter().filter_map(|shape| shape.keys.first()).map(|key| key.name);
    match entries.first() {
        Some(entry) => {
            format!(
                "no condition is told by the key {}{}",
                quoted(&entry.key),
                hint(&entry.key, forms())
            )
        }
        None => format!(
            "a condition can't be empty; it has one of the keys `{}`",
            forms().collect::<Vec<_>>().join("`, `")
        ),
    }
}
