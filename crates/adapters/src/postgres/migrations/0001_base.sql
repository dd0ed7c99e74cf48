-- All of it, in the schema `pilotage`. Names are compared byte by byte, as the program orders them.

-- Profiles: folded from the log, as is all down to `decisions`. A body is rewritten again and again, on its own page.
CREATE TABLE users (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    applied bigint NOT NULL,
    product text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    UNIQUE (product, user_id)
) WITH (fillfactor = 75);

-- Timeline positions that no longer fit a user's body.
CREATE TABLE runs (
    row_id bigint NOT NULL,
    first bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (row_id, first)
);

-- What reports count of a user; apart from the bodies, so that counting passes over them. `grp`: 0 guided, 1 holdout,
-- 2 random, 3 static. Times in milliseconds since 1970.
CREATE TABLE cohorts (
    row_id bigint PRIMARY KEY,
    first_seen bigint NOT NULL,
    signup bigint,
    activated bigint,
    grp smallint NOT NULL,
    product text COLLATE "C" NOT NULL
);

-- Events that took effect, by a hash of product, user and id; forgotten some days after `day`.
CREATE TABLE names (
    name uuid PRIMARY KEY,
    position bigint NOT NULL,
    day date NOT NULL DEFAULT CURRENT_DATE
);
CREATE INDEX names_day ON names (day);

-- Where decisions stand in the log.
CREATE TABLE decisions (
    decision uuid PRIMARY KEY,
    position bigint NOT NULL
);

-- Who may write what a partition of the log is folded to, and how far it is. A reset keeps the epochs going.
CREATE TABLE partitions (
    partition integer PRIMARY KEY,
    epoch bigint NOT NULL,
    applied bigint NOT NULL,
    newest_event bigint
) WITH (fillfactor = 25);

-- Where one process folds all: at most one row, and by product what was folded with.
CREATE TABLE watermark (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL,
    newest_event bigint
);
CREATE TABLE folds (
    product text COLLATE "C" PRIMARY KEY,
    hash bytea NOT NULL
);

-- What is held for decisions that are not folded yet, and how often something was, by user. Not touched by a reset.
CREATE TABLE reservations (
    product text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    decision uuid NOT NULL,
    until bigint NOT NULL,
    offer bytea NOT NULL,
    PRIMARY KEY (product, user_id, decision)
);
CREATE TABLE reservation_counts (
    count bigint NOT NULL,
    product text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (product, user_id)
) WITH (fillfactor = 75);

-- What operators set and the server keeps. Not touched by a reset.
CREATE TABLE paused (
    product text COLLATE "C" NOT NULL,
    guide text COLLATE "C" NOT NULL,
    PRIMARY KEY (product, guide)
);
CREATE TABLE definitions (
    product text COLLATE "C" NOT NULL,
    hash bytea NOT NULL,
    version bigint NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (product, hash)
);
CREATE TABLE secrets (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

-- Numbers of the installation: `pauses` counts what was paused and resumed, `topic_partitions` is as first seen.
CREATE TABLE meta (
    name text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO meta VALUES ('pauses', 0);
