//! What may be chosen of the store in PostgreSQL, and what each session is begun with. Must not read configuration.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, TargetSessionAttrs};

use super::OpenError;
use super::fault;
use super::schema::SCHEMA;

/// Who we are to the server.
const APPLICATION: &str = "pilotage";
/// How long an idle peer may be gone before the system notices.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Address, sizes and waits.
#[derive(Clone)]
pub struct Options {
    /// `postgres://user:password@host:port/database`, several hosts with commas between them. `sslmode` is `disable`,
    /// `prefer` (without it) or `require`; where TLS is spoken, certificate and host name are always checked.
    pub url: String,
    /// The certificates to trust, in PEM; without it, the system's.
    pub trusted: Option<PathBuf>,
    /// The most connections for work; one more listens for changes.
    pub connections: usize,
    /// How long to wait for a connection to be made, and for one to become free.
    pub connect_timeout: Duration,
    /// The server ends a statement that takes longer.
    pub statement_timeout: Duration,
    /// The server ends a statement that waits longer for a lock. Longer than `idle_timeout`, so that who waits for one that
    /// has died gets its turn.
    pub lock_timeout: Duration,
    /// The server ends a session that keeps a transaction open and does nothing.
    pub idle_timeout: Duration,
    /// Whether names and reservations of long ago are forgotten meanwhile.
    pub upkeep: Upkeep,
}

/// What an open store does beside its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// It forgets what nobody asks for any more.
    Done,
    /// It forgets nothing: where a log is folded that may hold records of many days twice over.
    Left,
}

impl fmt::Debug for Options {
    /// Without the address: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("trusted", &self.trusted)
            .field("connections", &self.connections)
            .field("upkeep", &self.upkeep)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// The defaults for the database at that address.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            trusted: None,
            connections: 16,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(15),
            lock_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(5),
            upkeep: Upkeep::Done,
        }
    }

    /// How sessions are begun.
    pub(super) fn config(&self) -> Result<Config, OpenError> {
        let mut config: Config =
            self.url.parse().map_err(|error| OpenError::Address(fault::text(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::Address("it names no host".to_owned()));
        }
        let own = config.get_options().unwrap_or_default();
        let settings = format!("{} {own}", self.settings());
        config
            .options(settings)
            .application_name(APPLICATION)
            .connect_timeout(self.connect_timeout)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE / 2)
            .keepalives_retries(2)
            .tcp_user_timeout(2 * KEEPALIVE)
            // Of several hosts, the one that takes writes.
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(config)
    }

    /// What the server is told of each session; what the address says comes after it and has the last word.
    ///
    /// Every join here is of a short list with an index. A plan that was made while a table was small must not pass over
    /// it once it is large, so the planner is told to use the index in any case, and once and for all.
    fn settings(&self) -> String {
        let millis = |time: Duration| time.as_millis().to_string();
        let settings = [
            ("search_path", SCHEMA.to_owned()),
            ("timezone", "UTC".to_owned()),
            ("default_transaction_isolation", r"read\ committed".to_owned()),
            ("statement_timeout", millis(self.statement_timeout)),
            ("lock_timeout", millis(self.lock_timeout)),
            ("idle_in_transaction_session_timeout", millis(self.idle_timeout)),
            ("plan_cache_mode", "force_generic_plan".to_owned()),
            ("enable_seqscan", "off".to_owned()),
            ("enable_hashjoin", "off".to_owned()),
            ("enable_mergejoin", "off".to_owned()),
            ("jit", "off".to_owned()),
        ];
        settings.map(|(name, value)| format!("-c {name}={value}")).join(" ")
    }
}

/// Where that is, for people: hosts, ports and database, without user and password.
pub(super) fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| {
        let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => format!("{}:{port}", folder.display()),
        }
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{hosts}/{database}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_neither_user_nor_password() {
        let address = "postgres://me:secret@one:1,two:2/things?sslmode=require";
        let options = Options::new(address);
        assert_eq!(place(&options.config().expect("it is one")), "one:1,two:2/things");
        assert!(!format!("{options:?}").contains("secret"));
        let folder = Options::new("host=/run/pg user=me").config().expect("it is one");
        assert_eq!(place(&folder), "/run/pg:5432/me");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_told() {
        for address in ["postgres://me:secret@host/db?nonsense=1", "secret", "postgres://", ""] {
            let refused = Options::new(address).config().expect_err("it is none").to_string();
            assert!(refused.starts_with("the address of PostgreSQL can't be read: "), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn what_the_address_says_has_the_last_word() {
        let address = "postgres://host/db?options=-c%20lock_timeout%3D7";
        let config = Options::new(address).config().expect("it is one");
        let said = config.get_options().expect("some");
        assert!(
            said.starts_with("-c search_path=pilotage ") && said.ends_with("-c lock_timeout=7")
        );
    }
}
