//! Whether the book is what was written. Must not repair it.

use pilotage_domain::hash::ContentHash;
use thiserror::Error;

use crate::port::book::{BEGINNING, Book, Reading, chained};
use crate::port::store::StoreError;

/// So many pages are read at a time.
const PAGES: usize = 256;

/// A book that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// How many pages it has.
    pub pages: u64,
    /// The hash over all of them: whoever noted it earlier can tell that nothing was rewritten since.
    pub head: ContentHash,
}

/// Why a book is not whole.
#[derive(Debug, Error)]
pub enum Broken {
    /// A page is missing.
    #[error("page {expected} is missing: page {found} follows on the one before")]
    Missing {
        /// The page that should be there.
        expected: u64,
        /// The one that is.
        found: u64,
    },
    /// A page is not what was written, or one before it is not.
    #[error("page {page} does not have the hash that it and the pages before it come to")]
    Changed {
        /// Which.
        page: u64,
    },
    /// It can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Goes through the book from its first page.
///
/// # Errors
/// At the first page that is not as it was written.
pub async fn verify(book: &(impl Book + ?Sized)) -> Result<Audit, Broken> {
    let mut audit = Audit { pages: 0, head: BEGINNING };
    loop {
        let reading = Reading { after: audit.pages, answers_since: None, limit: PAGES };
        let pages = book.pages(reading).await?;
        for page in &pages {
            let expected = audit.pages + 1;
            if page.number != expected {
                return Err(Broken::Missing { expected, found: page.number });
            }
            if page.hash != chained(audit.head, expected, &page.page) {
                return Err(Broken::Changed { page: expected });
            }
            audit = Audit { pages: expected, head: page.hash };
        }
        if pages.len() < PAGES {
            return Ok(audit);
        }
    }
}
