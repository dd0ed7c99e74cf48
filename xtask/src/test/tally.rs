//! What the test runners say they have counted. Must not guess: a line counts only as its runner writes it.

use anyhow::{Result, bail};

/// Whose lines are read.
#[derive(Clone, Copy)]
pub(crate) enum Runner {
    /// `test result: ok. 3 passed; 0 failed; 0 ignored; …`, once for each test binary.
    Cargo,
    /// `# pass 3` or `ℹ pass 3`, by the reporter.
    Node,
    /// `  3 passed (4.2s)`.
    Playwright,
}

/// Tests, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Ignored, skipped, flaky or never run: none of these proves anything.
    pub(crate) unproved: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.unproved += other.unproved;
    }

    /// Takes in one line of the runner's output.
    pub(crate) fn read(&mut self, runner: Runner, line: &str) {
        match runner {
            Runner::Cargo => self.read_cargo(line),
            Runner::Node => self.read_node(line),
            Runner::Playwright => self.read_playwright(line),
        }
    }

    fn read_cargo(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|l| l.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            if let Some((number, what)) = count.split_once(' ') {
                self.count(number, what);
            }
        }
    }

    fn read_node(&mut self, line: &str) {
        let count = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "));
        let Some((what, number)) = count.and_then(|count| count.split_once(' ')) else { return };
        self.count(number, what);
    }

    fn read_playwright(&mut self, line: &str) {
        let Some((number, what)) = line.strip_prefix("  ").and_then(|line| line.split_once(' '))
        else {
            return;
        };
        // The time follows in parentheses.
        self.count(number, what.split(" (").next().unwrap_or(what));
    }

    fn count(&mut self, number: &str, what: &str) {
        let Ok(number) = number.parse::<u64>() else { return };
        match what {
            "passed" | "pass" => self.passed += number,
            "failed" | "fail" | "cancelled" | "interrupted" => self.failed += number,
            "ignored" | "skipped" | "todo" | "flaky" | "did not run" => self.unproved += number,
            _ => {}
        }
    }

    /// Whether every test there is has run and passed.
    pub(crate) fn verdict(&self) -> Result<()> {
        match *self {
            Self { failed, .. } if failed > 0 => bail!("{failed} tests failed"),
            Self { unproved, .. } if unproved > 0 => {
                bail!("{unproved} tests were skipped, ignored or flaky: they prove nothing")
            }
            Self { passed: 0, .. } => bail!("there was no test to run"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(runner: Runner, output: &str) -> Tally {
        let mut tally = Tally::default();
        for line in output.lines() {
            tally.read(runner, line);
        }
        tally
    }

    #[test]
    fn cargo_counts_every_binary() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s\n\
            test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        assert_eq!(tally(Runner::Cargo, output), Tally { passed: 6, failed: 1, unproved: 1 });
    }

    #[test]
    fn node_counts_by_either_reporter() {
        let counts =
            "tests 9\nsuites 0\npass 3\nfail 1\ncancelled 1\nskipped 2\ntodo 2\nduration_ms 12.5";
        let expected = Tally { passed: 3, failed: 2, unproved: 4 };
        for mark in ["# ", "ℹ "] {
            let output: String = counts.lines().map(|line| format!("{mark}{line}\n")).collect();
            assert_eq!(tally(Runner::Node, &output), expected, "{mark}");
        }
        assert_eq!(tally(Runner::Node, "ok 1 - pass 7\n    # pass 7\n"), Tally::default());
    }

    #[test]
    fn playwright_counts_with_and_without_a_time() {
        let output = "Running 9 tests using 1 worker\n\n  1 failed\n    [chromium] › a.spec.js:3:1 › 5 passed\n\
            \x20 1 flaky\n  1 skipped\n  2 did not run\n  4 passed (1.2m)\n";
        assert_eq!(tally(Runner::Playwright, output), Tally { passed: 4, failed: 1, unproved: 4 });
    }

    #[test]
    fn only_tests_that_ran_and_passed_are_good() {
        let verdict =
            |passed, failed, unproved| Tally { passed, failed, unproved }.verdict().is_ok();
        assert!(verdict(1, 0, 0));
        assert!(!verdict(0, 0, 0));
        assert!(!verdict(1, 1, 0));
        assert!(!verdict(1, 0, 1));
    }
}
