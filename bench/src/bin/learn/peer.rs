//! Another library's bandit as a program of its own, asked and told in lines of JSON. Must tell it what a product could know,
//! and no earlier.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::nature::{Guide, Visitor};

pub(crate) struct Peer {
    child: Child,
    to: BufWriter<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts the program of that command, as a shell reads it.
    pub(crate) fn start(command: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command}: {error}"));
        let to = BufWriter::new(child.stdin.take().expect("it was piped"));
        let from = BufReader::new(child.stdout.take().expect("it was piped"));
        Self { child, to, from }
    }

    /// The place of the guide that it shows. `{"visit","user","guides","draw"}` is answered by `{"choice","probability"}`: the
    /// draw is a number of 32 bits, so that the same worlds come again.
    pub(crate) fn choose(
        &mut self,
        visit: u64,
        visitor: Visitor,
        open: &[&Guide],
        draw: u32,
    ) -> usize {
        let guides: Vec<Value> = open.iter().map(|guide| guide.told()).collect();
        self.send(
            &json!({ "visit": visit, "user": visitor.told(), "guides": guides, "draw": draw }),
        );
        self.to.flush().expect("the peer reads");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the peer answers");
        let answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        let probability = answer["probability"].as_f64().expect("a probability");
        assert!(probability > 0.0 && probability <= 1.0, "{line}");
        let choice = answer["choice"].as_u64().expect("a place") as usize;
        assert!(choice < open.len(), "{line}");
        choice
    }

    /// Whether a click or an activation came of that visit: `{"visit","what","came"}`, without an answer. A click that came is
    /// known at once and one that did not after its window; an activation once its week is over, as Beta-Thompson knows it.
    pub(crate) fn tell(&mut self, visit: u64, what: &str, came: bool) {
        self.send(&json!({ "visit": visit, "what": what, "came": came }));
    }

    /// Lets it end.
    pub(crate) fn end(mut self) {
        drop(self.to);
        let status = self.child.wait().expect("it was started");
        assert!(status.success(), "the peer ended with {status}");
    }

    fn send(&mut self, line: &Value) {
        writeln!(self.to, "{line}").expect("the peer reads");
    }
}
