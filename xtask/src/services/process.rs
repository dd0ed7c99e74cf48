//! A service's process: how it begins, how it is told from another with its number, and how it ends. Must not know what runs
//! in it.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::state::{Part, Process};

/// How long a part may take until it answers; machines that test are busy.
const ANSWER: Duration = Duration::from_secs(180);
/// How often it is looked at meanwhile.
const PAUSE: Duration = Duration::from_millis(50);
/// How many of a log's last lines an error shows, and where it looks for them.
const LINES: usize = 20;
const TAIL: u64 = 16 * 1024;

/// Begins the part's process; what it says goes to the end of its log. It outlives this program.
pub(super) fn begin(part: &Part) -> Result<Process> {
    let mut options = File::options();
    let log = options.create(true).append(true).open(&part.log);
    let log = log.with_context(|| part.log.display().to_string())?;
    let (program, words) = part.command.split_first().context("a part without a command")?;
    let child = Command::new(program)
        .args(words)
        .current_dir(&part.folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| program.clone())?;
    let (_, ticks) = stat(child.id()).context("/proc does not show a process just begun")?;
    Ok(Process { pid: child.id(), ticks })
}

/// Whether this very process runs.
pub(super) fn is_alive(process: Process) -> bool {
    stat(process.pid).is_some_and(|(state, ticks)| {
        // A zombie has ended; whoever began it has not asked yet.
        ticks == process.ticks && !matches!(state, 'Z' | 'X')
    })
}

/// Waits until the part answers. That it ends first, or takes too long, is an error with the end of its log.
pub(super) fn until_it_answers(name: &str, part: &Part, answers: impl Fn() -> bool) -> Result<()> {
    let process = part.process.with_context(|| format!("{name} is stopped"))?;
    let start = Instant::now();
    while is_alive(process) {
        if answers() {
            return Ok(());
        }
        if start.elapsed() > ANSWER {
            bail!("{name} has not answered for {} s; {}", ANSWER.as_secs(), last_lines(&part.log));
        }
        thread::sleep(PAUSE);
    }
    bail!("{name} ended before it answered; {}", last_lines(&part.log))
}

/// Sends the signal, if the process still runs.
pub(super) fn signal(process: Process, signal: &str) -> Result<()> {
    if !is_alive(process) {
        return Ok(());
    }
    // The shell's own: not every machine has the program `kill`.
    let pid = process.pid.to_string();
    let sent =
        Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid]).output()?.status;
    if !sent.success() && is_alive(process) {
        bail!("process {pid} can't be sent SIG{signal}: is it another user's?");
    }
    Ok(())
}

/// Waits until the process has ended, and says whether it has.
pub(super) fn has_ended_within(process: Process, limit: Duration) -> bool {
    let start = Instant::now();
    while is_alive(process) {
        if start.elapsed() > limit {
            return false;
        }
        thread::sleep(PAUSE);
    }
    true
}

/// A process' state and beginning, from /proc.
fn stat(pid: u32) -> Option<(char, u64)> {
    read_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name comes second, in parentheses, and may hold anything: fields are counted from the last one on.
fn read_stat(text: &str) -> Option<(char, u64)> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // `starttime` is the 22nd field; the state was the third.
    Some((state, fields.nth(18)?.parse().ok()?))
}

/// The log's last lines, after its name.
fn last_lines(log: &Path) -> String {
    let text = tail(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let shown = &lines[lines.len().saturating_sub(LINES)..];
    let log = log.display();
    match shown {
        [] => format!("{log} is empty"),
        _ => format!("the last lines of {log}:\n{}", shown.join("\n")),
    }
}

fn tail(log: &Path) -> Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A part that runs this script in this folder.
    fn part(folder: &Path, script: &str) -> Part {
        Part {
            version: String::new(),
            process: None,
            ports: BTreeMap::new(),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            folder: folder.to_path_buf(),
            log: folder.join("log"),
        }
    }

    #[test]
    fn a_process_is_known_by_its_number_and_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let process = begin(&part(folder.path(), "exec sleep 600")).unwrap();
        let other = Process { ticks: process.ticks + 1, ..process };
        assert!(is_alive(process) && !is_alive(other));

        signal(other, "KILL").unwrap();
        assert!(is_alive(process), "the number was another's");
        assert!(!has_ended_within(process, Duration::ZERO));
        signal(process, "KILL").unwrap();
        assert!(has_ended_within(process, Duration::from_secs(60)));
        assert!(!is_alive(process));
        assert!(signal(process, "KILL").is_ok(), "what has ended needs no signal");
    }

    #[test]
    fn a_part_that_ends_shows_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = part(folder.path(), "seq 1 40; echo the port is taken >&2; exit 1");
        part.process = Some(begin(&part).unwrap());
        let error = until_it_answers("kafka-1", &part, || false).unwrap_err().to_string();
        assert!(error.starts_with("kafka-1 ended before it answered"), "{error}");
        assert!(error.ends_with("39\n40\nthe port is taken"), "{error}");
        assert!(error.contains("\n22\n") && !error.contains("\n21\n"), "{error}");
    }

    #[test]
    fn a_part_that_answers_is_waited_for_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = part(folder.path(), "exec sleep 600");
        assert!(until_it_answers("postgres", &part, || true).is_err(), "it was not begun");
        part.process = Some(begin(&part).unwrap());
        assert!(until_it_answers("postgres", &part, || true).is_ok());
        signal(part.process.unwrap(), "KILL").unwrap();
    }

    #[test]
    fn a_process_may_be_called_anything() {
        let fields = "S 1 7 7 0 -1 0 1 1 1 1 1 1 1 1 20 0 1 0 4242 0 0";
        assert_eq!(read_stat(&format!("7 (java) {fields}")), Some(('S', 4242)));
        assert_eq!(read_stat(&format!("7 (a) Z 1 (b) {fields}")), Some(('S', 4242)));
        assert_eq!(read_stat("7 (java) S 1"), None);
        assert_eq!(read_stat(""), None);
    }
}
