//! An installation: definitions, settings, and what outlives the process. Must be the only place that knows the back end.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{Ended, Process, eventually, pilotage, run};
use crate::shared::{self, Shared};

/// The sample product, without decisions that are drawn for evaluation: a walk must know what comes.
pub(crate) fn acme() -> String {
    let text = include_str!("../../../../examples/acme.yaml");
    let plain = text.replace("explore: 0.02 ", "explore: 0 ");
    assert_ne!(plain, text, "the share has another form now");
    plain
}

/// What a process is started on, again and again. It goes away with the value.
pub(crate) struct Installation {
    folder: TempDir,
    products: Vec<PathBuf>,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    /// Where events and profiles are kept, unless that is the folder.
    shared: Option<Arc<Shared>>,
}

impl Installation {
    /// One that serves the products of these definitions, the first as the default, and asks for keys.
    pub(crate) fn of(definitions: &[&str]) -> Self {
        Self::on(shared::is_chosen().then(|| Arc::new(Shared::new())), definitions)
    }

    fn on(shared: Option<Arc<Shared>>, definitions: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let products = definitions.iter().enumerate().map(|(number, text)| {
            let path = folder.path().join(format!("product{number}.yaml"));
            fs::write(&path, text).expect("written");
            path
        });
        let products = products.collect();
        let environment = shared.as_ref().map(|shared| shared.environment()).unwrap_or_default();
        Self { folder, products, flags: Vec::new(), environment, shared }
    }

    /// One that serves acme and asks for no key.
    pub(crate) fn dev() -> Self {
        Self::of(&[&acme()]).flag("--dev")
    }

    /// The same on files in the data folder, whatever back end is chosen.
    pub(crate) fn embedded() -> Self {
        Self::on(None, &[&acme()]).flag("--dev")
    }

    /// Acme without keys on these services, whatever back end is chosen.
    pub(crate) fn shared(shared: Shared) -> Self {
        Self::on(Some(Arc::new(shared)), &[&acme()]).flag("--dev")
    }

    /// What a batch says of an event that was sent before. Where several processes take events, only the worker knows.
    pub(crate) fn again(&self) -> &'static str {
        if self.shared.is_some() { "queued" } else { "duplicate" }
    }

    /// The same, started with one more flag.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// The same, started with a variable set.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The file of the keys that the first start makes.
    pub(crate) fn keys_file(&self) -> PathBuf {
        self.data().join("keys.toml")
    }

    /// The key of that kind and product, as the first start has kept it.
    pub(crate) fn kept_key(&self, kind: &str, product: &str) -> String {
        let text = fs::read_to_string(self.keys_file()).expect("the keys are kept");
        let kept: toml::Table = toml::from_str(&text).expect("TOML");
        let is_it = |key: &&toml::Value| {
            key["kind"].as_str() == Some(kind) && key["product"].as_str() == Some(product)
        };
        let key = kept["keys"].as_array().expect("a list").iter().find(is_it);
        let key = key.unwrap_or_else(|| panic!("no {kind} key of {product} in: {text}"));
        key["key"].as_str().expect("text").to_owned()
    }

    /// A file beside the data folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// A command on the installation's products and data.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = pilotage();
        command.current_dir(self.folder.path()).arg(name).arg("--data").arg(self.data());
        for product in &self.products {
            command.arg("--product").arg(product);
        }
        command.envs(self.environment.iter().cloned());
        command
    }

    fn serve(&self) -> Command {
        let mut command = self.command("serve");
        command.args(["--listen", "127.0.0.1:0"]).args(&self.flags);
        command
    }

    /// Starts the server; returns once it is ready and the profiles hold all that is in the log.
    pub(crate) fn start(&self) -> Server {
        let server = Server { _shared: self.shared.clone(), ..Server::of(self.begin()) };
        eventually("the server is ready", || {
            (server.client().get("/readyz").status == 200).then_some(())
        });
        if self.shared.is_some() {
            eventually("the server folds all of the log", || {
                shared::folds_all(&server.client().get("/metrics").text).then_some(())
            });
        }
        server
    }

    /// Starts a process of that role; returns once it is ready.
    pub(crate) fn start_role(&self, role: &str) -> Server {
        let process = Process::start(self.serve().args(["--role", role]));
        let server = Server { _shared: self.shared.clone(), ..Server::of(process) };
        eventually("the process is ready", || {
            (server.client().get("/readyz").status == 200).then_some(())
        });
        server
    }

    /// What moves another installation's data folder into this one's services.
    pub(crate) fn take_over(&self, old: &Self) -> Command {
        let mut command = old.command("export");
        command.args(["--from", "sqlite", "--to", "kafka+postgres", "--json"]);
        command.envs(self.environment.iter().cloned());
        command
    }

    /// How many records stand in the topic.
    pub(crate) fn records_in_topic(&self) -> usize {
        self.shared.as_ref().expect("an installation on services").records()
    }

    /// The brokers, and the topic's name.
    pub(crate) fn topic(&self) -> (String, String) {
        self.shared.as_ref().expect("an installation on services").topic()
    }

    /// Cuts every session of the database.
    pub(crate) fn cut_sessions(&self) {
        self.shared.as_ref().expect("an installation on services").cut_sessions();
    }

    /// Carries a statement out in the database; the first column of what it answers.
    pub(crate) fn ask_database(&self, statement: &str) -> Vec<String> {
        self.shared.as_ref().expect("an installation on services").ask(statement)
    }

    /// Starts the server and returns at once.
    pub(crate) fn begin(&self) -> Process {
        Process::start(&mut self.serve())
    }

    /// Starts the server, which is to refuse.
    pub(crate) fn refused(&self) -> Ended {
        run(&mut self.serve())
    }

    /// Folds the log again and compares; nothing may serve meanwhile.
    pub(crate) fn rebuild(&self) -> Value {
        let ended = run(self.command("rebuild").arg("--json"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        serde_json::from_str(&ended.output).expect("JSON")
    }
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// What it works on is there for as long as it runs.
    _shared: Option<Arc<Shared>>,
}

impl Server {
    /// The server, once it has said where it listens.
    pub(crate) fn of(mut process: Process) -> Self {
        let address = eventually("the address is printed", || {
            if let Some(ended) = process.end() {
                panic!("the server has ended: {ended:?}");
            }
            address(&process.output())
        });
        Self { process, address, _shared: None }
    }

    /// A caller with a connection of its own.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        let ended = self.process.kill();
        assert_eq!(ended.code, None, "it had ended by itself: {ended:?}");
    }

    /// Ends it in order.
    pub(crate) fn stop(self) -> Ended {
        self.process.terminate();
        let ended = self.process.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }
}

/// The address in a line that has come whole.
fn address(output: &str) -> Option<SocketAddr> {
    let (_, rest) = output.split_once("http://")?;
    let (address, _) = rest.split_once('\n')?;
    address.trim().parse().ok()
}
