-- What is kept of asking models. Not touched by a reset.

-- Situations that wait: `traffic * thousandths` is what a call about one is worth. Times in milliseconds since 1970.
CREATE TABLE jobs (
    product text COLLATE "C" NOT NULL,
    signature bytea NOT NULL,
    traffic bigint NOT NULL,
    uncertainty double precision NOT NULL,
    thousandths bigint NOT NULL,
    stale boolean NOT NULL,
    since bigint NOT NULL,
    not_before bigint NOT NULL,
    taken_until bigint NOT NULL DEFAULT 0,
    failures bigint NOT NULL DEFAULT 0,
    brief bytea NOT NULL,
    PRIMARY KEY (product, signature)
);
CREATE INDEX jobs_rank ON jobs ((traffic * thousandths) DESC, since, signature);

-- The book, page by page; a hash is over a page and all before it. `kind`: 0 an answer, 1 a ruling.
CREATE TABLE pages (
    number bigint PRIMARY KEY,
    at bigint NOT NULL,
    kind smallint NOT NULL,
    product text COLLATE "C" NOT NULL,
    hash bytea NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX pages_answers ON pages (product, number) WHERE kind = 0;

-- Its last page. Whoever writes one holds this row until it is there, so that pages appear in their order.
CREATE TABLE book (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO book (number, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- What is spent and reserved; nothing at first.
CREATE TABLE ledger (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    body bytea NOT NULL
);
INSERT INTO ledger (body) VALUES ('');
