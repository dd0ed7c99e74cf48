-- What is learnt from the users, by product; folded from the log as they are. `part`: 0 current, 1 published.
CREATE TABLE learnt (
    product text COLLATE "C" NOT NULL,
    part smallint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (product, part)
);
