//! The name of a situation: the same for every user whom the same guides fit in the same circumstances. Must not hold
//! the user's id, path or text, an instant, or anything personal.

use crate::canonical;
use crate::definition::table::Ix;
use crate::definition::{Attribute, AttributeForm, Definition, Feature, Variant};
use crate::hash::ContentHash;
use crate::id::{GuideId, PromptId};
use crate::rules::{Situation, copy, status_name};
use crate::time::Millis;
use crate::value::{Scalar, Value};

/// The prompt of a situation about which no model is asked.
const NO_PROMPT: &str = "none";

/// SHA-256 of the canonical JSON (RFC 8785) of
/// `{catalogue, features: {…}, guides: […], milestones: {…}, prompt}`: the definition's hash, the bucketed features, the
/// ids (ascending) of the guides that pass state, when, never, lifecycle and the app version, and every milestone's
/// status. Where a feature has no value, it is `null`. The prompt is `none`: no model is asked.
pub fn signature(situation: &Situation<'_>, guides: &[&GuideId]) -> ContentHash {
    hashed(NO_PROMPT, features(situation), situation, guides)
}

/// The same for a situation about which a model is asked with this prompt.
pub fn signature_for(
    prompt: &PromptId,
    situation: &Situation<'_>,
    guides: &[&GuideId],
) -> ContentHash {
    hashed(prompt.as_str(), features(situation), situation, guides)
}

/// The wider situation around it: the same without any feature, so that the milestones and the guides alone count.
pub fn parent(prompt: &PromptId, situation: &Situation<'_>, guides: &[&GuideId]) -> ContentHash {
    hashed(prompt.as_str(), Vec::new(), situation, guides)
}

/// A feature's name and its bucket.
pub(crate) type Bucket = (Box<str>, Value);

/// The bucketed features in the order of the file.
pub(crate) fn features(situation: &Situation<'_>) -> Vec<Bucket> {
    let features = situation.view.definition.features.iter();
    features.filter_map(|feature| bucketed(situation, feature)).collect()
}

fn hashed(
    prompt: &str,
    features: Vec<Bucket>,
    situation: &Situation<'_>,
    guides: &[&GuideId],
) -> ContentHash {
    ContentHash::of_bytes(context(prompt, features, situation, guides).as_bytes())
}

/// The canonical JSON, written at once: identifiers need no escapes and sort as their bytes do.
fn context(
    prompt: &str,
    features: Vec<Bucket>,
    situation: &Situation<'_>,
    guides: &[&GuideId],
) -> String {
    let definition = situation.view.definition;
    let features = canonical::to_string(&Value::Map(features));
    let mut milestones: Vec<(&str, &str)> = definition
        .milestones
        .entries()
        .map(|(ix, milestone)| (milestone.id.as_str(), status_name(situation.status(ix))))
        .collect();
    milestones.sort_unstable();
    let mut guides: Vec<&str> = guides.iter().map(|id| id.as_str()).collect();
    guides.sort_unstable();
    let mut json = String::with_capacity(1024);
    json.push_str("{\"catalogue\":\"");
    let digits = definition.hash.digits();
    push_all(&mut json, [std::str::from_utf8(&digits).unwrap_or_default()]);
    push_all(&mut json, ["\",\"features\":", &features, ",\"guides\":["]);
    for (place, id) in guides.into_iter().enumerate() {
        push_all(&mut json, [if place == 0 { "\"" } else { ",\"" }, id, "\""]);
    }
    json.push_str("],\"milestones\":{");
    for (place, (id, status)) in milestones.into_iter().enumerate() {
        push_all(&mut json, [if place == 0 { "\"" } else { ",\"" }, id, "\":\"", status, "\""]);
    }
    push_all(&mut json, ["},\"prompt\":\"", prompt, "\"}"]);
    json
}

fn push_all<const N: usize>(json: &mut String, parts: [&str; N]) {
    parts.into_iter().for_each(|part| json.push_str(part));
}

fn text(words: &str) -> Value {
    Value::Text(words.into())
}

