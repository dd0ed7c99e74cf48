//! Where log lines go. Must not decide what is logged.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Log lines go to standard error: for people on a terminal, as JSON elsewhere. `PILOTAGE_LOG_LEVEL` filters them.
pub(crate) fn start(default_level: &str) {
    let filter = EnvFilter::try_from_env("PILOTAGE_LOG_LEVEL")
        .unwrap_or_else(|_| EnvFilter::new(default_level));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        lines.with_target(false).try_init()
    } else {
        lines.json().flatten_event(true).try_init()
    };
    // A second start in one process (tests) keeps the first one's lines.
    drop(started);
}
