//! What an unquoted word of YAML stands for, by the core schema of YAML 1.2: so `yes`, `no` and `on` are text. Must not
//! guess beyond it.

use pilotage_domain::definition::node::NodeValue;

/// The value of an unquoted word.
pub(super) fn resolve(word: &str) -> NodeValue {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => NodeValue::Null,
        "true" | "True" | "TRUE" => NodeValue::Bool(true),
        "false" | "False" | "FALSE" => NodeValue::Bool(false),
        _ => number(word).map_or_else(|| NodeValue::Text(word.into()), NodeValue::Number),
    }
}

fn number(word: &str) -> Option<f64> {
    if let Some(digits) = word.strip_prefix("0o") {
        return based(digits, 8);
    }
    if let Some(digits) = word.strip_prefix("0x") {
        return based(digits, 16);
    }
    let (sign, size) = match word.strip_prefix('-') {
        Some(size) => (-1.0, size),
        None => (1.0, word.strip_prefix('+').unwrap_or(word)),
    };
    match size {
        ".inf" | ".Inf" | ".INF" => Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if size == word => Some(f64::NAN),
        _ if is_decimal(size) => size.parse().ok().map(|size: f64| sign * size),
        _ => None,
    }
}

fn based(digits: &str, base: u32) -> Option<f64> {
    let values = digits.chars().map(|c| c.to_digit(base)).collect::<Option<Vec<_>>>()?;
    let size = values.iter().fold(0.0, |sum, digit| sum * f64::from(base) + f64::from(*digit));
    (!values.is_empty()).then_some(size)
}

/// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, then perhaps an exponent.
fn is_decimal(word: &str) -> bool {
    let (mantissa, exponent) = match word.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (word, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|text| {
        let size = text.strip_prefix(['+', '-']).unwrap_or(text);
        !size.is_empty() && digits(size)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_core_schema() {
        let numbers: [(&str, f64); 14] = [
            ("0", 0.0),
            ("7", 7.0),
            ("-7", -7.0),
            ("+7", 7.0),
            ("007", 7.0),
            ("0o17", 15.0),
            ("0xfF", 255.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("-1.5e-3", -0.0015),
            ("1E3", 1000.0),
            (".inf", f64::INFINITY),
            ("-.INF", f64::NEG_INFINITY),
            ("+.inf", f64::INFINITY),
        ];
        for (word, number) in numbers {
            assert_eq!(resolve(word), NodeValue::Number(number), "{word}");
        }
        assert!(matches!(resolve(".nan"), NodeValue::Number(n) if n.is_nan()));
        for word in ["", "~", "null"] {
            assert_eq!(resolve(word), NodeValue::Null);
        }
        assert_eq!(
            [resolve("true"), resolve("FALSE")],
            [NodeValue::Bool(true), NodeValue::Bool(false)]
        );
    }

    #[test]
    fn everything_else_is_text() {
        for word in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
            "tRue",
            "1.2.3",
            "0o8",
            "0x",
            "0o",
            ".",
            "-",
            "+",
            "e5",
            "1e",
            "1e+",
            "-.nan",
            "inf",
            "NaN",
            "1_000",
            "-0x1f",
            "0b1",
            "2026-11-22",
        ] {
            assert_eq!(resolve(word), NodeValue::Text(word.into()), "{word}");
        }
    }
}
