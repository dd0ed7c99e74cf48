//! Prometheus' text form. Must not know what is measured.

use std::fmt::Write;

use pilotage_engine::port::meter::{Commits, Spread};

use super::Name;

/// Lines that grow.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to memory can't fail.
        let _ = self.0.write_fmt(line);
        self.0.push('\n');
    }

    fn head(&mut self, name: Name, kind: &str) {
        self.line(format_args!("# HELP {} {}", name.as_str(), name.help()));
        self.line(format_args!("# TYPE {} {kind}", name.as_str()));
    }

    /// A number without labels.
    pub(super) fn number(&mut self, name: Name, kind: &str, value: u64) {
        self.head(name, kind);
        self.line(format_args!("{} {value}\n", name.as_str()));
    }

    /// Time and size of commits, where they are measured.
    pub(super) fn commits(&mut self, (seconds, records): (Name, Name), commits: Option<&Commits>) {
        let Some(commits) = commits else { return };
        self.histogram(seconds, &commits.micros, 1e6);
        self.histogram(records, &commits.records, 1.0);
    }

    /// Each bucket counts all values up to its bound, as Prometheus wants it; `unit` values make one of what is shown.
    /// Numbers of one name, each with its labels: names of our own, or of the settings.
    pub(super) fn labelled(
        &mut self,
        name: Name,
        kind: &str,
        values: impl IntoIterator<Item = (String, u64)>,
    ) {
        self.head(name, kind);
        for (labels, value) in values {
            self.line(format_args!("{}{{{labels}}} {value}", name.as_str()));
        }
        self.line(format_args!(""));
    }

    /// All of it.
    pub(super) fn done(self) -> String {
        self.0
    }

    fn histogram(&mut self, name: Name, spread: &Spread, unit: f64) {
        self.head(name, "histogram");
        let (name, mut so_far) = (name.as_str(), 0);
        for (bound, count) in &spread.buckets {
            so_far += count;
            let bound = *bound as f64 / unit;
            self.line(format_args!("{name}_bucket{{le=\"{bound}\"}} {so_far}"));
        }
        let count = spread.count();
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("{name}_sum {}", spread.sum as f64 / unit));
        self.line(format_args!("{name}_count {count}\n"));
    }
}
