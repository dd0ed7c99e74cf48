//! Instants as RFC 3339 text in UTC with milliseconds. Must not read a clock.

use pilotage_domain::time::Timestamp;
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};

/// What `format` writes, with naughts for its digits.
const PATTERN: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

/// Reads RFC 3339 with any offset; fractions beyond milliseconds are cut. `None` where the text is not of that form.
pub fn parse(text: &str) -> Option<Timestamp> {
    if let Some(at) = text.as_bytes().try_into().ok().and_then(parse_own) {
        return Some(at);
    }
    let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    // Whole seconds are counted downwards also before 1970, and the rest upwards from there.
    let ms = instant.unix_timestamp() * 1_000 + i64::from(instant.millisecond());
    Some(Timestamp::from_millis(ms))
}

/// Reads what `format` writes; `None` for anything else, a leap second among it.
fn parse_own(text: &[u8; 24]) -> Option<Timestamp> {
    let plain = text.map(|b| if b.is_ascii_digit() { b'0' } else { b });
    if plain != *PATTERN {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to].iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'))
    };
    let month = u8::try_from(number(5, 7)).ok().and_then(|month| Month::try_from(month).ok())?;
    let (year, day) = (i32::try_from(number(0, 4)).ok()?, u8::try_from(number(8, 10)).ok()?);
    let days = Date::from_calendar_date(year, month, day).ok()?.midnight().assume_utc();
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days.unix_timestamp() + i64::from((hour * 60 + minute) * 60 + second);
    Some(Timestamp::from_millis(seconds * 1_000 + i64::from(number(20, 23))))
}

/// `2026-11-22T20:15:00.000Z`; an instant outside the years 0 to 9999 is written as the nearest one inside.
pub fn format(at: Timestamp) -> String {
    as_text(&characters(at)).to_owned()
}

/// The same where it is not to be kept; all ASCII.
fn characters(at: Timestamp) -> [u8; 24] {
    let ms = at.as_millis().clamp(-62_167_219_200_000, 253_402_300_799_999);
    let (seconds, millisecond) = (ms.div_euclid(1_000), ms.rem_euclid(1_000));
    let instant =
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (instant.date(), instant.time());
    let mut text = *PATTERN;
    for (last, number) in [
        (3, u32::try_from(date.year()).unwrap_or(0)),
        (6, u32::from(u8::from(date.month()))),
        (9, u32::from(date.day())),
        (12, u32::from(time.hour())),
        (15, u32::from(time.minute())),
        (18, u32::from(time.second())),
        (22, u32::try_from(millisecond).unwrap_or(0)),
    ] {
        write_number(&mut text[..=last], number);
    }
    text
}

/// Writes the number so that it ends with the text.
fn write_number(text: &mut [u8], mut number: u32) {
    for digit in text.iter_mut().rev() {
        if number == 0 {
            break;
        }
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn as_text(characters: &[u8; 24]) -> &str {
    std::str::from_utf8(characters).unwrap_or_default()
}

/// For `#[serde(with = "instant::text")]`.
pub mod text {
    use pilotage_domain::time::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// As `format` writes it.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(super::as_text(&super::characters(*at)))
    }

    /// As `parse` reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        super::parse(&text).ok_or_else(|| de::Error::custom("not an RFC 3339 instant"))
    }
}

/// For `#[serde(with = "instant::optional")]`.
pub mod optional {
    use pilotage_domain::time::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// As `format` writes it, or `null`.
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(super::as_text(&super::characters(*at))),
            None => serializer.serialize_none(),
        }
    }

    /// As `parse` reads it, or `null`.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.map(|t| super::parse(&t).ok_or_else(|| de::Error::custom("not an RFC 3339 instant")))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_instants() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_378_500_123, "2026-11-22T20:15:00.123Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ];
        for (ms, text) in cases {
            assert_eq!(format(Timestamp::from_millis(ms)), text);
            assert_eq!(parse(text), Some(Timestamp::from_millis(ms)));
        }
        assert_eq!(parse("2026-11-22T21:15:00.1239+01:00"), parse("2026-11-22T20:15:00.123Z"));
        assert_eq!(parse("2026-11-22"), None);
        for wrong in
            ["2026-13-22T20:15:00.123Z", "2026-02-29T20:15:00.123Z", "2026-11-22T24:15:00.123Z"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(format(Timestamp::from_millis(i64::MAX)), "9999-12-31T23:59:59.999Z");
    }
    proptest! {
        #[test]
        fn what_is_written_is_read_the_short_way_and_the_long(ms in -62_167_219_200_000_i64..=253_402_300_799_999) {
            let (at, text) = (Timestamp::from_millis(ms), format(Timestamp::from_millis(ms)));
            prop_assert_eq!(parse_own(&characters(at)), Some(at));
            // Any other number of digits goes the long way.
            prop_assert_eq!(parse(&text.replace('Z', "0Z")), Some(at));
        }
    }
}
