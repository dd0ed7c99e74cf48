//! Whether a small text has the form that the grammar says. Must not resolve names.

use crate::definition::check::scalar;
use crate::definition::check::suggest::hint;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::grammar::{Form, Kind, MOST_TEMPLATE};
use crate::definition::node::{Node, quoted};
use crate::id::MilestoneId;
use crate::profile::attribute::normal_locale;
use crate::time::Millis;

/// Notes what is wrong with the text.
pub(super) fn check(node: &Node, text: &str, form: &Form, faults: &mut Faults) {
    match form {
        Form::Text(most) => plain(node, text, *most, faults),
        Form::Template => length(node, text, MOST_TEMPLATE, faults),
        Form::Duration(least, most) => duration(node, text, *least, *most, faults),
        _ => {
            if let Some((code, fault)) = fault_of(text, form) {
                faults.add(code, node.span, format!("{} {fault}", quoted(text)));
            }
        }
    }
}

/// What such a place wants, for a fault about something that is no text at all.
pub(super) fn wanted(form: &Form) -> String {
    let wanted = match form {
        Form::Duration(..) => "a duration such as `24h`",
        Form::Time => "a time such as `2027-01-31T00:00:00Z`",
        Form::VersionRange => "text with a version range such as `\">=2.0.0, <4.0.0\"`",
        Form::Path => "a path such as `/projects`",
        Form::Reference(Kind::Event) => "text that names an event type",
        Form::Reference(Kind::Error) => "text that names an error",
        Form::Reference(Kind::Attribute) => "text that names an attribute",
        Form::Reference(Kind::Milestone) => "text that names a milestone",
        Form::Reference(Kind::Anchor) => "text: `signup`, `last_event` or a milestone",
        Form::Reference(Kind::Route) => "text that names a route",
        Form::Reference(Kind::RouteOrAny) => "text: a route, or `*` for any",
        Form::Reference(Kind::Target) => "text that names a target",
        Form::Word(words) => {
            let words: Vec<_> = words().into_iter().map(|(word, _)| word).collect();
            return format!("one of `{}`", words.join("`, `"));
        }
        _ => "text",
    };
    wanted.to_owned()
}

fn length(node: &Node, text: &str, most: usize, faults: &mut Faults) {
    let found = text.chars().count();
    if text.trim().is_empty() {
        faults.add(FaultCode::Empty, node.span, "there must be words here");
    } else if found > most {
        faults.add(
            FaultCode::TooLong,
            node.span,
            format!("{found} characters are too long; there may be {most}"),
        );
    }
}

fn plain(node: &Node, text: &str, most: usize, faults: &mut Faults) {
    length(node, text, most, faults);
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\n') {
        let message = format!("the control character {} can't be here", c.escape_unicode());
        faults.add(FaultCode::TextControl, node.span, message);
    }
}

fn duration(node: &Node, text: &str, least: Millis, most: Millis, faults: &mut Faults) {
    match scalar::duration(text) {
        None => {
            let message = format!(
                "{} is no duration: an integer and one of s, m, h, d, such as `24h`",
                quoted(text)
            );
            faults.add(FaultCode::BadDuration, node.span, message);
        }
        Some(length) if (least..=most).contains(&length) => {}
        Some(_) => {
            let message = format!("{} is not between {least} and {most}", quoted(text));
            faults.add(FaultCode::OutOfRange, node.span, message);
        }
    }
}

/// The code and the rest of a sentence that begins with the text.
fn fault_of(text: &str, form: &Form) -> Option<(FaultCode, String)> {
    use FaultCode::{
        BadIdentifier, BadLocale, BadPath, BadPattern, BadTime, BadVersionRange, UnknownWord,
    };
    let unless = |fits: bool, code, fault: &str| {
        if fits { None } else { Some((code, fault.to_owned())) }
    };
    match form {
        Form::Identifier => MilestoneId::new(text)
            .err()
            .map(|error| (BadIdentifier, format!("is no identifier: it {error}"))),
        Form::EventName => unless(
            scalar::is_event_name(text),
            BadIdentifier,
            "is no name for an event type: 1 to 64 letters, digits and _ . : -",
        ),
        Form::AttributeName => unless(
            scalar::is_attribute_name(text),
            BadIdentifier,
            "is no name for an attribute: a letter, then letters, digits, _ and -, at most 64",
        ),
        Form::PayloadPath => unless(
            scalar::is_payload_path(text),
            BadPath,
            "is no path into a payload: names joined by single dots, at most 200 bytes",
        ),
        Form::Locale => unless(
            normal_locale(text).is_some(),
            BadLocale,
            "is no language tag such as `en` or `de-AT`",
        ),
        Form::Time => unless(
            scalar::timestamp(text).is_some(),
            BadTime,
            "is no RFC 3339 time such as `2027-01-31T00:00:00Z`",
        ),
        Form::Path => {
            scalar::path_fault(text).map(|fault| (BadPath, format!("is no path: {fault}")))
        }
        Form::VersionRange => scalar::version_range(text)
            .err()
            .map(|fault| (BadVersionRange, format!("is no version range: {fault}"))),
        Form::Pattern => {
            scalar::pattern(text).err().map(|fault| (BadPattern, format!("can't be used: {fault}")))
        }
        Form::Word(words) => {
            let words: Vec<_> = words().into_iter().map(|(word, _)| word).collect();
            let fault = || {
                format!(
                    "is not one of the words for this place{}",
                    hint(text, words.iter().copied())
                )
            };
            if words.contains(&text) { None } else { Some((UnknownWord, fault())) }
        }
        _ => None,
    }
}
