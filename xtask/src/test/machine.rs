//! The machine that the tests run on: its programs, and how one is run. Must not know a step.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::held::Held;
use super::tally::{Runner, Tally};

/// The names that Debian and its kin give the browser.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser"];

/// Builds what the step `rust` runs.
pub(crate) const BUILD_TESTS: &[&str] = &["test", "--locked", "--workspace", "--no-run"];

/// The program that a line of cargo's messages says is the test of that name.
fn executable(line: &str, test: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let target = &message["target"];
    let is_it = target["name"] == test && target["kind"][0] == "test";
    message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
}

/// The machine, seen from the repository's root.
pub(crate) struct Machine {
    root: PathBuf,
    /// Kafka and PostgreSQL, from the step that brings them up to the end of the run.
    services: OnceCell<Held>,
}

impl Machine {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), services: OnceCell::new() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A program in the repository's root.
    pub(crate) fn command(&self, program: &str, words: &[&str]) -> Call {
        let call = Call::new(program, words, &self.root);
        let env = self.services.get().map(Held::env).unwrap_or_default();
        env.iter().fold(call, |call, (name, value)| call.with(name, value))
    }

    /// Brings the services up, unless they are; the programs that are run from now on are told where they are.
    pub(crate) fn hold_services(&self) -> Result<()> {
        if self.services.get().is_none() {
            // Nobody else can have set it meanwhile: there is one thread.
            let _ = self.services.set(Held::begin("test", &[])?);
        }
        Ok(())
    }

    /// The same machine with the oldest services that we work with, until it is let go of.
    pub(crate) fn on_older_services(&self) -> Result<Self> {
        let held = Held::begin("test-older", &["--kafka", "3.7", "--postgres", "17"])?;
        Ok(Self { root: self.root.clone(), services: OnceCell::from(held) })
    }

    /// Cargo, in the toolchain that the repository names.
    pub(crate) fn cargo(&self, words: &[&str]) -> Call {
        self.command("cargo", words)
    }

    /// npm, in the web folder.
    pub(crate) fn npm(&self, words: &[&str]) -> Result<Call> {
        let web = self.root.join("web");
        if !web.join("package.json").is_file() {
            bail!("web/package.json is missing");
        }
        Ok(Call::new("npm", words, &web))
    }

    /// Debian's package tool: as it is, where we are root, and else through sudo.
    pub(crate) fn apt_get(&self, words: &[&str]) -> Result<Call> {
        let is_root = self.command("id", &["-u"]).answer()? == "0";
        let call = if is_root {
            self.command("apt-get", words)
        } else {
            self.command("sudo", &[&["apt-get"], words].concat())
        };
        Ok(call.with("DEBIAN_FRONTEND", "noninteractive"))
    }

    /// The browser: what `CHROMIUM` names, or the first on the PATH.
    pub(crate) fn chromium(&self) -> Result<Option<PathBuf>> {
        if let Some(named) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
            return match named.is_file() {
                true => Ok(Some(named)),
                false => bail!("CHROMIUM names {}, which is no file", named.display()),
            };
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = std::env::split_paths(&path);
        let mut found =
            places.flat_map(|folder| CHROMIUM.iter().map(move |name| folder.join(name)));
        Ok(found.find(|file| file.is_file()))
    }

    /// The folder that cargo builds into.
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let metadata = self.cargo(&["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_str(&metadata.answer()?)?;
        let target = metadata["target_directory"].as_str();
        target.map(PathBuf::from).context("cargo names no target folder")
    }

    /// The debug build of the product.
    pub(crate) fn binary(&self) -> Result<PathBuf> {
        let binary = self.target()?.join("debug").join("pilotage");
        match binary.is_file() {
            true => Ok(binary),
            false => bail!("{} is missing: run the step `build` first", binary.display()),
        }
    }

    /// The program that holds the tests of that name, built if it is not, and with it the product's binary.
    ///
    /// Cargo asked for one package or one test alone builds its libraries again, with fewer features: that is minutes.
    pub(crate) fn test_program(&self, name: &str) -> Result<PathBuf> {
        // First in the open: a build that fails says why.
        self.cargo(BUILD_TESTS).passes()?;
        let built = self.cargo(&[BUILD_TESTS, &["--message-format", "json"]].concat()).answer()?;
        let found = built.lines().find_map(|line| executable(line, name));
        found.with_context(|| format!("cargo names no tests `{name}`"))
    }
}

/// A program about to be run.
pub(crate) struct Call {
    /// As a person would type it.
    line: String,
    command: Command,
}

