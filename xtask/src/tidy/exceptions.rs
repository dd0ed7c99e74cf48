//! The list of exceptions: a rule, a file, a reason. Must not keep one that covers nothing.

use super::Finding;
use super::tree::Tree;

/// One exception a line: `T13 path: reason`; a line that starts with `#` is a remark.
const LIST: &str = "xtask/exceptions.txt";

/// The exceptions, and which of them were needed.
pub(crate) struct Exceptions<'a> {
    listed: Vec<Exception<'a>>,
    unreadable: Vec<usize>,
}

struct Exception<'a> {
    line: usize,
    rule: &'a str,
    path: &'a str,
    needed: bool,
}

impl<'a> Exceptions<'a> {
    pub(crate) fn of(tree: &'a Tree) -> Self {
        let text = tree.files.get(LIST).map(String::as_str).unwrap_or_default();
        let mut exceptions = Self { listed: Vec::new(), unreadable: Vec::new() };
        let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
        for (line, text) in lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
            match read(text) {
                Some((rule, path)) => {
                    exceptions.listed.push(Exception { line, rule, path, needed: false });
                }
                None => exceptions.unreadable.push(line),
            }
        }
        exceptions
    }

    /// Whether there is an exception for this rule in this file.
    pub(crate) fn cover(&mut self, rule: &str, path: &str) -> bool {
        let found = self.listed.iter_mut().find(|e| e.rule == rule && e.path == path);
        found.map(|exception| exception.needed = true).is_some()
    }

    /// The exceptions that covered nothing, and the lines that name none.
    pub(crate) fn faults(&self) -> Vec<Finding> {
        let unneeded = self.listed.iter().filter(|exception| !exception.needed).map(|exception| {
            let Exception { line, rule, path, .. } = exception;
            Finding::new(LIST, *line, format!("{rule} is kept in {path}: take the exception out"))
        });
        let unreadable =
            self.unreadable.iter().map(|line| Finding::new(LIST, *line, "not `RULE path: reason`"));
        unneeded.chain(unreadable).collect()
    }
}

fn read(line: &str) -> Option<(&str, &str)> {
    let (place, reason) = line.split_once(": ")?;
    let (rule, path) = place.split_once(' ')?;
    (!reason.trim().is_empty()).then_some((rule, path))
}
