//! What a section declares, by name and place. Must not report what is wrong inside of an entry.

use std::collections::BTreeMap;

use super::suggest::hint;
use crate::definition::fault::{FaultCode, Faults};
use crate::definition::node::{Node, quoted};
use crate::definition::table::{Ix, Table};

/// The entries of a section in file order. One that is at fault keeps its name and place, so that whoever uses the name
/// is not blamed for it.
#[derive(Debug)]
pub(super) struct Names<T> {
    kind: &'static str,
    unknown: FaultCode,
    entries: Vec<(Box<str>, Option<T>)>,
    places: BTreeMap<Box<str>, u16>,
}

impl<T> Names<T> {
    /// No names yet: of what kind they are, and the fault of using one that is not there.
    pub(super) fn new(kind: &'static str, unknown: FaultCode) -> Self {
        Self { kind, unknown, entries: Vec::new(), places: BTreeMap::new() }
    }

    /// Declares a name; notes where it is there already. What lacks a name, which is noted elsewhere, has the empty one.
    pub(super) fn declare(
        &mut self,
        name: &str,
        node: &Node,
        entry: Option<T>,
        faults: &mut Faults,
    ) {
        if !name.is_empty() && self.find(name).is_some() {
            let message = format!("there is another {} {} before", self.kind, quoted(name));
            faults.add(FaultCode::DuplicateId, node.span, message);
        }
        if let Ok(place) = u16::try_from(self.entries.len()) {
            self.places.entry(name.into()).or_insert(place);
        }
        self.entries.push((name.into(), entry));
    }

    /// Fills in what a name stands for.
    pub(super) fn fill(&mut self, ix: Ix<T>, entry: Option<T>) {
        if let Some(place) = self.entries.get_mut(ix.place()) {
            place.1 = entry;
        }
    }

    /// Where a name stands; the first of equal ones.
    pub(super) fn find(&self, name: &str) -> Option<Ix<T>> {
        self.places.get(name).copied().map(Ix::new)
    }

    /// What stands there, unless it is at fault.
    pub(super) fn get(&self, ix: Ix<T>) -> Option<&T> {
        self.entries.get(ix.place())?.1.as_ref()
    }

    /// The name that stands there.
    pub(super) fn name(&self, ix: Ix<T>) -> &str {
        self.entries.get(ix.place()).map_or("", |(name, _)| name)
    }

    /// Every name.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| &**name)
    }

    /// Every entry, in file order; `None` where one is at fault.
    pub(super) fn all(&self) -> Option<Vec<&T>> {
        self.entries.iter().map(|(_, entry)| entry.as_ref()).collect()
    }

    /// The place of the name that the node holds; notes where nothing has that name. `also` are names that would do
    /// there, too.
    pub(super) fn resolve(&self, node: &Node, also: &[&str], faults: &mut Faults) -> Option<Ix<T>> {
        let name = node.text()?;
        let found = self.find(name);
        if found.is_none() {
            let known = self.names().chain(also.iter().copied());
            let message =
                format!("there is no {} {}{}", self.kind, quoted(name), hint(name, known));
            faults.add(self.unknown, node.span, message);
        }
        found
    }

    /// The table of all entries; `None` where one is at fault.
    pub(super) fn into_table(self) -> Option<Table<T>> {
        let mut table = Table::default();
        for (_, entry) in self.entries {
            table.push(entry?)?;
        }
        Some(table)
    }
}
