//! What came of a simulation, as numbers, JSON and a table. Must not count anything itself: visitors' tallies are summed.

use std::collections::BTreeMap;
use std::fmt::Write;

use pilotage_domain::decide::{Group, Reason};
use pilotage_domain::time::Millis;
use serde::Serialize;

use crate::truth::Invalid;

/// How simulated visitors fared. The same plan on a fresh engine gives the same, byte for byte in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Visited {
    /// How many came.
    pub visitors: u32,
    /// Events that they sent.
    pub events: u64,
    /// Decisions that were asked for.
    pub decisions: u64,
    /// Activation by group; groups that nobody was in are left out.
    pub groups: BTreeMap<Group, Activation>,
    /// What became of guides.
    pub guides: Contacts,
    /// Decisions that withheld, by reason.
    pub withheld: BTreeMap<Reason, u64>,
    /// Exposures that should not have been, by what spoke against them in the simulator's own books; must be empty.
    pub invalid: BTreeMap<Invalid, u64>,
}

/// How far the visitors of a group came.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Activation {
    /// Visitors in the group.
    pub users: u32,
    /// Those who saw their first report.
    pub activated: u32,
    /// Their share, in [0, 1].
    pub rate: f64,
    /// Median time from signing up to activation, in hours, of those who were activated.
    pub median_hours: Option<f64>,
}

/// What became of guides, in numbers of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contacts {
    /// Decisions that showed a guide.
    pub offered: u64,
    /// Guides that were seen.
    pub shown: u64,
    /// Guides whose call to action was used.
    pub clicked: u64,
    /// Guides that were closed.
    pub dismissed: u64,
}

/// What one visitor has to tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) decisions: u64,
    pub(crate) guides: Contacts,
    pub(crate) withheld: BTreeMap<Reason, u64>,
    pub(crate) invalid: BTreeMap<Invalid, u64>,
}

/// A visitor's group, tally, and time to activation.
pub(crate) type Fate<'a> = (Group, &'a Tally, Option<Millis>);

impl Visited {
    pub(crate) fn of<'a>(fates: impl IntoIterator<Item = Fate<'a>>) -> Self {
        let mut all = Self {
            visitors: 0,
            events: 0,
            decisions: 0,
            groups: BTreeMap::new(),
            guides: Contacts::default(),
            withheld: BTreeMap::new(),
            invalid: BTreeMap::new(),
        };
        let mut times: BTreeMap<Group, Vec<Option<Millis>>> = BTreeMap::new();
        for (group, tally, activated) in fates {
            all.add(tally);
            times.entry(group).or_default().push(activated);
        }
        all.groups = times.into_iter().map(|(group, times)| (group, activation(&times))).collect();
        all
    }

    fn add(&mut self, tally: &Tally) {
        self.visitors += 1;
        self.events += tally.events;
        self.decisions += tally.decisions;
        self.guides.offered += tally.guides.offered;
        self.guides.shown += tally.guides.shown;
        self.guides.clicked += tally.guides.clicked;
        self.guides.dismissed += tally.guides.dismissed;
        sum(&mut self.withheld, &tally.withheld);
        sum(&mut self.invalid, &tally.invalid);
    }

    /// How many exposures should not have been, each counted once for everything that spoke against it.
    pub fn invalid_exposures(&self) -> u64 {
        self.invalid.values().sum()
    }

    /// The numbers as lines of plain text, at most 80 columns wide, ending in a line break.
    pub fn table(&self) -> String {
        let Self { visitors, events, decisions, .. } = self;
        let mut lines = format!("{visitors} visitors, {events} events, {decisions} decisions\n\n");
        lines += "group      users  activated    rate  median hours\n";
        for (group, one) in &self.groups {
            let median = one.median_hours.map_or_else(|| "-".to_owned(), |h| format!("{h:.1}"));
            let Activation { users, activated, rate, .. } = one;
            let (name, rate) = (name_of(*group), 100.0 * rate);
            // Writing to memory can't fail; so below.
            let _ =
                writeln!(lines, "{name:8} {users:>7} {activated:>10} {rate:>6.1}% {median:>13}");
        }
        let Contacts { offered, shown, clicked, dismissed } = self.guides;
        let _ = writeln!(
            lines,
            "\nguides     {offered} offered, {shown} shown, {clicked} clicked, {dismissed} dismissed"
        );
        let reasons = self.withheld.iter().map(|(reason, n)| format!("{n} {}", reason.name()));
        let _ = writeln!(lines, "withheld   {}", listed(reasons));
        let _ = write!(lines, "invalid exposures   {}", self.invalid_exposures());
        if !self.invalid.is_empty() {
            let faults = self.invalid.iter().map(|(fault, n)| format!("{n} {fault:?}"));
            let _ = write!(lines, " ({})", listed(faults));
        }
        lines + "\n"
    }
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn sum<K: Ord + Copy>(all: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        *all.entry(*key).or_default() += count;
    }
}

