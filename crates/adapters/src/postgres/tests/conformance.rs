//! Both ports' suites on databases of their own.

use std::sync::Arc;

use pilotage_engine::conformance::{SharedPlace, StorePlace};
use pilotage_engine::port::Answer;
use pilotage_engine::port::shared::Shared;
use pilotage_engine::port::store::Store;

use super::Database;

impl StorePlace for Database {
    fn open(&self) -> Answer<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::new(Self::open(self).await) as Arc<dyn Store> })
    }
}

impl SharedPlace for Database {
    fn open(&self) -> Answer<'_, Arc<dyn Shared>> {
        Box::pin(async { Arc::new(Self::open(self).await) as Arc<dyn Shared> })
    }
}

mod store {
    use super::Database;

    pilotage_engine::store_conformance!(Database::new);
}

mod shared {
    use super::Database;

    pilotage_engine::shared_conformance!(Database::new);
}
