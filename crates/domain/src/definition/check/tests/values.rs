//! Whether a value exists for a set of comparisons, against trying out a grid of values.

use proptest::prelude::*;
use proptest::sample::select;
use semver::Version;

use crate::definition::check::values::can_pass;
use crate::definition::condition::Test;
use crate::definition::{Attribute, AttributeForm};
use crate::value::Scalar;

fn attribute(form: AttributeForm, default: Option<Scalar>) -> Attribute {
    Attribute { name: "a".into(), form, default, personal: false }
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.into())
}

/// A test of up to three comparisons with these scalars.
fn test(scalars: Vec<Scalar>, as_version: bool) -> impl Strategy<Value = Test> {
    let one = || proptest::option::weighted(0.3, select(scalars.clone()));
    let list =
        proptest::option::weighted(0.2, proptest::collection::vec(select(scalars.clone()), 1..3));
    let exists = proptest::option::weighted(0.2, any::<bool>());
    (one(), one(), one(), one(), list, exists).prop_map(
        move |(eq, ne, gte, lte, any_of, exists)| Test {
            eq,
            ne,
            any_of,
            gte,
            lte,
            exists,
            as_version,
        },
    )
}

fn tests(scalars: Vec<Scalar>, as_version: bool) -> impl Strategy<Value = Vec<(Test, bool)>> {
    proptest::collection::vec((test(scalars, as_version), any::<bool>()), 1..4)
}

/// What trying out says, and what `can_pass` says.
fn both(tests: &[(Test, bool)], attribute: &Attribute, grid: &[Scalar]) -> (bool, bool) {
    let tests: Vec<_> = tests.iter().map(|(test, wanted)| (test, *wanted)).collect();
    let passes =
        |value: Option<&Scalar>| tests.iter().all(|(test, wanted)| test.passes(value) == *wanted);
    let absent = attribute.default.is_none() && passes(None);
    (absent || grid.iter().any(|value| passes(Some(value))), can_pass(&tests, Some(attribute)))
}

const VERSIONS: [&str; 5] = ["1.0.0-a", "1.0.0", "1.0.1-0", "1.0.1", "2.0.0"];

proptest! {
    #[test]
    fn numbers(tests in tests([0.0, 1.0, 2.0].map(Scalar::Number).into(), false), default: bool) {
        let grid: Vec<_> = (-4..=12).map(|n| Scalar::Number(f64::from(n) / 4.0)).collect();
        let attribute = attribute(AttributeForm::Number, default.then_some(Scalar::Number(0.0)));
        let (tried, said) = both(&tests, &attribute, &grid);
        prop_assert_eq!(tried, said);
    }

    #[test]
    fn versions(tests in tests(VERSIONS.map(text).into(), true), default: bool) {
        let pre = ["", "-0", "-a", "-a.0", "-a.1", "-b"];
        let all = (0..4).flat_map(|a| (0..2).flat_map(move |b| (0..4).map(move |c| (a, b, c))));
        let all = all.flat_map(|(a, b, c)| pre.map(|pre| format!("{a}.{b}.{c}{pre}")));
        let grid: Vec<_> = all.filter(|v| Version::parse(v).is_ok()).map(|v| text(&v)).collect();
        let attribute = attribute(AttributeForm::Version, default.then_some(text("1.0.0")));
        let (tried, said) = both(&tests, &attribute, &grid);
        prop_assert_eq!(tried, said);
    }

    #[test]
    fn words_of_a_list(tests in tests(["a", "b", "c"].map(text).into(), false), default: bool) {
        let values = ["a", "b", "c"].map(Box::from).into();
        let attribute = attribute(AttributeForm::Enum(values), default.then_some(text("a")));
        let (tried, said) = both(&tests, &attribute, &["a", "b", "c"].map(text));
        prop_assert_eq!(tried, said);
    }

    #[test]
    fn free_text(tests in tests(["a", "b"].map(text).into(), false), default: bool) {
        let attribute = attribute(AttributeForm::Text, default.then_some(text("a")));
        let (tried, said) = both(&tests, &attribute, &["a", "b", "c", "d"].map(text));
        prop_assert_eq!(tried, said);
    }
}