const fn name_of(group: Group) -> &'static str {
    match group {
        Group::Guided => "guided",
        Group::Holdout => "holdout",
        Group::Random => "random",
        Group::Static => "static",
    }
}

fn activation(times: &[Option<Millis>]) -> Activation {
    let mut known: Vec<u64> = times.iter().flatten().map(|time| time.get()).collect();
    known.sort_unstable();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Activation {
        users: count(times.len()),
        activated: count(known.len()),
        rate: if times.is_empty() { 0.0 } else { known.len() as f64 / times.len() as f64 },
        median_hours: median(&known).map(|ms| ms / Millis::hours(1).get() as f64),
    }
}

/// The middle of ascending numbers, or the mean of the two in the middle.
fn median(ascending: &[u64]) -> Option<f64> {
    let upper = ascending.get(ascending.len() / 2)?;
    let lower = ascending.get((ascending.len() - 1) / 2)?;
    Some((*lower as f64 + *upper as f64) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fates_come_to_rates_medians_and_sums() {
        let tally = Tally {
            events: 3,
            decisions: 2,
            guides: Contacts { offered: 1, shown: 1, clicked: 1, dismissed: 0 },
            withheld: BTreeMap::from([(Reason::Contact, 1)]),
            invalid: BTreeMap::from([(Invalid::DeadLink, 1)]),
        };
        let hours = |n| Some(Millis::hours(n));
        let visited = Visited::of([
            (Group::Guided, &tally, hours(1)),
            (Group::Guided, &tally, hours(4)),
            (Group::Guided, &tally, None),
            (Group::Holdout, &tally, None),
        ]);
        let guided = visited.groups[&Group::Guided];
        assert_eq!((guided.users, guided.activated), (3, 2));
        assert_eq!(guided.median_hours, Some(2.5));
        assert_eq!(visited.groups[&Group::Holdout].median_hours, None);
        assert_eq!((visited.events, visited.invalid_exposures()), (12, 4));
        let expected = "4 visitors, 12 events, 8 decisions\n\n\
            group      users  activated    rate  median hours\n\
            guided         3          2   66.7%           2.5\n\
            holdout        1          0    0.0%             -\n\n\
            guides     4 offered, 4 shown, 4 clicked, 0 dismissed\n\
            withheld   4 contact\n\
            invalid exposures   4 (4 DeadLink)\n";
        assert_eq!(visited.table(), expected);
        let json = serde_json::to_value(&visited).expect("it is writable");
        assert_eq!(json["groups"]["guided"]["medianHours"], 2.5);
        assert_eq!(json["invalid"]["dead_link"], 4);
    }

    #[test]
    fn nobody_is_a_result_too() {
        let nobody = Visited::of([]);
        assert_eq!(nobody.invalid_exposures(), 0);
        assert!(nobody.table().contains("withheld   none"));
    }
}
