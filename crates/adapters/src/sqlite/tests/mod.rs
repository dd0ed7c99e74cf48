//! The embedded log and store, put to the ports' suites and to every failure that has a defined answer.

mod conformance;

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::{Embedded, OpenError, Options, open};

/// Small bounds, so that a test soon reaches them.
fn small() -> Options {
    Options {
        remembered: 700,
        commit_wait: Duration::ZERO,
        tail_bytes: 64 << 10,
        log_cache_bytes: 256 << 10,
        store_cache_bytes: 256 << 10,
        checkpoint_bytes: 256 << 10,
        ..Options::default()
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn opened(path: &Path) -> Embedded {
    open(path, &small()).expect("the folder opens")
}

fn refused(path: &Path) -> OpenError {
    open(path, &small()).err().expect("the folder must not open")
}
