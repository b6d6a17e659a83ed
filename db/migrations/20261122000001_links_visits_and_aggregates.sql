-- migrate:up

CREATE TABLE links (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slug text COLLATE "C" NOT NULL UNIQUE,
  long_url text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3),
  -- SHA-256 of long_url, on links made by {"reuse": true}: of concurrent ones a single link comes out.
  reuse_key bytea UNIQUE
);
-- Finds a link to reuse by its URL; a hash index holds 4 bytes of a URL instead of up to 2,048.
CREATE INDEX links_long_url_idx ON links USING hash (long_url);

-- Referrers and user agents that come again and again, named by number in visits.
CREATE TABLE texts (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  text text COLLATE "C" NOT NULL UNIQUE
);

-- One row per redirect. No foreign keys: recording must not lock or look up anything else. A text that is not worth a
-- row of its own in texts (it came once) lies in the row itself.
CREATE TABLE visits (
  link_id bigint NOT NULL,
  visited_at timestamptz(3) NOT NULL,
  referrer_id integer,
  user_agent_id integer,
  referrer text,
  user_agent text
) PARTITION BY RANGE (visited_at);
-- Finds the newest visits of a link. By minute and not by moment: visits of one link and minute share an index entry
-- (deduplication), and the few of the newest minute are sorted when read.
CREATE INDEX visits_link_id_minute_idx ON visits (link_id, date_bin('1 minute', visited_at, 'epoch'::timestamptz));
-- The net: visits of a day that has no partition (a clock that is off, maintenance that stood still).
CREATE TABLE visits_default PARTITION OF visits DEFAULT;

-- Counters. Only the magnitude is indexed, and it changes rarely: at 2, 4, 8, 16, 32, 64 visits and from there on four
-- times per doubling. So nearly every increment is a HOT update; the fill factor leaves room for its row versions.
CREATE TABLE link_totals (
  link_id bigint PRIMARY KEY,
  visits bigint NOT NULL,
  -- Grows with visits: the top list reads the rows of the highest magnitudes instead of an index on visits.
  magnitude smallint GENERATED ALWAYS AS (
    CASE WHEN visits < 64 THEN 4 * floor(ln(greatest(visits, 1)::double precision) / ln(2::double precision) + 1e-9)
         ELSE floor(4 * ln(visits::double precision) / ln(2::double precision) + 1e-9) END::smallint
  ) STORED,
  first_visit timestamptz(3) NOT NULL,
  last_visit timestamptz(3) NOT NULL
) WITH (fillfactor = 60);
CREATE INDEX link_totals_magnitude_idx ON link_totals (magnitude);

-- Visits per link and quarter hour (UTC): every zone's offset is a multiple of a quarter hour, so every zone's
-- hours and days are sums of these rows.
CREATE TABLE link_quarters (
  link_id bigint NOT NULL,
  quarter timestamptz(0) NOT NULL,
  visits bigint NOT NULL,
  PRIMARY KEY (link_id, quarter)
) WITH (fillfactor = 70);
CREATE INDEX link_quarters_quarter_idx ON link_quarters USING brin (quarter) WITH (pages_per_range = 16);

-- The batches that have been recorded. A batch that stands here, or at or below its producer's watermark, changes nothing.
CREATE TABLE ledger (
  producer_id uuid NOT NULL,
  seq bigint NOT NULL,
  visits integer NOT NULL,
  PRIMARY KEY (producer_id, seq)
);
CREATE TABLE ledger_watermarks (
  producer_id uuid PRIMARY KEY,
  -- Every batch from 1 to seq is recorded.
  seq bigint NOT NULL,
  -- Visits of those batches together.
  visits bigint NOT NULL
) WITH (fillfactor = 70);

-- Makes the day partitions (UTC) of visits from `first_day` on; returns how many were missing.
-- Visits of such a day that lie in the DEFAULT partition are moved into the new one.
CREATE FUNCTION ensure_visit_partitions(first_day date, days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  day date;
  made integer := 0;
  partition_name text;
  from_time timestamptz;
  to_time timestamptz;
BEGIN
  -- One maker at a time: workers start together.
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

-- migrate:down

DROP FUNCTION ensure_visit_partitions;
DROP TABLE ledger_watermarks, ledger, link_quarters, link_totals, visits, texts, links;