/// The feature's name and its bucket.
fn bucketed(s: &Situation<'_>, feature: &Feature) -> Option<Bucket> {
    let attributes = &s.view.definition.attributes;
    match feature {
        Feature::Attribute { attribute, buckets } => {
            let declared = &attributes[*attribute];
            (!declared.personal)
                .then(|| (declared.name.clone(), attribute_bucket(s, *attribute, buckets)))
        }
        Feature::Major(attribute) => {
            let name = format!("{}.major", attributes[*attribute].name);
            let major =
                version(s, *attribute).map_or(Value::Null, |v| Value::Number(v.major as f64));
            Some((name.into(), major))
        }
        Feature::LastError => {
            let last = s.view.profile.last_error.as_ref();
            Some(("lastError".into(), last.map_or(Value::Null, |(name, _)| text(name.as_str()))))
        }
        Feature::DaysSinceSignup => {
            let begun = s.view.profile.signup.filter(|signup| *signup <= s.view.now);
            let age = begun.map(|signup| s.view.now.since(signup));
            Some(("daysSinceSignup".into(), age.map_or(Value::Null, |age| text(days(age)))))
        }
    }
}

const fn days(age: Millis) -> &'static str {
    match age.get() / Millis::days(1).get() {
        0 => "d0",
        1 => "d1",
        2..=3 => "d2_3",
        4..=7 => "d4_7",
        8..=14 => "d8_14",
        _ => "d15plus",
    }
}

/// The app version as the gates see it; any other version as the profile has it.
fn version(s: &Situation<'_>, attribute: Ix<Attribute>) -> Option<semver::Version> {
    if attribute == s.view.definition.app_version {
        return s.app_version.known().cloned();
    }
    match s.view.attribute(attribute)? {
        Scalar::Text(text) => semver::Version::parse(text).ok(),
        _ => None,
    }
}

fn attribute_bucket(s: &Situation<'_>, ix: Ix<Attribute>, buckets: &[f64]) -> Value {
    let definition = s.view.definition;
    let form = &definition.attributes[ix].form;
    match (form, s.view.attribute(ix)) {
        (AttributeForm::Version, _) => version(s, ix)
            .map_or(Value::Null, |v| text(&format!("{}.{}.{}", v.major, v.minor, v.patch))),
        (AttributeForm::Locale, value) => {
            let own = value.and_then(|value| match value {
                Scalar::Text(tag) => Some(&**tag),
                _ => None,
            });
            let tag = if ix == definition.locale { s.locale } else { own };
            text(known_locale(definition, tag))
        }
        (_, Some(Scalar::Number(n))) => text(&number_bucket(*n, buckets)),
        (_, Some(Scalar::Bool(b))) => Value::Bool(*b),
        (AttributeForm::Enum(_), Some(Scalar::Text(word))) => text(word),
        _ => Value::Null,
    }
}

/// The nearest locale that some copy of the catalogue is written in: what a caller sends never gets in as it is.
fn known_locale<'a>(definition: &'a Definition, tag: Option<&str>) -> &'a str {
    let variants = || definition.guides.iter().flat_map(|guide| guide.variants.iter());
    let written = |tag: &str| {
        let find =
            |variant: &'a Variant| variant.copy.keys().find(|known| copy::same_tag(known, tag));
        variants().find_map(find)
    };
    let nearest = tag.and_then(|tag| copy::fallbacks(tag).find_map(written));
    nearest.map_or(&definition.default_locale, |tag| tag)
}

/// `lt_10`, `10_to_50`, `ge_50` for bounds 10 and 50; without bounds by powers of two, `1_to_2`, `2_to_4` and so on, with
/// `neg`, `0` and `lt_1` below.
fn number_bucket(number: f64, bounds: &[f64]) -> String {
    if bounds.is_empty() {
        return power_bucket(number);
    }
    let place = bounds.partition_point(|bound| *bound <= number);
    let below = place.checked_sub(1).and_then(|place| bounds.get(place));
    match (below, bounds.get(place)) {
        (Some(low), Some(high)) => format!("{low}_to_{high}"),
        (Some(low), None) => format!("ge_{low}"),
        (None, Some(high)) => format!("lt_{high}"),
        (None, None) => String::new(),
    }
}

fn power_bucket(number: f64) -> String {
    if number < 0.0 {
        return "neg".to_owned();
    }
    if number < 1.0 {
        return if number == 0.0 { "0" } else { "lt_1" }.to_owned();
    }
    // The exponent as the bits have it: exact, where a logarithm may be off by one.
    let exponent = (number.to_bits() >> 52) as i32 - 1023;
    let low = 2f64.powi(exponent);
    format!("{low}_to_{}", low * 2.0)
}

#[cfg(test)]
mod tests;
