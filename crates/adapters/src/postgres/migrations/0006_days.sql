-- A name has the day, counted from 1970, on which its event was received: that of its fold until now. By it alone a name is known
-- again. `newest_day` is the newest of a partition's names: what lies long enough before it is forgotten.
DROP INDEX names_day;
ALTER TABLE names ALTER COLUMN day DROP DEFAULT,
    ALTER COLUMN day TYPE integer USING day - DATE '1970-01-01';
CREATE INDEX names_day ON names ((position >> 48), day);
ALTER TABLE partitions ADD COLUMN newest_day integer;
