//! A new stack: ports, folders, settings, commands. Must not start a part.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};

use super::checksums::hex;
use super::kafka::{self, Node};
use super::site::{Site, make_open};
use super::state::{CLIENTS, Part, State, node};
use super::versions::Package;
use super::{cache, ports, postgres};

/// What a stack is to consist of.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) kafka: Option<&'static Package>,
    /// How many nodes Kafka has, if there is one.
    pub(super) brokers: u8,
    pub(super) postgres: Option<&'static Package>,
}

impl Wanted {
    /// Whether this stack is such a one.
    pub(super) fn is(&self, state: &State) -> bool {
        let brokers = state.parts.keys().filter(|name| node(name).is_some()).count();
        let wanted = self.kafka.map_or(0, |_| usize::from(self.brokers));
        state.versions == self.versions() && brokers == wanted
    }

    fn versions(&self) -> BTreeMap<String, String> {
        let packages = [self.kafka, self.postgres].into_iter().flatten();
        packages.map(|package| (package.name.to_owned(), package.version.to_owned())).collect()
    }
}

/// Makes the stack anew, without a process yet; what an earlier one of this name has left goes.
pub(super) fn make(site: &Site, wanted: Wanted) -> Result<State> {
    let run = site.run();
    cache::remove(&run)?;
    make_open(&run)?;
    let mut state = State::new(&site.stack, std::env::current_exe()?);
    state.versions = wanted.versions();
    let mut ports = ports::free();
    if let Some(package) = wanted.kafka {
        let nodes = (1..=wanted.brokers).map(|id| new_node(id, &mut ports));
        make_kafka(site, package, &nodes.collect::<Result<Vec<_>>>()?, &mut state)?;
    }
    if let Some(package) = wanted.postgres {
        make_postgres(site, package, next(&mut ports)?, &mut state)?;
    }
    let file = site.state_file();
    state.env.insert("PILOTAGE_TEST_SERVICES".to_owned(), file.display().to_string());
    state.save(&file)?;
    Ok(state)
}

fn new_node(id: u8, ports: &mut impl Iterator<Item = u16>) -> Result<Node> {
    Ok(Node { id: i32::from(id), clients: next(ports)?, controller: next(ports)? })
}

fn next(ports: &mut impl Iterator<Item = u16>) -> Result<u16> {
    ports.next().context("no port is free")
}

fn make_kafka(site: &Site, package: &Package, nodes: &[Node], state: &mut State) -> Result<()> {
    let jars = cache::get(site, package)?;
    for node in nodes {
        let name = format!("kafka-{}", node.id);
        let part = make_node(site, &jars, &name, *node, nodes)?;
        state.parts.insert(name, Part { version: package.version.to_owned(), ..part });
    }
    let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.clients));
    let addresses = addresses.collect::<Vec<_>>().join(",");
    state.env.insert("PILOTAGE_TEST_KAFKA".to_owned(), addresses);
    Ok(())
}

fn make_node(site: &Site, jars: &Path, name: &str, node: Node, cluster: &[Node]) -> Result<Part> {
    let folder = site.run().join(name);
    for own in [&folder, &folder.join(kafka::UNPACKED)] {
        fs::DirBuilder::new().mode(0o700).create(own)?;
        site.user.give(own)?;
    }
    let settings = folder.join(kafka::SETTINGS);
    fs::write(&settings, kafka::settings(node, cluster, &folder))?;
    site.user.give(&settings)?;
    cache::run(&site.user.command(kafka::format_command(jars, &folder)), &folder)?;
    let command = site.user.service(kafka::server_command(jars, &folder));
    let ports = [(CLIENTS, node.clients), ("controller", node.controller)];
    Ok(part(site, name, command, &ports))
}

fn make_postgres(site: &Site, package: &Package, port: u16, state: &mut State) -> Result<()> {
    let programs = cache::get(site, package)?.join(package.programs());
    let name = "postgres";
    let folder = site.run().join(name);
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    site.user.give(&folder)?;

    let (password, handed_over) = (password()?, folder.join(postgres::PASSWORD));
    let mut options = fs::File::options();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&handed_over)?;
    file.write_all(password.as_bytes())?;
    site.user.give(&handed_over)?;
    cache::run(&site.user.command(postgres::init_command(&programs, &folder)), &folder)?;
    fs::remove_file(&handed_over)?;

    let command = site.user.service(postgres::server_command(&programs, &folder, port));
    let part = part(site, name, command, &[(CLIENTS, port)]);
    state.parts.insert(name.to_owned(), Part { version: package.version.to_owned(), ..part });
    state.env.insert("PILOTAGE_TEST_POSTGRES".to_owned(), postgres::url(&password, port));
    Ok(())
}

/// A part that was never started; its version is still to be said.
fn part(site: &Site, name: &str, command: Vec<String>, ports: &[(&str, u16)]) -> Part {
    let run = site.run();
    Part {
        version: String::new(),
        process: None,
        ports: ports.iter().map(|(what, port)| ((*what).to_owned(), *port)).collect(),
        command,
        folder: run.join(name),
        log: run.join(format!("{name}.log")),
    }
}

/// A password that nobody can guess, in characters that need no escape.
fn password() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::versions::{Kafka, Postgres};
    use super::*;

    fn state(versions: &[(&str, &str)], parts: &[&str]) -> State {
        let mut state = State::new("main", PathBuf::new());
        state.versions =
            versions.iter().map(|(name, v)| ((*name).to_owned(), (*v).to_owned())).collect();
        let part = Part {
            version: String::new(),
            process: None,
            ports: BTreeMap::new(),
            command: Vec::new(),
            folder: PathBuf::new(),
            log: PathBuf::new(),
        };
        state.parts = parts.iter().map(|name| ((*name).to_owned(), part.clone())).collect();
        state
    }

    #[test]
    fn a_stack_is_wanted_by_its_versions_and_its_brokers() {
        let wanted = |kafka: Kafka, brokers, postgres: Postgres| Wanted {
            kafka: kafka.package(),
            brokers,
            postgres: postgres.package(),
        };
        let both = [("kafka", "4.3.1"), ("postgres", "18.6.3")];
        let one = state(&both, &["kafka-1", "postgres"]);
        assert!(wanted(Kafka::Current, 1, Postgres::Current).is(&one));
        assert!(!wanted(Kafka::Current, 3, Postgres::Current).is(&one));
        assert!(!wanted(Kafka::Oldest, 1, Postgres::Current).is(&one));
        assert!(!wanted(Kafka::Current, 1, Postgres::Oldest).is(&one));
        assert!(!wanted(Kafka::None, 1, Postgres::Current).is(&one));

        let no_kafka = state(&both[1..], &["postgres"]);
        assert!(wanted(Kafka::None, 1, Postgres::Current).is(&no_kafka));
        assert!(wanted(Kafka::None, 3, Postgres::Current).is(&no_kafka));
    }

    #[test]
    fn no_two_passwords_are_alike() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_eq!(one.len(), 32);
        assert!(one.chars().all(|c| c.is_ascii_hexdigit()) && one != other);
    }
}
