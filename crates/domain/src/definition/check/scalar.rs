//! Small texts with a form of their own: durations, times, version ranges, names, paths, expressions. Must not know
//! where in a file they stand.

use regex::{Regex, RegexBuilder};
use semver::VersionReq;

use crate::definition::grammar::MOST_PATTERN;
use crate::rules::version;
use crate::time::{Millis, Timestamp};

/// The largest compiled form of a regular expression, in bytes.
const PATTERN_SIZE: usize = 256 * 1024;

/// An integer and one of `s m h d`.
pub(super) fn duration(text: &str) -> Option<Millis> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Digits alone that don't parse are too many of them: as long as it gets, and so out of every range.
    let number = digits.parse().unwrap_or(u64::MAX);
    match unit {
        's' => Some(Millis::seconds(number)),
        'm' => Some(Millis::minutes(number)),
        'h' => Some(Millis::hours(number)),
        'd' => Some(Millis::days(number)),
        _ => None,
    }
}

/// A range that at least one version is in; else what is wrong with it.
pub(super) fn version_range(text: &str) -> Result<VersionReq, String> {
    let range = VersionReq::parse(text).map_err(|e| e.to_string())?;
    if version::overlap([&range]) { Ok(range) } else { Err("no version is in it".to_owned()) }
}

/// A case-insensitive expression of bounded size that does not match nothing; else what is wrong with it.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    if text.len() > MOST_PATTERN {
        return Err(format!("it is longer than {MOST_PATTERN} bytes"));
    }
    let pattern =
        RegexBuilder::new(text).case_insensitive(true).size_limit(PATTERN_SIZE).build().map_err(
            |error| match error {
                regex::Error::CompiledTooBig(_) => "it compiles to more than 256 KiB".to_owned(),
                error => last_line(&error.to_string()),
            },
        )?;
    if pattern.is_match("") {
        return Err("it matches even the empty text, so nothing could ever be said".to_owned());
    }
    Ok(pattern)
}

/// The library draws the place over several lines; the last says what is wrong.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or(message).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// `[A-Za-z0-9_.:-]{1,64}`
pub(super) fn is_event_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b))
}

/// A letter, then letters, digits, `_` and `-`; at most 64.
pub(super) fn is_attribute_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Names joined by single dots, at most 200 bytes.
pub(super) fn is_payload_path(text: &str) -> bool {
    text.len() <= 200
        && text.split('.').all(|name| !name.is_empty() && !name.chars().any(char::is_control))
}

/// What is wrong with a path; `None` where it is one.
pub(super) fn path_fault(text: &str) -> Option<&'static str> {
    let segments = || text.split('/').skip(1);
    let last = segments().count();
    let star = |(place, segment): (usize, &str)| {
        segment.contains('*') && (segment != "*" || place + 1 != last)
    };
    let name = |segment: &str| {
        segment.strip_prefix(':').is_some_and(|name| {
            name.is_empty()
                || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        })
    };
    if !text.starts_with('/') {
        Some("it must begin with `/`")
    } else if text.len() > 500 {
        Some("it is longer than 500 bytes")
    } else if text.contains(['?', '#']) {
        Some("a query or fragment is no part of a path")
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        Some("it can't hold white space, control characters or `\\`")
    } else if text.contains("//") {
        Some("a segment is empty")
    } else if segments().enumerate().any(star) {
        Some("`*` must be the whole last segment")
    } else if segments().any(name) {
        Some("after `:` comes a name of letters, digits, `_` and `-`")
    } else {
        None
    }
}

/// Whether a path has variable segments, so that it leads nowhere in particular.
pub(super) fn is_open_path(path: &str) -> bool {
    path.split('/').any(|segment| segment.starts_with(':') || segment == "*")
}

/// An RFC 3339 time with seconds; fractions below a millisecond are cut off.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let (millis, offset) = fraction(rest)?;
    let days = days_since_1970(year, month, day)?;
    // 60 is a leap second: the instant after :59.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds(offset)?;
    Some(Timestamp::from_millis(seconds * 1_000 + millis))
}

fn numbers(text: &str, between: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let numbers = widths.map(|width| {
        let part = parts.next()?;
        let fits = part.len() == width && part.bytes().all(|b| b.is_ascii_digit());
        if fits { part.parse().ok() } else { None }
    });
    let [a, b, c] = numbers;
    if parts.next().is_some() { None } else { Some([a?, b?, c?]) }
}

fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = rest.split_at_checked(end)?;
    let first: String = digits.chars().chain("00".chars()).take(3).collect();
    if digits.is_empty() { None } else { Some((first.parse().ok()?, rest)) }
}

fn offset_seconds(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let clock = text.get(1..)?;
    let [hour, minute, _] = numbers(&format!("{clock}:00"), ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 { None } else { Some(sign * (hour * 3_600 + minute * 60)) }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar; `None` where there is no such date.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let index = usize::try_from(month - 1).ok()?;
    if !(1..=*lengths.get(index)?).contains(&day) {
        return None;
    }
    // Leap days are those of the whole years before this one, counted from year 0.
    let before = |y: i64| y * 365 + (y + 3) / 4 - (y + 99) / 100 + (y + 399) / 400;
    let in_year: i64 = lengths.iter().take(index).sum();
    Some(before(year) - before(1970) + in_year + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("0s"), Some(Millis::ZERO));
        assert_eq!(duration("90m"), Some(Millis::minutes(90)));
        assert_eq!(duration("3650d"), Some(Millis::days(3650)));
        assert!(duration("99999999999999999999d") > Some(Millis::days(3650)));
        for wrong in ["", "d", "7", "7w", "-1d", "+1d", "1.5h", "1 d", "7D", "é"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696_000),
            ("2026-11-22T21:00:00.1239+01:00", 1_795_377_600_123),
            ("1969-12-31T23:59:59.5-00:30", 1_799_500),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(timestamp(text).map(Timestamp::as_millis), Some(ms), "{text}");
        }
        for wrong in [
            "",
            "2026-11-22",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00Zx",
            "é026-01-01T00:00:00Z",
        ] {
            assert_eq!(timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn paths() {
        for right in ["/", "/a", "/a/:id/b", "/a/*", "/*", "/ümlaut", "/a/"] {
            assert_eq!(path_fault(right), None, "{right}");
        }
        for wrong in [
            "",
            "a",
            "/a?b",
            "/a#b",
            "/a b",
            "//a",
            "/*/a",
            "/a*",
            "/:",
            "/:a.b",
            "https://x.example/",
        ] {
            assert!(path_fault(wrong).is_some(), "{wrong}");
        }
        assert!(is_open_path("/a/:id") && is_open_path("/a/*") && !is_open_path("/a/b"));
    }

    #[test]
    fn names() {
        assert!(
            is_event_name("Order.Completed:v2")
                && !is_event_name("Order Completed")
                && !is_event_name("")
        );
        assert!(
            is_attribute_name("firstName")
                && !is_attribute_name("1st")
                && !is_attribute_name("a.b")
        );
        assert!(
            is_payload_path("form.field")
                && !is_payload_path("form..field")
                && !is_payload_path("")
        );
    }

    #[test]
    fn patterns_are_bounded_and_say_something() {
        assert!(pattern("risk[- ]free").is_ok_and(|p| p.is_match("RISK free")));
        assert!(pattern("(").is_err_and(|e| e.contains("unclosed group")));
        assert!(pattern("(a{1000}){1000}").is_err_and(|e| e.contains("256 KiB")));
        assert!(pattern("a*").is_err_and(|e| e.contains("empty text")));
        assert!(pattern(&"a".repeat(501)).is_err());
    }
}
