//! From a variant to the words that this user would read: locale fallback and slots. Must not judge the words.

use std::borrow::Cow;

use super::Rendered;
use crate::definition::table::Ix;
use crate::definition::{Attribute, Copy, Piece, Template, Variant};
use crate::value::Scalar;

/// The tag, then what is left as its last subtags are taken away: `de-AT`, `de`.
pub fn fallbacks(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| tag.rfind(['-', '_']).and_then(|end| tag.get(..end)))
}

/// Whether two language tags are the same but for case and the kind of dash.
pub fn same_tag(a: &str, b: &str) -> bool {
    let same = |x: u8, y: u8| {
        x.eq_ignore_ascii_case(&y) || (x == b'_' && y == b'-') || (x == b'-' && y == b'_')
    };
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(x, y)| same(x, y))
}

/// The variant's copy in the wanted locale, else in the nearest wider one, else in the default, with its tag as written.
pub(super) fn in_locale<'d>(
    variant: &'d Variant,
    wanted: Option<&str>,
    default: &str,
) -> Option<(&'d str, &'d Copy)> {
    let find = |tag: &str| variant.copy.iter().find(|(written, _)| same_tag(written, tag));
    let wanted = wanted.and_then(|tag| fallbacks(tag).find_map(find));
    wanted.or_else(|| find(default)).map(|(tag, copy)| (&**tag, copy))
}

/// Whether the copy is the same for every user.
pub(super) fn is_fixed(copy: &Copy) -> bool {
    let parts = [Some(&copy.title), copy.body.as_ref(), copy.cta.as_ref()];
    parts.into_iter().flatten().all(has_no_slot)
}

/// Whether the words are the same for every user.
pub(super) fn has_no_slot(template: &Template) -> bool {
    template.0.iter().all(|piece| matches!(piece, Piece::Words(_)))
}

/// Copy without slots, as it is.
pub(super) fn fixed(locale: &str, copy: &Copy) -> Rendered {
    let join = |t: &Template| -> Box<str> {
        let words = t.0.iter().map(|piece| match piece {
            Piece::Words(words) => &**words,
            Piece::Slot { .. } => "",
        });
        words.collect::<String>().into()
    };
    Rendered {
        title: join(&copy.title),
        body: copy.body.as_ref().map(join),
        cta: copy.cta.as_ref().map(join),
        locale: locale.into(),
    }
}

/// The copy with its slots filled, or the attribute that a slot lacks. A blank value fills nothing.
pub(super) fn render<'v>(
    (locale, copy): (&str, &Copy),
    value: impl Fn(Ix<Attribute>) -> Option<&'v Scalar>,
) -> Result<Rendered, Ix<Attribute>> {
    let fill_opt = |t: &Option<Template>| t.as_ref().map(|t| fill(t, &value)).transpose();
    Ok(Rendered {
        title: fill(&copy.title, &value)?,
        body: fill_opt(&copy.body)?,
        cta: fill_opt(&copy.cta)?,
        locale: locale.into(),
    })
}

fn fill<'v>(
    template: &Template,
    value: &impl Fn(Ix<Attribute>) -> Option<&'v Scalar>,
) -> Result<Box<str>, Ix<Attribute>> {
    let mut text = String::new();
    for piece in &template.0 {
        match piece {
            Piece::Words(words) => text.push_str(words),
            Piece::Slot { attribute, fallback } => {
                let value = value(*attribute).map(in_words);
                let filled = value.filter(|v| !v.trim().is_empty());
                let fallback = || fallback.as_deref().map(Cow::Borrowed);
                text.push_str(&filled.or_else(fallback).ok_or(*attribute)?);
            }
        }
    }
    Ok(text.into())
}

fn in_words(value: &Scalar) -> Cow<'_, str> {
    match value {
        Scalar::Text(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}
