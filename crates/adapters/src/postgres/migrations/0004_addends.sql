-- What folds have taught of a product and nobody has added to `learnt` yet. Folded from the log as the users are.
CREATE TABLE addends (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product text COLLATE "C" NOT NULL,
    body bytea NOT NULL
);

-- How often something was added up: of two that read the same, one is refused.
CREATE TABLE learning (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    turn bigint NOT NULL
);
INSERT INTO learning (turn) VALUES (0);
