//! The tables of `log.sqlite`. Must not change in a step that was released: add one.

use crate::sqlite::file::Kind;

/// The log's file.
///
/// Records are appended by position, many to a row: an index with random keys would rewrite a page for each record, and a
/// row for each would cost more than the record.
pub(super) const LOG: Kind = Kind {
    role: "log",
    name: "log.sqlite",
    application: 0x5069_4c67, // "PiLg"
    page: 8_192,
    steps: &[FORMAT_1, FORMAT_2, FORMAT_3],
};

const FORMAT_1: &str = "
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- One record a row; positions have no holes. `kind`: 1 event, 2 decision. `name`: the event's id as text, or the
-- decision's 16 bytes. `sum`: CRC-32 of the row, see `row.rs`.
CREATE TABLE entry (
    position INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    product INTEGER NOT NULL,
    user TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    name NOT NULL,
    sum INTEGER NOT NULL,
    body BLOB NOT NULL
);

CREATE TABLE decision (id BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;

-- Marks of the events between two positions, so that a start need not read their records: see `remembered.rs`.
CREATE TABLE recent (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    marks BLOB NOT NULL
);
";

const FORMAT_2: &str = "
-- The position of the newest record: an empty page that should not be one is an odd end, and would look like a shorter log.
INSERT INTO about VALUES ('end', (SELECT coalesce(max(position), 0) FROM entry));

-- From here on records stand in blocks: some of one commit, in order and without holes, see `block.rs`. What format 1
-- wrote stays in `entry`, and lies before every block. `sum`: CRC-32 of first, last and body.
CREATE TABLE block (
    last INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    body BLOB NOT NULL
);
";

const FORMAT_3: &str = "
-- From here on blocks may hold records that say which users are one person, which no earlier version can read.
";
