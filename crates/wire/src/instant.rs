//! Instants as RFC 3339 text in UTC with milliseconds. Must not read a clock.

use pilotage_domain::time::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const NANOS_PER_MILLI: i128 = 1_000_000;

/// Reads RFC 3339 with any offset; fractions beyond milliseconds are cut. `None` where the text is not of that form.
pub fn parse(text: &str) -> Option<Timestamp> {
    let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let ms = instant.unix_timestamp_nanos().div_euclid(NANOS_PER_MILLI);
    i64::try_from(ms).ok().map(Timestamp::from_millis)
}

/// `2026-11-22T20:15:00.000Z`; an instant outside the years 0 to 9999 is written as the nearest one inside.
pub fn format(at: Timestamp) -> String {
    let first = i128::from(-62_167_219_200_000i64);
    let last = i128::from(253_402_300_799_999i64);
    let ms = i128::from(at.as_millis()).clamp(first, last);
    let instant = OffsetDateTime::from_unix_timestamp_nanos(ms * NANOS_PER_MILLI)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (instant.date(), instant.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// For `#[serde(with = "instant::text")]`.
pub mod text {
    use pilotage_domain::time::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// As `format` writes it.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*at))
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
            Some(at) => serializer.serialize_some(&super::format(*at)),
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
        assert_eq!(format(Timestamp::from_millis(i64::MAX)), "9999-12-31T23:59:59.999Z");
    }
}
