//! A stack from its beginning to its end, and one part of it. Must not print what is asked for: what it says on the way goes to
//! stderr.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::make::{Wanted, make};
use super::site::Site;
use super::state::{Part, Process, State, node};
use super::{cache, probe, process};

/// How a part is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum How {
    /// In order: it hands over and closes what is open.
    Clean,
    /// At once, with nothing put in order: it has to recover when it starts again.
    Crash,
}

/// How long a part may take to stop in order, before it is stopped at once.
const STOP: Duration = Duration::from_secs(60);
/// How long the kernel, and PostgreSQL for its sessions, may take where it is stopped at once.
const END: Duration = Duration::from_secs(30);

/// Brings the stack up: makes it, if there is none, starts what does not run, and waits until every part answers. A stack of
/// other versions that still runs is an error.
pub(super) fn up(site: &Site, wanted: Wanted) -> Result<State> {
    let _turn = site.lock()?;
    let file = site.state_file();
    let mut state = match State::load(&file)? {
        Some(state) if wanted.is(&state) => state,
        Some(state) if state.parts.values().any(runs) => {
            bail!("another stack `{}` runs: {}; end it first", state.stack, described(&state))
        }
        _ => make(site, wanted)?,
    };
    let names: Vec<String> = state.parts.keys().cloned().collect();
    for name in &names {
        begin(&mut state, name, &file)?;
    }
    for name in &names {
        await_answer(&state, name)?;
    }
    Ok(state)
}

/// Ends every part, at once, and throws away what they wrote; what they said stays until the next `up`. Says whether there was
/// such a stack.
pub(super) fn down(site: &Site) -> Result<bool> {
    let _turn = site.lock()?;
    let file = site.state_file();
    let Some(state) = State::load(&file)? else {
        return Ok(false);
    };
    for (name, part) in &state.parts {
        send(name, part, How::Crash)?;
    }
    for (name, part) in &state.parts {
        if !ends(part, END) {
            bail!("{name} does not end");
        }
        cache::remove(&part.folder)?;
    }
    fs::remove_file(&file)?;
    Ok(true)
}

/// Stops one part and waits for its end.
pub(super) fn stop(site: &Site, name: &str, how: How) -> Result<()> {
    let _turn = site.lock()?;
    let mut state = existing(site)?;
    let part = state.part(name)?.clone();
    send(name, &part, how)?;
    if how == How::Crash || !ends(&part, STOP) {
        send(name, &part, How::Crash)?;
        if !ends(&part, END) {
            bail!("{name} does not end");
        }
    }
    state.parts.insert(name.to_owned(), Part { process: None, ..part });
    state.save(&site.state_file())?;
    eprintln!("{name} is stopped");
    Ok(())
}

/// Starts one part, unless it runs, and waits until it answers.
pub(super) fn start(site: &Site, name: &str) -> Result<()> {
    let _turn = site.lock()?;
    let mut state = existing(site)?;
    begin(&mut state, name, &site.state_file())?;
    await_answer(&state, name)
}

/// The stack; an error, if there is none.
pub(super) fn existing(site: &Site) -> Result<State> {
    State::load(&site.state_file())?
        .with_context(|| format!("there is no stack `{}`: bring it up first", site.stack))
}

/// Whether the part's process runs.
pub(super) fn runs(part: &Part) -> bool {
    part.process.is_some_and(process::is_alive)
}

/// As in `kafka-1 4.3.1, postgres 18.6.3`.
fn described(state: &State) -> String {
    let parts = state.parts.iter().map(|(name, part)| format!("{name} {}", part.version));
    parts.collect::<Vec<_>>().join(", ")
}

/// Starts the part, unless it runs, and notes its process.
fn begin(state: &mut State, name: &str, file: &Path) -> Result<()> {
    let part = state.part(name)?;
    if runs(part) {
        return Ok(());
    }
    if let Some(Process { pid, .. }) = part.process {
        eprintln!("{name} is gone, and was process {pid}: it is started again");
    }
    let process = process::begin(part).with_context(|| format!("{name} can't be started"))?;
    let part = Part { process: Some(process), ..part.clone() };
    state.parts.insert(name.to_owned(), part);
    state.save(file)
}

/// Waits until the part answers, and says so.
fn await_answer(state: &State, name: &str) -> Result<()> {
    let part = state.part(name)?;
    let (start, port) = (Instant::now(), part.port()?);
    let nodes = running_nodes(state);
    process::until_it_answers(name, part, || match node(name) {
        // A broker answers for real once it knows the others.
        Some(_) => probe::brokers(port).is_ok_and(|known| nodes.is_subset(&known)),
        None => probe::takes_sessions(port).unwrap_or(false),
    })?;
    let (version, waited) = (&part.version, start.elapsed().as_secs_f64());
    eprintln!("{name} {version} answers at 127.0.0.1:{port} (waited {waited:.1} s)");
    Ok(())
}

