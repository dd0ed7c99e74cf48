//! What a failure of PostgreSQL means for the caller. Must not tell what a row holds.

use std::error::Error;

use deadpool_postgres::PoolError;
use deadpool_postgres::TimeoutType;
use pilotage_engine::port::feed::Partition;
use pilotage_engine::port::shared::FoldError;
use pilotage_engine::port::store::StoreError;

/// Why a piece of work was not done.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another transaction was in the way: the same may succeed at once.
    Conflict(String),
    /// The server is away, has no room or gave up: the same may succeed later.
    Away(String),
    /// What it holds is not what was written, or what was asked can't be.
    Damaged(String),
    /// A claim is outdated.
    Fenced(Partition),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub(super) fn closed() -> Self {
        Self::Away("it is closed".to_owned())
    }

    /// What is wrong, for people.
    pub(super) fn detail(self) -> String {
        match self {
            Self::Conflict(detail) | Self::Away(detail) | Self::Damaged(detail) => detail,
            Self::Fenced(partition) => format!("partition {} is another worker's", partition.0),
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let detail = text(&error);
        match error.code().map(|code| code.code()) {
            Some(code) => judge(code)(detail),
            // Without a word of the server the connection failed.
            None => Self::Away(detail),
        }
    }
}

/// What an SQLSTATE means.
fn judge(code: &str) -> fn(String) -> Fault {
    match code {
        // Serialization failure, deadlock.
        "40001" | "40P01" => Fault::Conflict,
        // Waited too long for a lock, has no privilege, a plan from before a migration, a standby that takes no writes.
        "55P03" | "42501" | "0A000" | "25006" => Fault::Away,
        // What the server has no code for, as a quota that is used up; damage has codes of its own, XX001 and XX002.
        "XX000" => Fault::Away,
        _ => match code.get(..2) {
            // Connection, transaction state, authorization, database gone, resources, limits, operator, system.
            Some("08" | "25" | "28" | "3D" | "40" | "53" | "54" | "57" | "58") => Fault::Away,
            _ => Fault::Damaged,
        },
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => match error.into() {
                // Nobody who connects has damaged anything.
                Self::Damaged(detail) => Self::Away(detail),
                fault => fault,
            },
            PoolError::Timeout(TimeoutType::Wait) => Self::Away("no connection is free".to_owned()),
            PoolError::Timeout(_) => Self::Away("no connection was made in time".to_owned()),
            PoolError::Closed => Self::closed(),
            other => Self::Away(text(&other)),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(detail) => Self::Damaged(detail),
            passing => Self::Unavailable(passing.detail()),
        }
    }
}

impl From<Fault> for FoldError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Fenced(partition) => Self::Fenced { partition },
            other => Self::Store(other.into()),
        }
    }
}

/// What an error and its causes say, in a line. Of the server's word only the message: its details may quote a row.
pub(super) fn text(error: &(dyn Error + 'static)) -> String {
    if let Some(said) = error.downcast_ref::<tokio_postgres::error::DbError>() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    match error.source() {
        Some(cause) if error.to_string() == "db error" => text(cause),
        Some(cause) => format!("{error}: {}", text(cause)),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_succeed_later_is_told_from_what_will_not() {
        let meaning = |code| match judge(code)(String::new()) {
            Fault::Conflict(_) => "conflict",
            Fault::Away(_) => "away",
            Fault::Damaged(_) | Fault::Fenced(_) => "damaged",
        };
        for (code, expected) in [
            ("40001", "conflict"),
            ("40P01", "conflict"),
            ("40003", "away"),
            ("08006", "away"),
            ("25P03", "away"),
            ("28P01", "away"),
            ("53100", "away"),
            ("53300", "away"),
            ("55P03", "away"),
            ("57014", "away"),
            ("57P01", "away"),
            ("XX000", "away"),
            ("23505", "damaged"),
            ("42P01", "damaged"),
            ("XX001", "damaged"),
        ] {
            assert_eq!(meaning(code), expected, "{code}");
        }
    }
}
