//! One run of the binary: started, listened to, ended. Must not wait for luck, and must leave no process behind.

use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// Far longer than anything takes; only a fault reaches it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is what is looked for; a panic that names it where it never comes.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(PAUSE);
    }
}

/// The binary without arguments, and without what this process's environment would tell it.
pub(crate) fn pilotage() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pilotage"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PILOTAGE_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    Process::start(command).ended()
}

/// A process that runs; killed where it is let go of.
pub(crate) struct Process {
    child: Child,
    output: NamedTempFile,
    errors: NamedTempFile,
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let file = || NamedTempFile::new().expect("a file for what it says");
        let (output, errors) = (file(), file());
        let write_to = |file: &NamedTempFile| Stdio::from(file.reopen().expect("the same file"));
        let child = command
            .stdin(Stdio::null())
            .stdout(write_to(&output))
            .stderr(write_to(&errors))
            .spawn()
            .expect("the binary starts");
        Self { child, output, errors }
    }

    /// Standard output so far.
    pub(crate) fn output(&self) -> String {
        text(&self.output)
    }

    /// All that it said so far, on both outputs; another program may be in the middle of a character.
    pub(crate) fn said(&self) -> String {
        let of = |file: &NamedTempFile| fs::read(file.path()).expect("a file of ours");
        String::from_utf8_lossy(&[of(&self.output), of(&self.errors)].concat()).into_owned()
    }

    /// Its end, if it has come.
    pub(crate) fn end(&mut self) -> Option<Ended> {
        let status = self.child.try_wait().expect("it is our child");
        status.map(|status| self.left_behind(status))
    }

    /// Its end, once it has come.
    pub(crate) fn ended(mut self) -> Ended {
        eventually("the process has ended", || self.end())
    }

    /// Asks it to end, as service managers do.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal, by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", name, &id]).status();
        assert!(sent.expect("a shell").success(), "the process is there to be asked");
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) -> Ended {
        self.child.kill().expect("it is our child");
        let status = self.child.wait().expect("it is our child");
        self.left_behind(status)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn left_behind(&self, status: ExitStatus) -> Ended {
        Ended { code: status.code(), output: self.output(), errors: text(&self.errors) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill and nobody to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn text(file: &NamedTempFile) -> String {
    fs::read_to_string(file.path()).expect("it says things in UTF-8")
}