/// The brokers whose processes run.
fn running_nodes(state: &State) -> BTreeSet<i32> {
    state.parts.iter().filter(|(_, part)| runs(part)).filter_map(|(name, _)| node(name)).collect()
}

/// Tells the part to stop, if it runs.
fn send(name: &str, part: &Part, how: How) -> Result<()> {
    let Some(process) = part.process else { return Ok(()) };
    process::signal(process, signal(name, how))
}

/// What a part understands. PostgreSQL's first process ends its sessions before itself, unless it is killed: then they may hold
/// on to its memory, and it can't be started again.
fn signal(name: &str, how: How) -> &'static str {
    match (node(name), how) {
        (Some(_), How::Clean) => "TERM",
        (Some(_), How::Crash) => "KILL",
        (None, How::Clean) => "INT",
        (None, How::Crash) => "QUIT",
    }
}

fn ends(part: &Part, limit: Duration) -> bool {
    part.process.is_none_or(|process| process::has_ended_within(process, limit))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::super::versions::Kafka;
    use super::*;

    /// A stack of one part that does nothing, begun, in a repository of its own.
    fn begun(root: &Path) -> (Site, State) {
        // Nobody goes into a folder for temporary files otherwise.
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
        let site = Site::new(root, "idle").unwrap();
        let folder = site.run().join("kafka-1");
        fs::create_dir_all(&folder).unwrap();
        let part = Part {
            version: "0".to_owned(),
            process: None,
            ports: BTreeMap::new(),
            command: vec!["sleep".to_owned(), "600".to_owned()],
            log: site.run().join("kafka-1.log"),
            folder,
        };
        let mut state = State::new("idle", PathBuf::new());
        state.parts.insert("kafka-1".to_owned(), part);
        begin(&mut state, "kafka-1", &site.state_file()).unwrap();
        (site, state)
    }

    /// What the state file says of the part.
    fn noted(site: &Site) -> Part {
        existing(site).unwrap().part("kafka-1").unwrap().clone()
    }

    #[test]
    fn a_part_that_is_stopped_has_ended_and_stays_in_the_file() {
        let root = tempfile::tempdir().unwrap();
        let (site, state) = begun(root.path());
        assert!(runs(&noted(&site)));
        stop(&site, "kafka-1", How::Clean).unwrap();
        assert!(!runs(&state.parts["kafka-1"]));
        assert_eq!(noted(&site).process, None);
        assert!(stop(&site, "kafka-1", How::Crash).is_ok(), "it is stopped already");
        assert!(stop(&site, "kafka-2", How::Clean).is_err(), "there is none");
        assert!(down(&site).unwrap());
    }

    #[test]
    fn what_is_down_leaves_its_log_alone() {
        let root = tempfile::tempdir().unwrap();
        let (site, state) = begun(root.path());
        let part = &state.parts["kafka-1"];
        assert!(down(&site).unwrap());
        assert!(!runs(part) && !part.folder.exists() && part.log.exists());
        assert!(existing(&site).is_err_and(|error| error.to_string().contains("`idle`")));
        assert!(!down(&site).unwrap(), "there is nothing left");
    }

    #[test]
    fn a_part_is_begun_again_only_if_its_process_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let (site, mut state) = begun(root.path());
        let file = site.state_file();
        let first = noted(&site).process.unwrap();
        begin(&mut state, "kafka-1", &file).unwrap();
        assert_eq!(noted(&site).process, Some(first), "it runs");

        process::signal(first, "KILL").unwrap();
        assert!(process::has_ended_within(first, END));
        begin(&mut state, "kafka-1", &file).unwrap();
        let second = noted(&site);
        assert!(runs(&second) && second.process != Some(first));
        assert!(down(&site).unwrap());
    }

    #[test]
    fn a_stack_of_other_versions_is_not_touched_while_it_runs() {
        let root = tempfile::tempdir().unwrap();
        let (site, _) = begun(root.path());
        let wanted = Wanted { kafka: Kafka::Current.package(), brokers: 1, postgres: None };
        let error = up(&site, wanted).unwrap_err().to_string();
        assert_eq!(error, "another stack `idle` runs: kafka-1 0; end it first");
        assert!(runs(&noted(&site)));
        assert!(down(&site).unwrap());
    }

    #[test]
    fn each_part_is_stopped_as_it_understands_it() {
        assert_eq!(signal("kafka-2", How::Clean), "TERM");
        assert_eq!(signal("kafka-2", How::Crash), "KILL");
        assert_eq!(signal("postgres", How::Clean), "INT");
        assert_eq!(signal("postgres", How::Crash), "QUIT");
    }
}
