-- Which milestones a counted user has reached: a bit for each, the lowest first; NULL where an older version counted.
ALTER TABLE cohorts ADD COLUMN reached bytea;
CREATE INDEX cohorts_unnoted ON cohorts (product) WHERE reached IS NULL;
