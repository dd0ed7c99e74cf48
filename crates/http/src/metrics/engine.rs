//! The engine's figures in Prometheus' text form. Must not count anything itself.

use super::Name;
use super::page::Page;
use pilotage_engine::{Figures, Folding};

/// The figures, as they are at a scrape. What is not measured is left out.
pub(crate) fn render(figures: &Figures) -> String {
    let mut page = Page::default();
    page.number(Name::Lag, "gauge", figures.lag);
    page.number(Name::Unstored, "gauge", figures.unstored);
    page.number(Name::Users, "gauge", figures.users as u64);
    page.number(Name::UsersBytes, "gauge", figures.users_bytes as u64);
    page.number(Name::UsersBound, "gauge", figures.users_bound as u64);
    page.number(Name::WriteBacks, "counter", figures.write_backs);
    page.number(Name::WriteBackFailures, "counter", figures.write_back_failures);
    page.commits((Name::LogCommit, Name::LogCommitRecords), figures.log_commits.as_ref());
    page.commits((Name::StoreCommit, Name::StoreCommitUsers), figures.store_commits.as_ref());
    page.done()
}

/// What a worker among several says of itself.
pub(crate) fn render_folding(folding: &Folding) -> String {
    let mut page = Page::default();
    page.number(Name::Partitions, "gauge", folding.partitions as u64);
    if let Some(lag) = folding.lag {
        page.number(Name::Lag, "gauge", lag);
    }
    page.number(Name::Dropped, "counter", folding.dropped);
    page.done()
}

#[cfg(test)]
mod tests {
    use pilotage_domain::event::Position;
    use pilotage_engine::port::meter::{Commits, Spread};

    use super::*;

    fn figures(log_commits: Option<Commits>) -> Figures {
        Figures {
            applied: Position(3),
            lag: 1,
            unstored: 2,
            users: 3,
            users_bytes: 4,
            users_bound: 5,
            write_backs: 6,
            write_back_failures: 7,
            log_commits,
            store_commits: None,
        }
    }

    #[test]
    fn numbers_have_a_head_and_a_line() {
        let text = render(&figures(None));
        let values = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let values: Vec<&str> = values.collect();
        let expected = [
            "pilotage_projection_lag_records 1",
            "pilotage_write_back_lag_records 2",
            "pilotage_users_in_memory 3",
            "pilotage_users_in_memory_bytes 4",
            "pilotage_users_in_memory_limit_bytes 5",
            "pilotage_write_back_passes_total 6",
            "pilotage_write_back_failures_total 7",
        ];
        assert_eq!(values, expected);
        assert!(text.contains("# TYPE pilotage_write_back_passes_total counter\n"));
        assert!(text.contains("# TYPE pilotage_users_in_memory gauge\n"));
    }

    #[test]
    fn a_lag_that_is_not_known_is_left_out() {
        let text = render_folding(&Folding { partitions: 2, lag: None, dropped: 0 });
        assert!(text.contains("\npilotage_worker_partitions 2\n") && !text.contains("_lag_"));
        let text = render_folding(&Folding { partitions: 2, lag: Some(7), dropped: 3 });
        assert!(text.contains("\npilotage_projection_lag_records 7\n"));
        assert!(text.contains("\npilotage_worker_dropped_records_total 3\n"));
    }

    #[test]
    fn buckets_add_up() {
        let micros = Spread {
            buckets: vec![(100, 2), (2_500, 0), (5_000_000, 3)],
            above: 1,
            sum: 7_000_250,
        };
        let records = Spread { buckets: vec![(1, 4), (2, 1)], above: 1, sum: 16 };
        let text = render(&figures(Some(Commits { micros, records })));
        let (_, histograms) = text.split_once("# HELP pilotage_log_commit").expect("histograms");
        let values = histograms.lines().filter(|line| line.starts_with("pilotage_"));
        let values: Vec<&str> = values.collect();
        let expected = [
            "pilotage_log_commit_duration_seconds_bucket{le=\"0.0001\"} 2",
            "pilotage_log_commit_duration_seconds_bucket{le=\"0.0025\"} 2",
            "pilotage_log_commit_duration_seconds_bucket{le=\"5\"} 5",
            "pilotage_log_commit_duration_seconds_bucket{le=\"+Inf\"} 6",
            "pilotage_log_commit_duration_seconds_sum 7.00025",
            "pilotage_log_commit_duration_seconds_count 6",
            "pilotage_log_commit_records_bucket{le=\"1\"} 4",
            "pilotage_log_commit_records_bucket{le=\"2\"} 5",
            "pilotage_log_commit_records_bucket{le=\"+Inf\"} 6",
            "pilotage_log_commit_records_sum 16",
            "pilotage_log_commit_records_count 6",
        ];
        assert_eq!(values, expected);
    }
}
