//! Attributes, declared and implicit, and the values that fit them. Must not know who uses them.

use super::names::Names;
use super::suggest::hint;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::{Entry, Node, quoted};
use crate::definition::{Attribute, AttributeForm};
use crate::value::Scalar;

/// The attribute that `context.appVersion` sets.
pub(super) const APP_VERSION: &str = "appVersion";
/// The attribute that `context.locale` sets.
pub(super) const LOCALE: &str = "locale";
/// The locale of a product that says none.
pub(super) const DEFAULT_LOCALE: &str = "en";

/// The declared attributes in file order, then those of the two implicit ones that are not declared.
pub(super) fn attributes(root: &Node, faults: &mut Faults) -> Names<Attribute> {
    let mut names = Names::new("attribute", FaultCode::UnknownAttribute);
    for entry in root.get("attributes").into_iter().flat_map(Node::entries) {
        if names.find(&entry.key).is_none() {
            let attribute = attribute(entry, faults);
            names.declare(&entry.key, &entry.value, attribute, faults);
        }
    }
    let implicit = [(APP_VERSION, AttributeForm::Version), (LOCALE, AttributeForm::Locale)];
    for (name, form) in implicit {
        if names.find(name).is_none() {
            let default = default_of(name);
            let attribute = Attribute { name: name.into(), form, default, personal: false };
            names.declare(name, root, Some(attribute), faults);
        }
    }
    names
}

fn default_of(name: &str) -> Option<Scalar> {
    (name == LOCALE).then(|| Scalar::Text(DEFAULT_LOCALE.into()))
}

fn attribute(entry: &Entry, faults: &mut Faults) -> Option<Attribute> {
    let (name, node) = (&entry.key, &entry.value);
    let form = form(node, faults);
    if let Some(form) = &form {
        reserved(entry, form, faults);
    }
    let stated = node.get("default");
    let default = stated.zip(form.as_ref()).and_then(|(node, form)| fitting(form, node, faults));
    Some(Attribute {
        name: name.clone(),
        form: form?,
        default: default.or_else(|| default_of(name)),
        personal: node.get("personal").and_then(Node::flag).unwrap_or(false),
    })
}

fn form(node: &Node, faults: &mut Faults) -> Option<AttributeForm> {
    let word = node.get("type")?.text()?;
    let values = node.get("values");
    if let (Some(values), true) = (values, word != "enum") {
        let message = format!("only an enum has `values`; this is of type `{word}`");
        faults.add(FaultCode::MisplacedKey, values.span, message);
    }
    match word {
        "enum" => enum_values(node, values, faults).map(AttributeForm::Enum),
        "version" => Some(AttributeForm::Version),
        "locale" => Some(AttributeForm::Locale),
        "number" => Some(AttributeForm::Number),
        "boolean" => Some(AttributeForm::Bool),
        "text" => Some(AttributeForm::Text),
        _ => None,
    }
}

fn enum_values(node: &Node, values: Option<&Node>, faults: &mut Faults) -> Option<Vec<Box<str>>> {
    let Some(values) = values else {
        faults.add(
            FaultCode::MissingKey,
            node.span,
            "an enum needs the key `values`: a list of text",
        );
        return None;
    };
    let mut found: Vec<Box<str>> = Vec::new();
    for node in values.items() {
        let text = node.text()?;
        if found.iter().any(|known| **known == *text) {
            faults.add(
                FaultCode::DuplicateId,
                node.span,
                format!("the value {} is here twice", quoted(text)),
            );
        }
        found.push(text.into());
    }
    (!found.is_empty()).then_some(found)
}

/// The engine fills two attributes from an event's context: they have to be of the type that it fills in.
fn reserved(entry: &Entry, form: &AttributeForm, faults: &mut Faults) {
    let wanted = match &*entry.key {
        APP_VERSION => AttributeForm::Version,
        LOCALE => AttributeForm::Locale,
        "lastError" | "daysSinceSignup" => {
            let message =
                format!("{} is a feature of the engine; take another name", quoted(&entry.key));
            return faults.add(FaultCode::ReservedName, entry.key_span, message);
        }
        _ => return,
    };
    if *form != wanted {
        let message = format!(
            "{} is filled from an event's context, so it is of type `{}`",
            quoted(&entry.key),
            word(&wanted)
        );
        faults.add(FaultCode::ReservedName, entry.key_span, message);
    }
}

/// The form's word in the file.
pub(super) fn word(form: &AttributeForm) -> &'static str {
    match form {
        AttributeForm::Enum(_) => "enum",
        AttributeForm::Version => "version",
        AttributeForm::Locale => "locale",
        AttributeForm::Number => "number",
        AttributeForm::Bool => "boolean",
        AttributeForm::Text => "text",
    }
}

fn is_finite(scalar: &Scalar) -> bool {
    !matches!(scalar, Scalar::Number(number) if !number.is_finite())
}

/// The scalar as a profile would keep it; notes where it does not fit.
pub(super) fn fitting(form: &AttributeForm, node: &Node, faults: &mut Faults) -> Option<Scalar> {
    let value = node.scalar().filter(is_finite).map(|_| node.to_value())?;
    let fitting = form.fit(&value);
    if fitting.is_none() {
        let cure = match (form, node.text()) {
            (AttributeForm::Enum(values), text) => {
                hint(text.unwrap_or_default(), values.iter().map(|value| &**value))
            }
            (AttributeForm::Version, _) => ", such as \"2.1.0\"".to_owned(),
            _ => String::new(),
        };
        let message =
            format!("{} does not fit an attribute of type `{}`{cure}", node.describe(), word(form));
        faults.add(FaultCode::ValueMismatch, node.span, message);
    }
    fitting
}
