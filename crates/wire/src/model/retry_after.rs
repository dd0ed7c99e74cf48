//! The pause that a provider asks for. Must not make it shorter.

use pilotage_domain::time::{Millis, Timestamp};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Reads `retry-after-ms` and `retry-after` (seconds, or an HTTP date); the longer where both are there. `None` where
/// neither says anything that can be read.
pub fn pause(
    retry_after: Option<&str>,
    retry_after_ms: Option<&str>,
    now: Timestamp,
) -> Option<Millis> {
    let ms = retry_after_ms.and_then(|text| whole_millis(text, 1.0));
    let after =
        retry_after.and_then(|text| whole_millis(text, 1_000.0).or_else(|| date(text, now)));
    ms.max(after)
}

/// A decimal number of units of so many milliseconds, rounded up.
fn whole_millis(text: &str, unit: f64) -> Option<Millis> {
    let number: f64 = text.trim().parse().ok()?;
    let ms = (number * unit).ceil();
    (0.0..1e15).contains(&ms).then(|| Millis::new(ms as u64))
}

fn date(text: &str, now: Timestamp) -> Option<Millis> {
    let then = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
    let then = Timestamp::from_millis(then.unix_timestamp().checked_mul(1_000)?);
    Some(then.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_milliseconds_and_dates() {
        // 2026-11-22T12:00:00Z
        let now = Timestamp::from_millis(1_795_348_800_000);
        let table = [
            (Some("7"), None, Some(7_000)),
            (Some("0.0201"), None, Some(21)),
            (Some("0"), None, Some(0)),
            (None, Some("250"), Some(250)),
            (Some("1"), Some("250"), Some(1_000)),
            (Some("Sun, 22 Nov 2026 12:01:30 GMT"), None, Some(90_000)),
            (Some("Sun, 22 Nov 2026 11:00:00 GMT"), None, Some(0)),
            (Some("soon"), None, None),
            (Some("-1"), None, None),
            (Some("NaN"), Some("inf"), None),
            (Some("1e300"), None, None),
            (None, None, None),
        ];
        for (after, ms, expected) in table {
            assert_eq!(pause(after, ms, now), expected.map(Millis::new), "{after:?} {ms:?}");
        }
    }
}
