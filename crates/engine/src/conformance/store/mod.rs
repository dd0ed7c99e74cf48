//! The store's contract. Must hold for every implementation.

mod book;
mod folded;
mod kept;
mod learnt;
mod model;

pub use book::*;
pub use folded::*;
pub use kept::*;
pub use learnt::*;
pub use model::follows_its_model;

use bytes::Bytes;
use pilotage_domain::event::Position;

use super::key;
use crate::port::store::{
    Batch, Counting, RowId, Store, StoredUser, UserKey, UserWrite, Watermark,
};

/// The store's suite; `$make` is a function without arguments that makes a new `StorePlace`.
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::conformance_cases! { store, $make,
            unknown_users_are_none,
            users_load_as_they_were_written,
            a_row_keeps_its_number,
            a_batch_is_written_whole_or_not_at_all,
            a_watermark_is_written_with_its_batch,
            spilled_runs_are_kept_in_order,
            cohorts_are_counted_by_product_and_group,
            cohorts_are_counted_by_day_time_and_milestone,
            what_is_counted_can_be_taken_back,
            noted_milestones_stay,
            what_is_learnt_stands_by_product_and_part,
            pages_walk_all_users_in_key_order,
            many_writers_and_readers_share_the_store,
            a_restart_keeps_what_was_written,
            a_reset_forgets_what_is_folded_and_keeps_the_rest,
            guides_are_paused_and_resumed,
            definitions_are_kept_by_hash,
            the_first_secret_stays,
            a_closed_store_says_so,
            a_situation_waits_once,
            the_situation_that_is_worth_most_goes_first,
            a_job_ends_with_its_pages,
            pages_are_chained,
            many_advisors_share_the_book,
            wanted_situations_are_written_with_their_users,
            the_queue_is_bounded,
            a_budget_is_never_passed,
        }

        #[test]
        fn follows_its_model() {
            $crate::conformance::store::follows_its_model($make);
        }
    };
}

/// A user of product `p` with that body, nothing spilled, no cohort.
fn plain(user: &str, row: Option<RowId>, body: &str) -> UserWrite {
    let (spilled, body) = (Vec::new(), Bytes::from(body.to_owned()));
    let (applied, counting) = (Position(0), Counting::Unchanged);
    UserWrite { key: key("p", user), row, body, applied, spilled, counting }
}

fn batch(users: Vec<UserWrite>) -> Batch {
    Batch { users, ..Batch::default() }
}

async fn write(store: &dyn Store, users: Vec<UserWrite>) -> Vec<RowId> {
    store.write(batch(users)).await.expect("the store writes")
}

async fn load(store: &dyn Store, keys: &[UserKey]) -> Vec<Option<StoredUser>> {
    store.load(keys.to_vec()).await.expect("the store reads")
}

fn stored(row: RowId, body: &str) -> Option<StoredUser> {
    Some(StoredUser { row, body: Bytes::from(body.to_owned()) })
}

fn watermark(position: u64) -> Watermark {
    Watermark { position: Position(position), ..Watermark::default() }
}
