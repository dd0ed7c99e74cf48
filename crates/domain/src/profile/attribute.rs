//! Which values fit an attribute, and how a profile keeps them. Must not store a value that does not fit.

use semver::Version;

use super::Profile;
use super::compare::Found;
use crate::definition::{Attribute, AttributeForm, Definition};
use crate::event::Event;
use crate::value::{Scalar, Value};

/// The longest text that a profile keeps, in bytes.
pub const MAX_TEXT: usize = 500;
/// The longest language tag, in bytes: what RFC 5646 (section 4.4.1) asks every reader to allow for.
pub const MAX_LOCALE: usize = 35;

impl AttributeForm {
    /// The value as a profile keeps it, or `None` where it does not fit: members of an enum exactly, versions as
    /// semver reads them, language tags in their usual case (`de-AT`), finite numbers, booleans, text up to `MAX_TEXT`.
    pub fn fit(&self, value: &Value) -> Option<Scalar> {
        self.fit_found(value.into())
    }

    fn fit_found(&self, found: Found<'_>) -> Option<Scalar> {
        match (self, found) {
            (Self::Number, Found::Number(n)) if n.is_finite() => Some(Scalar::Number(n)),
            (Self::Bool, Found::Bool(b)) => Some(Scalar::Bool(b)),
            (_, Found::Text(text)) if text.len() <= MAX_TEXT => {
                self.fit_text(text).map(Scalar::Text)
            }
            _ => None,
        }
    }

    fn fit_text(&self, text: &str) -> Option<Box<str>> {
        match self {
            Self::Enum(members) => members.iter().find(|member| &***member == text).cloned(),
            Self::Version => Version::parse(text).is_ok().then(|| text.into()),
            Self::Locale => normal_locale(text),
            Self::Text => Some(text.into()),
            Self::Number | Self::Bool => None,
        }
    }
}

/// A BCP 47 language tag in its usual case: `DE-at` gives `de-AT`, `ZH-hant-tw` gives `zh-Hant-TW`. The underscore that
/// some platforms write (`de_AT`) is read as the dash that it stands for.
///
/// `None` where the text is no such tag. Subtags are checked for their shape, not looked up.
pub fn normal_locale(tag: &str) -> Option<Box<str>> {
    if tag.len() > MAX_LOCALE {
        return None;
    }
    let mut normal = String::with_capacity(tag.len());
    let mut in_extension = false;
    for subtag in tag.split(['-', '_']) {
        let first = normal.is_empty();
        if !is_subtag(subtag, first) {
            return None;
        }
        if !first {
            normal.push('-');
        }
        push_in_usual_case(&mut normal, subtag, first || in_extension);
        in_extension |= subtag.len() == 1;
    }
    // A single letter or digit begins an extension, which has to say something.
    let ends_well = tag.rsplit(['-', '_']).next().is_some_and(|last| last.len() > 1);
    ends_well.then(|| normal.into_boxed_str())
}

fn is_subtag(text: &str, first: bool) -> bool {
    match first {
        true => (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic()),
        false => (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()),
    }
}

// RFC 5646, section 2.1.1: lower case, save for regions (two letters) and scripts (four) outside of extensions.
fn push_in_usual_case(normal: &mut String, subtag: &str, lower: bool) {
    let capitals = match subtag.len() {
        2 if !lower => 2,
        4 if !lower => 1,
        _ => 0,
    };
    normal.extend(subtag.chars().enumerate().map(|(place, c)| match place < capitals {
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    }));
}

/// Sets what the event says about the user; gives how many values did not fit.
///
/// The context comes first, so that an explicit attribute of the same name wins. `null` removes a value. Names that
/// the definition does not declare are passed over and not counted: callers send more than a product asks about.
pub(super) fn set_all(profile: &mut Profile, definition: &Definition, event: &Event) -> u32 {
    let context = [
        (definition.app_version, &event.context.app_version),
        (definition.locale, &event.context.locale),
    ];
    let mut dropped = 0;
    for (ix, text) in context {
        if let Some(text) = text {
            dropped += set(profile, &definition.attributes[ix], Found::Text(text));
        }
    }
    for (name, value) in &event.attributes {
        if let Some(attribute) = definition.attributes.iter().find(|a| a.name == *name) {
            dropped += set(profile, attribute, value.into());
        }
    }
    profile.dropped_values = profile.dropped_values.saturating_add(dropped);
    dropped
}

/// Takes over values of attributes that have none, as far as the definition declares them and they fit.
pub(super) fn fill(
    profile: &mut Profile,
    definition: &Definition,
    others: Vec<(Box<str>, Scalar)>,
) {
    for (name, value) in others {
        if profile.attribute(&name).is_none()
            && let Some(attribute) = definition.attributes.iter().find(|a| a.name == name)
        {
            set(profile, attribute, Found::from(&value));
        }
    }
}

/// Sets or removes one value; gives 1 where it did not fit, else 0.
fn set(profile: &mut Profile, attribute: &Attribute, found: Found<'_>) -> u32 {
    let values = &mut profile.attributes;
    let place = values.binary_search_by(|(name, _)| name.cmp(&attribute.name));
    let current = place.ok().and_then(|at| values.get_mut(at)).map(|(_, value)| value);
    // Most events repeat what is known: nothing to check or to allocate.
    if current.as_deref().map_or(Found::Nothing, Found::from) == found {
        return 0;
    }
    if let (Found::Nothing, Ok(at)) = (found, place) {
        values.remove(at);
        return 0;
    }
    let Some(fitting) = attribute.form.fit_found(found) else {
        return 1;
    };
    match (current, place) {
        (Some(current), _) => *current = fitting,
        (None, Ok(at) | Err(at)) => values.insert(at, (attribute.name.clone(), fitting)),
    }
    0
}

#[cfg(test)]
mod tests;
