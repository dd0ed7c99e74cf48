//! Several processes of one installation, each with its role. Must not know what a test does to them.

use std::net::SocketAddr;

use crate::client::Client;
use crate::installation::{Installation, Server};
use crate::process::eventually;
use crate::shared::PARTITIONS;

/// The processes of an installation.
pub(super) struct Fleet {
    pub(super) installation: Installation,
    pub(super) ingests: Vec<Server>,
    pub(super) workers: Vec<Server>,
    pub(super) decides: Vec<Server>,
}

impl Fleet {
    /// So many processes of each role, once all answer and every partition is folded.
    pub(super) fn start(installation: Installation, counts: [usize; 3]) -> Self {
        let start = |role: &str, count: usize| -> Vec<Server> {
            (0..count).map(|_| installation.start_role(role)).collect()
        };
        let [ingests, workers, decides] = counts;
        let (ingests, workers, decides) =
            (start("ingest", ingests), start("worker", workers), start("decide", decides));
        let fleet = Self { installation, ingests, workers, decides };
        fleet.wait_until_folding(&fleet.workers.iter().collect::<Vec<_>>());
        fleet
    }

    /// One more of a role, once it answers.
    pub(super) fn one_more(&self, role: &str) -> Server {
        self.installation.start_role(role)
    }

    /// Waits until these workers, and none beside them, have all partitions.
    pub(super) fn wait_until_folding(&self, workers: &[&Server]) {
        eventually("every partition has its worker", || {
            let held: u64 = workers.iter().map(|worker| partitions(worker)).sum();
            (held == u64::from(PARTITIONS)).then_some(())
        });
    }

    pub(super) fn ingest_addresses(&self) -> Vec<SocketAddr> {
        self.ingests.iter().map(|server| server.address).collect()
    }

    pub(super) fn decide_addresses(&self) -> Vec<SocketAddr> {
        self.decides.iter().map(|server| server.address).collect()
    }

    /// A caller of a process that knows users.
    pub(super) fn reader(&self) -> Client {
        self.decides.first().expect("somebody decides").client()
    }

    /// Ends every process in order, and folds the log anew: the profiles must be the same.
    pub(super) fn end(self) {
        let Self { installation, ingests, workers, decides } = self;
        for server in ingests.into_iter().chain(decides).chain(workers) {
            server.stop();
        }
        let rebuilt = installation.rebuild();
        assert_eq!(rebuilt["same"], true, "the profiles are the log's fold: {rebuilt}");
    }
}

/// How many partitions a worker folds, as it says itself.
pub(super) fn partitions(worker: &Server) -> u64 {
    let Ok(page) = worker.client().call("GET", "/metrics", None) else { return 0 };
    let line = page.text.lines().find_map(|line| line.strip_prefix("pilotage_worker_partitions "));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}
