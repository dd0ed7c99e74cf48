//! What a call costs. Must not take a model without a price for a free one.

use std::collections::BTreeMap;
use std::fmt;

use super::calendar;
use super::money::MicroUsd;
use crate::time::Timestamp;

/// Tokens that a server may add to what it is sent: templates, names of roles, a schema in its own words.
const HIDDEN_TOKENS: u64 = 1_024;
/// What a call for each event would read and write, where copy is written freely: the yardstick of the savings.
const FREE_CALL: Usage = Usage { input: 1_500, output: 250 };

/// The day of the built-in prices, counted from 1970: 2026-11-22.
const BUILT_IN_DAY: i64 = 20_779;
/// Model, and micro-dollars for a million tokens read and written.
const BUILT_IN: [(&str, u64, u64); 13] = [
    ("claude-haiku-4-5", 1_000_000, 5_000_000),
    ("claude-haiku-5-5", 100_000, 500_000),
    ("gemini-2.5-flash-lite", 100_000, 400_000),
    ("gemini-3.7-flash", 1_500_000, 7_500_000),
    ("gpt-4o", 2_500_000, 10_000_000),
    ("gpt-4o-mini", 150_000, 600_000),
    ("gpt-5-mini", 250_000, 2_000_000),
    ("gpt-5-nano", 50_000, 400_000),
    ("gpt-5.4-nano", 200_000, 1_250_000),
    ("gpt-5.6-luna", 200_000, 1_200_000),
    ("gpt-6-luna", 100_000, 500_000),
    ("gpt-6.1-terra", 1_000_000, 5_000_000),
    ("jev-1.13.0", 42_000, 0),
];

/// A model's price, in micro-dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Of what it reads.
    pub input: MicroUsd,
    /// Of what it writes.
    pub output: MicroUsd,
}

/// Tokens of a call, as the provider counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
}

impl Price {
    /// What that many tokens cost, rounded up to a micro-dollar.
    pub fn of(self, usage: Usage) -> MicroUsd {
        let part = |tokens: u64, price: MicroUsd| u128::from(tokens) * u128::from(price.get());
        let millionths =
            part(usage.input, self.input).saturating_add(part(usage.output, self.output));
        MicroUsd::new(u64::try_from(millionths.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    /// The most that a call can cost: a token has at least one byte.
    pub fn worst(self, request_bytes: usize, most_output: u32) -> MicroUsd {
        let input = u64::try_from(request_bytes).unwrap_or(u64::MAX).saturating_add(HIDDEN_TOKENS);
        self.of(Usage { input, output: u64::from(most_output) })
    }

    /// What as many calls would cost that read and write as one call for an event does.
    pub fn per_event(self, events: u64) -> MicroUsd {
        let times = |tokens: u64| tokens.saturating_mul(events);
        self.of(Usage { input: times(FREE_CALL.input), output: times(FREE_CALL.output) })
    }
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(i64);

impl Date {
    /// That day; `None` where the calendar has none.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        if !(1..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let number = calendar::day_of(year, month, day);
        (calendar::civil(number) == (year, month, day)).then_some(Self(number))
    }

    /// Reads `2026-11-22`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let mut parts = text.split('-');
        let mut next = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length && digits(part))?;
            part.parse().ok()
        };
        let date = Self::new(next(4)?, next(2)?, next(2)?)?;
        parts.next().is_none().then_some(date)
    }

    /// The days from here to that instant; 0 where it is earlier.
    pub fn days_until(self, at: Timestamp) -> u64 {
        u64::try_from(calendar::day(at) - self.0).unwrap_or(0)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = calendar::civil(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Prices as they were on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTable {
    /// The day on which they were looked up.
    pub as_of: Date,
    prices: BTreeMap<Box<str>, Price>,
}

impl PriceTable {
    /// A table with these prices, by the models' names.
    pub fn new(as_of: Date, prices: impl IntoIterator<Item = (Box<str>, Price)>) -> Self {
        Self { as_of, prices: prices.into_iter().collect() }
    }

    /// List prices of some small models as of 22 November 2026: a start, to be overridden by a configuration that is
    /// newer. A price that is announced to rise stands here as it will be.
    pub fn built_in() -> Self {
        let prices = BUILT_IN.iter().map(|(model, input, output)| {
            let price = Price { input: MicroUsd::new(*input), output: MicroUsd::new(*output) };
            (Box::from(*model), price)
        });
        Self::new(Date(BUILT_IN_DAY), prices)
    }

    /// The same with another price of one model.
    #[must_use]
    pub fn with(mut self, model: &str, price: Price) -> Self {
        self.prices.insert(model.into(), price);
        self
    }

    /// The model's price; `None` where the table has none, and then nobody may call it.
    pub fn get(&self, model: &str) -> Option<Price> {
        self.prices.get(model).copied()
    }

    /// Every model with its price, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Price)> {
        self.prices.iter().map(|(model, price)| (&**model, *price))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LUNA: Price = Price { input: MicroUsd::new(100_000), output: MicroUsd::new(500_000) };

    #[test]
    fn costs_are_rounded_up() {
        let cost = |input, output| LUNA.of(Usage { input, output }).get();
        assert_eq!(cost(0, 0), 0);
        assert_eq!(cost(1, 0), 1);
        assert_eq!(cost(10, 0), 1);
        assert_eq!(cost(11, 0), 2);
        assert_eq!(cost(900, 48), 114);
        let dear = Price { input: MicroUsd::new(u64::MAX), output: MicroUsd::new(u64::MAX) };
        let most = Usage { input: u64::MAX, output: u64::MAX };
        assert_eq!(dear.of(most).get(), u64::MAX);
    }

    #[test]
    fn the_worst_case_is_no_less_than_any_usage_of_the_call() {
        let worst = LUNA.worst(2_700, 48);
        assert_eq!(worst.get(), 397);
        assert!(worst >= LUNA.of(Usage { input: 2_700, output: 48 }));
    }

    #[test]
    fn one_call_for_each_of_four_million_events() {
        let table = PriceTable::built_in();
        let dollars = |model: &str| {
            let price = table.get(model).expect("in the table");
            price.per_event(3_942_930).get() / 1_000_000
        };
        assert_eq!(dollars("gpt-4o"), 24_643);
        assert_eq!(dollars("gpt-6-luna"), 1_084);
        assert_eq!(dollars("jev-1.13.0"), 248);
    }

    #[test]
    fn an_unknown_model_has_no_price() {
        let table = PriceTable::built_in();
        assert_eq!(table.get("gpt-4o-latest"), None);
        let table = table.with("mine", LUNA);
        assert_eq!(table.get("mine"), Some(LUNA));
        assert_eq!(table.iter().count(), BUILT_IN.len() + 1);
    }

    #[test]
    fn the_table_knows_its_day() {
        let table = PriceTable::built_in();
        assert_eq!(table.as_of.to_string(), "2026-11-22");
        let later = Timestamp::from_millis((BUILT_IN_DAY + 40) * 86_400_000);
        assert_eq!(table.as_of.days_until(later), 40);
        assert_eq!(table.as_of.days_until(Timestamp::from_millis(0)), 0);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for text in ["2026-11-22", "2024-02-29", "0001-01-01"] {
            assert_eq!(Date::parse(text).map(|date| date.to_string()).as_deref(), Some(text));
        }
        for text in
            ["2026-11-31", "2025-02-29", "26-11-22", "2026-1-2", "2026-11-22-1", "", "+026-01-01"]
        {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
