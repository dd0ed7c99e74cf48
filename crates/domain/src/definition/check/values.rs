//! Whether any value at all passes some comparisons and fails others, decided by trying the few values that matter. Must
//! not say that none does where one does.

use semver::{BuildMetadata, Prerelease, Version};

use crate::definition::condition::Test;
use crate::definition::{Attribute, AttributeForm};
use crate::value::Scalar;

/// Whether a value (or its absence) passes exactly the wanted ones of the tests. `None` is a value of a payload, which
/// can be anything; an attribute's values have its form, and one with a default is never absent.
///
/// Comparisons tell values apart only by equality with the scalars that they mention and by the order around them, so it
/// is enough to try those, their neighbours, and a text that is none of them.
pub(super) fn can_pass(tests: &[(&Test, bool)], attribute: Option<&Attribute>) -> bool {
    let passes =
        |value: Option<&Scalar>| tests.iter().all(|(test, wanted)| test.passes(value) == *wanted);
    let may_be_absent = attribute.is_none_or(|attribute| attribute.default.is_none());
    (may_be_absent && passes(None))
        || candidates(tests, attribute.map(|a| &a.form)).iter().any(|value| passes(Some(value)))
}

fn candidates(tests: &[(&Test, bool)], form: Option<&AttributeForm>) -> Vec<Scalar> {
    let mentioned = || tests.iter().flat_map(|(test, _)| scalars(test));
    let flags = || [true, false].map(Scalar::Bool);
    match form {
        None => numbers(mentioned()).into_iter().chain(texts(mentioned())).chain(flags()).collect(),
        Some(AttributeForm::Enum(values)) => values.iter().cloned().map(Scalar::Text).collect(),
        Some(AttributeForm::Bool) => flags().to_vec(),
        Some(AttributeForm::Number) => numbers(mentioned()),
        Some(AttributeForm::Version) => versions(mentioned()),
        Some(AttributeForm::Locale | AttributeForm::Text) => texts(mentioned()),
    }
}

fn scalars(test: &Test) -> impl Iterator<Item = &Scalar> {
    let single = [&test.eq, &test.ne, &test.gte, &test.lte].into_iter().flatten();
    single.chain(test.any_of.iter().flatten())
}

fn numbers<'a>(mentioned: impl Iterator<Item = &'a Scalar>) -> Vec<Scalar> {
    let number = |scalar: &Scalar| match scalar {
        Scalar::Number(number) => Some(*number),
        _ => None,
    };
    let around = |n: f64| [n.next_down(), n, n.next_up()];
    let tried = mentioned.filter_map(number).flat_map(around).chain([0.0]);
    tried.filter(|n| n.is_finite()).map(Scalar::Number).collect()
}

fn texts<'a>(mentioned: impl Iterator<Item = &'a Scalar>) -> Vec<Scalar> {
    let mut texts: Vec<Scalar> =
        mentioned.filter(|s| matches!(s, Scalar::Text(_))).cloned().collect();
    // Also a language tag, so that it fits where only those do.
    let fresh = |n: u32| Scalar::Text(format!("qaa-x-{n}").into());
    texts.extend((0..).map(fresh).find(|text| !texts.contains(text)));
    texts
}

/// The mentioned versions, the first of all, and after each the version that follows at once.
fn versions<'a>(mentioned: impl Iterator<Item = &'a Scalar>) -> Vec<Scalar> {
    let version = |scalar: &Scalar| match scalar {
        Scalar::Text(text) => Version::parse(text).ok(),
        _ => None,
    };
    let with_next = |version: Version| [next(&version), Some(version)].into_iter().flatten();
    let first = Version::parse("0.0.0-0").into_iter();
    let tried = mentioned.filter_map(version).flat_map(with_next).chain(first);
    tried.map(|version| Scalar::Text(version.to_string().into())).collect()
}

/// The version right after: with one more pre-release identifier, 0; after a release, the first pre-release of the next.
fn next(version: &Version) -> Option<Version> {
    let (pre, patch) = match version.pre.as_str() {
        "" => ("0".to_owned(), version.patch.checked_add(1)?),
        pre => (format!("{pre}.0"), version.patch),
    };
    let pre = Prerelease::new(&pre).ok()?;
    Some(Version { pre, patch, build: BuildMetadata::EMPTY, ..*version })
}
