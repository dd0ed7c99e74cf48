//! The tables of `store.sqlite`. Must not change in a step that was released: add one.

use crate::sqlite::file::Kind;

/// The store's file.
///
/// Users lie in the order of their numbers, so that a batch in that order touches each page once. Tables with large
/// values have row numbers: in a table without them every descent would pass over the values.
pub(super) const STORE: Kind = Kind {
    role: "store",
    name: "store.sqlite",
    application: 0x5069_5374, // "PiSt"
    page: 4_096,
    steps: &[FORMAT_1, LEARNT, ADVICE, REACHED],
};

const FORMAT_1: &str = "
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- `sum`, here and below: CRC-32 of the row's other columns, with the product's name for its number.
CREATE TABLE user (
    row INTEGER PRIMARY KEY,
    product INTEGER NOT NULL,
    user TEXT NOT NULL,
    sum INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX user_key ON user (product, user);

-- Timeline positions that no longer fit a user's record.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    row INTEGER NOT NULL,
    first INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX run_key ON run (row, first);

-- What reports count of a user. `grp`: 0 guided, 1 holdout, 2 random, 3 static.
CREATE TABLE cohort (
    row INTEGER PRIMARY KEY,
    product INTEGER NOT NULL,
    grp INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    signup INTEGER,
    activated INTEGER
);

-- At most one row. `folds`: a line for each product, its name and its fold hash.
CREATE TABLE watermark (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL,
    newest_event INTEGER,
    folds TEXT NOT NULL,
    sum INTEGER NOT NULL
);

CREATE TABLE paused (
    product TEXT NOT NULL,
    guide TEXT NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (product, guide)
) WITHOUT ROWID;

CREATE TABLE definition (
    id INTEGER PRIMARY KEY,
    product TEXT NOT NULL,
    hash BLOB NOT NULL,
    version INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (product, hash)
);

CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    sum INTEGER NOT NULL,
    value BLOB NOT NULL
) WITHOUT ROWID;
";

/// What is learnt from the users. `part`: 0 current, 1 published.
const LEARNT: &str = "
CREATE TABLE learnt (
    id INTEGER PRIMARY KEY,
    product TEXT NOT NULL,
    part INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (product, part)
);
";

/// What is kept of asking models.
const ADVICE: &str = "
-- Situations that wait. `sum` is over product, signature and body; the rest only says when a situation's turn is.
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    product TEXT NOT NULL,
    signature BLOB NOT NULL,
    traffic INTEGER NOT NULL,
    uncertainty REAL NOT NULL,
    thousandths INTEGER NOT NULL,
    stale INTEGER NOT NULL,
    since INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    taken_until INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX job_key ON job (product, signature);
CREATE INDEX job_rank ON job (traffic * thousandths DESC, since, signature);

-- The book, page by page; a hash is over a page and all before it. `kind`: 0 an answer, 1 a ruling.
CREATE TABLE page (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    product TEXT NOT NULL,
    kind INTEGER NOT NULL,
    hash BLOB NOT NULL,
    sum INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX page_answers ON page (product, number) WHERE kind = 0;

-- What is spent and reserved: at most one row.
CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sum INTEGER NOT NULL,
    body BLOB NOT NULL
);
";

/// Which milestones a counted user has reached: a bit for each, the lowest first; NULL where an older version counted.
const REACHED: &str = "
ALTER TABLE cohort ADD COLUMN reached BLOB;
CREATE INDEX cohort_unnoted ON cohort (product) WHERE reached IS NULL;
";
