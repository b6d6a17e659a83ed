-- migrate:up

-- Fences off the workers of the release before: they would count into the tables they know and not into the ones below.
-- Their statement on the ledger fails from here on, so they wait with their jobs until new workers take over; redirects go on.
ALTER TABLE ledger RENAME COLUMN visits TO counted;

-- Letters as a number, base 27 (apps/shared/letter-codes.ts): 'DE' is 4 · 27 + 5. Two bytes each in a row that has room for them.
ALTER TABLE visits ADD COLUMN country smallint, ADD COLUMN language smallint;

-- Of the visits: those of bots and of link previews; the rest are people. Uniques: the sum of the days' unique visitors.
-- In all tables per link, link_id 0 stands for all links together.
ALTER TABLE link_totals
  ADD COLUMN bots bigint NOT NULL DEFAULT 0,
  ADD COLUMN previews bigint NOT NULL DEFAULT 0,
  ADD COLUMN uniques bigint NOT NULL DEFAULT 0;
ALTER TABLE link_quarters
  ADD COLUMN bots bigint NOT NULL DEFAULT 0,
  ADD COLUMN previews bigint NOT NULL DEFAULT 0;

-- Visits per link and minute, of the last two days; partitioned by day, so that old ones go by dropping a table.
CREATE TABLE link_minutes (
  link_id bigint NOT NULL,
  minute timestamptz(0) NOT NULL,
  visits bigint NOT NULL,
  bots bigint NOT NULL,
  previews bigint NOT NULL,
  PRIMARY KEY (link_id, minute)
) PARTITION BY RANGE (minute);
CREATE TABLE link_minutes_default PARTITION OF link_minutes DEFAULT WITH (fillfactor = 70);

-- Visits per link and day (UTC), kept for ever: what remains when raw visits are gone.
CREATE TABLE link_days (
  link_id bigint NOT NULL,
  day date NOT NULL,
  visits bigint NOT NULL,
  bots bigint NOT NULL,
  previews bigint NOT NULL,
  -- People, each counted once; exact for visits recorded before the day's salt is destroyed. Of all links together:
  -- the sum of theirs.
  uniques bigint NOT NULL,
  -- As in link_totals: a top list over days finds its candidates by it.
  magnitude smallint GENERATED ALWAYS AS (
    CASE WHEN visits < 64 THEN 4 * floor(ln(greatest(visits, 1)::double precision) / ln(2::double precision) + 1e-9)
         ELSE floor(4 * ln(visits::double precision) / ln(2::double precision) + 1e-9) END::smallint
  ) STORED,
  PRIMARY KEY (link_id, day)
) WITH (fillfactor = 60);
CREATE INDEX link_days_day_magnitude_idx ON link_days (day, magnitude);

-- Visits per link and day by referrer, country, browser and so on: {"cDE": 3, "bChrome": [3, 2], …}, which is the
-- dimension's letter and the value → visits, or [visits, people] where not all are people. At most 100 values per
-- dimension; "c*" is the sum of the others. apps/shared/breakdowns.ts reads and writes it.
CREATE TABLE link_breakdowns (
  link_id bigint NOT NULL,
  day date NOT NULL,
  breakdowns json NOT NULL,
  PRIMARY KEY (link_id, day)
) WITH (fillfactor = 80);
-- What transactions have added since: a link's breakdowns are its row above and these together. Recording appends here
-- instead of reading and writing a row that grows; a worker folds them into the table above every few seconds.
CREATE TABLE breakdown_deltas (
  link_id bigint NOT NULL,
  day date NOT NULL,
  breakdowns json NOT NULL
);
CREATE INDEX breakdown_deltas_link_id_day_idx ON breakdown_deltas (link_id, day);

-- Who has visited on which day, as a hash with the day's salt; dropped with it.
CREATE TABLE visitors (
  link_id bigint NOT NULL,
  day date NOT NULL,
  visitor bigint NOT NULL,
  PRIMARY KEY (link_id, day, visitor)
) PARTITION BY RANGE (day);
CREATE TABLE visitor_salts (
  day date PRIMARY KEY,
  salt bytea NOT NULL
);

-- Requests for slugs that are no link, of each day the most wanted ones; slug '' is the sum of the others.
CREATE TABLE orphan_visits (
  day date NOT NULL,
  slug text COLLATE "C" NOT NULL,
  requests bigint NOT NULL,
  PRIMARY KEY (day, slug)
) WITH (fillfactor = 70);