impl Call {
    fn new(program: &str, words: &[&str], folder: &Path) -> Self {
        let mut command = Command::new(program);
        // Runners are read by us first: no colours between their words.
        command
            .args(words)
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never");
        let line =
            std::iter::once(program).chain(words.iter().copied()).collect::<Vec<_>>().join(" ");
        Self { line, command }
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// In that folder of the one it would run in.
    pub(crate) fn within(mut self, folder: &str) -> Self {
        let folder = self.command.get_current_dir().unwrap_or(Path::new(".")).join(folder);
        self.command.current_dir(folder);
        self
    }

    /// Runs it; an exit code other than 0 is an error.
    pub(crate) fn passes(mut self) -> Result<()> {
        println!("$ {}", self.line);
        let status =
            self.command.stdin(Stdio::null()).status().with_context(|| self.line.clone())?;
        self.check(status)
    }

    /// What it says, in one piece, without printing it.
    pub(crate) fn answer(mut self) -> Result<String> {
        let output =
            self.command.stdin(Stdio::null()).output().with_context(|| self.line.clone())?;
        self.check(output.status)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs a test runner, passes on what it prints, and counts its tests. No test, a skipped test or a failed one is an
    /// error, whatever the exit code.
    pub(crate) fn counts(self, runner: Runner, tally: &mut Tally) -> Result<()> {
        self.counts_onto(&mut std::io::stdout(), runner, tally)
    }

    /// The same while something else is done; what it prints comes when both have ended. Both go on to their ends, and a failure of
    /// either is an error.
    pub(crate) fn counts_while(
        self,
        runner: Runner,
        tally: &mut Tally,
        meanwhile: impl FnOnce(&mut Tally) -> Result<()>,
    ) -> Result<()> {
        println!("$ {} (beside what follows, and printed after it)", self.line);
        thread::scope(|scope| {
            let aside = scope.spawn(move || {
                let (mut said, mut counted) = (Vec::new(), Tally::default());
                let outcome = self.counts_onto(&mut said, runner, &mut counted);
                (said, counted, outcome)
            });
            let outcome = meanwhile(tally);
            let Ok((said, counted, of_aside)) = aside.join() else { bail!("a thread panicked") };
            std::io::stdout().write_all(&said)?;
            tally.add(counted);
            outcome.and(of_aside)
        })
    }

    fn counts_onto(
        mut self,
        screen: &mut impl Write,
        runner: Runner,
        tally: &mut Tally,
    ) -> Result<()> {
        writeln!(screen, "$ {}", self.line)?;
        self.command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = self.command.spawn().with_context(|| self.line.clone())?;
        let output = child.stdout.take().context("the runner's output is not ours to read")?;
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            screen.write_all(&line)?;
            screen.write_all(b"\n")?;
            tally.read(runner, &String::from_utf8_lossy(&line));
        }
        screen.flush()?;
        let status = child.wait()?;
        self.check(status)?;
        tally.verdict()
    }

    fn check(&self, status: ExitStatus) -> Result<()> {
        if !status.success() {
            bail!("`{}` ended with {status}", self.line);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    /// What a runner that prints this and ends so is worth.
    fn verdict(print: &str, exit: u8) -> (Tally, bool) {
        let script = format!("printf '{print}'; exit {exit}");
        let mut tally = Tally::default();
        let call = Machine::new(Path::new(".")).command("sh", &["-c", &script]);
        let good = call.counts(Runner::Node, &mut tally).is_ok();
        (tally, good)
    }

    #[test]
    fn a_runner_must_count_tests_and_end_well() {
        let passed = |passed| Tally { passed, ..Tally::default() };
        assert_eq!(verdict("# pass 2\\n# fail 0\\n", 0), (passed(2), true));
        assert_eq!(
            verdict("# pass 2\\n# fail 0\\n", 1),
            (passed(2), false),
            "a failure outside any test"
        );
        assert_eq!(verdict("nothing to do\\n", 0), (passed(0), false), "no test");
    }

    #[test]
    fn what_runs_beside_something_is_counted_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let sign = folder.path().join("sign");
        let machine = Machine::new(Path::new("."));
        let both = |script: &str, meanwhile: Result<()>| {
            let mut tally = Tally::default();
            let call = machine.command("sh", &["-c", script, "sh", &sign.to_string_lossy()]);
            let ended = call.counts_while(Runner::Node, &mut tally, |tally| {
                std::fs::write(&sign, "")?;
                tally.passed += 1;
                meanwhile
            });
            std::fs::remove_file(&sign).unwrap();
            (tally, ended.is_ok())
        };
        let counted = |passed, failed| Tally { passed, failed, ..Tally::default() };
        let waits =
            "for turn in $(seq 600); do [ -e \"$1\" ] && echo '# pass 2' && exit; sleep 0.1; done";
        assert_eq!(both(waits, Ok(())), (counted(3, 0), true), "each waits for the other");
        assert_eq!(both("echo '# pass 2'", Err(anyhow!("no"))), (counted(3, 0), false));
        assert_eq!(both("echo '# fail 2'", Ok(())), (counted(1, 2), false));
        assert_eq!(both("true", Ok(())), (counted(1, 0), false), "no test");
    }

    #[test]
    fn cargo_says_which_program_holds_a_test() {
        let line = r#"{"reason":"compiler-artifact","target":{"kind":["test"],"name":"system"},"executable":"/t/system-1"}"#;
        assert_eq!(executable(line, "system"), Some(PathBuf::from("/t/system-1")));
        assert_eq!(executable(&line.replace("[\"test\"]", "[\"bin\"]"), "system"), None);
        assert_eq!(executable(line, "it"), None);
        assert_eq!(executable("warning: in words", "system"), None);
    }

    #[test]
    fn a_program_that_fails_or_is_missing_is_an_error_that_names_it() {
        let machine = Machine::new(Path::new("."));
        assert!(machine.command("true", &[]).passes().is_ok());
        let fails =
            |program: &str| machine.command(program, &["x"]).passes().map_err(|e| format!("{e:#}"));
        assert!(fails("false").is_err_and(|error| error.contains("`false x`")));
        assert!(fails("no-such-program").is_err_and(|error| error.contains("no-such-program")));
        assert_eq!(machine.command("echo", &["a", "b"]).answer().ok().as_deref(), Some("a b"));
    }
}
