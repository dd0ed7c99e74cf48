//! Every comparison on every kind of value.

use super::*;
use crate::profile::fixture::{json, text};

fn number(n: f64) -> Scalar {
    Scalar::Number(n)
}

fn eq(wanted: Scalar) -> Test {
    Test { eq: Some(wanted), ..Test::default() }
}
fn ne(unwanted: Scalar) -> Test {
    Test { ne: Some(unwanted), ..Test::default() }
}
fn any_of(wanted: &[Scalar]) -> Test {
    Test { any_of: Some(wanted.to_vec()), ..Test::default() }
}
fn gte(least: Scalar) -> Test {
    Test { gte: Some(least), ..Test::default() }
}
fn lte(most: Scalar) -> Test {
    Test { lte: Some(most), ..Test::default() }
}
fn exists(wanted: bool) -> Test {
    Test { exists: Some(wanted), ..Test::default() }
}
fn version(test: Test) -> Test {
    Test { as_version: true, ..test }
}

#[test]
fn values_pass_as_the_table_says() {
    let table: [(Test, &str, bool); 32] = [
        (eq(number(2.0)), "2", true),
        (eq(number(2.0)), "\"2\"", false),
        (eq(text("a")), "\"a\"", true),
        (eq(text("a")), "\"A\"", false),
        (eq(Scalar::Bool(false)), "false", true),
        (eq(Scalar::Bool(false)), "0", false),
        (eq(text("a")), "null", false),
        (eq(text("a")), "[\"a\"]", false),
        (ne(text("a")), "\"b\"", true),
        (ne(text("a")), "\"a\"", false),
        (ne(text("a")), "null", true),
        (ne(text("a")), "{}", true),
        (any_of(&[text("a"), number(3.0)]), "3", true),
        (any_of(&[text("a"), number(3.0)]), "\"a\"", true),
        (any_of(&[text("a"), number(3.0)]), "\"b\"", false),
        (any_of(&[text("a")]), "null", false),
        (gte(number(3.0)), "3", true),
        (gte(number(3.0)), "2.9", false),
        (gte(number(3.0)), "4", true),
        (gte(number(3.0)), "\"4\"", false),
        (gte(text("a")), "\"b\"", false),
        (gte(number(3.0)), "null", false),
        (lte(number(3.0)), "3", true),
        (lte(number(3.0)), "3.1", false),
        (lte(number(3.0)), "-1", true),
        (exists(true), "0", true),
        (exists(true), "[]", true),
        (exists(true), "null", false),
        (exists(false), "null", true),
        (exists(false), "false", false),
        (exists(false), "{}", false),
        (Test::default(), "null", true),
    ];
    for (test, value, expected) in table {
        let value = json(value);
        assert_eq!(test.passes_value(Some(&value)), expected, "{test:?} {value:?}");
        if let Some(scalar) = value.as_scalar() {
            assert_eq!(test.passes(Some(&scalar)), expected, "{test:?} {scalar:?}");
        }
        if value == Value::Null {
            assert_eq!(test.passes(None), expected, "{test:?} absent");
            assert_eq!(test.passes_value(None), expected, "{test:?} absent");
        }
    }
}

#[test]
fn versions_go_by_precedence() {
    let v = || text("2.10.0");
    let table = [
        (gte(v()), "2.10.0", true),
        (gte(v()), "2.9.0", false),
        (gte(v()), "10.0.0", true),
        (gte(v()), "2.10.0-rc.1", false),
        (gte(v()), "two", false),
        (lte(v()), "2.9.0", true),
        (lte(v()), "2.10.0+build.5", true),
        (lte(v()), "2.11.0", false),
        (eq(v()), "2.10.0+build.5", true),
        (eq(v()), "2.10.1", false),
        (ne(v()), "2.10.0+build.5", false),
        (ne(v()), "2.10.1", true),
        (any_of(&[text("1.0.0"), v()]), "2.10.0+a", true),
        (any_of(&[text("1.0.0"), v()]), "2.0.0", false),
    ];
    for (test, user, expected) in table {
        let test = version(test);
        assert_eq!(test.passes(Some(&text(user))), expected, "{test:?} {user}");
    }
    assert!(!version(gte(number(1.0))).passes(Some(&number(2.0))), "a number is no version");
    assert!(!version(gte(v())).passes(None));
}

#[test]
fn every_part_must_pass() {
    let between = Test { lte: Some(number(5.0)), ..gte(number(3.0)) };
    let but_four = Test { ne: Some(number(4.0)), ..between };
    let passing: Vec<u32> =
        (0..9).filter(|n| but_four.passes(Some(&number(f64::from(*n))))).collect();
    assert_eq!(passing, [3, 5]);
}
