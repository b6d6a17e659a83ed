-- migrate:up

-- Everybody else waits behind a wait for a lock. `npm run migrate` repeats the migration until it gets it.
SET LOCAL lock_timeout = '800ms';

-- How many values per open dimension the row lists. Workers of 0.1 write rows without it, so their folds fail: they
-- would cut a row to 100 values. They go on recording, and workers of this release fold what they append.
ALTER TABLE link_breakdowns
  ADD COLUMN listed smallint,
  ADD CONSTRAINT link_breakdowns_listed_check CHECK (listed IS NOT NULL) NOT VALID;

-- Visits per day by the version of the rules that classified them (bots, browsers, sources …). Where these are fewer
-- than the day's visits, a worker of another release has recorded some, and the day is counted again from raw visits.
CREATE TABLE classified_days (
  day date NOT NULL,
  rules integer NOT NULL,
  visits bigint NOT NULL,
  PRIMARY KEY (day, rules)
) WITH (fillfactor = 50);

-- migrate:down

DROP TABLE classified_days;
ALTER TABLE link_breakdowns DROP COLUMN listed;