-- Makes the day partitions (UTC) from `first_day` on; returns how many days had none. Rows of such a day that lie in a
-- DEFAULT partition are moved into the new one. A day from yesterday on has its partition of visitors and its salt, too.
CREATE OR REPLACE FUNCTION ensure_visit_partitions(first_day date, days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  day date;
  made integer := 0;
  suffix text;
  from_time timestamptz;
  to_time timestamptz;
BEGIN
  -- One maker at a time: workers start together.
  PERFORM pg_advisory_xact_lock(hashtext('hopcount:visit-partitions'));
  FOR i IN 0 .. days - 1 LOOP
    day := first_day + i;
    suffix := to_char(day, 'YYYYMMDD');
    from_time := day::timestamp AT TIME ZONE 'UTC';
    to_time := (day + 1)::timestamp AT TIME ZONE 'UTC';
    IF to_regclass('visits_' || suffix) IS NULL THEN
      PERFORM make_day_partition('visits', 'visited_at', suffix, from_time, to_time, '');
      made := made + 1;
    END IF;
    CONTINUE WHEN day < (now() AT TIME ZONE 'UTC')::date - 1;
    IF to_regclass('link_minutes_' || suffix) IS NULL THEN
      PERFORM make_day_partition('link_minutes', 'minute', suffix, from_time, to_time, 'WITH (fillfactor = 70)');
    END IF;
    IF to_regclass('visitors_' || suffix) IS NULL THEN
      -- Attached, and not made as a partition: that would lock out the workers (CREATE TABLE, PARTITION OF).
      EXECUTE format('CREATE TABLE %I (LIKE visitors INCLUDING CONSTRAINTS)', 'visitors_' || suffix);
      EXECUTE format('ALTER TABLE visitors ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', 'visitors_' || suffix, day, day + 1);
      INSERT INTO visitor_salts (day, salt) VALUES (day, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    END IF;
  END LOOP;
  RETURN made;
END
$$;

CREATE FUNCTION make_day_partition(parent text, key text, suffix text, from_time timestamptz, to_time timestamptz, storage text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  partition_name text := parent || '_' || suffix;
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) %s', partition_name, parent, storage);
  EXECUTE format(
    'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
    parent || '_default', key, from_time, key, to_time, partition_name);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition_name, from_time, to_time);
END
$$;

-- What was counted before: days and the sums over all links come from the quarter hours; their breakdowns are unknown,
-- all of them in "other", and all visits are people's, until `npm run reclassify` reads the raw visits.
INSERT INTO link_totals (link_id, visits, first_visit, last_visit)
  SELECT 0, sum(visits), min(first_visit), max(last_visit) FROM link_totals HAVING count(*) > 0;
INSERT INTO link_quarters (link_id, quarter, visits)
  SELECT 0, quarter, sum(visits) FROM link_quarters GROUP BY quarter;
INSERT INTO link_days (link_id, day, visits, bots, previews, uniques)
  SELECT link_id, (quarter AT TIME ZONE 'UTC')::date, sum(visits), 0, 0, 0 FROM link_quarters GROUP BY 1, 2;
INSERT INTO link_breakdowns (link_id, day, breakdowns)
  SELECT link_id, day, json_build_object('r*', visits, 'c*', visits, 'b*', visits, 'o*', visits, 'd*', visits, 'l*', visits)
  FROM link_days;
INSERT INTO link_minutes (link_id, minute, visits, bots, previews)
  SELECT visit.link_id, date_bin('1 minute', visited_at, 'epoch'::timestamptz) AS minute, count(*), 0, 0
  FROM (SELECT link_id, visited_at FROM visits WHERE visited_at >= now() - interval '49 hours'
        UNION ALL SELECT 0, visited_at FROM visits WHERE visited_at >= now() - interval '49 hours') AS visit
  GROUP BY 1, 2;

-- migrate:down

DROP TABLE orphan_visits, visitor_salts, visitors, breakdown_deltas, link_breakdowns, link_days, link_minutes;
DELETE FROM link_quarters WHERE link_id = 0;
DELETE FROM link_totals WHERE link_id = 0;
ALTER TABLE link_quarters DROP COLUMN bots, DROP COLUMN previews;
ALTER TABLE link_totals DROP COLUMN bots, DROP COLUMN previews, DROP COLUMN uniques;
ALTER TABLE visits DROP COLUMN country, DROP COLUMN language;
ALTER TABLE ledger RENAME COLUMN counted TO visits;
CREATE OR REPLACE FUNCTION ensure_visit_partitions(first_day date, days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  day date;
  made integer := 0;
  partition_name text;
  from_time timestamptz;
  to_time timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('hopcount:visit-partitions'));
  FOR i IN 0 .. days - 1 LOOP
    day := first_day + i;
    partition_name := 'visits_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(partition_name) IS NOT NULL;
    from_time := day::timestamp AT TIME ZONE 'UTC';
    to_time := (day + 1)::timestamp AT TIME ZONE 'UTC';
    EXECUTE format('CREATE TABLE %I (LIKE visits INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name);
    EXECUTE format(
      'WITH moved AS (DELETE FROM visits_default WHERE visited_at >= %L AND visited_at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
      from_time, to_time, partition_name);
    EXECUTE format('ALTER TABLE visits ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, from_time, to_time);
    made := made + 1;
  END LOOP;
  RETURN made;
END
$$;
DROP FUNCTION make_day_partition;
