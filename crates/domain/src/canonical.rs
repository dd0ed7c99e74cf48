//! Canonical JSON (RFC 8785): one text for one value, on every machine, so that its hash means the value. Must not lose
//! or reorder anything that a reader could tell apart.

use std::fmt::Write;

use crate::value::Value;

/// The canonical text. Of a doubled key the last member counts, as everywhere; a number that is not finite, which JSON
/// can't hold, becomes `null`.
pub fn to_string(value: &Value) -> String {
    // Room for the features of most situations.
    let mut out = String::with_capacity(192);
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, *number),
        Value::Text(text) => write_text(out, text),
        Value::List(items) => write_list(out, items),
        Value::Map(members) => write_map(out, members),
    }
}

fn write_list(out: &mut String, items: &[Value]) {
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_value(out, item);
    }
    out.push(']');
}

/// Members in the order of their keys' UTF-16 code units, which differs from the order of code points beyond U+FFFF.
fn write_map(out: &mut String, members: &[(Box<str>, Value)]) {
    let mut newest_first: Vec<_> = members.iter().rev().collect();
    newest_first.sort_by(|(a, _), (b, _)| {
        // Plain letters sort as their bytes do, which is far less work.
        if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
    });
    newest_first.dedup_by(|(later, _), (earlier, _)| later == earlier);
    out.push('{');
    for (place, (key, value)) in newest_first.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_text(out, key);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

/// The text as a JSON string.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => put(out, format_args!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// As ECMAScript's `Number::toString` prints it: the shortest digits that read back as the same double, in plain form
/// between 10⁻⁷ and 10²¹, else with an exponent.
pub(crate) fn write_number(out: &mut String, number: f64) {
    /// Below this every whole number is a double of its own, and printed as it stands.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if !number.is_finite() {
        return out.push_str("null");
    }
    if number.trunc() == number && number.abs() < WHOLE {
        return put(out, format_args!("{}", number as i64));
    }
    if number < 0.0 {
        out.push('-');
    }
    let scientific = shortest(number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    write_digits(out, &digits, exponent.parse().unwrap_or(0));
}

/// The shortest digits that read back, in scientific form. Where two are equally near, Rust takes the greater and
/// ECMAScript the even one; rounding the exact value to as many digits finds the latter.
fn shortest(number: f64) -> String {
    let greater = format!("{number:e}");
    let digits = greater.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{number:.*e}", digits.saturating_sub(1));
    if even.parse() == Ok(number) { even } else { greater }
}

/// Writes 0.d₁d₂d₃… times ten to the power `exponent + 1`.
fn write_digits(out: &mut String, digits: &str, exponent: i32) {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent + 1;
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
    if (count..=21).contains(&point) {
        put(out, format_args!("{digits}{}", zeros(point - count)));
    } else if (1..=21).contains(&point) {
        let (whole, rest) = cut(digits, usize::try_from(point).unwrap_or(0));
        put(out, format_args!("{whole}.{rest}"));
    } else if (-5..=0).contains(&point) {
        put(out, format_args!("0.{}{digits}", zeros(-point)));
    } else {
        let (first, rest) = cut(digits, 1);
        let point = if rest.is_empty() { "" } else { "." };
        put(out, format_args!("{first}{point}{rest}e{exponent:+}"));
    }
}

fn cut(digits: &str, at: usize) -> (&str, &str) {
    digits.split_at_checked(at).unwrap_or((digits, ""))
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A String can't refuse what is written to it.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 8785, appendix B: the bits of the double and its canonical text.
    const NUMBERS: [(u64, &str); 26] = [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        (0x7fff_ffff_ffff_ffff, "null"),
        (0x7ff0_0000_0000_0000, "null"),
    ];

    fn canonical(json: &str) -> String {
        to_string(&serde_json::from_str(json).expect("valid JSON"))
    }

    #[test]
    fn numbers_print_as_ecmascript_prints_them() {
        for (bits, text) in NUMBERS {
            assert_eq!(to_string(&Value::Number(f64::from_bits(bits))), text, "{bits:016x}");
        }
    }

    #[test]
    fn the_rfcs_sample_comes_out_as_the_rfc_says() {
        let sample = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let expected = concat!(
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
            r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        assert_eq!(canonical(sample), expected);
    }

    #[test]
    fn keys_are_ordered_by_utf16_code_units() {
        let sample = r#"{"\u20ac":"Euro","\r":"CR","\ufb33":"Dalet","1":"One","\ud83d\ude00":"Smile","\u0080":"Control","\u00f6":"o"}"#;
        let order: Vec<String> = canonical(sample)
            .split("\":\"")
            .skip(1)
            .filter_map(|part| part.split('"').next().map(str::to_owned))
            .collect();
        assert_eq!(order, ["CR", "One", "Control", "o", "Euro", "Smile", "Dalet"]);
    }

    #[test]
    fn the_last_of_doubled_keys_counts() {
        assert_eq!(canonical(r#"{"b":1,"a":2,"b":3}"#), r#"{"a":2,"b":3}"#);
    }

    proptest! {
        #[test]
        fn every_finite_number_reads_back_as_itself(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            prop_assert_eq!(to_string(&Value::Number(number)).parse::<f64>().ok(), Some(number));
        }

        #[test]
        fn canonical_text_is_a_fixed_point(keys in proptest::collection::vec("\\PC{0,4}", 0..6)) {
            let members = keys.into_iter().map(|k| (k.clone().into(), Value::Text(k.into())));
            let once = to_string(&Value::Map(members.collect()));
            prop_assert_eq!(canonical(&once), once);
        }
    }
}
